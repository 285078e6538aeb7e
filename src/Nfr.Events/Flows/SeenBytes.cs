using System.Runtime.CompilerServices;

namespace Nfr.Events;

/// <summary>
/// Which bytes of one direction of a TCP connection passed our port, by sequence numbers alone (RFC 9293 3.4), whether or not a parser reads
/// it. A segment that starts beyond all others opens a gap; one that starts below fills it. When the other side acknowledges everything up to
/// the highest byte seen, what is still open was received there and never passed here: it is missed.
/// </summary>
/// <remarks>
/// A retransmission of what was lost on the way fills the gap before it can be acknowledged, and one that comes when no gap is open changes
/// nothing, so neither hides a loss nor counts as one. Not seen as missed: what precedes the first segment of a flow without its SYN; the end of a
/// stream without FIN behind it; anything of a direction, or acknowledged by a direction, that the mirror does not show. Counted too low: a
/// repeat of bytes that did pass, while a gap is open. Counted too high: a repeat that a mirror shows after its acknowledgment.
/// </remarks>
struct SeenBytes
{
    /// <summary>A gap wider than the largest window (RFC 7323 2.2) is no gap of this connection: the count starts anew behind it.</summary>
    const uint LargestWindow = 1u << 30;

    /// <summary>One past the highest sequence number seen.</summary>
    uint _high;
    uint _open;

    /// <summary>A gap waits for its bytes or its acknowledgment.</summary>
    public readonly bool HasGap => _open != 0;

    public void Start(uint sequence)
    {
        _high = sequence;
        _open = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(uint sequence, uint length)
    {
        int ahead = (int)(sequence - _high);
        uint end = sequence + length;
        if (ahead > 0)
        {
            _open = (uint)ahead <= LargestWindow ? _open + (uint)ahead : 0;
            _high = end;
            return;
        }
        if ((int)(end - _high) > 0)
        {
            length = (uint)-ahead;
            _high = end;
        }
        // What lies below the highest byte.
        if (_open != 0 && ahead != 0) _open -= Math.Min(_open, length);
    }

    /// <summary>The other side has received everything before <paramref name="acknowledgment"/>; returns the bytes of it that were missed.</summary>
    public uint Acknowledge(uint acknowledgment)
    {
        if ((int)(acknowledgment - _high) < 0) return 0;
        uint missed = _open;
        _open = 0;
        return missed;
    }
}
