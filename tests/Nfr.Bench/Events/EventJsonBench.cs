using System.Buffers;
using BenchmarkDotNet.Attributes;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Bench.Events;

/// <summary>One event as a line, in both forms.</summary>
[MemoryDiagnoser]
public class EventJsonBench
{
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _output = new(4096);
    readonly EventContext _context = new()
    {
        Timestamp = 1_535_967_587_123_456_789, Source = Address.FromV4(0x0A010203), Destination = Address.FromV4(0x01010101), SourcePort = 50000, DestinationPort = 443, Protocol = 6,
    };

    [Benchmark]
    public int Dns_upload()
    {
        _output.ResetWrittenCount();
        _json.WriteUpload(new DnsEvent { Context = _context, Query = "www.some-site.example.com"u8, QueryType = 28 }, _output);
        return _output.WrittenCount;
    }

    [Benchmark]
    public int Ip_upload()
    {
        _output.ResetWrittenCount();
        _json.WriteUpload(new IpEvent { Context = _context, BytesIn = 744, BytesOut = 1376 }, _output);
        return _output.WrittenCount;
    }

    [Benchmark]
    public int Ip_line()
    {
        _output.ResetWrittenCount();
        _json.WriteLine(new IpEvent { Context = _context, BytesIn = 744, BytesOut = 1376, Duration = 1_250_000_000, TcpFlags = 0x1B, State = ConnectionState.SF }, _output);
        return _output.WrittenCount;
    }
}
