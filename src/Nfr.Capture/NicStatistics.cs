using Nfr.Native;

namespace Nfr.Capture;

/// <summary>What the network card and its driver count before any ring sees a frame: losses that no filter or reader can help.</summary>
/// <param name="Packets">rx_packets.</param>
/// <param name="Dropped">rx_dropped: no buffer in the kernel.</param>
/// <param name="Missed">rx_missed_errors: the card's own queue was full.</param>
/// <param name="FifoErrors">rx_fifo_errors.</param>
public readonly record struct NicStatistics(long Packets, long Dropped, long Missed, long FifoErrors)
{
    public static NicStatistics operator -(NicStatistics a, NicStatistics b) => new(
        a.Packets - b.Packets, a.Dropped - b.Dropped, a.Missed - b.Missed, a.FifoErrors - b.FifoErrors);

    public static NicStatistics operator +(NicStatistics a, NicStatistics b) => new(
        a.Packets + b.Packets, a.Dropped + b.Dropped, a.Missed + b.Missed, a.FifoErrors + b.FifoErrors);

    public static NicStatistics Subtract(NicStatistics left, NicStatistics right) => left - right;

    public static NicStatistics Add(NicStatistics left, NicStatistics right) => left + right;

    /// <summary>Frames that were lost before any ring.</summary>
    public long Lost => Dropped + Missed + FifoErrors;

    internal static NicStatistics? Of(LinkStatistics? link) =>
        link is { } l ? new NicStatistics(l.ReceivedPackets, l.ReceiveDropped, l.ReceiveMissedErrors, l.ReceiveFifoErrors) : null;
}
