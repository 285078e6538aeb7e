using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class LateralMovementTests
{
    static void Reach(Simulated run, int hosts, ushort port, uint first = 0)
    {
        for (uint i = 0; i < hosts; i++)
        {
            run.Ip(Address.FromV4(0x0A030000 + first + i), port, ConnectionState.SF, 900, 2000);
            run.Wait(2 * Simulated.Second);
        }
    }

    [Fact]
    public void A_client_that_enters_host_after_host_is_found_though_all_of_them_answer()
    {
        using var run = new Simulated();
        Reach(run, 30, 445);
        Assert.Equal([2, 3], run.Alerts.Select(a => a.Severity));
        Assert.All(run.ThreatIds, id => Assert.Equal("lateral_movement", id));
        Assert.All(run.Alerts, a => Assert.True(a.Evidence!.Score >= a.Evidence.ScoreLimit));
    }

    [Fact]
    public void An_office_client_with_its_few_servers_is_quiet()
    {
        using var run = new Simulated();
        for (int day = 0; day < 5; day++)
        {
            Reach(run, 6, 445);
            Reach(run, 3, 3389, 100);
            run.Wait(86_400 * Simulated.Second);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Who_enters_the_same_hosts_every_day_is_told_once()
    {
        using var run = new Simulated();
        for (int day = 0; day < 6; day++)
        {
            Reach(run, 40, 22);
            run.Wait(86_000 * Simulated.Second);
        }
        Assert.Equal([2, 3], run.Alerts.Select(a => a.Severity));
    }

    [Fact]
    public void Many_web_servers_inside_are_no_lateral_movement()
    {
        using var run = new Simulated();
        Reach(run, 60, 443);
        Assert.Empty(run.Alerts);
    }
}
