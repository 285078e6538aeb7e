using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Nfr.Tests.Capture;
using Nfr.Tests.Events;
using Nfr.Wire;
using Xunit.Abstractions;
using Packets = Nfr.Train.Traffic.Frames;

namespace Nfr.Tests.Sensor;

/// <summary>The worst case of memory, measured: the real sensor with every table of its decode loop full at one time.</summary>
[Collection(AloneCollection.Name)]
public sealed class FullTablesTests(ITestOutputHelper output)
{
    const double MostMemory = 160;
    const string Server = "192.0.2.1";

    [CableFact]
    public void With_every_table_full_at_once_it_stays_below_160_MiB()
    {
        // What the tables take they take each time; what a sensor that had to wait for the processor piles up besides it does not.
        double peak = double.MaxValue;
        for (int i = 0; i < 3 && peak > MostMemory; i++) peak = Math.Min(peak, Peak());
        Assert.True(peak <= MostMemory, $"{peak:0} MiB");
    }

    double Peak()
    {
        using var bench = new SensorBench();
        bench.Mount(megabytes: 128);
        NfrProcess sensor = bench.Listen();
        double idle = sensor.Memory();
        using Socket far = bench.Network.Sender("far");
        var flood = new Flood(far);
        // What is seen longest ago is exported first: so the many come before what is to stay.
        flood.Flows(70_000);
        flood.Fragments(300);
        flood.Echoes(2_100);
        flood.LogIns(2_100);
        flood.Streams(48, 60_000);
        flood.Streams(256, 14_000);
        flood.Quic(1_100);
        flood.Dtls(300);
        flood.Requests(2_600);
        flood.Tunnels(5_000);
        flood.Neighbours(5_000);
        flood.Names(9_000);
        Thread.Sleep(1500);
        using JsonDocument status = JsonDocument.Parse(NfrProcess.Run(["status", "--json", "-c", bench.ConfigPath]).Output);
        JsonElement run = status.RootElement.GetProperty("run"), flows = run.GetProperty("flows"), faults = run.GetProperty("faults"), events = run.GetProperty("events");
        output.WriteLine($"flows {flows}\nfaults {faults}\nevents {events}\nports {run.GetProperty("interfaces")}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"idle {idle:0} MiB; everything full {sensor.Memory():0} MiB, peak {sensor.Memory("VmHWM"):0} (anonymous {sensor.Memory("RssAnon"):0}, files {sensor.Memory("RssFile"):0}, shared {sensor.Memory("RssShmem"):0})"));
        // Each table said that it was full.
        Assert.True(flows.GetProperty("open").GetInt64() >= 65_000);
        Assert.True(flows.GetProperty("evicted").GetInt64() > 0);
        Assert.True(flows.GetProperty("detailsRefused").GetInt64() > 0, "details");
        Assert.True(flows.GetProperty("tunnelsShared").GetInt64() > 0, "tunnels");
        Assert.True(faults.GetProperty("streamBuffersExhausted").GetInt64() > 0, "buffers");
        Assert.True(faults.GetProperty("fragmentTableFull").GetInt64() > 0, "fragments");
        Assert.True(events.GetProperty("dns").GetInt64() > 0, "queries");
        Assert.True(events.GetProperty("host").GetInt64() > 4_096, "hosts");
        Assert.True(run.GetProperty("closes").GetBoolean(), run.GetProperty("gaps").ToString());
        return sensor.Memory("VmHWM");
    }

    sealed class Flood(Socket far)
    {
        int _sent;

        /// <summary>An address for each number, of a block for each kind of traffic.</summary>
        static string Client(int block, int number) => $"10.{block}.{number / 250}.{1 + (number % 250)}";

        void Send(byte[] frame)
        {
            far.Send(frame);
            // As fast as an office line, not as fast as memory.
            if (++_sent % 200 == 0) Thread.Sleep(5);
        }

        void Ip(string source, string destination, byte protocol, byte[] payload) => Send(Packets.Ethernet(Packets.Ip(source, destination, protocol, payload)));

        void Udp(string source, int sourcePort, int destinationPort, byte[] payload) => Ip(source, Server, IPProtocol.Udp, Packets.Udp(sourcePort, destinationPort, payload));

        TcpTalk Talk(string client, int port, int serverPort) => new(packet => Send(Packets.Ethernet(packet)), client, port, Server, serverPort, 1000, 2000);

        public void Flows(int count)
        {
            for (int i = 0; i < count; i++) Udp(Client(1 + (i / 60_000), i % 60_000), 1024 + (i % 60_000), 9, [1, 2, 3]);
        }

        public void LogIns(int count)
        {
            for (int i = 0; i < count; i++)
                Talk(Client(10, i), 4000, 21).Open().Server("220 files\r\n").Client($"USER {new string('u', 60)}\r\n").Server("331 ok\r\n").Client("PASS x\r\n").Server("530 no\r\n");
        }

        public void Echoes(int count)
        {
            for (int i = 0; i < count; i++) Ip(Client(11, i), Server, IPProtocol.Icmp, Packets.Icmp(8, 0, (ushort)i));
        }

        /// <summary>HTTP whose second segment never comes: everything behind it is kept.</summary>
        public void Streams(int count, int bytes)
        {
            for (int i = 0; i < count; i++)
            {
                TcpTalk talk = Talk(Client(12, i), 4000 + bytes % 1000, 80).Open().Client("GET / HTTP/1.1\r\nA: ").ClientLost(1);
                for (int at = 0; at < bytes; at += 1400) talk.Client(new byte[1400]);
            }
        }

        /// <summary>Heads that never end, both ways.</summary>
        public void Requests(int count)
        {
            byte[] request = [.. "GET / HTTP/1.1\r\nHost: unfinished.example\r\nCookie: "u8, .. Enumerable.Repeat((byte)'a', 900)];
            byte[] response = [.. "HTTP/1.1 200 OK\r\nSet-Cookie: "u8, .. Enumerable.Repeat((byte)'b', 900)];
            for (int i = 0; i < count; i++) Talk(Client(13, i), 4000, 80).Open().Client(request).Server(response);
        }

        public void Quic(int count)
        {
            byte[] first = QuicTests.Initial(QuicTests.Choice, QuicTests.Choice, false, 0, QuicTests.Crypto(0, QuicTests.Hello[..100]));
            for (int i = 0; i < count; i++) Udp(Client(14, i), 5000, 443, first);
        }

        public void Dtls(int count)
        {
            byte[] body = new byte[200];
            // RFC 6347 4.2.2: a client's hello of 4,000 bytes, of which 200 come.
            byte[] part = [1, 0, 0x0F, 0xA0, 0, 0, 0, 0, 0, 0, 0, 200, .. body];
            byte[] record = [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)part.Length, .. part];
            for (int i = 0; i < count; i++) Udp(Client(15, i), 5000, 4433, record);
        }

        public void Tunnels(int count)
        {
            for (int i = 0; i < count; i++)
            {
                byte[] gre = [0x20, 0, 0x08, 0, 0, 0, 0, 0, .. Packets.Ip(Client(16, i), Server, IPProtocol.Udp, Packets.Udp(6000, 9, [1, 2]))];
                BinaryPrimitives.WriteInt32BigEndian(gre.AsSpan(4), i);
                Ip("10.17.0.1", Server, IPProtocol.Gre, gre);
            }
        }

        /// <summary>ARP answers (RFC 826).</summary>
        public void Neighbours(int count)
        {
            for (int i = 0; i < count; i++)
            {
                byte[] arp = [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, (byte)(i >> 8), (byte)i, 10, 18, (byte)(i / 250), (byte)(1 + (i % 250)), 2, 0, 0, 0, 0, 1, 10, 18, 255, 254];
                Send([.. Convert.FromHexString("ffffffffffff020000000001"), 8, 6, .. arp, .. new byte[18]]);
            }
        }

        /// <summary>First parts of datagrams whose rest never comes.</summary>
        public void Fragments(int count)
        {
            for (int i = 0; i < count; i++) Send(Packets.Ethernet(Packets.IPv4(Client(19, i), Server, IPProtocol.Udp, new byte[1400], i, 0, more: true)));
        }

        /// <summary>Questions that nobody answers, with the longest names.</summary>
        public void Names(int count)
        {
            string tail = string.Join('.', Enumerable.Repeat(new string('n', 60), 3));
            for (int i = 0; i < count; i++) Udp(Client(21, i), 8000, 53, Contents.Query(i & 0xFFFF, $"q{i.ToString(CultureInfo.InvariantCulture).PadLeft(50, 'q')}.{tail}"));
        }
    }
}
