using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>HTTP transactions of Suricata's and Zeek's own tests, against our http events.</summary>
public sealed class HttpOracleTests(ITestOutputHelper output)
{
    const string NoUrl = "a response whose request was not seen: without a URL there is no event";

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
            DecodedCapture ours = DecodedCapture.Read(row.Capture);
            left ??= NotMade(row, ours);
            if (left is not null)
            {
                tally.LeaveOut(row.Case, "http", left);
                continue;
            }
            bool loose = Names(row).Any(n => !s_compared.Contains(n));
            JsonElement[] found = [.. ours.Of("http").Where(e => Is(row, e))];
            if (row.Holds(found.Length, loose)) tally.Agree(row.Case, "http");
            else tally.Differ(row.Case, "http", $"{found.Length} found: {row.Expected.GetRawText()}", row.Unreached(ours) ?? Reason(row, found));
        }
        tally.Finish(95);
    }

    static readonly HashSet<string> s_compared = ["event_type", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "vlan[0]", "http.url", "http.hostname", "http.http_method", "http.status",
        "http.http_user_agent", "http.http_content_type", "http.http_refer", "http.length"];

    /// <summary>Fields of a row by their whole names; some stand in an object of their own.</summary>
    static IEnumerable<string> Names(OracleRow row) =>
        row.Match.EnumerateObject().SelectMany(p => p.Value.ValueKind == JsonValueKind.Object ? p.Value.EnumerateObject().Select(q => $"{p.Name}.{q.Name}") : [p.Name]);

    static string? Field(OracleRow row, string name) =>
        row.Text(name) ?? (row.Match.TryGetProperty("http", out JsonElement http) && http.TryGetProperty(name["http.".Length..], out JsonElement value) ? value.ToString() : null);

    static bool Is(OracleRow row, JsonElement e)
    {
        string url = Text(e, "url"), host = Text(e, "host");
        return Equal(row.Text("src_ip"), Text(e, "srcIP"), address: true) && Equal(row.Text("dest_ip"), Text(e, "destIP"), address: true)
            && Equal(row.Text("src_port"), Text(e, "srcPort")) && Equal(row.Text("dest_port"), Text(e, "destPort")) && Equal(row.Text("vlan[0]"), Text(e, "vlan"))
            && (Field(row, "http.url") is not { } target || target == url || url == $"http://{host}{target}")
            && (Field(row, "http.hostname") is not { } name || IsHost(name, host))
            && Equal(Field(row, "http.http_method"), Text(e, "method")) && Equal(Field(row, "http.status"), Text(e, "status")) && Equal(Field(row, "http.http_user_agent"), Text(e, "userAgent"))
            && Equal(Field(row, "http.http_refer"), Text(e, "referrer")) && Equal(Field(row, "http.length"), Text(e, "bytesIn"))
            // The tool takes parameters of the type off.
            && (Field(row, "http.http_content_type") is not { } type || Text(e, "contentType").Split(';')[0] == type);
    }

    /// <summary>What a row of Suricata's asks for that our events by design do not carry; null when nothing.</summary>
    static string? NotMade(OracleRow row, DecodedCapture ours)
    {
        JsonElement[] events = [.. ours.Of("http")], flows = [.. ours.Of("ip")];
        if (events.Length == 0)
        {
            if (flows.Any(f => Text(f, "app") == "http2")) return "the inside of HTTP/2";
            if (flows.Any(f => Text(f, "app") == "http" && IsSilent(f))) return NoUrl;
        }
        // None wanted, whatever the capture holds: what is tested is a rule that keeps transactions out of the log.
        return IsNoneWanted(row) && events.Any(e => Text(e, "status") != "0") ? "which transactions the tool's own rules let into its log" : null;
    }

    static bool IsNoneWanted(OracleRow row) => Names(row).SequenceEqual(["event_type"]) && row.Expected.TryGetProperty("count", out JsonElement count) && count.GetInt32() == 0;

    /// <summary>The client's packets have room for headers of IPv4 and TCP and nothing else.</summary>
    static bool IsSilent(JsonElement flow) => flow.GetProperty("bytesOut").GetInt64() <= 60 * flow.GetProperty("packetsOut").GetInt64();

    static string Reason(OracleRow row, JsonElement[] found) =>
        IsNoneWanted(row) && found.All(e => !s_registered.Contains(Text(e, "method"))) ? "a method outside the registry is one too: any token may be (RFC 9110 9.1)" : OracleRow.Open;

    static readonly HashSet<string> s_registered = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

    [Fact]
    public void Zeeks_http_rows_are_found()
    {
        if (!Corpus.TryFind("3-zeek-btest", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("zeek-http", output);
        // An event stands for one row of a case.
        var taken = new HashSet<(string, int)>();
        foreach (OracleRow row in OracleRow.Of(folder, "_path", "http"))
        {
            string? left = row.Document.GetProperty("custom_handlers").EnumerateArray().Any(h => h.GetString() == "HTTP::log_policy")
                ? "a hint only: a policy of the test's own changes rows before they are written"
                : row.Text("method") is null && row.Text("uri") is null ? NoUrl : null;
            if (left is not null)
            {
                tally.LeaveOut(row.Case, "http", left);
                continue;
            }
            DecodedCapture ours = DecodedCapture.Read(row.Capture);
            (JsonElement e, int Index)[] ofFlow = [.. ours.Of("http").Select((e, i) => (e, i)).Where(x => IsOfFlow(row, x.e) && !taken.Contains((row.Case, x.i)))];
            (JsonElement Event, int Index, List<string> Differs) best = ofFlow.Select(x => (x.e, x.Index, Differences(row, x.e))).OrderBy(x => x.Item3.Count).FirstOrDefault();
            if (best.Differs is { Count: 0 })
            {
                taken.Add((row.Case, best.Index));
                tally.Agree(row.Case, "http");
            }
            else
            {
                string what = best.Differs is null ? "no event" : string.Join(", ", best.Differs);
                tally.Differ(row.Case, "http", $"{what}: {row.Match.GetRawText()}", row.Unreached(ours) ?? (best.Differs is null ? OracleRow.Open : Reason(row, best.Event, best.Differs)));
            }
        }
        tally.Finish(95);
    }

    static bool IsOfFlow(OracleRow row, JsonElement e) =>
        Equal(row.Text("id.orig_h"), Text(e, "srcIP"), address: true) && Equal(row.Text("id.resp_h"), Text(e, "destIP"), address: true)
        && Equal(row.Text("id.orig_p"), Text(e, "srcPort")) && Equal(row.Text("id.resp_p"), Text(e, "destPort"));

    static List<string> Differences(OracleRow row, JsonElement e)
    {
        var names = new List<string>();
        // A field that the row does not have was not there, so ours must be empty.
        void Compare(string name, string ours, string absent = "")
        {
            if ((row.Text(name) ?? absent) != ours) names.Add($"{name} {ours}");
        }
        string url = Text(e, "url"), host = Text(e, "host");
        // Zeek takes the percent signs off, and writes bytes that are no text as \xNN.
        byte[] uri = Unescape(row.Text("uri")!, "\\x"), path = Unescape(url, "%");
        if (!path.AsSpan().SequenceEqual(uri) && !path.AsSpan().SequenceEqual([.. Encoding.UTF8.GetBytes($"http://{host}"), .. uri])) names.Add($"uri {url}");
        if (row.Text("host") is { } name && !IsHost(name, host)) names.Add($"host {host}");
        Compare("method", Text(e, "method"));
        Compare("status_code", Text(e, "status"), "0");
        Compare("user_agent", Text(e, "userAgent"));
        Compare("referrer", Text(e, "referrer"));
        Compare("request_body_len", Text(e, "bytesOut"));
        // Zeek counts what a body is when it is unpacked, we what crossed.
        if (row.Number("response_body_len") is not { } length || length <= long.Parse(Text(e, "bytesIn")) || !Holds(row.Capture, "Content-Encoding: "))
            Compare("response_body_len", Text(e, "bytesIn"));
        return names;
    }

    static string Reason(OracleRow row, JsonElement e, List<string> differs) =>
        differs is [{ } only] && only.StartsWith("request_body_len", StringComparison.Ordinal) && row.Text("orig_filenames") is not null
            && row.Number("request_body_len") == long.Parse(Text(e, "bytesOut")) + 2 && Holds(row.Capture, $"Content-Length: {Text(e, "bytesOut")}\r\n")
            ? "a line end is counted behind a multipart body that has none; Content-Length says our number"
            : OracleRow.Open;

    static readonly ConcurrentDictionary<string, byte[]> s_files = new(StringComparer.Ordinal);

    /// <summary>The capture shows this text, within one packet.</summary>
    static bool Holds(string capture, string text) => s_files.GetOrAdd(capture, File.ReadAllBytes).AsSpan().IndexOf(Encoding.ASCII.GetBytes(text)) >= 0;

    /// <summary>Bytes of a text in which some stand as a mark and two hex digits; a doubled backslash is one, where that is the mark's.</summary>
    static byte[] Unescape(string text, string mark)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < text.Length;)
        {
            if (mark[0] == '\\' && text.AsSpan(i).StartsWith("\\\\"))
            {
                bytes.Add((byte)'\\');
                i += 2;
            }
            else if (text.AsSpan(i).StartsWith(mark) && i + mark.Length + 2 <= text.Length && byte.TryParse(text.AsSpan(i + mark.Length, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out byte b))
            {
                bytes.Add(b);
                i += mark.Length + 2;
            }
            else
            {
                int length = char.IsSurrogate(text[i]) ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)));
                i += length;
            }
        }
        return [.. bytes];
    }

    /// <summary>Both tools take the port off.</summary>
    static bool IsHost(string name, string host) =>
        string.Equals(name, host, StringComparison.OrdinalIgnoreCase)
        || (host.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase) && host[(name.Length + 1)..].All(char.IsAsciiDigit));

    static string Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.ToString() : "";

    static bool Equal(string? wanted, string ours, bool address = false) =>
        wanted is null || wanted == ours || (address && Address.TryParse(wanted, out Address a) && Address.TryParse(ours, out Address b) && a == b);
}
