using System.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>What an error of a cluster is about: {"error":{"type":…,"reason":…,"root_cause":[…]},"status":…}, or one shard's failure.</summary>
static class ClusterError
{
    const int MaxSaid = 200;

    /// <summary>The point in time or scroll is gone: it expired, or its node went.</summary>
    public static bool IsContextGone(ReadOnlySpan<byte> json) =>
        json.IndexOf("search_context_missing_exception"u8) >= 0 || json.IndexOf("No search context found"u8) >= 0;

    /// <summary>More than the server will do at once: its memory, index.max_result_window, or a scroll's own limit.</summary>
    public static bool IsTooMuch(ReadOnlySpan<byte> json) =>
        json.IndexOf("circuit_breaking_exception"u8) >= 0 || json.IndexOf("Result window is too large"u8) >= 0 || json.IndexOf("Batch size is too large"u8) >= 0;

    /// <summary>Amazon's service lets only the paths through that it knows, and says 401 to others.</summary>
    public static bool IsNotAllowed(ReadOnlySpan<byte> json) => json.IndexOf("Your request: "u8) >= 0 && json.IndexOf("is not allowed"u8) >= 0;

    public static bool IsNoIndex(ReadOnlySpan<byte> json) => json.IndexOf("index_not_found_exception"u8) >= 0;

    /// <summary>"TYPE: REASON" of the deepest cause that is said; the text's beginning where it is no such error.</summary>
    public static string Shown(ReadOnlySpan<byte> json)
    {
        string type = "", reason = "";
        Look(json, ref type, ref reason, 0);
        string said = type.Length > 0 ? $"{type}: {reason}" : Utf8Text.ToString(json[..Math.Min(json.Length, MaxSaid)]).Trim();
        StringBuilder clean = new(Math.Min(said.Length, MaxSaid));
        foreach (char c in said.AsSpan(0, Math.Min(said.Length, MaxSaid))) clean.Append(char.IsControl(c) ? ' ' : c);
        return clean.ToString();
    }

    static void Look(ReadOnlySpan<byte> json, ref string type, ref string reason, int depth)
    {
        if (depth > 8) return;
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("type"u8) && value.Kind == JsonKind.String) type = Utf8Text.ToString(value.Bytes);
            else if (key.SequenceEqual("reason"u8) && value.Kind == JsonKind.String) reason = Utf8Text.ToString(value.Bytes);
            else if (key.SequenceEqual("error"u8) && value.Kind == JsonKind.String) (type, reason) = ("error", Utf8Text.ToString(value.Bytes));
            else if ((key.SequenceEqual("error"u8) || key.SequenceEqual("reason"u8) || key.SequenceEqual("caused_by"u8)) && value.Kind == JsonKind.Object) Look(value.Bytes, ref type, ref reason, depth + 1);
            else if ((key.SequenceEqual("root_cause"u8) || key.SequenceEqual("failed_shards"u8)) && value.Kind == JsonKind.Array && FieldTree.First(value.Bytes) is { Kind: JsonKind.Object } first)
                Look(first.Bytes, ref type, ref reason, depth + 1);
        }
    }
}
