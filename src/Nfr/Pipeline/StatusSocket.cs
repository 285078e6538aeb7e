using System.Net.Sockets;
using Nfr.Config;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>
/// The local socket of "nfr status": a line in, one JSON object out. For the sensor's own user and group (mode 0660).
/// </summary>
sealed class StatusSocket : IDisposable
{
    /// <summary>What fits sockaddr_un, its zero byte included.</summary>
    const int LongestPath = 108;

    readonly ShortTalk _talk;

    StatusSocket(string path, Socket listener, Func<byte[]> report, ILogger log)
    {
        Path = path;
        _talk = new ShortTalk(listener, async (stream, cancel) =>
        {
            // Any first byte asks; who sends nothing gets nothing.
            var line = new byte[64];
            if (await stream.ReadAsync(line, cancel).ConfigureAwait(false) == 0) return;
            await stream.WriteAsync(report(), cancel).ConfigureAwait(false);
        }, log);
    }

    public string Path { get; }

    /// <summary>Where the socket of a sensor with this config may be, the likeliest first.</summary>
    public static IReadOnlyList<string> Places(NfrConfig config) => config.Status.Socket switch
    {
        StatusConfig.Off => [],
        { } path => [path],
        null => [StatusConfig.DefaultSocket, System.IO.Path.Combine(config.Spool.Dir, "status.sock")],
    };

    /// <summary>Listens at the first place that can be had; null, and a warning, when there is none.</summary>
    public static StatusSocket? Open(NfrConfig config, Func<byte[]> report, ILogger log)
    {
        string? trouble = null;
        foreach (string path in Places(config))
        {
            if (TryListen(path, out string? why) is { } listener) return new StatusSocket(path, listener, report, log);
            trouble = why;
        }
        if (trouble is not null) log.Warning("status: no socket can be made ({Trouble}); nfr status will not reach this sensor, set status.socket", trouble);
        return null;
    }

    static Socket? TryListen(string path, out string? why)
    {
        why = null;
        if (System.Text.Encoding.UTF8.GetByteCount(path) >= LongestPath)
        {
            why = $"{path} is longer than a socket's name may be";
            return null;
        }
        Socket? listener = null;
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            if (File.Exists(path))
            {
                if (StatusClient.Answers(path))
                {
                    why = $"another sensor answers at {path}";
                    return null;
                }
                // Left behind by a sensor that was killed.
                File.Delete(path);
            }
            listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
            listener.Listen(ShortTalk.MostConnections);
            return listener;
        }
        catch (Exception fault) when (fault is SocketException or IOException or UnauthorizedAccessException)
        {
            listener?.Dispose();
            why = $"{path}: {Reason.Of(fault)}";
            return null;
        }
    }

    public void Dispose()
    {
        // Disposing of a listening local socket takes its name away too where the runtime does so; else we do.
        _talk.Dispose();
        try
        {
            File.Delete(Path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The next start finds that nobody answers there.
        }
    }
}

/// <summary>The asking side.</summary>
static class StatusClient
{
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>Somebody listens there.</summary>
    public static bool Answers(string path)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The sensor's answer; null and the reason when there is none.</summary>
    public static byte[]? Ask(string path, out string? why)
    {
        why = null;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = (int)s_patience.TotalMilliseconds, SendTimeout = (int)s_patience.TotalMilliseconds };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.Send("status\n"u8);
            using var answer = new MemoryStream();
            var buffer = new byte[16384];
            for (int n; (n = socket.Receive(buffer)) > 0;) answer.Write(buffer, 0, n);
            if (answer.Length > 0) return answer.ToArray();
            why = "it closed the connection without an answer";
        }
        catch (Exception fault) when (fault is SocketException or ArgumentException)
        {
            why = fault is SocketException { SocketErrorCode: SocketError.AccessDenied } ? "no permission: ask as the sensor's user, or as root" : fault.Message;
        }
        return null;
    }
}
