using System.Globalization;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// An address prefix (RFC 4632, RFC 4291 2.3). An IPv4 prefix lies in ::ffff:0:0/96 like <see cref="Address"/> itself; an IPv6 prefix
/// never holds an IPv4 address, not even ::/0.
/// </summary>
public readonly struct IpPrefix : IEquatable<IpPrefix>, IComparable<IpPrefix>
{
    const int V4Offset = 96;

    IpPrefix(Address first, int bits)
    {
        First = first;
        Bits = bits;
    }

    /// <summary>The lowest address: the host bits are zero.</summary>
    public Address First { get; }

    /// <summary>Fixed bits of the 128: 96 more than <see cref="Length"/> for IPv4.</summary>
    public int Bits { get; }

    public bool IsV4 => Bits >= V4Offset && First.IsV4;

    /// <summary>The number after the slash: 0 to 32 for IPv4, 0 to 128 for IPv6.</summary>
    public int Length => IsV4 ? Bits - V4Offset : Bits;

    /// <summary>The highest address.</summary>
    public Address Last => new(First.High | ~HighMask(Bits), First.Low | ~LowMask(Bits));

    /// <summary>0.0.0.0/0 or ::/0.</summary>
    public bool IsEverything => IsV4 ? Bits == V4Offset : Bits == 0;

    public bool Contains(Address address) =>
        (address.High & HighMask(Bits)) == First.High && (address.Low & LowMask(Bits)) == First.Low && address.IsV4 == IsV4;

    /// <summary>The prefix of that length around an address; host bits are cleared. The length counts as the address's family does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or above 32 (IPv4) or 128 (IPv6).</exception>
    public static IpPrefix Of(Address address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, address.IsV4 ? 32 : 128);
        int bits = address.IsV4 ? length + V4Offset : length;
        return new IpPrefix(new Address(address.High & HighMask(bits), address.Low & LowMask(bits)), bits);
    }

    /// <summary>
    /// "10.0.0.0/8", "fc00::/7". The slash is required; host bits may be set and are cleared, as Go's ParseCIDR does, since existing
    /// scope files rely on it.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out IpPrefix prefix)
    {
        prefix = default;
        int slash = text.IndexOf('/');
        if (slash < 0) return false;
        ReadOnlySpan<char> digits = text[(slash + 1)..];
        if (digits.Length is 0 or > 3 || digits.ContainsAnyExceptInRange('0', '9')) return false;
        if (!Address.TryParse(text[..slash], out Address address)) return false;
        int length = int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        // "::ffff:10.0.0.0/104" is written as IPv6 but means 10.0.0.0/8.
        bool mapped = address.IsV4 && text[..slash].Contains(':');
        if (mapped && length >= V4Offset) length -= V4Offset;
        else if (mapped) return false;
        if (length > (address.IsV4 ? 32 : 128)) return false;
        prefix = Of(address, length);
        return true;
    }

    /// <summary>For constants in code.</summary>
    /// <exception cref="FormatException">The text is no prefix.</exception>
    public static IpPrefix Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out IpPrefix prefix) ? prefix : throw new FormatException($"no CIDR prefix: {text}");

    public bool Equals(IpPrefix other) => First == other.First && Bits == other.Bits;
    public override bool Equals(object? obj) => obj is IpPrefix other && Equals(other);
    public override int GetHashCode() => HashCode.Combine(First, Bits);

    /// <summary>By first address, then wider before narrower: a prefix comes after all that hold it.</summary>
    public int CompareTo(IpPrefix other)
    {
        int order = First.CompareTo(other.First);
        return order != 0 ? order : Bits.CompareTo(other.Bits);
    }

    public static bool operator ==(IpPrefix left, IpPrefix right) => left.Equals(right);
    public static bool operator !=(IpPrefix left, IpPrefix right) => !left.Equals(right);
    public static bool operator <(IpPrefix left, IpPrefix right) => left.CompareTo(right) < 0;
    public static bool operator >(IpPrefix left, IpPrefix right) => left.CompareTo(right) > 0;
    public static bool operator <=(IpPrefix left, IpPrefix right) => left.CompareTo(right) <= 0;
    public static bool operator >=(IpPrefix left, IpPrefix right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}/{Length}");

    static ulong HighMask(int bits) => bits >= 64 ? ulong.MaxValue : bits == 0 ? 0 : ulong.MaxValue << (64 - bits);
    static ulong LowMask(int bits) => bits >= 128 ? ulong.MaxValue : bits <= 64 ? 0 : ulong.MaxValue << (128 - bits);
}
