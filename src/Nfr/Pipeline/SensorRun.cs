using System.Runtime.InteropServices;
using Nfr.Commands;
using Nfr.Service;

namespace Nfr.Pipeline;

/// <summary>"nfr start": the sensor until a signal comes; under systemd it says how it is and obeys SIGHUP (reload).</summary>
static class SensorRun
{
    public static int Run(RunContext run, StartOptions options, CancellationToken stop)
    {
        using UnitLink? unit = UnitLink.OfEnvironment(run.Log);
        unit?.Starting();
        using var bell = new ReloadBell();
        // Before systemd hears that the sensor is ready: until somebody takes it, this signal ends a process. A person's terminal that closes sends the same one, and means the end: so it is a
        // reload's for systemd alone.
        using PosixSignalRegistration? hangUp = OperatingSystem.IsWindows() || unit is null ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            bell.Ring();
        });
        bool? takesAllFields = null;
        if (!run.Config.Engine.IsEmbedded && AccountCheck.Refused(run.Config.Engine, out takesAllFields) is { } refused) return run.Terminal.Fail(ExitCode.Failed, refused);
        using Sensor? sensor = Sensor.Start(run, out string? error, takesAllFields: takesAllFields);
        if (sensor is null)
        {
            unit?.Say(error!);
            return run.Terminal.Fail(ExitCode.Failed, error!);
        }
        unit?.Running(sensor.Pulses, () => StatusSentence.Of(sensor.Report()));
        bool again = Wait(run, options, unit, sensor, bell, stop);
        if (again) unit?.Reloading();
        else unit?.Stopping();
        run.Log.Information("stop: draining");
        Ledger ledger = sensor.Stop();
        foreach (string line in LedgerText.Write(ledger).Split('\n')) run.Log.Information("{Line}", line.TrimEnd());
        // Who was told to stop while it reloaded stops.
        return again && !stop.IsCancellationRequested ? StartOptions.Again : ExitCode.Good;
    }

    /// <summary>True when it is to begin anew, false when it is to end.</summary>
    static bool Wait(RunContext run, StartOptions options, UnitLink? unit, Sensor sensor, ReloadBell bell, CancellationToken stop)
    {
        // A command that was signed for this sensor; its answer says whether the config is one.
        sensor.Reload = () =>
        {
            if (!options.IsConfigGood()) return "the config has mistakes (nfr config check); the sensor goes on with the one it has";
            return bell.Ring() ? null : "the sensor is ending; it reads its config when it starts";
        };
        while (WaitHandle.WaitAny([stop.WaitHandle, bell.Rung]) == 1)
        {
            if (options.IsConfigGood())
            {
                sensor.Reload = null;
                return true;
            }
            run.Log.Error("reload: the config has mistakes (above, or by nfr config check); the sensor goes on with the one it has");
            unit?.Say("The config was not reloaded: it has mistakes (nfr config check); going on with the one before");
        }
        sensor.Reload = null;
        return false;
    }
}
