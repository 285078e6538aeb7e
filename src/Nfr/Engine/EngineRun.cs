using System.Net.Sockets;
using Nfr.Commands;
using Nfr.Config;
using Nfr.Logging;
using Serilog.Core;

namespace Nfr.Engine;

/// <summary>One run of "nfr engine", from its options to its exit code.</summary>
static class EngineRun
{
    public static int Run(HostedEngineOptions options, Terminal terminal, CancellationToken stop)
    {
        using Logger log = Log.ToStderr(LogLevel.Info);
        return RunAsync(options, terminal, log, stop).GetAwaiter().GetResult();
    }

    static async Task<int> RunAsync(HostedEngineOptions options, Terminal terminal, Logger log, CancellationToken stop)
    {
        EngineHost host;
        try
        {
            host = await EngineHost.StartAsync(options, log).ConfigureAwait(false);
        }
        catch (CertificateFileException fault)
        {
            return terminal.Fail(ExitCode.Usage, fault.Message);
        }
        catch (EngineStoreException fault)
        {
            return terminal.Fail(ExitCode.Failed, fault.Message);
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            return terminal.Fail(ExitCode.Failed, $"nobody can be answered at {options.Listen} ({Why(fault)}); name another address with --listen");
        }
        await using (host.ConfigureAwait(false))
        {
            log.Information("engine: listening on {Address}, {Keys} keys, {Indicators} indicators", host.Address, host.KeyCount, host.Lists.Count);
            if (host.KeyCount == 0 && !options.OpenRegistration) log.Warning("engine: there are no API keys; make one with: nfr engine key add NAME --data {Data}", options.Data);
            await host.RunAsync(stop).ConfigureAwait(false);
        }
        log.Information("engine: stopped");
        return ExitCode.Good;
    }

    static string Why(Exception fault)
    {
        Exception? at = fault;
        while (at is not null and not SocketException) at = at.InnerException;
        return (at as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "something else listens there",
            SocketError.AddressNotAvailable => "this machine does not have that address",
            SocketError.AccessDenied => "ports below 1024 are for root",
            { } code => code.ToString(),
            null => Reason.Of(fault),
        };
    }
}
