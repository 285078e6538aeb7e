using Nfr.Events;

namespace Nfr.Logs.Suricata;

/// <summary>The records of an answer, packed: from "answers" with a record each, or from "grouped" with the data by type.</summary>
static class EveRecords
{
    /// <summary>A TTL and a text, as a list of objects has them.</summary>
    public static ReadOnlySpan<byte> Pack(EveText text, ReadOnlySpan<byte> array)
    {
        var writer = new DnsAnswerWriter(text.Rest);
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            if (writer.TextSpace.IsEmpty) break;
            if (item.Kind != JsonKind.Object) continue;
            ushort type = 0;
            long ttl = 0;
            int length = 0;
            JsonLineReader json = JsonLineReader.Object(item.Bytes);
            while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
            {
                if (key.SequenceEqual("rrtype"u8)) type = EventWords.QueryType(value.Bytes, App.Dns);
                else if (key.SequenceEqual("ttl"u8)) ttl = EveWords.Amount(value);
                else if (IsData(key)) length = Data(value, writer.TextSpace);
            }
            writer.Commit(type, (uint)Math.Min(ttl, uint.MaxValue), length);
        }
        return text.Take(writer.Written.Length);
    }

    /// <summary>Without a TTL, and each type by itself.</summary>
    public static ReadOnlySpan<byte> PackGrouped(EveText text, JsonRaw grouped)
    {
        if (grouped.Kind != JsonKind.Object) return default;
        var writer = new DnsAnswerWriter(text.Rest);
        JsonLineReader json = JsonLineReader.Object(grouped.Bytes);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (value.Kind != JsonKind.Array) continue;
            ushort type = EventWords.QueryType(key, App.Dns);
            JsonLineReader list = JsonLineReader.Array(value.Bytes);
            while (list.Next(out JsonRaw item))
            {
                if (writer.TextSpace.IsEmpty) break;
                writer.Commit(type, 0, Data(item, writer.TextSpace));
            }
        }
        return text.Take(writer.Written.Length);
    }

    /// <summary>dns says "rdata", or an object by the type's name; llmnr a key by the type's name.</summary>
    static bool IsData(ReadOnlySpan<byte> key) => key.Length switch
    {
        1 => key[0] == 'a',
        2 => key.SequenceEqual("mx"u8) || key.SequenceEqual("ns"u8),
        3 => key.SequenceEqual("srv"u8) || key.SequenceEqual("soa"u8) || key.SequenceEqual("ptr"u8) || key.SequenceEqual("txt"u8),
        4 => key.SequenceEqual("aaaa"u8),
        5 => key.SequenceEqual("rdata"u8) || key.SequenceEqual("cname"u8) || key.SequenceEqual("sshfp"u8),
        _ => false,
    };

    /// <summary>A string as it is; the parts of an object or list with spaces between them, in the order in which the type has them (RFC 1035 3.3, RFC 2782, RFC 4255).</summary>
    static int Data(JsonRaw value, Span<byte> room)
    {
        switch (value.Kind)
        {
            case JsonKind.String:
                return value.Bytes.Length <= Math.Min(room.Length, ushort.MaxValue) && JsonLineReader.TryUnescape(value.Bytes, room, out int written) ? written : 0;
            case JsonKind.Number:
                if (value.Bytes.Length > room.Length) return 0;
                value.Bytes.CopyTo(room);
                return value.Bytes.Length;
            case JsonKind.Array:
                int n = 0;
                JsonLineReader list = JsonLineReader.Array(value.Bytes);
                while (list.Next(out JsonRaw item)) n = Append(item, room, n);
                return n;
            case JsonKind.Object:
                return Parts(value.Bytes, room);
            default:
                return 0;
        }
    }

    static int Parts(ReadOnlySpan<byte> json, Span<byte> room)
    {
        JsonRaw first = default, second = default, third = default, fourth = default, fifth = default, sixth = default, seventh = default;
        JsonLineReader parts = JsonLineReader.Object(json);
        while (parts.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("priority"u8) || key.SequenceEqual("mname"u8) || key.SequenceEqual("algo"u8)) first = value;
            else if (key.SequenceEqual("weight"u8) || key.SequenceEqual("rname"u8) || key.SequenceEqual("type"u8)) second = value;
            else if (key.SequenceEqual("port"u8) || key.SequenceEqual("serial"u8) || key.SequenceEqual("fingerprint"u8)) third = value;
            else if (key.SequenceEqual("name"u8) || key.SequenceEqual("refresh"u8)) fourth = value;
            else if (key.SequenceEqual("retry"u8)) fifth = value;
            else if (key.SequenceEqual("expire"u8)) sixth = value;
            else if (key.SequenceEqual("minimum"u8)) seventh = value;
        }
        int n = Append(first, room, 0);
        n = Append(second, room, n);
        n = Append(third, room, n);
        n = Append(fourth, room, n);
        n = Append(fifth, room, n);
        n = Append(sixth, room, n);
        return Append(seventh, room, n);
    }

    static int Append(JsonRaw part, Span<byte> room, int n)
    {
        if (part.Kind is not (JsonKind.String or JsonKind.Number) || n + 1 + part.Bytes.Length > Math.Min(room.Length, ushort.MaxValue)) return n;
        if (n > 0) room[n++] = (byte)' ';
        return JsonLineReader.TryUnescape(part.Bytes, room[n..], out int written) ? n + written : n;
    }
}
