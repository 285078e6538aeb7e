using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Capture;

/// <summary>
/// The pcap format (draft-ietf-opsawg-pcap), in either byte order, with microseconds or nanoseconds.
/// <code>
///   file   | magic u32 | major u16 | minor u16 | zone i32 | sigfigs u32 | snaplen u32 | link type u32 | records
///   record | seconds u32 | fraction u32 | captured length u32 | original length u32 | bytes
/// </code>
/// </summary>
sealed class PcapRecords
{
    internal const int FileHeaderLength = 24;
    internal const int RecordHeaderLength = 16;
    internal const uint MicrosecondMagic = 0xA1B2C3D4;
    internal const uint NanosecondMagic = 0xA1B23C4D;
    /// <summary>Alexey Kuznetsov's variant, of Linux distributions of the nineties: longer record headers.</summary>
    internal const uint ModifiedMagic = 0xA1B2CD34;

    /// <summary>Frames that a sink is told of before it gets them (<see cref="IFrameSink.OnAhead"/>): enough to cover two trips to memory.</summary>
    internal const int LookAhead = IFrameSink.AheadPlaces / 2;

    readonly bool _bigEndian;
    readonly long _nanosecondsPerFraction;
    readonly LinkType _linkType;
    /// <summary>Versions before 2.4: some writers put the two lengths the other way round.</summary>
    readonly bool _lengthsMayBeSwapped;
    long _tick = long.MinValue;

    PcapRecords(bool bigEndian, long nanosecondsPerFraction, LinkType linkType, bool lengthsMayBeSwapped)
    {
        _bigEndian = bigEndian;
        _nanosecondsPerFraction = nanosecondsPerFraction;
        _linkType = linkType;
        _lengthsMayBeSwapped = lengthsMayBeSwapped;
    }

    public long Frames { get; private set; }

    public static bool IsMagic(uint magic) => magic is MicrosecondMagic or NanosecondMagic or ModifiedMagic;

    /// <summary>Reads the file header; null and what is wrong with it when it cannot be read.</summary>
    public static PcapRecords? Open(ReadOnlySpan<byte> header, out string? error)
    {
        error = null;
        bool bigEndian = IsMagic(BinaryPrimitives.ReadUInt32BigEndian(header));
        return bigEndian ? Open<BigEndianOrder>(header, true, ref error) : Open<LittleEndianOrder>(header, false, ref error);
    }

    static PcapRecords? Open<TOrder>(ReadOnlySpan<byte> header, bool bigEndian, ref string? error) where TOrder : struct, IByteOrder
    {
        uint magic = TOrder.UInt32(header);
        if (magic == ModifiedMagic)
        {
            error = "a pcap in Kuznetsov's modified form (magic a1b2cd34), which nobody writes any more: convert it with: editcap -F pcap";
            return null;
        }
        if (header.Length < FileHeaderLength)
        {
            error = $"cut off inside the pcap file header, after {header.Length} of {FileHeaderLength} bytes";
            return null;
        }
        int major = TOrder.UInt16(header[4..]);
        int minor = TOrder.UInt16(header[6..]);
        if (major != 2)
        {
            error = $"pcap version {major}.{minor}, and only 2.x is known";
            return null;
        }
        // The high bits tell of frame check sequences at the end of frames; IP lengths make them harmless.
        var linkType = (LinkType)(TOrder.UInt32(header[20..]) & 0x03FFFFFF);
        return new PcapRecords(bigEndian, magic == NanosecondMagic ? 1 : 1000, linkType, minor < 4);
    }

    public CaptureStep Walk<TSink>(ReadOnlySpan<byte> window, ref TSink sink) where TSink : struct, IFrameSink, allows ref struct =>
        _bigEndian ? Walk<BigEndianOrder, TSink>(window, ref sink) : Walk<LittleEndianOrder, TSink>(window, ref sink);

    CaptureStep Walk<TOrder, TSink>(ReadOnlySpan<byte> window, ref TSink sink)
        where TOrder : struct, IByteOrder
        where TSink : struct, IFrameSink, allows ref struct
    {
        int at = 0;
        int frames = 0;
        long tick = _tick;
        long nanosecondsPerFraction = _nanosecondsPerFraction;
        CaptureFileFaultKind fault = CaptureFileFaultKind.None;
        long detail = 0;
        int ahead = 0;
        int told = 0;
        for (int i = 0; i < LookAhead; i++) ahead = Ahead<TOrder, TSink>(window, ahead, ref told, ref sink);
        while (window.Length - at >= RecordHeaderLength)
        {
            ReadOnlySpan<byte> header = window.Slice(at, RecordHeaderLength);
            uint captured = TOrder.UInt32(header[8..]);
            uint original = TOrder.UInt32(header[12..]);
            if (captured > original)
            {
                if (_lengthsMayBeSwapped) (captured, original) = (original, captured);
                else original = captured;
            }
            if (captured > CaptureFile.MaximumFrameLength)
            {
                fault = CaptureFileFaultKind.FrameTooLong;
                detail = captured;
                break;
            }
            if (captured > (uint)(window.Length - at - RecordHeaderLength)) break;
            long stamp = TOrder.UInt32(header) * 1_000_000_000L + TOrder.UInt32(header[4..]) * nanosecondsPerFraction;
            tick = Math.Max(tick, stamp);
            int place = frames < told ? (frames & (IFrameSink.AheadPlaces - 1)) + 1 : 0;
            var frame = new Frame(window.Slice(at + RecordHeaderLength, (int)captured), (int)Math.Min(original, int.MaxValue), stamp, tick, _linkType, ahead: place);
            ahead = Ahead<TOrder, TSink>(window, ahead, ref told, ref sink);
            sink.OnFrame(frame);
            frames++;
            at += RecordHeaderLength + (int)captured;
        }
        _tick = tick;
        Frames += frames;
        return new CaptureStep(at, 0, fault, detail);
    }

    /// <summary>Tells the sink of the record at <paramref name="at"/> if it is whole; returns where the next one begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    int Ahead<TOrder, TSink>(ReadOnlySpan<byte> window, int at, ref int told, ref TSink sink)
        where TOrder : struct, IByteOrder
        where TSink : struct, IFrameSink, allows ref struct
    {
        if (window.Length - at < RecordHeaderLength) return at;
        uint captured = TOrder.UInt32(window[(at + 8)..]);
        if (_lengthsMayBeSwapped) captured = Math.Min(captured, TOrder.UInt32(window[(at + 12)..]));
        if (captured > (uint)(window.Length - at - RecordHeaderLength)) return at;
        sink.OnAhead(window.Slice(at + RecordHeaderLength, (int)captured), _linkType, told & (IFrameSink.AheadPlaces - 1));
        told++;
        return at + RecordHeaderLength + (int)captured;
    }
}
