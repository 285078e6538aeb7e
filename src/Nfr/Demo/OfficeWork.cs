using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>People at work: names, pages in the clear and in TLS, mail, files, clocks and pings; about a hundred packets a second in all.</summary>
sealed class OfficeWork(Random random)
{
    static readonly string[] s_paths = ["/", "/style.css", "/logo.png", "/api/v1/status", "/news?id=7", "/stream", "/private"];
    static readonly string[] s_agents =
    [
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
        "OfficePrinter/3.1",
    ];
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    readonly Lock _lock = new();

    public long Pages { get; private set; }
    public long Failures { get; private set; }
    public string? LastFailure { get; private set; }

    public Task RunAsync(CancellationToken stop)
    {
        var work = new List<Task>();
        foreach (IPAddress client in OfficePlan.Clients) work.Add(RepeatAsync(() => BrowseAsync(client, OfficePlan.Resolver, stop), 500, 1_400, stop));
        foreach (IPAddress client in OfficePlan.ClientsV6) work.Add(RepeatAsync(() => BrowseAsync(client, OfficePlan.ResolverV6, stop), 900, 2_000, stop));
        IPAddress first = OfficePlan.Clients[0], second = OfficePlan.Clients[1], third = OfficePlan.Clients[2];
        work.Add(RepeatAsync(() => ResolverOf(first, OfficePlan.Resolver).LookupHostAsync(OfficePlan.LargeName, s_patience, stop), 3_000, 5_000, stop));
        work.Add(RepeatAsync(() => ResolverOf(second, OfficePlan.Resolver).LookupHostAsync("wpad.office.example", s_patience, stop), 6_000, 9_000, stop));
        work.Add(RepeatAsync(() => DialogueAsync(second, "mail.office.example", 110, ["USER reception", "PASS tulips", "STAT", "QUIT"], stop), 4_000, 6_000, stop));
        work.Add(RepeatAsync(() => DialogueAsync(third, "ftp.suppliers.example", 21, ["USER anonymous", "PASS guest@office.example", "SYST", "PWD", "QUIT"], stop), 6_000, 8_000, stop));
        work.Add(RepeatAsync(() => AskTimeAsync(third, stop), 1_000, 2_000, stop));
        work.Add(RepeatAsync(() => PingAsync(first, OfficePlan.Sites[0].Address, stop), 800, 1_200, stop));
        return Task.WhenAll(work);
    }

    async Task RepeatAsync(Func<Task> once, int least, int most, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Next(least, most), stop).ConfigureAwait(false);
                await once().ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException or AuthenticationException)
            {
                if (stop.IsCancellationRequested) return;
                lock (_lock)
                {
                    Failures++;
                    LastFailure = failure.Message;
                }
            }
        }
    }

    /// <summary>Looks a site up, fetches a few of its pages over one connection.</summary>
    async Task BrowseAsync(IPAddress client, IPAddress resolver, CancellationToken stop)
    {
        Site[] sites = client.AddressFamily == AddressFamily.InterNetworkV6 ? [.. OfficePlan.Sites.Where(known => known.AddressV6 is not null)] : OfficePlan.Sites;
        Site site = sites[Next(0, sites.Length)];
        IReadOnlyList<IPAddress> addresses = await ResolverOf(client, resolver).LookupHostAsync(site.Name, s_patience, stop).ConfigureAwait(false);
        IPAddress? server = addresses.FirstOrDefault(address => address.AddressFamily == client.AddressFamily);
        if (server is null) throw new IOException($"{site.Name} has no address");
        bool secure = Next(0, 2) == 0;
        using NetworkStream plain = await ConnectAsync(client, new IPEndPoint(server, secure ? 443 : 80), stop).ConfigureAwait(false);
        if (!secure)
        {
            await FetchAsync(plain, site, stop).ConfigureAwait(false);
            return;
        }
        // The demo's certificates are signed by themselves: any will do, as long as there is one.
        using var tls = new SslStream(plain, leaveInnerStreamOpen: true);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = site.Name,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        }, stop).ConfigureAwait(false);
        await FetchAsync(tls, site, stop).ConfigureAwait(false);
    }

    async Task FetchAsync(Stream stream, Site site, CancellationToken stop)
    {
        string agent = s_agents[Next(0, s_agents.Length)];
        int requests = Next(1, 4);
        for (int i = 0; i < requests; i++)
        {
            bool last = i == requests - 1;
            string path = s_paths[Next(0, s_paths.Length)];
            bool post = Next(0, 6) == 0;
            string body = post ? "name=reception&order=12+rolls" : "";
            string extra = path == "/private" && Next(0, 2) == 0 ? "Authorization: Basic b2ZmaWNlOnR1bGlwcw==\r\n" : "";
            if (post) extra += $"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n";
            if (last) extra += "Connection: close\r\n";
            string request = $"{(post ? "POST /order" : "GET " + path)} HTTP/1.1\r\nHost: {site.Name}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n{extra}\r\n{body}";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), stop).ConfigureAwait(false);
            await ReadReplyAsync(stream, stop).ConfigureAwait(false);
            lock (_lock) Pages++;
        }
    }

    static async Task ReadReplyAsync(Stream stream, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(s_patience);
        byte[] buffer = new byte[16 * 1024];
        int filled = 0, end;
        while ((end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(filled), limit.Token).ConfigureAwait(false);
            if (read == 0) throw new IOException("the site closed before its answer");
            filled += read;
        }
        string head = Encoding.ASCII.GetString(buffer, 0, end);
        int at = head.IndexOf("Content-Length: ", StringComparison.Ordinal);
        long rest = at < 0 ? long.MaxValue : int.Parse(head.AsSpan(at + 16).ToString().Split('\r')[0]) - (filled - end - 4);
        bool Finished() => at < 0 && buffer.AsSpan(0, filled).EndsWith("0\r\n\r\n"u8);
        while (rest > 0 && !Finished())
        {
            filled = await stream.ReadAsync(buffer, limit.Token).ConfigureAwait(false);
            if (filled == 0) return;
            rest -= filled;
        }
    }

    /// <summary>One of the old line protocols, with a name and a password that a sensor can read along.</summary>
    async Task DialogueAsync(IPAddress client, string name, int port, string[] lines, CancellationToken stop)
    {
        IReadOnlyList<IPAddress> addresses = await ResolverOf(client, OfficePlan.Resolver).LookupHostAsync(name, s_patience, stop).ConfigureAwait(false);
        if (addresses.Count == 0) throw new IOException($"{name} has no address");
        using NetworkStream stream = await ConnectAsync(client, new IPEndPoint(addresses[0], port), stop).ConfigureAwait(false);
        await ModuleRun.ReadLineAsync(stream, stop).ConfigureAwait(false);
        foreach (string line in lines)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), stop).ConfigureAwait(false);
            await ModuleRun.ReadLineAsync(stream, stop).ConfigureAwait(false);
        }
    }

    static async Task AskTimeAsync(IPAddress client, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(client, 0));
        byte[] query = new byte[48];
        query[0] = 0x23;                                               // version 4, client
        await socket.SendToAsync(query, SocketFlags.None, new IPEndPoint(OfficePlan.Clock, 123), stop).ConfigureAwait(false);
        await ReceiveAsync(socket, stop).ConfigureAwait(false);
    }

    /// <summary>RFC 792 echo by a raw socket, which root of the namespace may open.</summary>
    async Task PingAsync(IPAddress client, IPAddress server, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp);
        socket.Bind(new IPEndPoint(client, 0));
        byte[] echo = IcmpEcho.Request(0x4e46, (ushort)Next(0, 256), new byte[56]);
        await socket.SendToAsync(echo, SocketFlags.None, new IPEndPoint(server, 0), stop).ConfigureAwait(false);
        await ReceiveAsync(socket, stop).ConfigureAwait(false);
    }

    static async Task ReceiveAsync(Socket socket, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(s_patience);
        await socket.ReceiveAsync(new byte[1500], limit.Token).ConfigureAwait(false);
    }

    static async Task<NetworkStream> ConnectAsync(IPAddress client, IPEndPoint server, CancellationToken stop)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(client, 0));
            await socket.ConnectAsync(server, stop).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    StubResolver ResolverOf(IPAddress client, IPAddress resolver) => new(new IPEndPoint(resolver, 53), client, new Random(Next(0, int.MaxValue)));

    int Next(int least, int most)
    {
        lock (_lock) return random.Next(least, most);
    }
}
