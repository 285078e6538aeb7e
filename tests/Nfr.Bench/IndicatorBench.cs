using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nfr.Scoring;
using Nfr.Scoring.Indicators;
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
            for (int part = 0; part < 2; part++) Write(Path.Combine(folder, $"c2_{part}.csv"), count / 2, part);
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

            Write(Path.Combine(folder, "c2_0.csv"), (count / 2) + 10, 7);
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
        byte[][] absent = [.. Enumerable.Range(0, 50_000).Select(i => Encoding.ASCII.GetBytes($"www.{Name(random, i)}.example.org"))];
        byte[][] listed = [.. Lines(50_000, 1).Where((_, i) => i % 10 < 7).Select(line => Encoding.ASCII.GetBytes("cdn." + line.Split(',')[1]))];
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

    static void Write(string path, int count, int seed) => File.WriteAllLines(path, Lines(count, seed).Prepend("first_seen,ioc_value,malware"));

    static IEnumerable<string> Lines(int count, int seed)
    {
        var random = new Random(seed);
        string[] tops = ["com", "net", "org", "top", "xyz", "info", "ru", "co.uk", "duckdns.org"];
        for (int i = 0; i < count; i++)
        {
            string indicator = (i % 10) switch
            {
                < 7 => $"{Name(random, (seed * 10_000_000) + i)}.{tops[random.Next(tops.Length)]}",
                7 => $"{random.Next(11, 100)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}",
                8 => $"{random.Next(11, 100)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}:{random.Next(1, 65536)}",
                _ => $"http://{Name(random, i)}.com/{Name(random, i)}/{Name(random, i)}.exe",
            };
            yield return $"2024-{random.Next(1, 13):00}-{random.Next(1, 29):00} 10:00:00,{indicator},family{random.Next(400)}";
        }
    }

    static string Name(Random random, int number) => string.Create(CultureInfo.InvariantCulture, $"{string.Create(4 + random.Next(9), random, static (span, r) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = (char)('a' + r.Next(26));
    })}{number:x}");

    static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    static long Resident() => Environment.WorkingSet;
    static string Mb(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
    static void Print(string line) => Console.WriteLine(line);
}
