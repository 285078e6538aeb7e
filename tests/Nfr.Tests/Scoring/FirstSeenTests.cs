using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class FirstSeenTests
{
    const long Hour = 3600 * Simulated.Second, Day = 24 * Hour;

    static Address Client(int number) => Address.FromV4(0x0A01_0000 + (uint)number);

    /// <summary>Eight days of an office of 20 that goes to the same 30 places.</summary>
    static Simulated Office(Detectors enabled = Detectors.FirstSeen)
    {
        var run = new Simulated(enabled: enabled);
        for (int hour = 0; hour < 8 * 24; hour++)
        {
            for (int i = 0; i < 20; i++) run.Dns($"www.place{(hour + i) % 30}.com", client: Client(i));
            run.Wait(Hour);
        }
        Assert.Empty(run.Alerts);
        return run;
    }

    [Fact]
    public void Nothing_is_new_in_the_first_days()
    {
        using var run = new Simulated(enabled: Detectors.FirstSeen);
        for (int i = 0; i < 20; i++) Assert.Equal(0, run.Dns("newcomer.top", client: Client(i)));
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Several_clients_of_a_domain_that_nobody_knew_are_one_alert()
    {
        using Simulated run = Office();
        for (int i = 0; i < 12; i++)
        {
            run.Dns("www.newcomer.com", client: Client(i));
            run.Wait(60 * Simulated.Second);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("unique_young_domain_volume", alert.Threats[0].Id);
        Assert.Equal(2, alert.Severity);
        Assert.Equal("newcomer.com", alert.Evidence!.Key);
        Assert.Equal(7, alert.Evidence.Facts.Single(f => f.Name == "learningDays").Number);
        Assert.Equal(1, alert.Evidence.Score);
    }

    [Fact]
    public void A_known_domain_that_all_turn_to_is_nothing()
    {
        using Simulated run = Office();
        for (int i = 0; i < 20; i++) run.Dns("place3.com", client: Client(i));
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_new_domain_of_ill_repute_is_information_and_floods_are_withheld()
    {
        using Simulated run = Office();
        Assert.Equal(0, run.Dns("www.pleasant.com"));
        Assert.Equal(1, run.Dns("www.pleasant.top"));
        Assert.Equal("young_domain", Assert.Single(run.Alerts).Threats[0].Id);
        for (int i = 0; i < 500; i++) run.Dns($"pleasant{i}.top");
        Assert.Equal(20, run.Alerts.Count);
        run.Wait(Day);
        for (int i = 0; i < 500; i++) run.Dns($"quiet{i}.top");
        Assert.Equal(40, run.Alerts.Count);
        Assert.All(run.Alerts, a => Assert.Equal(1, a.Severity));
    }

    [Fact]
    public void What_does_not_resolve_is_not_remembered()
    {
        using Simulated run = Office();
        for (int i = 0; i < 20; i++) run.Dns("newcomer.top", rcode: 3, client: Client(i));
        Assert.Empty(run.Alerts);
        Assert.Equal(1, run.Dns("newcomer.top"));
    }

    [Fact]
    public void An_imposter_that_is_new_here_weighs_more()
    {
        using Simulated run = Office(Detectors.FirstSeen | Detectors.Imposter);
        Assert.Equal(3, run.Dns("papyal.com"));
        Assert.Equal("young_imposter_domain", run.Alerts.Single(a => a.Evidence!.Detector == "imposter").Threats[0].Id);
        Assert.Equal(4, run.Dns("paypa1.com"));
        // Not where the brand's customers look, but new here.
        Assert.Equal(3, run.Dns("microsofr.com.au"));
    }

    [Fact]
    public void What_one_network_knows_is_new_to_another_which_learns_first()
    {
        using Simulated run = Office();
        var other = new ScorerPartition("other");
        run.Scorer.Enter(other);
        Assert.Equal(0, run.Dns("newcomer.top"));
        run.Scorer.Leave(other);
        Assert.Equal(1, run.Dns("newcomer.top"));
    }

    [Fact]
    public void One_networks_flood_of_new_domains_takes_none_of_anothers_allowance()
    {
        using var run = new Simulated(new Thresholds { FirstSeenLearning = 0, AlertStock = int.MaxValue }, Detectors.FirstSeen);
        ScorerPartition[] sites = [new("boston"), new("lima"), new("oslo")];
        foreach (ScorerPartition site in sites)
        {
            run.Alerts.Clear();
            run.Scorer.Enter(site);
            for (int i = 0; i < 500; i++) run.Dns($"pleasant{i}.top");
            run.Scorer.Leave(site);
            Assert.Equal(20, run.Alerts.Count);
        }
        run.Scorer.Enter(sites[0]);
        run.Dns("another.top");
        run.Scorer.Leave(sites[0]);
        Assert.Equal(20, run.Alerts.Count);
    }

    [Fact]
    public void The_memory_is_kept_across_a_restart()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("nfr-seen").FullName, "first-seen.bin");
        for (int run = 0; run < 2; run++)
        {
            using var scorer = new Scorer(new ScorerOptions
            {
                FeedsFolders = [], FeedsPollInterval = TimeSpan.Zero, IsHome = static a => a.V4 >> 24 == 10, Lines = new ShortLines(),
                Enabled = Detectors.FirstSeen, FirstSeenFile = file, Thresholds = new Thresholds { FirstSeenLearning = 0 },
            });
            var alerts = new List<Alert>();
            var e = new DnsEvent
            {
                Context = new() { Tick = 1, Source = Client(1), Destination = Client(2), DestinationPort = 53 }, Query = "pleasant.top"u8, QueryType = 1,
            };
            scorer.Score(in e, alerts);
            Assert.Equal(1 - run, alerts.Count);
        }
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }
}
