using System.Runtime.InteropServices;

namespace Nfr.Commands;

/// <summary>SIGINT and SIGTERM: the first one asks for a drain by <see cref="Token"/>, the second one ends the process at once.</summary>
public sealed class StopSignals : IDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly Action<int> _exit;
    readonly PosixSignalRegistration _interrupt;
    readonly PosixSignalRegistration _terminate;
    int _received;

    public StopSignals()
        : this(Environment.Exit)
    {
    }

    internal StopSignals(Action<int> exit)
    {
        _exit = exit;
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    internal void Receive(PosixSignalContext context)
    {
        context.Cancel = true;
        // 128 + the number of the signal, as a shell reports it.
        if (Interlocked.Increment(ref _received) > 1) _exit(context.Signal == PosixSignal.SIGINT ? 130 : 143);
        // Not here on the signal's thread: whoever drains in a callback must not keep the second signal waiting.
        else _ = _stop.CancelAsync();
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _stop.Dispose();
    }
}
