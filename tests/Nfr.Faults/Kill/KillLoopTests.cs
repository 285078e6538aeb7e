using System.Globalization;
using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using Xunit.Abstractions;

namespace Nfr.Faults.Kill;

/// <summary>A small sensor under load is killed, again and again; a sink writes down what came.</summary>
public sealed class KillLoopTests(ITestOutputHelper output)
{
    /// <summary>Lives on one spool directory, before it is drained and counted to the end.</summary>
    internal const int LivesOfOne = 25;

    internal sealed class Sums
    {
        public int Lives, Early, Batches, DoubledBatches;
        public long Accepted, Spooled, Delivered, DoubledEvents, Unspooled, MostUnspooled, Alerts;
        public List<TimeSpan> Stops { get; } = [];
    }

    [Fact]
    public async Task Nothing_spooled_is_lost_across_two_hundred_kills()
    {
        Sums sums = await GenerationsAsync(Tier.Of(200, 5_000) / LivesOfOne, orderly: false);
        output.WriteLine($"{sums.Lives} kills ({sums.Early} of them before the spool was open): {sums.Accepted:N0} accepted, {sums.Spooled:N0} spooled and acknowledged, {sums.Delivered:N0} delivered in {sums.Batches:N0} uploads,"
            + $" 0 missing; {sums.DoubledBatches} uploads ({sums.DoubledEvents:N0} events) came twice, each in flight at a kill; at most {sums.MostUnspooled} accepted events were not spooled yet; {sums.Alerts:N0} alerts");
        Assert.True(sums.Delivered > sums.Lives * 100, "hardly any load");
    }

    internal static async Task<Sums> GenerationsAsync(int generations, bool orderly)
    {
        var sums = new Sums();
        await Parallel.ForAsync(0, generations, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(4, Environment.ProcessorCount) },
            async (generation, _) => await GenerationAsync(generation, orderly, sums));
        return sums;
    }

    static async Task GenerationAsync(int generation, bool orderly, Sums sums)
    {
        using var folder = new RamFolder();
        await using Sink sink = await Sink.StartAsync();
        var random = new Random(generation);
        var acknowledged = new long[LivesOfOne + 1];
        long spooledAlerts = 0, knownSpooled = 0;
        for (int life = 0; life < LivesOfOne; life++)
        {
            int flushEvents = random.Next(3) switch { 0 => 20, 1 => 100, _ => 500 };
            using SensorChild child = Child(folder, sink, life, flushEvents, "load");
            // One in ten dies while it starts: what mends the spool must bear being killed too.
            bool early = !orderly && random.Next(10) == 0;
            if (!early) await child.UntilReadyAsync();
            await Task.Delay(early ? random.Next(40, 250) : random.Next(50, 500));
            if (orderly)
            {
                TimeSpan stop = await child.TerminateAsync();
                lock (sums) sums.Stops.Add(stop);
            }
            else
            {
                await child.KillAsync();
            }
            LifeNotes notes = child.Notes;
            acknowledged[life] = notes.Spooled;
            spooledAlerts += notes.SpooledAlerts;
            // Promise 3, the half that counts events; the other half is the clock's.
            Assert.InRange(notes.Accepted - notes.Spooled, 0, orderly ? 0 : flushEvents);
            knownSpooled = Look(folder, $"life {life} of {generation}", knownSpooled, acknowledged.Sum(), spooledAlerts, orderly);
            lock (sums)
            {
                sums.Lives++;
                sums.Early += notes.Ready == 0 ? 1 : 0;
                sums.Accepted += notes.Accepted;
                sums.Spooled += notes.Spooled;
                sums.Unspooled += notes.Accepted - notes.Spooled;
                sums.MostUnspooled = Math.Max(sums.MostUnspooled, notes.Accepted - notes.Spooled);
            }
        }
        using (SensorChild drain = Child(folder, sink, LivesOfOne, 500, "drain")) await drain.EndAsync();

        Assert.Empty(sink.Faults);
        for (int life = 0; life < LivesOfOne; life++) Assert.Equal(0, sink.Missing(life, acknowledged[life]));
        using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.In("spool") }, TimeProvider.System);
        SpoolTally total = spool.Counters.Total;
        Assert.Equal(new SpoolTally(total.Spooled, total.Spooled, 0, total.Spooled, 0, 0, 0), total);
        Assert.Equal(total.Delivered, sink.Events);
        lock (sums)
        {
            sums.Delivered += total.Delivered;
            sums.Batches += sink.Batches;
            sums.DoubledBatches += sink.DoubledBatches;
            sums.DoubledEvents += sink.DoubledEvents;
            sums.Alerts += spool.Counters.Alerts.Spooled;
        }
    }

    static SensorChild Child(RamFolder folder, Sink sink, int life, int flushEvents, string what) => new(
        folder, life, "sensor", folder.In("spool"), sink.Host, life.ToString(CultureInfo.InvariantCulture), flushEvents.ToString(CultureInfo.InvariantCulture), what);

    /// <summary>What the dead process left, opened as a copy, since looking must not mend: whole, closing, and with all that was acknowledged.</summary>
    static long Look(RamFolder folder, string when, long knownSpooled, long acknowledged, long alerts, bool orderly)
    {
        using var copy = new RamFolder();
        if (!Directory.Exists(folder.In("spool"))) return 0;
        foreach (string file in Directory.GetFiles(folder.In("spool"))) File.Copy(file, copy.In(Path.GetFileName(file)));
        using (Spool left = Spool.Open(new SpoolOptions { Directory = copy.Path }, TimeProvider.System))
        {
            Assert.Empty(left.OpenReport.Quarantined);
            Assert.Equal(0, left.OpenReport.Corrected);
            SpoolCounters counters = left.CountRows()!;
            foreach (EventType type in EventTypes.Uploaded)
            {
                SpoolTally tally = counters.Of(type);
                Assert.Equal(tally.Spooled, tally.InSpool + tally.Delivered);
            }
            SpoolTally total = counters.Total;
            Assert.True(total.Spooled >= acknowledged, $"{when}: {acknowledged} events were acknowledged, {total.Spooled} are known");
            Assert.True(total.Spooled >= knownSpooled, $"{when}: {knownSpooled} events were known before, {total.Spooled} are now");
            Assert.True(counters.Alerts.InSpool >= alerts, $"{when}: {alerts} alerts were acknowledged, {counters.Alerts.InSpool} are there");
            if (orderly) Assert.False(left.OpenReport.AfterUncleanStop);
            knownSpooled = total.Spooled;
        }
        Assert.False(SqliteConnection.Open(copy.In("spool.db"), null, out SqliteConnection? db).IsError);
        using (db) Assert.Equal("ok", db!.Scalar("PRAGMA integrity_check"));
        return knownSpooled;
    }
}
