using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nfr.Tests.Uplink;

/// <summary>A small CONNECT proxy on loopback (RFC 9110, 9.3.6) that may want a user, or refuse.</summary>
sealed class ProxyServer : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly Task _serving;
    readonly string? _user;
    readonly int _refuse;

    /// <param name="user">"user:password" that has to come; null = everybody may.</param>
    /// <param name="refuse">Status that every CONNECT is answered with; 0 = none.</param>
    public ProxyServer(string? user = null, int refuse = 0)
    {
        (_user, _refuse) = (user, refuse);
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Tunnels that were opened.</summary>
    public int Tunnels { get; private set; }
    public int Asked { get; private set; }

    async Task ServeAsync()
    {
        List<Task> open = [];
        try
        {
            while (true) open.Add(TunnelAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    async Task TunnelAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                while (true)
                {
                    string head = await HeadAsync(stream);
                    if (head.Length == 0) return;
                    Asked++;
                    bool known = _user is null || head.Contains("Proxy-Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(_user)), StringComparison.OrdinalIgnoreCase);
                    int status = _refuse != 0 ? _refuse : known ? 200 : 407;
                    string more = status == 407 ? "Proxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n" : status == 200 ? "" : "Content-Length: 0\r\n";
                    await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Said\r\n{more}\r\n"), _stop.Token);
                    if (status != 200) continue;
                    Tunnels++;
                    string[] target = head.Split(' ')[1].Split(':');
                    using TcpClient server = new();
                    await server.ConnectAsync(target[0], int.Parse(target[1], System.Globalization.CultureInfo.InvariantCulture), _stop.Token);
                    await Task.WhenAny(stream.CopyToAsync(server.GetStream(), _stop.Token), server.GetStream().CopyToAsync(stream, _stop.Token));
                    return;
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One of both hung up.
            }
        }
    }

    async Task<string> HeadAsync(NetworkStream stream)
    {
        StringBuilder head = new();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0) return "";
            head.Append((char)one[0]);
        }
        return head.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }
}
