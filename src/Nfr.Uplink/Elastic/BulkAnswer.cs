using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>What a cluster did with each document of a _bulk request.</summary>
enum BulkItem : byte
{
    /// <summary>Stored now (2xx), or by an earlier try (409).</summary>
    Taken,
    /// <summary>429, 5xx, an index that is closed or read-only, and every status that nobody foresaw: this one again, later.</summary>
    Again,
    /// <summary>400 for a field that does not fit the mapping, and 413: never.</summary>
    Refused,
    /// <summary>401, 403: the key has no right to write to the index, or to make it.</summary>
    Denied,
    /// <summary>404: there is no such index, and it is not made by itself.</summary>
    Absent,
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
                results.Add(Of(status, ErrorType(result)));
                reasons.Add(results[^1] == BulkItem.Taken ? null : Reason(result, status));
            }
            return new BulkAnswer(results, reasons);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Only what is said of the document itself may end in its loss; what is said of the index or of us waits until somebody has put it right.</summary>
    static BulkItem Of(int status, string type) => status switch
    {
        (>= 200 and < 300) or 409 => BulkItem.Taken,
        401 => BulkItem.Denied,
        // A block for writing is set and lifted by people, or by the cluster when its disks are full.
        403 => type == "cluster_block_exception" ? BulkItem.Again : BulkItem.Denied,
        404 => BulkItem.Absent,
        413 => BulkItem.Refused,
        // 400 too: index_closed_exception, invalid_index_name_exception, validation_exception (no more shards may be made).
        400 => type.Contains("index", StringComparison.Ordinal) || type is "validation_exception" or "cluster_block_exception" ? BulkItem.Again : BulkItem.Refused,
        _ => BulkItem.Again,
    };

    static string ErrorType(JsonElement result) => result.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object ? Text(error, "type") : "";

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
