using Nfr.Events;
using Nfr.Scoring;

namespace Nfr.Tests.Scoring;

/// <summary>Several networks by turns in one scorer: what one does says nothing of the others.</summary>
public sealed class PartitionTests
{
    readonly ScorerPartition _boston = new("boston"), _lima = new("lima");

    static void In(Simulated run, ScorerPartition partition, Action what)
    {
        run.Scorer.Enter(partition);
        what();
        run.Scorer.Leave(partition);
    }

    [Fact]
    public void A_client_of_the_same_address_elsewhere_adds_nothing_to_a_finding()
    {
        using var run = new Simulated();
        // Ten names are a finding; five here and five there are none.
        for (int i = 0; i < 9; i++)
        {
            string name = $"xq{i}vjzkwqpt{i}z.com";
            In(run, i % 2 == 0 ? _boston : _lima, () => run.Dns(name, rcode: 3));
        }
        Assert.Empty(run.Alerts);
        for (int i = 0; i < 12; i++) In(run, _boston, () => run.Dns($"wq{i}vjzkwqpt{i}x.com", rcode: 3));
        Assert.Contains(run.Alerts, a => a.Evidence!.Detector.StartsWith("dga", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5000)]
    public void What_each_has_seen_and_for_how_long_lasts_over_a_restart(int others)
    {
        const long Second = 1_000_000_000, Hour = 3600 * Second;
        string file = Path.Combine(Directory.CreateTempSubdirectory("nfr-seen").FullName, "first-seen.bin");
        var alerts = new List<Alert>();
        Scorer Open() => new(new ScorerOptions
        {
            FeedsFolders = [], FeedsPollInterval = TimeSpan.Zero, IsHome = static a => a.V4 >> 24 == 10, Lines = new ShortLines(), Enabled = Detectors.FirstSeen, FirstSeenFile = file,
        });
        void Ask(Scorer scorer, ScorerPartition partition, string name, long hour)
        {
            scorer.Enter(partition, 0);
            var e = new DnsEvent
            {
                Context = new() { Tick = hour * Hour, Source = Simulated.Client, Destination = Simulated.Resolver, DestinationPort = 53 }, Query = System.Text.Encoding.ASCII.GetBytes(name), QueryType = 1,
            };
            scorer.Score(in e, alerts);
            scorer.Leave(partition);
        }
        using (Scorer scorer = Open())
        {
            for (int hour = 0; hour < 24 * 9; hour++) Ask(scorer, _boston, hour % 2 == 0 ? "office.example" : "pleasant.top", hour);
            for (int i = 0; i < others; i++) Ask(scorer, new ScorerPartition($"o{i}"), "pleasant.top", i);
        }
        Assert.Empty(alerts);
        using (Scorer scorer = Open())
        {
            Assert.Empty(scorer.Faults);
            // Boston has learned before the restart and knows this name; that one is new to it. Lima learns still.
            ScorerPartition boston = new("boston"), lima = new("lima");
            Ask(scorer, boston, "pleasant.top", 24 * 9);
            Ask(scorer, lima, "newcomer.top", 24 * 9);
            Assert.Empty(alerts);
            Ask(scorer, boston, "newcomer.top", 24 * 9);
            Assert.Equal("newcomer.top", Assert.Single(alerts).Event.Query);
        }
        // Cut short, it is not read.
        using (FileStream cut = File.OpenWrite(file)) cut.SetLength(cut.Length - 600);
        using (Scorer scorer = Open()) Assert.Single(scorer.Faults);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public void Each_is_told_of_a_listed_destination_for_itself()
    {
        using var run = new Simulated(lists: ("c2.txt", "# threat: c2_communication\nbad.example\n"));
        foreach (ScorerPartition partition in new[] { _boston, _lima, _boston }) In(run, partition, () => Assert.Equal(5, run.Dns("bad.example")));
        Assert.Equal(2, run.Alerts.Count);
    }

    [Fact]
    public void Each_has_a_clock_of_its_own()
    {
        using var run = new Simulated(lists: ("c2.txt", "# threat: c2_communication\nbad.example\n"));
        run.Tick = 100_000 * Simulated.Second;
        In(run, _boston, () => run.Dns("bad.example"));
        // A sensor whose stamps are a day behind: an hour of its own must pass.
        run.Tick = 10_000 * Simulated.Second;
        In(run, _lima, () => run.Dns("bad.example"));
        run.Tick += 3500 * Simulated.Second;
        In(run, _lima, () => run.Dns("bad.example"));
        Assert.Equal(2, run.Alerts.Count);
        run.Tick += 200 * Simulated.Second;
        In(run, _lima, () => run.Dns("bad.example"));
        Assert.Equal(3, run.Alerts.Count);
        Assert.Equal(100_000 * Simulated.Second, _boston.Now);
    }

    [Fact]
    public void A_scorer_that_shares_lists_uses_them_and_leaves_them()
    {
        using var run = new Simulated(lists: ("c2.txt", "# threat: c2_communication\nbad.example\n"));
        using (var second = new Scorer(new ScorerOptions { SharedWith = run.Scorer, IsHome = static _ => true, Lines = new ShortLines() }))
        {
            Assert.Same(run.Scorer.Store, second.Store);
        }
        Assert.Equal(5, run.Dns("bad.example"));
    }

    [Fact]
    public void What_waits_for_its_client_is_told_in_its_own_turn_only()
    {
        using var run = new Simulated(lists: ("c2.txt", "# threat: c2_communication\nbad.example\n"));
        // A resolver of Boston asks for a listed name; whose question it was is never seen.
        In(run, _boston, () =>
        {
            run.Dns("good.example", client: Simulated.Client);
            run.Dns("bad.example", client: Simulated.Resolver);
        });
        int before = run.Alerts.Count;
        run.Tick += 120 * Simulated.Second;
        In(run, _lima, () => run.Dns("other.example"));
        Assert.Equal(before, run.Alerts.Count);
        In(run, _boston, () => run.Dns("other.example"));
        Assert.Contains(run.Alerts, a => a.Event.Query == "bad.example");
    }
}
