using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>IEEE 802.11 9.2: data frames that are not encrypted carry LLC, and so IP. Other frames have nothing for us.</summary>
public static class WirelessFrame
{
    public const int MinimumHeaderLength = 24;

    /// <summary>The payload begins with LLC (<see cref="LlcSnap"/>); it is empty for frames of management and control, for empty and for encrypted ones.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (bytes.Length < 2) return DecodeFault.WirelessTooShort;
        int subtype = bytes[0] >> 4, flags = bytes[1];
        // Version 0, type 2 is data; bit 2 of the subtype says that there is none; the protected bit hides it.
        if ((bytes[0] & 0x0F) != 8 || (subtype & 4) != 0 || (flags & 0x40) != 0) return DecodeFault.None;
        int length = MinimumHeaderLength;
        bool betweenStations = (flags & 3) == 3, quality = (subtype & 8) != 0;
        if (betweenStations) length += 6;
        bool aggregate = false;
        if (quality)
        {
            if (bytes.Length < length + 2) return DecodeFault.WirelessTooShort;
            aggregate = (bytes[length] & 0x80) != 0;
            length += 2;
            // HT control follows when the order bit is set.
            if ((flags & 0x80) != 0) length += 4;
        }
        if (bytes.Length < length) return DecodeFault.WirelessTooShort;
        // Frames within a frame (A-MSDU) are not taken apart, nor is a later fragment of one.
        if (!aggregate && (BinaryPrimitives.ReadUInt16LittleEndian(bytes[22..]) & 0xF) == 0) payload = bytes[length..];
        return DecodeFault.None;
    }

    /// <summary>Takes the radiotap header off (www.radiotap.org): a version, a pad, a length.</summary>
    /// <param name="bytes">The captured frame; afterwards the 802.11 frame, perhaps with its checksum behind.</param>
    public static DecodeFault TrySkipRadiotap(ref ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8) return DecodeFault.WirelessTooShort;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        if (length < 8 || bytes.Length < length) return DecodeFault.WirelessTooShort;
        bytes = bytes[length..];
        return DecodeFault.None;
    }
}
