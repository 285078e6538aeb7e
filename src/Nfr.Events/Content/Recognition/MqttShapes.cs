using System.Text.Unicode;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>MQTT 3.1, 3.1.1 and 5 (OASIS): any control packet that names itself, so that a connection is known from either side and in the middle.</summary>
static class MqttShapes
{
    public static bool IsMqtt(ReadOnlySpan<byte> b)
    {
        if (b.Length < 4 || !TryBody(b, out ReadOnlySpan<byte> body)) return false;
        return b[0] switch
        {
            0x10 => IsConnect(body),
            0x20 => IsConnectAcknowledgment(body),
            >= 0x30 and <= 0x3D => (b[0] & 6) != 6 && b.Length >= 8 && IsPublish(body),
            0x82 => IsSubscribe(body),
            0x90 => body.Length is 3 or 4 && ReadUInt16BigEndian(body) != 0 && body[^1] is <= 2 or 0x80,
            _ => false,
        };
    }

    /// <summary>2.1.4: a length of one to four bytes; the packet ends where the segment does.</summary>
    static bool TryBody(ReadOnlySpan<byte> b, out ReadOnlySpan<byte> body)
    {
        body = default;
        int length = 0;
        for (int i = 1; i <= 4 && i < b.Length; i++)
        {
            length |= (b[i] & 0x7F) << (7 * (i - 1));
            if (b[i] >= 0x80) continue;
            body = b[(i + 1)..];
            // A client may send more packets behind its CONNECT at once.
            return b[0] == 0x10 ? body.Length >= 10 : length == body.Length;
        }
        return false;
    }

    /// <summary>3.1: CONNECT with its name and a version; 3.1 called itself MQIsdp.</summary>
    static bool IsConnect(ReadOnlySpan<byte> body) => body.StartsWith("\0\u0004MQTT"u8) || body.StartsWith("\0\u0006MQIsdp"u8);

    /// <summary>3.2: one flag, a return code; version 5 has properties behind them.</summary>
    static bool IsConnectAcknowledgment(ReadOnlySpan<byte> body)
    {
        if (body.Length < 2 || body[0] > 1) return false;
        return body.Length == 2 ? body[1] <= 5 : body[1] is 0 or >= 0x80 and <= 0x9F && body[2] == body.Length - 3 && body.Length <= 0x82;
    }

    /// <summary>3.3: a topic in text, without wildcards.</summary>
    static bool IsPublish(ReadOnlySpan<byte> body)
    {
        int topic = ReadUInt16BigEndian(body);
        return topic > 1 && topic <= body.Length - 2 && IsTopic(body.Slice(2, topic)) && body.Slice(2, topic).IndexOfAny((byte)'#', (byte)'+') < 0;
    }

    /// <summary>3.8: an identifier, then filters with their wanted quality to the end; version 5 has properties before them.</summary>
    static bool IsSubscribe(ReadOnlySpan<byte> body)
    {
        if (body.Length < 6 || ReadUInt16BigEndian(body) == 0) return false;
        return AreFilters(body[2..]) || (body[2] < 0x80 && body.Length > 3 + body[2] && AreFilters(body[(3 + body[2])..]));
    }

    static bool AreFilters(ReadOnlySpan<byte> b)
    {
        int filters = 0;
        for (; b.Length >= 4; filters++)
        {
            int length = ReadUInt16BigEndian(b);
            if (length == 0 || length > b.Length - 3 || !IsTopic(b.Slice(2, length)) || (b[2 + length] & 0xC3) > 2) return false;
            b = b[(3 + length)..];
        }
        return filters > 0 && b.IsEmpty;
    }

    static bool IsTopic(ReadOnlySpan<byte> topic) => !topic.ContainsAnyInRange((byte)0, (byte)0x1F) && Utf8.IsValid(topic);
}
