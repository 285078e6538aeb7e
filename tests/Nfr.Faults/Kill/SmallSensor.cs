using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Faults.Kill;

/// <summary>A sensor without a network: spool and uploader under load, nothing else, so that it starts quickly and dies often.</summary>
static class SmallSensor
{
    /// <summary>DIRECTORY ENGINE LIFE FLUSH-EVENTS load|drain; its notes lie in DIRECTORY/../notes-LIFE.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        (string directory, string engine, int life, int flushEvents, bool load) =
            (args[0], args[1], int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture), args[4] == "load");
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        using LifeNotes notes = LifeNotes.Open(System.IO.Path.Combine(directory, "..", $"notes-{life}"));
        using Spool spool = Spool.Open(new SpoolOptions { Directory = directory, FlushEvents = flushEvents }, TimeProvider.System);
        using var client = new EngineClient(
            new EngineOptions { Host = engine, ApiKey = $"life-{life}", Version = "2.0.0", SensorId = spool.SensorId, TotalTimeout = TimeSpan.FromSeconds(60) }, TimeProvider.System);
        var each = new UploadTypeOptions { BufferSize = 200, FlushInterval = TimeSpan.FromMilliseconds(10) };
        var options = new UploadOptions
        {
            Dns = each, Ip = each, Http = each, Tls = each, BackoffBase = TimeSpan.FromMilliseconds(5), BackoffCap = TimeSpan.FromMilliseconds(50),
        };
        var uploader = new Uploader(client, spool, options, new RequestPacer(TimeProvider.System, TimeSpan.FromMilliseconds(1)), TimeProvider.System, _ => { });
        using var stopUploads = new CancellationTokenSource();
        Task uploads = uploader.RunAsync(stopUploads.Token);
        notes.Ready = 1;
        bool well = load ? Load(spool, uploader, notes, life, stop.Token) : await DrainAsync(spool, stop.Token);
        await stopUploads.CancelAsync();
        await uploads;
        return well ? 0 : 1;
    }

    /// <summary>About 10,000 events a second, flushed as the pipeline does, until told to stop; then what is pending is spooled.</summary>
    static bool Load(Spool spool, Uploader uploader, LifeNotes notes, int life, CancellationToken stop)
    {
        var random = new Random(life);
        var fresh = new int[EventTypes.UploadedCount];
        long alerts = 0;
        for (int i = 0; ;)
        {
            bool last = stop.IsCancellationRequested;
            for (int burst = random.Next(1, 40); burst > 0 && !last; burst--)
            {
                EventType type = random.Next(10) switch { < 7 => EventType.Dns, < 9 => EventType.Ip, _ => EventType.Tls };
                notes.Accepted = i + 1;
                spool.Append(type, random.Next(10) == 0 ? 1 : 0, Encoding.UTF8.GetBytes(Line(life, i, random)));
                fresh[(int)type]++;
                i++;
                if (i % 50 == 0)
                {
                    notes.Alerts = ++alerts;
                    spool.AppendAlert(Alert(life, alerts));
                }
                if (spool.FlushDue) Flush();
            }
            if (last)
            {
                Flush();
                return notes.Spooled == notes.Accepted;
            }
            if (spool.FlushDue) Flush();
            Thread.Sleep(random.Next(1, 4));

            void Flush()
            {
                if (spool.Flush() is not null) return;
                (notes.Spooled, notes.SpooledAlerts) = (i, alerts);
                foreach (EventType type in EventTypes.Uploaded) uploader.Spooled(type, fresh[(int)type]);
                Array.Clear(fresh);
            }
        }
    }

    static async Task<bool> DrainAsync(Spool spool, CancellationToken stop)
    {
        for (int i = 0; i < 6000 && !stop.IsCancellationRequested; i++)
        {
            if (spool.Counters.Total.InSpool == 0) return true;
            await Task.Delay(10, CancellationToken.None);
        }
        return false;
    }

    static string Line(int life, int i, Random random) => string.Create(
        CultureInfo.InvariantCulture, $$"""{"life":{{life}},"i":{{i}},"srcIP":"10.14.{{random.Next(8)}}.{{random.Next(256)}}","query":"{{random.Next():x8}}.cdn{{random.Next(400)}}.example.net","qtype":"A"}""");

    public static Alert Alert(int life, long number) => new()
    {
        Threats = [new AlertThreat("c2_communication", "C2 communication", 5)],
        Flags = ["c2"],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T12:00:00.000000Z", SrcIP = "10.0.0.1", Query = $"a{number}.life{life}.example", QType = "A" },
    };
}
