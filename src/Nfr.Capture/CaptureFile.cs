using System.Buffers.Binary;
using System.IO.Compression;
using Nfr.Wire;

namespace Nfr.Capture;

/// <summary>
/// Frames of a pcap or pcapng file (also gzip'd), or of a pipe. Read by plain reads into one buffer: a file that is cut while it is
/// mapped kills the process, a read reports it (see decisions/001). What is whole is delivered, then <see cref="Fault"/> says
/// what stopped it. Nothing is allocated per packet. Not for several threads at once.
/// </summary>
public sealed class CaptureFile : IDisposable
{
    /// <summary>The one buffer: holds the largest record and a read beside it. A longer packet block is a fault.</summary>
    public const int BufferLength = 1 << 20;

    /// <summary>libpcap's limit. A record that claims more is damage, not a frame.</summary>
    public const int MaximumFrameLength = 1 << 18;

    /// <summary>Interfaces of one pcapng section; a file that describes more is refused at that place.</summary>
    public const int MaximumInterfaces = 4096;

    /// <summary>Bytes of one read: they are walked while the second-level cache still has them (18 → 14 ns a packet of 100 bytes).</summary>
    const int ReadLength = 1 << 17;

    readonly Stream _stream;
    /// <summary>The file beneath, where its length is known.</summary>
    readonly FileStream? _file;
    readonly string _name;
    readonly byte[] _buffer = new byte[BufferLength];
    int _start;
    int _end;
    /// <summary>Bytes of the stream before the window.</summary>
    long _before;
    long _skip;
    bool _windowWalked;
    PcapRecords? _pcap;
    PcapngBlocks? _pcapng;

    CaptureFile(string name, Stream stream, FileStream? file)
    {
        _name = name;
        _stream = stream;
        _file = file;
    }

    /// <summary>Set once a read has met damage; the frames before it have been delivered.</summary>
    public CaptureFileFault? Fault { get; private set; }

    /// <summary>Frames delivered.</summary>
    public long Frames => _pcap?.Frames ?? _pcapng?.Frames ?? 0;

    /// <summary>Bytes of the file that have been read and walked, for a progress bar; of a gzip file, read.</summary>
    public long Position => _file is null || ReferenceEquals(_file, _stream) ? Offset : _file.Position;

    /// <summary>Bytes of the file; null for a pipe.</summary>
    public long? Length { get; private set; }

    long Offset => _before + _start;

    ReadOnlySpan<byte> Window => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Opens a capture, <c>-</c> = standard input; null and a sentence when it is not there, not readable or no capture.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="error">Why there is nothing to read.</param>
    /// <param name="input">Standard input, where somebody has looked into it before.</param>
    public static CaptureFile? Open(string path, out string? error, Stream? input = null)
    {
        string name = path == "-" ? "standard input" : path;
        CaptureFile? capture = null;
        try
        {
            FileStream? file = path == "-" ? null
                : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.SequentialScan);
            capture = new CaptureFile(name, file ?? input ?? Console.OpenStandardInput(), file);
            if (capture.IsGzip())
            {
                if (file is not { CanSeek: true })
                {
                    error = $"{name}: compressed; from a pipe it must come unpacked, as from: gunzip -c FILE";
                    capture.Dispose();
                    return null;
                }
                file.Position = 0;
                capture = new CaptureFile(name, new GZipStream(file, CompressionMode.Decompress), file);
            }
            if (file is { CanSeek: true }) capture.Length = file.Length;
            if (capture.ReadHeader(out error)) return capture;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            error = $"{name}: no such file";
        }
        catch (UnauthorizedAccessException)
        {
            error = Directory.Exists(path) ? $"{name}: a folder, not a capture file" : $"{name}: no permission to read it";
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ArgumentException or NotSupportedException)
        {
            error = $"{name}: {e.Message}";
        }
        capture?.Dispose();
        return null;
    }

    bool IsGzip()
    {
        while (Window.Length < 2 && Fill())
        {
        }
        return Window.Length >= 2 && Window[0] == 0x1F && Window[1] == 0x8B;
    }

    bool ReadHeader(out string? error)
    {
        while (Window.Length < PcapRecords.FileHeaderLength && Fill())
        {
        }
        ReadOnlySpan<byte> header = Window;
        error = null;
        if (header.IsEmpty)
        {
            error = $"{_name}: empty";
            return false;
        }
        uint magic = header.Length < 4 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(header);
        if (magic == PcapngBlocks.SectionHeader)
        {
            _pcapng = new PcapngBlocks();
            return true;
        }
        if (!PcapRecords.IsMagic(magic) && !PcapRecords.IsMagic(BinaryPrimitives.ReverseEndianness(magic)))
        {
            error = $"{_name}: not a capture: it begins with {Convert.ToHexStringLower(header[..Math.Min(4, header.Length)])}, which is neither pcap nor pcapng";
            return false;
        }
        _pcap = PcapRecords.Open(header[..Math.Min(PcapRecords.FileHeaderLength, header.Length)], out string? reason);
        if (_pcap is null)
        {
            error = $"{_name}: {reason}";
            return false;
        }
        _start += PcapRecords.FileHeaderLength;
        return true;
    }

    /// <summary>Gives the sink the frames of about one read, 128 KiB; false at the end of the file or at a fault, when nothing is left to give.</summary>
    public bool Read<TSink>(ref TSink sink) where TSink : struct, IFrameSink, allows ref struct
    {
        while (Fault is null)
        {
            if (_windowWalked && !Refill()) return false;
            long before = Frames;
            CaptureStep step = _pcap is not null ? _pcap.Walk(Window, ref sink) : _pcapng!.Walk(Window, ref sink);
            _start += step.Consumed;
            _skip = step.Skip;
            _windowWalked = true;
            if (step.Fault != CaptureFileFaultKind.None) Fault = Describe(step);
            if (Frames > before) return true;
        }
        return false;
    }

    /// <summary>More bytes behind the window, past what is to be skipped; at the end, a rest is a fault.</summary>
    bool Refill()
    {
        try
        {
            while (_skip > 0)
            {
                int skipped = (int)Math.Min(_skip, _end - _start);
                _start += skipped;
                _skip -= skipped;
                // What lies behind the skipped block has not been walked yet.
                if (_skip == 0 && _start < _end) return true;
                if (_skip > 0 && !Fill()) break;
            }
            if (_skip == 0 && Fill()) return true;
            if (_skip > 0 || _start < _end) Fault = Describe(new CaptureStep(0, 0, CaptureFileFaultKind.CutOff));
            return false;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            Fault = new CaptureFileFault(CaptureFileFaultKind.ReadFailed, _before + _end,
                $"{_name}: reading failed at byte {_before + _end}: {e.Message}{WhatWasRead()}");
            return false;
        }
    }

    /// <summary>One read, so that a slow pipe shows what it has; false at the end of the stream.</summary>
    bool Fill()
    {
        if (_start > 0)
        {
            Window.CopyTo(_buffer);
            _before += _start;
            _end -= _start;
            _start = 0;
        }
        int read = _stream.Read(_buffer, _end, Math.Min(ReadLength, BufferLength - _end));
        _end += read;
        return read > 0;
    }

    CaptureFileFault Describe(in CaptureStep step)
    {
        long at = step.Fault == CaptureFileFaultKind.CutOff ? _before + _end : Offset;
        string inside = _pcap is not null || _skip == 0 && _pcapng!.IsPacket(Window) ? $"packet {Frames + 1}" : "a block";
        string what = step.Fault switch
        {
            CaptureFileFaultKind.CutOff => $"cut off inside {inside} at byte {at}",
            CaptureFileFaultKind.FrameTooLong when _pcap is not null =>
                $"packet {Frames + 1} at byte {at} claims {step.Detail} bytes, a frame has at most {MaximumFrameLength}: the file is damaged there",
            CaptureFileFaultKind.FrameTooLong => $"packet {Frames + 1} at byte {at} claims more than {MaximumFrameLength} bytes: the file is damaged there",
            CaptureFileFaultKind.BlockLengthInvalid => $"the block at byte {at} cannot be {step.Detail} bytes long: the file is damaged there",
            CaptureFileFaultKind.BlockLengthsDiffer => $"the block at byte {at} does not end with its own length {step.Detail}: the file is damaged there",
            CaptureFileFaultKind.PacketBeyondBlock => $"packet {Frames + 1} at byte {at} is longer than its block of {step.Detail} bytes: the file is damaged there",
            CaptureFileFaultKind.SectionInvalid => $"the section at byte {at} has no byte order or a version other than 1",
            CaptureFileFaultKind.InterfaceUnknown => $"packet {Frames + 1} at byte {at} is of an interface that its section does not describe",
            CaptureFileFaultKind.InterfacesTooMany => $"the section describes more than {MaximumInterfaces} interfaces at byte {at}",
            _ => $"not readable from byte {at} on",
        };
        return new CaptureFileFault(step.Fault, at, $"{_name}: {what}{WhatWasRead()}");
    }

    string WhatWasRead() => Frames switch
    {
        0 => "; no packet was read",
        1 => "; the one whole packet before it was read",
        _ => $"; the {Frames} whole packets before it were read",
    };

    public void Dispose() => _stream.Dispose();
}
