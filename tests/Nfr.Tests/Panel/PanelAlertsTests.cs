using Nfr.Native;
using Nfr.Panel;
using Nfr.Storage;
using Nfr.Tests.Storage;

namespace Nfr.Tests.Panel;

public sealed class PanelAlertsTests : IDisposable
{
    readonly SpoolTestBed _bed = new();

    public void Dispose() => _bed.Dispose();

    static void Raise(Spool spool, int count, int severity = 4)
    {
        for (int i = 0; i < count; i++)
        {
            global::Nfr.Events.Alert alert = SpoolTestBed.Alert($"a{i}");
            spool.AppendAlert(alert with { Threats = [new("id", "Title", severity)] });
        }
        Assert.Null(spool.Flush());
    }

    [Fact]
    public void The_last_four_are_told_newest_first_and_all_that_wait_are_counted()
    {
        using Spool spool = _bed.Open();
        var alerts = new PanelAlerts(spool);
        Assert.Equal((0, 0L, 0), (alerts.Look().Last.Count, alerts.Look().Unacknowledged, alerts.Look().Worst));
        Raise(spool, 1, severity: 5);
        Raise(spool, 9, severity: 2);
        PanelAlertNews news = alerts.Look();
        Assert.Equal([10L, 9, 8, 7], news.Last.Select(a => a.Sequence));
        Assert.Equal((10L, 5), (news.Unacknowledged, news.Worst));
        Assert.Equal(("Title", "10.0.0.1", 2, false), (news.Last[0].Threat, news.Last[0].Host, news.Last[0].Severity, news.Last[0].IsAcknowledged));
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 9, 0, 0, TimeSpan.Zero).AddMicroseconds(123456), news.Last[0].Stamp);
    }

    [Fact]
    public void What_was_acknowledged_stays_so_over_a_restart()
    {
        using (Spool spool = _bed.Open())
        {
            var alerts = new PanelAlerts(spool);
            Raise(spool, 6);
            alerts.Look();
            Assert.Null(alerts.Acknowledge(6));
            Assert.Equal((0L, 0), (alerts.Look().Unacknowledged, alerts.Look().Worst));
            Assert.All(alerts.Look().Last, a => Assert.True(a.IsAcknowledged));
        }
        using Spool again = _bed.Open();
        var after = new PanelAlerts(again);
        Assert.Equal((4, 0L), (after.Look().Last.Count, after.Look().Unacknowledged));
        Raise(again, 1, severity: 3);
        Assert.Equal((1L, 3), (after.Look().Unacknowledged, after.Look().Worst));
        Assert.Equal([false, true, true, true], after.Look().Last.Select(a => a.IsAcknowledged));
    }

    [Fact]
    public void Alerts_that_came_after_the_one_that_was_seen_wait_on()
    {
        using Spool spool = _bed.Open();
        var alerts = new PanelAlerts(spool);
        Raise(spool, 5, severity: 5);
        Raise(spool, 2, severity: 2);
        alerts.Look();
        Assert.Null(alerts.Acknowledge(5));
        Assert.Equal((2L, 2), (alerts.Look().Unacknowledged, alerts.Look().Worst));
    }

    [Fact]
    public void Those_to_come_cannot_be_acknowledged_and_none_is_taken_back()
    {
        using Spool spool = _bed.Open();
        var alerts = new PanelAlerts(spool);
        Raise(spool, 3);
        Assert.Null(alerts.Acknowledge(long.MaxValue));
        Assert.Null(alerts.Acknowledge(1));
        Assert.Equal(3, spool.GetBookmark(PanelAlerts.Bookmark));
        Raise(spool, 1);
        Assert.Equal(1, alerts.Look().Unacknowledged);
    }

    [Fact]
    public void A_spool_full_of_alerts_is_counted_in_bounded_steps()
    {
        using Spool spool = _bed.Open();
        for (int i = 0; i < 13; i++) Raise(spool, 100);
        var alerts = new PanelAlerts(spool);
        Assert.Equal(500, alerts.Look().Unacknowledged);
        Assert.Equal(1000, alerts.Look().Unacknowledged);
        Assert.Equal(1300, alerts.Look().Unacknowledged);
        Assert.Equal(1300, alerts.Look().Last[0].Sequence);
    }

    [Fact]
    public void After_an_unclean_stop_the_spool_is_not_read_each_second_for_numbers_that_nobody_has()
    {
        using Spool before = _bed.Open();
        Raise(before, 3);
        using SpoolTestBed killed = SpoolTestBed.Killed(_bed);
        using Spool spool = killed.Open();
        Assert.True(spool.LastAlertSequence > 3);
        var alerts = new PanelAlerts(spool);
        Assert.Equal(3, alerts.Look().Unacknowledged);
        alerts.Look();
        // Whoever reads now is found out: there is no table to read.
        Break(killed, "alert", broken: true);
        for (int i = 0; i < 20; i++) Assert.Equal(3, alerts.Look().Unacknowledged);
        Assert.Equal(0, spool.Counters.Faults);
        Break(killed, "alert", broken: false);
        // And the next one is seen.
        Raise(spool, 1);
        Assert.Equal(4, alerts.Look().Unacknowledged);
    }

    static void Break(SpoolTestBed bed, string table, bool broken)
    {
        Assert.False(SqliteConnection.Open(Path.Combine(bed.Path, "spool.db"), null, out SqliteConnection? other).IsError);
        using (other)
        {
            other!.Execute(broken ? $"ALTER TABLE {table} RENAME TO {table}_gone" : $"ALTER TABLE {table}_gone RENAME TO {table}");
            Assert.False(other.Failed);
        }
    }

    [Fact]
    public void A_bookmark_that_cannot_be_read_does_not_make_all_alerts_new()
    {
        using (Spool first = _bed.Open())
        {
            Raise(first, 6);
            Assert.Null(new PanelAlerts(first).Acknowledge(6));
        }
        using Spool spool = _bed.Open();
        var alerts = new PanelAlerts(spool);
        Break(_bed, "state", broken: true);
        for (int i = 0; i < 30; i++) Assert.Equal((0, 0L, 0), (alerts.Look().Last.Count, alerts.Look().Unacknowledged, alerts.Look().Worst));
        // Not asked every second either.
        Assert.InRange(spool.Counters.Faults, 1, 10);
        Assert.Contains("cannot be read", new PanelAlerts(spool).Acknowledge(3));
        Break(_bed, "state", broken: false);
        for (int i = 0; i < 12; i++) alerts.Look();
        Assert.Equal((4, 0L), (alerts.Look().Last.Count, alerts.Look().Unacknowledged));
        Assert.Equal(6, spool.GetBookmark(PanelAlerts.Bookmark));
    }
}
