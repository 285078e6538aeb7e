using System.Runtime.InteropServices;
using Nfr.Config;
using Nfr.Native;

namespace Nfr.Pipeline;

/// <summary>
/// stdout as "nfr read --print" writes it, in large pieces. Once nobody reads on ("| head") or it cannot take more, what follows is dropped
/// and <see cref="Ended"/> is cancelled, so that the rest of the files need not be read.
/// </summary>
sealed class PrintedLines : Stream
{
    const int Size = 1 << 16;

    readonly byte[] _buffer = new byte[Size];
    readonly CancellationTokenSource _ended;
    int _used;

    public PrintedLines(CancellationToken stop) => _ended = CancellationTokenSource.CreateLinkedTokenSource(stop);

    /// <summary>Reading on is of no use.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Why stdout takes no more; null when it does, and when its reader had enough.</summary>
    public string? Fault { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_used + buffer.Length > Size) Flush();
        if (_ended.IsCancellationRequested) return;
        if (buffer.Length > Size)
        {
            Put(buffer);
            return;
        }
        buffer.CopyTo(_buffer.AsSpan(_used));
        _used += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        if (_used > 0 && !_ended.IsCancellationRequested) Put(_buffer.AsSpan(0, _used));
        _used = 0;
    }

    void Put(ReadOnlySpan<byte> bytes)
    {
        int error = StandardOutput.Write(bytes);
        if (error == 0) return;
        if (error != StandardOutput.BrokenPipe) Fault ??= $"stdout cannot be written: {Reason.Of(new IOException(Marshal.GetPInvokeErrorMessage(error), error))}";
        _ended.Cancel();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _ended.Dispose();
        base.Dispose(disposing);
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
