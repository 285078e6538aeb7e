using Nfr.Commands;

namespace Nfr.Pipeline;

/// <summary>"nfr start": the sensor until a signal comes.</summary>
static class SensorRun
{
    public static int Run(RunContext run, CancellationToken stop)
    {
        bool? takesAllFields = null;
        if (!run.Config.Engine.IsEmbedded && AccountCheck.Refused(run.Config.Engine, out takesAllFields) is { } refused) return run.Terminal.Fail(ExitCode.Failed, refused);
        using Sensor? sensor = Sensor.Start(run, out string? error, takesAllFields: takesAllFields);
        if (sensor is null) return run.Terminal.Fail(ExitCode.Failed, error!);
        stop.WaitHandle.WaitOne();
        run.Log.Information("stop: draining");
        Ledger ledger = sensor.Stop();
        foreach (string line in LedgerText.Write(ledger).Split('\n')) run.Log.Information("{Line}", line.TrimEnd());
        return ExitCode.Good;
    }
}
