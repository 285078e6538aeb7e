using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>One object of a message from who knows whom: what is not there or of another kind is null, and nothing throws.</summary>
readonly struct FleetJson(JsonElement element)
{
    /// <summary>Nobody who reads a message has to go deeper.</summary>
    const int MostDepth = 16;

    /// <summary>Items of a list that are read at most.</summary>
    const int MostItems = 256;

    static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Make(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, s_writing)) write(json);
        return buffer.WrittenSpan.ToArray();
    }

    public static T? Read<T>(ReadOnlyMemory<byte> bytes, Func<FleetJson, T?> make) where T : class
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MostDepth });
            return document.RootElement.ValueKind == JsonValueKind.Object ? make(new FleetJson(document.RootElement)) : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // Half a surrogate in a text is found when it is read.
            return null;
        }
    }

    JsonElement? Find(string name, JsonValueKind kind) => element.TryGetProperty(name, out JsonElement value) && value.ValueKind == kind ? value : null;

    public string? Text(string name) => Find(name, JsonValueKind.String)?.GetString();

    public double? Number(string name) => Find(name, JsonValueKind.Number) is { } number && number.TryGetDouble(out double value) && double.IsFinite(value) ? value : null;

    public long? Whole(string name) => Find(name, JsonValueKind.Number) is { } number && number.TryGetInt64(out long value) ? value : null;

    public long Count(string name) => Whole(name) ?? 0;

    public bool? Flag(string name) => Find(name, JsonValueKind.True) is not null ? true : Find(name, JsonValueKind.False) is not null ? false : null;

    public DateTimeOffset? Moment(string name) => Find(name, JsonValueKind.String) is { } text && text.TryGetDateTimeOffset(out DateTimeOffset value) ? value : null;

    public FleetJson? Under(string name) => Find(name, JsonValueKind.Object) is { } value ? new FleetJson(value) : null;

    public IEnumerable<FleetJson> Items(string name)
    {
        if (Find(name, JsonValueKind.Array) is not { } list) return [];
        return list.EnumerateArray().Take(MostItems).Where(i => i.ValueKind == JsonValueKind.Object).Select(i => new FleetJson(i));
    }

    public IReadOnlyList<string> Texts(string name) =>
        Find(name, JsonValueKind.Array) is not { } list ? [] : [.. list.EnumerateArray().Take(MostItems).Where(i => i.ValueKind == JsonValueKind.String).Select(i => i.GetString()!)];

    public bool Has(string name) => element.TryGetProperty(name, out _);

    /// <summary>Texts and whole numbers by name, 16 of them at most.</summary>
    public IReadOnlyDictionary<string, string> Flat()
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty p in element.EnumerateObject().Take(16))
        {
            if (p.Value.ValueKind == JsonValueKind.String) flat[p.Name] = p.Value.GetString()!;
            else if (p.Value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False) flat[p.Name] = p.Value.GetRawText();
            else flat[p.Name] = "";
        }
        return flat;
    }

    /// <summary>The object's own text.</summary>
    public string Raw => element.GetRawText();

    public static void Write(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number)) json.WriteNumber(name, Math.Round(number, 2));
    }

    public static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
