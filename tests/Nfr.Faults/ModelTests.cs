using System.Diagnostics;
using Nfr.Faults.Disk;
using Nfr.Faults.Ring;
using Xunit.Abstractions;

namespace Nfr.Faults;

/// <summary>Promises 1, 4 and 9: the real ring, shrunk until it evicts, against a model that fits on a page; the same after each of any steps.</summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    [Fact]
    public void The_ring_is_what_its_model_is_after_every_step()
    {
        var clock = Stopwatch.StartNew();
        int sequences = Tier.Of(2_000, 500_000), next = 0;
        long steps = 0, evicted = 0;
        (ModelStep[] Steps, string Fault)? failed = null;
        Thread[] workers = [.. Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, 4)).Select(_ => new Thread(() =>
        {
            using var disk = new FaultDisk();
            while (failed is null && Interlocked.Increment(ref next) is int seed && seed <= sequences)
            {
                ModelStep[] drawn = ModelRun.Draw(seed);
                if (ModelRun.Run(disk, drawn, out long gone) is { } fault) failed = (drawn, fault);
                Interlocked.Add(ref steps, drawn.Length);
                Interlocked.Add(ref evicted, gone);
            }
        }))];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        output.WriteLine($"{Math.Min(next, sequences)} sequences, {steps} steps, {evicted} events evicted, {clock.Elapsed.TotalSeconds:F0} s");
        if (failed is { } failure)
        {
            ModelStep[] left = failure.Steps;
            Assert.Fail(Shrunk(ref left, failure.Fault));
        }
        Assert.True(evicted > sequences, "the ring was not small enough");
    }

    [Fact]
    public void Alarm_a_model_that_is_wrong_in_one_number_is_found_and_the_sequence_shrinks()
    {
        using var disk = new FaultDisk();
        for (int seed = 1; seed <= 200; seed++)
        {
            ModelStep[] steps = ModelRun.Draw(seed);
            int drawn = steps.Length;
            if (ModelRun.Run(disk, steps, out _, wrongModel: true) is not { } fault) continue;
            string told = Shrunk(ref steps, fault, wrongModel: true);
            output.WriteLine($"sequence {seed}, {drawn} steps and {steps.Length} are left: {told}");
            // Six alerts are at least an alert of an engine or two, and nothing can be left out any more.
            Assert.InRange(steps.Length, 1, 8);
            return;
        }
        Assert.Fail("two hundred sequences did not find it");
    }

    /// <summary>Leaves out whatever can be left out, from halves down to single steps, as long as it still fails.</summary>
    static string Shrunk(ref ModelStep[] steps, string fault, bool wrongModel = false)
    {
        using var disk = new FaultDisk();
        for (int part = steps.Length / 2; part >= 1; part = part > 1 ? part / 2 : 0)
        {
            for (int at = 0; at + part <= steps.Length;)
            {
                ModelStep[] fewer = [.. steps[..at], .. steps[(at + part)..]];
                if (ModelRun.Run(disk, fewer, out _, wrongModel) is { } still) (steps, fault) = (fewer, still);
                else at += part;
            }
        }
        return $"{fault}\nby {string.Join(", ", steps.Select(step => $"new({nameof(ModelAction)}.{step.Action}, {step.Seed})"))}";
    }
}
