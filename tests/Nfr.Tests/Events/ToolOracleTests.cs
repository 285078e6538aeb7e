using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Events;

/// <summary>
/// What tshark and the reference ja3.py saw in the captures of others, against what the decode loop sees. A row agrees when an event between
/// the same two endpoints carries its value. A row that does not must fall under a rule below, which says why that is right.
/// </summary>
public sealed class ToolOracleTests(ITestOutputHelper output)
{
    const double Demanded = 95;

    [Fact]
    public void Names_and_fingerprints_agree_with_the_tools_for_95_of_100_rows_and_the_rest_is_explained()
    {
        if (!Corpus.TryFind("10-tool-oracles", out string oracles))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        string corpus = Path.GetDirectoryName(oracles)!;
        var clock = Stopwatch.StartNew();
        var tables = new SortedDictionary<string, Table>(StringComparer.Ordinal);
        var unexplained = new List<string>();
        var captures = new Dictionary<string, Seen>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(oracles, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            string name = root.GetProperty("pcap").GetString()!;
            if (!captures.TryGetValue(name, out Seen? seen)) captures[name] = seen = Read(Path.Combine(corpus, name));
            var agreedHellos = new HashSet<string>(StringComparer.Ordinal);
            foreach (Row row in Rows(root))
            {
                if (!tables.TryGetValue(row.Field, out Table? table)) tables[row.Field] = table = new Table();
                table.Rows++;
                Ends(tables, seen, row, name, unexplained);
                if (seen.Values.Contains(row.Key))
                {
                    table.Agreed++;
                    if (row.IsHello) agreedHellos.Add(row.Ends);
                }
                else if (Explain(row, agreedHellos, seen) is string reason)
                {
                    table.Explained[reason] = table.Explained.GetValueOrDefault(reason) + 1;
                }
                else
                {
                    unexplained.Add($"{name}: {row.Key}");
                }
            }
        }
        foreach ((string field, Table table) in tables)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{field,-38} {table.Rows,5} rows {table.Agreed,5} agreed {table.Share,6:0.0} %"));
            foreach ((string reason, int count) in table.Explained) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"",-44}{count,5} {reason}"));
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{captures.Count} captures in {clock.Elapsed.TotalSeconds:0.0} s"));
        Assert.Empty(unexplained);
        Assert.All(tables.Where(t => t.Key != Fields.Ja3s), t => Assert.True(t.Value.Share >= (t.Key is Fields.DnsName or Fields.Sni or Fields.Tuple ? 99 : Demanded), $"{t.Key}: {t.Value.Share} %"));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60));
    }

    /// <summary>The two ends of every row, whatever it says of them: a flow of ours has them.</summary>
    static void Ends(SortedDictionary<string, Table> tables, Seen seen, Row row, string name, List<string> unexplained)
    {
        if (!tables.TryGetValue(Fields.Tuple, out Table? table)) tables[Fields.Tuple] = table = new Table();
        table.Rows++;
        if (seen.Values.Contains($"{Fields.Tuple} {row.Ends} ")) table.Agreed++;
        else unexplained.Add($"{name}: no flow of {row.Ends}");
    }

    /// <summary>Why a row is not ours to have. Rules speak of protocols, never of files.</summary>
    static string? Explain(Row row, HashSet<string> agreedHellos, Seen seen)
    {
        // tshark tries DNS on datagrams of any port and content; a name that it could not read is no name.
        if (row.Field == Fields.DnsName && row.Value.StartsWith('<')) return "no DNS: tshark guessed, and found no readable name";
        // RFC 8446 4.1.2: the client's second hello, after a HelloRetryRequest, belongs to the same handshake. One handshake, one event: the first hello's.
        if (row.Field == Fields.Ja3 && row.IsHello && agreedHellos.Contains(row.Ends)) return "the second hello of a handshake (HelloRetryRequest)";
        // draft-ietf-tls-tls13-21 and before: their ServerHello (version 0x7F01 to 0x7F15) has no session ID, and nobody speaks them any more.
        if (row.Field == Fields.Ja3s && row.FullVersion is > 0x7F00 and <= 0x7F15) return "ServerHello of a TLS 1.3 draft";
        // A block of extensions that breaks off in its first: tshark takes it for none, we refuse the hello and count it.
        if (row.Field == Fields.Ja3s && row.Full.EndsWith(',') && seen.ExtensionFaults > 0) return "ServerHello with a broken block of extensions";
        return null;
    }

    static Seen Read(string path)
    {
        var seen = new Seen();
        using CaptureFile? capture = CaptureFile.Open(path, out string? error);
        Assert.True(capture is not null, error);
        var decoder = new FrameDecoder<Collect>(new DecoderOptions { MaximumFlows = 16_384 }, new Collect(seen.Values));
        var feed = new Feed(decoder);
        while (capture.Read(ref feed))
        {
        }
        decoder.Drain();
        Assert.True(decoder.Counters.Closes);
        Assert.Equal(0, decoder.BuffersInUse);
        seen.ExtensionFaults = decoder.Counters.Faults[(int)DecodeFault.TlsExtensionTruncated];
        return seen;
    }

    static IEnumerable<Row> Rows(JsonElement root)
    {
        if (root.TryGetProperty("rows", out JsonElement rows))
        {
            foreach (JsonElement row in rows.EnumerateArray())
            {
                string ends = Ends(
                    Last(row, "ipv6.src", "ip.src"), Last(row, "udp.srcport", "tcp.srcport"),
                    Last(row, "ipv6.dst", "ip.dst"), Last(row, "udp.dstport", "tcp.dstport"));
                foreach (string field in Fields.All)
                {
                    if (!row.TryGetProperty(field, out JsonElement values)) continue;
                    string full = row.TryGetProperty(field + "_full", out JsonElement text) ? text.GetString()! : "";
                    // tshark joins what stands several times in one packet.
                    foreach (string value in values.GetString()!.Split('|'))
                    {
                        string known = field == Fields.DnsName ? Name(value) : value;
                        yield return new Row(field, ends, known, full);
                    }
                }
            }
        }
        if (!root.TryGetProperty("ja3", out JsonElement hellos)) yield break;
        foreach (JsonElement hello in hellos.EnumerateArray())
        {
            string ends = Ends(
                hello.GetProperty("source_ip").GetString()!, hello.GetProperty("source_port").GetRawText(),
                hello.GetProperty("destination_ip").GetString()!, hello.GetProperty("destination_port").GetRawText());
            yield return new Row(Fields.Reference, ends, hello.GetProperty("ja3_digest").GetString()!, "");
        }
    }

    /// <summary>Of a packet in a tunnel tshark names the addresses and ports of every layer; the innermost are the last.</summary>
    static string Last(JsonElement row, string first, string second) =>
        row.TryGetProperty(first, out JsonElement value) || row.TryGetProperty(second, out value) ? value.GetString()!.Split('|')[^1] : "";

    static string Name(string tshark) => tshark == "<Root>" ? "." : tshark.ToUpperInvariant();

    /// <summary>The two ends in an order of their own: rows of answers have them the other way round.</summary>
    static string Ends(string source, string sourcePort, string destination, string destinationPort)
    {
        string a = $"{Canonical(source)}/{sourcePort}", b = $"{Canonical(destination)}/{destinationPort}";
        return string.CompareOrdinal(a, b) < 0 ? $"{a} {b}" : $"{b} {a}";
    }

    static string Canonical(string address) => System.Net.IPAddress.TryParse(address, out System.Net.IPAddress? parsed) ? parsed.ToString() : address;

    static class Fields
    {
        public const string DnsName = "dns.qry.name";
        public const string Sni = "tls.handshake.extensions_server_name";
        public const string Ja3 = "tls.handshake.ja3";
        public const string Ja3s = "tls.handshake.ja3s";
        public const string Reference = "ja3.py";
        public const string Tuple = "ends of the flow";
        public static readonly string[] All = [DnsName, Sni, Ja3, Ja3s];
    }

    sealed class Table
    {
        public int Rows;
        public int Agreed;
        public double Share => 100.0 * Agreed / Rows;
        public SortedDictionary<string, int> Explained { get; } = new(StringComparer.Ordinal);
    }

    readonly record struct Row(string Field, string Ends, string Value, string Full)
    {
        public string Key => $"{(Field == Fields.Reference ? Fields.Ja3 : Field)} {Ends} {Value}";
        public int FullVersion => int.TryParse(Full.Split(',')[0], CultureInfo.InvariantCulture, out int version) ? version : 0;
        public bool IsHello => Field is Fields.Ja3 or Fields.Reference;
    }

    sealed class Seen
    {
        public HashSet<string> Values { get; } = new(StringComparer.Ordinal);
        public long ExtensionFaults { get; set; }
    }

    readonly struct Feed(FrameDecoder<Collect> decoder) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame) => decoder.OnFrame(frame);
        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place) => decoder.OnAhead(bytes, linkType, place);
    }

    readonly struct Collect(HashSet<string> values) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) => values.Add($"{Fields.DnsName} {EndsOf(e.Context)} {Encoding.UTF8.GetString(e.Query).ToUpperInvariant()}");

        public void OnTls(scoped in TlsEvent e)
        {
            string ends = EndsOf(e.Context);
            values.Add($"{Fields.Sni} {ends} {Encoding.UTF8.GetString(e.Sni)}");
            values.Add($"{Fields.Ja3} {ends} {Encoding.UTF8.GetString(e.Ja3)}");
            values.Add($"{Fields.Ja3s} {ends} {Encoding.UTF8.GetString(e.Ja3s)}");
        }

        public void OnIp(scoped in IpEvent e) => values.Add($"{Fields.Tuple} {EndsOf(e.Context)} ");

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }

        static string EndsOf(scoped in EventContext c) => Ends(
            c.Source.ToString()!, c.SourcePort.ToString(CultureInfo.InvariantCulture), c.Destination.ToString()!, c.DestinationPort.ToString(CultureInfo.InvariantCulture));
    }
}
