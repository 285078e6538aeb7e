using System.Text;
using Nfr.Events;
using Nfr.Storage;
using static Nfr.Tests.Storage.SpoolTestBed;

namespace Nfr.Tests.Storage;

public sealed class SpoolContractTests
{
    [Fact]
    public void What_was_flushed_is_peeked_in_order_and_numbered_from_one()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        Assert.True(spool.OpenReport.Created);
        for (int i = 0; i < 10; i++) spool.Append(EventType.Dns, i % 3 == 0 ? 5 : 0, Line($"e{i}"));
        spool.Append(EventType.Http, 0, Line("http"));
        Assert.Equal(11, spool.Counters.Total.Accepted);
        Assert.Null(spool.Peek(EventType.Dns, 100, 10_000));
        Assert.Null(spool.Flush());

        SpoolBatch batch = spool.Peek(EventType.Dns, 100, 10_000)!;
        Assert.Equal((1, 10, 10), (batch.FirstSequence, batch.LastSequence, batch.Count));
        // One flush: unscored first, then scored, each in order of arrival.
        Assert.Equal(["e1", "e2", "e4", "e5", "e7", "e8", "e0", "e3", "e6", "e9"], Texts(batch).Select(t => t[6..^2]));
        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), Enumerable.Range(0, 10).Select(batch.SequenceOf));
        Assert.Equal("{\"n\":\"http\"}", Texts(spool.Peek(EventType.Http, 1, 1)).Single());
        Assert.Null(spool.Peek(EventType.Tls, 100, 10_000));
        AssertCloses(spool);
    }

    [Fact]
    public void A_flush_is_due_by_number_and_by_age_and_only_with_something_pending()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        bed.Time.Advance(TimeSpan.FromDays(1));
        Assert.False(spool.FlushDue);
        spool.Append(EventType.Ip, 0, Line("a"));
        Assert.False(spool.FlushDue);
        bed.Time.Advance(TimeSpan.FromSeconds(0.9));
        bed.Time.Utc += TimeSpan.FromDays(20_000);
        Assert.False(spool.FlushDue);
        bed.Time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(spool.FlushDue);
        spool.Flush();
        Assert.False(spool.FlushDue);
        for (int i = 0; i < 499; i++) spool.Append(EventType.Ip, 0, Line("a"));
        Assert.False(spool.FlushDue);
        spool.Append(EventType.Ip, 0, Line("a"));
        Assert.True(spool.FlushDue);
        spool.Flush();
        spool.AppendAlert(Alert("x"));
        bed.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(spool.FlushDue);
    }

    [Fact]
    public void Delivery_up_to_the_middle_of_a_row_keeps_its_rest()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        for (int i = 1; i <= 20; i++) spool.Append(EventType.Tls, 0, Line($"{i}"));
        spool.Flush();
        Assert.Null(spool.Delivered(EventType.Tls, 7));
        SpoolBatch rest = spool.Peek(EventType.Tls, 100, 10_000)!;
        Assert.Equal((8, 20, 13), (rest.FirstSequence, rest.LastSequence, rest.Count));
        Assert.Equal("{\"n\":\"8\"}", Texts(rest)[0]);
        Assert.Null(spool.Quarantine(EventType.Tls, 8, "the engine refuses it"));
        Assert.Equal(9, spool.Peek(EventType.Tls, 100, 10_000)!.FirstSequence);
        SpoolTally tally = spool.Counters.Of(EventType.Tls);
        Assert.Equal((20, 12, 7, 1), (tally.Spooled, tally.InSpool, tally.Delivered, tally.Quarantined));
        Assert.Null(spool.Delivered(EventType.Tls, 20));
        Assert.Null(spool.Peek(EventType.Tls, 100, 10_000));
        Assert.Null(spool.Delivered(EventType.Tls, 20));
        AssertCloses(spool);
    }

    [Fact]
    public void Peek_gives_whole_rows_within_its_limits_and_at_least_one()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        for (int flush = 0; flush < 5; flush++)
        {
            for (int i = 0; i < 10; i++) spool.Append(EventType.Dns, 0, Line($"{flush}.{i}"));
            spool.Flush();
        }
        Assert.Equal(10, spool.Peek(EventType.Dns, 1, int.MaxValue)!.Count);
        Assert.Equal(10, spool.Peek(EventType.Dns, 19, int.MaxValue)!.Count);
        Assert.Equal(20, spool.Peek(EventType.Dns, 20, int.MaxValue)!.Count);
        Assert.Equal(10, spool.Peek(EventType.Dns, 1000, 1)!.Count);
        Assert.Equal(50, spool.Peek(EventType.Dns, 1000, int.MaxValue)!.Count);
    }

    [Fact]
    public void A_slice_of_a_batch_keeps_its_numbers_across_gaps()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        for (int flush = 0; flush < 3; flush++)
        {
            for (int i = 0; i < 4; i++) spool.Append(EventType.Dns, 0, Line($"{(flush * 4) + i + 1}"));
            spool.Flush();
        }
        SpoolBatch all = spool.Peek(EventType.Dns, 1000, int.MaxValue)!;
        var gap = all with { Ranges = [new SequenceRange(1, 4), new SequenceRange(105, 4), new SequenceRange(109, 4)], LastSequence = 112 };
        SpoolBatch slice = gap.Slice(2, 5);
        Assert.Equal((3, 107, 5), (slice.FirstSequence, slice.LastSequence, slice.Count));
        Assert.Equal([3, 4, 105, 106, 107], Enumerable.Range(0, 5).Select(slice.SequenceOf));
        Assert.Equal("{\"n\":\"3\"}", Texts(slice)[0]);
        Assert.Equal("{\"n\":\"7\"}", Texts(slice)[4]);
    }

    [Fact]
    public void All_of_it_survives_a_restart()
    {
        using var bed = new SpoolTestBed();
        string id;
        using (Spool spool = bed.Open())
        {
            id = spool.SensorId;
            Assert.Equal(32, id.Length);
            for (int i = 0; i < 30; i++) spool.Append(EventType.Dns, i % 2, Line($"{i}"));
            spool.AppendAlert(Alert("a"));
            spool.Flush();
            spool.Delivered(EventType.Dns, 10);
            Assert.Null(spool.SetBookmark("file", 1));
            // Not flushed: closing does it.
            spool.Append(EventType.Ip, 0, Line("late"));
        }
        using (Spool spool = bed.Open())
        {
            Assert.Equal(id, spool.SensorId);
            Assert.False(spool.OpenReport.AfterUncleanStop);
            Assert.Empty(spool.OpenReport.Quarantined);
            Assert.Equal(0, spool.OpenReport.Corrected);
            Assert.True(spool.OpenReport.CheckedWhole);
            Assert.Equal((31, 10, 21), (spool.Counters.Total.Spooled, spool.Counters.Total.Delivered, spool.Counters.Total.InSpool));
            Assert.Equal(1, spool.GetBookmark("file"));
            Assert.Equal(0, spool.GetBookmark("syslog"));
            Assert.Equal(1, spool.LastAlertSequence);
            spool.Append(EventType.Dns, 0, Line("next"));
            spool.Flush();
            // A clean stop leaves no gap in the numbers.
            Assert.Equal(31, spool.Peek(EventType.Dns, 100, 100_000)!.LastSequence);
            AssertCloses(spool);
        }
    }

    [Fact]
    public void An_alert_comes_back_as_it_went_in()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        Alert full = Alert("c2_communication", samples: 5);
        Alert bare = new() { Threats = [new AlertThreat("t", "", 1)], Event = new AlertEvent { Type = EventType.Tls, Ts = "2026-11-21T09:00:00Z", SrcID = "ü\n\u0001" } };
        spool.AppendAlert(full);
        spool.AppendAlert(bare);
        Assert.Null(spool.Flush());
        IReadOnlyList<StoredAlert> stored = spool.ReadAlerts(0, 10);
        Assert.Equal([1, 2], stored.Select(s => s.Sequence));
        Assert.Equivalent(full, stored[0].Alert, strict: true);
        Assert.Equivalent(bare, stored[1].Alert, strict: true);
        Assert.Equal(2, Assert.Single(spool.ReadAlerts(1, 10)).Sequence);
        Assert.Single(spool.ReadAlerts(0, 1));
        Assert.Empty(spool.ReadAlerts(2, 10));
    }

    [Fact]
    public void Evidence_keeps_every_bit_of_its_numbers_and_the_texts_of_its_samples()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        Alert alert = Alert("dga_volume");
        AlertEvidence evidence = alert.Evidence! with
        {
            Facts =
            [
                new("tenth", 0.1), new("third", 1.0 / 3), new("small", double.Epsilon), new("large", double.MaxValue), new("whole", 9007199254740993),
                new("negative", -4.5951), new("unknown", double.NaN), new("list", 0, "c2 \"quoted\" é\u2028"), new("empty", 0, ""),
            ],
            Features = [new("tenth", 0.30000000000000004, 1.0 / 3, 0.1), new("third", double.Epsilon, double.MaxValue, 0.9)],
            Score = 0.1 + 0.2,
            CommunityIds = ["1:a", "1:b"],
            Samples = ["{\"type\":\"dns\", \"query\":\"a\\u0001\",\"n\":1.50}", "not an object", ""],
            Count = long.MaxValue,
        };
        spool.AppendAlert(alert with { Evidence = evidence });
        Assert.Null(spool.Flush());
        AlertEvidence back = spool.ReadAlerts(0, 1)[0].Alert.Evidence!;
        Assert.Equal(evidence.Facts, back.Facts);
        Assert.Equal(evidence.Features, back.Features);
        Assert.Equal(evidence.CommunityIds, back.CommunityIds);
        Assert.Equal(evidence.Samples, back.Samples);
        Assert.Equal(evidence with { Facts = back.Facts, Features = back.Features, Samples = back.Samples, CommunityIds = back.CommunityIds }, back);
    }

    [Fact]
    public async Task Engine_alerts_and_their_bookmark_are_stored_together_and_wake_who_waits()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        int raised = 0;
        spool.AlertsStored += () => raised++;
        Assert.Null(spool.GetState("follow"));
        Task wait = spool.WaitForAlertsAsync(0, CancellationToken.None);
        Assert.False(wait.IsCompleted);
        Assert.Null(spool.StoreEngineAlerts([], "6-0"));
        Assert.False(wait.IsCompleted);
        Assert.Null(spool.StoreEngineAlerts([Alert("a"), Alert("b")], "6-8263d641"));
        await wait.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, raised);
        Assert.Equal("6-8263d641", spool.GetState("follow"));
        Assert.Equal(2, spool.LastAlertSequence);
        await spool.WaitForAlertsAsync(1, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_second_process_is_told_that_the_spool_is_in_use()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        Assert.Contains("in use", Assert.Throws<SpoolException>(() => bed.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_one_sentence()
    {
        using var bed = new SpoolTestBed();
        File.WriteAllText(bed.Path, "a file");
        try
        {
            Assert.Contains(bed.Path, Assert.Throws<SpoolException>(() => bed.Open()).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(bed.Path);
        }
    }

    [Fact]
    public void A_line_too_long_for_a_transaction_is_lost_and_counted()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        spool.Append(EventType.Http, 0, new byte[5 << 20]);
        spool.Append(EventType.Http, 0, Line("a"));
        Assert.Null(spool.Flush());
        Assert.Equal((2, 1, 1), (spool.Counters.Total.Accepted, spool.Counters.Total.Spooled, spool.Counters.Total.LostBeforeSpool));
        AssertCloses(spool);
    }

    [Fact]
    public void Pending_events_are_bounded_and_the_least_valuable_is_dropped()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(with: o => o with { MaxPendingEvents = 10, MaxPendingAlerts = 2 });
        for (int i = 0; i < 8; i++) spool.Append(i % 2 == 0 ? EventType.Dns : EventType.Ip, 0, Line($"u{i}"));
        for (int i = 0; i < 8; i++) spool.Append(EventType.Dns, 1, Line($"s{i}"));
        for (int i = 0; i < 3; i++) spool.AppendAlert(Alert($"{i}"));
        Assert.Null(spool.Flush());
        Assert.Equal(["u6"], Texts(spool.Peek(EventType.Dns, 1, 1)).Select(t => t[6..^2]));
        Assert.Equal(["u7"], Texts(spool.Peek(EventType.Ip, 1, 1)).Select(t => t[6..^2]));
        Assert.Equal((8, 0), (spool.Counters.Of(EventType.Dns, true).Spooled, spool.Counters.Of(EventType.Dns, true).LostBeforeSpool));
        Assert.Equal(6, spool.Counters.Total.LostBeforeSpool);
        Assert.Equal(["1", "2"], spool.ReadAlerts(0, 9).Select(a => a.Alert.Threats[0].Id));
        Assert.Equal(1, spool.Counters.Alerts.LostBeforeSpool);
        AssertCloses(spool);
    }

    [Fact]
    public void Appending_allocates_nothing_once_the_buffers_have_grown()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        byte[] line = Encoding.UTF8.GetBytes(new string('x', 200));
        void Append()
        {
            for (int i = 0; i < 500; i++) spool.Append(EventType.Dns, 0, line);
        }
        for (int round = 0; round < 2; round++)
        {
            Append();
            spool.Flush();
        }
        Assert.Equal(0, Allocation.Least(Append));
    }

    [Fact]
    public async Task Pipeline_uplink_poller_outputs_and_panel_work_at_once_and_every_event_arrives_once()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        const int events = 20_000, pages = 60;
        var arrived = new HashSet<string>();
        long inOrder = 0;
        int alerts = 0;
        Task[] tasks =
        [
            Task.Factory.StartNew(() =>
            {
                for (int i = 0; i < events; i++)
                {
                    spool.Append((EventType)(i % 4), i % 3, Line($"{i}"));
                    if (i % 97 == 0) Assert.Null(spool.Flush());
                }
                Assert.Null(spool.Flush());
            }, TaskCreationOptions.LongRunning),
            Task.Factory.StartNew(() =>
            {
                var last = new long[4];
                while (arrived.Count < events)
                {
                    foreach (EventType type in EventTypes.Uploaded)
                    {
                        if (spool.Peek(type, 700, 100_000) is not { } batch) continue;
                        if (batch.FirstSequence == last[(int)type] + 1) inOrder++;
                        last[(int)type] = batch.LastSequence;
                        foreach (string text in Texts(batch)) Assert.True(arrived.Add(text));
                        Assert.Null(spool.Delivered(type, batch.LastSequence));
                    }
                }
            }, TaskCreationOptions.LongRunning),
            Task.Factory.StartNew(() =>
            {
                for (int i = 0; i < pages; i++) Assert.Null(spool.StoreEngineAlerts([Alert($"{i}"), Alert($"{i}b")], $"{i}"));
            }, TaskCreationOptions.LongRunning),
            Task.Factory.StartNew(() =>
            {
                while (alerts < pages * 2)
                {
                    foreach (StoredAlert alert in spool.ReadAlerts(spool.GetBookmark("file"), 7))
                    {
                        Assert.Equal(++alerts, alert.Sequence);
                        Assert.Null(spool.SetBookmark("file", alert.Sequence));
                    }
                    SpoolTally total = spool.Counters.Total;
                    Assert.True(total.Accepted >= total.Spooled);
                    Assert.Equal(total.Spooled, total.InSpool + total.Delivered);
                }
            }, TaskCreationOptions.LongRunning),
        ];
        foreach (Task task in tasks) await task.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal((events, 0), (spool.Counters.Total.Delivered, spool.Counters.Total.InSpool));
        Assert.Equal($"{pages - 1}", spool.GetState("follow"));
        Assert.True(inOrder > 0);
        Assert.Equal(0, spool.Counters.Faults);
    }
}
