using BenchmarkDotNet.Attributes;
using Nfr.Bench.Traffic;
using Nfr.Wire;

namespace Nfr.Bench.Wire;

/// <summary>The messages that cost most: a DNS answer read and checked, a browser's hello with both fingerprints.</summary>
[MemoryDiagnoser]
public class MessageBench
{
    readonly byte[] _answer = DnsWriter.Answer(7, "www.some-site.example.com", DnsWriter.A, 4, new Random(1));
    // Behind the headers of record and handshake.
    readonly byte[] _hello = TlsWriter.ClientHello("www.some-site.example.com", browser: true, new Random(1))[9..];
    readonly byte[] _text = new byte[DnsName.MaxTextLength + 1];

    [Benchmark]
    public int Dns_answer()
    {
        DnsMessage.TryRead(_answer, out DnsMessage message);
        return message.ReadQuestionName(_text);
    }

    [Benchmark]
    public bool Tls_hello() => TlsClientHello.TryRead(_hello, out TlsClientHello hello) == DecodeFault.None
        && Ja3.TryWrite(hello, _text.AsSpan(0, Ja3.HashLength)) && Ja4.TryWrite(hello, Ja4Transport.Tcp, _text.AsSpan(0, Ja4.Length));
}
