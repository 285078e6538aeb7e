using Nfr.Logs;

namespace Nfr.Tests.Logs;

public sealed class ZeekJsonTests
{
    static LineBed Read(string text) => new LineBed(new ZeekParser(new LineOptions())).Text(text);

    static readonly string s_dns = Read("#path\tdns\n" + ZeekSamples.DnsFields + ZeekSamples.Dns).Events[0];

    const string Rest =
        "\"proto\":\"udp\",\"trans_id\":4660,\"rtt\":0.0099999904632568359,\"query\":\"www.example.com\",\"qclass\":1,\"qtype\":1,\"qtype_name\":\"A\",\"rcode\":0,\"rcode_name\":\"NOERROR\",\"AA\":false,\"TC\":false,\"RD\":true,\"RA\":true,\"Z\":0,\"answers\":[\"web.example.net\",\"192.0.2.7\"],\"TTLs\":[300.0,60.0],\"rejected\":false}";

    const string Flat = "\"uid\":\"Ca\",\"id.orig_h\":\"10.0.0.5\",\"id.orig_p\":40000,\"id.resp_h\":\"10.0.0.1\",\"id.resp_p\":53,";

    [Theory]
    [InlineData("{\"ts\":1700000000.123456,")]
    [InlineData("{\"ts\":\"2023-11-14T22:13:20.123456Z\",")]
    [InlineData("{\"ts\":\"2023-11-14T23:13:20.123456+0100\",")]
    [InlineData("{\"ts\":1.700000000123456e9,")]
    [InlineData("{\"_path\":\"dns\",\"_system_name\":\"s\",\"_write_ts\":1700000099.5,\"ts\":1700000000.123456,")]
    public void Stamps_of_all_forms_give_the_event_of_the_columns(string head) => Assert.Equal(s_dns, Assert.Single(Read(head + Flat + Rest).Events));

    [Theory]
    [InlineData("\"id\":{\"orig_h\":\"10.0.0.5\",\"orig_p\":40000,\"resp_h\":\"10.0.0.1\",\"resp_p\":53},")]
    [InlineData("\"id_orig_h\":\"10.0.0.5\",\"id_orig_p\":40000,\"id_resp_h\":\"10.0.0.1\",\"id_resp_p\":53,")]
    public void Ends_may_be_a_record_of_their_own(string id) => Assert.Equal(s_dns, Assert.Single(Read("{\"ts\":1700000000.123456," + id + Rest).Events));

    [Fact]
    public void Times_of_certificates_may_be_milliseconds()
    {
        LineBed bed = new(new ZeekParser(new LineOptions()));
        bed.Text("""
            {"_path":"x509","ts":1700000000123,"fingerprint":"aa11","certificate.subject":"CN=a","certificate.not_valid_before":1577836800000,"certificate.not_valid_after":253402300799000}
            {"_path":"ssl","ts":1700000000123,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","cert_chain_fps":["aa11"]}
            """);
        Assert.Contains("\"validFrom\":\"2020-01-01T00:00:00Z\",\"validTo\":\"9999-12-31T23:59:59Z\"", Assert.Single(bed.Events), StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_milliseconds_are_milliseconds() =>
        Assert.Contains("\"ts\":\"2023-11-14T22:13:20.123Z\"", Assert.Single(Read("{\"ts\":1700000000123," + Flat + Rest).Events), StringComparison.Ordinal);

    [Fact]
    public void A_connection_of_JSON_is_that_of_the_columns()
    {
        string expected = Read("#path\tconn\n" + ZeekSamples.ConnFields + ZeekSamples.Conn).Events[0];
        const string json = """{"ts":1700000000.123456,"uid":"Ca","id.orig_h":"10.0.0.5","id.orig_p":40000,"id.resp_h":"192.0.2.7","id.resp_p":443,"proto":"tcp","service":"ssl","duration":1.5000009536743164,"orig_bytes":700,"resp_bytes":9000,"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShADadFf","orig_pkts":10,"orig_ip_bytes":1100,"resp_pkts":12,"resp_ip_bytes":9500,"ip_proto":6}""";
        Assert.Equal(expected, Assert.Single(Read(json).Events));
        Assert.Contains("\"duration\":0.000072,", Assert.Single(Read(json.Replace("1.5000009536743164", "7.200241088867188e-05", StringComparison.Ordinal)).Events), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_of_JSON_is_that_of_the_columns()
    {
        string expected = Read("#path\thttp\n" + ZeekSamples.HttpFields + ZeekSamples.Http).Events[0];
        const string json = """{"ts":1700000000.123456,"uid":"Ca","id.orig_h":"10.0.0.5","id.orig_p":40000,"id.resp_h":"192.0.2.7","id.resp_p":8080,"trans_depth":1,"method":"GET","host":"www.example.com:8080","uri":"\/a?b=c","referrer":"http://x.example/","version":"1.1","user_agent":"curl/8","request_body_len":5,"response_body_len":700,"status_code":200,"tags":[],"resp_mime_types":["text/html"]}""";
        Assert.Equal(expected, Assert.Single(Read(json).Events));
    }

    [Fact]
    public void A_stream_of_all_logs_gives_the_handshake_its_certificate()
    {
        LineBed bed = Read(
            """
            {"_path":"x509","ts":1.5,"fingerprint":"aa11","certificate.subject":"CN=a","certificate.issuer":"CN=b","certificate.not_valid_before":"2020-01-01T00:00:00.000000Z","certificate.not_valid_after":1900000000.0,"san.dns":["a","b"]}
            {"_path":"x509","ts":1.5,"fingerprint":"bb22","certificate":{"subject":"CN=c"},"san":{"dns":["d"]}}
            {"_path":"ssl","ts":1.5,"id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":443,"server_name":"a","resumed":false,"established":true,"cert_chain_fps":["aa11","bb22"]}
            {"ts":1.5,"id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":443,"version":"DTLSv12","resumed":false,"established":true,"cert_chain_fps":["bb22"]}
            {"_path":"notice","ts":1.5,"note":"x"}
            """);
        Assert.Equal([LineVerdict.Other, LineVerdict.Other, LineVerdict.Event, LineVerdict.Event, LineVerdict.Other], bed.Verdicts);
        Assert.Contains("\"issuer\":\"CN=b\",\"subject\":\"CN=a\",\"validFrom\":\"2020-01-01T00:00:00Z\",\"validTo\":\"2030-03-17T17:46:40Z\"", bed.Events[0], StringComparison.Ordinal);
        Assert.Contains("\"san\":[\"a\",\"b\"]", bed.Events[0], StringComparison.Ordinal);
        Assert.Contains("\"subject\":\"CN=c\"", bed.Events[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"_path\":\"dns\"", LineVerdict.NotJson)]
    [InlineData("{}{}", LineVerdict.NotJson)]
    [InlineData("{}", LineVerdict.Other)]
    [InlineData("{\"_path\":\"dns\"}", LineVerdict.Timestamp)]
    [InlineData("{\"_path\":\"dns\",\"ts\":\"soon\"}", LineVerdict.Timestamp)]
    [InlineData("{\"_path\":\"dns\",\"ts\":1e99}", LineVerdict.Timestamp)]
    [InlineData("{\"_path\":\"dns\",\"ts\":1,\"id\":\"x\"}", LineVerdict.Source)]
    [InlineData("{\"_path\":\"dns\",\"ts\":1,\"id.orig_h\":\"::1\"}", LineVerdict.Query)]
    [InlineData("{\"_path\":\"conn\",\"ts\":1,\"id.orig_h\":\"::1\"}", LineVerdict.Destination)]
    [InlineData("{\"_path\":\"http\",\"ts\":1,\"id.orig_h\":\"::1\",\"method\":\"GET\"}", LineVerdict.Url)]
    public void A_bad_object_is_skipped_for_its_reason(string line, LineVerdict verdict) => Assert.Equal(verdict, Read(line).Verdicts[^1]);

    [Fact]
    public void Columns_and_objects_in_one_file_do_not_mix_their_values()
    {
        LineBed bed = Read("#path\tdns\n#fields\tts\tid.orig_h\tquery\tqtype_name\n1.5\t10.0.0.1\ta\tA\n{\"ts\":2.5," + Flat + Rest + "\n1.5\t10.0.0.1\ta\tA");
        Assert.Equal(3, bed.Events.Count);
        Assert.Equal(bed.Events[0], bed.Events[2]);
    }
}
