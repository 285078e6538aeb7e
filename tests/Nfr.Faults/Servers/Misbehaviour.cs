using System.IO.Compression;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Nfr.Faults.Servers;

/// <summary>A way in which a server is bad.</summary>
/// <param name="Name">As the test's report has it.</param>
/// <param name="AnswerAsync">What it does to a request.</param>
sealed record Misbehaviour(string Name, Func<Exchange, Task> AnswerAsync)
{
    /// <summary>The connection ends with the answer.</summary>
    public bool Closes { get; init; }
    /// <summary>It is over before a request is read: for TLS connections only.</summary>
    public Func<Socket, CancellationToken, Task>? Shake { get; init; }
    public Func<TestCertificates, X509Certificate2>? Certificate { get; init; }
    public SslProtocols? Protocols { get; init; }
    /// <summary>A list cannot tell that it was cut: HTTP says that this is all.</summary>
    public bool FoolsLists { get; init; }
    /// <summary>The engine refuses events for ever: they go to quarantine.</summary>
    public bool Refuses { get; init; }

    public bool IsTls => Shake is not null;

    public override string ToString() => Name;

    /// <summary>Bytes that an endless answer got rid of, of all tests together.</summary>
    public static long Swallowed => Interlocked.Read(ref s_swallowed);

    static long s_swallowed;

    static readonly Lazy<byte[]> s_bomb = new(() =>
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            var block = new byte[1 << 20];
            block.AsSpan().Fill((byte)' ');
            for (int i = 0; i < 1024; i++) gzip.Write(block);
        }
        return packed.ToArray();
    });

    static Misbehaviour Says(int status, string body = "{\"message\":\"no\"}", string headers = "") => new($"{status}{(headers.Length == 0 ? "" : " " + headers.Trim())}", e => e.AnswerAsync(status, body, headers));

    /// <summary>Reads the request as it should, and sends this.</summary>
    static Misbehaviour Sends(string name, string bytes) => new(name, async e =>
    {
        await e.BodyAsync();
        await e.SendAsync(bytes);
    }) { Closes = true };

    /// <summary>Over plain connections.</summary>
    public static IReadOnlyList<Misbehaviour> Plain { get; } =
    [
        Says(429), Says(429, headers: "Retry-After: 1\r\n"), Says(429, headers: "Retry-After: yesterday\r\n"), Says(500), Says(503), Says(503, headers: "Retry-After: 0\r\n"), Says(401), Says(403), Says(404),
        Says(413) with { Refuses = true }, Says(400) with { Refuses = true }, Says(407), Says(302, headers: "Location: /v1/round\r\n") with { Name = "redirect loop" },
        Says(200, "<html><body>Welcome to the hotel</body></html>") with { Name = "a portal's page" },
        Says(200, "{\"received\":[1,{\"accepted\":") with { Name = "garbage JSON" },
        Says(200, new string('[', 200_000)) with { Name = "JSON of 200,000 brackets" },
        new("reset in the middle of the request", async e =>
        {
            await e.ReadSomeAsync(1);
            e.Reset();
        }),
        new("closed without a word", _ => Task.CompletedTask) { Closes = true },
        new("never answers", e => e.HangAsync()),
        new("1 byte/s both ways", async e =>
        {
            for (int i = 0; ; i++)
            {
                await e.ReadSomeAsync(1);
                await e.SendAsync([(byte)"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"[i % 40]]);
                await Task.Delay(1000, e.Stop);
            }
        }),
        new("200, then reset", async e =>
        {
            await e.BodyAsync();
            await e.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"received\":");
            e.Reset();
        }),
        new("a body of 10 GB", e => FloodAsync(e, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", "x")),
        new("10 GB of blanks", e => FloodAsync(e, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", " ")),
        new("headers of 10 GB", e => FloodAsync(e, "HTTP/1.1 200 OK\r\n", "X-More: " + new string('h', 1000) + "\r\n")),
        new("a header that never ends", e => FloodAsync(e, "HTTP/1.1 200 OK\r\nX-Long: ", "h")),
        new("endless interim answers", e => FloodAsync(e, "", "HTTP/1.1 102 Processing\r\n\r\n")),
        Sends("more than it said", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"receivedand much more") with { FoolsLists = true },
        Sends("less than it said", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"received\":1}"),
        new("less than it said, and waits", async e =>
        {
            await e.BodyAsync();
            await e.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"received\":1}");
            await e.HangAsync();
        }),
        new("chunks that never end", async e =>
        {
            await e.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while (true)
            {
                await e.SendAsync("1\r\n \r\n");
                await Task.Delay(20, e.Stop);
            }
        }),
        Sends("chunks of a wrong length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        Sends("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 400\r\n\r\n{\"received\":1}"),
        Sends("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n<"),
        Sends("no HTTP", "220 mail.example ESMTP ready\r\n"),
        Sends("zeros", new string('\0', 1000)),
        Sends("broken compression", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n\x1f\x8b\x08\0garbage!"),
        new("a small body that unpacks to 1 GB", async e =>
        {
            await e.BodyAsync();
            await e.SendAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {s_bomb.Value.Length}\r\n\r\n");
            await e.SendAsync(s_bomb.Value);
        }),
    ];

    /// <summary>Over TLS.</summary>
    public static IReadOnlyList<Misbehaviour> Tls { get; } =
    [
        Says(500) with { Name = "certificate of another host", Shake = NothingAsync, Certificate = c => c.OfAnotherHost },
        Says(500) with { Name = "expired certificate", Shake = NothingAsync, Certificate = c => c.Expired },
#pragma warning disable SYSLIB0039, CA5397, CA5398 // What nobody should speak any more is what is tested here.
        Says(500) with { Name = "TLS 1.0", Shake = NothingAsync, Protocols = SslProtocols.Tls },
#pragma warning restore SYSLIB0039, CA5397, CA5398
        Says(500) with { Name = "plain text on the TLS port", Shake = (socket, stop) => socket.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), stop).AsTask() },
        Says(500) with { Name = "hangs in the handshake", Shake = (_, stop) => Task.Delay(Timeout.Infinite, stop) },
        Says(500) with
        {
            Name = "reset in the handshake", Shake = async (socket, stop) =>
            {
                await socket.ReceiveAsync(new byte[10], stop);
                Nfr.Tests.Uplink.RawServer.Reset(socket);
            },
        },
        Says(500) with { Name = "a record that never ends", Shake = async (socket, stop) =>
        {
            // A server hello of 16,000 bytes, one byte at a time.
            await socket.SendAsync(new byte[] { 22, 3, 3, 0x3E, 0x80 }, stop);
            while (true)
            {
                await socket.SendAsync(new byte[1], stop);
                await Task.Delay(100, stop);
            }
        } },
    ];

    static Task NothingAsync(Socket socket, CancellationToken stop) => Task.CompletedTask;

    static async Task FloodAsync(Exchange exchange, string before, string again)
    {
        await exchange.BodyAsync();
        await exchange.SendAsync(before);
        byte[] block = System.Text.Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(again, Math.Max(1, (16 << 10) / again.Length))));
        while (true)
        {
            await exchange.SendAsync(block);
            Interlocked.Add(ref s_swallowed, block.Length);
        }
    }
}
