using System.Buffers;
using System.Buffers.Text;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Nfr.Events;

/// <summary>What a JSON value is, by its first byte.</summary>
enum JsonKind : byte
{
    None,
    String,
    Number,
    True,
    False,
    Null,
    Object,
    Array,
}

/// <summary>A value as it stands in the line: of a string what is between its quotes, else all of it.</summary>
readonly ref struct JsonRaw(JsonKind kind, ReadOnlySpan<byte> bytes, bool escaped, int start = 0)
{
    public readonly JsonKind Kind = kind;
    public readonly ReadOnlySpan<byte> Bytes = bytes;
    /// <summary>A string with a backslash in it.</summary>
    public readonly bool Escaped = escaped;
    /// <summary>Where <see cref="Bytes"/> begin in the text that was walked.</summary>
    public readonly int Start = start;

    /// <summary>A whole number, also one that is written as a text or with a fraction; false for everything else.</summary>
    public bool TryNumber(out long number)
    {
        number = 0;
        if (Kind is not (JsonKind.Number or JsonKind.String) || Escaped || Bytes.IsEmpty) return false;
        if (IsDigits(out number)) return true;
        // A word, which is what is asked most of those that are none: nothing that begins so is a finite number.
        if (Bytes[0] > '9') return false;
        if (Utf8Parser.TryParse(Bytes, out number, out int used) && used == Bytes.Length) return true;
        if (!TryDouble(out double real) || Math.Abs(real) >= long.MaxValue) return false;
        number = (long)real;
        return true;
    }

    /// <summary>Digits alone, so few that they fit.</summary>
    bool IsDigits(out long number)
    {
        number = 0;
        if (Bytes.Length > 18) return false;
        foreach (byte c in Bytes)
        {
            uint digit = (uint)(c - '0');
            if (digit > 9) return false;
            number = (number * 10) + digit;
        }
        return true;
    }

    public bool TryDouble(out double number)
    {
        number = 0;
        return Kind is JsonKind.Number or JsonKind.String && !Escaped
            && Utf8Parser.TryParse(Bytes, out number, out int used) && used == Bytes.Length && double.IsFinite(number);
    }
}

/// <summary>
/// Walks one JSON object or array (RFC 8259) that lies in one piece. The platform's reader says "this is no JSON" by an exception, which takes
/// as long as a hundred good lines: a body of garbage must cost no more than a good one. So what is wrong here ends the walk, and
/// <see cref="Failed"/> says so. Values of unknown keys are skipped by their brackets and strings alone.
/// </summary>
ref struct JsonLineReader
{
    /// <summary>Brackets within brackets; a deeper value fails the line.</summary>
    const int MaxDepth = 32;

    static readonly SearchValues<byte> s_stringEnds = SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, 32).Select(c => (byte)c)]);
    static readonly SearchValues<byte> s_brackets = SearchValues.Create("\"{}[]"u8);

    readonly ReadOnlySpan<byte> _text;
    readonly byte _close;
    int _at;
    bool _begun;

    JsonLineReader(ReadOnlySpan<byte> text, byte close)
    {
        _text = text;
        _close = close;
    }

    /// <summary>The text is not JSON; what was read before stays read.</summary>
    public bool Failed { get; private set; }

    public static JsonLineReader Object(ReadOnlySpan<byte> text) => Begin(text, (byte)'{', (byte)'}');

    public static JsonLineReader Array(ReadOnlySpan<byte> text) => Begin(text, (byte)'[', (byte)']');

    static JsonLineReader Begin(ReadOnlySpan<byte> text, byte open, byte close)
    {
        var reader = new JsonLineReader(text, close);
        reader.SkipSpace();
        if (reader._at < text.Length && text[reader._at] == open) reader._at++;
        else reader.Failed = true;
        return reader;
    }

    /// <summary>The next key and its value; false at the end, or when the line is broken. A key with escapes is none of ours: it is skipped as "".</summary>
    public bool Next(out ReadOnlySpan<byte> key, out JsonRaw value)
    {
        key = default;
        value = default;
        if (!Item()) return false;
        if (_text[_at] != '"' || !Key(out key)) return Fail();
        SkipSpace();
        if (_at >= _text.Length || _text[_at++] != ':') return Fail();
        SkipSpace();
        return Value(out value) || Fail();
    }

    /// <summary>A short one without escapes, as nearly all are, is found here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool Key(out ReadOnlySpan<byte> key)
    {
        int start = _at + 1;
        if (_text.Length - start >= Vector128<byte>.Count)
        {
            uint ends = StringEnds(Vector128.Create(_text.Slice(start, Vector128<byte>.Count)));
            int length = BitOperations.TrailingZeroCount(ends);
            if (ends != 0 && _text[start + length] == '"')
            {
                key = _text.Slice(start, length);
                _at = start + length + 1;
                return true;
            }
        }
        bool whole = String(out JsonRaw name);
        key = name.Escaped ? default : name.Bytes;
        return whole;
    }

    /// <summary>A bit for each quote, backslash and control character.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static uint StringEnds(Vector128<byte> bytes) =>
        (Vector128.Equals(bytes, Vector128.Create((byte)'"')) | Vector128.Equals(bytes, Vector128.Create((byte)'\\'))
            | Vector128.LessThan(bytes, Vector128.Create((byte)' '))).ExtractMostSignificantBits();

    /// <summary>The next value of an array.</summary>
    public bool Next(out JsonRaw value)
    {
        value = default;
        return Item() && (Value(out value) || Fail());
    }

    /// <summary>Stands on the next item: behind the comma, if one is due.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    bool Item()
    {
        if (Failed) return false;
        SkipSpace();
        if (_at >= _text.Length) return Fail();
        if (_text[_at] == _close)
        {
            _at++;
            SkipSpace();
            // Something behind the end: two objects in one line, or half of one.
            if (_at < _text.Length) Failed = true;
            return false;
        }
        if (_begun)
        {
            if (_text[_at++] != ',') return Fail();
            SkipSpace();
            if (_at >= _text.Length) return Fail();
        }
        _begun = true;
        return true;
    }

    bool Value(out JsonRaw value)
    {
        value = default;
        if (_at >= _text.Length) return false;
        switch (_text[_at])
        {
            case (byte)'"': return String(out value);
            case (byte)'{': return Nested(JsonKind.Object, out value);
            case (byte)'[': return Nested(JsonKind.Array, out value);
            case (byte)'t': return Word(JsonKind.True, "true"u8, out value);
            case (byte)'f': return Word(JsonKind.False, "false"u8, out value);
            case (byte)'n': return Word(JsonKind.Null, "null"u8, out value);
        }
        ReadOnlySpan<byte> text = _text;
        int start = _at, at = start;
        while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9' or (byte)'-' or (byte)'+' or (byte)'.' or (byte)'e' or (byte)'E') at++;
        // Whether it is one is found by whoever wants it.
        value = new JsonRaw(JsonKind.Number, text[start..at], false, start);
        _at = at;
        return at > start;
    }

    bool Word(JsonKind kind, ReadOnlySpan<byte> word, out JsonRaw value)
    {
        value = new JsonRaw(kind, default, false);
        if (!_text[_at..].StartsWith(word)) return false;
        _at += word.Length;
        return true;
    }

    bool String(out JsonRaw value)
    {
        value = default;
        ReadOnlySpan<byte> text = _text;
        int start = _at + 1, at = start;
        bool escaped = false;
        while (true)
        {
            // Most strings end within 16 bytes: found without a call.
            if (text.Length - at >= Vector128<byte>.Count)
            {
                uint ends = StringEnds(Vector128.Create(text.Slice(at, Vector128<byte>.Count)));
                if (ends == 0)
                {
                    at += Vector128<byte>.Count;
                    continue;
                }
                at += BitOperations.TrailingZeroCount(ends);
            }
            else
            {
                int n = text[at..].IndexOfAny(s_stringEnds);
                if (n < 0) return false;
                at += n;
            }
            if (text[at] == '"') break;
            if (text[at] != '\\' || at + 1 >= text.Length) return false;
            escaped = true;
            at += 2;
        }
        value = new JsonRaw(JsonKind.String, text[start..at], escaped, start);
        _at = at + 1;
        return true;
    }

    /// <summary>
    /// Finds the end of an object or array, 64 bytes at a time: a bit a byte for quotes, brackets and what may not stand in a string; what is
    /// within strings follows from the quotes.
    /// </summary>
    bool Nested(JsonKind kind, out JsonRaw value)
    {
        const int Block = 64;
        ReadOnlySpan<byte> text = _text;
        if (text.Length < Block) return NestedByMarks(kind, out value);
        value = default;
        int start = _at, depth = 0;
        // One bit a level: 1 = object.
        uint levels = 0;
        // All ones when the block before ended within a string; 1 when it ended with a backslash that escapes.
        ulong within = 0, escapes = 0;
        for (int at = start; at < text.Length; at += Block)
        {
            // The last block is taken from the end, and what of it was seen before is shifted out.
            int seen = Math.Max(0, Block - (text.Length - at));
            ReadOnlySpan<byte> block = text.Slice(at - seen, Block);
            Vector256<byte> low = Vector256.Create(block[..32]), high = Vector256.Create(block[32..]);
            Vector256<byte> letter = Vector256.Create((byte)0x20), open = Vector256.Create((byte)'{'), close = Vector256.Create((byte)'}');
            ulong quotes = Bits(Vector256.Equals(low, Vector256.Create((byte)'"')), Vector256.Equals(high, Vector256.Create((byte)'"'))) >> seen;
            ulong slashes = Bits(Vector256.Equals(low, Vector256.Create((byte)'\\')), Vector256.Equals(high, Vector256.Create((byte)'\\'))) >> seen;
            ulong control = Bits(Vector256.LessThan(low, letter), Vector256.LessThan(high, letter)) >> seen;
            // '[' and '{' differ in the bit that small letters have; so do ']' and '}'.
            ulong opening = Bits(Vector256.Equals(low | letter, open), Vector256.Equals(high | letter, open)) >> seen;
            ulong closing = Bits(Vector256.Equals(low | letter, close), Vector256.Equals(high | letter, close)) >> seen;

            ulong escaped = escapes;
            escapes = 0;
            if (slashes != 0)
            {
                escaped |= Escaped(slashes & ~escaped, out escapes);
                quotes &= ~escaped;
                control &= ~escaped;
            }
            else if (escaped != 0)
            {
                quotes &= ~escaped;
                control &= ~escaped;
            }
            ulong strings = Between(quotes) ^ within;
            // A backslash outside of a string is no JSON, and escapes nothing.
            if ((slashes & ~strings) != 0) return NestedByMarks(kind, out value);
            control &= strings;
            for (ulong brackets = (opening | closing) & ~strings; brackets != 0; brackets &= brackets - 1)
            {
                int i = BitOperations.TrailingZeroCount(brackets);
                ulong isObject = text[at + i] >= '{' ? 1u : 0u;
                if ((opening >> i & 1) != 0)
                {
                    if (++depth > MaxDepth) return false;
                    levels = (levels << 1) | (uint)isObject;
                    continue;
                }
                if ((levels & 1) != isObject) return false;
                levels >>= 1;
                if (--depth > 0) continue;
                if ((control & ((1UL << i) - 1)) != 0) return false;
                _at = at + i + 1;
                value = new JsonRaw(kind, text[start.._at], false, start);
                return true;
            }
            if (control != 0) return false;
            within = (ulong)((long)strings >> 63);
        }
        return false;
    }

    static ulong Bits(Vector256<byte> low, Vector256<byte> high) => low.ExtractMostSignificantBits() | ((ulong)high.ExtractMostSignificantBits() << 32);

    /// <summary>The bits from each odd one, itself with it, to the next even one: what is within strings, when the bits are quotes.</summary>
    static ulong Between(ulong bits)
    {
        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        return bits ^ (bits << 32);
    }

    /// <summary>What stands behind a backslash that is not itself behind one.</summary>
    /// <param name="slashes">But one that is escaped by the block before.</param>
    /// <param name="next">1 when the next block's first byte is.</param>
    static ulong Escaped(ulong slashes, out ulong next)
    {
        ulong escaped = 0;
        next = 0;
        while (slashes != 0)
        {
            ulong slash = slashes & (~slashes + 1), behind = slash << 1;
            if (behind == 0) next = 1;
            escaped |= behind;
            slashes &= ~(slash | behind);
        }
        return escaped;
    }

    /// <summary>The same from one bracket or quote to the next: for short texts, and for what the other way does not care to tell.</summary>
    bool NestedByMarks(JsonKind kind, out JsonRaw value)
    {
        value = default;
        int start = _at, depth = 0;
        uint levels = 0;
        while (true)
        {
            int n = _text[_at..].IndexOfAny(s_brackets);
            if (n < 0) return false;
            _at += n;
            byte c = _text[_at];
            if (c == '"')
            {
                if (!String(out _)) return false;
                continue;
            }
            _at++;
            if (c is (byte)'{' or (byte)'[')
            {
                if (++depth > MaxDepth) return false;
                levels = (levels << 1) | (c == '{' ? 1u : 0);
                continue;
            }
            if ((levels & 1) != (c == '}' ? 1u : 0)) return false;
            levels >>= 1;
            if (--depth > 0) continue;
            value = new JsonRaw(kind, _text[start.._at], false, start);
            return true;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void SkipSpace()
    {
        if (_at < _text.Length && _text[_at] <= ' ') SkipSpaces();
    }

    void SkipSpaces()
    {
        while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') _at++;
    }

    bool Fail()
    {
        Failed = true;
        return false;
    }

    /// <summary>The characters of a string with escapes, as UTF-8; half a surrogate pair becomes U+FFFD.</summary>
    /// <param name="raw">Between the quotes.</param>
    /// <param name="destination">As long as <paramref name="raw"/> is enough: an escape is never shorter than its character.</param>
    /// <param name="written">Bytes.</param>
    /// <returns>False for an escape that JSON does not know.</returns>
    public static bool TryUnescape(ReadOnlySpan<byte> raw, Span<byte> destination, out int written)
    {
        written = 0;
        while (true)
        {
            int slash = raw.IndexOf((byte)'\\');
            ReadOnlySpan<byte> plain = slash < 0 ? raw : raw[..slash];
            plain.CopyTo(destination[written..]);
            written += plain.Length;
            if (slash < 0) return true;
            raw = raw[slash..];
            if (raw.Length < 2) return false;
            byte c = raw[1] switch
            {
                (byte)'"' => (byte)'"', (byte)'\\' => (byte)'\\', (byte)'/' => (byte)'/', (byte)'b' => (byte)'\b', (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n', (byte)'r' => (byte)'\r', (byte)'t' => (byte)'\t', _ => (byte)0,
            };
            if (c != 0)
            {
                destination[written++] = c;
                raw = raw[2..];
                continue;
            }
            if (!TryUnit(raw, out char unit)) return false;
            raw = raw[6..];
            var rune = Rune.ReplacementChar;
            if (!char.IsSurrogate(unit)) rune = new Rune(unit);
            else if (char.IsHighSurrogate(unit) && TryUnit(raw, out char low) && char.IsLowSurrogate(low))
            {
                rune = new Rune(unit, low);
                raw = raw[6..];
            }
            written += rune.EncodeToUtf8(destination[written..]);
        }
    }

    /// <summary>\u and four hex digits.</summary>
    static bool TryUnit(ReadOnlySpan<byte> text, out char unit)
    {
        unit = default;
        if (text.Length < 6 || text[0] != '\\' || text[1] != 'u' || !Utf8Parser.TryParse(text[2..6], out ushort value, out int used, 'x') || used != 4) return false;
        unit = (char)value;
        return true;
    }
}
