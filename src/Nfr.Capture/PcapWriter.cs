using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Capture;

/// <summary>
/// Writes a pcap file with nanoseconds, little-endian (the form of <see cref="PcapRecords"/>), through one buffer and without
/// allocating per packet. A tag that the kernel took out of a frame is put back into it.
/// </summary>
public sealed class PcapWriter : IDisposable
{
    const int BufferLength = CaptureFile.MaximumFrameLength + 64 * 1024;
    const int TagOffset = 12;
    const int TagLength = 4;

    readonly Stream _stream;
    readonly LinkType _linkType;
    readonly byte[] _buffer = new byte[BufferLength];
    int _filled;

    /// <summary>Of the file's header.</summary>
    public const int FileHeaderLength = PcapRecords.FileHeaderLength;

    /// <summary>Bytes of the file that a frame takes at most, its header and a tag that is put back included.</summary>
    public static int MostLengthOf(scoped in Frame frame) => PcapRecords.RecordHeaderLength + TagLength + Math.Min(frame.Bytes.Length, CaptureFile.MaximumFrameLength);

    /// <summary>Takes over <paramref name="stream"/> and writes the file header.</summary>
    public PcapWriter(Stream stream, LinkType linkType, int snapLength = CaptureFile.MaximumFrameLength)
    {
        _stream = stream;
        _linkType = linkType;
        Span<byte> header = Room(PcapRecords.FileHeaderLength);
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, PcapRecords.NanosecondMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], snapLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], (int)linkType);
    }

    /// <summary>The first thing that went wrong with the disk; from then on nothing is written.</summary>
    public IOException? Fault { get; private set; }

    /// <summary>Its message, for a developer: the published program has none of the platform's.</summary>
    public string? Error => Fault?.Message;

    /// <summary>Frames taken and not refused.</summary>
    public long Frames { get; private set; }

    /// <summary>
    /// False when the disk has refused, see <see cref="Error"/>. The frame's link type must be the file's; a frame longer than
    /// <see cref="CaptureFile.MaximumFrameLength"/> is cut.
    /// </summary>
    public bool Write(scoped in Frame frame)
    {
        ReadOnlySpan<byte> bytes = frame.Bytes;
        bool tagged = frame.VlanTpid != 0 && frame.LinkType == LinkType.Ethernet && bytes.Length >= TagOffset;
        int tagLength = tagged ? TagLength : 0;
        bytes = bytes[..Math.Min(bytes.Length, CaptureFile.MaximumFrameLength - tagLength)];
        Span<byte> record = Record(bytes.Length + tagLength, frame.OriginalLength + (long)tagLength, frame.Timestamp);
        if (Error is not null) return false;
        if (tagged)
        {
            bytes[..TagOffset].CopyTo(record);
            BinaryPrimitives.WriteUInt16BigEndian(record[TagOffset..], frame.VlanTpid);
            BinaryPrimitives.WriteUInt16BigEndian(record[(TagOffset + 2)..], frame.VlanTci);
            bytes = bytes[TagOffset..];
            record = record[(TagOffset + TagLength)..];
        }
        bytes.CopyTo(record);
        return true;
    }

    /// <param name="bytes">From the link layer header on.</param>
    /// <param name="originalLength">Bytes on the wire.</param>
    /// <param name="timestamp">Nanoseconds since 1970 UTC.</param>
    public bool Write(ReadOnlySpan<byte> bytes, int originalLength, long timestamp) =>
        Write(new Frame(bytes, originalLength, timestamp, timestamp, _linkType));

    /// <summary>Writes a record's header and returns the room for its bytes.</summary>
    Span<byte> Record(int length, long originalLength, long timestamp)
    {
        Span<byte> record = Room(PcapRecords.RecordHeaderLength + length);
        if (record.IsEmpty) return record;
        long stamp = Math.Clamp(timestamp, 0, uint.MaxValue * 1_000_000_000L);
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(stamp / 1_000_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(stamp % 1_000_000_000));
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)Math.Max(length, originalLength));
        Frames++;
        return record[PcapRecords.RecordHeaderLength..];
    }

    /// <summary>Empty when the disk has refused.</summary>
    Span<byte> Room(int length)
    {
        if (BufferLength - _filled < length) Flush();
        if (Error is not null) return [];
        Span<byte> room = _buffer.AsSpan(_filled, length);
        _filled += length;
        return room;
    }

    /// <summary>Gives the stream what the buffer holds; false when the disk refuses, see <see cref="Error"/>.</summary>
    public bool Flush()
    {
        if (Error is not null) return false;
        try
        {
            _stream.Write(_buffer, 0, _filled);
            _stream.Flush();
            _filled = 0;
        }
        catch (IOException e)
        {
            Fault = e;
        }
        return Error is null;
    }

    public void Dispose()
    {
        Flush();
        _stream.Dispose();
    }
}
