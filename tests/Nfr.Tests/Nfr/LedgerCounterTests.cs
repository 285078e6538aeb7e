using System.Reflection;
using System.Text;
using Nfr.Events;
using Nfr.Native;
using Nfr.Pipeline;
using Nfr.Scoring;
using Nfr.Storage;
using Nfr.Tests.Scoring;
using Nfr.Tests.Sensor;
using Nfr.Tests.Storage;
using Nfr.Wire;
using Ledger = Nfr.Pipeline.Ledger;
using Frames = Nfr.Tests.Sensor.Frames;

namespace Nfr.Tests.Nfr;

/// <summary>
/// Each count in the ledger's sums, driven above zero by what it counts: it shows, the sums come out with it, and without it they do not. Those that only a real
/// port has are driven in LedgerPortTests and LoadTests.
/// </summary>
public sealed class LedgerCounterTests
{
    const string Client = "10.0.0.1", Server = "192.0.2.1";

    static byte[] Udp(int port = 1000) => Frames.Udp(Client, port, Server, 9, "x"u8);

    static byte[] With(byte[] frame, int at, params byte[] bytes)
    {
        bytes.CopyTo(frame, at);
        return frame;
    }

    /// <summary>The ledger closes but for mistakes, says the line with the count, and does not close when that count is one less.</summary>
    static void AssertShown(Ledger ledger, string line, long count, int mistakes = 0)
    {
        Assert.Equal(mistakes == 0 ? [] : [$"pipeline: {mistakes} mistakes in nfr itself, see the log"], ledger.Gaps);
        string[] lines = [.. LedgerText.Write(ledger).Split('\n').Select(l => l.Trim()).Where(l => l.StartsWith(line, StringComparison.Ordinal))];
        Assert.Contains(lines, l => l[line.Length..].Trim() == count.ToString("N0", System.Globalization.CultureInfo.InvariantCulture));
    }

    static void AssertOpensWithout(Ledger ledger, Action<Ledger> take)
    {
        int before = ledger.Gaps.Count;
        take(ledger);
        Assert.True(ledger.Gaps.Count > before, "the sums do not need this count");
    }

    static DecodeCounters Decoded(Ledger ledger) => ledger.Captures[0].Decoded;

    [Fact]
    public void Frames_put_to_a_flow()
    {
        using var bed = new LedgerBed();
        Ledger end = bed.Frame(Udp()).Frame(Udp()).End();
        AssertShown(end, "put to a flow", 2);
        AssertShown(end, "ended or timed out", 1);
        AssertOpensWithout(end, l => Decoded(l).Parsed--);
    }

    [Fact]
    public void Frames_without_ip()
    {
        using var bed = new LedgerBed();
        // LLDP.
        Ledger end = bed.Frame(With(Udp(), 12, 0x88, 0xCC)).End();
        AssertShown(end, "not IP", 1);
        AssertOpensWithout(end, l => Decoded(l).NonIp--);
    }

    [Fact]
    public void Fragments()
    {
        using var bed = new LedgerBed();
        // More fragments follow; they never do.
        Ledger end = bed.Frame(With(Udp(), 20, 0x20, 0)).End();
        AssertShown(end, "fragments put together", 1);
        AssertOpensWithout(end, l => Decoded(l).FragmentsHeld--);
    }

    [Fact]
    public void Frames_that_end_in_a_fault()
    {
        using var bed = new LedgerBed();
        Ledger end = bed.Frame(With(Udp(), 14, 0x55)).Frame(Udp()[..30], 60).End();
        AssertShown(end, "ipv4 version wrong", 1);
        AssertShown(end, "ipv4 header too short", 1);
        AssertShown(end, "of them cut short by the capture", 1);
        AssertOpensWithout(end, l => Decoded(l).Faults[(int)DecodeFault.IPv4VersionWrong]--);
    }

    [Fact]
    public void Flows_exported_early_because_the_table_is_full()
    {
        using var bed = new LedgerBed();
        for (int i = 0; i < 1030; i++) bed.Frame(Udp(1000 + i));
        bed.Take();
        Ledger now = bed.Now();
        AssertShown(now, "exported early, table full", 6);
        AssertShown(now, "still open", 1024);
        AssertShown(bed.End(), "flows opened", 1030);
        AssertOpensWithout(now, l => Decoded(l).FlowsClosed--);
    }

    [Fact]
    public void Slices_of_flows_that_go_on()
    {
        using var bed = new LedgerBed(decoding: new DecoderOptions { MaximumFlows = 1024, ActiveTimeout = 10_000_000_000 });
        for (int i = 0; i < 5; i++)
        {
            bed.Frame(Udp());
            bed.Wait(6);
        }
        Ledger end = bed.End();
        Assert.True(end.FlowSlices > 0);
        Assert.Empty(end.Gaps);
        AssertOpensWithout(end, l => Decoded(l).FlowSlices--);
    }

    [Fact]
    public void Missed_bytes()
    {
        using var bed = new LedgerBed();
        byte[] Tcp(string from, int port, string to, int toPort, byte flags, uint sequence, uint acknowledgment, string payload = "")
        {
            byte[] frame = Frames.Tcp(from, port, to, toPort, flags, sequence, Encoding.ASCII.GetBytes(payload));
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(42), acknowledgment);
            return frame;
        }
        bed.Frame(Tcp(Client, 4000, Server, 9999, Frames.Syn, 100, 0)).Frame(Tcp(Server, 9999, Client, 4000, Frames.Syn | Frames.Ack, 500, 101)).Frame(Tcp(Client, 4000, Server, 9999, Frames.Ack, 101, 501));
        // 100 bytes are seen, 50 are not, 20 are, and the server has them all.
        bed.Frame(Tcp(Client, 4000, Server, 9999, Frames.Ack | Frames.Push, 101, 501, new string('a', 100)));
        bed.Frame(Tcp(Client, 4000, Server, 9999, Frames.Ack | Frames.Push, 251, 501, new string('b', 20))).Frame(Tcp(Server, 9999, Client, 4000, Frames.Ack, 501, 271));
        Ledger end = bed.End();
        AssertShown(end, "TCP payload, bytes", 120);
        Assert.Equal(50, end.TcpMissedBytes);
        Assert.Contains("missed before our port (29.41", LedgerText.Write(end), StringComparison.Ordinal);
    }

    [Fact]
    public void Repeated_dns_queries()
    {
        using var bed = new LedgerBed();
        byte[] query = Frames.Query(Client, 4000, "www.example.com");
        AssertShown(bed.Frame(query).Frame(query).Frame(query).End(), "DNS queries sent again, in the first one's", 2);
    }

    [Fact]
    public void Events_dropped_because_the_pipeline_is_behind()
    {
        using var bed = new LedgerBed(patient: false);
        for (int i = 0; i < 5000; i++) bed.Frame(Udp(1000 + i));
        Ledger full = bed.Now();
        long dropped = EventTypes.All.Sum(full.DroppedEventsOf);
        Assert.True(dropped > 0);
        AssertShown(full, "dropped, pipeline behind", dropped);
        Assert.True(full.Queued > 0);
        AssertShown(full, "waiting for the pipeline", full.Queued);
        bed.Take();
        // The last thousand flows fit.
        Ledger end = bed.End();
        AssertShown(end, "dropped, pipeline behind", dropped);
        Assert.Equal(0, end.Queued);
        AssertOpensWithout(end, l => l.Captures[0].DroppedEvents[(int)EventType.Ip]--);
    }

    [Fact]
    public void Events_of_a_type_that_is_switched_off()
    {
        using var bed = new LedgerBed(wanted: [true, false, true, true, true, true]);
        Ledger end = bed.Frame(Udp()).End();
        AssertShown(end, "of a type that is switched off", 1);
        AssertOpensWithout(end, l => l.Stage!.Unwanted[(int)EventType.Ip]--);
    }

    [Fact]
    public void Events_out_of_scope()
    {
        using var bed = new LedgerBed(scope: Scope.Default);
        Ledger end = bed.Frame(Frames.Udp("198.51.100.1", 1000, Server, 9, "x"u8)).Frame(Udp()).End();
        Assert.Equal((1, 1), (end.Stage!.OutOfScope.Sum(), end.Stage.InScope.Sum()));
        Assert.Contains("not in scope: ", LedgerText.Write(end), StringComparison.Ordinal);
        Assert.Empty(end.Gaps);
        AssertOpensWithout(end, l => l.Stage!.OutOfScope[Array.FindIndex(l.Stage.OutOfScope, n => n > 0)]--);
    }

    [Fact]
    public void Events_that_met_a_mistake_before_scope_was_decided()
    {
        // The table of wanted types ends too early.
        using var bed = new LedgerBed(wanted: [true]);
        Ledger end = bed.Frame(Udp()).Frame(Frames.Query(Client, 4000, "www.example.com")).End();
        Assert.Equal(2, end.Stage!.Undecided[(int)EventType.Ip]);
        AssertShown(end, "lost to a mistake in nfr itself", 2, mistakes: 2);
        AssertOpensWithout(end, l => l.Stage!.Undecided[(int)EventType.Ip]--);
    }

    [Fact]
    public void Events_that_met_a_mistake_before_the_spool_had_them()
    {
        using var scorer = new Simulated();
        // A scorer that was taken down.
        Poison(scorer.Scorer);
        using var bed = new LedgerBed(scorer: scorer.Scorer);
        Ledger end = bed.Frame(Udp()).End();
        Assert.Equal(1, end.Stage!.Unkept.Sum());
        AssertShown(end, "lost to a mistake in nfr itself", 1, mistakes: 1);
        AssertOpensWithout(end, l => l.Stage!.Unkept[(int)EventType.Ip]--);
    }

    /// <summary>A detector of flows that is not there.</summary>
    internal static void Poison(Scorer scorer)
    {
        FieldInfo detectors = typeof(Scorer).GetField("_ip", BindingFlags.Instance | BindingFlags.NonPublic)!;
        detectors.SetValue(scorer, Array.CreateInstance(detectors.FieldType.GetElementType()!, 1));
    }

    [Fact]
    public void Events_that_cannot_be_read_from_the_ring()
    {
        using var bed = new LedgerBed();
        bed.Frame(Udp(1)).Frame(Udp(2)).Frame(Udp(3)).Drain();
        // Behind the length of the second record: a type that there is not.
        var bytes = (byte[])typeof(EventRing).GetField("_bytes", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(bed.Ring)!;
        bytes[BitConverter.ToInt32(bytes) + 4] = 0xEE;
        bed.Take();
        Ledger now = bed.Now();
        Assert.Equal((1, 0, 2), (now.Stage!.Unread, now.Queued, now.Stage.Taken.Sum()));
        AssertShown(now, "lost to a mistake in nfr itself", 1, mistakes: 1);

        // The next span does not lose it again, and does not wait for it either.
        bed.Clock.Turn(now);
        bed.Frame(Udp(4));
        Ledger end = bed.End();
        LedgerInterval last = bed.Clock.Turn(end);
        Assert.Equal((0, 0, 0L), (last.Moved.Queued, last.Moved.WaitedAtStart, last.Lost));
        Assert.Empty(last.Moved.Gaps);
        AssertShown(end, "lost to a mistake in nfr itself", 1, mistakes: 1);
        AssertOpensWithout(end, l => l.Stage!.Unread--);
    }

    /// <summary>One request that is two findings: to a listed name, with a password in the clear.</summary>
    static void TwoFindings(LedgerBed bed)
    {
        bed.Frame(Frames.Tcp(Client, 4000, Server, 80, Frames.Syn))
            .Frame(Frames.Tcp(Client, 4000, Server, 80, Frames.Ack | Frames.Push, 2, "GET / HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Basic dTpw\r\n\r\n"u8)).Drain();
        bed.Take();
    }

    [Fact]
    public void Alerts_raised()
    {
        using var scorer = new Simulated(lists: ("c2.txt", "evil.example\n"));
        using var bed = new LedgerBed(scorer: scorer.Scorer);
        TwoFindings(bed);
        Ledger end = bed.End();
        Assert.True(end.Stage!.Alerts >= 2);
        Assert.Equal(end.Stage.Alerts, end.Spool!.Alerts.InSpool);
        AssertShown(end, "alerts raised", end.Stage.Alerts);
        AssertShown(end, "alerts spooled", end.Stage.Alerts);
        AssertShown(end, "part of a finding", end.Stage.Scored.Sum());
        AssertOpensWithout(end, l => l.Stage!.Alerts--);
    }

    [Fact]
    public void Alerts_that_met_a_mistake_before_the_spool_had_them()
    {
        using var scorer = new Simulated(lists: ("c2.txt", "evil.example\n"));
        int told = 0;
        using var bed = new LedgerBed(scorer: scorer.Scorer, onAlert: _ =>
        {
            if (told++ == 0) throw new NotSupportedException("a mistake");
        });
        TwoFindings(bed);
        Ledger end = bed.End();
        Assert.Equal(1, end.Stage!.AlertsUnkept);
        AssertShown(end, "lost to a mistake in nfr itself", 1, mistakes: 1);
        LedgerInterval run = bed.Clock.Turn(end);
        Assert.Equal(1, run.Lost);
        Assert.Contains("lost: 1 alerts to mistakes in nfr itself", run.Sentence(), StringComparison.Ordinal);
        AssertOpensWithout(end, l => l.Stage!.AlertsUnkept--);
    }

    [Fact]
    public void Alerts_fetched_from_the_engine()
    {
        using var bed = new LedgerBed();
        Assert.Null(bed.Spool.StoreEngineAlerts([SpoolTestBed.Alert("1"), SpoolTestBed.Alert("2")], "f"));
        Ledger end = bed.End();
        AssertShown(end, "fetched from the engine", 2);
        AssertShown(end, "alerts spooled", 2);
        Assert.Equal(["alerts raised + fetched = accepted by the spool + unkept: 0 against 2"], (end with { SpoolAtStart = end.Spool, Spool = WithoutFetched(bed, end) }).Gaps);
    }

    // The same numbers by a spool that does not say which alerts it fetched.
    static SpoolCounters WithoutFetched(LedgerBed bed, Ledger end)
    {
        bed.Spool.AppendAlert(SpoolTestBed.Alert("3"));
        bed.Spool.AppendAlert(SpoolTestBed.Alert("4"));
        Assert.Null(bed.Spool.Flush());
        Assert.Equal(end.Spool!.EngineAlerts, bed.Spool.Counters.EngineAlerts);
        return bed.Spool.CountRows()!;
    }

    [Fact]
    public void Delivered_and_quarantined_events()
    {
        using var bed = new LedgerBed();
        for (int i = 0; i < 10; i++) bed.Frame(Udp(1000 + i));
        bed.End();
        Assert.Null(bed.Spool.Delivered(EventType.Ip, 4));
        Assert.Null(bed.Spool.Quarantine(EventType.Ip, 7, "refused for ever"));
        Ledger end = bed.End();
        AssertShown(end, "delivered", 4);
        AssertShown(end, "quarantined", 3);
        AssertShown(end, "in the spool now", 3);
    }

    [Fact]
    public void Events_and_alerts_evicted_from_a_full_spool()
    {
        using var bed = new LedgerBed(spoolBytes: SpoolOptions.LeastBytes);
        var random = new Random(1);
        for (int i = 0; i < 300; i++)
        {
            bed.Spool.AppendAlert(SpoolTestBed.Alert(Convert.ToHexString(SpoolTestBed.RandomBytes(random, 1000))));
            bed.Frame(Udp(1000 + i));
            bed.Drain();
            bed.Take();
        }
        // What did not come by the stage is the bed's own.
        bed.Stage.Counters.Alerts += 300;
        Ledger end = bed.End();
        SpoolTally events = end.Spool!.Total, alerts = end.Spool.Alerts;
        Assert.True(events.Evicted > 0 && alerts.Evicted > 0, $"{events} {alerts}");
        AssertShown(end, "evicted, ring full", events.Evicted);
        AssertShown(end, "evicted, ring full", alerts.Evicted);
    }

    [Fact]
    public void Events_and_alerts_lost_before_the_spool()
    {
        using var bed = new LedgerBed(spool: o => o with { MaxPendingEvents = 10, MaxPendingAlerts = 2 });
        for (int i = 0; i < 12; i++) bed.Spool.Append(EventType.Dns, 0, SpoolTestBed.Line($"{i}"));
        for (int i = 0; i < 5; i++) bed.Spool.AppendAlert(SpoolTestBed.Alert($"{i}"));
        bed.Stage.Counters.Taken[0] += 12;
        bed.Stage.Counters.InScope[0] += 12;
        bed.Stage.Counters.Alerts += 5;
        Ledger now = bed.Now();
        AssertShown(now with { Captures = [], IsExact = false }, "waiting to be written down", 10);
        Ledger end = bed.End() with { Captures = [], QueuedAtStart = [12, 0, 0, 0, 0, 0, 0] };
        AssertShown(end, "lost before the spool (disk failing)", 2);
        AssertShown(end, "lost before the spool (disk failing)", 3);
    }

    [Fact]
    public void In_the_spool_is_counted_row_by_row_and_a_row_that_went_is_noticed()
    {
        using var bed = new LedgerBed();
        for (int i = 0; i < 10; i++) bed.Frame(Udp(1000 + i));
        bed.Drain();
        bed.Take();
        bed.Spool.AppendAlert(SpoolTestBed.Alert("1"));
        bed.Stage.Counters.Alerts++;
        Ledger good = bed.End();
        Assert.Empty(good.Gaps);
        Assert.True(good.Spool!.RowsCounted);
        // Counted at the end or not proved.
        Assert.Equal(["the rows of the spool could not be counted at the end"], (good with { Spool = bed.Spool.Counters }).Gaps);

        Assert.False(SqliteConnection.Open(bed.SpoolPath, null, out SqliteConnection? db).IsError);
        using (db)
        {
            db!.Execute("DELETE FROM batch");
            db.Execute("DELETE FROM alert");
            Assert.False(db.Failed);
        }
        Assert.Equal(
            ["events in spool + spooled = delivered + evicted + quarantined + in spool: 10 against 0", "alerts in spool + spooled = delivered + evicted + quarantined + in spool: 1 against 0"],
            bed.End().Gaps);
    }
}
