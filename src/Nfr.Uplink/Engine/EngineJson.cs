using System.Buffers;
using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>The API's small bodies, written and read by hand: no reflection, so that the program trims.</summary>
static class EngineJson
{
    /// <summary>Reasons of rejection kept per answer; a hostile engine may invent any number.</summary>
    const int MaxReasons = 32;
    const int MaxMessageLength = 300;

    static readonly JsonDocumentOptions s_reading = new() { MaxDepth = 32 };

    public static byte[] Register(string name, string email)
    {
        ArrayBufferWriter<byte> buffer = new();
        using Utf8JsonWriter writer = new(buffer);
        writer.WriteStartObject();
        writer.WriteStartObject("details"u8);
        writer.WriteString("name"u8, name);
        writer.WriteString("email"u8, email);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] RequestKey(string platform)
    {
        ArrayBufferWriter<byte> buffer = new();
        using Utf8JsonWriter writer = new(buffer);
        writer.WriteStartObject();
        writer.WriteStartObject("platform"u8);
        writer.WriteString("name"u8, platform);
        writer.WriteEndObject();
        writer.WriteString("token"u8, ""u8);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] ResetKey(string email)
    {
        ArrayBufferWriter<byte> buffer = new();
        using Utf8JsonWriter writer = new(buffer);
        writer.WriteStartObject();
        writer.WriteString("email"u8, email);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The root object, or null when the bytes are no JSON object. The caller disposes.</summary>
    public static JsonDocument? TryObject(ReadOnlyMemory<byte> body)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(body, s_reading);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static EngineReply WithCounts(EngineReply reply)
    {
        using JsonDocument? document = TryObject(reply.Body);
        if (document is null) return reply;
        JsonElement root = document.RootElement;
        return reply with
        {
            Received = Number(root, "received"u8) ?? -1,
            AcceptedEvents = Number(root, "accepted"u8) ?? -1,
            Rejected = Reasons(root),
        };
    }

    static Dictionary<string, long> Reasons(JsonElement root)
    {
        Dictionary<string, long> reasons = [];
        if (!root.TryGetProperty("rejected"u8, out JsonElement rejected) || rejected.ValueKind != JsonValueKind.Object) return reasons;
        foreach (JsonProperty reason in rejected.EnumerateObject())
        {
            if (reason.Value.ValueKind != JsonValueKind.Number || !reason.Value.TryGetInt64(out long count) || count <= 0) continue;
            string name = reasons.Count < MaxReasons ? Name(reason) : "other";
            reasons[name] = reasons.GetValueOrDefault(name) + count;
        }
        return reasons;
    }

    static string Name(JsonProperty property)
    {
        try
        {
            return Shorten(property.Name);
        }
        catch (InvalidOperationException)
        {
            return "other"; // half a surrogate pair
        }
    }

    /// <summary>The API's {"message": …}, shortened and without control characters; empty when there is none.</summary>
    public static string Message(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = TryObject(body);
        return document is not null && Text(document.RootElement, "message"u8) is { } message ? Shorten(message) : "";
    }

    public static AccountStatus? AccountStatus(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = TryObject(body);
        if (document is null) return null;
        JsonElement root = document.RootElement;
        // Without these two it is some other page's JSON.
        if (Flag(root, "registered"u8) is not { } registered || Flag(root, "expired"u8) is not { } expired) return null;
        List<AccountMessage> messages = [];
        if (root.TryGetProperty("messages"u8, out JsonElement list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in list.EnumerateArray().Take(MaxReasons))
            {
                if (item.ValueKind == JsonValueKind.Object && Text(item, "body"u8) is { } text)
                    messages.Add(new AccountMessage((int)Math.Clamp(Number(item, "level"u8) ?? 1, 1, 3), Shorten(text)));
            }
        }
        return new AccountStatus
        {
            Registered = registered,
            Expired = expired,
            ExpirationDate = Text(root, "expirationDate"u8),
            EndpointsSeenToday = Number(root, "endpointsSeenToday"u8),
            Messages = messages,
        };
    }

    public static IssuedKey? IssuedKey(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = TryObject(body);
        return document is not null && Text(document.RootElement, "key"u8) is { Length: > 0 } key ? new IssuedKey(key) : null;
    }

    static string? Text(JsonElement element, ReadOnlySpan<byte> name)
    {
        if (!element.TryGetProperty(name, out JsonElement value) || value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // bytes that are no UTF-8, or half a surrogate pair
        }
    }

    static long? Number(JsonElement element, ReadOnlySpan<byte> name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            ? number
            : null;

    static bool? Flag(JsonElement element, ReadOnlySpan<byte> name) =>
        !element.TryGetProperty(name, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.True ? true
        : value.ValueKind == JsonValueKind.False ? false : null;

    /// <summary>Text of a stranger goes into our log on one line and not without end.</summary>
    static string Shorten(string text)
    {
        string cut = text.Length <= MaxMessageLength ? text : string.Concat(text.AsSpan(0, MaxMessageLength), "…");
        return cut.Any(char.IsControl) ? string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c)) : cut;
    }
}
