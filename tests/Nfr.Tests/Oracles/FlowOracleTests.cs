using System.Globalization;
using System.Text.Json;
using Nfr.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>Flows of Suricata's and connections of Zeek's own tests, against our ip events.</summary>
public sealed class FlowOracleTests(ITestOutputHelper output)
{
    /// <summary>Most that a frame has around its IP packet: Ethernet, two tags, and padding to 60 bytes.</summary>
    const int MostAround = 14 + 8 + 20;

    [Fact]
    public void Suricatas_flows_are_found()
    {
        if (!Corpus.TryFind("2-suricata-verify", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("suricata-flow", output);
        foreach (OracleRow row in OracleRow.Of(folder, "event_type", "flow"))
        {
            string category = row.HasTag("evasion") ? "evasion" : row.HasTag("tunnel") ? "tunnel" : "flow";
            if (row.Hint() is { } left)
            {
                tally.LeaveOut(row.Case, category, left);
                continue;
            }
            if (row.Text("spi") is not null)
            {
                tally.LeaveOut(row.Case, category, "flows of ESP by SPI");
                continue;
            }
            if (row.Expected.TryGetProperty("count", out JsonElement none) && none.GetInt32() == 0 && row.Document.GetProperty("custom_config").GetBoolean())
            {
                tally.LeaveOut(row.Case, category, "asks that a protocol is not named, which the case's own configuration has switched off");
                continue;
            }
            // Tags are part of Suricata's key; ours has them where the config says so.
            bool tagged = row.Match.TryGetProperty("vlan", out _);
            DecodedCapture ours = DecodedCapture.Read(row.Capture, separation: tagged ? FlowSeparation.Vlans : FlowSeparation.Networks);
            // Suricata keeps no flows of IGMP and GRE packets; a row that counts all of them counts the others.
            JsonElement[] flows = [.. ours.Of("ip").Where(e => row.Text("proto") is not null || Text(e, "proto") is not ("2" or "47"))];
            bool loose = row.Match.EnumerateObject().Any(p => p.Name is "flow.state" or "not-has-key" or "flow.age" or "ether.src_macs" or "spi" || p.Name.StartsWith("flow.exception", StringComparison.Ordinal));
            string[] differences = [.. flows.Select(e => Differences(row, e))];
            int found = differences.Count(d => d.Length == 0);
            if (row.Holds(found, loose)) tally.Agree(row.Case, category);
            else tally.Differ(row.Case, category, $"{found} found, nearest {differences.MinBy(d => d.Length)}: {row.Expected.GetRawText()}", ReasonOf(row, flows));
        }
        tally.Finish(95);
    }

    /// <summary>A rule of the protocol that the row's own flow bears out; null when nobody knows.</summary>
    static string? ReasonOf(OracleRow row, JsonElement[] flows)
    {
        // What a client says alone is a line of several protocols.
        if (row.Text("app_proto") is "ftp" or "smtp" && flows.Any(e => Differences(row, e) == "app " && e.GetProperty("bytesIn").GetInt64() <= 60 * e.GetProperty("packetsIn").GetInt64()))
            return "the server said nothing: named by its port alone";
        return null;
    }

    static string Differences(OracleRow row, JsonElement e)
    {
        // Either side may be the client to one who came in the middle; and DNS's port answers, though it be seen first (RFC 1035 4.2).
        bool either = Text(e, "notes").Contains("midstream", StringComparison.Ordinal) || (Text(e, "proto") == "udp" && Text(e, "destPort") == "53");
        string straight = Differences(row, e, swapped: false), swapped = either ? Differences(row, e, swapped: true) : straight;
        return straight.Length <= swapped.Length ? straight : swapped;
    }

    static string Differences(OracleRow row, JsonElement e, bool swapped)
    {
        var names = new List<string>();
        void Compare(string name, string ours)
        {
            if (row.Text(name) is { } text && !text.Equals(ours, StringComparison.OrdinalIgnoreCase)) names.Add($"{name} {ours}");
        }
        (string from, string to, string fromPort, string toPort, string sent, string received, string bytesSent, string bytesReceived) = swapped
            ? ("destIP", "srcIP", "destPort", "srcPort", "packetsIn", "packetsOut", "bytesIn", "bytesOut")
            : ("srcIP", "destIP", "srcPort", "destPort", "packetsOut", "packetsIn", "bytesOut", "bytesIn");
        if (!SameAddress(row.Text("src_ip"), Text(e, from))) names.Add("src_ip " + Text(e, from));
        if (!SameAddress(row.Text("dest_ip"), Text(e, to))) names.Add("dest_ip " + Text(e, to));
        Compare("src_port", Text(e, fromPort));
        Compare("dest_port", Text(e, toPort));
        string protocol = Text(e, "proto").ToUpperInvariant();
        if (row.Text("proto") is { } proto && !proto.Equals(protocol, StringComparison.OrdinalIgnoreCase)
            && (proto, protocol) is not (("IP-in-IP", "4") or ("IPv6-ICMP", "ICMP6") or ("IPv6", "41") or ("SCTP", "132") or ("IGMP", "2"))) names.Add("proto " + protocol);
        // "template" is a sample for those who write a parser for Suricata: nobody speaks it.
        if (row.Text("app_proto") is { } app and not "template" && app != SuricataName(Text(e, "app"))
            && !(app == "tls" && Text(e, "notes").Contains("startTls", StringComparison.Ordinal))) names.Add("app " + Text(e, "app"));
        Compare("vlan[0]", Text(e, "vlan"));
        // All tags from the outermost on; an event has that one.
        if (row.Match.TryGetProperty("vlan", out JsonElement tags) && tags[0].ToString() != Text(e, "vlan")) names.Add("vlan " + Text(e, "vlan"));
        Compare("flow.pkts_toserver", Text(e, sent));
        Compare("flow.pkts_toclient", Text(e, received));
        CompareBytes("flow.bytes_toserver", bytesSent, sent);
        CompareBytes("flow.bytes_toclient", bytesReceived, received);
        string flags = Text(e, "tcpFlags");
        if (row.Text("tcp.tcp_flags") is { } hex)
        {
            int ours = flags.Sum(f => 1 << "FSRPAUEC".IndexOf(f));
            if (int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture) != ours) names.Add($"tcp_flags {ours:x2}");
        }
        foreach ((string name, char letter) in new[] { ("tcp.syn", 'S'), ("tcp.fin", 'F'), ("tcp.rst", 'R'), ("tcp.psh", 'P'), ("tcp.ack", 'A') })
        {
            if (row.Text(name) is { } wanted && bool.Parse(wanted) != flags.Contains(letter)) names.Add(name);
        }
        // Last: it is looked for among all seeds.
        if (names.Count == 0 && row.Text("community_id") is { } id && id != Text(e, "communityId") && !IsWithSeed(e, id)) names.Add("community_id " + Text(e, "communityId"));
        return string.Join(", ", names);

        // Suricata counts frames, we count the packets in them.
        void CompareBytes(string name, string bytes, string packets)
        {
            if (row.Number(name) is not { } theirs) return;
            long around = theirs - e.GetProperty(bytes).GetInt64();
            if (around < 0 || around > MostAround * e.GetProperty(packets).GetInt64()) names.Add($"{name} {Text(e, bytes)}");
        }
    }

    /// <summary>The case's configuration has a seed of its own; with that our function gives the same.</summary>
    static bool IsWithSeed(JsonElement e, string id)
    {
        if (!Address.TryParse(Text(e, "srcIP"), out Address source) || !Address.TryParse(Text(e, "destIP"), out Address destination) || Text(e, "proto") is not ("tcp" or "udp")) return false;
        Span<byte> text = stackalloc byte[CommunityId.Length];
        Span<byte> wanted = stackalloc byte[CommunityId.Length];
        if (!System.Text.Encoding.ASCII.TryGetBytes(id, wanted, out _)) return false;
        byte protocol = Text(e, "proto") == "tcp" ? (byte)6 : (byte)17;
        for (int seed = 1; seed <= ushort.MaxValue; seed++)
        {
            CommunityId.Write(source, destination, e.GetProperty("srcPort").GetUInt16(), e.GetProperty("destPort").GetUInt16(), protocol, (ushort)seed, text);
            if (text.SequenceEqual(wanted)) return true;
        }
        return false;
    }

    static string SuricataName(string app) => app switch
    {
        "postgresql" => "pgsql",
        "vnc" => "rfb",
        "kerberos" => "krb5",
        "doh" => "doh2",
        _ => app,
    };

    [Fact]
    public void Zeeks_connections_are_found()
    {
        if (!Corpus.TryFind("3-zeek-btest", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("zeek-conn", output);
        ILookup<string, OracleRow> rows = OracleRow.Of(folder, "_path", "conn").ToLookup(r => r.Case, StringComparer.Ordinal);
        foreach (OracleRow row in rows.SelectMany(r => r))
        {
            string prefix = row.Text("id.orig_h") is not null ? "id." : "id_";
            if (row.Text(prefix + "orig_h") is null)
            {
                tally.LeaveOut(row.Case, "connection", "columns renamed by the case's own script");
                continue;
            }
            DecodedCapture ours = DecodedCapture.Read(row.Capture);
            JsonElement[] flows = [.. ours.Of("ip").Where(e => IsTuple(row, e, prefix))];
            if (flows.Length == 0 && !ours.Of("ip").Any(e => HasEnd(e, row.Text(prefix + "orig_h")!) || HasEnd(e, row.Text(prefix + "resp_h")!)) && ours.Counters.Faults.Sum() == 0)
            {
                tally.LeaveOut(row.Case, "connection", "the test reads several captures, the row is of another one");
                continue;
            }
            if (flows.Length == 0)
            {
                bool swapped = ours.Of("ip").Any(e => SameAddress(row.Text(prefix + "orig_h"), Text(e, "destIP")) && row.Text(prefix + "orig_p") == Text(e, "destPort"));
                tally.Differ(row.Case, "connection", $"{(swapped ? "swapped" : "none")}: {row.Match.GetRawText()}",
                    swapped ? ZeekConnRules.WhySwapped(row, prefix) : ZeekConnRules.WhyNone(row, ours));
                continue;
            }
            tally.Agree(row.Case, "connection");
            foreach ((string category, Func<JsonElement, string> compare) in new (string, Func<JsonElement, string>)[]
            {
                ("state", e => Compare(row, e, ("conn_state", "state"))),
                ("packets and bytes", e => Compare(row, e, ("orig_pkts", "packetsOut"), ("resp_pkts", "packetsIn"), ("orig_ip_bytes", "bytesOut"), ("resp_ip_bytes", "bytesIn"))),
                ("missed bytes", e => row.Number("missed_bytes") is { } missed && missed != Number(e, "missedIn") + Number(e, "missedOut") ? $"missed {Number(e, "missedIn")} {Number(e, "missedOut")}" : ""),
                ("service", e => row.Text("service") is { } service && !service.Split(',').Contains(ZeekName(Text(e, "app"), Text(e, "proto"))) ? "service " + Text(e, "app") : ""),
            })
            {
                if (category == "service" && row.Text("service") is null) continue;
                string[] differences = [.. flows.Select(compare)];
                if (differences.Contains("")) tally.Agree(row.Case, category);
                else tally.Differ(row.Case, category, $"{differences[0]}: {row.Match.GetRawText()}",
                    ZeekConnRules.Why(category, row, [.. rows[row.Case].Where(r => IsSameTuple(row, r, prefix))], flows[0]));
            }
        }
        tally.Finish(95);
    }

    static bool IsTuple(OracleRow row, JsonElement e, string prefix) =>
        SameAddress(row.Text(prefix + "orig_h"), Text(e, "srcIP")) && SameAddress(row.Text(prefix + "resp_h"), Text(e, "destIP"))
        && row.Text(prefix + "orig_p") == Text(e, "srcPort") && row.Text(prefix + "resp_p") == Text(e, "destPort");

    static bool HasEnd(JsonElement e, string address) => SameAddress(address, Text(e, "srcIP")) || SameAddress(address, Text(e, "destIP"));

    static bool IsSameTuple(OracleRow row, OracleRow other, string prefix) =>
        new[] { "orig_h", "resp_h", "orig_p", "resp_p" }.All(f => row.Text(prefix + f) == other.Text(prefix + f));

    static string Compare(OracleRow row, JsonElement e, params (string Theirs, string Ours)[] fields) =>
        string.Join(", ", fields.Where(f => row.Text(f.Theirs) is { } wanted && wanted != Text(e, f.Ours)).Select(f => $"{f.Theirs} {Text(e, f.Ours)}"));

    static string ZeekName(string app, string protocol) => app switch
    {
        "rdp" when protocol == "udp" => "rdpeudp",
        "tls" => "ssl",
        "gtp" => "gtpv1",
        "kerberos" => "krb_tcp",
        "ldap" => "ldap_tcp",
        "mdns" or "llmnr" or "nbns" => "dns",
        "dcerpc" => "dce_rpc",
        _ => app,
    };

    static long Number(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;

    static string Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.ToString() : "";

    static bool SameAddress(string? wanted, string ours) =>
        wanted is null || wanted == ours || (Address.TryParse(wanted, out Address a) && Address.TryParse(ours, out Address b) && a == b);
}
