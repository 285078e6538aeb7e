using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Nfr.Wire;

/// <summary>
/// An IPv4 or IPv6 address as 128 bits in host order. IPv4 lives in ::ffff:0:0/96 (RFC 4291, 2.5.5.2), so that one table and one
/// comparison serve both families.
/// </summary>
public readonly struct Address(ulong high, ulong low) : IEquatable<Address>, IComparable<Address>
{
    const ulong V4Prefix = 0x0000_FFFF_0000_0000;

    /// <summary>The longest text of an address, in bytes: eight groups of four digits and seven colons.</summary>
    public const int MaxTextLength = 39;

    public readonly ulong High = high;
    public readonly ulong Low = low;

    public bool IsV4 => High == 0 && (Low >> 32) == 0xFFFF;

    /// <summary>Neither 0.0.0.0 nor :: nor unset.</summary>
    public bool IsUnspecified => High == 0 && (Low == 0 || Low == V4Prefix);

    /// <summary>The 32 bits of an IPv4 address; meaningless for IPv6.</summary>
    public uint V4 => (uint)Low;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Address FromV4(uint hostOrder) => new(0, V4Prefix | hostOrder);

    /// <summary>From 4 bytes in network order; the caller has checked the length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Address ReadV4(ReadOnlySpan<byte> bytes) => FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>From 16 bytes in network order; the caller has checked the length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Address ReadV6(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>Writes 4 or 16 bytes in network order and returns how many.</summary>
    public int WriteBytes(Span<byte> destination)
    {
        if (IsV4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, V4);
            return 4;
        }
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
        return 16;
    }

    /// <summary>Text of RFC 4291 / RFC 5952 as UTF-8; <paramref name="destination"/> holds at least <see cref="MaxTextLength"/> bytes.</summary>
    public int Format(Span<byte> destination)
    {
        if (IsV4)
        {
            uint v = V4;
            int n = 0;
            for (int shift = 24; shift >= 0; shift -= 8)
            {
                n = WriteDecimal(v >> shift & 0xFF, destination, n);
                if (shift > 0) destination[n++] = (byte)'.';
            }
            return n;
        }
        return FormatV6(destination);
    }

    /// <summary>Up to 255.</summary>
    static int WriteDecimal(uint value, Span<byte> destination, int n)
    {
        if (value >= 100)
        {
            destination[n++] = (byte)('0' + (value / 100));
            value %= 100;
            destination[n++] = (byte)('0' + (value / 10));
            value %= 10;
        }
        else if (value >= 10)
        {
            destination[n++] = (byte)('0' + (value / 10));
            value %= 10;
        }
        destination[n++] = (byte)('0' + value);
        return n;
    }

    /// <summary>One to four digits; four bytes are written, and those behind the digits mean nothing.</summary>
    static int WriteHex(uint value, Span<byte> destination, int n)
    {
        // A digit in each byte, the first one lowest; then '0' to '9' and 'a' to 'f' of all four at once.
        uint digits = (value >> 12) | (value & 0x0F00) | ((value & 0x00F0) << 12) | ((value & 0x000F) << 24);
        digits += 0x3030_3030 + ((((digits + 0x0606_0606) >> 4) & 0x0101_0101) * ('a' - '0' - 10));
        int leadingZeros = Math.Min(3, (BitOperations.LeadingZeroCount(value) - 16) / 4);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[n..], digits >> (8 * leadingZeros));
        return n + 4 - leadingZeros;
    }

    ushort Group(int i) => (ushort)((i < 4 ? High : Low) >> (48 - (16 * (i & 3))));

    int FormatV6(Span<byte> destination)
    {
        // RFC 5952: the longest run of two or more zero groups becomes "::", the first one on a tie.
        uint zeros = 0;
        for (int i = 0; i < 8; i++) zeros |= (Group(i) == 0 ? 1u : 0u) << i;
        uint starts = 0;
        int length = 0;
        for (uint runs = zeros; runs != 0; runs &= runs >> 1, length++) starts = runs;
        int best = length > 1 ? BitOperations.TrailingZeroCount(starts) : -1;
        int n = 0;
        for (int i = 0; i < 8; i++)
        {
            if (i == best)
            {
                destination[n++] = (byte)':';
                destination[n++] = (byte)':';
                i += length - 1;
                continue;
            }
            if (i > 0 && (best < 0 || i != best + length)) destination[n++] = (byte)':';
            n = WriteHex(Group(i), destination, n);
        }
        return n;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out Address address)
    {
        address = default;
        // IPAddress accepts shorthand such as "1" or "0x7f.1"; a list or config must not.
        if (text.Length > AddressText.MaxLength) return false;
        Span<byte> bytes = stackalloc byte[text.Length];
        return Ascii.FromUtf16(text, bytes, out _) == OperationStatus.Done && AddressText.TryParse(bytes, out address);
    }

    public static Address FromIPAddress(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int n);
        return n == 4 ? ReadV4(bytes) : ReadV6(bytes);
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..WriteBytes(bytes)]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(Address other) => High == other.High && Low == other.Low;
    public override bool Equals(object? obj) => obj is Address other && Equals(other);
    public override int GetHashCode() => HashCode.Combine(High, Low);
    public int CompareTo(Address other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);
    public static bool operator ==(Address left, Address right) => left.Equals(right);
    public static bool operator !=(Address left, Address right) => !left.Equals(right);
    public static bool operator <(Address left, Address right) => left.CompareTo(right) < 0;
    public static bool operator >(Address left, Address right) => left.CompareTo(right) > 0;
    public static bool operator <=(Address left, Address right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Address left, Address right) => left.CompareTo(right) >= 0;

    public override string ToString()
    {
        Span<byte> text = stackalloc byte[MaxTextLength + 2];
        return System.Text.Encoding.ASCII.GetString(text[..Format(text)]);
    }
}
