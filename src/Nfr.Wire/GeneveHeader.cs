using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>Geneve, RFC 8926 3.4. Every getter is safe once <see cref="TryRead"/> has said true.</summary>
public readonly ref struct GeneveHeader
{
    public const ushort Port = 6081;
    public const int FixedHeaderLength = 8;

    readonly ReadOnlySpan<byte> _bytes;
    readonly int _length;

    GeneveHeader(ReadOnlySpan<byte> bytes, int length)
    {
        _bytes = bytes;
        _length = length;
    }

    /// <summary>EtherType of the payload.</summary>
    public ushort ProtocolType => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);
    /// <summary>24 bits: the VNI.</summary>
    public uint NetworkIdentifier => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]) >> 8;
    public ReadOnlySpan<byte> Payload => _bytes[_length..];

    /// <summary>False for another version, or when header and options are not whole.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out GeneveHeader header)
    {
        header = default;
        if (bytes.Length < FixedHeaderLength || bytes[0] >> 6 != 0) return false;
        int length = FixedHeaderLength + ((bytes[0] & 0x3F) * 4);
        if (bytes.Length < length) return false;
        header = new GeneveHeader(bytes, length);
        return true;
    }
}
