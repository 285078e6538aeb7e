using Nfr.Events;
using Nfr.Pipeline;

namespace Nfr.Tests.Nfr;

/// <summary>Promise 12: each sentence comes within a minute of its condition, once, and never on ordinary traffic.</summary>
public sealed class ObserverTests
{
    readonly ManualTime _time = new();
    readonly DecodeCounters _counters = new();
    readonly List<(bool Holds, string Sentence)> _told = [];
    readonly Observer _observer;
    long _dropped;

    public ObserverTests() => _observer = new Observer("eth7", (holds, sentence) => _told.Add((holds, sentence)), _time);

    /// <summary>Ten seconds of an office: mostly unicast, both directions, each frame once and whole, some with a tag.</summary>
    static void Ordinary(DecodeCounters c) => Add(c, frames: 1000, group: 50, vlan: 100, looked: 100, paired: 700, alone: 20, truncated: 0, duplicates: 1);

    static void Add(DecodeCounters c, long frames, long group = 0, long truncated = 0, long vlan = 0, long looked = 0, long duplicates = 0, long alone = 0, long paired = 0)
    {
        c.Frames += frames;
        c.Parsed += frames;
        c.GroupAddressed += group;
        c.Truncated += truncated;
        c.VlanTagged += vlan;
        c.DuplicatesLookedAt += looked;
        c.Duplicates += duplicates;
        c.SegmentsAlone += alone;
        c.SegmentsPaired += paired;
    }

    void Pass(int seconds, Action<DecodeCounters>? traffic = null)
    {
        for (int at = 0; at < seconds; at += 10)
        {
            traffic?.Invoke(_counters);
            _time.Advance(Observer.Interval);
            _observer.Look(_counters, _dropped);
        }
    }

    /// <summary>Within a minute: told. In the next half hour: not again. Afterwards on ordinary traffic: told as over, once. Two hours of it: told anew.</summary>
    void AssertLifeOf(string begins, string ends, Action<DecodeCounters> traffic, Action? onTraffic = null)
    {
        void Bad(DecodeCounters c)
        {
            traffic(c);
            onTraffic?.Invoke();
        }

        Pass(60, Bad);
        (bool holds, string sentence) = Assert.Single(_told);
        Assert.True(holds);
        Assert.Contains(begins, sentence, StringComparison.Ordinal);
        Assert.Contains("eth7", sentence, StringComparison.Ordinal);
        Assert.Contains("; ", sentence, StringComparison.Ordinal);
        Pass(1800, Bad);
        Assert.Single(_told);
        Pass(1800, Bad);
        Assert.Equal(2, _told.Count);
        Assert.True(_told[1].Holds);
        Pass(60, Ordinary);
        Assert.Equal(3, _told.Count);
        Assert.False(_told[2].Holds);
        Assert.Contains(ends, _told[2].Sentence, StringComparison.Ordinal);
        Pass(600, Ordinary);
        Assert.Equal(3, _told.Count);
    }

    [Fact]
    public void Ordinary_traffic_is_not_remarked_upon()
    {
        Pass(7200, Ordinary);
        Pass(7200, c => Add(c, frames: 3, group: 1, looked: 1, paired: 1));
        Assert.Empty(_told);
    }

    [Fact]
    public void A_silent_port_is_told() =>
        AssertLifeOf("has received no packets for 3", "receives packets again", _ => { });

    [Fact]
    public void A_short_silence_is_no_matter()
    {
        Pass(60, Ordinary);
        Pass(20);
        Pass(60, Ordinary);
        Assert.Empty(_told);
    }

    [Fact]
    public void Drops_of_the_kernel_are_told() =>
        AssertLifeOf("the kernel dropped 500 of 1,500 packets", "no more drops", Ordinary, () => _dropped += 500);

    [Fact]
    public void An_ordinary_switch_port_is_told() =>
        AssertLifeOf("only broadcast and multicast", "unicast", c => Add(c, frames: 100, group: 100));

    [Fact]
    public void An_ordinary_switch_port_on_a_quiet_network_is_told_within_a_minute() =>
        AssertLifeOf("only broadcast and multicast", "unicast", c => Add(c, frames: 2, group: 2));

    [Fact]
    public void One_direction_alone_is_told() =>
        AssertLifeOf("one direction only of 98 % of TCP segments", "both directions", c => Add(c, frames: 200, looked: 20, alone: 98, paired: 2));

    [Fact]
    public void Frames_that_are_cut_off_are_told() =>
        AssertLifeOf("300 of 1,000 frames on eth7 are cut off", "whole again", c => Add(c, frames: 1000, truncated: 300, looked: 100, paired: 500));

    [Fact]
    public void Frames_that_come_twice_are_told() =>
        AssertLifeOf("about 100 % of packets", "once again", c => Add(c, frames: 1000, looked: 120, duplicates: 60, paired: 500));

    [Fact]
    public void A_trunk_is_told() =>
        AssertLifeOf("every frame on eth7 carries a VLAN tag", "untagged frames too", c => Add(c, frames: 1000, vlan: 1000, looked: 100, paired: 500));

    [Fact]
    public void Too_little_traffic_to_judge_by_ends_no_condition()
    {
        Pass(60, c => Add(c, frames: 500, vlan: 500, looked: 60, duplicates: 30, alone: 100));
        Assert.Equal(3, _told.Count);
        // A night with little traffic, of the same kind.
        Pass(3000, c => Add(c, frames: 12, vlan: 12, alone: 3));
        Assert.Equal(3, _told.Count);
    }

    [Fact]
    public void A_few_segments_at_a_time_add_up()
    {
        Pass(600, c => Add(c, frames: 200, looked: 2, duplicates: 1, alone: 5));
        Assert.Equal(2, _told.Count);
        Assert.Contains(_told, t => t.Sentence.Contains("one direction only", StringComparison.Ordinal));
        Assert.Contains(_told, t => t.Sentence.Contains("come twice", StringComparison.Ordinal));
    }
}
