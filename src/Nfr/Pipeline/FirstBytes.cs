using System.IO.Compression;
using Nfr.Logs;

namespace Nfr.Pipeline;

/// <summary>What a file is by its first bytes, those of compressed ones unpacked.</summary>
/// <param name="IsCapture">pcap or pcapng.</param>
/// <param name="Log">What wrote it, when it is a log.</param>
readonly record struct FirstBytes(bool IsCapture, LogFormat? Log)
{
    const int Length = 16 << 10;

    /// <summary>Nothing is known of what cannot be read: reading it will say why.</summary>
    public static FirstBytes Of(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // A pipe gives its bytes once.
            if (!file.CanSeek) return default;
            byte[] begin = new byte[Length];
            int length = file.ReadAtLeast(begin, 2, throwOnEndOfStream: false);
            file.Position = 0;
            bool packed = length >= 2 && begin[0] == 0x1F && begin[1] == 0x8B;
            using Stream stream = packed ? new GZipStream(file, CompressionMode.Decompress) : file;
            return Of(begin.AsSpan(0, stream.ReadAtLeast(begin, Length, throwOnEndOfStream: false)));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException or NotSupportedException)
        {
            return default;
        }
    }

    public static FirstBytes Of(ReadOnlySpan<byte> begin) =>
        Of(FormatDetector.Detect(begin));

    static FirstBytes Of(DetectedFormat detected) => new(detected.Kind == FileKind.Capture, detected.Format);
}

/// <summary>Standard input with its first bytes looked at: they are given again.</summary>
sealed class GlimpsedInput : Stream
{
    readonly Stream _input;
    readonly byte[] _begin = new byte[4];
    readonly int _length;
    int _at;

    public GlimpsedInput(Stream input)
    {
        _input = input;
        _length = input.ReadAtLeast(_begin, _begin.Length, throwOnEndOfStream: false);
    }

    public ReadOnlySpan<byte> Begin => _begin.AsSpan(0, _length);

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_at == _length) return _input.Read(buffer);
        int n = Math.Min(buffer.Length, _length - _at);
        _begin.AsSpan(_at, n).CopyTo(buffer);
        _at += n;
        return n;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
