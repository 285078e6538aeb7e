using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Whole captures of everything that the decoder knows: mutated they break nothing, unharmed they cost no allocation.</summary>
public sealed class DecodeRobustnessTests
{
    struct Counting : IEventSink
    {
        public long Bytes;

        public void OnDns(scoped in DnsEvent e) => Bytes += e.Query.Length + e.Answers.Length;
        public void OnIp(scoped in IpEvent e) => Bytes += e.Ja3.Length;
        public void OnHttp(scoped in HttpEvent e) => Bytes += e.Url.Length + e.Host.Length + e.Method.Length + e.ContentType.Length + e.Referrer.Length + e.UserAgent.Length;
        public void OnTls(scoped in TlsEvent e) => Bytes += e.Sni.Length + e.Ja3.Length + e.Ja3s.Length + e.Ja4.Length + e.CertificateHash.Length + e.Issuer.Length + e.Subject.Length + e.Alpn.Length;
        public void OnHost(scoped in HostEvent e) => Bytes += e.Name.Length;
        public void OnAnomaly(scoped in AnomalyEvent e) => Bytes++;
    }

    static readonly byte[] s_quic = QuicTests.Initial(QuicTests.Choice, QuicTests.Choice, false, 0, QuicTests.Crypto(0, QuicTests.Hello));

    /// <summary>Some 400 frames: every protocol, link oddity and stream fault of the other tests, between hosts of that number.</summary>
    static List<byte[]> Mixed(int number)
    {
        var frames = new List<byte[]>();
        void Ip(byte[] packet) => frames.Add(number % 3 == 0 ? Frames.Ethernet(packet, (ushort)(number % 4000)) : Frames.Ethernet(packet));
        string client = $"10.{number / 250 % 250}.{number % 250}.1", server = "192.0.2.1", client6 = $"2001:db8::{number:x}", server6 = "2001:db8:1::1";
        int port = 1024 + (number * 37 % 60_000);
        TcpTalk Talk(int serverPort, bool v6 = false) =>
            new(Ip, v6 ? client6 : client, ++port, v6 ? server6 : server, serverPort, (uint)number * 7919, (uint)number * 104_729);
        foreach (bool v6 in new[] { false, true })
        {
            string c = v6 ? client6 : client, s = v6 ? server6 : server;
            for (int i = 0; i < 10; i++)
            {
                Ip(Frames.Ip(c, s, 17, Frames.Udp(port + i, 53, Contents.Query(i, $"n{i}.{number}.example"))));
                if (i % 3 != 0) Ip(Frames.Ip(s, c, 17, Frames.Udp(53, port + i, Contents.Answer(i, $"n{i}.{number}.example"))));
            }
            Ip(Frames.Ip(c, s, 17, Frames.Udp(port, 53, Contents.Query(99, string.Join('.', new string('\x01', 63), new string('\x02', 63), new string('\x03', 63))))));
            Ip(Frames.Ip(c, s, 17, Frames.Udp(port, 123, [0x23, .. new byte[47]])));
            Ip(Frames.Ip(c, s, v6 ? (byte)58 : (byte)1, Frames.Icmp(v6 ? (byte)128 : (byte)8, 0)));
            TcpTalk http = Talk(80, v6).Open();
            for (int i = 0; i < 8; i++)
            {
                http.Client($"POST /{i}/{number} HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwi").Client("ki\r\n0\r\n\r\n")
                    .Server("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4000\r\n\r\n").Server(new byte[1400]).Server(new byte[1400]).Server(new byte[1200]);
            }
            http.Close();
            Talk(80, v6).Open().Client("GET /gap HTTP/1.1\r\nHo").ClientLost(100).Client("x\r\n\r\n").Segment(1, TcpTalk.Ack).Client("GET / HTTP/1.0\r\n\r\n").Segment(1, TcpFlags.Rst);
            Talk(443, v6).Open().Client(Contents.ClientHello[..50]).Client(Contents.ClientHello[50..]).Server(Contents.ServerFlight12).Client(new byte[500]).Server(new byte[1400]).Close();
            Talk(443, v6).Open().Client(Contents.ClientHello).Server(Contents.RetryRequest).Client(Contents.ClientHello).Server(Contents.ServerHello13).Close();
            Talk(53, v6).Open().Client(Contents.OverTcp(Contents.Query(5, "tcp.example"))).Server(Contents.OverTcp(Contents.Answer(5, "tcp.example"))).Close();
            Talk(25, v6).Open().Server("220 mail ESMTP\r\n").Client("EHLO c\r\n").Server("250 ok\r\n").Client("AUTH PLAIN AGJvYgBz\r\n").Server("235 ok\r\n").Close();
            Talk(21, v6).Open().Server("220 files\r\n").Client("USER a\r\n").Server("331 ok\r\n").Client("PASS b\r\n").Close();
            Talk(3333, v6).Open().Client("{\"id\":1,\"method\":\"mining.subscribe\"}\n").Close();
            Talk(3128, v6).Open().Client("CONNECT x:443 HTTP/1.1\r\n\r\n").Server("HTTP/1.1 200 OK\r\n\r\n").Client(Contents.ClientHello).Server(Contents.ServerHello13).Close();
            Talk(9999, v6).Open().Client(new byte[900]).Server(new byte[900]).Client(new byte[20]);
            Talk(22, v6).Segment(0, TcpFlags.Syn).Segment(1, TcpFlags.Rst | TcpFlags.Ack);
            byte[] datagram = Frames.Udp(port, 53, [.. Contents.Query(6, "pieces.example"), .. new byte[90]]);
            if (v6)
            {
                Ip(Frames.IPv6Fragment(c, s, 17, datagram[64..], (uint)number, 64, false));
                Ip(Frames.IPv6Fragment(c, s, 17, datagram[..64], (uint)number, 0, true));
            }
            else
            {
                Ip(Frames.IPv4(c, s, 17, datagram[..64], number, 0, true));
                Ip(Frames.IPv4(c, s, 17, datagram[64..], number, 64));
            }
        }
        byte[] query = Frames.IPv4(client, server, 17, Frames.Udp(port, 53, Contents.Query(3, "inside.example")));
        Ip(Frames.IPv4(client, server, IPProtocol.IPv4, query));
        Ip(Frames.IPv4(client, server, IPProtocol.Gre, [0, 0, 8, 0, .. query]));
        Ip(Frames.IPv4(client, server, 17, Frames.Udp(port, 4789, [8, 0, 0, 0, 0, 0, 7, 0, .. Frames.Ethernet(query, 9)])));
        Ip(Frames.IPv4(client, server, 17, Frames.Udp(port, 443, s_quic)));
        Talk(8053).Open().Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").Client([0, 0, 29, 0, 1, 0, 0, 0, 1, .. Contents.Query(4, "over.h2.xyz")]).Close();
        Ip(Frames.IPv4(client, server, 17, new byte[32], number + 7, 64, true));
        Ip(Frames.IPv4(client, server, 47, new byte[32]));
        Ip(Frames.IPv4(client, "224.0.0.251", 17, Frames.Udp(5353, 5353, Contents.Query(0, "printer.local"))));
        frames.Add(Bytes.Of("ffffffffffff020000000001 0806 0001080006040001"));
        frames.Add(Bytes.Of("020000000002020000000001 0800 4500"));
        return frames;
    }

    static void AssertClean<TSink>(FrameDecoder<TSink> decoder)
        where TSink : struct, IEventSink
    {
        decoder.Drain();
        Assert.True(decoder.Counters.Closes);
        Assert.Equal((0, 0, 0), (decoder.BuffersInUse, decoder.ConversationsInUse, decoder.ActiveFlows));
        Assert.Equal(decoder.Counters.FlowsOpened, decoder.Counters.FlowsClosed);
        Assert.Equal(decoder.Counters.FlowsClosed + decoder.Counters.FlowSlices, decoder.Events[(int)EventType.Ip]);
    }

    [Fact]
    public void Mutated_captures_never_throw_and_leave_nothing_behind()
    {
        var random = new Random(20_260_020);
        LinkType[] links = [LinkType.Raw, LinkType.LinuxSll, LinkType.LinuxSll2, LinkType.Null, (LinkType)999];
        var decoder = new FrameDecoder<Counting>(new DecoderOptions { MaximumFlows = 512, ActiveTimeout = 60 * DecodeBed.Second }, default);
        long tick = DecodeBed.Second, given = 0;
        for (int number = 0; given < 200_000; number++)
        {
            List<byte[]> frames = Mixed(number);
            // Now and then out of order, lost, twice; one frame in three has a wrong byte, a wrong length or a wrong end.
            for (int i = 0; i < frames.Count; i++)
            {
                int at = random.Next(10) == 0 ? Math.Min(frames.Count - 1, i + random.Next(5)) : i;
                byte[] frame = frames[at];
                if (random.Next(3) == 0) frame = Harm(frame, random);
                LinkType link = random.Next(200) == 0 ? links[random.Next(links.Length)] : LinkType.Ethernet;
                tick += random.Next(1000) == 0 ? 20 * DecodeBed.Second : random.Next(2_000_000);
                try
                {
                    decoder.OnFrame(new Frame(frame, frame.Length + (random.Next(20) == 0 ? 100 : 0), Make.Stamp + tick, tick, link));
                }
                catch (Exception mistake)
                {
                    Assert.Fail($"capture {number}, frame {i}: {Convert.ToHexString(frame)}\n{mistake}");
                }
                given++;
            }
        }
        Assert.Equal(given, decoder.Counters.Frames);
        Assert.True(Enumerable.Range(1, (int)DecodeFault.Count - 1).Count(f => decoder.Counters.Faults[f] > 0) > 30, "the mutations reach too little");
        AssertClean(decoder);
    }

    static byte[] Harm(byte[] frame, Random random)
    {
        if (random.Next(4) == 0) return Bytes.Mutate(frame, random);
        // Only inside the headers and the front of the content, where every byte means something.
        byte[] harmed = (byte[])frame.Clone();
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(12, Math.Min(harmed.Length, 140) + (harmed.Length <= 12 ? 1 : 0));
            if (at < harmed.Length) harmed[at] = (byte)random.Next(256);
        }
        return harmed;
    }

    [Fact]
    public void A_mixed_capture_allocates_nothing()
    {
        var capture = new List<byte[]>();
        for (int number = 0; capture.Count < 200_000; number++) capture.AddRange(Mixed(number));
        byte[][] frames = [.. capture];
        var decoder = new FrameDecoder<Counting>(new DecoderOptions { MaximumFlows = 16_384, IsHome = a => a.IsV4 && a.V4 >> 24 == 10 }, default);
        long tick = DecodeBed.Second;
        void Pass()
        {
            for (int i = 0; i < frames.Length; i++)
            {
                tick += 500_000;
                decoder.OnFrame(new Frame(frames[i], frames[i].Length, Make.Stamp + tick, tick, LinkType.Ethernet));
            }
            decoder.Drain();
        }
        Pass();
        Pass();
        Assert.Equal(0, Allocation.Least(Pass));
        Assert.All(decoder.Events[..EventTypes.UploadedCount], n => Assert.True(n > 1000));
        AssertClean(decoder);
    }
}
