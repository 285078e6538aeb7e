using System.Globalization;
using System.Net;
using System.Text.Json;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>
/// Flows of ipfixprobe's own tests: ends, packets and bytes of IP each way, and the protocol of a plug-in that is sure of it. Flows between the same ends are compared as
/// one, since where an idle one is cut is a setting. (Its TLS plug-in is in <see cref="FingerprintOracleTests"/>.)
/// </summary>
public sealed class IpfixprobeOracleTests(ITestOutputHelper output)
{
    [Fact]
    public void Flows_are_as_ipfixprobe_expects()
    {
        if (!Corpus.TryFind("1b-arkime-ipfixprobe/ipfixprobe", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("ipfixprobe-flows", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.csv").Order(StringComparer.Ordinal))
        {
            string[] lines = File.ReadAllLines(file);
            // Its lines are sorted, so the one with the names stands anywhere.
            string[]? header = lines.FirstOrDefault(l => l.StartsWith("ipaddr DST_IP", StringComparison.Ordinal))?.Split(',');
            if (header is null) continue;
            string name = Path.GetFileNameWithoutExtension(file), capture = Path.Combine(folder, "pcaps", string.Join('.', name.Split('.')[..2]));
            ILookup<string, JsonElement> ours = DecodedCapture.Read(capture).Of("ip").ToLookup(KeyOfOurs, StringComparer.Ordinal);
            string[] names = [.. header.Select(h => h.Split(' ')[^1])];
            Dictionary<string, string>[] rows = [.. lines.Where(l => !l.StartsWith("ipaddr", StringComparison.Ordinal)).Select(l => l.Split(',')).Select(v => names.Zip(v).ToDictionary(p => p.First, p => p.Second, StringComparer.Ordinal))];
            string plugin = name.Split('.')[^1];
            foreach (IGrouping<string, Dictionary<string, string>> flow in rows.GroupBy(r => Key(r["PROTOCOL"], r["SRC_IP"], r["SRC_PORT"], r["DST_IP"], r["DST_PORT"]))) Compare(tally, name, plugin, [.. flow], [.. ours[flow.Key]]);
        }
        tally.Finish(97);
    }

    static void Compare(Tally tally, string name, string plugin, Dictionary<string, string>[] rows, JsonElement[] flows)
    {
        Dictionary<string, string> row = rows[0];
        string ends = $"{row["PROTOCOL"]} {row["SRC_IP"]}:{row["SRC_PORT"]} {row["DST_IP"]}:{row["DST_PORT"]}";
        if (flows.Length == 0)
        {
            tally.Differ(name, "session", ends, null);
            return;
        }
        tally.Agree(name, "session");
        (long theirs, long rev) = Sum("PACKETS");
        long missing = flows.Sum(f => f.GetProperty("packetsOut").GetInt64() + f.GetProperty("packetsIn").GetInt64()) - theirs - rev;
        Hold("packets", $"{theirs}+{rev}", Ours("packetsOut", "packetsIn"));
        (theirs, rev) = Sum("BYTES");
        Hold("bytes", $"{theirs}+{rev}", Ours("bytesOut", "bytesIn"));
        string? app = plugin switch
        {
            "ovpn" when row["OVPN_CONF_LEVEL"] == "100" => "openvpn",
            // Other levels say "by its look".
            "wg" when row["WG_CONF_LEVEL"] == "100" => "wireguard",
            "mqtt" => "mqtt",
            "dnssd" => "mdns",
            _ => null,
        };
        if (app is not null) Hold("app", app, flows.Any(f => Text(f, "app") == app) ? app : string.Join(' ', flows.Select(f => Text(f, "app"))));

        void Hold(string category, string expected, string ours)
        {
            if (expected == ours) tally.Agree(name, category);
            else tally.Differ(name, category, $"{expected}, ours {ours}; {ends}", plugin == "nettisa" && missing == 1 ? "statistics over time: the plug-in leaves out a flow of one packet" : null);
        }

        (long Out, long In) Sum(string key)
        {
            (long sent, long received) = (0, 0);
            foreach (Dictionary<string, string> r in rows)
            {
                bool same = IsSource(r["SRC_IP"], r["SRC_PORT"]);
                sent += long.Parse(r[same ? key : key + "_REV"], CultureInfo.InvariantCulture);
                received += long.Parse(r[same ? key + "_REV" : key], CultureInfo.InvariantCulture);
            }
            return (sent, received);
        }

        string Ours(string one, string other)
        {
            (long sent, long received) = (0, 0);
            foreach (JsonElement f in flows)
            {
                bool same = IsSource(Text(f, "srcIP"), Text(f, "srcPort"));
                sent += f.GetProperty(same ? one : other).GetInt64();
                received += f.GetProperty(same ? other : one).GetInt64();
            }
            return string.Create(CultureInfo.InvariantCulture, $"{sent}+{received}");
        }

        bool IsSource(string address, string port) => Address(address) == Address(row["SRC_IP"]) && (row["PROTOCOL"] is not ("6" or "17") || port == row["SRC_PORT"]);
    }

    static string KeyOfOurs(JsonElement e) => Key(Text(e, "proto") switch { "tcp" => "6", "udp" => "17", "icmp" => "1", "icmp6" => "58", var other => other }, Text(e, "srcIP"), Text(e, "srcPort"), Text(e, "destIP"), Text(e, "destPort"));

    /// <summary>Either way round; ports count where there are some.</summary>
    static string Key(string protocol, string a, string aPort, string b, string bPort)
    {
        bool ports = protocol is "6" or "17";
        string x = Address(a) + (ports ? "|" + aPort : ""), y = Address(b) + (ports ? "|" + bPort : "");
        return string.CompareOrdinal(x, y) <= 0 ? $"{protocol} {x} {y}" : $"{protocol} {y} {x}";
    }

    static string Address(string text) => IPAddress.TryParse(text, out IPAddress? ip) ? ip.ToString() : text;

    static string Text(JsonElement e, string key) => e.TryGetProperty(key, out JsonElement value) ? value.ToString() : "";
}
