using System.Net.Sockets;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

/// <summary>Pages, and a server that keeps whole messages whose length stands before them.</summary>
static class LinkBench
{
    public static SensorIdentity Sensor { get; } = new("2.0.0", "0123456789abcdef0123456789abcdef", "sensor-1");

    public static AlertPage Page(int from, int count, AlertFormat format = AlertFormat.Json) =>
        new([.. Enumerable.Range(from, count).Select(i => new StoredAlert(i + 1, UplinkBench.Alert(i)))], format, Sensor);

    public static LinkOptions Tcp(RawServer server) => new() { Protocol = LinkProtocol.Tcp, Host = "127.0.0.1", Port = new Uri(server.Host).Port };

    public static SyslogSink Syslog(LinkOptions link, TimeProvider? time = null) => new(new SyslogSinkOptions { Link = link }, Sensor, time ?? TimeProvider.System);

    /// <summary>The number in an alert of <see cref="UplinkBench.Alert"/>.</summary>
    public static int Number(string message)
    {
        int at = message.IndexOf("virus-", StringComparison.Ordinal) + 6;
        return int.Parse(message.AsSpan(at, message.IndexOf(".com", at, StringComparison.Ordinal) - at), null);
    }

    /// <summary>Writes alerts as an output does: what was not taken comes again. Ends when all were taken.</summary>
    public static async Task<int> SendAllAsync(AlertSink sink, int count, int pageSize)
    {
        int taken = 0, faults = 0;
        while (taken < count)
        {
            SinkAnswer answer = await sink.WriteAsync(Page(taken, Math.Min(pageSize, count - taken)), CancellationToken.None).WaitAsync(UplinkBench.Limit);
            taken += answer.Taken;
            if (answer.Fault is not null) Assert.True(++faults < 1000, answer.Fault);
        }
        // What was lost behind the last page is found while nothing waits.
        for (int i = 0; i < 100; i++)
        {
            await sink.SettleAsync(CancellationToken.None).WaitAsync(UplinkBench.Limit);
            await Task.Delay(2);
        }
        return faults;
    }
}

/// <summary>Whole messages of octet counting, from many connections.</summary>
sealed class OctetMessages
{
    readonly List<string> _messages = [];

    public string[] All
    {
        get
        {
            lock (_messages) return [.. _messages];
        }
    }

    /// <summary>Reads until the end, or until so many bytes were read.</summary>
    public async Task ReadAsync(Stream stream, int most, CancellationToken stop)
    {
        var waiting = new List<byte>();
        byte[] buffer = new byte[700];
        for (int total = 0; total < most;)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, most - total)), stop);
            if (read == 0) return;
            total += read;
            waiting.AddRange(buffer.AsSpan(0, read));
            Take(waiting);
        }
    }

    void Take(List<byte> waiting)
    {
        while (waiting.IndexOf((byte)' ') is > 0 and int blank)
        {
            int length = int.Parse(Encoding.ASCII.GetString([.. waiting[..blank]]), null);
            if (waiting.Count < blank + 1 + length) return;
            lock (_messages) _messages.Add(Encoding.UTF8.GetString([.. waiting.GetRange(blank + 1, length)]));
            waiting.RemoveRange(0, blank + 1 + length);
        }
    }
}
