using System.Buffers.Text;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>What the logs of all resolvers write alike.</summary>
static class LoggedQuery
{
    /// <summary>Bits of a DNS header's second word (RFC 1035 4.1.1, RFC 4035 3).</summary>
    public const ushort Response = 0x8000, Authoritative = 0x0400, Truncated = 0x0200, RecursionDesired = 0x0100, RecursionAvailable = 0x0080,
        AuthenticData = 0x0020, CheckingDisabled = 0x0010;

    public const byte Tcp = 6, Udp = 17;

    /// <summary>Header, and type and class of the question.</summary>
    const int AroundName = 12 + 4;

    /// <summary>Bytes of a query for a name of that length, without additional records.</summary>
    public static ushort Length(int nameWireLength) => (ushort)(AroundName + nameWireLength);

    /// <summary>An address, maybe in brackets, maybe with a zone ("fe80::1%eth0"), which a sensor elsewhere has no use for.</summary>
    public static bool TryAddress(ReadOnlySpan<byte> text, out Address address)
    {
        if (text is [(byte)'[', .., (byte)']']) text = text[1..^1];
        int zone = text.IndexOf((byte)'%');
        return AddressText.TryParse(zone < 0 ? text : text[..zone], out address);
    }

    /// <summary>"10.0.0.1#53", "[::1]:53", "10.0.0.1/53", "10.0.0.1@53", by the sign between the two.</summary>
    public static bool TryAddressAndPort(ReadOnlySpan<byte> text, byte sign, out Address address, out ushort port)
    {
        (address, port) = (default, 0);
        int at = text.LastIndexOf(sign);
        return at > 0 && TryAddress(text[..at], out address) && TryPort(text[(at + 1)..], out port);
    }

    public static bool TryPort(ReadOnlySpan<byte> text, out ushort port) => Utf8Parser.TryParse(text, out port, out int used) && used == text.Length;

    /// <summary>"A", "TYPE65", "type=65", "65"; 0 for one that nobody knows.</summary>
    public static ushort Type(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("type="u8)) text = text[5..];
        if (DnsTypes.TryParse(text, out ushort type)) return type;
        return TryPort(text, out type) ? type : (ushort)0;
    }

    public static bool IsClass(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("IN"u8) || text.SequenceEqual("CH"u8) || text.SequenceEqual("HS"u8) || text.SequenceEqual("ANY"u8) || text.SequenceEqual("NONE"u8)
        || text.StartsWith("CLASS"u8) || text.StartsWith("RESERVED"u8);

    /// <summary>"NXDOMAIN", "RCODE23"; -1 for none.</summary>
    public static short ResponseCode(ReadOnlySpan<byte> text)
    {
        if (text.SequenceEqual("NOERROR"u8)) return 0;
        Span<byte> scratch = stackalloc byte[DnsResponseCodes.MaxNameLength];
        for (ushort code = 1; code < 24; code++)
        {
            if (Ascii.EqualsIgnoreCase(text, DnsResponseCodes.Name(code, scratch))) return (short)code;
        }
        if (text.StartsWith("RCODE"u8) && Utf8Parser.TryParse(text[5..], out short other, out int used) && used == text.Length - 5) return other;
        return text.SequenceEqual("NOTIMPL"u8) ? (short)4 : (short)-1;
    }

    /// <summary>Takes what stands before the next blank, and the blanks behind it.</summary>
    public static ReadOnlySpan<byte> Word(scoped ref ReadOnlySpan<byte> text)
    {
        int blank = text.IndexOf((byte)' ');
        if (blank < 0)
        {
            ReadOnlySpan<byte> all = text;
            text = default;
            return all;
        }
        ReadOnlySpan<byte> word = text[..blank];
        text = text[blank..].TrimStart((byte)' ');
        return word;
    }

    public static bool IsBlank(ReadOnlySpan<byte> line) => !line.ContainsAnyExcept((byte)' ', (byte)'\t');
}
