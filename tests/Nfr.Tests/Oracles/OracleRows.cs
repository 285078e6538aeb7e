using System.Text.Json;
using Nfr.Wire;

namespace Nfr.Tests.Oracles;

/// <summary>One expected row of a case, and the capture that it is about.</summary>
sealed record OracleRow(string Case, string Capture, JsonElement Document, JsonElement Expected)
{
    public JsonElement Match => Expected.GetProperty("match");

    /// <summary>Text of a field of the row; null when it asks nothing of that.</summary>
    public string? Text(string name) => Match.TryGetProperty(name, out JsonElement value) ? value.ToString() : null;

    public long? Number(string name) => Match.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    public bool HasTag(string tag) => Document.TryGetProperty("tags", out JsonElement tags) && tags.EnumerateArray().Any(t => t.GetString() == tag);

    /// <summary>All rows of a topic whose <paramref name="kindKey"/> is <paramref name="kind"/>.</summary>
    public static IEnumerable<OracleRow> Of(string folder, string kindKey, string kind)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            JsonElement document = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
            if (!document.TryGetProperty("expect", out JsonElement rows) || rows.ValueKind != JsonValueKind.Array) continue;
            foreach (JsonElement row in rows.EnumerateArray())
            {
                if (!row.TryGetProperty("match", out JsonElement match) || !match.TryGetProperty(kindKey, out JsonElement k) || k.GetString() != kind) continue;
                yield return new OracleRow(Path.GetFileNameWithoutExtension(file), Path.Combine(folder, document.GetProperty("pcap").GetString()!), document, row);
            }
        }
    }

    /// <summary>Why a row of Suricata's tests says nothing about a passive sensor; null when it does.</summary>
    public string? Hint()
    {
        if (!Document.GetProperty("exact").GetBoolean()) return "a hint only: inline mode, own configuration or filtered log";
        return Expected.TryGetProperty("suricata", out JsonElement versions) && versions.GetString()!.StartsWith('<') ? "of an older version" : null;
    }

    /// <summary>Nobody has found out yet who is right.</summary>
    public const string Open = "open: not looked into";

    /// <summary>Why a capture's packets did not come as far as a flow; null when they did.</summary>
    public string? Unreached(DecodedCapture ours)
    {
        if (ours.Counters.Faults[(int)DecodeFault.LinkTypeUnknown] > 0) return "link type not read";
        bool tunnels = HasTag("tunnel") || (Document.TryGetProperty("log_row_counts", out JsonElement counts) && counts.TryGetProperty("tunnel", out _));
        if (tunnels) return "tunnel";
        return ours.Counters.NonIp > 0 && ours.Counters.Parsed == 0 ? "link layer or encapsulation not taken off" : null;
    }

    /// <summary>Holds a number of events against "count" or "min_count".</summary>
    /// <param name="loose">Some of the row's fields could not be compared, so that more may match.</param>
    public bool Holds(int events, bool loose)
    {
        if (Expected.TryGetProperty("count", out JsonElement count)) return loose ? events >= count.GetInt32() : events == count.GetInt32();
        return events >= (Expected.TryGetProperty("min_count", out count) ? count.GetInt32() : 1);
    }
}
