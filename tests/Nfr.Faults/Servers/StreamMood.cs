using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Nfr.Tests.Uplink;

namespace Nfr.Faults.Servers;

/// <summary>A way in which a server that says nothing back (syslog, GELF) is bad.</summary>
/// <param name="Name">As the test's report has it.</param>
/// <param name="ServeAsync">What it does with an open connection; it reads into the test's hands by <see cref="BadStream.Connection.ReadAsync"/>.</param>
sealed record StreamMood(string Name, Func<BadStream.Connection, Task> ServeAsync)
{
    /// <summary>Instead of a handshake, or before a connection is anything.</summary>
    public Func<Socket, CancellationToken, Task>? Shake { get; init; }
    public Func<TestCertificates, X509Certificate2>? Certificate { get; init; }
    /// <summary>Whether anybody listens, and whether the kernel answers.</summary>
    public Door Door { get; init; }
    /// <summary>Where the alerts go while all is bad; null = to the server.</summary>
    public string? Host { get; init; }
    /// <summary>The machine's own, whose first answer may be lost: its second question is due after five real seconds.</summary>
    public bool AsksResolver => Host is not null;
    /// <summary>It says by an orderly close that it has read what it only reads later, beside the next connection: only the order of each connection is ours then.</summary>
    public bool Mixes { get; init; }
    /// <summary>What the output has to say of it.</summary>
    public string? Says { get; init; }
    public bool IsTls => Shake is not null;
    /// <summary>A time-out has to pass before it is a fault.</summary>
    public bool IsSlow => Mixes || (Says is not null && Says.EndsWith(" s", StringComparison.Ordinal));

    public override string ToString() => Name;

    static Task Nothing(BadStream.Connection connection) => Task.CompletedTask;

    static Task Ignore(Socket socket, CancellationToken stop) => Task.CompletedTask;

    static Task ResetAsync(BadStream.Connection connection)
    {
        connection.Reset();
        return Task.CompletedTask;
    }

    static async Task FloodAsync(BadStream.Connection connection, string what)
    {
        byte[] block = System.Text.Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(what, (16 << 10) / what.Length)));
        while (true) await connection.SendAsync(block);
    }

    /// <summary>A resend of what is in doubt has points too, behind the first page.</summary>
    static readonly int[] s_points = [1, 100, 5_000, 33_000, 100_000, 260_000];

    public static IReadOnlyList<StreamMood> Plain { get; } =
    [
        new("refuses", Nothing) { Door = Door.Shut, Says = "connection refused" },
        new("drops SYNs", Nothing) { Door = Door.Full, Says = "no connection within 10 s" },
        new("a name that does not resolve", Nothing) { Host = "nfr-faults.invalid", Says = "cannot be resolved, check DNS" },
        new("resets at once", ResetAsync),
        new("closes at once", Nothing),
        new("never reads", c => c.HangAsync()) { Says = "for 30 s" },
        .. s_points.Select(n => new StreamMood($"closes after {n:N0} bytes", c => c.ReadAsync(n))),
        .. s_points.Select(n => new StreamMood($"resets after {n:N0} bytes", async c =>
        {
            await c.ReadAsync(n);
            c.Reset();
        })),
        new("reads a byte a second", async c =>
        {
            while (await c.ReadAsync(1) > 0) await Task.Delay(1000, c.Stop);
        }) { Says = "for 30 s" },
        new("reads 5,000 bytes and never more", async c =>
        {
            await c.ReadAsync(5_000);
            await c.HangAsync();
        }) { Says = "for 30 s" },
        new("sends a line of garbage and never reads", async c =>
        {
            await c.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
            await c.HangAsync();
        }) { Says = "for 30 s" },
        new("sends garbage without end and never reads", c => FloodAsync(c, "\0\x01garbage\r\n")) { Says = "for 30 s" },
        new("sends a line without end and never reads", c => FloodAsync(c, "x")) { Says = "for 30 s" },
        new("sends half a line and hangs", async c =>
        {
            await c.SendAsync("220 mail.exa"u8.ToArray());
            await c.HangAsync();
        }) { Says = "for 30 s" },
        new("says good-bye and never reads", async c =>
        {
            c.Socket.Shutdown(SocketShutdown.Send);
            await c.HangAsync();
        }) { Mixes = true },
    ];

    public static IReadOnlyList<StreamMood> Tls { get; } =
    [
        new("certificate of another host", Nothing) { Shake = Ignore, Certificate = c => c.OfAnotherHost, Says = "certificate" },
        new("expired certificate", Nothing) { Shake = Ignore, Certificate = c => c.Expired, Says = "certificate" },
        new("closes after the handshake", Nothing) { Shake = Ignore, Certificate = c => c.Good },
        new("resets after the handshake", ResetAsync) { Shake = Ignore, Certificate = c => c.Good },
        new("resets after 5,000 secret bytes", async c =>
        {
            await c.ReadAsync(5_000);
            c.Reset();
        }) { Shake = Ignore, Certificate = c => c.Good },
        new("closes after 5,000 secret bytes", c => c.ReadAsync(5_000)) { Shake = Ignore, Certificate = c => c.Good },
        new("never reads after the handshake", c => c.HangAsync()) { Shake = Ignore, Certificate = c => c.Good, Says = "for 30 s" },
        new("secret garbage without end", c => FloodAsync(c, "garbage")) { Shake = Ignore, Certificate = c => c.Good, Says = "for 30 s" },
        new("garbage between the records", async c =>
        {
            await c.Socket.SendAsync(new byte[5000], c.Stop);
            await c.HangAsync();
        }) { Shake = Ignore, Certificate = c => c.Good },
        new("plain text on the TLS port", Nothing) { Shake = (socket, stop) => socket.SendAsync("220 hello\r\n"u8.ToArray(), stop).AsTask(), Says = "TLS" },
        new("zeros in the handshake", Nothing) { Shake = (socket, stop) => socket.SendAsync(new byte[5000], stop).AsTask(), Says = "TLS" },
        new("hangs in the handshake", Nothing) { Shake = (_, stop) => Task.Delay(Timeout.Infinite, stop), Says = "TLS handshake within 10 s" },
        new("closes in the handshake", Nothing) { Shake = Ignore, Says = "TLS" },
        new("reset in the handshake", Nothing)
        {
            Says = "TLS",
            Shake = async (socket, stop) =>
            {
                await socket.ReceiveAsync(new byte[10], stop);
                RawServer.Reset(socket);
            },
        },
        new("a record that never ends", Nothing)
        {
            Says = "TLS handshake within 10 s",
            Shake = async (socket, stop) =>
            {
                await socket.SendAsync(new byte[] { 22, 3, 3, 0x3E, 0x80 }, stop);
                while (true)
                {
                    await socket.SendAsync(new byte[1], stop);
                    await Task.Delay(50, stop);
                }
            },
        },
    ];
}
