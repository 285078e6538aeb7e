using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class AlertMergerTests : IDisposable
{
    readonly UplinkBench _bench = new();

    public void Dispose() => _bench.Dispose();

    static Alert Alert(string query, string ts, bool ours, params AlertThreat[] threats) => new()
    {
        Threats = threats,
        Flags = [ours ? "perplexing_domain" : "c2"],
        Event = new AlertEvent { Type = EventType.Dns, Ts = ts, SrcIP = "10.0.0.9", Query = query, QType = "A" },
        Evidence = ours
            ? new AlertEvidence { Id = "00", Detector = "dga_volume", Key = "10.0.0.9", Summary = "s", Features = [new("names", 10, 10)], Score = 1, Samples = [] }
            : null,
    };

    static readonly AlertThreat s_dga = new("dga_volume", "DGA", 4), s_c2 = new("c2_communication", "C2", 5);

    AlertMerger AfterOurs(string query = "qx7.biz", string ts = "2026-11-21T09:00:00.123456789Z")
    {
        _bench.Spool.AppendAlert(Alert(query, ts, true, s_dga));
        Assert.Null(_bench.Spool.Flush());
        return new AlertMerger(_bench.Spool);
    }

    [Fact]
    public void The_same_verdict_on_the_same_event_is_left_out()
    {
        AlertMerger merger = AfterOurs();
        Assert.Empty(merger.Merge([Alert("qx7.biz", "2026-11-21T09:00:00.123Z", false, s_dga with { Severity = 3 })], out int merged));
        Assert.Equal(1, merged);
    }

    [Fact]
    public void A_verdict_that_says_more_is_one_alert_with_both_and_our_evidence()
    {
        AlertMerger merger = AfterOurs();
        Alert both = Assert.Single(merger.Merge([Alert("QX7.biz", "2026-11-21T09:00:00.123456789Z", false, s_c2)], out int merged));
        Assert.Equal(0, merged);
        Assert.Equal([s_c2, s_dga], both.Threats);
        Assert.Equal(["perplexing_domain", "c2"], both.Flags);
        Assert.Equal("dga_volume", both.Evidence!.Detector);
        // And the engine saying it again is nothing new.
        Assert.Empty(merger.Merge([Alert("qx7.biz", "2026-11-21T09:00:00.123456789Z", false, s_c2)], out merged));
        Assert.Equal(1, merged);
    }

    [Theory]
    [InlineData("qx8.biz", "2026-11-21T09:00:00.123456789Z")]
    [InlineData("qx7.biz", "2026-11-21T09:00:01.123456789Z")]
    public void Another_event_stays_an_alert_of_its_own(string query, string ts)
    {
        AlertMerger merger = AfterOurs();
        Alert alert = Alert(query, ts, false, s_dga);
        Assert.Same(alert, Assert.Single(merger.Merge([alert], out int merged)));
        Assert.Equal(0, merged);
    }

    [Fact]
    public void Ours_are_learned_while_it_runs_and_the_oldest_is_forgotten_behind_the_capacity()
    {
        AlertMerger merger = AfterOurs();
        Assert.Empty(merger.Merge([Alert("qx7.biz", "2026-11-21T09:00:00.123456789Z", false, s_dga)], out _));
        for (int i = 0; i < AlertMerger.Capacity; i++)
        {
            _bench.Spool.AppendAlert(Alert($"n{i}.biz", "2026-11-21T09:00:00Z", true, s_dga));
            // Alerts that wait for the commit are few by design.
            if (i % 500 == 0) Assert.Null(_bench.Spool.Flush());
        }
        Assert.Null(_bench.Spool.Flush());
        Assert.Empty(merger.Merge([Alert($"n{AlertMerger.Capacity - 1}.biz", "2026-11-21T09:00:00Z", false, s_dga)], out _));
        Assert.Single(merger.Merge([Alert("qx7.biz", "2026-11-21T09:00:00.123456789Z", false, s_dga)], out _));
    }
}
