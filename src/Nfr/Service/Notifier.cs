using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Nfr.Service;

/// <summary>
/// The protocol of sd_notify(3): datagrams of KEY=value lines to the socket that NOTIFY_SOCKET names. It is the sensor's to send; nothing comes back.
/// </summary>
sealed class Notifier : IDisposable
{
    /// <summary>systemd empties its socket at once; one that is full for so long is not emptied at all.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    /// <summary>systemd shows so much of a status on one line of a wide terminal; a datagram would hold far more.</summary>
    internal const int LongestStatus = 500;

    readonly Socket _socket;
    readonly UnixDomainSocketEndPoint _to;
    readonly TimeProvider _time;

    Notifier(UnixDomainSocketEndPoint to, TimeSpan? watchdog, TimeProvider time)
    {
        _to = to;
        _time = time;
        WatchdogPeriod = watchdog;
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = (int)s_patience.TotalMilliseconds };
    }

    /// <summary>WatchdogSec= of the unit; null when nobody watches.</summary>
    public TimeSpan? WatchdogPeriod { get; }

    /// <summary>Null when this process was not started by systemd (or one that speaks like it), or when its socket cannot be spoken to.</summary>
    /// <param name="environment">The value of a variable; null when it is not set.</param>
    /// <param name="process">This process's id: WATCHDOG_PID may name another one, whose variables were inherited.</param>
    /// <param name="time">MONOTONIC_USEC is by its time stamps.</param>
    /// <param name="trouble">Why a socket that was named cannot be used.</param>
    public static Notifier? Of(Func<string, string?> environment, int process, TimeProvider time, out string? trouble)
    {
        trouble = null;
        if (environment("NOTIFY_SOCKET") is not { Length: > 0 } name) return null;
        // A name that begins with @ is in the abstract space: there its first byte is zero.
        if (name[0] is not ('/' or '@') || name.Length < 2)
        {
            trouble = $"NOTIFY_SOCKET is {name}, which is neither a path nor an abstract name; systemd is told nothing";
            return null;
        }
        try
        {
            return new Notifier(new UnixDomainSocketEndPoint(name[0] == '@' ? "\0" + name[1..] : name), PeriodOf(environment, process), time);
        }
        catch (Exception fault) when (fault is SocketException or ArgumentException)
        {
            trouble = $"NOTIFY_SOCKET {name}: {fault.Message}; systemd is told nothing";
            return null;
        }
    }

    static TimeSpan? PeriodOf(Func<string, string?> environment, int process)
    {
        if (environment("WATCHDOG_PID") is { Length: > 0 } pid && pid != process.ToString(CultureInfo.InvariantCulture)) return null;
        return long.TryParse(environment("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long period) && period is > 0 and < long.MaxValue / 10
            ? TimeSpan.FromMicroseconds(period)
            : null;
    }

    /// <summary>It works. The period is told too, since one who reloads has asked for a longer one.</summary>
    public bool Ready() => Send(WatchdogPeriod is { } period ? $"READY=1\nWATCHDOG_USEC={Microseconds(period)}" : "READY=1");

    /// <summary>What it does, for who runs "systemctl status".</summary>
    public bool Status(string sentence) => Send("STATUS=" + OneLine(sentence));

    public bool Alive() => Send("WATCHDOG=1");

    /// <summary>It drains; <paramref name="more"/> from now on is still well.</summary>
    public bool Stopping(TimeSpan more, string sentence) => Send($"STOPPING=1\nEXTEND_TIMEOUT_USEC={Microseconds(more)}\nSTATUS={OneLine(sentence)}");

    /// <summary>Drains, to begin anew in the same process. Until <see cref="Ready"/> is said again the watchdog waits for <paramref name="longest"/>.</summary>
    public bool Reloading(TimeSpan longest, string sentence) => Send(
        $"RELOADING=1\nMONOTONIC_USEC={Microseconds(_time.GetElapsedTime(0))}\n{(WatchdogPeriod is null ? "" : $"WATCHDOG_USEC={Microseconds(longest)}\nWATCHDOG=1\n")}STATUS={OneLine(sentence)}");

    static string Microseconds(TimeSpan span) => ((long)span.TotalMicroseconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>A line's end begins the next variable, and a status holds reasons that are other machines' words.</summary>
    internal static string OneLine(string sentence)
    {
        string line = Commands.Printable.Of(sentence.ReplaceLineEndings(" "));
        return line.Length <= LongestStatus ? line : line[..(LongestStatus - 3)] + "...";
    }

    /// <summary>One datagram. False when it did not go: systemd is being started anew, or has gone.</summary>
    bool Send(string lines)
    {
        try
        {
            return _socket.SendTo(Encoding.UTF8.GetBytes(lines), _to) > 0;
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose() => _socket.Dispose();
}
