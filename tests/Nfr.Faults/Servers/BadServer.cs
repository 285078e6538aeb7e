using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Nfr.Tests.Uplink;

namespace Nfr.Faults.Servers;

/// <summary>One request, as far as it was read, and the connection to be rude on.</summary>
sealed class Exchange(Socket socket, Stream stream, string head, byte[] early, CancellationToken stop)
{
    byte[] _early = early;

    public Socket Socket => socket;
    public CancellationToken Stop => stop;
    public string Head => head;
    /// <summary>Such as "POST /v1/events/dns".</summary>
    public string Line => head[..head.IndexOf(" HTTP/", StringComparison.Ordinal)];

    public string? Header(string name) => head.Split("\r\n").FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

    public async Task<byte[]> BodyAsync()
    {
        var body = new byte[int.Parse(Header("Content-Length") ?? "0", CultureInfo.InvariantCulture)];
        _early.CopyTo(body, 0);
        await stream.ReadExactlyAsync(body.AsMemory(_early.Length), stop);
        _early = [];
        return body;
    }

    public async Task SendAsync(byte[] bytes)
    {
        await stream.WriteAsync(bytes, stop);
        await stream.FlushAsync(stop);
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>A whole and proper answer.</summary>
    public async Task AnswerAsync(int status, string body, string headers = "")
    {
        await BodyAsync();
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        await SendAsync($"HTTP/1.1 {status} Said\r\n{headers}Content-Length: {bytes.Length}\r\n\r\n");
        await SendAsync(bytes);
    }

    public Task<int> ReadSomeAsync(int most) => stream.ReadAsync(new byte[most], stop).AsTask();

    public Task HangAsync() => Task.Delay(Timeout.Infinite, stop);

    public void Reset() => RawServer.Reset(socket);
}

/// <summary>
/// A server on loopback that is well until it is told to be otherwise. Every connection begins with <see cref="Mood"/>'s handshake, every request is its to answer; a mood of
/// null is a good server, whose answer is the test's.
/// </summary>
sealed class BadServer : IAsyncDisposable
{
    readonly RawServer _server;
    readonly TestCertificates? _certificates;
    readonly Func<Exchange, Task> _well;
    volatile Misbehaviour? _mood;
    int _requests, _connections;

    /// <param name="well">Answers when all is well.</param>
    /// <param name="certificates">Not null = TLS, with the good one when all is well.</param>
    public BadServer(Func<Exchange, Task> well, TestCertificates? certificates = null)
    {
        (_well, _certificates) = (well, certificates);
        _server = new RawServer(ServeAsync);
        Host = certificates is null ? _server.Host : _server.Host.Replace("http://", "https://", StringComparison.Ordinal);
    }

    public string Host { get; }

    public Misbehaviour? Mood
    {
        get => _mood;
        set => _mood = value;
    }

    /// <summary>Requests, or connections that never became one, that a mood got.</summary>
    public int Tries => Volatile.Read(ref _requests) + Volatile.Read(ref _connections);

    async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        try
        {
            Stream? stream = await OpenAsync(socket, stop);
            if (stream is null) return;
            await using (stream)
            {
                while (await ReadHeadAsync(socket, stream, stop) is { } exchange)
                {
                    Misbehaviour? mood = _mood;
                    if (mood is null)
                    {
                        await _well(exchange);
                        continue;
                    }
                    Interlocked.Increment(ref _requests);
                    await mood.AnswerAsync(exchange);
                    if (mood.Closes) return;
                }
            }
        }
        catch (Exception e) when (e is IOException or AuthenticationException or InvalidOperationException or SocketException or ObjectDisposedException)
        {
            // The client had enough.
        }
    }

    async Task<Stream?> OpenAsync(Socket socket, CancellationToken stop)
    {
        var plain = new NetworkStream(socket, ownsSocket: false);
        Misbehaviour? mood = _mood;
        if (mood?.Shake is { } shake)
        {
            Interlocked.Increment(ref _connections);
            if (_certificates is not null && mood.Protocols is null && mood.Certificate is null)
            {
                await shake(socket, stop);
                return null;
            }
        }
        if (_certificates is null) return plain;
        var tls = new SslStream(plain);
        try
        {
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = mood?.Certificate?.Invoke(_certificates) ?? _certificates.Good,
                    EnabledSslProtocols = mood?.Protocols ?? SslProtocols.None,
                },
                stop);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            await tls.DisposeAsync();
            return null;
        }
        return tls;
    }

    static async Task<Exchange?> ReadHeadAsync(Socket socket, Stream stream, CancellationToken stop)
    {
        var buffer = new byte[64 << 10];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length), stop);
            if (read == 0) return null;
            length += read;
            int end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (end >= 0) return new Exchange(socket, stream, Encoding.Latin1.GetString(buffer, 0, end), buffer[(end + 4)..length], stop);
        }
        return null;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
