using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>What a cluster did with each document of a _bulk request.</summary>
enum BulkItem : byte
{
    /// <summary>Stored now (2xx), or by an earlier try (409).</summary>
    Taken,
    /// <summary>429 or 5xx: this one again, later.</summary>
    Again,
    /// <summary>Any other status, such as 400 for a field that does not fit the mapping: never.</summary>
    Refused,
}

/// <summary>Reads the answer of _bulk, shortened by filter_path to what is needed.</summary>
sealed record BulkAnswer(IReadOnlyList<BulkItem> Items, IReadOnlyList<string?> Reasons)
{
    /// <summary>Asked of the cluster, so that the answer of a thousand items has kilobytes instead of a megabyte.</summary>
    public const string FilterPath = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason";
    const int MaxReason = 200;

    /// <summary>Null when the bytes are no answer of _bulk for so many documents: a proxy's page, another API.</summary>
    public static BulkAnswer? TryRead(ReadOnlyMemory<byte> json, int count)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("errors", out JsonElement errors) || errors.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) return null;
            if (!root.TryGetProperty("items", out JsonElement items) || items.ValueKind != JsonValueKind.Array || items.GetArrayLength() != count) return null;
            var results = new List<BulkItem>(count);
            var reasons = new List<string?>(count);
            foreach (JsonElement item in items.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Object || !item.EnumerateObject().MoveNext()) return null;
                JsonElement result = item.EnumerateObject().First().Value;
                if (result.ValueKind != JsonValueKind.Object || !result.TryGetProperty("status", out JsonElement number) || !number.TryGetInt32(out int status)) return null;
                results.Add(status is (>= 200 and < 300) or 409 ? BulkItem.Taken : status is 408 or 429 or >= 500 ? BulkItem.Again : BulkItem.Refused);
                reasons.Add(results[^1] == BulkItem.Taken ? null : Reason(result, status));
            }
            return new BulkAnswer(results, reasons);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    static string Reason(JsonElement result, int status)
    {
        string said = "";
        if (result.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object)
        {
            said = Text(error, "reason") is { Length: > 0 } reason ? $"{Text(error, "type")}: {reason}" : Text(error, "type");
            if (error.TryGetProperty("caused_by", out JsonElement cause) && cause.ValueKind == JsonValueKind.Object && Text(cause, "reason") is { Length: > 0 } deeper) said += $" ({deeper})";
        }
        string clean = string.Concat(said.Take(MaxReason).Select(c => char.IsControl(c) ? ' ' : c));
        return clean.Length == 0 ? $"status {status}" : $"{status} {clean}{(said.Length > MaxReason ? "…" : "")}";
    }

    static string Text(JsonElement json, string key) => json.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";
}
