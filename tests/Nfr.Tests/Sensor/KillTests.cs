using System.Globalization;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Tests.Capture;
using Nfr.Tests.Uplink;
using Xunit.Abstractions;
using Nfr.Tests.Storage;

namespace Nfr.Tests.Sensor;

/// <summary>kill -9 under load, again and again, with an engine that writes down what it was sent.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    const int Kills = 15;

    sealed record Upload(EventType Type, long First, long Last, string[] Lines);

    [CableFact]
    public async Task Nothing_spooled_is_lost_across_fifteen_kills_and_at_most_one_batch_each_is_doubled()
    {
        using var bench = new SensorBench();
        await using EngineServer engine = await bench.EngineAsync();
        List<Upload> uploads = [];
        engine.Answer = async (context, request) =>
        {
            if (request.Path.EndsWith("/account/status", StringComparison.Ordinal))
            {
                await EngineServer.Json(context, 200, """{"registered":true,"expired":false,"messages":[]}""");
                return;
            }
            if (request.Method == "GET")
            {
                await EngineServer.Json(context, 200, """{"follow":"","more":false,"alerts":[],"threats":{}}""");
                return;
            }
            long[] range = [.. request.Headers["X-NFR-Sequence"].Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
            EventType type = EventTypes.Uploaded.Single(t => request.Path.Contains("/" + t.Name(), StringComparison.Ordinal));
            lock (uploads) uploads.Add(new Upload(type, range[0], range[1], request.Lines));
            // The answer takes its time, so that kills fall between an event's arrival and the sensor's note of it.
            await Task.Delay(Random.Shared.Next(100));
            await EngineServer.Ok(context, request);
        };
        bench.Configure($"  host: {engine.Host}\n  api_key: KEY1", more: """
            dns_events:
              buffer_size: 64
              flush_interval: 5s
            ip_events:
              buffer_size: 64
              flush_interval: 5s
            flows:
              udp_timeout: 1s
            """);
        var random = new Random(42);
        Dictionary<EventType, HashSet<long>> spooled = EventTypes.Uploaded.ToDictionary(t => t, _ => new HashSet<long>());
        long counted = 0;
        int sent;
        using (var load = new DnsLoad(bench.Network, 600))
        {
            for (int kill = 0; kill < Kills; kill++)
            {
                using NfrProcess sensor = bench.Listen();
                Thread.Sleep(random.Next(100, 1500));
                sensor.Signal(NfrProcess.Kill);
                Assert.Equal(128 + NfrProcess.Kill, sensor.End().Code);
                using Spool left = Copy(bench, $"after-{kill}");
                SpoolTally tally = left.Counters.Total;
                Assert.True(tally.Spooled >= counted, $"kill {kill}: {counted} events were spooled before, {tally.Spooled} now");
                Assert.Equal(tally.Spooled, tally.InSpool + tally.Delivered + tally.Evicted + tally.Quarantined);
                Assert.Empty(left.OpenReport.Quarantined);
                counted = tally.Spooled;
                foreach (EventType type in EventTypes.Uploaded) spooled[type].UnionWith(InSpool(left, type));
            }
            sent = load.Sent;
        }
        SpoolTally total;
        using (NfrProcess sensor = bench.Listen())
        {
            sensor.Until(() => Waiting(engine, uploads), "the engine has had nothing new for 6 s", TimeSpan.FromSeconds(180));
            sensor.Signal(NfrProcess.Terminate);
            Assert.Equal(0, sensor.End().Code);
        }
        Dictionary<EventType, HashSet<long>> waiting = [];
        using (Spool spool = bench.OpenSpool())
        {
            total = spool.Counters.Total;
            foreach (EventType type in EventTypes.Uploaded) waiting[type] = InSpool(spool, type);
        }

        HashSet<(EventType, long)> delivered = [];
        int doubled = 0;
        foreach (EventType type in EventTypes.Uploaded)
        {
            Upload[] ofType = [.. uploads.Where(u => u.Type == type)];
            Upload? before = null;
            foreach (Upload upload in ofType)
            {
                // Only the batch that was in flight comes again, from its first event on.
                if (before is not null && upload.First <= before.Last)
                {
                    doubled++;
                    Assert.Equal(before.First, upload.First);
                    Assert.Equal(before.Lines, upload.Lines.Take(before.Lines.Length));
                }
                before = upload;
                for (long sequence = upload.First; sequence <= upload.Last; sequence++) delivered.Add((type, sequence));
            }
            Assert.DoesNotContain(spooled[type], sequence => !delivered.Contains((type, sequence)) && !waiting[type].Contains(sequence));
        }
        Assert.True(doubled <= Kills * EventTypes.UploadedCount, $"{doubled} batches came twice");
        string[] names = [.. uploads.Where(u => u.Type == EventType.Dns).DistinctBy(u => (u.First, u.Last)).SelectMany(u => u.Lines)];
        Assert.True(names.Length > 1000, $"only {names.Length} of {sent} questions were seen at all");
        Assert.Equal(0, total.Evicted + total.Quarantined + total.LostBeforeSpool);
        // The count in the database knows of every event that was ever spooled: each was delivered, or is there.
        Assert.Equal(total.Spooled, total.Delivered + total.InSpool);
        long lines = uploads.GroupBy(u => (u.Type, u.First)).Sum(g => g.Max(u => u.Lines.Length));
        Assert.Equal(total.Delivered, lines);
        output.WriteLine($"{Kills} kills, {sent} questions sent, {total.Spooled} events spooled, {total.Delivered} delivered in {uploads.Count} uploads, {doubled} of them twice, {total.InSpool} left");
    }

    static bool Waiting(EngineServer engine, List<Upload> uploads)
    {
        int before;
        lock (uploads) before = uploads.Count;
        Thread.Sleep(6000);
        lock (uploads) return uploads.Count == before && engine.Requests.Count > 0;
    }

    static HashSet<long> InSpool(Spool spool, EventType type)
    {
        HashSet<long> sequences = [];
        while (spool.Peek(type, 100_000, 8 << 20) is { } batch)
        {
            for (int i = 0; i < batch.Count; i++) sequences.Add(batch.SequenceOf(i));
            if (spool.Delivered(type, batch.LastSequence) is not null) break;
        }
        return sequences;
    }

    /// <summary>What the dead process left, opened beside it: looking must not mend.</summary>
    static Spool Copy(SensorBench bench, string name)
    {
        string folder = bench.In(name);
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(bench.SpoolPath)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return Spool.Open(new SpoolOptions { Directory = folder }, TimeProvider.System);
    }
}
