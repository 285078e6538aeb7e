using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>GTP-U version 1, 3GPP TS 29.281 5: a mobile network's tunnel for users' packets. Every getter is safe once <see cref="TryRead"/> has said true.</summary>
public readonly ref struct GtpHeader
{
    public const ushort Port = 2152;
    public const int MinimumHeaderLength = 8;

    /// <summary>More extension headers than any interface has are no GTP.</summary>
    const int MaximumExtensions = 8;

    const byte TPdu = 0xFF;

    GtpHeader(uint tunnel, ReadOnlySpan<byte> payload)
    {
        TunnelEndpoint = tunnel;
        Payload = payload;
    }

    /// <summary>The TEID that the receiver knows the tunnel by.</summary>
    public uint TunnelEndpoint { get; }

    /// <summary>An IP packet; empty for the protocol's own messages (echo, error, end marker).</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False for another version, for GTP', when a header is not whole, or when its length is not the datagram's.</summary>
    /// <param name="bytes">The payload of the UDP datagram, as far as captured.</param>
    /// <param name="cutOff">Bytes of it that were not.</param>
    /// <param name="header">The header and what is behind it.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int cutOff, out GtpHeader header)
    {
        header = default;
        if (bytes.Length < MinimumHeaderLength || (bytes[0] & 0xF0) != 0x30) return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) + MinimumHeaderLength != bytes.Length + cutOff) return false;
        uint tunnel = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        if (bytes[1] != TPdu)
        {
            // TS 29.281 6.1: echo, error indication, supported extensions, end marker.
            if (bytes[1] is not (1 or 2 or 26 or 31 or 254)) return false;
            header = new GtpHeader(tunnel, default);
            return true;
        }
        bool hasExtensions = (bytes[0] & 4) != 0;
        ReadOnlySpan<byte> rest = bytes[MinimumHeaderLength..];
        if ((bytes[0] & 7) != 0)
        {
            // Sequence number, N-PDU number and next extension come together.
            if (rest.Length < 4) return false;
            byte next = rest[3];
            rest = rest[4..];
            for (int i = 0; hasExtensions && next != 0; i++)
            {
                if (i == MaximumExtensions || rest.IsEmpty) return false;
                int length = rest[0] * 4;
                if (length == 0 || rest.Length < length) return false;
                next = rest[length - 1];
                rest = rest[length..];
            }
        }
        if (rest.IsEmpty || rest[0] >> 4 is not (4 or 6)) return false;
        header = new GtpHeader(tunnel, rest);
        return true;
    }
}
