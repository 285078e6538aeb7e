using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Capture;

/// <summary>
/// The pcapng format (draft-ietf-opsawg-pcapng): sections of either byte order, several interfaces, any time resolution.
/// <code>
///   block      | type u32 | total length u32 | body | total length u32 |               lengths are multiples of 4
///   section    | 0A0D0D0A | … | byte-order magic u32 | major u16 | minor u16 | section length i64 | options
///   interface  | 1 | …        | link type u16 | reserved u16 | snaplen u32 | options
///   packet (6) | 6 | …        | interface u32 | stamp high u32 | stamp low u32 | captured u32 | original u32 | bytes | options
///   packet (2) | 2 | …        | interface u16 | drops u16 | … the same
///   simple (3) | 3 | …        | original u32 | bytes                                     always of interface 0, without a stamp
/// </code>
/// </summary>
sealed class PcapngBlocks
{
    internal const uint SectionHeader = 0x0A0D0D0A;
    const uint InterfaceDescription = 1;
    const uint ObsoletePacket = 2;
    const uint SimplePacket = 3;
    const uint EnhancedPacket = 6;
    const uint ByteOrderMagic = 0x1A2B3C4D;
    const int BlockOverhead = 12;
    const int PacketHeaderLength = 28;
    const int SimpleHeaderLength = 12;
    const int InterfaceHeaderLength = 16;
    const int SectionHeaderLength = 24;
    const int OptionEnd = 0;
    const int OptionTimeResolution = 9;
    const int OptionTimeOffset = 14;

    readonly record struct Interface(LinkType LinkType, uint SnapLength, PcapngStampUnit Unit);

    Interface[] _interfaces = new Interface[4];
    int _interfaceCount;
    bool _bigEndian;
    long _tick = long.MinValue;

    public long Frames { get; private set; }

    public CaptureStep Walk<TSink>(ReadOnlySpan<byte> window, ref TSink sink) where TSink : struct, IFrameSink, allows ref struct
    {
        int consumed = 0;
        while (true)
        {
            bool bigEndian = _bigEndian;
            CaptureStep step = bigEndian
                ? WalkSection<BigEndianOrder, TSink>(window[consumed..], ref sink)
                : WalkSection<LittleEndianOrder, TSink>(window[consumed..], ref sink);
            consumed += step.Consumed;
            // A section of the other byte order begins here: go on with the other loop.
            if (bigEndian == _bigEndian || step.Fault != CaptureFileFaultKind.None) return step with { Consumed = consumed };
        }
    }

    CaptureStep WalkSection<TOrder, TSink>(ReadOnlySpan<byte> window, ref TSink sink)
        where TOrder : struct, IByteOrder
        where TSink : struct, IFrameSink, allows ref struct
    {
        int at = 0;
        while (window.Length - at >= BlockOverhead)
        {
            ReadOnlySpan<byte> rest = window[at..];
            uint type = TOrder.UInt32(rest);
            if (type == SectionHeader && OrderChanges(rest)) return new CaptureStep(at);
            uint length = TOrder.UInt32(rest[4..]);
            if (length < BlockOverhead || (length & 3) != 0) return new CaptureStep(at, 0, CaptureFileFaultKind.BlockLengthInvalid, length);
            bool known = type is EnhancedPacket or InterfaceDescription or SimplePacket or ObsoletePacket or SectionHeader;
            if (length > (uint)rest.Length)
            {
                if (!known) return new CaptureStep(at, length);
                if (length > CaptureFile.BufferLength) return new CaptureStep(at, 0, CaptureFileFaultKind.BlockLengthInvalid, length);
                break;
            }
            ReadOnlySpan<byte> block = rest[..(int)length];
            if (TOrder.UInt32(block[^4..]) != length) return new CaptureStep(at, 0, CaptureFileFaultKind.BlockLengthsDiffer, length);
            CaptureFileFaultKind fault = type switch
            {
                EnhancedPacket => OnPacket<TOrder, TSink>(block, TOrder.UInt32(block[8..]), ref sink),
                ObsoletePacket => OnPacket<TOrder, TSink>(block, TOrder.UInt16(block[8..]), ref sink),
                SimplePacket => OnSimplePacket<TOrder, TSink>(block, ref sink),
                InterfaceDescription => OnInterface<TOrder>(block),
                SectionHeader => OnSection<TOrder>(block),
                _ => CaptureFileFaultKind.None,
            };
            if (fault != CaptureFileFaultKind.None) return new CaptureStep(at, 0, fault, length);
            at += (int)length;
        }
        return new CaptureStep(at);
    }

    CaptureFileFaultKind OnPacket<TOrder, TSink>(ReadOnlySpan<byte> block, uint interfaceId, ref TSink sink)
        where TOrder : struct, IByteOrder
        where TSink : struct, IFrameSink, allows ref struct
    {
        if (block.Length < PacketHeaderLength + 4) return CaptureFileFaultKind.PacketBeyondBlock;
        if (interfaceId >= (uint)_interfaceCount) return CaptureFileFaultKind.InterfaceUnknown;
        uint captured = TOrder.UInt32(block[20..]);
        if (captured > CaptureFile.MaximumFrameLength) return CaptureFileFaultKind.FrameTooLong;
        if (captured > (uint)(block.Length - PacketHeaderLength - 4)) return CaptureFileFaultKind.PacketBeyondBlock;
        uint original = Math.Max(captured, TOrder.UInt32(block[24..]));
        ref readonly Interface port = ref _interfaces[interfaceId];
        long stamp = port.Unit.Nanoseconds((ulong)TOrder.UInt32(block[12..]) << 32 | TOrder.UInt32(block[16..]));
        _tick = Math.Max(_tick, stamp);
        var frame = new Frame(block.Slice(PacketHeaderLength, (int)captured), (int)Math.Min(original, int.MaxValue), stamp, _tick, port.LinkType);
        sink.OnFrame(frame);
        Frames++;
        return CaptureFileFaultKind.None;
    }

    CaptureFileFaultKind OnSimplePacket<TOrder, TSink>(ReadOnlySpan<byte> block, ref TSink sink)
        where TOrder : struct, IByteOrder
        where TSink : struct, IFrameSink, allows ref struct
    {
        if (block.Length < SimpleHeaderLength + 4) return CaptureFileFaultKind.PacketBeyondBlock;
        if (_interfaceCount == 0) return CaptureFileFaultKind.InterfaceUnknown;
        ref readonly Interface port = ref _interfaces[0];
        uint original = TOrder.UInt32(block[8..]);
        // What was captured is not written down: the original length, held down by the snap length.
        uint captured = port.SnapLength == 0 ? original : Math.Min(original, port.SnapLength);
        if (captured > CaptureFile.MaximumFrameLength) return CaptureFileFaultKind.FrameTooLong;
        if (captured > (uint)(block.Length - SimpleHeaderLength - 4)) return CaptureFileFaultKind.PacketBeyondBlock;
        _tick = Math.Max(_tick, 0);
        var frame = new Frame(block.Slice(SimpleHeaderLength, (int)captured), (int)Math.Min(original, int.MaxValue), _tick, _tick, port.LinkType);
        sink.OnFrame(frame);
        Frames++;
        return CaptureFileFaultKind.None;
    }

    CaptureFileFaultKind OnInterface<TOrder>(ReadOnlySpan<byte> block) where TOrder : struct, IByteOrder
    {
        if (block.Length < InterfaceHeaderLength + 4) return CaptureFileFaultKind.BlockLengthInvalid;
        if (_interfaceCount == CaptureFile.MaximumInterfaces) return CaptureFileFaultKind.InterfacesTooMany;
        if (_interfaceCount == _interfaces.Length) Array.Resize(ref _interfaces, _interfaces.Length * 2);
        byte resolution = 6;
        long offset = 0;
        ReadOnlySpan<byte> options = block[InterfaceHeaderLength..^4];
        while (options.Length >= 4)
        {
            int code = TOrder.UInt16(options);
            int length = TOrder.UInt16(options[2..]);
            if (code == OptionEnd || length > options.Length - 4) break;
            ReadOnlySpan<byte> value = options.Slice(4, length);
            if (code == OptionTimeResolution && length >= 1) resolution = value[0];
            if (code == OptionTimeOffset && length >= 8) offset = TOrder.Int64(value);
            options = options[Math.Min(4 + (length + 3 & ~3), options.Length)..];
        }
        var linkType = (LinkType)TOrder.UInt16(block[8..]);
        _interfaces[_interfaceCount++] = new Interface(linkType, TOrder.UInt32(block[12..]), new PcapngStampUnit(resolution, offset));
        return CaptureFileFaultKind.None;
    }

    CaptureFileFaultKind OnSection<TOrder>(ReadOnlySpan<byte> block) where TOrder : struct, IByteOrder
    {
        if (block.Length < SectionHeaderLength + 4) return CaptureFileFaultKind.BlockLengthInvalid;
        if (TOrder.UInt32(block[8..]) != ByteOrderMagic || TOrder.UInt16(block[12..]) != 1) return CaptureFileFaultKind.SectionInvalid;
        // Interfaces are numbered anew in each section.
        _interfaceCount = 0;
        return CaptureFileFaultKind.None;
    }

    /// <summary>Whether a block that begins so holds a packet.</summary>
    public bool IsPacket(ReadOnlySpan<byte> block) =>
        block.Length >= 4
        && (_bigEndian ? BigEndianOrder.UInt32(block) : LittleEndianOrder.UInt32(block)) is EnhancedPacket or SimplePacket or ObsoletePacket;

    /// <summary>The type of a section header reads the same in both orders, its magic does not.</summary>
    bool OrderChanges(ReadOnlySpan<byte> section)
    {
        bool isBig = BinaryPrimitives.ReadUInt32BigEndian(section[8..]) == ByteOrderMagic;
        bool isLittle = BinaryPrimitives.ReadUInt32LittleEndian(section[8..]) == ByteOrderMagic;
        if (isBig == isLittle || isBig == _bigEndian) return false;
        _bigEndian = isBig;
        return true;
    }
}
