using System.Diagnostics;
using System.Globalization;

namespace Nfr.Health;

/// <summary>What the sensor's process takes of the box.</summary>
/// <param name="Resident">Bytes of memory, the packet rings among them.</param>
/// <param name="Heap">Bytes of the managed heap among them.</param>
/// <param name="Cpu">Processor time of all threads since the process began.</param>
/// <param name="Age">Since the process began: longer ago than the sensor's start where a changed config was taken up meanwhile.</param>
/// <param name="OpenFiles">Descriptors; null where the system does not tell.</param>
readonly record struct ProcessFacts(long Resident, long Heap, TimeSpan Cpu, TimeSpan Age, int? OpenFiles)
{
    /// <summary>What the sensor may take, ARCHITECTURE.md.</summary>
    public const long MostResident = 160L << 20;

    // Asked once, by two looks at one clock: the clock may be set later.
    static readonly long s_began = Stopwatch.GetTimestamp() - (long)((DateTime.UtcNow - Began()).TotalSeconds * Stopwatch.Frequency);

    public static ProcessFacts Read() => new(Environment.WorkingSet, GC.GetTotalMemory(forceFullCollection: false), Environment.CpuUsage.TotalTime, Stopwatch.GetElapsedTime(s_began), Descriptors());

    static DateTime Began()
    {
        using var self = Process.GetCurrentProcess();
        return self.StartTime.ToUniversalTime();
    }

    static int? Descriptors()
    {
        try
        {
            // The size of /proc/PID/fd is their number since Linux 6.2, but listing works everywhere and there are few.
            return Directory.GetFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd")).Length;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
