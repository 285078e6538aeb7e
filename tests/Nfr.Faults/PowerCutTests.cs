using System.Diagnostics;
using Nfr.Faults.Ring;
using Xunit.Abstractions;

namespace Nfr.Faults;

/// <summary>
/// Promises 1 and 5 at the moment when the power goes: under the real spool lies a disk in memory that records what reaches it, and what a cut after
/// any operation may leave of that is opened and judged. Everything acknowledged must be there, byte for byte; what was under way is there or not,
/// whole; no number comes twice; the spool works on.
/// </summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    const int Actions = 24;

    PowerCutFigures Cut(string what, int states, string synchronous = "FULL", string? liesAboutSyncing = null, int firstSeed = 1)
    {
        var clock = Stopwatch.StartNew();
        var sum = new PowerCutFigures();
        var gate = new Lock();
        int seed = firstSeed - 1;
        Thread[] workers = [.. Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, 4)).Select(_ => new Thread(() =>
        {
            while (true)
            {
                lock (gate)
                {
                    if (sum.States >= states) return;
                }
                using var run = new PowerCutRun(Interlocked.Increment(ref seed), synchronous, liesAboutSyncing);
                try
                {
                    run.Run(Actions);
                }
                catch (Exception e)
                {
                    run.Figures.Dead++;
                    run.Figures.Examples.Add(e.ToString());
                }
                lock (gate) sum.Add(run.Figures);
            }
        }))];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        output.WriteLine($"{what}: {sum}; {clock.Elapsed.TotalSeconds:F0} s, {sum.States / clock.Elapsed.TotalSeconds:F0} states a second");
        foreach (string example in sum.Examples) output.WriteLine(example);
        return sum;
    }

    [Fact]
    public void No_power_cut_loses_what_was_acknowledged_or_leaves_a_ring_that_cannot_be_read()
    {
        PowerCutFigures figures = Cut("FULL, sectors of 512 and of 4096 bytes", Tier.Of(30_000, 2_000_000));
        Assert.Equal((0, 0, 0, 0), (figures.Lost, figures.Corrupt, figures.Repeated, figures.Dead));
    }

    [Fact]
    public void Alarm_the_same_run_with_synchronous_NORMAL_reports_losses()
    {
        PowerCutFigures figures = Cut("NORMAL", Tier.Of(2_000, 20_000), "NORMAL");
        Assert.True(figures.Lost > figures.States / 20, $"{figures}");
    }

    [Fact]
    public void Alarm_the_same_run_with_synchronous_OFF_reports_corruption()
    {
        PowerCutFigures figures = Cut("OFF", Tier.Of(2_000, 20_000), "OFF");
        Assert.True(figures.Corrupt > figures.States / 100, $"{figures}");
    }

    [Fact]
    public void Alarm_a_card_that_lies_about_the_file_beside_the_ring_is_noticed()
    {
        PowerCutFigures figures = Cut("sensor.json not synced", Tier.Of(2_000, 20_000), liesAboutSyncing: "sensor.json.new");
        Assert.True(figures.Corrupt > 0, $"{figures}");
    }
}
