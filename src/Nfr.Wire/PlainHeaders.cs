using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nfr.Wire;

/// <summary>
/// The headers of the commonest frames as they lie in memory, read with one check of length: Ethernet without tags (IEEE 802.3), IPv4 without options (RFC 791), TCP (RFC 9293) or UDP
/// (RFC 768). Whether a frame is one of these is for the caller to ask, by <see cref="IsPlain"/> first.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = PlainHeaders.Length)]
public readonly struct PlainHeaders
{
    /// <summary>With TCP's fixed part. A shorter frame is read layer by layer.</summary>
    public const int Length = TransportAt + TcpSegment.MinimumHeaderLength;

    public const int NetworkAt = 14, TransportAt = NetworkAt + IPv4Packet.MinimumHeaderLength;

    [FieldOffset(0)] readonly byte _destination;
    [FieldOffset(12)] readonly ushort _type;
    [FieldOffset(14)] readonly byte _versionAndLength;
    [FieldOffset(16)] readonly ushort _totalLength;
    [FieldOffset(18)] readonly ushort _identification;
    [FieldOffset(20)] readonly ushort _fragment;
    [FieldOffset(23)] public readonly byte Protocol;
    [FieldOffset(26)] readonly uint _sourceAddress;
    [FieldOffset(30)] readonly uint _destinationAddress;
    [FieldOffset(34)] readonly ushort _sourcePort;
    [FieldOffset(36)] readonly ushort _destinationPort;
    [FieldOffset(38)] readonly ushort _udpLength;
    [FieldOffset(38)] readonly uint _sequence;
    [FieldOffset(42)] readonly uint _acknowledgment;
    [FieldOffset(46)] readonly byte _dataOffset;
    [FieldOffset(47)] public readonly byte TcpFlags;

    /// <summary>The EtherType is IPv4's and so are version and header length. Nothing else here means anything otherwise.</summary>
    public bool IsPlain
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _type == BigEndian(EtherType.IPv4) && _versionAndLength == 0x45;
    }

    /// <summary>To one station, not to a group or all.</summary>
    public bool IsUnicast => (_destination & 1) == 0;

    /// <summary>Of all IP, header included.</summary>
    public int TotalLength => BigEndian(_totalLength);
    public ushort Identification => BigEndian(_identification);

    /// <summary>More fragments, or not the first.</summary>
    public bool IsFragment
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (_fragment & BigEndian(0x3FFF)) != 0;
    }

    public uint Source => BigEndian(_sourceAddress);
    public uint Destination => BigEndian(_destinationAddress);
    public ushort SourcePort => BigEndian(_sourcePort);
    public ushort DestinationPort => BigEndian(_destinationPort);

    /// <summary>Of header and payload, as the datagram's header says.</summary>
    public int UdpLength => BigEndian(_udpLength);

    public uint Sequence => BigEndian(_sequence);
    public uint Acknowledgment => BigEndian(_acknowledgment);

    /// <summary>Of TCP, options included, in bytes.</summary>
    public int TcpHeaderLength => (_dataOffset >> 4) * 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ushort BigEndian(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static uint BigEndian(uint value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
