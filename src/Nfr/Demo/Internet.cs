using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>Everything outside the office, in a namespace of its own: names, sites, mail, pools, and networks where nobody answers.</summary>
static class Internet
{
    const int MaxDatagram = 4096;

    /// <summary>Waits for its end of the cable, configures it, serves until its input ends. Speaks in lines: ready, up → serving.</summary>
    public static async Task<int> RunAsync(TextReader input, TextWriter output, TextWriter error, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await output.WriteLineAsync("ready").ConfigureAwait(false);
        if (await ChildProcess.ReadLineAsync(input).ConfigureAwait(false) != "up") return 1;
        if (await ConfigureAsync().ConfigureAwait(false) is { } failure)
        {
            await error.WriteLineAsync($"nfr demo: {failure}").ConfigureAwait(false);
            return 1;
        }
        Start(ending.Token);
        await output.WriteLineAsync("serving").ConfigureAwait(false);
        // The demo holds the other end of our input: when it is gone, so are we.
        while (await ChildProcess.ReadLineAsync(input).ConfigureAwait(false) is not (null or "stop")) { }
        await ending.CancelAsync().ConfigureAwait(false);
        return 0;
    }

    static async Task<string?> ConfigureAsync()
    {
        var commands = new List<string>
        {
            "link set lo up",
            $"address add {OfficePlan.Gateway}/24 dev {OfficePlan.InternetInterface}",
            $"address add {OfficePlan.GatewayV6}/64 dev {OfficePlan.InternetInterface} nodad",
            $"link set {OfficePlan.InternetInterface} up",
            $"route add blackhole {OfficePlan.DarkNetwork}/24",
        };
        foreach (IPAddress address in OfficePlan.ServerAddresses)
            commands.Add(address.AddressFamily == AddressFamily.InterNetworkV6 ? $"address add {address}/128 dev lo nodad" : $"address add {address}/32 dev lo");
        return await NetworkTools.IpAsync([.. commands]).ConfigureAwait(false) ?? NetworkTools.MakePlain(OfficePlan.InternetInterface, silent: false);
    }

    static void Start(CancellationToken stop)
    {
        foreach (IPAddress resolver in (IPAddress[])[OfficePlan.Resolver, OfficePlan.ResolverV6, OfficePlan.OtherResolver])
        {
            ServeDatagrams(new IPEndPoint(resolver, 53), query => DnsResponder.Answer(query, overTcp: false, OfficePlan.Names, Random.Shared), stop);
            ServeStreams(new IPEndPoint(resolver, 53), DnsOverTcpAsync, stop);
        }
        ServeDatagrams(new IPEndPoint(OfficePlan.Clock, 123), NetworkTime, stop);

        foreach (Site site in OfficePlan.Sites)
        {
            X509Certificate2 certificate = WebServer.MakeCertificate(site, TimeProvider.System);
            foreach (IPAddress? address in (IPAddress?[])[site.Address, site.AddressV6])
            {
                if (address is null) continue;
                ServeStreams(new IPEndPoint(address, 80), WebServer.ServeAsync, stop);
                ServeStreams(new IPEndPoint(address, 443), (stream, token) => WebServer.ServeTlsAsync(stream, site, certificate, token), stop);
            }
        }

        ServeStreams(new IPEndPoint(OfficePlan.Ftp, 21), (stream, token) => DialogueAsync(stream, "220 demo FTP ready", line => line.Split(' ')[0] switch
        {
            "USER" => "331 Password required",
            "PASS" => "230 Logged in",
            "SYST" => "215 UNIX Type: L8",
            "PWD" => "257 \"/\" is the current directory",
            "QUIT" => "221 Goodbye",
            _ => "502 Command not implemented",
        }, token), stop);
        ServeStreams(new IPEndPoint(OfficePlan.Mail, 110), (stream, token) => DialogueAsync(stream, "+OK demo POP3 ready", line => line.Split(' ')[0] switch
        {
            "USER" => "+OK",
            "PASS" => "+OK mailbox open",
            "STAT" => "+OK 2 3120",
            "QUIT" => "+OK bye",
            _ => "-ERR",
        }, token), stop);

        StartAgainstSuspects(stop);
    }

    /// <summary>What the modules of the simulator deal with.</summary>
    static void StartAgainstSuspects(CancellationToken stop)
    {
        foreach (IPEndPoint pool in DestinationLists.Shipped.Pools.Servers())
            ServeStreams(pool, (stream, token) => DialogueAsync(stream, null, _ => """{"id":1,"result":[[["mining.notify","ae6812eb4cd7735a"]],"08000002",4],"error":null}""", token), stop);
        foreach (IPEndPoint server in (IPEndPoint[])[.. SampleFeeds.C2.Servers(), .. SampleFeeds.Sinkholes.Servers()]) ServeStreams(server, SinkAsync, stop);
        foreach (int port in CleartextModule.Ports) ServeStreams(new IPEndPoint(OfficePlan.CleartextSink, port), SinkAsync, stop);
        foreach (IPEndPoint server in SampleFeeds.Irc.Servers()) ServeStreams(server, IrcServer.ServeAsync, stop);
        foreach (IPAddress server in OfficePlan.MailServers)
            ServeStreams(new IPEndPoint(server, SpambotModule.MailPort), (stream, token) => DialogueAsync(stream, "220 mx ESMTP", line => line == "QUIT" ? "221 bye" : "250 ok", token), stop);
        foreach (int port in (int[])[SshModule.SshPort, .. SshModule.ExfilPorts]) ServeStreams(new IPEndPoint(OfficePlan.SshSink, port), SshSink.ServeAsync, stop);

        var api = new Site(TelegramBotModule.Host, OfficePlan.BotApi, null, OnlyTls12: false);
        X509Certificate2 certificate = WebServer.MakeCertificate(api, TimeProvider.System);
        ServeStreams(new IPEndPoint(api.Address, 443), (stream, token) => WebServer.ServeTlsAsync(stream, api, certificate, token), stop);
        foreach (IPEndPoint relay in SampleFeeds.TorRelays.Servers())
        {
            // A relay's certificate names a made-up host, another than the client's hello does; by TLS 1.2 it can be seen.
            var site = new Site(TorModule.ServerName(Random.Shared, ".net"), relay.Address, null, OnlyTls12: true);
            X509Certificate2 shown = WebServer.MakeCertificate(site, TimeProvider.System);
            ServeStreams(relay, (stream, token) => WebServer.ServeTlsAsync(stream, site, shown, token), stop);
        }
    }

    /// <summary>RFC 5905, mode 4: enough of an answer for a clock that only asks.</summary>
    static byte[]? NetworkTime(ReadOnlySpan<byte> query)
    {
        if (query.Length < 48) return null;
        byte[] reply = new byte[48];
        reply[0] = 0x24;                                               // version 4, server
        reply[1] = 2;                                                  // stratum
        query.Slice(40, 8).CopyTo(reply.AsSpan(24));                   // origin = the client's transmit stamp
        uint seconds = (uint)(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 2_208_988_800);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(32), seconds);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(40), seconds);
        return reply;
    }

    static async Task DnsOverTcpAsync(Stream stream, CancellationToken stop)
    {
        byte[] length = new byte[2];
        while (true)
        {
            await stream.ReadExactlyAsync(length, stop).ConfigureAwait(false);
            byte[] query = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(query, stop).ConfigureAwait(false);
            if (DnsResponder.Answer(query, overTcp: true, OfficePlan.Names, Random.Shared) is not { } reply) return;
            byte[] framed = new byte[reply.Length + 2];
            BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)reply.Length);
            reply.CopyTo(framed.AsSpan(2));
            await stream.WriteAsync(framed, stop).ConfigureAwait(false);
        }
    }

    /// <summary>A line protocol: a greeting, then one line for each line; ends after QUIT.</summary>
    static async Task DialogueAsync(Stream stream, string? greeting, Func<string, string> answer, CancellationToken stop)
    {
        async Task SayAsync(string line) => await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), stop).ConfigureAwait(false);
        if (greeting is not null) await SayAsync(greeting).ConfigureAwait(false);
        while (await ModuleRun.ReadLineAsync(stream, stop).ConfigureAwait(false) is { } line)
        {
            await SayAsync(answer(line)).ConfigureAwait(false);
            if (line == "QUIT") return;
        }
    }

    static async Task SinkAsync(Stream stream, CancellationToken stop)
    {
        byte[] buffer = new byte[MaxDatagram];
        while (await stream.ReadAsync(buffer, stop).ConfigureAwait(false) > 0) { }
    }

    delegate byte[]? DatagramAnswer(ReadOnlySpan<byte> datagram);

    static void ServeDatagrams(IPEndPoint at, DatagramAnswer answer, CancellationToken stop)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(at);
        _ = AnswerDatagramsAsync(socket, at, answer, stop);
    }

    static async Task AnswerDatagramsAsync(Socket socket, IPEndPoint at, DatagramAnswer answer, CancellationToken stop)
    {
        byte[] buffer = new byte[MaxDatagram];
        while (!stop.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, at, stop).ConfigureAwait(false);
                if (answer(buffer.AsSpan(0, received.ReceivedBytes)) is { } reply)
                    await socket.SendToAsync(reply, SocketFlags.None, received.RemoteEndPoint, stop).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException)
            {
                // A client that is gone already; or the end, which the loop sees.
            }
        }
    }

    static void ServeStreams(IPEndPoint at, Func<Stream, CancellationToken, Task> serve, CancellationToken stop)
    {
        var listener = new TcpListener(at);
        listener.Start();
        _ = AcceptAsync(listener, serve, stop);
    }

    static async Task AcceptAsync(TcpListener listener, Func<Stream, CancellationToken, Task> serve, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeOneAsync(await listener.AcceptSocketAsync(stop).ConfigureAwait(false), serve, stop);
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException)
            {
                // As above.
            }
        }
    }

    static async Task ServeOneAsync(Socket accepted, Func<Stream, CancellationToken, Task> serve, CancellationToken stop)
    {
        try
        {
            using var stream = new NetworkStream(accepted, ownsSocket: true);
            await serve(stream, stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // The client left in the middle; clients may.
        }
    }
}
