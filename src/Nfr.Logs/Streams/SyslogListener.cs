using System.Net.Sockets;

namespace Nfr.Logs;

/// <summary>
/// Takes log lines of other machines over UDP and TCP (RFC 3164, RFC 5424, RFC 6587, or bare lines). One thread for all its ports. A port that cannot be
/// opened is tried again every five seconds; a sender's place is not kept, since nothing can be asked of it again.
/// </summary>
/// <remarks>
/// Bounds: 64 connections a port with 64 KiB each, messages of 64 KiB, 30 s for a message to come, 8 senders whose held queries are kept apart. While the
/// ring is full, connections wait; datagrams that the kernel has no room for then are counted as lost.
/// </remarks>
public sealed class SyslogListener : ILogInput
{
    static readonly TimeSpan s_again = TimeSpan.FromSeconds(5);
    /// <summary>Of a wait for something to come.</summary>
    const int Microseconds = 100_000;

    readonly SyslogPort[] _ports;
    readonly TimeProvider _time;
    readonly Action<LogNotice>? _tell;
    LogOutlet? _outlet;

    /// <param name="listeners">At least one.</param>
    /// <param name="lines">Clock, time and zone; the types are the listener's own.</param>
    /// <param name="tell">Gets what is to be said to people; any thread of ours.</param>
    public SyslogListener(IReadOnlyList<SyslogListenerOptions> listeners, LineOptions lines, Action<LogNotice>? tell = null)
    {
        ArgumentNullException.ThrowIfNull(listeners);
        ArgumentNullException.ThrowIfNull(lines);
        _ports = [.. listeners.Select(l => new SyslogPort(l, lines))];
        _time = lines.Time;
        _tell = tell;
    }

    public string Name => "syslog";

    public IReadOnlyList<InputReport> Reports => [.. _ports.Select(p => new InputReport(p.Options.Name, p.Options.Listen.ToString(), p.Trouble, null, p.LastLine))];

    /// <summary>Messages and connections that were not let in, of each listener.</summary>
    public IReadOnlyList<long> Refused => [.. _ports.Select(p => p.Refused)];

    /// <summary>The ports that are open; null = not yet, or not wanted.</summary>
    public IReadOnlyList<(int? Udp, int? Tcp)> Ports => [.. _ports.Select(p => (p.UdpPort, p.TcpPort))];

    public void Open(LogOutlet outlet)
    {
        _outlet = outlet;
        foreach (SyslogPort port in _ports) port.Open(outlet);
    }

    public void Run(CancellationToken stop)
    {
        LogOutlet outlet = _outlet ?? throw new InvalidOperationException("Open comes first.");
        List<Socket> sockets = [];
        long? tried = null;
        while (!stop.IsCancellationRequested && !outlet.GaveUp)
        {
            if (tried is null || (_ports.Any(p => p.Trouble is not null) && _time.GetElapsedTime(tried.Value) > s_again))
            {
                foreach (SyslogPort port in _ports) Bind(port, tried is null);
                tried = _time.GetTimestamp();
            }
            sockets.Clear();
            foreach (SyslogPort port in _ports) port.AddTo(sockets);
            if (sockets.Count == 0) stop.WaitHandle.WaitOne(Microseconds / 1000);
            else
            {
                Socket.Select(sockets, null, null, Microseconds);
                foreach (Socket socket in sockets)
                {
                    foreach (SyslogPort port in _ports)
                    {
                        if (port.TryRead(socket, outlet)) break;
                    }
                }
            }
            foreach (SyslogPort port in _ports) port.Between(outlet);
            outlet.Between();
        }
        foreach (SyslogPort port in _ports) port.Release(outlet);
    }

    void Bind(SyslogPort port, bool first)
    {
        string? before = port.Trouble;
        port.Bind();
        if (port.Trouble == before && !first) return;
        if (port.Trouble is { } trouble) _tell?.Invoke(new LogNotice(true, trouble));
        else if (!first) _tell?.Invoke(new LogNotice(false, $"{port.Options.Listen} is listened on now"));
    }

    public void Dispose()
    {
        foreach (SyslogPort port in _ports) port.Dispose();
    }
}
