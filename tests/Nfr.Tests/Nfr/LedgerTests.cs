using Nfr.Capture;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Wire;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>Promise 9: the sums come out, or the gap is named with both of its numbers.</summary>
public sealed class LedgerTests
{
    readonly DecodeCounters _decoded = new() { Frames = 100, Bytes = 9000, Parsed = 80, NonIp = 10, FragmentsHeld = 6, FlowsOpened = 12, FlowsClosed = 9, FlowSlices = 2 };
    readonly long[] _events = [5, 11, 3, 2, 0, 0, 0];
    readonly long[] _dropped = [0, 1, 0, 0, 0, 0, 0];
    readonly StageCounters _stage = new();

    public LedgerTests()
    {
        _decoded.Faults[(int)DecodeFault.TcpHeaderTooShort] = 3;
        _decoded.Faults[(int)DecodeFault.VlanTooDeep] = 1;
        // A stream's fault is no frame's.
        _decoded.Faults[(int)DecodeFault.StreamGap] = 50;
        new long[] { 5, 10, 3, 2 }.CopyTo(_stage.Taken, 0);
        new long[] { 3, 6, 2, 1 }.CopyTo(_stage.InScope, 0);
        _stage.OutOfScope[1] = 6;
        _stage.Unwanted[0] = 2;
    }

    Ledger Make(bool closing = true, long kernelDropped = 5, long mistakes = 0) => new()
    {
        Captures = [new CaptureEntry("eth7", new CaptureStatistics(105, kernelDropped, 0, 0), null, _decoded, _events, _dropped, 3, mistakes)],
        Stage = _stage,
        IsClosing = closing,
    };

    [Fact]
    public void Sums_that_come_out_close_the_ledger()
    {
        Ledger ledger = Make();
        Assert.Empty(ledger.Gaps);
        Assert.True(ledger.Closes);
        Assert.Equal((100, 4, 21, 1), (ledger.Frames, ledger.PacketFaults, EventTypes.All.Sum(ledger.EventsOf), EventTypes.All.Sum(ledger.DroppedEventsOf)));
        Assert.Equal([(DecodeFault.StreamGap, 50L), (DecodeFault.TcpHeaderTooShort, 3L), (DecodeFault.VlanTooDeep, 1L)], ledger.Faults);
        Assert.Contains("The ledger closes", LedgerText.Write(ledger), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Gaps => new()
    {
        { "kernel", "eth7: kernel received - dropped = decoded: 101 against 100" },
        { "frame", "eth7: decoded = parsed + not IP + fragments + faults: 100 against 99" },
        { "flow", "eth7: flows opened = closed + active: 13 against 12" },
        { "slice", "eth7: ip events = flows closed + slices: 11 against 12" },
        { "event", "http events = taken + dropped: 4 against 3" },
        { "scope", "events taken = in scope + out of scope + unwanted + undecided: 20 against 19" },
    };

    [Theory]
    [MemberData(nameof(Gaps))]
    public void A_sum_that_does_not_come_out_is_named(string what, string gap)
    {
        switch (what)
        {
            case "frame": _decoded.NonIp--; break;
            case "flow": _decoded.FlowsOpened++; break;
            case "slice": _decoded.FlowSlices++; break;
            case "event": _events[(int)EventType.Http]++; break;
            case "scope": _stage.OutOfScope[1]--; break;
        }
        Ledger ledger = Make(kernelDropped: what == "kernel" ? 4 : 5);
        Assert.Equal([gap], ledger.Gaps);
        Assert.False(ledger.Closes);
        string text = LedgerText.Write(ledger);
        Assert.Contains("does NOT close", text, StringComparison.Ordinal);
        Assert.Contains(gap, text, StringComparison.Ordinal);
    }

    [Fact]
    public void While_frames_are_on_their_way_sums_may_lag()
    {
        _decoded.Frames += 7;
        _events[0]++;
        Assert.True(Make(closing: false).Closes);
    }

    [Fact]
    public void A_mistake_of_our_own_keeps_the_ledger_open_at_any_time()
    {
        Assert.Equal(["eth7: 2 mistakes in nfr itself, see the log"], Make(closing: false, mistakes: 2).Gaps);
        Assert.False(Make(mistakes: 2).Closes);
    }

    [Fact]
    public void A_frame_lost_to_our_own_mistake_is_part_of_the_sum()
    {
        _decoded.NonIp--;
        Ledger ledger = Make(mistakes: 1);
        ledger = ledger with { Captures = [ledger.Captures[0] with { MistakenFrames = 1 }] };
        Assert.Equal(["eth7: 1 mistakes in nfr itself, see the log"], ledger.Gaps);
        Assert.Contains("lost to a mistake in nfr itself", LedgerText.Write(ledger), StringComparison.Ordinal);
    }

    [Fact]
    public void Frames_given_up_with_their_block_are_part_of_the_sum()
    {
        Ledger ledger = Make();
        CaptureEntry entry = ledger.Captures[0] with { Kernel = new CaptureStatistics(112, 5, 0, 1, 7) };
        Assert.True((ledger with { Captures = [entry] }).Closes);
    }

    [Fact]
    public void Missed_bytes_are_told_as_a_ratio_of_what_was_acknowledged()
    {
        (_decoded.TcpPayloadBytes, _decoded.TcpMissedBytes) = (900, 100);
        Assert.Equal(0.1, Make().TcpMissedRatio);
        Assert.Contains("missed before our port (10.00", LedgerText.Write(Make()), StringComparison.Ordinal);
    }

    [Fact]
    public void Give_ups_of_bounded_tables_are_shown()
    {
        (_decoded.DetailsRefused, _decoded.TunnelsShared) = (4, 5);
        string text = LedgerText.Write(Make());
        Assert.Contains("without details, their table full", text, StringComparison.Ordinal);
        Assert.Contains("sharing a tunnel's entry, its table full", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interval_adds_up_with_what_lay_there_at_both_ends()
    {
        Ledger first = Make(closing: false) with { IsExact = true };
        // 3 flows are open; of the events of later the pipeline has taken all but one; two frames wait in the ring.
        DecodeCounters later = DecodeCounters.Sum([_decoded]);
        later.Frames += 50;
        later.Parsed += 50;
        later.FlowsOpened += 10;
        later.FlowsClosed += 6;
        StageCounters stage = _stage.Copy();
        stage.Taken[(int)EventType.Ip] += 5;
        stage.InScope[(int)EventType.Ip] += 5;
        long[] events = [5, 17, 3, 2, 0, 0, 0];
        Ledger second = first with
        {
            Captures = [new CaptureEntry("eth7", new CaptureStatistics(157, 5, 0, 0), null, later, events, _dropped, 7, 0)],
            Stage = stage,
        };
        Ledger moved = second.Since(first);
        Assert.Empty(moved.Gaps);
        Assert.Equal((50, 3, 7, 2, 1), (moved.Frames, moved.Captures[0].FlowsAtStart, moved.FlowsActive, moved.Captures[0].Waiting, moved.QueuedOf(EventType.Ip)));
        later.FlowsClosed++;
        Assert.Equal(["eth7: flows opened = closed + active: 13 against 14", "eth7: ip events = flows closed + slices: 6 against 7"], second.Since(first).Gaps);
    }

    [Fact]
    public void An_interval_says_in_words_what_was_lost()
    {
        var clock = new LedgerClock(Make(closing: false, kernelDropped: 0) with { IsExact = true }, TimeProvider.System);
        Ledger now = Make(closing: false) with { IsExact = true };
        LedgerInterval interval = clock.Turn(now);
        Assert.Equal(5, interval.Lost);
        Assert.True(interval.HasMoved);
        Assert.Contains("lost: 5 packets in the kernel, its ring full", interval.Sentence(), StringComparison.Ordinal);
        Assert.False(clock.Turn(now).HasMoved);
    }

    [Fact]
    public void The_counters_of_several_workers_are_added_up()
    {
        DecodeCounters sum = DecodeCounters.Sum([_decoded, _decoded]);
        Assert.Equal((200, 160, 20, 12, 8), (sum.Frames, sum.Parsed, sum.NonIp, sum.FragmentsHeld, sum.PacketFaults));
        Assert.True(sum.Closes);
        // Every field is in the sum.
        var one = new DecodeCounters();
        foreach (System.Reflection.FieldInfo field in typeof(DecodeCounters).GetFields().Where(f => f.FieldType == typeof(long))) field.SetValue(one, 1L);
        foreach (System.Reflection.FieldInfo field in typeof(DecodeCounters).GetFields().Where(f => f.FieldType == typeof(long)))
            Assert.Equal(3L, field.GetValue(DecodeCounters.Sum([one, one, one])));
    }
}
