using System.Globalization;
using System.Text;
using Nfr.Native;

namespace Nfr.Health;

/// <summary>Where time services say how they are.</summary>
/// <param name="Chrony">What the appliance's nfr-timekeeping.service writes: a line of "chronyc -c tracking".</param>
/// <param name="Timesync">Folder of systemd-timesyncd.</param>
sealed record TimeKeepingPlaces(string Chrony, string Timesync)
{
    /// <summary>What the first program of the appliance leaves where it had to lift the clock: "SECONDS UPTIME", the Unix time that it set and the machine's uptime then.</summary>
    public string Guess { get; init; } = "/run/nfr-boot/clock";

    public static readonly TimeKeepingPlaces Default = new("/run/nfr-time/tracking", "/run/systemd/timesync");
}

/// <summary>
/// Whether somebody keeps the clock. The kernel knows best, but a unit that protects the clock may not even ask it (one filter of systemd for reading and setting): then chrony's or
/// timesyncd's own word counts, if it is fresh.
/// </summary>
static class TimeKeeping
{
    /// <summary>Written twice a minute.</summary>
    static readonly TimeSpan s_chronyFresh = TimeSpan.FromMinutes(3);
    /// <summary>Touched at each answer of a server; timesyncd asks every 34 minutes at the least, and one answer may be lost.</summary>
    static readonly TimeSpan s_timesyncFresh = TimeSpan.FromMinutes(75);
    /// <summary>The first program reads the uptime a moment after it set the clock. chrony steps what is more than a second off.</summary>
    static readonly TimeSpan s_alike = TimeSpan.FromSeconds(1);
    const int MostBytes = 1000;

    /// <param name="places">Where to look.</param>
    /// <param name="time">Files have its stamps.</param>
    /// <param name="kernel">Seam of tests; null = the kernel's own word.</param>
    public static ClockStatus? Read(TimeKeepingPlaces places, TimeProvider time, Func<ClockStatus?>? kernel = null) =>
        (kernel ?? ClockStatus.Read)() ?? OfChrony(places.Chrony, time.GetUtcNow()) ?? OfTimesync(places.Timesync, time.GetUtcNow());

    /// <summary>
    /// Whether the clock still goes on from where the start of the box put it. A board without a battery begins in 1970 and is lifted to when it last ran or was built, which no look at the time
    /// alone could tell from a right one. A clock that was set since has not gone on alike with the uptime; no memory is needed for that, so a sensor that is started anew says the same. The box
    /// was off for longer than <see cref="s_alike"/>, so the right time is farther away than that.
    /// </summary>
    /// <param name="file">Of the first program.</param>
    /// <param name="time">Wall clock and the machine's monotonic one.</param>
    internal static bool IsGuess(string file, TimeProvider time)
    {
        try
        {
            if (!File.Exists(file)) return false;
            string[] words = File.ReadAllText(file).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2 || !double.TryParse(words[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) || !TryNumber(words[1], out double uptime)) return false;
            double wall = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds - seconds, mono = time.GetElapsedTime(0).TotalSeconds - uptime;
            return Math.Abs(wall - mono) < s_alike.TotalSeconds;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    static ClockStatus? OfChrony(string file, DateTimeOffset now)
    {
        try
        {
            if (!File.Exists(file) || (now.UtcDateTime - File.GetLastWriteTimeUtc(file)).Duration() > s_chronyFresh) return null;
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] bytes = new byte[MostBytes];
            return OfTracking(Encoding.ASCII.GetString(bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false))));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// chronyc(1), -c: reference id, name, stratum, reference time, system time's offset, last offset, RMS offset, frequency, residual, skew, root delay, root dispersion, update interval,
    /// leap status. The distance to the root is what chrony tells the kernel as the greatest error, too.
    /// </summary>
    internal static ClockStatus? OfTracking(string line)
    {
        string[] fields = line.TrimEnd().Split(',');
        if (fields.Length != 14 || !TryNumber(fields[4], out double offset) || !TryNumber(fields[6], out double about) || !TryNumber(fields[10], out double delay) || !TryNumber(fields[11], out double dispersion)) return null;
        double most = Math.Abs(offset) + (Math.Abs(delay) / 2) + dispersion;
        bool isKept = fields[13] != "Not synchronised" && fields[0].Trim('0').Length > 0 && most < ClockStatus.UnknownMicroseconds / 1e6;
        return new ClockStatus(isKept, Span(about), Span(most), Span(offset));
    }

    static bool TryNumber(string text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && Math.Abs(number) < 1e9;

    static TimeSpan Span(double seconds) => TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond));

    /// <summary>Null where timesyncd does not run; how far the clock is off it says to nobody.</summary>
    static ClockStatus? OfTimesync(string folder, DateTimeOffset now)
    {
        if (!Directory.Exists(folder)) return null;
        string file = Path.Combine(folder, "synchronized");
        return new ClockStatus(File.Exists(file) && (now.UtcDateTime - File.GetLastWriteTimeUtc(file)).Duration() <= s_timesyncFresh, null, null, null);
    }
}
