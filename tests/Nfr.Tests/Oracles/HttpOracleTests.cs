using System.Text.Json;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>HTTP transactions of Suricata's and Zeek's own tests, against our http events.</summary>
public sealed class HttpOracleTests(ITestOutputHelper output)
{
    [Fact]
    public void Suricatas_http_rows_are_found()
    {
        if (!Corpus.TryFind("2-suricata-verify", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("suricata-http", output);
        foreach (OracleRow row in OracleRow.Of(folder, "event_type", "http"))
        {
            string? left = row.Hint();
            if (row.Match.EnumerateObject().Any(p => p.Name.Contains("http2", StringComparison.Ordinal)) || row.Text("http.version") == "2") left ??= "the inside of HTTP/2";
            if (left is not null)
            {
                tally.LeaveOut(row.Case, "http", left);
                continue;
            }
            bool loose = row.Match.EnumerateObject().Any(p => !s_compared.Contains(p.Name));
            DecodedCapture ours = DecodedCapture.Read(row.Capture);
            int found = ours.Of("http").Count(e => Is(row, e));
            if (row.Holds(found, loose)) tally.Agree(row.Case, "http");
            else tally.Differ(row.Case, "http", $"{found} found: {row.Expected.GetRawText()}", row.Unreached(ours) ?? ReasonOf(ours));
        }
        tally.Finish(70);
    }

    static readonly HashSet<string> s_compared = ["event_type", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "vlan[0]", "http.url", "http.hostname", "http.http_method", "http.status",
        "http.http_user_agent", "http.http_content_type"];

    static bool Is(OracleRow row, JsonElement e)
    {
        string url = Text(e, "url"), host = Text(e, "host");
        return Equal(row.Text("src_ip"), Text(e, "srcIP"), address: true) && Equal(row.Text("dest_ip"), Text(e, "destIP"), address: true)
            && Equal(row.Text("src_port"), Text(e, "srcPort")) && Equal(row.Text("dest_port"), Text(e, "destPort")) && Equal(row.Text("vlan[0]"), Text(e, "vlan"))
            && (row.Text("http.url") is not { } target || target == url || url == $"http://{host}{target}")
            // Suricata takes the port off.
            && (row.Text("http.hostname") is not { } name || string.Equals(name, host, StringComparison.OrdinalIgnoreCase) || host.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            && Equal(row.Text("http.http_method"), Text(e, "method")) && Equal(row.Text("http.status"), Text(e, "status")) && Equal(row.Text("http.http_user_agent"), Text(e, "userAgent"))
            // And parameters of the type.
            && (row.Text("http.http_content_type") is not { } type || Text(e, "contentType").Split(';')[0] == type);
    }

    [Fact]
    public void Zeeks_http_rows_are_found()
    {
        if (!Corpus.TryFind("3-zeek-btest", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("zeek-http", output);
        foreach (OracleRow row in OracleRow.Of(folder, "_path", "http"))
        {
            DecodedCapture ours = DecodedCapture.Read(row.Capture);
            JsonElement[] ofFlow = [.. ours.Of("http").Where(e => IsOfFlow(row, e))];
            if (ofFlow.Any(e => Differences(row, e).Length == 0)) tally.Agree(row.Case, "http");
            else
            {
                string best = ofFlow.Length == 0 ? "no event" : ofFlow.Select(e => Differences(row, e)).MinBy(d => d.Length)!;
                tally.Differ(row.Case, "http", $"{best}: {row.Match.GetRawText()}", row.Unreached(ours) ?? OracleRow.Open);
            }
        }
        tally.Finish(70);
    }

    /// <summary>Of a row of Suricata's.</summary>
    static string ReasonOf(DecodedCapture ours)
    {
        JsonElement[] flows = [.. ours.Of("ip").Where(e => Text(e, "app") == "http")];
        if (ours.Of("ip").Any(e => Text(e, "app") == "http2")) return "transactions of HTTP/2";
        if (!ours.Of("http").Any() && flows.Any(e => Text(e, "packetsOut") == "0" || Text(e, "notes").Contains("midstream", StringComparison.Ordinal)))
            return "a response whose request was not seen makes no event";
        return ours.Of("ip").Any(e => Text(e, "tcpFlags").Contains('R', StringComparison.Ordinal)) ? "open: a reset that the host may ignore is believed" : OracleRow.Open;
    }

    static bool IsOfFlow(OracleRow row, JsonElement e) =>
        Equal(row.Text("id.orig_h"), Text(e, "srcIP"), address: true) && Equal(row.Text("id.resp_h"), Text(e, "destIP"), address: true)
        && Equal(row.Text("id.orig_p"), Text(e, "srcPort")) && Equal(row.Text("id.resp_p"), Text(e, "destPort"));

    static string Differences(OracleRow row, JsonElement e)
    {
        var names = new List<string>();
        void Compare(string name, string ours)
        {
            if (row.Text(name) is { } text && text != ours) names.Add($"{name} {ours}");
        }
        string url = Text(e, "url"), host = Text(e, "host");
        // Zeek takes the percent signs off.
        if (row.Text("uri") is { } uri && Plain(url) != Plain(uri) && Plain(url) != Plain($"http://{host}{uri}")) names.Add($"uri {url}");
        if (row.Text("host") is { } name && name != host && !host.StartsWith(name + ":", StringComparison.Ordinal)) names.Add($"host {host}");
        Compare("method", Text(e, "method"));
        Compare("status_code", Text(e, "status"));
        Compare("user_agent", Text(e, "userAgent"));
        Compare("referrer", Text(e, "referrer"));
        Compare("request_body_len", Text(e, "bytesOut"));
        Compare("response_body_len", Text(e, "bytesIn"));
        return string.Join(", ", names);
    }

    static string Plain(string uri) => Uri.UnescapeDataString(uri);

    static string Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.ToString() : "";

    static bool Equal(string? wanted, string ours, bool address = false) =>
        wanted is null || wanted == ours || (address && Address.TryParse(wanted, out Address a) && Address.TryParse(ours, out Address b) && a == b);
}
