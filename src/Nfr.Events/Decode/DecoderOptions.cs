using Nfr.Wire;

namespace Nfr.Events;

/// <summary>Sizes and times of one decode loop; times in nanoseconds of tick.</summary>
public sealed record DecoderOptions
{
    /// <summary>Flows at a time; when more come, the least recently seen is exported early.</summary>
    public int MaximumFlows { get; init; } = FlowTable.DefaultCapacity;

    /// <summary>An established TCP connection without a packet for so long is exported.</summary>
    public long TcpIdleTimeout { get; init; } = 300_000_000_000;

    /// <summary>A connection attempt that nobody answers; SYNs are repeated after 1, 3 and 7 s.</summary>
    public long TcpAttemptTimeout { get; init; } = 10_000_000_000;

    /// <summary>After its end a connection is kept this long for late segments, then exported.</summary>
    public long TcpCloseTimeout { get; init; } = 5_000_000_000;

    /// <summary>UDP, ICMP and the rest.</summary>
    public long DatagramIdleTimeout { get; init; } = 60_000_000_000;

    /// <summary>A flow that lives longer is reported in slices of this length.</summary>
    public long ActiveTimeout { get; init; } = 1_800_000_000_000;

    /// <summary>Application bytes from the client after which a flow is reported while it goes on; then after twice as many, and so on. At most 2^48.</summary>
    public long SentStep { get; init; } = 4 << 20;

    /// <summary>What tells flows of the same addresses and ports apart.</summary>
    public FlowSeparation Separation { get; init; } = FlowSeparation.Networks;

    /// <summary>Whether an address is one of ours: decides client and server where no SYN does. Asked once per flow.</summary>
    public Func<Address, bool>? IsHome { get; init; }
}
