using System.Text;
using Nfr.Wire;

namespace Nfr.Bench.Traffic;

/// <summary>
/// What hosts say to each other. Each script lays its next frame into the one <see cref="FrameBuilder"/> and yields how many frames it would send
/// at once from here on: senders send in trains, and a capture shows them so.
/// </summary>
sealed class Scripts(FrameBuilder frames, Random random)
{
    static readonly string[] s_words =
        ["mail", "cdn", "static", "login", "api", "news", "video", "img", "shop", "cloud", "update", "ads", "metrics", "files", "play", "docs", "auth", "edge", "data", "portal"];
    static readonly string[] s_tops = ["example.com", "example.net", "example.org", "corp.example", "media.example.com", "service.example.net"];
    static readonly string[] s_agents =
        ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
         "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "curl/8.5.0", "Microsoft-Delivery-Optimization/10.0"];

    readonly byte[] _noise = Noise(random);
    readonly byte[][] _certificates = [.. Enumerable.Range(0, 16).Select(i => TlsWriter.Certificate($"{s_words[i]}.{s_tops[i % s_tops.Length]}", random))];
    uint _clock = 1_000_000;

    readonly record struct Message(bool FromClient, ReadOnlyMemory<byte> Bytes);

    static byte[] Noise(Random random)
    {
        byte[] noise = new byte[1 << 20];
        random.NextBytes(noise);
        return noise;
    }

    public string Name() => $"{s_words[random.Next(s_words.Length)]}{random.Next(1000)}.{s_tops[random.Next(s_tops.Length)]}";

    public IEnumerable<int> Https(HostPair pair) => Tcp(pair, 443, TlsDialogue(), 4);

    public IEnumerable<int> Http(HostPair pair) => Tcp(pair, 80, HttpDialogue(), 6);

    public IEnumerable<int> Ssh(HostPair pair) => Tcp(pair, 22, SshDialogue(), 1);

    public IEnumerable<int> DnsOverTcp(HostPair pair)
    {
        ushort id = (ushort)random.Next();
        string name = Name();
        return Tcp(pair, 53, [new(true, DnsWriter.Framed(DnsWriter.Query(id, name, DnsWriter.A))), new(false, DnsWriter.Framed(DnsWriter.Answer(id, name, DnsWriter.A, 4, random)))], 1);
    }

    public IEnumerable<int> Dns(HostPair pair)
    {
        string name = Name();
        ushort port = EphemeralPort();
        foreach (ushort type in random.Next(2) == 0 ? [DnsWriter.A, DnsWriter.Aaaa] : (ushort[])[DnsWriter.A])
        {
            ushort id = (ushort)random.Next();
            frames.Udp(pair, true, port, 53, DnsWriter.Query(id, name, type));
            yield return 0;
            if (random.Next(50) == 0) continue;
            frames.Udp(pair, false, 53, port, DnsWriter.Answer(id, name, type, random.Next(12) == 0 ? 0 : random.Next(1, 5), random));
            yield return 0;
        }
    }

    public IEnumerable<int> Ntp(HostPair pair)
    {
        byte[] message = new byte[48];
        random.NextBytes(message);
        message[0] = 0x23;
        ushort port = EphemeralPort();
        frames.Udp(pair, true, port, 123, message);
        yield return 0;
        message[0] = 0x24;
        frames.Udp(pair, false, 123, port, message);
        yield return 0;
    }

    /// <summary>RFC 9000 by its looks: long headers of 1200 bytes and more, then short ones.</summary>
    public IEnumerable<int> Quic(HostPair pair)
    {
        ushort port = EphemeralPort();
        byte[] initial = new byte[1250];
        random.NextBytes(initial);
        initial[0] = 0xC3;
        (initial[1], initial[2], initial[3], initial[4], initial[5]) = (0, 0, 0, 1, 8);
        frames.Udp(pair, true, port, 443, initial);
        yield return 0;
        frames.Udp(pair, false, 443, port, initial);
        yield return 1;
        frames.Udp(pair, false, 443, port, initial.AsSpan(0, 900));
        yield return 0;
        for (int i = 0, n = Size(20, 400); i < n; i++)
        {
            bool acknowledges = i % 6 >= 4;
            Memory<byte> packet = _noise.AsMemory(random.Next(_noise.Length - 1500), acknowledges ? random.Next(35, 80) : 1380);
            packet.Span[0] = 0x4C;
            if (acknowledges) frames.Udp(pair, true, port, 443, packet.Span);
            else frames.Udp(pair, false, 443, port, packet.Span);
            yield return acknowledges ? 0 : 3;
        }
    }

    public IEnumerable<int> Ping(HostPair pair)
    {
        ushort identifier = (ushort)random.Next();
        for (ushort i = 1; i < 8; i++)
        {
            frames.Echo(pair, true, identifier, i, _noise.AsSpan(0, 56));
            yield return 0;
            frames.Echo(pair, false, identifier, i, _noise.AsSpan(0, 56));
            yield return 0;
        }
    }

    public IEnumerable<int> Arp(HostPair pair)
    {
        frames.Arp(pair);
        yield return 0;
    }

    /// <summary>A SYN scan: one flow for each port; closed ones answer, filtered ones do not.</summary>
    public IEnumerable<int> Scan(HostPair pair)
    {
        for (int i = 0; i < 200; i++)
        {
            ushort port = (ushort)random.Next(1, 10_000), own = EphemeralPort();
            uint sequence = (uint)random.Next();
            frames.Tcp(pair, true, own, port, sequence, 0, TcpFlags.Syn, _clock, []);
            yield return 2;
            if (random.Next(3) != 0) continue;
            frames.Tcp(pair, false, port, own, 0, sequence + 1, TcpFlags.Rst | TcpFlags.Ack, _clock, []);
            yield return 2;
        }
    }

    /// <summary>A connection that carries a dialogue: handshake, segments of full size, an acknowledgment for every second one, the end.</summary>
    IEnumerable<int> Tcp(HostPair pair, ushort port, IEnumerable<Message> dialogue, int train)
    {
        ushort own = EphemeralPort();
        uint client = (uint)random.Next() * 2, server = (uint)random.Next() * 2;
        int size = FrameBuilder.SegmentSize(pair);
        frames.Tcp(pair, true, own, port, client++, 0, TcpFlags.Syn, _clock++, []);
        yield return 0;
        frames.Tcp(pair, false, port, own, server++, client, TcpFlags.Syn | TcpFlags.Ack, _clock++, []);
        yield return 0;
        frames.Tcp(pair, true, own, port, client, server, TcpFlags.Ack, _clock++, []);
        yield return 1;
        bool last = true;
        foreach (Message message in dialogue)
        {
            int unacknowledged = 0;
            for (int at = 0; at < message.Bytes.Length;)
            {
                int n = Math.Min(size, message.Bytes.Length - at);
                byte flags = (byte)(TcpFlags.Ack | (at + n == message.Bytes.Length ? TcpFlags.Psh : 0));
                Send(message.FromClient, flags, message.Bytes.Span.Slice(at, n));
                at += n;
                yield return at < message.Bytes.Length ? train : 0;
                if (++unacknowledged < 2 && at < message.Bytes.Length) continue;
                unacknowledged = 0;
                // The answer to a short message often carries its acknowledgment.
                if (at == n && random.Next(3) != 0) continue;
                Send(!message.FromClient, TcpFlags.Ack, []);
                yield return at < message.Bytes.Length ? train : 0;
            }
            last = message.FromClient;
        }
        if (random.Next(10) == 0)
        {
            Send(true, TcpFlags.Rst | TcpFlags.Ack, []);
            yield return 0;
            yield break;
        }
        Send(!last, TcpFlags.Fin | TcpFlags.Ack, []);
        yield return 0;
        Send(last, TcpFlags.Fin | TcpFlags.Ack, []);
        yield return 0;
        Send(!last, TcpFlags.Ack, []);
        yield return 0;

        void Send(bool fromClient, byte flags, ReadOnlySpan<byte> payload)
        {
            uint step = (uint)payload.Length + ((flags & TcpFlags.Fin) != 0 ? 1u : 0);
            if (fromClient) frames.Tcp(pair, true, own, port, client, server, flags, _clock++, payload);
            else frames.Tcp(pair, false, port, own, server, client, flags, _clock++, payload);
            if (fromClient) client += step;
            else server += step;
        }
    }

    IEnumerable<Message> TlsDialogue()
    {
        bool tls13 = random.Next(10) < 7;
        yield return new(true, TlsWriter.ClientHello(Name(), random.Next(4) != 0, random));
        yield return new(false, TlsWriter.ServerFlight(tls13, _certificates[random.Next(_certificates.Length)], random));
        yield return new(true, TlsWriter.ClientFinish(tls13, random));
        for (int i = 0, n = random.Next(1, 16); i < n; i++)
        {
            yield return new(true, TlsWriter.ApplicationData(random.Next(60, 1100), random));
            yield return new(false, TlsWriter.ApplicationData(random.Next(7) == 0 ? Size(40_000, 1_500_000) : random.Next(150, 1300), random));
        }
    }

    IEnumerable<Message> HttpDialogue()
    {
        string host = Name(), agent = s_agents[random.Next(s_agents.Length)];
        for (int i = 0, n = random.Next(1, 6); i < n; i++)
        {
            bool post = random.Next(6) == 0;
            int sent = post ? random.Next(20, 2000) : 0;
            string request = $"{(post ? "POST" : "GET")} /{s_words[random.Next(s_words.Length)]}/{random.Next()}.html?session={random.Next()} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n"
                + "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
                + (post ? $"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {sent}\r\n\r\n" : $"Referer: http://{host}/\r\n\r\n");
            yield return new(true, (byte[])[.. Encoding.ASCII.GetBytes(request), .. _noise.AsSpan(0, sent)]);
            int length = random.Next(3) == 0 ? random.Next(40, 1200) : Size(15_000, 800_000);
            bool chunked = random.Next(4) == 0;
            string head = $"HTTP/1.1 {(random.Next(12) == 0 ? "404 Not Found" : "200 OK")}\r\nServer: nginx/1.24.0\r\nDate: Tue, 04 Jun 2024 10:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n"
                + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : $"Content-Length: {length}\r\n\r\n");
            var response = new List<byte>(length + 1024);
            response.AddRange(Encoding.ASCII.GetBytes(head));
            for (int left = length; left > 0;)
            {
                int chunk = chunked ? Math.Min(left, 8192) : Math.Min(left, _noise.Length);
                if (chunked) response.AddRange(Encoding.ASCII.GetBytes($"{chunk:x}\r\n"));
                response.AddRange(_noise.AsSpan(0, chunk));
                if (chunked) response.AddRange("\r\n"u8);
                left -= chunk;
            }
            if (chunked) response.AddRange("0\r\n\r\n"u8);
            yield return new(false, response.ToArray());
        }
    }

    IEnumerable<Message> SshDialogue()
    {
        yield return new(true, "SSH-2.0-OpenSSH_9.6\r\n"u8.ToArray());
        yield return new(false, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"u8.ToArray());
        yield return new(true, _noise.AsMemory(0, 1408));
        yield return new(false, _noise.AsMemory(2000, 1080));
        for (int i = 0, n = random.Next(20, 300); i < n; i++)
        {
            // A key and its echo; now and then the output of a command.
            yield return new(true, _noise.AsMemory(i, 36));
            yield return new(false, _noise.AsMemory(i, random.Next(4) == 0 ? random.Next(200, 1200) : 36));
        }
    }

    static ushort EphemeralPort(Random random) => (ushort)random.Next(32_768, 60_999);

    ushort EphemeralPort() => EphemeralPort(random);

    /// <summary>Many small, few large: exponential around <paramref name="typical"/>.</summary>
    int Size(int typical, int maximum) => (int)Math.Min(maximum, 1 + (-typical * Math.Log(1 - random.NextDouble())));
}
