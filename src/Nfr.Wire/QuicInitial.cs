using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>QUIC versions by what their Initial packets are protected with.</summary>
public enum QuicVersion : byte
{
    Unknown,
    /// <summary>draft-ietf-quic-tls-23 to -28.</summary>
    Draft23,
    /// <summary>draft-ietf-quic-tls-29 to -32.</summary>
    Draft29,
    /// <summary>RFC 9000, and the drafts 33 and 34.</summary>
    Version1,
    /// <summary>RFC 9369.</summary>
    Version2,
}

/// <summary>
/// An Initial packet as it stands in a datagram, RFC 9000 17.2.2: the long header's fields up to the packet number, and the protected rest.
/// </summary>
public readonly ref struct QuicInitial
{
    const int MaximumConnectionIdLength = 20;

    public byte FirstByte { get; private init; }
    public QuicVersion Version { get; private init; }
    public ReadOnlySpan<byte> DestinationConnectionId { get; private init; }

    /// <summary>Packet number, payload and tag, all still protected.</summary>
    public ReadOnlySpan<byte> Protected { get; private init; }

    /// <summary>
    /// Moves past the packets of a datagram (RFC 9000 12.2: several may share one) up to and past the next Initial. False when there is none:
    /// a packet of another kind that has no length, a version not known here, or bytes that are no QUIC.
    /// </summary>
    public static bool TryNext(ref ReadOnlySpan<byte> datagram, out QuicInitial packet)
    {
        packet = default;
        while (datagram.Length >= 7 && (datagram[0] & 0xC0) == 0xC0)
        {
            ReadOnlySpan<byte> rest = datagram;
            byte first = rest[0];
            QuicVersion version = VersionOf(BinaryPrimitives.ReadUInt32BigEndian(rest[1..]));
            if (version == QuicVersion.Unknown) return false;
            rest = rest[5..];
            if (!TryConnectionId(ref rest, out ReadOnlySpan<byte> destination) || !TryConnectionId(ref rest, out _)) return false;
            // 0 Initial, 1 0-RTT, 2 Handshake, 3 Retry; version 2 counts one further (RFC 9369 3.2).
            int type = (first >> 4) & 3;
            if (version == QuicVersion.Version2) type = (type + 3) & 3;
            if (type == 3) return false;
            if (type == 0)
            {
                if (!TryInteger(ref rest, out ulong token) || token > (ulong)rest.Length) return false;
                rest = rest[(int)token..];
            }
            if (!TryInteger(ref rest, out ulong length) || length > (ulong)rest.Length) return false;
            ReadOnlySpan<byte> body = rest[..(int)length];
            datagram = rest[(int)length..];
            if (type != 0) continue;
            packet = new QuicInitial { FirstByte = first, Version = version, DestinationConnectionId = destination, Protected = body };
            return true;
        }
        return false;
    }

    /// <summary>A variable-length integer, RFC 9000 16.</summary>
    public static bool TryInteger(scoped ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        if (bytes.IsEmpty) return false;
        int length = 1 << (bytes[0] >> 6);
        if (bytes.Length < length) return false;
        value = bytes[0] & 0x3Fu;
        for (int i = 1; i < length; i++) value = (value << 8) | bytes[i];
        bytes = bytes[length..];
        return true;
    }

    static bool TryConnectionId(scoped ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> id)
    {
        id = default;
        if (bytes.IsEmpty || bytes[0] > MaximumConnectionIdLength || bytes.Length < 1 + bytes[0]) return false;
        id = bytes.Slice(1, bytes[0]);
        bytes = bytes[(1 + id.Length)..];
        return true;
    }

    static QuicVersion VersionOf(uint version) => version switch
    {
        1 or 0xFF000021 or 0xFF000022 => QuicVersion.Version1,
        0x6B3343CF => QuicVersion.Version2,
        >= 0xFF00001D and <= 0xFF000020 => QuicVersion.Draft29,
        >= 0xFF000017 and <= 0xFF00001C => QuicVersion.Draft23,
        _ => QuicVersion.Unknown,
    };
}
