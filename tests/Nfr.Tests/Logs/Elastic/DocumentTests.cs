using System.Text;
using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>How documents of one make or another become events.</summary>
public sealed class DocumentTests
{
    static readonly EventJson s_json = new();

    /// <summary>The event as a line, or the verdict's name.</summary>
    static string Read(SearchOptions options, string source, string fields = "")
    {
        var sink = new Sink();
        LineVerdict verdict = new DocumentParser(options, new LogClock(null)).Read(Encoding.UTF8.GetBytes(source), Encoding.UTF8.GetBytes(fields), sink);
        Assert.Equal(verdict == LineVerdict.Event, sink.Line is not null);
        return sink.Line ?? verdict.Name();
    }

    static SearchOptions Ecs(EventType type) => new() { Type = type, Indices = ["x"], Schema = "ecs" };

    static JsonNode Parse(SearchOptions options, string source, string fields = "") => JsonNode.Parse(Read(options, source, fields))!;

    [Fact]
    public void Nested_dotted_and_mixed_documents_are_the_same()
    {
        string nested = """{"@timestamp":"2021-12-29T12:13:27.214Z","source":{"ip":"10.0.0.1","port":4000},"destination":{"ip":"10.0.0.2","port":"53"},"network":{"transport":"udp","protocol":"dns"},"dns":{"id":7,"question":{"name":"a.example","type":"AAAA"},"response_code":"NXDOMAIN"}}""";
        string dotted = """{"@timestamp":"2021-12-29T12:13:27.214Z","source.ip":"10.0.0.1","source.port":4000,"destination.ip":["10.0.0.2"],"destination.port":53,"network.transport":"udp","dns.id":"7","dns.question.name":["a.example","b.example"],"dns.question.type":"AAAA","dns.response_code":"NXDOMAIN"}""";
        string mixed = """{"@timestamp":1640780007214,"source":{"ip":"10.0.0.1","port":4000.0},"destination":[{"ip":"10.0.0.2","port":53}],"network.transport":"udp","dns":{"id":7,"question.name":"a.example.","question":{"type":"AAAA"},"response_code":"NXDOMAIN"}}""";
        string line = Read(Ecs(EventType.Dns), nested);
        Assert.Equal(line, Read(Ecs(EventType.Dns), dotted));
        Assert.Equal(line, Read(Ecs(EventType.Dns), mixed));
        JsonNode e = JsonNode.Parse(line)!;
        Assert.Equal(("2021-12-29T12:13:27.214Z", "10.0.0.1", "a.example", "AAAA", "NXDOMAIN"), ((string)e["ts"]!, (string)e["srcIP"]!, (string)e["query"]!, (string)e["qtype"]!, (string)e["rcode"]!));
    }

    [Theory]
    [InlineData("6", 6)]
    [InlineData("\"6\"", 6)]
    [InlineData("\"17\"", 17)]
    [InlineData("17", 17)]
    [InlineData("132", 132)]
    [InlineData("\"TCP\"", 6)]
    [InlineData("\"udp\"", 17)]
    [InlineData("0", 0)]
    [InlineData("-1", 0)]
    [InlineData("256", 0)]
    [InlineData("\"dns\"", 0)]
    public void A_protocol_is_a_number_or_a_name(string value, int protocol)
    {
        var sink = new Sink();
        string source = $$$"""{"@timestamp":"2021-12-29T12:13:27Z","source":{"ip":"10.0.0.1"},"destination":{"ip":"10.0.0.2"},"network":{"protocol":{{{value}}} } }""";
        Assert.Equal(LineVerdict.Event, new DocumentParser(Ecs(EventType.Ip), new LogClock(null)).Read(Encoding.UTF8.GetBytes(source), default, sink));
        Assert.Equal(protocol, sink.Protocol);
    }

    [Theory]
    [InlineData("\"2021-03-05T13:28:49.254Z\"", "2021-03-05T13:28:49.254Z")]
    [InlineData("\"2021-03-05T13:28:49.254123456Z\"", "2021-03-05T13:28:49.254123456Z")]
    [InlineData("\"2021-03-05T14:28:49.254+01:00\"", "2021-03-05T13:28:49.254Z")]
    [InlineData("\"2021-03-05T14:28:49.254+0100\"", "2021-03-05T13:28:49.254Z")]
    [InlineData("\"2021-03-05T08:28:49-05\"", "2021-03-05T13:28:49Z")]
    [InlineData("\"2021-03-05 13:28:49.254\"", "2021-03-05T13:28:49.254Z")]
    [InlineData("1614950929254", "2021-03-05T13:28:49.254Z")]
    [InlineData("\"1614950929254\"", "2021-03-05T13:28:49.254Z")]
    [InlineData("1614950929.254123", "2021-03-05T13:28:49.254123Z")]
    [InlineData("1614950929254123456", "2021-03-05T13:28:49.254123456Z")]
    public void Times_are_read_in_every_form_that_documents_have(string value, string expected) =>
        Assert.Equal(expected, (string)Parse(Ecs(EventType.Dns), $$$"""{"@timestamp":{{{value}}},"source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"a.example"} } }""")["ts"]!);

    [Fact]
    public void The_time_in_fields_goes_before_that_of_the_source() =>
        Assert.Equal("2021-03-05T13:28:49.254Z", (string)Parse(Ecs(EventType.Dns), """{"@timestamp":"05/Mar/2021","source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"a.example"}}}""", """{"@timestamp":["2021-03-05T13:28:49.254Z"],"event.ingested":["x"]}""")["ts"]!);

    [Theory]
    [InlineData("""{"source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"a"}}}""", "timestamp")]
    [InlineData("""{"@timestamp":"yesterday","source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"a"}}}""", "timestamp")]
    [InlineData("""{"@timestamp":"2021-03-05T13:28:49Z","source":{"ip":"host1"},"dns":{"question":{"name":"a"}}}""", "source")]
    [InlineData("""{"@timestamp":"2021-03-05T13:28:49Z","dns":{"question":{"name":"a"}}}""", "source")]
    [InlineData("""{"@timestamp":"2021-03-05T13:28:49Z","source":{"ip":"10.0.0.1"},"dns":{"question":{"name":null}}}""", "query")]
    [InlineData("""{"@timestamp":"2021-03-05T13:28:49Z","source":{"ip":"10.0.0.1"},"destination":{"ip":"x"},"dns":{"question":{"name":"a"}}}""", "destination")]
    [InlineData("""{"@timestamp":"2021-03-05T13:28:49Z","source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"a"}}""", "not_json")]
    [InlineData("", "not_json")]
    public void What_no_event_can_be_made_of_has_its_reason(string source, string verdict) => Assert.Equal(verdict, Read(Ecs(EventType.Dns), source));

    [Theory]
    [InlineData("""{"original":"http://a.example/x?y=1"}""", "http://a.example/x?y=1")]
    [InlineData("""{"full":"http://a.example/x"}""", "http://a.example/x")]
    [InlineData("""{"original":"/x?y=1","domain":"a.example"}""", "http://a.example/x?y=1")]
    [InlineData("""{"original":"\/x","domain":"a.example","scheme":"https"}""", "https://a.example/x")]
    [InlineData("""{"domain":"a.example","path":"/x","query":"y=1","port":8080}""", "http://a.example:8080/x?y=1")]
    [InlineData("""{"original":"/x"}""", "/x")]
    public void A_URL_is_put_together_of_what_there_is(string url, string expected) =>
        Assert.Equal(expected, (string)Parse(Ecs(EventType.Http), $$$"""{"@timestamp":"2021-03-05T13:28:49Z","source":{"ip":"10.0.0.1"},"url":{{{url}}} }""")["url"]!);

    [Fact]
    public void A_document_of_another_kind_is_no_handshake() =>
        Assert.Equal("other", Read(Ecs(EventType.Tls), """{"@timestamp":"2021-03-05T13:28:49Z","source":{"ip":"10.0.0.1"},"destination":{"ip":"10.0.0.2","domain":"a.example"}}"""));

    [Fact]
    public void A_users_names_go_before_the_schemas_one_by_one()
    {
        SearchOptions options = Ecs(EventType.Dns) with { FieldNames = new Dictionary<string, string> { ["query"] = "my.name" } };
        JsonNode e = Parse(options, """{"@timestamp":"2021-03-05T13:28:49Z","source":{"ip":"10.0.0.1"},"my":{"name":"mine.example"},"dns":{"question":{"name":"theirs.example","type":"TXT"}}}""");
        Assert.Equal(("mine.example", "TXT"), ((string)e["query"]!, (string)e["qtype"]!));
    }

    [Fact]
    public void Corelights_and_Graylogs_own_names_are_known()
    {
        JsonNode corelight = Parse(
            new SearchOptions { Type = EventType.Ip, Indices = ["x"], Schema = "corelight" },
            """{"_path":"conn","_write_ts":"2021-03-05T13:29:00.1Z","ts":"2021-03-05T13:28:49.254123Z","id.orig_h":"10.0.0.1","id.orig_p":4000,"id.resp_h":"192.0.2.1","id.resp_p":443,"proto":"tcp","duration":1.5,"orig_bytes":1,"orig_ip_bytes":100,"resp_ip_bytes":2000,"orig_pkts":2,"resp_pkts":3,"conn_state":"SF"}""");
        Assert.Equal(("tcp", 100L, 2000L, 1.5, "SF"), ((string)corelight["proto"]!, (long)corelight["bytesOut"]!, (long)corelight["bytesIn"]!, (double)corelight["duration"]!, (string)corelight["state"]!));
        JsonNode graylog = Parse(
            new SearchOptions { Type = EventType.Dns, Indices = ["x"], Schema = "graylog" },
            """{"timestamp":"2021-03-05 13:28:49.254","gl2_receive_timestamp":"2021-03-05 13:28:50.000","source_ip":"10.0.0.1","query_request":"a.example","query_record_type":"A"}""");
        Assert.Equal(("2021-03-05T13:28:49.254Z", "a.example", "A"), ((string)graylog["ts"]!, (string)graylog["query"]!, (string)graylog["qtype"]!));
    }

    [SampleFact("7-log-samples/ecs")]
    public void Documents_of_the_corpus_are_read_nested_and_flat()
    {
        string folder = Corpus.Find("7-log-samples/ecs");
        foreach (string file in Directory.GetFiles(folder, "*.json"))
        {
            JsonNode json = JsonNode.Parse(File.ReadAllText(file))!;
            EventType type = file.Contains("dns", StringComparison.Ordinal) ? EventType.Dns : EventType.Ip;
            string flat = json["flat"]!.ToJsonString(), nested = json["nested"]!.ToJsonString();
            Assert.Equal(Read(Ecs(type), flat), Read(Ecs(type), nested));
            JsonNode e = Parse(Ecs(type), nested), said = json["flat"]!;
            Assert.Equal((string?)said["source.ip"], (string?)e["srcIP"]);
            Assert.Equal((string?)said["destination.ip"], (string?)e["destIP"]);
            int port = (int)said["source.port"]!;
            Assert.Equal(port > 65535 ? 0 : port, (int)(e["srcPort"] ?? 0));
            if (type == EventType.Dns) Assert.Equal((string?)said["zeek.dns.query"], (string?)e["query"]);
            else Assert.Equal((103L, 206L), ((long)e["bytesOut"]!, (long)e["bytesIn"]!));
        }
    }

    [Fact]
    public void No_bytes_make_it_throw()
    {
        byte[] good = """{"@timestamp":"2021-12-29T12:13:27.214Z","source":{"ip":"10.0.0.1","port":4000},"destination":{"ip":"10.0.0.2"},"url":{"original":"\u002fx","domain":"a\u00e4.example"},"tls":{"version":"1.2","server":{"hash":{"sha1":"AA:BB"},"x509":{"alternative_names":["a","b\n"]}}},"dns":{"question":{"name":"\u0000\u00ff"},"answers":[{"data":"1.2.3.4","ttl":"300"},"x",null,{}]}}"""u8.ToArray();
        Random random = new(1);
        foreach (EventType type in EventTypes.Uploaded)
        {
            var parser = new DocumentParser(Ecs(type), new LogClock(null));
            for (int i = 0; i < 20_000; i++)
            {
                byte[] bytes = [.. good];
                for (int n = random.Next(4); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                parser.Read(bytes.AsSpan(0, random.Next(3) == 0 ? random.Next(bytes.Length) : bytes.Length), bytes.AsSpan(0, random.Next(bytes.Length)), new Sink());
            }
        }
    }

    sealed class Sink : IEventSink
    {
        public string? Line { get; private set; }
        public byte Protocol { get; private set; }

        public void OnDns(scoped in DnsEvent e) => Take(s_json.ToText(e), e.Context);
        public void OnIp(scoped in IpEvent e) => Take(s_json.ToText(e), e.Context);
        public void OnHttp(scoped in HttpEvent e) => Take(s_json.ToText(e), e.Context);
        public void OnTls(scoped in TlsEvent e) => Take(s_json.ToText(e), e.Context);

        void Take(string line, in EventContext context)
        {
            Assert.Null(Line);
            (Line, Protocol) = (line, context.Protocol);
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }
}
