using Nfr.Wire;

namespace Nfr.Fuzz;

/// <summary>DNS messages: header, question, every record's owner and text.</summary>
sealed class DnsTarget : Target
{
    readonly byte[] _text = new byte[4096];

    public override string Name => "dns";
    public override int Runs => 1_000_000;
    public override IReadOnlyList<byte[]> Words { get; } =
        [[0xC0, 0x0C], [0xC0, 0x00], [0xC0, 0xFF], [0, 41], [0, 64], [0, 65], [0, 16], [0, 33], [0, 46], [0, 6], [0, 28], [0, 1, 0, 1], [0, 5], [0x80, 0], [63], [0, 0, 255, 255]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => seeds.DatagramsOf(53, 5353, 5355, 137);

    public override void Run(ReadOnlySpan<byte> input)
    {
        DnsMessage.LooksLikeDns(input);
        if (DnsMessage.TryRead(input, out DnsMessage message) != DecodeFault.None) return;
        message.ReadQuestionName(_text);
        DnsRecordReader records = message.Records;
        while (records.MoveNext())
        {
            records.ReadOwner(_text);
            records.FormatData(_text, out _);
        }
    }
}

/// <summary>A TLS stream of records: hellos with their fingerprints, certificates.</summary>
sealed class TlsTarget : Target
{
    readonly byte[] _scratch = new byte[64 * 1024];
    readonly byte[] _text = new byte[1024];

    public override string Name => "tls";
    public override int Runs => 600_000;
    public override IReadOnlyList<byte[]> Words { get; } =
        [[0x16, 3, 1], [0x16, 3, 3], [1, 0, 0], [2, 0, 0], [11, 0, 0], [0, 0], [0, 16], [0, 43], [0, 10], [0, 13], [0xFE, 0x0D], [0x0A, 0x0A], [0, 51], [0, 41]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => seeds.SegmentsThat(p => p[0] == 0x16);

    public override void Run(ReadOnlySpan<byte> input)
    {
        TlsRecord.LooksLikeHandshake(input);
        TlsRecord.LooksLikeSslV2Hello(input);
        var reader = new TlsHandshakeReader(input, _scratch);
        while (reader.MoveNext() == ReadState.Complete)
        {
            switch (reader.Type)
            {
                case TlsHandshakeType.ClientHello:
                    Client(reader.Body, datagram: false);
                    Client(reader.Body, datagram: true);
                    break;
                case TlsHandshakeType.ServerHello:
                    if (TlsServerHello.TryRead(reader.Body, out TlsServerHello server) == DecodeFault.None) Ja3.TryWrite(server, _text);
                    break;
                case TlsHandshakeType.Certificate:
                    if (TlsCertificateMessage.TryRead(reader.Body, out TlsCertificateMessage message) == DecodeFault.None) X509Target.Read(message.Leaf, _text);
                    break;
            }
        }
    }

    void Client(ReadOnlySpan<byte> body, bool datagram)
    {
        if (TlsClientHello.TryRead(body, out TlsClientHello hello, datagram) != DecodeFault.None) return;
        Ja3.TryWrite(hello, _text);
        Ja4.TryWrite(hello, Ja4Transport.Tcp, _text);
    }
}

/// <summary>A certificate's DER.</summary>
sealed class X509Target : Target
{
    readonly byte[] _text = new byte[1024];

    public override string Name => "x509";
    public override int Runs => 600_000;
    public override IReadOnlyList<byte[]> Words { get; } =
        [[0x30, 0x82], [0x30, 0x80], [0x06, 3, 0x55, 4, 3], [0x17, 0x0D], [0x18, 0x0F], [0x0C], [0x13], [0x1E], [0x14], [0x84, 0xFF, 0xFF, 0xFF, 0xFF], [0x55, 0x1D, 0x11], [0xA3]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        byte[] scratch = new byte[64 * 1024];
        foreach (byte[] segment in seeds.SegmentsThat(p => p[0] == 0x16))
        {
            for (int at = 0; at + 4 < segment.Length; at++)
            {
                // A SEQUENCE of a SEQUENCE with two-byte lengths: how certificates begin.
                if (segment[at] != 0x30 || segment[at + 1] != 0x82 || at + 8 >= segment.Length || segment[at + 4] != 0x30) continue;
                yield return segment[at..];
                break;
            }
        }
    }

    public override void Run(ReadOnlySpan<byte> input) => Read(input, _text);

    public static void Read(ReadOnlySpan<byte> der, byte[] text)
    {
        if (X509Leaf.TryRead(der, out X509Leaf leaf) != DecodeFault.None) return;
        leaf.WriteIssuer(text);
        leaf.WriteSubject(text);
        leaf.WriteSha1(text);
    }
}

/// <summary>HTTP/1 heads and chunked bodies, HTTP/2 frame headers.</summary>
sealed class HttpTarget : Target
{
    public override string Name => "http";
    public override int Runs => 2_000_000;
    public override IReadOnlyList<byte[]> Words { get; } =
    [
        [13, 10], [13, 10, 13, 10], [10], [(byte)':'], [0], .. Texts("GET ", "CONNECT ", "GET /\n", "Authorization: Basic ", "HTTP/1.1", "HTTP/1.1 100 ", "Content-Length: ", "Transfer-Encoding: chunked", "Host: ", "Upgrade: h2c", "0\r\n\r\n", "ffffffff", "\r\n "),
    ];

    static IEnumerable<byte[]> Texts(params string[] texts) => texts.Select(System.Text.Encoding.ASCII.GetBytes);

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
        seeds.SegmentsThat(p => HttpRequestHead.LooksLikeRequest(p) || HttpResponseHead.LooksLikeResponse(p)).Concat(Texts("5\r\nhello\r\n0\r\n\r\n", "a;b=c\r\n0123456789\r\n0\r\nX: y\r\n\r\n"));

    public override void Run(ReadOnlySpan<byte> input)
    {
        HttpRequestHead.TryRead(input, out HttpRequestHead request, out _, out _);
        _ = request.BasicCredentials.Length + (HttpRequestHead.TryReadCut(input, out request) ? request.BasicCredentials.Length + (request.IsPersistent ? 1 : 0) : 0);
        HttpResponseHead.TryRead(input, out _, out int head, out _);
        Http2FrameHeader.TryRead(input, out _);
        var chunks = new HttpChunkReader();
        ReadOnlySpan<byte> body = input[Math.Clamp(head, 0, input.Length)..];
        for (int rounds = 0; !body.IsEmpty && !chunks.IsComplete && chunks.Fault == DecodeFault.None; rounds++)
        {
            int n = chunks.Read(body);
            if (n < 0 || n > body.Length) throw new InvalidOperationException($"the chunk reader took {n} of {body.Length} bytes");
            body = body[n..];
            long skipped = chunks.Skip(Math.Min(chunks.SkipLength, body.Length));
            body = body[(int)skipped..];
            if (n == 0 && skipped == 0) break;
            if (rounds > input.Length) throw new InvalidOperationException("the chunk reader goes round without end");
        }
    }
}

/// <summary>QUIC's long headers, and the frames of an Initial packet that has been opened.</summary>
sealed class QuicTarget : Target
{
    public override string Name => "quic";
    public override int Runs => 2_000_000;
    public override IReadOnlyList<byte[]> Words { get; } = [[0xC0, 0, 0, 0, 1], [0xC3, 0x6B, 0x33, 0x43, 0xCF], [0x06, 0], [0x40, 0x00], [0x7F, 0xFF], [0xBF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x02], [0x1C]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => seeds.DatagramsOf(443, 80).Append([0x06, 0, 4, 1, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0]);

    public override void Run(ReadOnlySpan<byte> input)
    {
        ReadOnlySpan<byte> rest = input;
        int rounds = 0;
        while (QuicInitial.TryNext(ref rest, out _))
        {
            if (++rounds > input.Length) throw new InvalidOperationException("packets without end in one datagram");
        }
        var frames = new QuicFrames(input);
        for (rounds = 0; frames.MoveNext(); rounds++)
        {
            _ = frames.Data.Length;
            if (rounds > input.Length) throw new InvalidOperationException("frames without end in one packet");
        }
    }
}
