using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>Where a column's value lies in its line.</summary>
struct ZeekSlot
{
    public int Start;
    public int Length;
    /// <summary>None = no such column, or unset.</summary>
    public JsonKind Kind;
    public bool Escaped;
}

/// <summary>Room for texts of one line that are not as they stand in it. Grows to the longest line's need once; what was handed out stays good.</summary>
sealed class TextRoom
{
    byte[] _bytes = new byte[4096];
    int _used;

    public void Reset() => _used = 0;

    /// <summary>At least so many bytes; <see cref="Keep"/> says how many of them stay.</summary>
    public Span<byte> Take(int length)
    {
        if (_bytes.Length - _used < length)
        {
            _bytes = new byte[Math.Max(_bytes.Length * 2, length)];
            _used = 0;
        }
        return _bytes.AsSpan(_used);
    }

    public ReadOnlySpan<byte> Keep(int length)
    {
        ReadOnlySpan<byte> kept = _bytes.AsSpan(_used, length);
        _used += length;
        return kept;
    }
}

/// <summary>
/// One record, of a line of columns or of JSON alike: an event is made of it in one way, so that both give the same. Values are found; what they say is read
/// when it is asked for.
/// </summary>
readonly ref struct ZeekRow(ReadOnlySpan<byte> line, ZeekSlot[] slots, TextRoom room, ZeekHeader? header)
{
    /// <summary>A text longer than this is cut, as the ring does.</summary>
    const int MaxText = 16 * 1024;

    readonly ReadOnlySpan<byte> _line = line;
    readonly ZeekSlot[] _slots = slots;
    readonly TextRoom _room = room;
    /// <summary>Null = JSON.</summary>
    readonly ZeekHeader? _header = header;

    public TextRoom Room => _room;

    public JsonRaw this[ZeekField field]
    {
        get
        {
            ref ZeekSlot slot = ref _slots[(int)field];
            return slot.Kind == JsonKind.None ? default : new JsonRaw(slot.Kind, _line.Slice(slot.Start, slot.Length), slot.Escaped);
        }
    }

    public bool Has(ZeekField field) => _slots[(int)field].Kind != JsonKind.None;

    /// <summary>Empty when it is unset; a number as it is written.</summary>
    public ReadOnlySpan<byte> Text(ZeekField field) => Text(this[field]);

    public ReadOnlySpan<byte> Text(JsonRaw value)
    {
        if (value.Kind is not (JsonKind.String or JsonKind.Number)) return default;
        ReadOnlySpan<byte> text = value.Bytes.Length > MaxText ? value.Bytes[..MaxText] : value.Bytes;
        if (!value.Escaped) return text;
        Span<byte> room = _room.Take(text.Length);
        int length = text.Length;
        if (_header is null)
        {
            if (!JsonLineReader.TryUnescape(text, room, out length)) return default;
            // What is no UTF-8 is written as \xHH in JSON too; below 0x80 it may be a text of somebody who wrote a backslash.
            length = ZeekEscapes.Undo(room[..length], room, 0x80);
        }
        else length = ZeekEscapes.Undo(text, room, 0);
        return _room.Keep(length);
    }

    /// <summary>16 bits; 0 for what does not fit.</summary>
    public ushort Word(ZeekField field) => this[field].TryNumber(out long number) && number is >= 0 and <= ushort.MaxValue ? (ushort)number : (ushort)0;

    /// <summary>Not negative; 0 when it is unset.</summary>
    public long Amount(ZeekField field) => this[field].TryNumber(out long number) ? Math.Max(0, number) : 0;

    /// <summary>"T" or true.</summary>
    public bool Is(ZeekField field)
    {
        ref ZeekSlot slot = ref _slots[(int)field];
        return slot.Kind == JsonKind.True || (slot.Kind == JsonKind.String && slot.Length == 1 && _line[slot.Start] == 'T');
    }

    public bool TryTime(ZeekField field, out long nanoseconds)
    {
        JsonRaw value = this[field];
        nanoseconds = 0;
        return value.Kind is JsonKind.String or JsonKind.Number && ZeekNumber.TryTime(value.Bytes, out nanoseconds);
    }

    /// <summary>Seconds since 1970; <see cref="TlsEvent.NoTime"/> when it is unset.</summary>
    public long Seconds(ZeekField field)
    {
        JsonRaw value = this[field];
        return value.Kind is JsonKind.String or JsonKind.Number && ZeekNumber.TrySeconds(value.Bytes, out long seconds) ? seconds : TlsEvent.NoTime;
    }

    public long Interval(ZeekField field)
    {
        JsonRaw value = this[field];
        return value.Kind is JsonKind.String or JsonKind.Number ? ZeekNumber.Interval(value.Bytes, _header is null) : 0;
    }

    /// <summary>An address, of which a zone ("%eth0") is left out.</summary>
    public bool TryAddress(ZeekField field, out Address address)
    {
        address = default;
        JsonRaw value = this[field];
        if (value.Kind != JsonKind.String) return false;
        if (AddressText.TryParse(value.Bytes, out address)) return true;
        int zone = value.Bytes.IndexOf((byte)'%');
        return zone > 0 && AddressText.TryParse(value.Bytes[..zone], out address);
    }

    /// <summary>The elements of a set or vector; of a single value, itself.</summary>
    public ZeekList Items(ZeekField field)
    {
        JsonRaw value = this[field];
        return _header is null && value.Kind == JsonKind.Array ? new ZeekList(JsonLineReader.Array(value.Bytes)) : new ZeekList(value, _header);
    }

    /// <summary>The first element that is set.</summary>
    public ReadOnlySpan<byte> First(ZeekField field)
    {
        ZeekList list = Items(field);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.None && !item.Bytes.IsEmpty) return Text(item);
        }
        return default;
    }
}

/// <summary>Walks a set or a vector.</summary>
ref struct ZeekList
{
    readonly ReadOnlySpan<byte> _separator, _unset;
    readonly bool _escaped;
    JsonLineReader _json;
    ReadOnlySpan<byte> _rest;
    readonly bool _isJson;
    bool _done;

    public ZeekList(JsonLineReader json)
    {
        _json = json;
        _isJson = true;
    }

    public ZeekList(JsonRaw value, ZeekHeader? header)
    {
        _rest = value.Bytes;
        _escaped = value.Escaped;
        // An empty set has no element: an element that is empty is written as such.
        _done = value.Kind is not (JsonKind.String or JsonKind.Number) || value.Bytes.IsEmpty;
        if (header is null) return;
        _separator = header.SetSeparator;
        _unset = header.UnsetField;
    }

    public bool Next(out JsonRaw item)
    {
        if (_isJson)
        {
            if (!_json.Next(out item)) return false;
            if (item.Kind == JsonKind.Null) item = default;
            return true;
        }
        item = default;
        if (_done) return false;
        int end = _separator.IsEmpty ? -1 : _rest.IndexOf(_separator);
        ReadOnlySpan<byte> value = end < 0 ? _rest : _rest[..end];
        _done = end < 0;
        if (!_done) _rest = _rest[(end + _separator.Length)..];
        if (_unset.IsEmpty || !value.SequenceEqual(_unset)) item = new JsonRaw(JsonKind.String, value, _escaped && value.Contains((byte)'\\'));
        return true;
    }
}

/// <summary>Zeek's way to write bytes that would break a line of columns or that are no text.</summary>
static class ZeekEscapes
{
    /// <summary>\xHH to its byte, two backslashes to one, everything else as it stands.</summary>
    /// <param name="text">May be the same memory as <paramref name="destination"/>.</param>
    /// <param name="destination">As long as <paramref name="text"/>.</param>
    /// <param name="least">Bytes below it stay escaped, and backslashes single: JSON has an escape of its own for those.</param>
    /// <returns>Bytes written.</returns>
    public static int Undo(ReadOnlySpan<byte> text, Span<byte> destination, int least)
    {
        int n = 0;
        while (true)
        {
            int slash = text.IndexOf((byte)'\\');
            ReadOnlySpan<byte> plain = slash < 0 ? text : text[..slash];
            plain.CopyTo(destination[n..]);
            n += plain.Length;
            if (slash < 0) return n;
            text = text[slash..];
            if (text.Length >= 4 && text[1] == 'x' && Digit(text[2]) is var high and >= 0 && Digit(text[3]) is var low and >= 0 && (high << 4) + low >= least)
            {
                destination[n++] = (byte)((high << 4) | low);
                text = text[4..];
                continue;
            }
            destination[n++] = (byte)'\\';
            text = text[(least == 0 && text.Length > 1 && text[1] == '\\' ? 2 : 1)..];
        }
    }

    static int Digit(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => -1,
    };
}
