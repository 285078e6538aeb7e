using System.Diagnostics;
using Nfr.Faults.Disk;
using Nfr.Faults.Ring;
using Xunit.Abstractions;

namespace Nfr.Faults;

/// <summary>
/// Promises 1, 5 and 6 on a disk that refuses its n-th call, for every n until a run meets no refusal any more: the fault comes back as a value,
/// nothing acknowledged is lost or thrown aside, and the spool goes on by itself when the disk does.
/// </summary>
public sealed class IoFaultTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(IoWorkload.Create))]
    [InlineData(nameof(IoWorkload.Drain))]
    [InlineData(nameof(IoWorkload.Recover))]
    public void Whichever_call_the_disk_refuses_nothing_acknowledged_is_lost_and_the_spool_goes_on(string workloadName)
    {
        var workload = Enum.Parse<IoWorkload>(workloadName);
        using var disk = new FaultDisk();
        IoFaultRun.Start start = IoFaultRun.Prepare(disk, workload);
        foreach (DiskFailure failure in Enum.GetValues<DiskFailure>())
        {
            // One refusal, and a disk that refuses everything for a while.
            foreach (int times in (int[])[1, 25])
            {
                var clock = Stopwatch.StartNew();
                int n = 0, faults = 0, opens = 0, refused;
                do
                {
                    n++;
                    IoFaultRun run = Try(disk, workload, start, () => disk.FailFrom(n, times, failure), $"{workload}, {failure}, {times} from call {n}", out refused);
                    (faults, opens) = (faults + run.Faults, opens + run.RefusedOpens);
                }
                while (refused > 0);
                output.WriteLine($"{workload}, {failure} {times} times from call n: n = 1 to {n}, {faults} faults came back, {opens} starts tried again; {clock.Elapsed.TotalSeconds:F1} s");
                Assert.True(n > 20);
            }
        }
        for (int seed = 0; seed < Tier.Of(0, 20_000); seed++)
        {
            var random = new Random(seed);
            var failure = (DiskFailure)random.Next(4);
            (int first, int times) = (random.Next(1, 600), random.Next(1, 200));
            Try(disk, workload, start, () => disk.FailFrom(first, times, failure), $"{workload}, {failure}, {times} from call {first}", out _);
        }
    }

    static IoFaultRun Try(FaultDisk disk, IoWorkload workload, IoFaultRun.Start start, Action fail, string what, out int refused)
    {
        var run = new IoFaultRun(disk, workload);
        refused = 0;
        try
        {
            // Healing begins to count anew: the refusals are those before it.
            int before = 0;
            run.Run(start, () =>
            {
                fail();
                before = disk.RefusedInAll;
            });
            refused = disk.RefusedInAll - before;
            return run;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what}: {e.Message}", e);
        }
        finally
        {
            run.Abandon();
        }
    }
}
