using System.Globalization;
using System.Text.Json;
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
            DecodedCapture ours = DecodedCapture.Read(row.Capture);
            JsonElement[] flows = [.. ours.Of("ip")];
            bool loose = row.Match.EnumerateObject().Any(p => p.Name is "flow.state" or "not-has-key" or "flow.age" or "ether.src_macs" or "spi" || p.Name.StartsWith("flow.exception", StringComparison.Ordinal));
            string[] differences = [.. flows.Select(e => Differences(row, e))];
            int found = differences.Count(d => d.Length == 0);
            if (row.Holds(found, loose)) tally.Agree(row.Case, category);
            else tally.Differ(row.Case, category, $"{found} found, nearest {differences.MinBy(d => d.Length)}: {row.Expected.GetRawText()}", row.Unreached(ours) ?? ReasonOf(differences.MinBy(d => d.Length) ?? ""));
        }
        tally.Finish(70);
    }

    /// <summary>By the only field that differs in the nearest flow.</summary>
    static string ReasonOf(string difference)
    {
        if (difference == "app ") return "application not recognised";
        if (difference.StartsWith("app ", StringComparison.Ordinal) && !difference.Contains(',', StringComparison.Ordinal)) return "another name for the application";
        if (difference.StartsWith("community_id", StringComparison.Ordinal)) return "a Community ID with a seed";
        return difference.Contains("proto 132", StringComparison.Ordinal) ? "ports of SCTP are not read" : OracleRow.Open;
    }

    static string Differences(OracleRow row, JsonElement e)
    {
        // Either side may be the client to one who came in the middle.
        string straight = Differences(row, e, swapped: false), swapped = Differences(row, e, swapped: true);
        return straight.Length <= swapped.Length || !Text(e, "notes").Contains("midstream", StringComparison.Ordinal) ? straight : swapped;
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
            && (proto, protocol) is not (("IP-in-IP", "IPIP") or ("IP-in-IP", "IPV4") or ("IPv6-ICMP", "ICMPV6") or ("IPv6", "IPV6"))) names.Add("proto " + protocol);
        if (row.Text("app_proto") is { } app && app != SuricataName(Text(e, "app"))) names.Add("app " + Text(e, "app"));
        Compare("community_id", Text(e, "communityId"));
        Compare("vlan[0]", Text(e, "vlan"));
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
        return string.Join(", ", names);

        // Suricata counts frames, we count the packets in them.
        void CompareBytes(string name, string bytes, string packets)
        {
            if (row.Number(name) is not { } theirs) return;
            long around = theirs - e.GetProperty(bytes).GetInt64();
            if (around < 0 || around > MostAround * e.GetProperty(packets).GetInt64()) names.Add($"{name} {Text(e, bytes)}");
        }
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
        foreach (OracleRow row in OracleRow.Of(folder, "_path", "conn"))
        {
            string prefix = row.Text("id.orig_h") is not null ? "id." : "id_";
            if (row.Text(prefix + "orig_h") is null)
            {
                tally.LeaveOut(row.Case, "connection", "columns renamed by the case's own script");
                continue;
            }
            DecodedCapture ours = DecodedCapture.Read(row.Capture);
            JsonElement[] flows = [.. ours.Of("ip").Where(e => IsTuple(row, e, prefix))];
            if (flows.Length == 0)
            {
                bool swapped = ours.Of("ip").Any(e => SameAddress(row.Text(prefix + "orig_h"), Text(e, "destIP")) && row.Text(prefix + "orig_p") == Text(e, "destPort"));
                tally.Differ(row.Case, "connection", $"{(swapped ? "swapped" : "none")}: {row.Match.GetRawText()}",
                    swapped ? "the other side is taken for the client: no start was seen, and a service port or a reply tells" : row.Unreached(ours) ?? OracleRow.Open);
                continue;
            }
            tally.Agree(row.Case, "connection");
            foreach ((string category, Func<JsonElement, string> compare) in new (string, Func<JsonElement, string>)[]
            {
                ("state", e => Compare(row, e, ("conn_state", "state"))),
                ("packets and bytes", e => Compare(row, e, ("orig_pkts", "packetsOut"), ("resp_pkts", "packetsIn"), ("orig_ip_bytes", "bytesOut"), ("resp_ip_bytes", "bytesIn"))),
                ("missed bytes", e => row.Number("missed_bytes") is { } missed && missed != Number(e, "missedIn") + Number(e, "missedOut") ? $"missed {Number(e, "missedIn")} {Number(e, "missedOut")}" : ""),
                ("service", e => row.Text("service") is { } service && !service.Split(',').Contains(ZeekName(Text(e, "app"))) ? "service " + Text(e, "app") : ""),
            })
            {
                if (category == "service" && row.Text("service") is null) continue;
                string[] differences = [.. flows.Select(compare)];
                if (differences.Contains("")) tally.Agree(row.Case, category);
                else tally.Differ(row.Case, category, $"{differences[0]}: {row.Match.GetRawText()}",
                    row.Unreached(ours) ?? (differences[0] == "service " ? "application not recognised" : OracleRow.Open));
            }
        }
        tally.Finish(70);
    }

    static bool IsTuple(OracleRow row, JsonElement e, string prefix) =>
        SameAddress(row.Text(prefix + "orig_h"), Text(e, "srcIP")) && SameAddress(row.Text(prefix + "resp_h"), Text(e, "destIP"))
        && row.Text(prefix + "orig_p") == Text(e, "srcPort") && row.Text(prefix + "resp_p") == Text(e, "destPort");

    static string Compare(OracleRow row, JsonElement e, params (string Theirs, string Ours)[] fields) =>
        string.Join(", ", fields.Where(f => row.Text(f.Theirs) is { } wanted && wanted != Text(e, f.Ours)).Select(f => $"{f.Theirs} {Text(e, f.Ours)}"));

    static string ZeekName(string app) => app switch
    {
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
