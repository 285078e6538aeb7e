using BenchmarkDotNet.Attributes;
using Nfr.Bench.Traffic;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Wire;

namespace Nfr.Bench.Events;

/// <summary>One frame of a known flow through the whole loop, by protocol.</summary>
[MemoryDiagnoser]
public class FrameDecoderBench
{
    readonly FrameDecoder<NullSink> _decoder = new(new DecoderOptions(), default);
    readonly Dictionary<string, byte[]> _frames = [];
    byte[] _frame = [];
    long _now = 1_717_495_200_000_000_000;

    [Params("Tcp_data", "Tcp_acknowledgment", "Udp", "Dns_query", "Icmp", "Tcp_data_v6")]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var frames = new FrameBuilder();
        var pair = new HostPair(Address.FromV4(0x0A010203), Address.FromV4(0xC6330001), 1, 2, 0);
        var six = new HostPair(new Address(0x2001_0DB8_0001_0000, 1), new Address(0x2001_0DB8_0002_0000, 1), 1, 2, 0);
        frames.Tcp(pair, true, 40_000, 9000, 1, 1, TcpFlags.Ack, 1, new byte[1448]);
        Keep("Tcp_data");
        frames.Tcp(pair, false, 9000, 40_000, 1, 1449, TcpFlags.Ack, 1, []);
        Keep("Tcp_acknowledgment");
        frames.Udp(pair, true, 40_000, 9000, new byte[1200]);
        Keep("Udp");
        frames.Udp(pair, true, 40_001, 53, DnsWriter.Query(7, "www.some-site.example.com", DnsWriter.A));
        Keep("Dns_query");
        frames.Echo(pair, true, 1, 1, new byte[56]);
        Keep("Icmp");
        frames.Tcp(six, true, 40_000, 9000, 1, 1, TcpFlags.Ack, 1, new byte[1428]);
        Keep("Tcp_data_v6");
        _frame = _frames[Kind];

        void Keep(string kind) => _frames[kind] = frames.Frame.ToArray();
    }

    [Benchmark]
    public void Frame()
    {
        _now += 100;
        _decoder.OnFrame(new Frame(_frame, _frame.Length, _now, _now, LinkType.Ethernet));
    }
}
