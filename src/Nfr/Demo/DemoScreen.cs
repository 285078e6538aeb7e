using System.Globalization;
using Nfr.Events;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nfr.Demo;

/// <summary>What the demo shows while it runs: a live table on a terminal, a plain line every few seconds anywhere else.</summary>
sealed class DemoScreen(bool live, TextWriter output)
{
    static readonly TimeSpan s_frame = TimeSpan.FromMilliseconds(500);
    const int FramesPerPlainLine = 6;

    readonly HashSet<string> _done = [];
    long _packets;
    long _tick;

    /// <summary>A module has sent all it had to; said in passing, or shown in the table.</summary>
    public void ModuleDone(string line)
    {
        lock (_done) _done.Add(line);
        if (!live) output.WriteLine("  sent: " + line);
    }

    /// <summary>Shows snapshots until <paramref name="length"/> is over or <paramref name="stop"/> says so.</summary>
    public async Task ShowAsync(Func<SensorSnapshot> snapshot, TimeSpan length, TimeProvider time, CancellationToken stop)
    {
        long begin = time.GetTimestamp();
        _tick = begin;
        TimeSpan Left() => length - time.GetElapsedTime(begin);
        if (!live)
        {
            for (int frame = 1; Left() > TimeSpan.Zero && !stop.IsCancellationRequested; frame++)
            {
                await PauseAsync(Left(), stop).ConfigureAwait(false);
                if (frame % FramesPerPlainLine != 0) continue;
                SensorSnapshot now = snapshot();
                await output.WriteLineAsync(PlainLine(now, Rate(now, time), Left())).ConfigureAwait(false);
            }
            return;
        }
        await AnsiConsole.Live(new Text("")).StartAsync(async context =>
        {
            while (Left() > TimeSpan.Zero && !stop.IsCancellationRequested)
            {
                SensorSnapshot now = snapshot();
                context.UpdateTarget(Draw(now, Rate(now, time), Left()));
                context.Refresh();
                await PauseAsync(Left(), stop).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
    }

    static async Task PauseAsync(TimeSpan left, CancellationToken stop)
    {
        try
        {
            await Task.Delay(left < s_frame ? left + TimeSpan.FromMilliseconds(1) : s_frame, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The caller's loop sees it.
        }
    }

    double Rate(SensorSnapshot now, TimeProvider time)
    {
        double seconds = time.GetElapsedTime(_tick).TotalSeconds;
        double rate = seconds > 0 ? (now.Packets - _packets) / seconds : 0;
        _packets = now.Packets;
        _tick = time.GetTimestamp();
        return Math.Max(0, rate);
    }

    static string PlainLine(SensorSnapshot now, double rate, TimeSpan left)
    {
        string events = string.Join(' ', EventTypes.Uploaded.Select((type, i) => $"{type.Name()} {now.Events[i]}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"  {Math.Max(0, left.TotalSeconds),3:0} s left  {rate,5:0} packets/s  drops {now.KernelDrops}  events {events}  spool {now.SpoolRows} rows {now.SpoolBytes} B  alerts {now.Alerts}");
    }

    Rows Draw(SensorSnapshot now, double rate, TimeSpan left)
    {
        Table numbers = new Table().Border(TableBorder.Rounded).Title(string.Create(CultureInfo.InvariantCulture,
            $"Network Flight Recorder on {OfficePlan.MirrorInterface}: {Math.Max(0, left.TotalSeconds):0} s left"));
        numbers.AddColumn(new TableColumn("packets/s").RightAligned());
        numbers.AddColumn(new TableColumn("packets").RightAligned());
        numbers.AddColumn(new TableColumn("drops").RightAligned());
        foreach (EventType type in EventTypes.Uploaded) numbers.AddColumn(new TableColumn(type.Name()).RightAligned());
        numbers.AddColumn(new TableColumn("spool").RightAligned().NoWrap());
        numbers.AddColumn(new TableColumn("alerts").RightAligned());
        numbers.AddRow(
        [
            Cell(rate), Cell(now.Packets), Cell(now.KernelDrops), .. now.Events.Select(count => Cell(count)),
            new Text(string.Create(CultureInfo.InvariantCulture, $"{now.SpoolRows} rows, {now.SpoolBytes / 1024.0:0.0} KiB")), Cell(now.Alerts),
        ]);
        var rows = new List<IRenderable> { numbers };
        foreach (SensorAlert alert in now.LastAlerts.TakeLast(8))
            rows.Add(new Text($"  {alert.SourceAddress,-12} {string.Join(',', alert.ThreatIds)}: {alert.Title}", new Style(Color.Yellow)));
        lock (_done) rows.AddRange(_done.Select(line => new Text("  sent: " + line, new Style(Color.Grey))));
        return new Rows(rows);
    }

    static Text Cell(double number) => new(number.ToString("0", CultureInfo.InvariantCulture));
}
