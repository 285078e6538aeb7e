using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>IEEE 802.2 logical link control with the SNAP extension of RFC 1042: how IP lies in 802.3 and 802.11 frames.</summary>
public static class LlcSnap
{
    public const int LlcLength = 3;
    public const int HeaderLength = 8;

    /// <summary>The EtherType behind the header; <see cref="EtherType.None"/> for another service (spanning tree, IS-IS) or organisation.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ushort etherType, out ReadOnlySpan<byte> payload)
    {
        etherType = EtherType.None;
        payload = default;
        if (bytes.Length < LlcLength) return DecodeFault.LlcTooShort;
        // SNAP's access point on both sides, unnumbered information.
        if (bytes[0] != 0xAA || bytes[1] != 0xAA || bytes[2] != 3) return DecodeFault.None;
        if (bytes.Length < HeaderLength) return DecodeFault.LlcTooShort;
        // Organisation 0, or 802.1H's for bridges: an EtherType follows.
        if (bytes[3] != 0 || bytes[4] != 0 || bytes[5] is not (0 or 0xF8)) return DecodeFault.None;
        etherType = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        payload = bytes[HeaderLength..];
        return DecodeFault.None;
    }
}
