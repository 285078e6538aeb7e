namespace Nfr.Capture;

/// <summary>How to listen on one interface.</summary>
public sealed record LiveCaptureOptions
{
    public required string Interface { get; init; }

    /// <summary>
    /// An expression in tcpdump's language; null or blank = every frame. Without the word <c>vlan</c> it sees through VLAN tags,
    /// with it, it means what it means to tcpdump. Like tcpdump's, a port expression does not match later fragments.
    /// </summary>
    public string? Filter { get; init; }

    /// <summary>
    /// Bytes of a block unless told otherwise. On a quiet port the kernel hands a block over at every <see cref="BlockTimeoutMilliseconds"/> however little is in it, so that it is
    /// the number of blocks, not their bytes, that says how long a reader may stand still: 256 blocks are 2.5 s, where 32 of 1 MiB were a third of a second. Smaller ones would cut
    /// frames that the card has joined (64 KiB).
    /// </summary>
    public const int DefaultBlockSize = 128 << 10;

    /// <summary>Bytes of a ring block, a power of two from 64 KiB; longer frames are cut.</summary>
    public int BlockSize { get; init; } = DefaultBlockSize;

    /// <summary>Blocks in the ring: 32 MiB in all, about 250 ms of a full gigabit; a quarter where addresses have 32 bits.</summary>
    public int BlockCount { get; init; } = Environment.Is64BitProcess ? 256 : 64;

    /// <summary>A quiet port hands its frames over after this long.</summary>
    public int BlockTimeoutMilliseconds { get; init; } = 10;

    public bool Promiscuous { get; init; } = true;

    /// <summary>
    /// Leave out what this host sends. Null = only on loopback, where every frame would show twice. Elsewhere both directions are
    /// wanted: on a mirror port nothing is sent, and on a host's own port the conversation has two sides.
    /// </summary>
    public bool? IgnoreOutgoing { get; init; }

    /// <summary>
    /// Captures of one interface with the same group share it by flow hash, which is the same for both directions; the kernel then
    /// joins IPv4 fragments first. Null = this capture takes everything.
    /// </summary>
    public ushort? FanoutGroup { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Why a live capture could not be opened or has ended.</summary>
public enum CaptureFaultKind
{
    OptionsInvalid,
    InterfaceMissing,
    InterfaceDown,
    LinkTypeUnsupported,
    FilterInvalid,
    PermissionDenied,
    /// <summary>The kernel refused the socket or its ring.</summary>
    RingRefused,
    /// <summary>The interface went down or was removed while it was read. Opening it again is worth a try.</summary>
    InterfaceLost,
    /// <summary>The socket failed in another way.</summary>
    ReadFailed,
}

/// <summary>A fault of the world: its kind and a sentence for a person, what to do included.</summary>
public sealed record CaptureFault(CaptureFaultKind Kind, string Message);

/// <summary>Counters of one capture since it was opened.</summary>
/// <param name="Received">Frames that came in and passed the filter, the dropped ones among them.</param>
/// <param name="Dropped">Frames lost because the ring was full.</param>
/// <param name="FreezeCount">How often the ring was full.</param>
/// <param name="BrokenBlocks">Blocks whose inner offsets were impossible, given up at that place. Always 0 with a sane kernel.</param>
/// <param name="Abandoned">Frames in blocks that were given up: behind such a place, or behind a frame whose sink threw.</param>
public readonly record struct CaptureStatistics(long Received, long Dropped, long FreezeCount, long BrokenBlocks, long Abandoned = 0)
{
    public static CaptureStatistics operator +(CaptureStatistics a, CaptureStatistics b) => new(
        a.Received + b.Received, a.Dropped + b.Dropped, a.FreezeCount + b.FreezeCount, a.BrokenBlocks + b.BrokenBlocks, a.Abandoned + b.Abandoned);

    public static CaptureStatistics Add(CaptureStatistics left, CaptureStatistics right) => left + right;

    public static CaptureStatistics operator -(CaptureStatistics a, CaptureStatistics b) => new(
        a.Received - b.Received, a.Dropped - b.Dropped, a.FreezeCount - b.FreezeCount, a.BrokenBlocks - b.BrokenBlocks, a.Abandoned - b.Abandoned);

    public static CaptureStatistics Subtract(CaptureStatistics left, CaptureStatistics right) => left - right;

    /// <summary>What the sink has been given, or will be once the ring is read empty.</summary>
    public long Delivered => Received - Dropped - Abandoned;
}
