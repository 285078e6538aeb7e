using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>
/// What others saw in tunnels: Zeek's tunnel log (kind and the two ends), its connections whose service is a tunnel, and Suricata's flows and requests
/// in captures tagged as tunnels.
/// </summary>
public sealed class TunnelOracleTests(ITestOutputHelper output)
{
    const string NoPacketTunnel = "SOCKS carries streams, not packets; the flow's app says it";

    [Fact]
    public void Tunnels_are_those_that_others_saw()
    {
        if (!Corpus.TryFind("3-zeek-btest", out string zeek) || !Corpus.TryFind("2-suricata-verify", out string suricata))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("tunnels", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(zeek, "expect"), "*.json").Order(StringComparer.Ordinal)) Zeek(tally, zeek, file);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(suricata, "expect"), "*.json").Order(StringComparer.Ordinal)) Suricata(tally, suricata, file);
        tally.Finish(95);
    }

    static void Zeek(Tally tally, string folder, string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        JsonElement root = document.RootElement;
        string name = Path.GetFileNameWithoutExtension(file);
        foreach (JsonElement row in root.GetProperty("expect").EnumerateArray())
        {
            JsonElement match = row.GetProperty("match");
            string path = Text(match, "_path");
            string service = Text(match, "service");
            bool isTunnel = path == "tunnel";
            if (!isTunnel && !(path == "conn" && TunnelApp(service) is not null)) continue;
            DecodedCapture capture = DecodedCapture.Read(Path.Combine(folder, root.GetProperty("pcap").GetString()!));
            if (isTunnel && Text(match, "tunnel_type") == "Tunnel::SOCKS")
            {
                tally.LeaveOut(name, "zeek tunnels", NoPacketTunnel);
                continue;
            }
            string[] apps = isTunnel ? Apps(match) : [TunnelApp(service)!];
            bool around = capture.Of("ip").Any(e => HasEnds(e, match) && apps.Contains(Text(e, "app")));
            string category = isTunnel ? "zeek tunnels" : "zeek services";
            if (around && (!isTunnel || HasTunnel(capture, match))) tally.Agree(name, category);
            else tally.Differ(name, category, match.GetRawText(), null);
        }
    }

    /// <summary>The flow around goes the way that the row says, and is named by the tunnel.</summary>
    static string[] Apps(JsonElement match) => Text(match, "tunnel_type") switch
    {
        "Tunnel::GTPv1" => ["gtp"],
        string type => [type["Tunnel::".Length..].ToLowerInvariant()],
    };

    static string? TunnelApp(string service) => service switch
    {
        "geneve" or "vxlan" or "teredo" => service,
        "gtpv1" => "gtp",
        _ => null,
    };

    /// <summary>
    /// An event of something within whose tunnel is of that kind between those two: from the one that sent the first packet of what lies within, which either may.
    /// Zeek's GRE includes what lies in it.
    /// </summary>
    static bool HasTunnel(DecodedCapture capture, JsonElement match)
    {
        string[] kinds = Text(match, "tunnel_type") switch
        {
            "Tunnel::GRE" => ["gre", "erspan", "pptp"],
            "Tunnel::GTPv1" => ["gtp"],
            string type => [type["Tunnel::".Length..].ToLowerInvariant()],
        };
        (string one, string other) = (Text(match, "id.orig_h"), Text(match, "id.resp_h"));
        return capture.Events.Any(e => e.TryGetProperty("tunnel", out JsonElement t) && kinds.Contains(Text(t, "type"))
            && ((Text(t, "src") == one && Text(t, "dest") == other) || (Text(t, "src") == other && Text(t, "dest") == one)));
    }

    /// <summary>From the one to the other; a row without ports (GRE) names the addresses only.</summary>
    static bool HasEnds(JsonElement e, JsonElement match)
    {
        bool portless = Number(match, "id.orig_p") == "0" && Number(match, "id.resp_p") == "0";
        return Text(e, "srcIP") == Text(match, "id.orig_h") && Text(e, "destIP") == Text(match, "id.resp_h")
            && (portless || (Number(e, "srcPort") == Number(match, "id.orig_p") && Number(e, "destPort") == Number(match, "id.resp_p")));
    }

    static void Suricata(Tally tally, string folder, string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        JsonElement root = document.RootElement;
        if (!root.GetProperty("tags").EnumerateArray().Any(t => t.GetString() == "tunnel") || !root.GetProperty("exact").GetBoolean()) return;
        string name = Path.GetFileNameWithoutExtension(file);
        DecodedCapture capture = DecodedCapture.Read(Path.Combine(folder, root.GetProperty("pcap").GetString()!));
        foreach (JsonElement row in root.GetProperty("expect").EnumerateArray())
        {
            JsonElement match = row.GetProperty("match");
            string type = Text(match, "event_type");
            string category = "suricata " + type;
            bool exactly = row.TryGetProperty("count", out JsonElement wanted);
            int count = exactly ? wanted.GetInt32() : row.GetProperty("min_count").GetInt32(), ours = 0;
            switch (type)
            {
                case "flow":
                    // With all other flows of Suricata's tests, in FlowOracleTests.
                    continue;
                case "http":
                    ours = capture.Of("http").Count(e => Uri.TryCreate(Text(e, "url"), UriKind.Absolute, out Uri? url) && url.Host == Text(match, "http.hostname") && Number(e, "status") == Number(match, "http.status"));
                    break;
                case "ssh":
                    ours = capture.Of("ip").Count(e => Text(e, "app") == "ssh" && IsSoftware(e, "clientSoftware", match, "ssh.client.software_version") && IsSoftware(e, "serverSoftware", match, "ssh.server.software_version"));
                    break;
                default:
                    tally.LeaveOut(name, category, "we make no such event");
                    continue;
            }
            if (exactly ? ours == count : ours >= count) tally.Agree(name, category);
            else tally.Differ(name, category, $"{ours} of {row.GetRawText()}", null);
        }
    }

    static bool IsSoftware(JsonElement e, string ours, JsonElement match, string theirs) => !match.TryGetProperty(theirs, out JsonElement value) || Text(e, ours).Split(' ')[0] == value.GetString();

    static string Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    static string Number(JsonElement e, string name) =>
        e.TryGetProperty(name, out JsonElement value) ? value.ValueKind == JsonValueKind.Number ? value.GetInt64().ToString(CultureInfo.InvariantCulture) : value.ToString() : "";
}
