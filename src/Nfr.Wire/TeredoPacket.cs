using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>Teredo, RFC 4380 5.1.1: IPv6 in UDP, behind an authentication or origin header or both. Every getter is safe once <see cref="TryRead"/> has said true.</summary>
public readonly ref struct TeredoPacket
{
    /// <summary>The server's. Clients and relays talk on any, so the content must say it.</summary>
    public const ushort Port = 3544;

    const int IPv6HeaderLength = 40;
    const int AuthenticationLength = 13, OriginLength = 8;

    /// <summary>RFC 4380 2.6: 2001:0000::/32.</summary>
    const uint Prefix = 0x20010000;

    TeredoPacket(ReadOnlySpan<byte> payload) => Payload = payload;

    /// <summary>An IPv6 packet.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>May begin a Teredo packet: a cheap look before <see cref="TryRead"/>.</summary>
    public static bool MayBe(ReadOnlySpan<byte> bytes) => bytes.Length >= IPv6HeaderLength && (bytes[0] >> 4 == 6 || (bytes[0] == 0 && bytes[1] <= 1));

    /// <summary>False unless an IPv6 packet follows that is as long as the datagram says, from or to an address that Teredo gives out or asks for (link-local).</summary>
    /// <param name="bytes">The payload of the UDP datagram, as far as captured.</param>
    /// <param name="cutOff">Bytes of it that were not.</param>
    /// <param name="packet">What is behind Teredo's own headers.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, int cutOff, out TeredoPacket packet)
    {
        packet = default;
        if (bytes.Length >= AuthenticationLength && bytes[0] == 0 && bytes[1] == 1)
        {
            int length = AuthenticationLength + bytes[2] + bytes[3];
            if (bytes.Length < length) return false;
            bytes = bytes[length..];
        }
        if (bytes.Length >= OriginLength && bytes[0] == 0 && bytes[1] == 0) bytes = bytes[OriginLength..];
        if (bytes.Length < IPv6HeaderLength || bytes[0] >> 4 != 6) return false;
        int announced = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) + IPv6HeaderLength, there = bytes.Length + cutOff;
        // A bubble has no payload, and what some put behind it (trailers of later extensions) is not the packet's.
        bool bubble = bytes[6] == IPProtocol.NoNextHeader;
        if (bubble ? announced > there : announced != there) return false;
        if (!IsTeredo(bytes[8..]) && !IsTeredo(bytes[24..])) return false;
        packet = new TeredoPacket(bytes);
        return true;
    }

    static bool IsTeredo(ReadOnlySpan<byte> address) =>
        BinaryPrimitives.ReadUInt32BigEndian(address) == Prefix || BinaryPrimitives.ReadUInt64BigEndian(address) == 0xFE80_0000_0000_0000;
}
