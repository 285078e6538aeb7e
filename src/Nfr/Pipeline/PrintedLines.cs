using Microsoft.Win32.SafeHandles;
using Nfr.Config;

namespace Nfr.Pipeline;

/// <summary>
/// stdout as "nfr read --print" writes it, in large pieces. Once nobody reads on ("| head") or it cannot take more, what follows is dropped
/// and <see cref="Ended"/> is cancelled, so that the rest of the files need not be read.
/// </summary>
sealed class PrintedLines : IDisposable
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

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_ended.IsCancellationRequested) return;
        try
        {
            _output.Write(bytes);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            End(fault);
        }
    }

    public void Flush()
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
        if (!IsBrokenPipe(fault)) Fault ??= $"stdout cannot be written: {Reason.Of(fault)}";
        _ended.Cancel();
    }

    static bool IsBrokenPipe(Exception fault) => fault is IOException { HResult: 32 } or IOException { InnerException: System.Net.Sockets.SocketException };

    // The buffer is left alone: flushing it once more would fail once more.
    public void Dispose() => _ended.Dispose();
}
