using System.Runtime.InteropServices;

namespace Nfr.Demo;

/// <summary>Turns the first SIGINT, SIGTERM or SIGHUP into a cancelled token, so that the demo clears up; a second one ends it at once.</summary>
sealed class StopSignal : IDisposable
{
    readonly CancellationTokenSource _source;
    readonly PosixSignalRegistration[] _registrations;

    public StopSignal(CancellationToken outer)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(outer);
        _registrations = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal => PosixSignalRegistration.Create(signal, Stop))];
    }

    public CancellationToken Token => _source.Token;

    void Stop(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested) return;
        context.Cancel = true;
        _source.Cancel();
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
        _source.Dispose();
    }
}
