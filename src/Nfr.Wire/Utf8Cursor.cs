using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace Nfr.Wire;

/// <summary>Writes text into a caller's buffer. What does not fit is left out, and <see cref="IsCut"/> says so.</summary>
internal ref struct Utf8Cursor(Span<byte> destination)
{
    readonly Span<byte> _destination = destination;
    int _length;

    public readonly int Length => _length;
    public readonly ReadOnlySpan<byte> Written => _destination[.._length];

    /// <summary>Room left; whoever fills it calls <see cref="Advance"/>.</summary>
    public readonly Span<byte> Rest => _destination[_length..];

    public bool IsCut { get; private set; }

    public void Advance(int count) => _length += count;

    /// <summary>Goes back to an earlier <see cref="Length"/>: what came after it turned out malformed.</summary>
    public void Rewind(int length)
    {
        _length = length;
        IsCut = false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(byte value)
    {
        if (_length < _destination.Length && !IsCut) _destination[_length++] = value;
        else IsCut = true;
    }

    public void Append(scoped ReadOnlySpan<byte> text)
    {
        int fits = Math.Min(text.Length, _destination.Length - _length);
        if (IsCut) return;
        text[..fits].CopyTo(_destination[_length..]);
        _length += fits;
        IsCut = fits < text.Length;
    }

    public void AppendDecimal(uint value)
    {
        if (value < 10)
        {
            Append((byte)('0' + value));
            return;
        }
        if (value <= ushort.MaxValue && !IsCut && _destination.Length - _length >= ShortDigits)
        {
            AppendShort(value);
            return;
        }
        if (!IsCut && Utf8Formatter.TryFormat(value, Rest, out int written)) _length += written;
        else IsCut = true;
    }

    const int ShortDigits = 5;

    /// <summary>Of 10 to 65,535, where there is room: nearly all that fingerprints are made of.</summary>
    void AppendShort(uint value)
    {
        int digits = value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : ShortDigits;
        Span<byte> place = _destination.Slice(_length, digits);
        for (int i = place.Length - 1; i >= 0; i--)
        {
            uint tenth = value / 10;
            place[i] = (byte)('0' + value - (tenth * 10));
            value = tenth;
        }
        _length += digits;
    }

    /// <summary>Two lower-case hex digits.</summary>
    public void AppendHex(byte value)
    {
        Append(Hex.Digit(value >> 4));
        Append(Hex.Digit(value & 15));
    }

    /// <summary>Four lower-case hex digits.</summary>
    public void AppendHex(ushort value)
    {
        AppendHex((byte)(value >> 8));
        AppendHex((byte)value);
    }

    /// <summary>Three decimal digits after a backslash, the way of RFC 1035 5.1 for a byte that is not printable.</summary>
    public void AppendDdd(byte value)
    {
        Append((byte)'\\');
        Append((byte)('0' + (value / 100)));
        Append((byte)('0' + (value / 10 % 10)));
        Append((byte)('0' + (value % 10)));
    }
}
