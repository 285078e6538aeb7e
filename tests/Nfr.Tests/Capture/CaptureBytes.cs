using System.Buffers.Binary;
using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Tests.Capture;

/// <summary>Writes capture files field by field, in either byte order: the drawings of the formats, the other way round.</summary>
sealed class CaptureBytes(bool bigEndian)
{
    readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public byte[] ToArray() => [.. _bytes];

    public CaptureBytes U16(int value)
    {
        Span<byte> field = stackalloc byte[2];
        if (bigEndian) BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)value);
        else BinaryPrimitives.WriteUInt16LittleEndian(field, (ushort)value);
        _bytes.AddRange(field);
        return this;
    }

    public CaptureBytes U32(long value)
    {
        Span<byte> field = stackalloc byte[4];
        if (bigEndian) BinaryPrimitives.WriteUInt32BigEndian(field, (uint)value);
        else BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)value);
        _bytes.AddRange(field);
        return this;
    }

    public CaptureBytes I64(long value)
    {
        Span<byte> field = stackalloc byte[8];
        if (bigEndian) BinaryPrimitives.WriteInt64BigEndian(field, value);
        else BinaryPrimitives.WriteInt64LittleEndian(field, value);
        _bytes.AddRange(field);
        return this;
    }

    public CaptureBytes Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public CaptureBytes PcapHeader(uint magic = 0xA1B2C3D4, int minor = 4, uint linkType = 1) =>
        U32(magic).U16(2).U16(minor).U32(0).U32(0).U32(65535).U32(linkType);

    public CaptureBytes PcapRecord(long seconds, long fraction, byte[] bytes, long? original = null) =>
        U32(seconds).U32(fraction).U32(bytes.Length).U32(original ?? bytes.Length).Raw(bytes);

    public CaptureBytes Block(uint type, CaptureBytes body)
    {
        while (body.Length % 4 != 0) body.Raw([0]);
        int length = body.Length + 12;
        return U32(type).U32(length).Raw(body.ToArray()).U32(length);
    }

    public CaptureBytes New() => new(bigEndian);

    public CaptureBytes Section(int major = 1) => Block(0x0A0D0D0A, New().U32(0x1A2B3C4D).U16(major).U16(0).I64(-1));

    /// <summary>An interface; a resolution of null leaves the option out.</summary>
    public CaptureBytes Interface(int linkType = 1, uint snapLength = 0, int? resolution = null, long? offset = null)
    {
        CaptureBytes body = New().U16(linkType).U16(0).U32(snapLength);
        body.U16(2).U16(5).Raw("veth0\0\0\0"u8); // if_name, padded
        if (resolution is int r) body.U16(9).U16(1).Raw([(byte)r, 0, 0, 0]);
        if (offset is long o) body.U16(14).U16(8).I64(o);
        return Block(1, body.U16(0).U16(0));
    }

    public CaptureBytes Enhanced(int port, ulong stamp, byte[] bytes, long? original = null)
    {
        CaptureBytes body = New().U32(port).U32((long)(stamp >> 32)).U32((long)(stamp & 0xFFFFFFFF)).U32(bytes.Length).U32(original ?? bytes.Length).Raw(bytes);
        while (body.Length % 4 != 0) body.Raw([0]);
        return Block(6, body.U16(1).U16(4).Raw("note"u8).U16(0).U16(0)); // opt_comment, opt_endofopt
    }

    public CaptureBytes Obsolete(int port, ulong stamp, byte[] bytes) =>
        Block(2, New().U16(port).U16(3).U32((long)(stamp >> 32)).U32((long)(stamp & 0xFFFFFFFF)).U32(bytes.Length).U32(bytes.Length).Raw(bytes));

    public CaptureBytes Simple(byte[] bytes, long? original = null) => Block(3, New().U32(original ?? bytes.Length).Raw(bytes));

    /// <summary>Bytes that tell frames apart.</summary>
    public static byte[] Bytes(int length, int seed = 0)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte)(i * 7 + seed);
        return bytes;
    }
}

/// <summary>A frame that outlives its buffer.</summary>
sealed record KeptFrame(byte[] Bytes, int OriginalLength, long Timestamp, long Tick, LinkType LinkType, ushort VlanTpid, ushort VlanTci);

/// <summary>Keeps a copy of each frame.</summary>
readonly struct KeepFrames() : IFrameSink
{
    public List<KeptFrame> Frames { get; } = [];

    public void OnFrame(scoped in Frame frame) =>
        Frames.Add(new KeptFrame(frame.Bytes.ToArray(), frame.OriginalLength, frame.Timestamp, frame.Tick, frame.LinkType, frame.VlanTpid, frame.VlanTci));

    public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
    {
    }
}

/// <summary>Counts, and touches each frame's ends.</summary>
struct CountFrames : IFrameSink
{
    public long Frames;
    public long Bytes;
    public long LastTick;
    public bool TickSteppedBack;

    public void OnFrame(scoped in Frame frame)
    {
        if (Frames > 0 && frame.Tick < LastTick) TickSteppedBack = true;
        LastTick = frame.Tick;
        Frames++;
        Bytes += frame.Bytes.Length;
    }

    public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
    {
    }
}

/// <summary>A file with these bytes, for as long as the test lasts.</summary>
sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(byte[] bytes, string extension = ".pcap")
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"nfr-{Guid.NewGuid():N}{extension}");
        File.WriteAllBytes(Path, bytes);
    }

    public string Path { get; }

    /// <summary>Reads the whole of a file that must open.</summary>
    public static (List<KeptFrame> Frames, CaptureFileFault? Fault) Read(byte[] bytes)
    {
        using var file = new TemporaryFile(bytes);
        using CaptureFile? capture = CaptureFile.Open(file.Path, out string? error);
        Assert.True(capture is not null, error);
        var sink = new KeepFrames();
        while (capture.Read(ref sink))
        {
        }
        Assert.Equal(sink.Frames.Count, capture.Frames);
        return (sink.Frames, capture.Fault);
    }

    public static string OpenError(byte[] bytes)
    {
        using var file = new TemporaryFile(bytes);
        using CaptureFile? capture = CaptureFile.Open(file.Path, out string? error);
        Assert.Null(capture);
        Assert.StartsWith(file.Path, error, StringComparison.Ordinal);
        return error!;
    }

    public void Dispose() => File.Delete(Path);
}
