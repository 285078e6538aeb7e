using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Logs.Suricata;

namespace Nfr.Tests.Logs.Suricata;

/// <summary>flow, http, tls, quic, and what all records have.</summary>
public class EveRecordTests
{
    const string Tuple = "\"src_ip\":\"10.0.0.5\",\"src_port\":40000,\"dest_ip\":\"198.51.100.7\",\"dest_port\":80,\"proto\":\"TCP\"";

    static string Line(string type, string rest, string tuple = Tuple, string time = "2026-03-01T10:00:09.250000+0000") => $$"""{"timestamp":"{{time}}","flow_id":1,"event_type":"{{type}}",{{tuple}},{{rest}}}""";

    static EveBed Read(string line) => new EveBed().ReadAll([line]);

    const string Flow = "\"app_proto\":\"http\",\"flow\":{\"pkts_toserver\":6,\"pkts_toclient\":5,\"bytes_toserver\":900,\"bytes_toclient\":4000,\"start\":\"2026-03-01T10:00:00.500000+0000\",\"end\":\"2026-03-01T10:00:03.000000+0000\",\"age\":3,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false}";

    [Fact]
    public void A_flow_is_an_ip_event_of_its_beginning()
    {
        EveBed bed = Read(Line("flow", Flow + ",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"state\":\"closed\"}"));
        JsonElement e = bed.Only;
        Assert.Equal("2026-03-01T10:00:00.5Z", e.GetProperty("ts").GetString());
        Assert.Equal((4000, 900, 5, 6), (e.GetProperty("bytesIn").GetInt32(), e.GetProperty("bytesOut").GetInt32(), e.GetProperty("packetsIn").GetInt32(), e.GetProperty("packetsOut").GetInt32()));
        Assert.Equal(("SF", "http", "FSPA", 2.5), (e.GetProperty("state").GetString(), e.GetProperty("app").GetString(), e.GetProperty("tcpFlags").GetString(), e.GetProperty("duration").GetDouble()));
        // Its tick is its beginning's, on the clock that stands at its end.
        Assert.Equal(bed.Contexts[0].Context.Timestamp, bed.Contexts[0].Context.Tick);
    }

    [Theory]
    [InlineData("02", "00", "S0")]
    [InlineData("06", "00", "RSTOS0")]
    [InlineData("03", "00", "SH")]
    [InlineData("02", "14", "REJ")]
    [InlineData("1a", "12", "S1")]
    [InlineData("1b", "12", "S2")]
    [InlineData("1a", "13", "S3")]
    [InlineData("1e", "12", "RSTO")]
    [InlineData("1a", "16", "RSTR")]
    [InlineData("1b", "1b", "SF")]
    [InlineData("00", "16", "RSTRH")]
    [InlineData("00", "13", "SHR")]
    [InlineData("10", "10", "OTH")]
    public void A_tcp_flows_state_follows_from_the_flags_of_each_side(string client, string server, string state)
    {
        JsonElement e = Read(Line("flow", Flow + $",\"tcp\":{{\"tcp_flags_ts\":\"{client}\",\"tcp_flags_tc\":\"{server}\"}}")).Only;
        Assert.Equal(state, e.GetProperty("state").GetString());
        Assert.Equal(state == "OTH", e.TryGetProperty("notes", out JsonElement notes) && notes[0].GetString() == "midstream");
    }

    [Theory]
    [InlineData("\"proto\":\"UDP\"", 1, 1, "udp", "SF")]
    [InlineData("\"proto\":\"UDP\"", 1, 0, "udp", "S0")]
    [InlineData("\"proto\":\"017\"", 1, 1, "udp", "SF")]
    [InlineData("\"proto\":\"IPv6-ICMP\"", 1, 1, "icmp6", "OTH")]
    [InlineData("\"proto\":\"SCTP\"", 1, 1, "132", "OTH")]
    [InlineData("\"proto\":\"253\"", 1, 1, "253", "OTH")]
    [InlineData("\"proto\":\"IP-in-IP\"", 1, 1, "4", "OTH")]
    public void Protocols_are_known_by_name_and_by_number(string proto, int there, int back, string expected, string state)
    {
        JsonElement e = Read(Line("flow", $"\"flow\":{{\"pkts_toserver\":{there},\"pkts_toclient\":{back}}}", $"\"src_ip\":\"2001:0db8:0000:0000:0000:0000:0000:0005\",\"dest_ip\":\"2001:db8::7\",{proto}")).Only;
        Assert.Equal((expected, state, "2001:db8::5"), (e.GetProperty("proto").GetString(), e.GetProperty("state").GetString(), e.GetProperty("srcIP").GetString()));
    }

    [Fact]
    public void Icmp_has_its_type_for_a_port_as_from_packets()
    {
        JsonElement e = Read(Line("flow", "\"icmp_type\":8,\"icmp_code\":0,\"flow\":{}", "\"src_ip\":\"10.0.0.5\",\"dest_ip\":\"198.51.100.7\",\"proto\":\"ICMP\"")).Only;
        Assert.Equal((8, 0, "icmp"), (e.GetProperty("srcPort").GetInt32(), e.GetProperty("destPort").GetInt32(), e.GetProperty("app").GetString()));
    }

    [Theory]
    [InlineData("krb5", "kerberos")]
    [InlineData("rfb", "vnc")]
    [InlineData("pgsql", "postgresql")]
    [InlineData("doh2", "doh")]
    [InlineData("ssh", "ssh")]
    [InlineData("ftp-data", "ftp-data")]
    [InlineData("failed", null)]
    [InlineData("template", null)]
    public void Applications_have_the_models_names(string app, string? expected)
    {
        JsonElement e = Read(Line("flow", $"\"app_proto\":\"{app}\",\"flow\":{{}}")).Only;
        Assert.Equal(expected, e.TryGetProperty("app", out JsonElement said) ? said.GetString() : null);
    }

    [Theory]
    [InlineData("\"hostname\":\"a.example\",\"url\":\"/x?y=//z\"", "http://a.example/x?y=//z", "a.example")]
    [InlineData("\"hostname\":\"a.example\",\"http_port\":8080,\"url\":\"/\"", "http://a.example:8080/", "a.example:8080")]
    [InlineData("\"hostname\":\"a.example:8080\",\"http_port\":8080,\"url\":\"/\"", "http://a.example:8080/", "a.example:8080")]
    [InlineData("\"hostname\":\"[::1]\",\"http_port\":81,\"url\":\"/\"", "http://[::1]:81/", "[::1]:81")]
    [InlineData("\"hostname\":\"a.example\",\"http_port\":80,\"url\":\"/\"", "http://a.example/", "a.example")]
    [InlineData("\"hostname\":\"proxy.example\",\"url\":\"http://b.example:81/c\"", "http://b.example:81/c", "b.example:81")]
    [InlineData("\"hostname\":\"b.example\",\"http_port\":443,\"http_method\":\"CONNECT\",\"url\":\"b.example:443\"", "b.example:443", "b.example")]
    [InlineData("\"url\":\"/only\"", "http://198.51.100.7/only", "198.51.100.7")]
    [InlineData("\"hostname\":\"a.example\",\"url\":\"*\"", "http://a.example/*", "a.example")]
    [InlineData("\"hostname\":\"a.example\"", "http://a.example/", "a.example")]
    [InlineData("\"url\":\"/h2\",\"version\":\"2\",\"request_headers\":[{\"name\":\":method\",\"value\":\"GET\"},{\"name\":\":authority\",\"value\":\"h2.example\"}]", "http://h2.example/h2", "h2.example")]
    [InlineData("\"hostname\":\"a.example\",\"url\":\"\\/q\\\"\\u00e9\"", "http://a.example/q\"é", "a.example")]
    public void An_http_record_gives_the_url_that_was_asked_for(string http, string url, string host)
    {
        JsonElement e = Read(Line("http", $"\"http\":{{{http}}}")).Only;
        Assert.Equal((url, host), (e.GetProperty("url").GetString(), e.GetProperty("host").GetString()));
    }

    [Theory]
    [InlineData("\"dest_ip\":\"2001:db8::7\",\"dest_port\":80", "http://[2001:db8::7]/")]
    [InlineData("\"dest_ip\":\"2001:db8::7\",\"dest_port\":8080", "http://[2001:db8::7]:8080/")]
    [InlineData("\"dest_ip\":\"198.51.100.7\",\"dest_port\":443", "https://198.51.100.7/")]
    public void Without_a_host_the_server_is_meant(string destination, string url) =>
        Assert.Equal(url, Read(Line("http", "\"http\":{\"url\":\"/\"}", $"\"src_ip\":\"2001:db8::5\",\"src_port\":40000,{destination},\"proto\":\"TCP\"")).Only.GetProperty("url").GetString());

    [Fact]
    public void An_http_record_has_what_both_sides_said()
    {
        JsonElement e = Read(Line("http", "\"vlan\":[20,30],\"http\":{\"hostname\":\"a.example\",\"url\":\"/\",\"http_user_agent\":\"ua\",\"http_content_type\":\"text/html\",\"http_refer\":\"http://r/\",\"http_method\":\"POST\",\"protocol\":\"HTTP/1.1\",\"status\":404,\"length\":178}")).Only;
        Assert.Equal(("POST", 404, 178, 0), (e.GetProperty("method").GetString(), e.GetProperty("status").GetInt32(), e.GetProperty("bytesIn").GetInt32(), e.GetProperty("bytesOut").GetInt32()));
        Assert.Equal(("text/html", "http://r/", "ua", 20), (e.GetProperty("contentType").GetString(), e.GetProperty("referrer").GetString(), e.GetProperty("userAgent").GetString(), e.GetProperty("vlan").GetInt32()));
    }

    [Theory]
    [InlineData("\"http\":{\"http_port\":0,\"url\":\"/libhtp::request_uri_not_seen\",\"status\":200,\"length\":0}")]
    [InlineData("\"http\":{\"version\":\"2\",\"http2\":{\"stream_id\":0,\"request\":{\"settings\":[]}}}")]
    public void A_record_without_a_request_is_no_event(string http)
    {
        EveBed bed = Read(Line("http", http));
        Assert.Empty(bed.Lines);
        Assert.Equal(1, bed.Verdicts[(int)LineVerdict.Other]);
    }

    [Fact]
    public void A_tls_record_gives_the_handshake()
    {
        JsonElement e = Read(Line("tls", "\"tls\":{\"subject\":\"CN=a.example\",\"issuerdn\":\"C=XX, CN=ca\",\"serial\":\"01\",\"fingerprint\":\"92:70:CF:e3:69:4b:1d:f4:e2:de:63:54:ec:df:40:db:f3:ac:d1:ca\",\"sni\":\"a.example\",\"version\":\"TLS 1.2\",\"notbefore\":\"2019-02-05T21:43:58\",\"notafter\":\"2021-02-05T22:13:57\",\"subjectaltname\":[\"a.example\",\"b.example\"],\"ja3\":{\"hash\":\"9f1a41f932f274fe47a992310a26a23a\",\"string\":\"771,1\"},\"ja3s\":{\"hash\":\"82f0d8a75fa483d1cfe4b7085b784d7e\"},\"ja4\":\"t12d1909h2_d83cc789557e_7af1ed941c26\",\"client_alpns\":[\"h2\",\"http/1.1\"],\"server_alpns\":[\"h2\"],\"session_resumed\":true,\"from_proto\":\"smtp\",\"client\":{\"subject\":\"CN=client\"}}")).Only;
        Assert.Equal("9270cfe3694b1df4e2de6354ecdf40dbf3acd1ca", e.GetProperty("certHash").GetString());
        Assert.Equal(("CN=a.example", "C=XX, CN=ca", "a.example", "TLS 1.2"), (e.GetProperty("subject").GetString(), e.GetProperty("issuer").GetString(), e.GetProperty("sni").GetString(), e.GetProperty("version").GetString()));
        Assert.Equal(("2019-02-05T21:43:58Z", "2021-02-05T22:13:57Z"), (e.GetProperty("validFrom").GetString(), e.GetProperty("validTo").GetString()));
        Assert.Equal(("9f1a41f932f274fe47a992310a26a23a", "82f0d8a75fa483d1cfe4b7085b784d7e", "t12d1909h2_d83cc789557e_7af1ed941c26"), (e.GetProperty("ja3").GetString(), e.GetProperty("ja3s").GetString(), e.GetProperty("ja4").GetString()));
        Assert.Equal(("h2", "h2", "[\"a.example\",\"b.example\"]", "[\"resumed\",\"upgraded\"]"), (e.GetProperty("alpn").GetString(), e.GetProperty("serverAlpn").GetString(), e.GetProperty("san").GetRawText(), e.GetProperty("notes").GetRawText()));
    }

    [Theory]
    [InlineData("\"2019-02-05T21:43:58\"", "2019-02-05T21:43:58Z")]
    [InlineData("\"2019-02-05T21:43:58Z\"", "2019-02-05T21:43:58Z")]
    [InlineData("\"2019-02-05T21:43:58.000000\"", "2019-02-05T21:43:58Z")]
    [InlineData("\"20190205214358Z\"", "2019-02-05T21:43:58Z")]
    [InlineData("\"190205214358Z\"", "2019-02-05T21:43:58Z")]
    [InlineData("\"700205214358Z\"", "1970-02-05T21:43:58Z")]
    [InlineData("\"1969-12-31T00:00:00\"", "1969-12-31T00:00:00Z")]
    [InlineData("\"9999-12-31T23:59:59\"", "9999-12-31T23:59:59Z")]
    [InlineData("1549403038", "2019-02-05T21:43:58Z")]
    [InlineData("\"yesterday at noon\"", null)]
    [InlineData("\"2019-13-05T21:43:58\"", null)]
    [InlineData("null", null)]
    public void A_certificates_dates_are_read_in_all_their_forms(string written, string? expected)
    {
        JsonElement e = Read(Line("tls", $"\"tls\":{{\"sni\":\"a\",\"notbefore\":{written}}}")).Only;
        Assert.Equal(expected, e.TryGetProperty("validFrom", out JsonElement from) ? from.GetString() : null);
    }

    [Theory]
    [InlineData("TLSv1", "TLS 1.0")]
    [InlineData("TLS 1.1", "TLS 1.1")]
    [InlineData("TLSv1.3", "TLS 1.3")]
    [InlineData("SSLv3", "SSL 3.0")]
    [InlineData("TLS 1.3 draft-28", "0x7f1c")]
    [InlineData("TLS 1.3 draft-26-fb", "0xfb1a")]
    [InlineData("TLS 1.3 draft-<16", "0x7f01")]
    [InlineData("UNDETERMINED", null)]
    public void Versions_have_the_models_names(string written, string? expected)
    {
        JsonElement e = Read(Line("tls", $"\"tls\":{{\"version\":\"{written}\"}}")).Only;
        Assert.Equal(expected, e.TryGetProperty("version", out JsonElement version) ? version.GetString() : null);
    }

    [Fact]
    public void A_hello_in_quic_is_a_tls_event_over_udp()
    {
        EveBed bed = Read(Line("quic", "\"quic\":{\"version\":\"1\",\"sni\":\"q.example\",\"ja3\":{\"hash\":\"9f1a41f932f274fe47a992310a26a23a\"},\"ja4\":\"q13d0310h3_55b375c5d22e_cd85d2d88918\",\"extensions\":[{\"name\":\"alpn\",\"type\":16,\"values\":[\"h3\"]}]}", Tuple.Replace("TCP", "UDP", StringComparison.Ordinal)));
        JsonElement e = bed.Only;
        Assert.Equal(("tls", "q.example", "TLS 1.3", "h3", 17), (e.GetProperty("type").GetString(), e.GetProperty("sni").GetString(), e.GetProperty("version").GetString(), e.GetProperty("alpn").GetString(), bed.Contexts[0].Context.Protocol));
        Assert.Equal(LineVerdict.Other, new EveBed().Read(Line("quic", "\"quic\":{\"version\":\"1\"}")));
    }

    [Theory]
    [InlineData("2018-09-03T09:39:47.123456+0200", 1535960387123456000)]
    [InlineData("2018-09-03T09:39:47.123456+02:00", 1535960387123456000)]
    [InlineData("2018-09-03T09:39:47.123456-0330", 1535980187123456000)]
    [InlineData("2018-09-03T09:39:47Z", 1535967587000000000)]
    [InlineData("2018-09-03T09:39:47.5", 1535960387500000000)]
    [InlineData("2018-12-03T09:39:47", 1543826387000000000)]
    [InlineData("2018-09-03 09:39:47", null)]
    [InlineData("03/09/2018-09:39:47.123456", null)]
    [InlineData("", null)]
    public void Stamps_are_read_with_every_offset_and_without_one(string written, long? nanoseconds)
    {
        var bed = new EveBed(new LineOptions { Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin") });
        LineVerdict verdict = bed.Read(Line("tls", "\"tls\":{}", time: written));
        if (nanoseconds is null && !written.Contains(' ', StringComparison.Ordinal)) Assert.Equal(LineVerdict.Timestamp, verdict);
        else if (nanoseconds is { } expected) Assert.Equal(expected, bed.Contexts[0].Context.Timestamp);
    }

    [Theory]
    [InlineData("anomaly")]
    [InlineData("stats")]
    [InlineData("fileinfo")]
    [InlineData("drop")]
    [InlineData("smb")]
    [InlineData("netflow")]
    [InlineData("")]
    public void Records_of_other_kinds_are_counted_as_such(string type) => Assert.Equal(LineVerdict.Other, new EveBed().Read(Line(type, "\"dns\":{},\"tls\":{},\"http\":{}")));

    [Theory]
    [InlineData("", LineVerdict.Header)]
    [InlineData("   ", LineVerdict.Header)]
    [InlineData("no json", LineVerdict.NotJson)]
    [InlineData("[]", LineVerdict.NotJson)]
    [InlineData("{}", LineVerdict.Other)]
    [InlineData("{}{}", LineVerdict.NotJson)]
    [InlineData("""{"event_type":"flow"}""", LineVerdict.Timestamp)]
    [InlineData("""{"event_type":"flow","timestamp":"2026-03-01T10:00:00Z"}""", LineVerdict.Source)]
    [InlineData("""{"event_type":"flow","timestamp":"2026-03-01T10:00:00Z","src_ip":"x"}""", LineVerdict.Source)]
    [InlineData("""{"event_type":"flow","timestamp":"2026-03-01T10:00:00Z","src_ip":"10.0.0.1"}""", LineVerdict.Destination)]
    [InlineData("""{"event_type":"tls","timestamp":"2026-03-01T10:00:00Z","src_ip":"10.0.0.1","dest_ip":"x","tls":{}}""", LineVerdict.Destination)]
    [InlineData("""{"event_type":"http","timestamp":"2026-03-01T10:00:00Z","src_ip":"10.0.0.1"}""", LineVerdict.Url)]
    public void What_is_the_matter_with_a_line_is_said(string line, LineVerdict verdict) => Assert.Equal(verdict, new EveBed().Read(line));

    public static TheoryData<string> Kinds =>
    [
        Line("flow", Flow + ",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}"),
        Line("http", "\"http\":{\"hostname\":\"a.example\",\"http_port\":81,\"url\":\"\\/q\\\"\\u00e9\",\"length\":178}"),
        Line("tls", "\"tls\":{\"sni\":\"a.example\",\"fingerprint\":\"92:70:cf:e3:69:4b:1d:f4:e2:de:63:54:ec:df:40:db:f3:ac:d1:ca\",\"subjectaltname\":[\"a\",\"b\"],\"notbefore\":\"2019-02-05T21:43:58\",\"ja3\":{\"hash\":\"9f1a41f932f274fe47a992310a26a23a\"}}"),
        Line("quic", "\"quic\":{\"sni\":\"q.example\",\"extensions\":[{\"name\":\"alpn\",\"values\":[\"h3\"]}]}"),
        Line("dns", "\"dns\":{\"type\":\"query\",\"id\":5,\"rrname\":\"b\\u00fc.example\",\"rrtype\":\"A\"}"),
        Line("dns", "\"dns\":{\"type\":\"answer\",\"id\":5,\"rcode\":\"NOERROR\",\"rrname\":\"a.example\",\"rrtype\":\"A\",\"ttl\":3,\"rdata\":\"192.0.2.1\"}"),
        Line("dns", "\"dns\":{\"version\":3,\"type\":\"response\",\"id\":5,\"rcode\":\"NOERROR\",\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"A\"}],\"answers\":[{\"rrtype\":\"SOA\",\"ttl\":3,\"soa\":{\"mname\":\"a\",\"serial\":1}}]}"),
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_line_cut_anywhere_is_no_json_and_a_wrong_byte_anywhere_harms_nothing(string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        var bed = new EveBed();
        for (int n = 1; n < bytes.Length; n++) Assert.Equal(LineVerdict.NotJson, bed.Read(bytes.AsSpan(0, n)));
        foreach (byte wrong in (ReadOnlySpan<byte>)[0, 0xFF, (byte)'"', (byte)'\\', (byte)'}', (byte)'9'])
        {
            for (int n = 0; n < bytes.Length; n++)
            {
                byte[] changed = [.. bytes];
                changed[n] = wrong;
                bed.Read(changed);
            }
        }
        bed.Parser.Release(bed);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nothing_is_allocated_per_line(string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        var parser = new EveParser(new LineOptions { Zone = TimeZoneInfo.Utc });
        var sink = new NoSink();
        // The table of waiting queries grows to its size first.
        for (int i = 0; i < 5000; i++) parser.Read(bytes, sink);
        Assert.Equal(0, Allocation.Of(() => parser.Read(bytes, sink)));
    }

    [Fact]
    public void A_line_of_a_megabyte_is_read_like_any_other()
    {
        string many = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"{{\"rrname\":\"n{i}.example\",\"rrtype\":\"A\",\"ttl\":{i},\"rdata\":\"192.0.2.1\"}}"));
        EveBed bed = Read(Line("dns", $"\"dns\":{{\"version\":2,\"type\":\"answer\",\"id\":5,\"rcode\":\"NOERROR\",\"rrname\":\"a.example\",\"rrtype\":\"A\",\"answers\":[{many}]}}"));
        Assert.Equal("a.example", bed.Only.GetProperty("query").GetString());
        Assert.Equal(LineVerdict.NotJson, new EveBed().Read(new string('{', 1 << 20)));
        Assert.Single(Read(Line("http", $"\"http\":{{\"url\":\"/{new string('a', 1 << 20)}\"}}")).Lines);
    }

    sealed class NoSink : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) { }
        public void OnIp(scoped in IpEvent e) { }
        public void OnHttp(scoped in HttpEvent e) { }
        public void OnTls(scoped in TlsEvent e) { }
        public void OnHost(scoped in HostEvent e) { }
        public void OnAnomaly(scoped in AnomalyEvent e) { }
    }
}
