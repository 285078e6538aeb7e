namespace Nfr.Events;

/// <summary>What no clock that is set can say: a time before this program was written.</summary>
public static class ClockFloor
{
    /// <summary>Moved on with each release; a constant, so that the same sources give the same program.</summary>
    public static DateTimeOffset Earliest { get; } = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The clock was never set since the box came up, as one without a battery; it began at 1970 or where it was switched off.</summary>
    public static bool IsUnset(DateTimeOffset now) => now < Earliest;
}
