using System.Buffers;
using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

public sealed class EventJsonTests
{
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _output = new();

    static byte[] Answers()
    {
        Span<byte> buffer = stackalloc byte[256];
        var writer = new DnsAnswerWriter(buffer);
        "cdn.example.com"u8.CopyTo(writer.TextSpace);
        writer.Commit(5, 300, 15);
        "1.2.3.4"u8.CopyTo(writer.TextSpace);
        writer.Commit(1, 60, 7);
        return writer.Written.ToArray();
    }

    static DnsEvent Dns(ReadOnlySpan<byte> answers) => new()
    {
        Context = Make.Context() with { Vlan = 12 },
        Query = "www.Example.com"u8,
        QueryType = 1,
        ResponseCode = 0,
        Answers = answers,
    };

    static IpEvent Ip() => new()
    {
        Context = Make.Context(protocol: 6, destinationPort: 443),
        BytesIn = 744,
        BytesOut = 1376,
        PacketsIn = 5,
        PacketsOut = 6,
        Duration = 1_250_000_000,
        TcpFlags = 0x1B,
        State = ConnectionState.SF,
        App = App.Tls,
        Notes = FlowNotes.MissedBytes | FlowNotes.ActiveTimeout,
        Ja3 = "4d7a28d6f2263ed61de88ca66eb011e3"u8,
    };

    static HttpEvent Http() => new()
    {
        Context = Make.Context(protocol: 6, destinationPort: 80),
        Url = "http://a.b/c?d=<e>&f='g'"u8,
        Host = "a.b"u8,
        Method = "GET"u8,
        Status = 200,
        BytesIn = 10,
        BytesOut = 0,
        ContentType = "text/html"u8,
        Referrer = "http://x/"u8,
        UserAgent = "curl/8.0 \"q\" \\"u8,
        Notes = FlowNotes.CleartextCredentials,
    };

    static TlsEvent Tls() => new()
    {
        Context = Make.Context(protocol: 6, destinationPort: 443),
        Sni = "a.b"u8,
        Version = 0x0303,
        Ja3 = "4d7a28d6f2263ed61de88ca66eb011e3"u8,
        Ja3s = "ec74a5c51106f0419184d0dd08fb05bc"u8,
        Ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"u8,
        CertificateHash = "da39a3ee5e6b4b0d3255bfef95601890afd80709"u8,
        Issuer = "CN=Ca"u8,
        Subject = "CN=a.b"u8,
        ValidFrom = 1_535_967_587,
        ValidTo = 1_567_503_587,
        Alpn = "h2"u8,
    };

    string Text()
    {
        string text = Make.Text(_output);
        _output.ResetWrittenCount();
        using JsonDocument document = JsonDocument.Parse(text);
        Assert.DoesNotContain('\n', text);
        return text;
    }

    [Fact]
    public void A_dns_event_has_the_apis_keys_then_ours()
    {
        DnsEvent e = Dns(Answers());
        _json.WriteUpload(e, _output);
        Assert.Equal("""{"ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","query":"www.Example.com","qtype":"A"}""", Text());
        _json.WriteLine(e, _output);
        Assert.Equal(
            """{"type":"dns","ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","query":"www.Example.com","qtype":"A","communityId":""" + "\""
            + Community(e.Context)
            + "\"" + ""","vlan":12,"rcode":"NOERROR","answers":[{"type":"CNAME","ttl":300,"data":"cdn.example.com"},{"type":"A","ttl":60,"data":"1.2.3.4"}],"transport":"udp","srcPort":5000,"destIP":"1.1.1.1","destPort":53}""",
            Text());
    }

    [Fact]
    public void A_query_without_an_answer_has_no_rcode_and_a_log_line_no_server()
    {
        var e = new DnsEvent { Context = Make.Context(destination: "", protocol: 0, sourcePort: 0, destinationPort: 0), Query = "a"u8, QueryType = 65280, ResponseCode = -1 };
        _json.WriteLine(e, _output);
        Assert.Equal("""{"type":"dns","ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","query":"a","qtype":"TYPE65280"}""", Text());
    }

    [Fact]
    public void An_ip_event_has_the_apis_keys_then_ours()
    {
        IpEvent e = Ip();
        const string Api = "\"ts\":\"2018-09-03T09:39:47Z\",\"srcIP\":\"10.1.2.3\",\"srcPort\":5000,\"destIP\":\"1.1.1.1\",\"destPort\":443,\"proto\":\"tcp\",\"bytesIn\":744,\"bytesOut\":1376,\"ja3\":\"4d7a28d6f2263ed61de88ca66eb011e3\"";
        _json.WriteUpload(e, _output);
        Assert.Equal("{" + Api + "}", Text());
        _json.WriteLine(e, _output);
        Assert.Equal(
            "{\"type\":\"ip\"," + Api + ",\"communityId\":\"" + Community(e.Context) + "\",\"duration\":1.25,\"packetsIn\":5,\"packetsOut\":6,\"tcpFlags\":\"FSPA\",\"state\":\"SF\",\"app\":\"tls\",\"notes\":[\"missedBytes\",\"activeTimeout\"]}",
            Text());
    }

    [Theory]
    [InlineData(1, "icmp")]
    [InlineData(58, "icmp6")]
    [InlineData(47, "47")]
    [InlineData(0, "")]
    public void Every_api_key_is_there_when_nothing_is_known(byte protocol, string name)
    {
        var e = new IpEvent { Context = Make.Context(protocol: protocol) };
        _json.WriteUpload(e, _output);
        Assert.Equal(
            "{\"ts\":\"2018-09-03T09:39:47Z\",\"srcIP\":\"10.1.2.3\",\"srcPort\":5000,\"destIP\":\"1.1.1.1\",\"destPort\":53,\"proto\":\"" + name + "\",\"bytesIn\":0,\"bytesOut\":0,\"ja3\":\"\"}",
            Text());
        _json.WriteUpload(new HttpEvent { Context = Make.Context(protocol: 6) }, _output);
        Assert.Equal(
            """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","srcPort":5000,"url":"","method":"","status":0,"action":"","bytesIn":0,"bytesOut":0,"contentType":"","referrer":"","userAgent":""}""",
            Text());
        _json.WriteUpload(new DnsEvent { Context = Make.Context() }, _output);
        Assert.Equal("""{"ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","query":"","qtype":"TYPE0"}""", Text());
    }

    [Fact]
    public void An_http_event_has_the_apis_keys_then_ours_and_is_escaped_no_more_than_json_asks()
    {
        HttpEvent e = Http();
        const string Api = """
            "ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","srcPort":5000,"url":"http://a.b/c?d=<e>&f='g'","method":"GET","status":200,"action":"","bytesIn":10,"bytesOut":0,"contentType":"text/html","referrer":"http://x/","userAgent":"curl/8.0 \"q\" \\"
            """;
        _json.WriteUpload(e, _output);
        Assert.Equal("{" + Api + "}", Text());
        _json.WriteLine(e, _output);
        Assert.Equal(
            "{\"type\":\"http\"," + Api + ",\"communityId\":\"" + Community(e.Context) + "\",\"host\":\"a.b\",\"destIP\":\"1.1.1.1\",\"destPort\":80,\"notes\":[\"cleartextCredentials\"]}",
            Text());
    }

    [Fact]
    public void A_tls_event_leaves_out_what_it_has_not_seen()
    {
        TlsEvent e = Tls();
        const string Api = """
            "ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","srcPort":5000,"destIP":"1.1.1.1","destPort":443,"certHash":"da39a3ee5e6b4b0d3255bfef95601890afd80709","issuer":"CN=Ca","subject":"CN=a.b","validFrom":"2018-09-03T09:39:47Z","validTo":"2019-09-03T09:39:47Z","ja3":"4d7a28d6f2263ed61de88ca66eb011e3","ja3s":"ec74a5c51106f0419184d0dd08fb05bc"
            """;
        _json.WriteUpload(e, _output);
        Assert.Equal("{" + Api + "}", Text());
        _json.WriteLine(e, _output);
        Assert.Equal(
            "{\"type\":\"tls\"," + Api + ",\"communityId\":\"" + Community(e.Context) + "\",\"sni\":\"a.b\",\"version\":\"TLS 1.2\",\"ja4\":\"t13d1516h2_8daaf6152771_e5627efa2ab1\",\"alpn\":\"h2\"}",
            Text());
        var bare = new TlsEvent { Context = Make.Context(destination: "", protocol: 6, destinationPort: 0), ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
        _json.WriteUpload(bare, _output);
        Assert.Equal("""{"ts":"2018-09-03T09:39:47Z","srcIP":"10.1.2.3","srcPort":5000}""", Text());
    }

    static string Community(in EventContext c)
    {
        Span<byte> text = stackalloc byte[CommunityId.Length];
        return Encoding.ASCII.GetString(text[..CommunityId.Write(c.Source, c.Destination, c.SourcePort, c.DestinationPort, c.Protocol, 0, text)]);
    }

    [Theory]
    [InlineData("E9", "é")]                    // ISO 8859-1
    [InlineData("C3A9", "é")]                  // UTF-8
    [InlineData("61C3", "aÃ")]                 // cut off
    [InlineData("EDA080", "í\u00a0\u0080")]    // half a surrogate pair
    [InlineData("F09F9880", "😀")]
    [InlineData("C080", "À\u0080")]            // overlong
    [InlineData("00", "\0")]
    [InlineData("0A22", "\n\"")]
    [InlineData("E280A8", "\u2028")]
    public void Bytes_that_are_no_utf8_are_read_as_latin_1(string hex, string expected)
    {
        byte[] bytes = Convert.FromHexString(hex);
        _json.WriteUpload(new DnsEvent { Context = Make.Context(), Query = bytes }, _output);
        using JsonDocument document = JsonDocument.Parse(Text());
        Assert.Equal(expected, document.RootElement.GetProperty("query").GetString());
        Assert.Equal(expected, Utf8Text.ToString(bytes));
    }

    [Fact]
    public void Random_bytes_in_every_text_give_one_line_of_json()
    {
        var random = new Random(3);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bytes = new byte[random.Next(300)];
            random.NextBytes(bytes);
            var http = new HttpEvent { Context = Make.Context(protocol: 6), Url = bytes, Host = bytes, Method = bytes, ContentType = bytes, Referrer = bytes, UserAgent = bytes };
            _json.WriteLine(http, _output);
            Text();
            var tls = new TlsEvent { Context = Make.Context(protocol: 6), Sni = bytes, Issuer = bytes, Subject = bytes, Alpn = bytes, ValidFrom = random.NextInt64(), ValidTo = -random.NextInt64() };
            _json.WriteLine(tls, _output);
            Text();
            _json.WriteLine(new DnsEvent { Context = Make.Context(), Query = bytes, Answers = bytes }, _output);
            Text();
        }
    }

    [Fact]
    public void An_event_line_allocates_nothing()
    {
        byte[] answers = Answers();
        byte[] broken = [0xC3, 0x28, 0xFF, (byte)'"'];
        void Write()
        {
            _output.ResetWrittenCount();
            _json.WriteLine(Dns(answers), _output);
            _json.WriteUpload(Dns(answers), _output);
            _json.WriteLine(Ip(), _output);
            _json.WriteUpload(Ip(), _output);
            _json.WriteLine(Http() with { Referrer = broken }, _output);
            _json.WriteUpload(Http(), _output);
            _json.WriteLine(Tls(), _output);
            _json.WriteUpload(Tls(), _output);
        }
        Assert.Equal(0, Allocation.Of(Write));
    }

    [Fact]
    public void A_line_as_a_text_is_the_same_line()
    {
        _json.WriteLine(Tls(), _output);
        Assert.Equal(Text(), _json.ToText(Tls()));
        Assert.StartsWith("{\"type\":\"ip\",", _json.ToText(Ip()), StringComparison.Ordinal);
        Assert.StartsWith("{\"type\":\"http\",", _json.ToText(Http()), StringComparison.Ordinal);
        Assert.StartsWith("{\"type\":\"dns\",", _json.ToText(Dns(default)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "NXDOMAIN")]
    [InlineData(5, "REFUSED")]
    [InlineData(23, "BADCOOKIE")]
    [InlineData(3841, "RCODE3841")]
    public void Response_codes_have_their_iana_names(ushort code, string expected)
    {
        Span<byte> scratch = stackalloc byte[DnsResponseCodes.MaxNameLength];
        Assert.Equal(expected, Encoding.ASCII.GetString(DnsResponseCodes.Name(code, scratch)));
    }

    [Theory]
    [InlineData(0x0304, "TLS 1.3")]
    [InlineData(0x0300, "SSL 3.0")]
    [InlineData(0xFEFD, "DTLS 1.2")]
    [InlineData(0x7F1C, "0x7f1c")]
    [InlineData(0, "")]
    public void Tls_versions_have_names(ushort version, string expected)
    {
        Span<byte> scratch = stackalloc byte[8];
        Assert.Equal(expected, Encoding.ASCII.GetString(WireNames.TlsVersion(version, scratch)));
    }
}
