using System.Diagnostics;
using Nfr.Events;
using Nfr.Faults.Kill;
using Nfr.Storage;
using Nfr.Tests;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Outputs;

/// <summary>Seven outputs, one dead, one slow, one flapping, through fifty orderly restarts, in virtual time: each alert once at each output that lives, in order.</summary>
public sealed class OrderlyRestartTests(ITestOutputHelper output)
{
    static readonly SensorIdentity s_sensor = new("2.0.0", "sensor-1", "box");

    [Fact]
    public async Task Each_alert_arrives_exactly_once_and_in_order_through_fifty_restarts()
    {
        using var folder = new RamFolder();
        var time = new ManualTime();
        var random = new Random(50);
        Receiver[] receivers =
        [
            new("one", SinkMood.Well, time), new("two", SinkMood.Well, time), new("three", SinkMood.Well, time), new("four", SinkMood.Well, time),
            new("slow", SinkMood.Slow, time), new("flapping", SinkMood.Flapping, time), new("dead", SinkMood.Dead, time),
        ];
        Receiver dead = receivers[^1];
        var stored = new List<string>();
        int restarts = Tier.Of(50, 1000);
        TimeSpan slowest = default;
        for (int life = 0; life <= restarts; life++)
        {
            bool last = life == restarts;
            if (last) dead.Mood = SinkMood.Well;
            using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path }, time);
            using var stop = new CancellationTokenSource();
            AlertOutput[] outputs = [.. receivers.Select(r => new AlertOutput(spool, new OutputOptions { Name = r.Name, Sink = new StreamSinkOptions() }, s_sensor, time, _ => { }, r.Sink()))];
            Task[] running = [.. outputs.Select(o => o.RunAsync(stop.Token))];
            for (int burst = random.Next(1, 5); burst > 0; burst--)
            {
                for (int i = random.Next(1, 130); i > 0; i--)
                {
                    Alert alert = SmallSensor.Alert(life, stored.Count);
                    stored.Add(alert.Event.Query!);
                    spool.AppendAlert(alert);
                }
                Assert.Null(spool.Flush());
                long began = time.GetTimestamp();
                // Whatever the others do, those that are well have it without any time passing.
                await UntilAsync(() => receivers.Where(r => r.Mood == SinkMood.Well && r != dead).All(r => r.Kept.Count == stored.Count), time, TimeSpan.Zero);
                TimeSpan took = time.GetElapsedTime(began);
                if (took > slowest) slowest = took;
                await PassAsync(time, TimeSpan.FromMilliseconds(random.Next(0, 3000)));
            }
            if (last) await UntilAsync(() => receivers.All(r => r.Kept.Count >= stored.Count), time, TimeSpan.FromSeconds(1));
            await stop.CancelAsync();
            await UntilAsync(() => running.All(task => task.IsCompleted), time, TimeSpan.FromMilliseconds(100));
            await Task.WhenAll(running);
            foreach (AlertOutput each in outputs) each.Dispose();
            foreach (Receiver receiver in receivers.Where(r => r.Mood != SinkMood.Dead)) Assert.Equal(stored.Take(receiver.Kept.Count), receiver.Kept);
            if (!last) Assert.Empty(dead.Kept);
        }
        foreach (Receiver receiver in receivers) Assert.Equal(stored, receiver.Kept);
        output.WriteLine($"{restarts} orderly restarts, {stored.Count:N0} alerts: each of seven outputs has each exactly once, in order; the flapping one failed {receivers[5].Failures} times, the dead one {dead.Failures}, and had all when it came back; the others never waited ({slowest.TotalSeconds:0} s)");
        Assert.Equal(TimeSpan.Zero, slowest);
    }

    static async Task PassAsync(ManualTime time, TimeSpan span)
    {
        for (TimeSpan done = default; done < span; done += TimeSpan.FromMilliseconds(250))
        {
            time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Delay(1);
        }
    }

    static async Task UntilAsync(Func<bool> condition, ManualTime time, TimeSpan step)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(begin) > TimeSpan.FromSeconds(120)) throw new TimeoutException("an output is stuck");
            if (step > TimeSpan.Zero) time.Advance(step);
            await Task.Delay(1);
        }
    }
}
