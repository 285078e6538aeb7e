using Nfr.Events;
using Nfr.Health;

namespace Nfr.Pipeline;

/// <summary>
/// Promise 12: says in plain sentences what the sensor does not get, and what to do about it. Looked at every <see cref="Interval"/>; each
/// condition is told once when it begins, once when it ends, and again after an hour.
/// </summary>
sealed class Observer(string interfaceName, Action<bool, string> tell, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Silence for so long is worth a word; a quiet home network sends ARP more often.</summary>
    static readonly TimeSpan s_silence = TimeSpan.FromSeconds(30);

    static readonly TimeSpan s_again = TimeSpan.FromHours(1);

    /// <summary>Fewer frames than this in an interval prove nothing about their kind.</summary>
    const long Enough = 50;

    /// <summary>Drops of less than one packet in so many are a notice, not a loss that somebody has to get up for.</summary>
    const long SlightLoss = 1000;

    /// <summary>On a slow link the window grows until it has enough, but no longer than this: a word within a minute.</summary>
    static readonly TimeSpan s_longest = TimeSpan.FromSeconds(50);

    readonly Dictionary<string, long> _told = [];
    readonly Dictionary<string, Trouble> _holding = [];
    Trouble[] _troubles = [];
    Numbers _last;
    Numbers _window;
    long _windowStart = time.GetTimestamp();
    // Segments and possible duplicates are fewer than frames: each waits for enough of its own kind.
    Numbers _segments;
    Numbers _duplicates;
    long _lastFrames = time.GetTimestamp();

    readonly record struct Numbers(long Frames, long Parsed, long Group, long Truncated, long Vlan, long Duplicates, long LookedAt, long Alone, long Paired, long Dropped)
    {
        public static Numbers Of(DecodeCounters c, long dropped) => new(
            c.Frames, c.Parsed, c.GroupAddressed, c.Truncated, c.VlanTagged, c.Duplicates, c.DuplicatesLookedAt, c.SegmentsAlone, c.SegmentsPaired, dropped);

        public static Numbers operator -(Numbers a, Numbers b) => new(
            a.Frames - b.Frames, a.Parsed - b.Parsed, a.Group - b.Group, a.Truncated - b.Truncated, a.Vlan - b.Vlan,
            a.Duplicates - b.Duplicates, a.LookedAt - b.LookedAt, a.Alone - b.Alone, a.Paired - b.Paired, a.Dropped - b.Dropped);
    }

    /// <summary>What holds now, as it was last looked at. Any thread.</summary>
    public IReadOnlyList<Trouble> Troubles => Volatile.Read(ref _troubles);

    /// <param name="counters">Of all workers of the interface.</param>
    /// <param name="dropped">Frames that the kernel has dropped since the start.</param>
    public void Look(DecodeCounters counters, long dropped)
    {
        LookAt(counters, dropped);
        Volatile.Write(ref _troubles, [.. _holding.Values]);
    }

    void LookAt(DecodeCounters counters, long dropped)
    {
        Numbers now = Numbers.Of(counters, dropped);
        Numbers delta = now - _last;
        _last = now;
        long instant = time.GetTimestamp();
        if (delta.Frames > 0) _lastFrames = instant;
        Condition("silence", time.GetElapsedTime(_lastFrames, instant) >= s_silence, Gravity.Fault,
            () => $"{interfaceName} has received no packets for {(int)time.GetElapsedTime(_lastFrames, instant).TotalSeconds} s; "
                + "check the cable, and that the switch's mirror (SPAN) session is on and sends to this port",
            $"capture: {interfaceName} receives packets again");
        Condition("drops", delta.Dropped > 0, delta.Dropped * SlightLoss > delta.Frames ? Gravity.Loss : Gravity.Notice,
            () => $"the kernel dropped {delta.Dropped:N0} of {delta.Dropped + delta.Frames:N0} packets on {interfaceName} in the last {(int)Interval.TotalSeconds} s; "
                + "raise inputs.sniffer.ring_size or workers, or mirror fewer ports",
            $"capture: no more drops on {interfaceName}");

        LookAtSegments(now);
        LookAtDuplicates(now);

        // The kinds of traffic are judged over a growing window, so that a slow link gets its word within a minute too.
        Numbers window = now - _window;
        if (window.Frames < Enough && time.GetElapsedTime(_windowStart, instant) < s_longest) return;
        if (window.Frames < 10) return;
        _window = now;
        _windowStart = instant;
        Condition("group", window.Group >= window.Frames * 0.98, Gravity.Fault,
            () => $"{interfaceName} sees only broadcast and multicast ({window.Frames:N0} packets): this looks like an ordinary switch port; "
                + "make it the destination of a mirror (SPAN) session, or use a TAP",
            $"capture: {interfaceName} now sees unicast traffic");
        Condition("truncated", window.Truncated > window.Frames / 100, Gravity.Notice,
            () => $"{window.Truncated:N0} of {window.Frames:N0} frames on {interfaceName} are cut off; "
                + "look for a packet slicing or truncation setting on the mirror session, and for jumbo frames (ip link set mtu)",
            $"capture: frames on {interfaceName} are whole again");
        // Fewer tagged frames than this do not prove a trunk, but one untagged frame disproves it.
        if (window.Frames >= Enough || window.Vlan < window.Frames)
        {
            Condition("vlan", window.Vlan == window.Frames, Gravity.Notice,
                () => $"every frame on {interfaceName} carries a VLAN tag, so a trunk is mirrored; that is decoded as it is, "
                    + "but if you miss hosts, check that the mirror session includes their VLANs and the untagged one",
                $"capture: {interfaceName} now sees untagged frames too");
        }
    }

    void LookAtSegments(in Numbers now)
    {
        Numbers window = now - _segments;
        long segments = window.Alone + window.Paired;
        if (segments < 40) return;
        _segments = now;
        Condition("one-way", window.Alone >= segments * 0.9, Gravity.Notice,
            () => $"{interfaceName} sees one direction only of {window.Alone * 100 / segments} % of TCP segments; "
                + "set the mirror session to both directions (rx and tx), or connect both outputs of the TAP",
            $"capture: {interfaceName} now sees both directions");
    }

    void LookAtDuplicates(in Numbers now)
    {
        Numbers window = now - _duplicates;
        if (window.LookedAt < 20) return;
        _duplicates = now;
        Condition("duplicates", window.Duplicates >= window.LookedAt * 0.3, Gravity.Notice,
            () => $"about {Math.Min(100, window.Duplicates * 100 / (window.LookedAt - window.Duplicates))} % of packets on {interfaceName} come twice; "
                + "mirror a VLAN or port in one direction (rx), not at both its ends, or counts will be doubled",
            $"capture: packets on {interfaceName} come once again");
    }

    /// <param name="name">Of the condition.</param>
    /// <param name="holds">Whether it holds now.</param>
    /// <param name="gravity">While it holds.</param>
    /// <param name="sentence">What there is, a semicolon, what to do.</param>
    /// <param name="over">For the log.</param>
    void Condition(string name, bool holds, Gravity gravity, Func<string> sentence, string over)
    {
        long now = time.GetTimestamp();
        if (holds)
        {
            string text = sentence();
            int mark = text.IndexOf("; ", StringComparison.Ordinal);
            _holding[name] = new Trouble(gravity, "capture", text[..mark], text[(mark + 2)..]);
            if (_told.TryGetValue(name, out long told) && time.GetElapsedTime(told, now) < s_again) return;
            _told[name] = now;
            tell(true, "capture: " + text);
        }
        else if (_told.Remove(name))
        {
            _holding.Remove(name);
            tell(false, over);
        }
    }
}
