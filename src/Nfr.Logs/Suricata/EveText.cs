using Nfr.Events;

namespace Nfr.Logs.Suricata;

/// <summary>Room for what a line's texts become: unescaped, joined, packed. Grows with the longest line, is begun anew by each; spans are good until then.</summary>
sealed class EveText
{
    /// <summary>A name in presentation form: 255 bytes (RFC 1035 2.3.4), each \DDD at the most.</summary>
    public const int MaxName = 1024;
    /// <summary>Beyond the line itself: a name whose bytes become \DDD, and the heads of packed answers.</summary>
    const int Slack = 16 * 1024;

    byte[] _bytes = new byte[32 * 1024];
    int _used;

    /// <summary>A new line of this length.</summary>
    public void Begin(int lineLength)
    {
        // What is unescaped is no longer than it was; a name is counted twice, once as text and once in its form.
        int room = (lineLength * 2) + Slack;
        if (_bytes.Length < room) _bytes = new byte[Math.Max(room, _bytes.Length * 2)];
        _used = 0;
    }

    /// <summary>How much is used; given back by <see cref="Reset"/>.</summary>
    public int Mark => _used;

    public void Reset(int mark) => _used = mark;

    /// <summary>Where something may be written before <see cref="Take"/>.</summary>
    public Span<byte> Rest => _bytes.AsSpan(_used);

    /// <summary>What was written to <see cref="Rest"/>.</summary>
    public ReadOnlySpan<byte> Take(int length)
    {
        _used += length;
        return _bytes.AsSpan(_used - length, length);
    }

    /// <summary>The characters of a string; empty for anything else, and for one with an escape that JSON does not know.</summary>
    public ReadOnlySpan<byte> Of(JsonRaw value)
    {
        if (value.Kind != JsonKind.String) return default;
        if (!value.Escaped) return value.Bytes;
        return value.Bytes.Length <= Rest.Length && JsonLineReader.TryUnescape(value.Bytes, Rest, out int length) ? Take(length) : default;
    }

    /// <summary>
    /// The model's form of a name: without the last dot, and what is not printable ASCII as \DDD; what Suricata has made \xHH of stays so. It says nothing
    /// for the root. Empty = there is none, or it is longer than any.
    /// </summary>
    public ReadOnlySpan<byte> Name(JsonRaw value)
    {
        if (value.Kind != JsonKind.String) return default;
        ReadOnlySpan<byte> name = Of(value);
        if (name.IsEmpty) return value.Bytes.IsEmpty ? "."u8 : default;
        if (name.Length > 1 && name[^1] == '.' && name[^2] != '\\') name = name[..^1];
        // Of such length no name is, however it is written.
        if (name.Length > MaxName) return default;
        if (!name.ContainsAnyExceptInRange((byte)' ', (byte)'~')) return name;
        int start = _used;
        foreach (byte c in name)
        {
            if (c is >= (byte)' ' and <= (byte)'~')
            {
                _bytes[_used++] = c;
                continue;
            }
            _bytes[_used++] = (byte)'\\';
            _bytes[_used++] = (byte)('0' + (c / 100));
            _bytes[_used++] = (byte)('0' + (c / 10 % 10));
            _bytes[_used++] = (byte)('0' + (c % 10));
        }
        int length = _used - start;
        return length <= MaxName ? _bytes.AsSpan(start, length) : default;
    }

    /// <summary>The strings of an array, or a single one, with commas between them.</summary>
    public ReadOnlySpan<byte> Joined(JsonRaw value)
    {
        if (value.Kind != JsonKind.Array) return Of(value);
        int start = _used;
        JsonLineReader list = JsonLineReader.Array(value.Bytes);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.String || item.Bytes.Length >= Rest.Length) continue;
            if (_used > start) _bytes[_used++] = (byte)',';
            if (JsonLineReader.TryUnescape(item.Bytes, Rest, out int length)) _used += length;
        }
        return _bytes.AsSpan(start, _used - start);
    }

    /// <summary>The first string of an array, or a single one.</summary>
    public ReadOnlySpan<byte> First(JsonRaw value)
    {
        if (value.Kind != JsonKind.Array) return Of(value);
        JsonLineReader list = JsonLineReader.Array(value.Bytes);
        return list.Next(out JsonRaw item) ? Of(item) : default;
    }
}
