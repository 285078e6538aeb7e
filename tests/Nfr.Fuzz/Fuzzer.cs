using System.Diagnostics;
using System.Security.Cryptography;

namespace Nfr.Fuzz;

/// <summary>What a run of one target gave.</summary>
/// <param name="Edges">Pairs of basic blocks that were seen to follow each other.</param>
/// <param name="Findings">A sentence each, with the file that holds the input; empty when all is well.</param>
sealed record FuzzReport(string Target, long Runs, double Seconds, int Edges, int Corpus, IReadOnlyList<string> Findings)
{
    public override string ToString() =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{Target,-12} {Runs,10:N0} runs {Runs / Math.Max(Seconds, 0.001),10:N0}/s {Edges,6:N0} edges {Corpus,6:N0} inputs {Findings.Count,3} findings");
}

/// <summary>
/// Coverage-guided, in one process: an input that goes a new way joins the corpus. The same seed gives the same inputs as long as the code is the same;
/// what is counted is runs, not seconds, so that a red run can be had again.
/// </summary>
sealed class Fuzzer(Target target, int seed, string crashFolder)
{
    const int MaximumFindings = 10;

    readonly byte[] _seen = new byte[Coverage.Size];
    readonly List<byte[]> _corpus = [];
    readonly List<string> _findings = [];
    long _runs;

    public FuzzReport Run(Seeds seeds, long runs, TimeSpan? time)
    {
        var clock = Stopwatch.StartNew();
        byte[][] inputs = [.. target.Seeds(seeds).DefaultIfEmpty([0])];
        // What reading the seeds has hit is no target's.
        Coverage.Collect(new byte[Coverage.Size]);
        foreach (byte[] input in inputs)
        {
            if (input.Length > target.MaximumLength) continue;
            if (Try(input) || _corpus.Count == 0) _corpus.Add(input);
        }
        if (_corpus.Count == 0) throw new InvalidOperationException($"{target.Name}: every seed is longer than {target.MaximumLength} bytes");
        var mutator = new Mutator(new Random(seed), target.Words, target.MaximumLength);
        while ((time is null ? _runs < runs : clock.Elapsed < time) && _findings.Count < MaximumFindings)
        {
            ReadOnlySpan<byte> input = mutator.Next(_corpus);
            if (Try(input)) _corpus.Add(input.ToArray());
        }
        return new FuzzReport(target.Name, _runs, clock.Elapsed.TotalSeconds, _seen.Count(b => b != 0), _corpus.Count, _findings);
    }

    /// <summary>Every beginning of each input, once.</summary>
    public FuzzReport RunPrefixes(IEnumerable<byte[]> inputs)
    {
        var clock = Stopwatch.StartNew();
        foreach (byte[] input in inputs)
        {
            for (int length = 0; length <= input.Length && _findings.Count < MaximumFindings; length++) Try(input.AsSpan(0, length));
            _corpus.Add(input);
        }
        return new FuzzReport(target.Name, _runs, clock.Elapsed.TotalSeconds, _seen.Count(b => b != 0), _corpus.Count, _findings);
    }

    bool Try(ReadOnlySpan<byte> input)
    {
        _runs++;
        Coverage.Begin();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        if (!Returns(input)) return false;
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        bool isNew = Coverage.Collect(_seen);
        TimeSpan longest = target.Longest * Math.Max(1, (input.Length + 65_535) / 65_536);
        if (took > longest && Again(input, longest)) Find(input, $"took more than {longest.TotalMilliseconds:0} ms four times");
        if (allocated > 0 && !target.MayAllocate && Allocates(input)) Find(input, "allocates each time it is read");
        return isNew;
    }

    bool Returns(ReadOnlySpan<byte> input)
    {
        try
        {
            target.Run(input);
            return true;
        }
        catch (Exception mistake)
        {
            Find(input, mistake.ToString());
            Coverage.Collect(_seen);
            return false;
        }
    }

    bool Again(ReadOnlySpan<byte> input, TimeSpan longest)
    {
        for (int i = 0; i < 3; i++)
        {
            long start = Stopwatch.GetTimestamp();
            target.Run(input);
            if (Stopwatch.GetElapsedTime(start) <= longest) return false;
        }
        return true;
    }

    /// <summary>The first time may set something up for good.</summary>
    bool Allocates(ReadOnlySpan<byte> input)
    {
        for (int i = 0; i < 3; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            target.Run(input);
            if (GC.GetAllocatedBytesForCurrentThread() == before) return false;
        }
        return true;
    }

    void Find(ReadOnlySpan<byte> input, string what)
    {
        Directory.CreateDirectory(crashFolder);
        string file = Path.Combine(crashFolder, $"{target.Name}-{Convert.ToHexStringLower(SHA256.HashData(input))[..16]}");
        File.WriteAllBytes(file, input);
        File.WriteAllText(file + ".txt", what);
        _findings.Add($"{file}: {what}");
    }
}
