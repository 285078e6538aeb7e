using System.Net.Sockets;
using System.Text;
using Nfr.Service;

namespace Nfr.Tests.Service;

/// <summary>The end of NOTIFY_SOCKET that systemd has: what came, datagram by datagram.</summary>
sealed class NotifySocket : IDisposable
{
    readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
    readonly string? _folder;

    public NotifySocket(bool isAbstract = false)
    {
        string name = $"nfr-test-{Guid.NewGuid():N}";
        if (!isAbstract) _folder = Directory.CreateTempSubdirectory("nfr-notify-").FullName;
        Name = isAbstract ? "@" + name : Path.Combine(_folder!, "notify");
        _socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name : Name));
    }

    /// <summary>As systemd puts it into the environment.</summary>
    public string Name { get; }

    /// <summary>The next datagram; waits up to 20 s for it.</summary>
    public string Next()
    {
        var buffer = new byte[8192];
        return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer));
    }

    /// <summary>The next one that has this in it; those before it are left out.</summary>
    public string Next(string with)
    {
        for (int i = 0; i < 1000; i++)
        {
            if (Next() is { } came && came.Contains(with, StringComparison.Ordinal)) return came;
        }
        throw new InvalidOperationException($"a thousand datagrams came and none had {with}");
    }

    /// <summary>Everything that has come by now.</summary>
    public IReadOnlyList<string> Waiting()
    {
        List<string> all = [];
        while (_socket.Available > 0) all.Add(Next());
        return all;
    }

    public Notifier Notifier(TimeSpan? watchdog = null, TimeProvider? time = null) => global::Nfr.Service.Notifier.Of(
        name => name switch { "NOTIFY_SOCKET" => Name, "WATCHDOG_USEC" => watchdog is { } period ? $"{(long)period.TotalMicroseconds}" : null, _ => null },
        Environment.ProcessId, time ?? TimeProvider.System, out _)!;

    public void Dispose()
    {
        _socket.Dispose();
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
    }
}
