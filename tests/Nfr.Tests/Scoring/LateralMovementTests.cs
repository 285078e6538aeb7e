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

    const long Day = 86_400 * Simulated.Second;

    /// <summary>A site that has been watched for longer than its first week.</summary>
    static Simulated Known()
    {
        var run = new Simulated();
        Reach(run, 1, 445, 5000);
        run.Wait(8 * Day);
        return run;
    }

    [Fact]
    public void A_client_that_enters_host_after_host_is_found_though_all_of_them_answer()
    {
        using Simulated run = Known();
        Reach(run, 45, 445);
        // About 45: hosts are counted by a sketch under a key of chance.
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

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(30)]
    public void Who_enters_the_same_hosts_every_day_week_or_month_is_told_once(int days)
    {
        using Simulated run = Known();
        for (int time = 0; time < 6; time++)
        {
            Reach(run, 40, 22);
            run.Wait(days * Day);
        }
        Assert.Equal([2, 3], run.Alerts.Select(a => a.Severity));
    }

    [Fact]
    public void A_sensors_first_week_shows_what_administrators_and_backups_do()
    {
        using var run = new Simulated();
        Reach(run, 20, 22);
        run.Wait(Day);
        Reach(run, 20, 445, 100);
        // The backup of the week.
        run.Wait(5 * Day);
        Reach(run, 20, 445, 200);
        for (int day = 0; day < 20; day++)
        {
            Reach(run, 20, 22);
            if (day % 7 == 0) Reach(run, 20, 445, 200);
            run.Wait(Day);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_sensor_that_lives_for_an_hour_finds_who_enters_very_many_hosts()
    {
        using var run = new Simulated();
        Reach(run, 80, 445);
        Assert.Equal([2, 3], run.Alerts.Select(a => a.Severity));
        Assert.All(run.Alerts, a => Assert.True(a.Evidence!.Score >= a.Evidence.ScoreLimit));
    }

    [Fact]
    public void Another_site_of_an_engine_learns_for_itself()
    {
        using Simulated run = Known();
        var young = new ScorerPartition("young");
        run.Scorer.Enter(young);
        Reach(run, 20, 445);
        run.Scorer.Leave(young);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Many_web_servers_inside_are_no_lateral_movement()
    {
        using var run = new Simulated();
        Reach(run, 60, 443);
        Assert.Empty(run.Alerts);
    }
}
