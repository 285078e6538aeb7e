using System.Buffers.Binary;

namespace Nfr.Capture;

/// <summary>The byte order of a capture file's writer, as a type: each reader loop is compiled once for each, without a branch.</summary>
interface IByteOrder
{
    static abstract ushort UInt16(ReadOnlySpan<byte> bytes);
    static abstract uint UInt32(ReadOnlySpan<byte> bytes);
    static abstract long Int64(ReadOnlySpan<byte> bytes);
}

readonly struct LittleEndianOrder : IByteOrder
{
    public static ushort UInt16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    public static uint UInt32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    public static long Int64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes);
}

readonly struct BigEndianOrder : IByteOrder
{
    public static ushort UInt16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16BigEndian(bytes);
    public static uint UInt32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes);
    public static long Int64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64BigEndian(bytes);
}
