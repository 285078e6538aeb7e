using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// Takes apart the lines that <see cref="EventJson"/> writes: <code>{"type":"dns", "ts":…, the API's keys in its order, then ours}</code> as an event line, or without type and ours as an upload line.
/// </summary>
public static class EventLine
{
    static readonly string[][] s_api =
    [
        ["ts", "srcIP", "query", "qtype"],
        ["ts", "srcIP", "srcPort", "destIP", "destPort", "proto", "bytesIn", "bytesOut", "ja3"],
        ["ts", "srcIP", "srcPort", "url", "method", "status", "action", "bytesIn", "bytesOut", "contentType", "referrer", "userAgent"],
        ["ts", "srcIP", "srcPort", "destIP", "destPort", "certHash", "issuer", "subject", "validFrom", "validTo", "ja3", "ja3s"],
    ];

    /// <summary>Writes the upload line of an event line (or of an upload line: the same); what is none of ours is written as it is.</summary>
    public static void WriteApiPart(ReadOnlySpan<byte> line, EventType type, Stream output)
    {
        (int start, int end) = ApiPart(line, type);
        if (end == 0)
        {
            output.Write(line);
            return;
        }
        output.WriteByte((byte)'{');
        output.Write(line[start..end]);
        output.WriteByte((byte)'}');
    }

    /// <summary>From the first API key's quote to the end of the last one's value; (0, 0) = this is no such line.</summary>
    static (int Start, int End) ApiPart(ReadOnlySpan<byte> line, EventType type)
    {
        string[] api = s_api[(int)type];
        int start = 0, end = 0;
        var reader = new Utf8JsonReader(line);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return default;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                int at = (int)reader.TokenStartIndex;
                bool wanted = false;
                foreach (string name in api) wanted |= reader.ValueTextEquals(name);
                if (!wanted && end > 0) break;
                reader.Read();
                reader.Skip();
                if (!wanted) continue;
                if (end == 0) start = at;
                end = (int)reader.BytesConsumed;
            }
        }
        catch (JsonException)
        {
            return default;
        }
        return (start, end);
    }
}
