using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>A 48-bit hardware address (IEEE 802 8.2) as a number.</summary>
public static class HardwareAddress
{
    /// <summary>From six bytes; the caller has checked the length.</summary>
    public static ulong Read(ReadOnlySpan<byte> bytes) => ((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);

    /// <summary>Of one station: neither zero nor of a group.</summary>
    public static bool IsOfStation(ulong address) => address != 0 && (address >> 40 & 1) == 0;
}
