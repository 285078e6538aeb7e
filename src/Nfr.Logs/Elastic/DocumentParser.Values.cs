using System.Buffers.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>How the values of a document become those of an event.</summary>
sealed partial class DocumentParser
{
    void Stamp(ref EventContext context, long duration = 0) => context.Tick = _clock.Tick(context.Timestamp, Math.Max(0, duration));

    /// <summary>Of "fields", in the format that the query asked for; else as the document has it.</summary>
    bool Time(ReadOnlySpan<byte> source, ReadOnlySpan<byte> fields, out long nanoseconds)
    {
        nanoseconds = 0;
        if (!fields.IsEmpty && _stamp.Read(fields, _stampValue) && Scalar(fields, _stampValue[0]) is { Kind: not JsonKind.None } stamp && DocumentTime.TryRead(stamp, out nanoseconds)) return true;
        (int from, int to) = _slots[(int)SearchField.Timestamp];
        for (int i = from; i < to; i++)
        {
            if (DocumentTime.TryRead(Slot(source, i), out nanoseconds)) return true;
        }
        return false;
    }

    /// <summary>The first path's value that the document has; of an array its first.</summary>
    JsonRaw Value(ReadOnlySpan<byte> source, SearchField field)
    {
        (int from, int to) = _slots[(int)field];
        for (int i = from; i < to; i++)
        {
            JsonRaw value = Slot(source, i);
            if (value.Kind != JsonKind.None && (value.Kind != JsonKind.String || !value.Bytes.IsEmpty)) return value;
        }
        return default;
    }

    /// <summary>As it stands, arrays whole.</summary>
    JsonRaw Raw(ReadOnlySpan<byte> source, SearchField field)
    {
        (int from, int to) = _slots[(int)field];
        for (int i = from; i < to; i++)
        {
            if (_values[i] is { Kind: not JsonKind.None } v) return new JsonRaw(v.Kind, source.Slice(v.At, v.Length), v.Escaped);
        }
        return default;
    }

    JsonRaw Slot(ReadOnlySpan<byte> source, int slot) => Scalar(source, _values[slot]);

    static JsonRaw Scalar(ReadOnlySpan<byte> source, FieldValue value)
    {
        if (value.Kind == JsonKind.None) return default;
        ReadOnlySpan<byte> bytes = source.Slice(value.At, value.Length);
        JsonRaw raw = value.Kind == JsonKind.Array ? FieldTree.First(bytes) : new JsonRaw(value.Kind, bytes, value.Escaped);
        return raw.Kind is JsonKind.Object or JsonKind.Array or JsonKind.Null ? default : raw;
    }

    ReadOnlySpan<byte> Text(ReadOnlySpan<byte> source, SearchField field)
    {
        JsonRaw value = Value(source, field);
        if (value.Kind == JsonKind.Number) return value.Bytes;
        if (value.Kind != JsonKind.String) return default;
        if (!value.Escaped) return value.Bytes;
        Span<byte> room = _text.AsSpan(_used);
        if (value.Bytes.Length > room.Length || !JsonLineReader.TryUnescape(value.Bytes, room, out int length)) return default;
        _used += length;
        return room[..length];
    }

    void Append(ReadOnlySpan<byte> text)
    {
        if (text.Length > _text.Length - _used) Array.Resize(ref _text, (_text.Length + text.Length) * 2);
        text.CopyTo(_text.AsSpan(_used));
        _used += text.Length;
    }

    /// <summary>The model's form of a name: without the last dot, and what is not printable ASCII as \DDD.</summary>
    bool Name(ref ReadOnlySpan<byte> name)
    {
        if (name.Length is 0 or > MaxName) return false;
        if (name.Length > 1 && name[^1] == '.' && name[^2] != '\\') name = name[..^1];
        if (!name.ContainsAnyExceptInRange((byte)' ', (byte)'~')) return true;
        int start = _used;
        foreach (byte c in name)
        {
            if (c is >= (byte)' ' and <= (byte)'~')
            {
                _text[_used++] = c;
                continue;
            }
            _text[_used++] = (byte)'\\';
            _text[_used++] = (byte)('0' + (c / 100));
            _text[_used++] = (byte)('0' + (c / 10 % 10));
            _text[_used++] = (byte)('0' + (c % 10));
        }
        name = _text.AsSpan(start, _used - start);
        return name.Length <= MaxName;
    }

    /// <summary>Objects of type, ttl and data (ECS), or texts alone (Zeek): an address says which type it is, a name is left without one.</summary>
    ReadOnlySpan<byte> Answers(ReadOnlySpan<byte> array, App service)
    {
        Span<byte> room = _text.AsSpan(_used);
        var writer = new DnsAnswerWriter(room);
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            ushort type = 0;
            long ttl = 0;
            JsonRaw data = item;
            if (item.Kind == JsonKind.Object)
            {
                data = default;
                JsonLineReader json = JsonLineReader.Object(item.Bytes);
                while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
                {
                    if (key.SequenceEqual("type"u8)) type = EventWords.QueryType(value.Bytes, service);
                    else if (key.SequenceEqual("ttl"u8)) _ = value.TryNumber(out ttl);
                    else if (key.SequenceEqual("data"u8)) data = value;
                }
            }
            if (data.Kind != JsonKind.String || data.Bytes.Length > writer.TextSpace.Length || data.Bytes.Length > ushort.MaxValue) continue;
            if (!JsonLineReader.TryUnescape(data.Bytes, writer.TextSpace, out int length)) continue;
            if (type == 0 && AddressText.TryParse(data.Bytes, out _)) type = data.Bytes.Contains((byte)':') ? (ushort)28 : (ushort)1;
            writer.Commit(type, (uint)Math.Clamp(ttl, 0, uint.MaxValue), length);
        }
        _used += writer.Written.Length;
        return room[..writer.Written.Length];
    }

    ReadOnlySpan<byte> Joined(ReadOnlySpan<byte> array)
    {
        int start = _used;
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.String || item.Bytes.Length >= _text.Length - _used) continue;
            if (_used > start) _text[_used++] = (byte)',';
            if (JsonLineReader.TryUnescape(item.Bytes, _text.AsSpan(_used), out int length)) _used += length;
        }
        return _text.AsSpan(start, _used - start);
    }

    /// <summary>Fingerprints in the model's form: lower case, without colons.</summary>
    ReadOnlySpan<byte> Hex(ReadOnlySpan<byte> text)
    {
        if (!text.ContainsAnyInRange((byte)'A', (byte)'F') && !text.Contains((byte)':')) return text;
        int start = _used;
        foreach (byte c in text)
        {
            if (c == ':') continue;
            Append([c is >= (byte)'A' and <= (byte)'F' ? (byte)(c | 0x20) : c]);
        }
        return _text.AsSpan(start, _used - start);
    }

    /// <summary>"1.2", "TLSv1.2", "TLSv12", "TLS 1.2", "tls1.3"; 0 when it is none of them.</summary>
    static ushort Version(ReadOnlySpan<byte> text)
    {
        int digits = text.IndexOfAnyInRange((byte)'0', (byte)'9');
        if (digits < 0) return 0;
        ReadOnlySpan<byte> number = text[digits..];
        bool datagram = text.Length > 0 && (text[0] | 0x20) == 'd';
        int major = number[0] - '0';
        int minor = number.Length > 2 && number[1] == '.' ? number[2] - '0' : number.Length > 1 ? number[1] - '0' : 0;
        return (major, minor) switch
        {
            (1, 0) when datagram => 0xFEFF,
            (1, 2) when datagram => 0xFEFD,
            (1, 3) when datagram => 0xFEFC,
            (1, >= 0 and <= 3) => (ushort)(0x0301 + minor),
            (3, 0) => 0x0300,
            (2, 0) => 0x0002,
            _ => 0,
        };
    }

    /// <summary>A stamp to whole seconds; the original's 0001-01-01 is none.</summary>
    static long Day(JsonRaw value)
    {
        if (value.Kind == JsonKind.String && EventTime.TryParseSeconds(value.Bytes, out long seconds)) return seconds > EventTime.FirstSecond ? seconds : TlsEvent.NoTime;
        return value.Kind != JsonKind.None && DocumentTime.TryRead(value, out long nanoseconds) ? (long)Math.Floor(nanoseconds / 1e9) : TlsEvent.NoTime;
    }

    static bool Is(JsonRaw value, ReadOnlySpan<byte> word) => value.Kind == JsonKind.String && value.Bytes.SequenceEqual(word);

    /// <summary>16 bits; 0 for what does not fit.</summary>
    static ushort Word(JsonRaw value) => value.TryNumber(out long number) && number is >= 0 and <= ushort.MaxValue ? (ushort)number : (ushort)0;

    /// <summary>Not negative.</summary>
    static long Amount(JsonRaw value) => value.TryNumber(out long number) ? Math.Max(0, number) : 0;
}
