using System.Globalization;
using System.Text.Json.Nodes;

namespace Nfr.Tests.Logs;

/// <summary>
/// The original's mistakes with Zeek's logs, made anew on our upload lines: each is a rule about a kind of line, told in its A10.15 or in the golden bodies' README.
/// </summary>
static class Mistakes
{
    /// <summary>What the original would have posted where we post this.</summary>
    /// <param name="lines">The log.</param>
    /// <param name="ours">Our upload lines with the numbers of their lines.</param>
    public static IEnumerable<string> Made(string[] lines, IReadOnlyList<(int Line, string Upload)> ours)
    {
        if (BadLineEndsTheFile(lines)) yield break;
        string[] names = [];
        int next = 0;
        var recent = new Queue<string>();
        for (int i = 0; i < lines.Length; i++)
        {
            string[] values = lines[i].Split('\t');
            if (values[0] == "#fields") names = values[1..];
            if (next == ours.Count || ours[next].Line != i) continue;
            var columns = names.Zip(values).ToDictionary(p => p.First, p => p.Second);
            JsonObject e = JsonNode.Parse(ours[next++].Upload)!.AsObject();
            FractionAsNanoseconds(e, columns["ts"]);
            if (e.ContainsKey("bytesIn") && e.ContainsKey("proto")) BytesAddedUp(e, columns);
            if (e.ContainsKey("url"))
            {
                UnsetHostAsName(e, columns);
            }
            if (e.ContainsKey("query"))
            {
                TypeByZeeksName(e, columns["qtype_name"]);
                string key = $"{columns["id.orig_h"]} {columns["id.resp_h"]} {columns["qtype_name"]} {columns["query"]}";
                if (recent.Contains(key)) continue;
                recent.Enqueue(key);
                if (recent.Count > 8) recent.Dequeue();
            }
            yield return e.ToJsonString();
        }
    }

    /// <summary>What is no event with us: an unset value sent as the name or URL that it is not.</summary>
    public static bool IsUnsetAsName(string theirs) => JsonNode.Parse(theirs)!.AsObject() is var e && ((string?)e["query"] == "-" || (string?)e["url"] == "http://--");

    /// <summary>A request without a status, or columns by other names, and nothing of the file is posted, not even what came before.</summary>
    static bool BadLineEndsTheFile(string[] lines)
    {
        int status = -1;
        foreach (string[] values in lines.Select(l => l.Split('\t')))
        {
            if (values[0] == "#fields")
            {
                status = Array.IndexOf(values, "status_code") - 1;
                if (!values.Contains("id.orig_h")) return true;
            }
            else if (values[0][..Math.Min(1, values[0].Length)] != "#" && status >= 0 && values.Length > status && values[status] == "-") return true;
        }
        return false;
    }

    /// <summary>1569938908.384253 becomes 384,253 ns after the second.</summary>
    static void FractionAsNanoseconds(JsonObject e, string ts)
    {
        string[] parts = ts.Split('.');
        string fraction = long.Parse(parts[1], CultureInfo.InvariantCulture).ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        string second = DateTimeOffset.FromUnixTimeSeconds(long.Parse(parts[0], CultureInfo.InvariantCulture)).UtcDateTime.ToString("s", CultureInfo.InvariantCulture);
        e["ts"] = second + (fraction.Length > 0 ? "." : "") + fraction + "Z";
    }

    /// <summary>Payload and packets of both sides, all of it as sent.</summary>
    static void BytesAddedUp(JsonObject e, Dictionary<string, string> columns)
    {
        long sum = 0;
        foreach (string name in (string[])["orig_bytes", "orig_ip_bytes", "resp_bytes", "resp_ip_bytes"])
        {
            if (columns.TryGetValue(name, out string? value) && long.TryParse(value, out long bytes)) sum += bytes;
        }
        e["bytesIn"] = 0;
        e["bytesOut"] = sum;
        // ICMPv6 has the name of ICMP in Zeek; a number is not said at all.
        e["proto"] = columns["proto"];
    }

    /// <summary>No type, and one that Zeek has no name for, are written as the column has them.</summary>
    static void TypeByZeeksName(JsonObject e, string name)
    {
        if (name == "-") e["qtype"] = "";
        else if (name.StartsWith("query-", StringComparison.Ordinal)) e["qtype"] = name;
    }

    /// <summary>"-" is the mark of a column without a value.</summary>
    static void UnsetHostAsName(JsonObject e, Dictionary<string, string> columns)
    {
        if (columns["host"] == "-" || columns["uri"] == "-") e["url"] = "http://" + columns["host"] + columns["uri"];
    }
}
