using System.Globalization;
using System.Runtime.InteropServices;
using Nfr.Events;
using Nfr.Faults.Kill;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Faults.Outputs;

/// <summary>A sensor of alerts alone: a spool and seven outputs, three files and four webhooks, to be killed.</summary>
static class ManyOutputs
{
    public static readonly string[] Files = ["file-1", "file-2", "file-3"];
    /// <summary>The receiver's end of the address says what it is like.</summary>
    public static readonly string[] Webhooks = ["well", "slow", "flapping", "dead"];

    /// <summary>DIRECTORY RECEIVER LIFE load|drain.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        (string directory, string receiver, int life, bool load) = (args[0], args[1], int.Parse(args[2], CultureInfo.InvariantCulture), args[3] == "load");
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        string In(string name) => System.IO.Path.Combine(directory, "..", name);
        using LifeNotes notes = LifeNotes.Open(In($"notes-{life}"));
        using Spool spool = Spool.Open(new SpoolOptions { Directory = directory }, TimeProvider.System);
        var sensor = new SensorIdentity("2.0.0", spool.SensorId, "box");
        List<OutputOptions> targets =
        [
            .. Files.Select(name => new OutputOptions { Name = name, Sink = new FileSinkOptions { Path = In(name) } }),
            .. Webhooks.Select(name => new OutputOptions { Name = name, Sink = new WebhookSinkOptions { Url = new Uri($"{receiver}/{life}/{name}") } }),
        ];
        AlertOutput[] outputs = [.. targets.Select(target => new AlertOutput(spool, target, sensor, TimeProvider.System, _ => { }))];
        Task[] running = [.. outputs.Select(output => output.RunAsync(stop.Token))];
        notes.Ready = 1;
        var random = new Random(life);
        for (long alert = 0; load && !stop.IsCancellationRequested;)
        {
            for (int i = random.Next(1, 12); i > 0; i--)
            {
                notes.Alerts = ++alert;
                spool.AppendAlert(SmallSensor.Alert(life, alert));
            }
            if (spool.Flush() is null) notes.SpooledAlerts = alert;
            await Task.Delay(random.Next(1, 20), CancellationToken.None);
        }
        long begin = Environment.TickCount64;
        bool Behind(AlertOutput output) => output.State.Waiting > 0 || spool.ReadAlerts(spool.GetBookmark("output:" + output.State.Name), 1).Count > 0;
        // All but the dead one; and none may say that something waits when it has everything.
        while (!load && !stop.IsCancellationRequested && outputs.SkipLast(1).Any(Behind))
        {
            await Task.Delay(20, CancellationToken.None);
            if (Environment.TickCount64 - begin < 90_000) continue;
            foreach (AlertOutput output in outputs) await Console.Error.WriteLineAsync(output.State.ToString());
            return 1;
        }
        await stop.CancelAsync();
        await Task.WhenAll(running);
        foreach (AlertOutput output in outputs) output.Dispose();
        return 0;
    }
}
