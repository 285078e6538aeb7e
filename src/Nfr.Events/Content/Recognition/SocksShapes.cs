using System.Buffers.Binary;

namespace Nfr.Events;

/// <summary>SOCKS version 5 (RFC 1928), from either side.</summary>
static class SocksShapes
{
    public static bool IsVersion5(ReadOnlySpan<byte> b, int direction)
    {
        // A relay behind a firewall calls its users: then the side that opened the connection answers.
        if (IsGreeting(b) || IsAddressed(b, 1, 3)) return true;
        if (direction == 0) return false;
        // The choice of a method and the reply to the request, which follow each other when the client's side is missed.
        return IsAddressed(b, 0, 8) || (b.Length > 2 && b[1] <= 2 && IsAddressed(b[2..], 0, 8));
    }

    /// <summary>3: the methods that a client offers, as many as it says.</summary>
    static bool IsGreeting(ReadOnlySpan<byte> b)
    {
        if (b.Length < 3 || b[1] is 0 or >= 10 || b.Length != 2 + b[1]) return false;
        foreach (byte method in b[2..])
        {
            // IANA's numbers, and the first of those for private use.
            if (method is > 9 and < 0x80 or > 0x88) return false;
        }
        return true;
    }

    /// <summary>4, 6: a request or a reply: a code, a zero, and an address that ends where the segment does, with a port.</summary>
    static bool IsAddressed(ReadOnlySpan<byte> b, byte least, byte most) => b.Length >= 10 && b[0] == 5 && b[1] >= least && b[1] <= most && b[2] == 0 && b[3] switch
    {
        1 => b.Length == 10,
        3 => b.Length == 7 + b[4] && (least == 0 || BinaryPrimitives.ReadUInt16BigEndian(b[^2..]) != 0),
        4 => b.Length == 22,
        _ => false,
    };
}
