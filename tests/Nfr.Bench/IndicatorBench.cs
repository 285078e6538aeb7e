using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nfr.Scoring;
using Nfr.Scoring.Indicators;
using Nfr.Train.Traffic;
using Nfr.Wire;

namespace Nfr.Bench;

/// <summary>
/// <c>indicators [COUNT]</c>: a made-up list of the usual mix (of ten lines seven domains, two addresses with and without port, one URL), loaded, asked and swapped in
/// this process alone; prints memory, times and the pause of a swap.
/// </summary>
static class IndicatorBench
{
    public static int Run(string[] args)
    {
        int count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        string folder = Directory.CreateTempSubdirectory("nfr-bench").FullName;
        try
        {
            // Two files, as a site has several: one is changed below, and only that one is held twice.
            for (int part = 0; part < 2; part++) MadeUpIndicators.Write(Path.Combine(folder, $"c2_{part}.csv"), count / 2, part);
            Collect();
            long heap = GC.GetTotalMemory(forceFullCollection: true), allocated = GC.GetTotalAllocatedBytes(precise: true);
            long resident = Resident();
            var watch = Stopwatch.StartNew();
            using var store = new IndicatorStore([folder], TimeSpan.Zero, TimeProvider.System);
            double load = watch.Elapsed.TotalSeconds;
            long built = GC.GetTotalAllocatedBytes(precise: true) - allocated, peak = Resident() - resident;
            Collect();
            Print($"{store.Count:N0} indicators in {store.Lists.Count} files, {store.FaultCount} faults, loaded in {load:0.0} s");
            Print($"tables and filter {Mb(store.Bytes)} MB ({(double)store.Bytes / store.Count:0.0} bytes each); heap {Mb(GC.GetTotalMemory(forceFullCollection: true) - heap)} MB, resident {Mb(Resident() - resident)} MB more");
            Print($"the loader allocated {Mb(built)} MB in all, tables among them; resident right after it {Mb(peak)} MB more");
            Ask(store.Current);

            MadeUpIndicators.Write(Path.Combine(folder, "c2_0.csv"), (count / 2) + 10, 7);
            (long before, TimeSpan paused) = (Resident(), GC.GetTotalPauseDuration());
            watch.Restart();
            store.Poll();
            Print($"one file of two changed: {watch.Elapsed.TotalSeconds:0.0} s, runtime paused {(GC.GetTotalPauseDuration() - paused).TotalMilliseconds:0.0} ms, resident {Mb(Resident() - before)} MB more afterwards");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static void Ask(IndicatorSet set)
    {
        var random = new Random(5);
        byte[][] absent = [.. Enumerable.Range(0, 50_000).Select(i => Encoding.ASCII.GetBytes($"www.{MadeUpIndicators.Name(random, i)}.example.org"))];
        byte[][] listed = [.. MadeUpIndicators.Lines(50_000, 1).Where((_, i) => i % 10 < 7).Select(line => Encoding.ASCII.GetBytes("cdn." + line.Split(',')[1]))];
        Time("a name of four labels that is not listed", absent, name => Domain(set, name));
        Time("a name below a listed one", listed, name => Domain(set, name));
        Address[] addresses = [.. Enumerable.Range(0, 50_000).Select(_ => Address.FromV4((uint)random.Next()))];
        Time("an address with port that is not listed", addresses, address => Number(set, address));
    }

    static bool Domain(IndicatorSet set, byte[] name)
    {
        IndicatorHit hit = default;
        set.FindDomain(name, ref hit);
        return !hit.IsNone;
    }

    static bool Number(IndicatorSet set, Address address)
    {
        IndicatorHit hit = default;
        set.FindAddress(address, 443, ref hit);
        return !hit.IsNone;
    }

    static void Time<T>(string what, T[] items, Func<T, bool> ask)
    {
        int found = 0;
        foreach (T item in items) ask(item);
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < 10; round++)
        {
            foreach (T item in items) found += ask(item) ? 1 : 0;
        }
        double each = Stopwatch.GetElapsedTime(start).TotalNanoseconds / (items.Length * 10L);
        Print($"{each,6:0} ns  {what} ({found / 10:N0} of {items.Length:N0} found)");
    }

    static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    static long Resident() => Environment.WorkingSet;
    static string Mb(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
    static void Print(string line) => Console.WriteLine(line);
}
