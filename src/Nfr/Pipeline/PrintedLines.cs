using Microsoft.Win32.SafeHandles;
using Nfr.Config;

namespace Nfr.Pipeline;

/// <summary>
/// stdout as "nfr read --print" writes it, in large pieces. Once nobody reads on ("| head") or it cannot take more, what follows is dropped
/// and <see cref="Ended"/> is cancelled, so that the rest of the files need not be read.
/// </summary>
sealed class PrintedLines : Stream
{
    const int StandardOutput = 1;
    const int Size = 1 << 16;

    /// <summary>Not the console's stream: that hides that the reader has gone. Not owned: the process has one stdout.</summary>
    readonly BufferedStream _output = new(new FileStream(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0), Size);
    readonly CancellationTokenSource _ended;

    public PrintedLines(CancellationToken stop) => _ended = CancellationTokenSource.CreateLinkedTokenSource(stop);

    /// <summary>Reading on is of no use.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Why stdout takes no more; null when it does, and when its reader had enough.</summary>
    public string? Fault { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_ended.IsCancellationRequested) return;
        try
        {
            _output.Write(buffer);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            End(fault);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        try
        {
            _output.Flush();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            End(fault);
        }
    }

    void End(Exception fault)
    {
        // HResult of an IOException on Unix is errno.
        const int EPIPE = 32;
        if (fault is not IOException { HResult: EPIPE }) Fault ??= $"stdout cannot be written: {Reason.Of(fault)}";
        _ended.Cancel();
    }

    // The buffer is left alone: flushing it once more would fail once more.
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
