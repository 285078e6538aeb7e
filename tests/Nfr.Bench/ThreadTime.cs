using System.Runtime.InteropServices;

namespace Nfr.Bench;

/// <summary>What the calling thread has used of a processor: what others do on the machine does not count.</summary>
static class ThreadTime
{
    const int ClockThreadCpuTimeId = 3;

    struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    public static double Seconds => clock_gettime(ClockThreadCpuTimeId, out TimeSpec time) == 0 ? time.Seconds + (time.Nanoseconds / 1e9) : 0;

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int clock_gettime(int clock, out TimeSpec time);
}
