using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// What one decode loop has seen, since the start. Written by its worker only; readers on other threads see each number whole, and a sum
/// that is a few packets old. Every frame ends in exactly one of: <see cref="Parsed"/>, <see cref="NonIp"/>, <see cref="FragmentsHeld"/>, or a
/// packet's <see cref="Faults"/> (those up to IcmpHeaderTooShort).
/// </summary>
public sealed class DecodeCounters
{
    public long Frames;
    /// <summary>Bytes on the wire, link layer included.</summary>
    public long Bytes;
    /// <summary>Frames whose packet was put to a flow.</summary>
    public long Parsed;
    /// <summary>ARP, LLDP, spanning tree and the like: no IP inside.</summary>
    public long NonIp;
    /// <summary>Fragments; whole datagrams made of them are put to flows without being counted as frames again.</summary>
    public long FragmentsHeld;
    /// <summary>Frames that the capture had cut off.</summary>
    public long Truncated;
    public long VlanTagged;
    /// <summary>Frames to a broadcast or multicast hardware address.</summary>
    public long GroupAddressed;
    /// <summary>Of the packets looked at for it (one in eight), those equal to one seen a moment before: a port mirrored in both directions shows each twice.</summary>
    public long Duplicates;
    public long DuplicatesLookedAt;
    /// <summary>TCP segments that acknowledge something nobody was seen to send: the mark of a mirror of one direction only.</summary>
    public long SegmentsAlone;
    /// <summary>TCP segments with an acknowledgment whose other direction has been seen.</summary>
    public long SegmentsPaired;
    /// <summary>Application bytes of TCP that passed, repeats included: of flows (and slices) that have been emitted, as the next one.</summary>
    public long TcpPayloadBytes;
    /// <summary>TCP bytes that were acknowledged and never passed our port: loss before it. Over these and <see cref="TcpPayloadBytes"/> it is a ratio.</summary>
    public long TcpMissedBytes;
    public long FlowsOpened;
    public long FlowsClosed;
    /// <summary>Flows exported before their time because the table was full; part of <see cref="FlowsClosed"/>.</summary>
    public long FlowsEvicted;
    /// <summary>Events of flows cut by the active time-out: ip events = closed + these.</summary>
    public long FlowSlices;
    /// <summary>DNS queries sent again, unchanged, while they waited for their answer: they are in the event of the first.</summary>
    public long DnsRepeated;
    /// <summary>Flows that wanted details when all places were taken; brought up to date with the time-outs.</summary>
    public long DetailsRefused;
    /// <summary>Flows in a tunnel that found all places taken and share the entry of their kind; brought up to date with the time-outs.</summary>
    public long TunnelsShared;
    /// <summary>By <see cref="DecodeFault"/>.</summary>
    public readonly long[] Faults = new long[(int)DecodeFault.Count];

    /// <summary>Frames that ended in a fault.</summary>
    public long PacketFaults
    {
        get
        {
            long n = 0;
            for (int i = 1; i <= (int)DecodeFault.IcmpHeaderTooShort; i++) n += Faults[i];
            return n;
        }
    }

    /// <summary>Promise 9 for this stage: every frame is accounted for.</summary>
    public bool Closes => Frames == Parsed + NonIp + FragmentsHeld + PacketFaults;

    /// <summary>The counters of several loops as one.</summary>
    public static DecodeCounters Sum(IEnumerable<DecodeCounters> counters)
    {
        var sum = new DecodeCounters();
        foreach (DecodeCounters c in counters) sum.Add(c, 1);
        return sum;
    }

    /// <summary>What came since an earlier copy of the same counters.</summary>
    public DecodeCounters Since(DecodeCounters earlier)
    {
        DecodeCounters since = Sum([this]);
        since.Add(earlier, -1);
        return since;
    }

    /// <summary>Adds (or, with -1, takes away) another's counts. Nothing is allocated.</summary>
    public void Add(DecodeCounters c, int sign)
    {
        ArgumentNullException.ThrowIfNull(c);
        Frames += sign * c.Frames;
        Bytes += sign * c.Bytes;
        Parsed += sign * c.Parsed;
        NonIp += sign * c.NonIp;
        FragmentsHeld += sign * c.FragmentsHeld;
        Truncated += sign * c.Truncated;
        VlanTagged += sign * c.VlanTagged;
        GroupAddressed += sign * c.GroupAddressed;
        Duplicates += sign * c.Duplicates;
        DuplicatesLookedAt += sign * c.DuplicatesLookedAt;
        SegmentsAlone += sign * c.SegmentsAlone;
        SegmentsPaired += sign * c.SegmentsPaired;
        FlowsOpened += sign * c.FlowsOpened;
        FlowsClosed += sign * c.FlowsClosed;
        FlowsEvicted += sign * c.FlowsEvicted;
        FlowSlices += sign * c.FlowSlices;
        TcpPayloadBytes += sign * c.TcpPayloadBytes;
        TcpMissedBytes += sign * c.TcpMissedBytes;
        DnsRepeated += sign * c.DnsRepeated;
        DetailsRefused += sign * c.DetailsRefused;
        TunnelsShared += sign * c.TunnelsShared;
        for (int i = 0; i < c.Faults.Length; i++) Faults[i] += sign * c.Faults[i];
    }
}
