using Nfr.Config;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Scoring;
using Nfr.Tests.Scoring;
using Nfr.Uplink;
using Nfr.Wire;
using Frames = Nfr.Tests.Sensor.Frames;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>What is out of scope, and scored on board all the same: who comes from outside, and home machines among themselves.</summary>
public sealed class WatchedEventsTests
{
    static readonly Scope s_builtIn = SensorParts.ScopeOf(ScopeFile.BuiltIn);

    static Scope Of(string file)
    {
        IReadOnlyList<ScopeGroupSection>? sections = ScopeFile.Parse("scope.yml", System.Text.Encoding.UTF8.GetBytes(file), out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return SensorParts.ScopeOf(sections!);
    }

    /// <summary>One source tries a port of many hosts and nobody answers.</summary>
    static (List<Alert> Alerts, Ledger End) Scan(Scope scope, string source, string network, ClockQuality quality = ClockQuality.Synced)
    {
        using var run = new Simulated();
        var alerts = new List<Alert>();
        using var bed = new LedgerBed(scope, run.Scorer, onAlert: alerts.Add, quality: () => quality);
        for (int i = 1; i < 60; i++)
        {
            bed.Frame(Frames.Tcp(source, 40_000 + i, $"{network}.{i}", 445, Frames.Syn));
            bed.Wait(1);
        }
        return (alerts, bed.End());
    }

    [Theory]
    [InlineData(ClockQuality.Synced, null)]
    [InlineData(ClockQuality.Free, "free")]
    [InlineData(ClockQuality.Unset, "unset")]
    public void An_alert_says_how_far_its_stamps_can_be_trusted_where_that_is_not_fully(ClockQuality quality, string? clock)
    {
        (List<Alert> alerts, Ledger end) = Scan(s_builtIn, "10.0.0.7", "192.168.4", quality);
        Assert.NotEmpty(alerts);
        Assert.All(alerts, alert => Assert.Equal(clock, alert.Clock));
        Assert.Empty(end.Gaps);
        Alert first = alerts[0];
        Assert.True(AlertJson.TryRead(AlertJson.ToBytes(first), out Alert? read, out _));
        Assert.Equal(clock, read!.Clock);
    }

    [Fact]
    public void Metrics_count_alerts_by_threat_and_severity_each_from_the_beginning()
    {
        (List<Alert> alerts, Ledger end) = Scan(s_builtIn, "10.0.0.7", "192.168.4");
        IReadOnlyList<ExpositionText.Sample> samples = [.. ExpositionText.Parse(MetricsText.Write(StatusBed.Well() with { Run = end })).Where(s => s.Name == "nfr_alerts_total")];
        Assert.NotEmpty(alerts);
        foreach (var threat in alerts.SelectMany(a => a.Threats).GroupBy(t => (t.Id, t.Severity)))
            Assert.Equal(threat.Count(), Assert.Single(samples, s => s.Labels["threat"] == threat.Key.Id && s.Labels["severity"] == $"{threat.Key.Severity}").Value);
        Assert.Equal(alerts.Sum(a => a.Threats.Count), samples.Sum(s => s.Value));
        Assert.Equal(0, Assert.Single(samples, s => s.Labels["threat"] == Threats.C2Communication.Id).Value);
        // Whatever is raised, there are so many and no more.
        var counts = new long[ThreatCounts.Length];
        counts[ThreatCounts.Of(new AlertThreat("of tomorrow", "", 99))]++;
        Assert.Contains(("other", 5, 1L), ThreatCounts.Told(counts));
    }

    static ScopeWatch Watches(Scope scope, string source, string destination)
    {
        var e = new IpEvent { Context = new EventContext { Source = Simulated.Parse(source), Destination = Simulated.Parse(destination), Protocol = 6 } };
        ScopeVerdict verdict = scope.Decide(e);
        return verdict.IsAccepted ? ScopeWatch.None : scope.Watches(verdict, e.Context);
    }

    [Theory]
    [InlineData("10.0.0.7", "198.51.100.1", ScopeWatch.None)]
    [InlineData("10.0.0.7", "10.0.0.8", ScopeWatch.Inside)]
    [InlineData("10.0.0.7", "192.168.4.8", ScopeWatch.Inside)]
    [InlineData("10.0.0.7", "255.255.255.255", ScopeWatch.None)]
    [InlineData("fe80::1", "fd00::9", ScopeWatch.None)]
    [InlineData("198.51.100.1", "10.0.0.7", ScopeWatch.Inbound)]
    [InlineData("2001:db8::1", "fd00::9", ScopeWatch.Inbound)]
    [InlineData("198.51.100.1", "203.0.113.9", ScopeWatch.None)]
    public void Without_a_scope_file_home_machines_are_watched_and_who_comes_to_them(string source, string destination, ScopeWatch watch)
    {
        Assert.Equal(watch, Watches(s_builtIn, source, destination));
        Assert.Equal(watch, Watches(Scope.Default, source, destination));
    }

    [Fact]
    public void A_scope_file_says_who_is_not_watched()
    {
        Scope scope = Of("groups:\n  a:\n    in_scope: [203.0.113.0/24, 10.0.0.0/8]\n    out_scope: [203.0.113.64/26]\n    trusted_ips: [10.0.0.0/8, 198.51.100.7/32]\n");
        Assert.Equal(ScopeWatch.Inbound, Watches(scope, "198.51.100.1", "203.0.113.9"));
        // Out of scope; a stranger who is trusted; and what the owner wrote that is trusted among themselves.
        Assert.Equal(ScopeWatch.None, Watches(scope, "198.51.100.1", "203.0.113.65"));
        Assert.Equal(ScopeWatch.None, Watches(scope, "198.51.100.7", "203.0.113.9"));
        Assert.Equal(ScopeWatch.None, Watches(scope, "203.0.113.9", "10.0.0.7"));
        // A second group that has the machine watches it for itself.
        scope = Of("groups:\n  a:\n    in_scope: [203.0.113.0/24]\n    out_scope: [203.0.113.9/32]\n  b:\n    in_scope: [203.0.113.9/32]\n");
        Assert.Equal(ScopeWatch.Inbound, Watches(scope, "198.51.100.1", "203.0.113.9"));
    }

    [Theory]
    [InlineData("10.0.0.7", "10.0.4", "internal_port_scan")]
    [InlineData("198.51.100.7", "10.0.4", "inbound_port_scan")]
    public void A_scan_of_home_is_told_and_goes_nowhere_else(string source, string network, string threat)
    {
        (List<Alert> alerts, Ledger end) = Scan(s_builtIn, source, network);
        Assert.Contains(alerts, a => a.Threats[0].Id == threat);
        // The group is that of the machines that were meant.
        Assert.All(alerts, a => Assert.Equal("office", a.Groups[0].Label));
        Assert.Equal((59, 59, 0), (end.Stage!.Watched.Sum(), end.Stage.OutOfScope.Sum(), end.Stage.InScope.Sum()));
        Assert.Equal(0, end.Spool!.Total.Accepted - end.SpoolAtStart!.Total.Accepted);
        Assert.InRange(end.Stage.WatchedScored.Sum(), 1, 59);
        Assert.Empty(end.Gaps);
        string text = LedgerText.Write(end);
        Assert.Contains("of these, scored on board all the same", text, StringComparison.Ordinal);
        Assert.Contains("and part of a finding", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Strangers_among_themselves_are_nobodys_matter()
    {
        (List<Alert> alerts, Ledger end) = Scan(s_builtIn, "198.51.100.7", "203.0.113");
        Assert.Empty(alerts);
        Assert.Equal((0, 59), (end.Stage!.Watched.Sum(), end.Stage.OutOfScope.Sum()));
    }

    [Fact]
    public void A_mistake_with_a_watched_event_leaves_the_ledger_closed()
    {
        using var run = new Simulated();
        LedgerCounterTests.Poison(run.Scorer);
        using var bed = new LedgerBed(s_builtIn, run.Scorer);
        bed.Frame(Frames.Tcp("10.0.0.7", 40_000, "10.0.4.1", 445, Frames.Syn));
        Ledger end = bed.End();
        Assert.Equal(1, end.PipelineMistakes);
        Assert.Equal((0, 1, 0), (end.Stage!.Watched.Sum(), end.Stage.OutOfScope.Sum(), end.Stage.Unread));
        // The mistake itself, and no sum besides.
        Assert.StartsWith("pipeline: 1 mistakes", Assert.Single(end.Gaps), StringComparison.Ordinal);
    }
}
