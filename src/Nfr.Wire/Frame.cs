namespace Nfr.Wire;

/// <summary>One captured frame, borrowed: its bytes belong to the ring block or file buffer that it came from.</summary>
public readonly ref struct Frame
{
    public Frame(ReadOnlySpan<byte> bytes, int originalLength, long timestamp, long tick, LinkType linkType, ushort vlanTpid = 0, ushort vlanTci = 0, int ahead = 0)
    {
        Bytes = bytes;
        OriginalLength = originalLength;
        Timestamp = timestamp;
        Tick = tick;
        LinkType = linkType;
        VlanTpid = vlanTpid;
        VlanTci = vlanTci;
        Ahead = ahead;
    }

    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Bytes on the wire; more than <see cref="Bytes"/> holds when the capture was cut off by its snap length.</summary>
    public int OriginalLength { get; }

    /// <summary>Nanoseconds since 1970 UTC, as the kernel or file has it: for stamps, never for intervals.</summary>
    public long Timestamp { get; }

    /// <summary>Nanoseconds on a clock that never steps back: for intervals and time-outs. In a file, the greatest stamp so far.</summary>
    public long Tick { get; }

    public LinkType LinkType { get; }

    /// <summary>EtherType of an 802.1Q tag that the kernel stripped off into the ring header; 0 when there was none.</summary>
    public ushort VlanTpid { get; }

    /// <summary>That tag's control information: priority, DEI, VLAN identifier in the low 12 bits.</summary>
    public ushort VlanTci { get; }

    /// <summary>One more than the place under which <see cref="IFrameSink.OnAhead"/> was told of this very frame; 0 when it was not.</summary>
    public int Ahead { get; }
}

/// <summary>Takes frames; a struct, so that the call is inlined into the reader's loop.</summary>
public interface IFrameSink
{
    void OnFrame(scoped in Frame frame);

    /// <summary>Places for <see cref="OnAhead"/>: a reader is at most this many frames in front.</summary>
    public const int AheadPlaces = 32;

    /// <summary>
    /// Bytes of a frame that <see cref="OnFrame"/> will get soon, a dozen frames from now: the sink may ask for the memory that it will want then, and keep what it
    /// learns under <paramref name="place"/>, 0 to <see cref="AheadPlaces"/> - 1, which <see cref="Frame.Ahead"/> names again. It must not depend on it: readers that
    /// cannot look ahead do not call it, and some frames never come. A struct that leaves it out is boxed for each call.
    /// </summary>
    void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
    {
    }
}
