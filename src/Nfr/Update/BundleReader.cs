using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Nfr.Update;

/// <summary>
/// A bundle from front to back, once: its head, then each part's content in pieces. What it holds in memory is one piece and Brotli's window, however long the bundle is. Faults are
/// <see cref="UpdateException"/>s; a part's hash is judged at its end, so whoever writes pieces away must not use them before <see cref="End"/> has returned.
/// </summary>
sealed class BundleReader
{
    readonly Stream _bundle;

    public BundleReader(Stream bundle, UpdateKeys keys)
    {
        _bundle = bundle;
        Head = BundleHead.Read(bundle, keys);
    }

    public BundleHead Head { get; }
    public UpdateManifest Manifest => Head.Manifest;

    /// <summary>Gives a part's bytes in pieces that are full but for the last; call it for each part in the manifest's order.</summary>
    public void Read(UpdatePart part, byte[] piece, Action<ReadOnlyMemory<byte>> take)
    {
        using var packed = new PartStream(_bundle, part);
        using var unpacked = new BrotliStream(packed, CompressionMode.Decompress, leaveOpen: true);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long left = part.Bytes;
        try
        {
            while (left > 0)
            {
                int want = (int)Math.Min(piece.Length, left);
                int read = unpacked.ReadAtLeast(piece.AsSpan(0, want), want, throwOnEndOfStream: false);
                if (read < want) throw new UpdateException($"the part {part.Name} of the bundle has another size than its manifest says; fetch it anew");
                hash.AppendData(piece, 0, read);
                take(piece.AsMemory(0, read));
                left -= read;
            }
            // The end of Brotli's own stream, where the part has it too.
            if (unpacked.ReadByte() >= 0 || packed.Left > 0) throw new UpdateException($"the part {part.Name} of the bundle has another size than its manifest says; fetch it anew");
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
        {
            throw new UpdateException($"the part {part.Name} of the bundle is damaged (its compression is broken); fetch it anew");
        }
        if (!Convert.ToHexStringLower(hash.GetHashAndReset()).Equals(part.Sha256, StringComparison.Ordinal))
            throw new UpdateException($"the part {part.Name} of the bundle is damaged: its SHA-256 is not the signed one; fetch it anew");
    }

    /// <summary>Passes over a part that belongs into the other slot.</summary>
    public void Skip(UpdatePart part)
    {
        byte[] away = ArrayPool<byte>.Shared.Rent(64 << 10);
        using var packed = new PartStream(_bundle, part);
        while (packed.Read(away, 0, away.Length) > 0)
        {
        }
        ArrayPool<byte>.Shared.Return(away);
    }

    /// <summary>Nothing may lie behind the last part: it would be bytes that nobody signed.</summary>
    public void End()
    {
        Span<byte> one = stackalloc byte[1];
        if (_bundle.Read(one) > 0) throw new UpdateException("there is something behind the bundle's end that is not signed; fetch it anew");
    }

    /// <summary>A part's packed bytes and no further.</summary>
    sealed class PartStream(Stream bundle, UpdatePart part) : Stream
    {
        public long Left { get; private set; } = part.PackedBytes;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (Left == 0 || buffer.IsEmpty) return 0;
            int read = bundle.Read(buffer[..(int)Math.Min(buffer.Length, Left)]);
            if (read == 0) throw new UpdateException($"the bundle ends in the middle of {part.Name}: {Left:N0} bytes are missing; fetch it anew");
            Left -= read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
