using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>How the wall clock is kept: what the kernel says by adjtimex(2), which is only asked here and never told anything, or what a time service says of itself. Null = that is not said.</summary>
/// <param name="IsSynchronised">A time service keeps the clock, and did so lately enough that the kernel believes it.</param>
/// <param name="EstimatedError">The time service's own estimate of how far the clock is off; 16 s while nobody keeps it.</param>
/// <param name="MaximumError">The clock is off by at most this much; grows by 0.5 ms a second between two updates. 16 s while nobody keeps it.</param>
/// <param name="Offset">What the kernel still has to slew away; 0 with a service that steers by frequency alone.</param>
public readonly partial record struct ClockStatus(bool IsSynchronised, TimeSpan? EstimatedError, TimeSpan? MaximumError, TimeSpan? Offset)
{
    /// <summary>NTP_PHASE_LIMIT of linux/timex.h: from there on the kernel takes the clock for unsynchronised, and it begins there at boot and after a step by hand.</summary>
    public const long UnknownMicroseconds = 16_000_000;

    const int STA_UNSYNC = 0x0040;
    const int STA_NANO = 0x2000;

    /// <summary>Now; null where the kernel does not answer, as in a sandbox that forbids the call.</summary>
    public static ClockStatus? Read()
    {
        // modes 0: nothing is set, so no capability is needed.
        var now = default(timex);
        try
        {
            return adjtimex(ref now) < 0 ? null : Of(now.status, now.esterror, now.maxerror, now.offset);
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <param name="status">STA_ flags.</param>
    /// <param name="estimatedError">Microseconds.</param>
    /// <param name="maximumError">Microseconds.</param>
    /// <param name="offset">Microseconds, or nanoseconds with STA_NANO.</param>
    internal static ClockStatus Of(int status, long estimatedError, long maximumError, long offset) => new(
        // chrony without rtcsync leaves STA_UNSYNC set, so that the kernel does not write the hardware clock; the error that it keeps tells.
        (status & STA_UNSYNC) == 0 || maximumError < UnknownMicroseconds,
        TimeSpan.FromMicroseconds(estimatedError), TimeSpan.FromMicroseconds(maximumError),
        (status & STA_NANO) != 0 ? TimeSpan.FromTicks(offset / 100) : TimeSpan.FromMicroseconds(offset));

    [LibraryImport("libc", SetLastError = true)]
    private static partial int adjtimex(ref timex time);

#pragma warning disable CS8981, CS0649, CS0169, IDE0044, IDE0051 // C's own names; the kernel fills them.
    /// <summary>struct timex: C's long is a pointer's size on every Linux that .NET runs on.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct timex
    {
        internal uint modes;
        internal nint offset;
        internal nint freq;
        internal nint maxerror;
        internal nint esterror;
        internal int status;
        internal nint constant;
        internal nint precision;
        internal nint tolerance;
        internal nint seconds;
        internal nint fraction;
        internal nint tick;
        internal nint ppsfreq;
        internal nint jitter;
        internal int shift;
        internal nint stabil;
        internal nint jitcnt;
        internal nint calcnt;
        internal nint errcnt;
        internal nint stbcnt;
        internal int tai;
        /// <summary>Eleven words of nothing at the end.</summary>
        internal Room rest;
    }

    [System.Runtime.CompilerServices.InlineArray(11)]
    struct Room
    {
        internal int word;
    }
#pragma warning restore CS8981, CS0649, CS0169, IDE0044, IDE0051
}
