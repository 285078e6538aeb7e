using System.Globalization;

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

    public static NicStatistics Subtract(NicStatistics left, NicStatistics right) => left - right;

    /// <summary>Frames that were lost before any ring.</summary>
    public long Lost => Dropped + Missed + FifoErrors;

    /// <summary>
    /// Reads /sys/class/net; null when it does not hold the interface with this index (it is gone, or sysfs belongs to another
    /// network namespace, whose eth0 would be somebody else's).
    /// </summary>
    public static NicStatistics? Read(string name, int index)
    {
        string folder = Path.Combine("/sys/class/net", name);
        if (Number(Path.Combine(folder, "ifindex")) != index) return null;
        folder = Path.Combine(folder, "statistics");
        return Number(Path.Combine(folder, "rx_packets")) is long packets
            ? new NicStatistics(
                packets,
                Number(Path.Combine(folder, "rx_dropped")) ?? 0,
                Number(Path.Combine(folder, "rx_missed_errors")) ?? 0,
                Number(Path.Combine(folder, "rx_fifo_errors")) ?? 0)
            : null;
    }

    static long? Number(string path)
    {
        try
        {
            return long.TryParse(File.ReadAllText(path), NumberStyles.Integer, CultureInfo.InvariantCulture, out long value) ? value : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
