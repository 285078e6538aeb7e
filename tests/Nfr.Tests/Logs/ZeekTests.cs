using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

public sealed class ZeekTests
{
    static readonly System.Text.Json.JsonSerializerOptions s_plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static LineBed Bed(LineOptions? options = null) => new(new ZeekParser(options ?? new LineOptions()));

    static LineBed Read(string text) => Bed().Text(text);

    static string One(string text)
    {
        LineBed bed = Read(text);
        Assert.True(bed.Events.Count == 1, string.Join(' ', bed.Verdicts));
        return bed.Events[0];
    }

    static string Dns(string line) => One(ZeekSamples.Head + "#path\tdns\n" + ZeekSamples.DnsFields + line);

    static string Conn(string line) => One(ZeekSamples.Head + "#path\tconn\n" + ZeekSamples.ConnFields + line);

    static string Http(string line) => One(ZeekSamples.Head + "#path\thttp\n" + ZeekSamples.HttpFields + line);

    [Fact]
    public void A_dns_line_is_a_query_with_its_answer()
    {
        Assert.Equal(
            """{"type":"dns","ts":"2023-11-14T22:13:20.123456Z","srcIP":"10.0.0.5","query":"www.example.com","qtype":"A","communityId":"1:8AqY0KTYiH6o9Ej9ZKR8QH4w2uU=","rcode":"NOERROR","answers":[{"type":"CNAME","ttl":300,"data":"web.example.net"},{"type":"A","ttl":60,"data":"192.0.2.7"}],"id":4660,"flags":33152,"transport":"udp","srcPort":40000,"destIP":"10.0.0.1","destPort":53}""",
            System.Text.RegularExpressions.Regex.Replace(Dns(ZeekSamples.Dns), "1:[^\"]+", "1:8AqY0KTYiH6o9Ej9ZKR8QH4w2uU="));
    }

    [Fact]
    public void A_connections_bytes_are_those_of_the_IP_layer_each_way_once()
    {
        string line = Conn(ZeekSamples.Conn);
        Assert.Contains("\"bytesIn\":9500,\"bytesOut\":1100", line, StringComparison.Ordinal);
        Assert.Contains("\"duration\":1.500001,\"packetsIn\":12,\"packetsOut\":10,\"tcpFlags\":\"FSA\",\"state\":\"SF\",\"app\":\"tls\"", line, StringComparison.Ordinal);
        Assert.DoesNotContain("notes", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_bytes_of_the_IP_layer_the_payloads_count()
    {
        string line = One("#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\tconn_state\n1700000000.5\t10.0.0.5\t1\t192.0.2.7\t2\tudp\t70\t-\tS0");
        Assert.Contains("\"bytesIn\":0,\"bytesOut\":70", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("www.example.com:8080", "/a", "GET", "http://www.example.com:8080/a")]
    [InlineData("-", "/a", "GET", "http://192.0.2.7:8080/a")]
    [InlineData("proxy", "http://other.example/x", "GET", "http://other.example/x")]
    [InlineData("-", "mail.example:25", "CONNECT", "mail.example:25")]
    [InlineData("h", "*", "OPTIONS", "http://h*")]
    [InlineData("h", "-", "-", "http://h")]
    public void A_URL_is_made_as_the_decoder_makes_it(string host, string uri, string method, string url)
    {
        string line = Http(ZeekSamples.Http.Replace("www.example.com:8080\t/a?b=c", host + "\t" + uri, StringComparison.Ordinal).Replace("GET", method, StringComparison.Ordinal));
        Assert.Contains($"\"url\":\"{url}\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_without_a_status_is_an_event() =>
        Assert.Contains("\"status\":0,", Http(ZeekSamples.Http.Replace("\t200\t", "\t-\t", StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void A_user_of_basic_authentication_is_a_password_in_the_clear()
    {
        string line = Http(ZeekSamples.Http.Replace("\t200\t-\t-\t", "\t401\tann\t<x>\t", StringComparison.Ordinal));
        Assert.Contains("\"notes\":[\"cleartextCredentials\",\"loginFailed\"]", line, StringComparison.Ordinal);
        Assert.DoesNotContain("<x>", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_response_whose_request_was_not_seen_is_skipped_for_its_URL() =>
        Assert.Equal(1, Read(ZeekSamples.Head + "#path\thttp\n" + ZeekSamples.HttpFields + ZeekSamples.Http.Replace("GET\twww.example.com:8080\t/a?b=c", "-\t-\t-", StringComparison.Ordinal)).Count(LineVerdict.Url));

    [Theory]
    [InlineData("x509", "fingerprint", "aa11")]
    [InlineData("x509", "id", "aa11")]
    public void A_handshake_takes_the_certificate_that_x509_told_of(string path, string name, string key)
    {
        var options = new LineOptions();
        Bed(options).Text(ZeekSamples.Head + $"#path\t{path}\n#fields\tts\t{name}\tcertificate.subject\tcertificate.issuer\tcertificate.not_valid_before\tcertificate.not_valid_after\tsan.dns\n"
            + $"1700000000.0\t{key}\tCN=www.example.com,O=A\\\\, Inc\tCN=CA\t1600000000.000000\t253402300799.000000\twww.example.com,example.com");
        LineBed ssl = Bed(options).Text(ZeekSamples.Head + "#path\tssl\n" + ZeekSamples.SslFields + ZeekSamples.Ssl);
        Assert.Contains(
            "\"issuer\":\"CN=CA\",\"subject\":\"CN=www.example.com,O=A\\\\, Inc\",\"validFrom\":\"2020-09-13T12:26:40Z\",\"validTo\":\"9999-12-31T23:59:59Z\",\"ja3\":\"0123456789abcdef0123456789abcdef\",\"ja3s\":\"fedcba9876543210fedcba9876543210\"",
            ssl.Events[0], StringComparison.Ordinal);
        Assert.Contains("\"sni\":\"www.example.com\",\"version\":\"TLS 1.2\",\"serverAlpn\":\"h2\",\"san\":[\"www.example.com\",\"example.com\"],\"notes\":[\"resumed\",\"clientCertificateRequested\"]", ssl.Events[0], StringComparison.Ordinal);
    }

    [Fact]
    public void An_older_Zeek_says_a_certificates_SHA1_in_files()
    {
        const string sha1 = "00112233445566778899aabbccddeeff00112233";
        var options = new LineOptions();
        Bed(options).Text($"#path\tfiles\n#fields\tts\tfuid\tsource\tsha1\n1.0\tFa\tSSL\t{sha1}\n1.0\tFb\tHTTP\t{sha1}");
        Bed(options).Text("#path\tx509\n#fields\tts\tid\tcertificate.subject\n1.0\tFa\tCN=a");
        Assert.Equal(1, options.Certificates.Count);
        string line = Bed(options).Text("#path\tssl\n#fields\tts\tid.orig_h\tid.resp_h\tserver_name\tcert_chain_fuids\n1.0\t10.0.0.1\t10.0.0.2\ta\tFa,Fc").Events[0];
        Assert.Contains($"\"certHash\":\"{sha1}\",\"subject\":\"CN=a\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_versions_wrote_the_certificates_names_into_ssl()
    {
        string line = One("#path\tssl\n#fields\tts\tid.orig_h\tid.resp_h\tversion\tcipher\tserver_name\tsession_id\tsubject\tissuer_subject\tnot_valid_before\tnot_valid_after\n1300000000.5\t10.0.0.1\t10.0.0.2\tTLSv10\tX\ta.example\t-\tCN=a\tCN=b\t1200000000.0\t1400000000.0");
        Assert.Contains("\"issuer\":\"CN=b\",\"subject\":\"CN=a\",\"validFrom\":\"2008-01-10T21:20:00Z\",\"validTo\":\"2014-05-13T16:53:20Z\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_may_change_in_the_middle_and_say_where_it_stands()
    {
        LineBed bed = Bed();
        bed.Text(ZeekSamples.Head + "#path\tdns\n#fields\tts\tid.orig_h\tquery\tqtype_name\n1.5\t10.0.0.1\ta.example\tA");
        Assert.Equal(0, bed.Parser.HeaderAt);
        long at = bed.Verdicts.Count;
        Assert.Equal(LineVerdict.Columns, bed.Line("1.5\ttoo few"));
        bed.Line("#close\t2020-01-01-00-00-00");
        string second = ZeekSamples.Head + "#path\tdns\n#fields\tqtype_name\tquery\tid.orig_h\tts\tnew_one\nA\tb.example\t10.0.0.2\t2.5\tx";
        long before = bed.Parser.HeaderAt;
        bed.Text(second);
        Assert.True(bed.Parser.HeaderAt > before);
        Assert.Contains("\"srcIP\":\"10.0.0.2\",\"query\":\"b.example\",\"qtype\":\"A\"", bed.Events[1], StringComparison.Ordinal);
    }

    [Fact]
    public void From_its_header_on_a_file_can_be_taken_up_in_the_middle()
    {
        string header = ZeekSamples.Head + "#path\tdns\n#open\t2023-11-14-22-00-00\n" + ZeekSamples.DnsFields + "#types\ttime\n";
        byte[] file = Encoding.UTF8.GetBytes("#close\n" + header + ZeekSamples.Dns + "\n" + ZeekSamples.Dns + "\n");
        var first = new ZeekParser(new LineOptions());
        var sink = new LineBed(first);
        sink.Text(Encoding.UTF8.GetString(file));
        Assert.Equal("#close\n".Length, first.HeaderAt);
        LineBed second = Bed().Text(Encoding.UTF8.GetString(file[(int)first.HeaderAt..]).Split(ZeekSamples.Dns)[0]);
        second.Line(ZeekSamples.Dns);
        Assert.Equal(sink.Events[1], second.Events[0]);
    }

    [Fact]
    public void Another_file_needs_a_header_of_its_own()
    {
        LineBed bed = Read("#path\tdns\n" + ZeekSamples.DnsFields + ZeekSamples.Dns);
        bed.Parser.Restart();
        Assert.Equal(-1, bed.Parser.HeaderAt);
        Assert.Equal(LineVerdict.NoHeader, bed.Line(ZeekSamples.Dns));
    }

    [Theory]
    [InlineData("\\x7c", "|")]
    [InlineData("\\t", "\t")]
    [InlineData(",", ",")]
    [InlineData("\\x7c\\x7c", "||")]
    public void The_separator_is_what_the_header_says(string said, string separator)
    {
        string text = $"#separator {said}\n#set_separator{separator};\n#empty_field{separator}EMPTY\n#unset_field{separator}NONE\n#path{separator}dns\n"
            + string.Join(separator, "#fields", "ts", "id.orig_h", "query", "qtype_name", "answers", "TTLs") + "\n"
            + string.Join(separator, "1.5", "10.0.0.1", "a.example", "A", "192.0.2.1;192.0.2.2", "1.0;2.0") + "\n"
            + string.Join(separator, "1.5", "10.0.0.1", "EMPTY", "NS", "EMPTY", "NONE") + "\n"
            + string.Join(separator, "1.5", "10.0.0.1", "NONE", "A", "NONE", "NONE");
        LineBed bed = Read(text);
        Assert.Contains("\"answers\":[{\"type\":\"A\",\"ttl\":1,\"data\":\"192.0.2.1\"},{\"type\":\"A\",\"ttl\":2,\"data\":\"192.0.2.2\"}]", bed.Events[0], StringComparison.Ordinal);
        // The root's name is empty.
        Assert.Contains("\"query\":\".\",\"qtype\":\"NS\"", bed.Events[1], StringComparison.Ordinal);
        Assert.Equal(LineVerdict.Query, bed.Verdicts[^1]);
    }

    [Fact]
    public void Empty_columns_at_the_end_are_columns()
    {
        LineBed bed = Read("#path\tdns\n#fields\tts\tid.orig_h\tquery\tqtype_name\ta\tb\n1.5\t10.0.0.1\ta.example\tA\t\t\n1.5\t10.0.0.1\ta.example\tA\t");
        Assert.Single(bed.Events);
        Assert.Equal(LineVerdict.Columns, bed.Verdicts[^1]);
    }

    [Theory]
    [InlineData("a\\x20b.example", "a\\032b.example")]
    [InlineData("a\\\\b.example", "a\\\\b.example")]
    [InlineData("\\xff.example", "\\255.example")]
    [InlineData("example.", "example")]
    [InlineData("\\x2d", "-")]
    public void Names_have_the_decoders_form(string written, string name) =>
        Assert.Contains($"\"query\":\"{name.Replace("\\", "\\\\", StringComparison.Ordinal)}\"", Dns(ZeekSamples.Dns.Replace("www.example.com", written, StringComparison.Ordinal)), StringComparison.Ordinal);

    [Theory]
    [InlineData("5353", "mdns")]
    [InlineData("5355", "llmnr")]
    [InlineData("137", "nbns")]
    public void The_port_says_which_kind_of_name_service_it_is(string port, string service) =>
        Assert.Contains($"\"service\":\"{service}\"", Dns(ZeekSamples.Dns.Replace("\t53\tudp", $"\t{port}\tudp", StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void A_query_without_an_answer_has_no_code() =>
        Assert.DoesNotContain("rcode", Dns(ZeekSamples.Dns.Replace("0\tNOERROR", "-\t-", StringComparison.Ordinal)), StringComparison.Ordinal);

    [Theory]
    [InlineData("TXT 5 a \"b\\x2cTXT 2 cd", "[{\"type\":\"TXT\",\"ttl\":300,\"data\":\"TXT 5 a \\\"b,TXT 2 cd\"}]")]
    [InlineData("TXT 5 hello TXT 2 c\\x01", "[{\"type\":\"TXT\",\"ttl\":300,\"data\":\"\\\"hello\\\" \\\"c\\\\001\\\"\"}]")]
    [InlineData("RRSIG 1 example.com,2001:db8::1", "[{\"type\":\"RRSIG\",\"ttl\":300,\"data\":\"RRSIG 1 example.com\"},{\"type\":\"AAAA\",\"ttl\":60,\"data\":\"2001:db8::1\"}]")]
    public void Answers_have_the_types_that_their_texts_tell(string answers, string expected)
    {
        string line = Dns(ZeekSamples.Dns.Replace("web.example.net,192.0.2.7", answers, StringComparison.Ordinal).Replace("\t1\tA\t", "\t16\tTXT\t", StringComparison.Ordinal));
        Assert.Equal(expected, System.Text.Json.Nodes.JsonNode.Parse(line)!["answers"]!.ToJsonString(s_plain));
    }

    [Theory]
    [InlineData("#path\thttp-2\n", true)]
    [InlineData("#path\thttp_eth0\n", true)]
    [InlineData("#path\t/logs/http\n", true)]
    [InlineData("", true)]
    [InlineData("#path\thttpx\n", false)]
    [InlineData("#path\tnotice\n", false)]
    public void A_log_is_told_by_its_path_or_its_columns(string path, bool isEvent) =>
        Assert.Equal(isEvent ? LineVerdict.Event : LineVerdict.Other, Read(ZeekSamples.Head + path + ZeekSamples.HttpFields + ZeekSamples.Http).Verdicts[^1]);

    [Fact]
    public void Connections_told_of_ahead_of_their_end_are_not_counted_twice() =>
        Assert.Equal(LineVerdict.Other, Read("#path\tconn_long\n" + ZeekSamples.ConnFields + ZeekSamples.Conn).Verdicts[^1]);

    [Theory]
    [InlineData("ssl,smtp", "smtp", true)]
    [InlineData("-ssl,http", "http", false)]
    [InlineData("gssapi,smb,ntlm", "smb", false)]
    [InlineData("quic,ssl", "quic", true)]
    public void Of_several_services_the_one_that_carries_is_named(string service, string app, bool secure)
    {
        string line = Conn(ZeekSamples.Conn.Replace("\tssl\t", $"\t{service}\t", StringComparison.Ordinal));
        Assert.Contains($"\"app\":\"{app}\"", line, StringComparison.Ordinal);
        Assert.Equal(secure, line.Contains("startTls", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ShADad", "SA", "")]
    [InlineData("Da", "A", "midstream")]
    [InlineData("C", "", "")]
    [InlineData("^hADr", "SRA", "")]
    public void History_says_flags_and_where_it_began(string history, string flags, string note)
    {
        string line = Conn(ZeekSamples.Conn.Replace("ShADadFf", history, StringComparison.Ordinal));
        Assert.Contains($"\"tcpFlags\":\"{flags}\"", line, StringComparison.Ordinal);
        Assert.Equal(note.Length > 0, line.Contains("midstream", StringComparison.Ordinal));
    }

    [Fact]
    public void Missed_bytes_belong_to_the_side_whose_gap_the_history_tells()
    {
        string line = Conn(ZeekSamples.Conn.Replace("\t0\tShADadFf", "\t500\tShADadgFf", StringComparison.Ordinal));
        Assert.Contains("\"notes\":[\"missedBytes\"],\"missedIn\":500", line, StringComparison.Ordinal);
        Assert.DoesNotContain("missedOut", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fe80::1%eth0", "135", "ff02::1", "136", "icmp", "58", "icmp6")]
    [InlineData("10.0.0.1", "8", "10.0.0.2", "0", "icmp", "1", "icmp")]
    [InlineData("10.0.0.1", "0", "224.0.0.5", "0", "unknown_transport", "89", "89")]
    public void ICMP_has_types_for_ports_and_other_protocols_their_number(string source, string sourcePort, string destination, string destinationPort, string proto, string number, string expected)
    {
        string line = Conn($"1.5\tCa\t{source}\t{sourcePort}\t{destination}\t{destinationPort}\t{proto}\t-\t-\t-\t-\tOTH\tT\tT\t0\t-\t1\t64\t0\t0\t-\t{number}");
        Assert.Contains($"\"srcIP\":\"{source.Split('%')[0]}\",\"srcPort\":{sourcePort},\"destIP\":\"{destination}\",\"destPort\":{destinationPort},\"proto\":\"{expected}\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ts", LineVerdict.Timestamp)]
    [InlineData("10.0.0.5", LineVerdict.Source)]
    [InlineData("192.0.2.7", LineVerdict.Destination)]
    public void What_an_event_cannot_do_without_is_the_reason_for_the_skip(string what, LineVerdict verdict)
    {
        string value = what == "ts" ? "1700000000.123456" : what;
        foreach (string bad in (string[])["-", "x", ""])
        {
            Assert.Equal(verdict, Read("#path\tconn\n" + ZeekSamples.ConnFields + ZeekSamples.Conn.Replace(value, bad, StringComparison.Ordinal)).Verdicts[^1]);
        }
    }

    [Fact]
    public void What_was_not_asked_for_is_not_read()
    {
        LineBed bed = Bed(new LineOptions { Types = LineOptions.TypesOf("http") });
        bed.Text("#path\tdns\n" + ZeekSamples.DnsFields + ZeekSamples.Dns + "\n{\"_path\":\"conn\",\"ts\":1.5}");
        Assert.Equal([LineVerdict.Unwanted, LineVerdict.Unwanted], bed.Verdicts[^2..]);
        Assert.Empty(bed.Events);
    }
}
