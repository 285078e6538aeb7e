using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Tests.Oracles;
using Xunit.Abstractions;

namespace Nfr.Tests.Events;

/// <summary>Lines read back: our own in both forms, the original's, and everybody else's.</summary>
public sealed class EventJsonReaderTests(ITestOutputHelper output)
{
    readonly EventJsonReader _reader = new();
    readonly EventJson _json = new();

    /// <summary>Reads a line, and writes the event again as an event line.</summary>
    (EventLineFault Fault, string Line) Again(EventType type, string line)
    {
        var output = new ArrayBufferWriter<byte>();
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        EventLineFault fault;
        switch (type)
        {
            case EventType.Dns:
                fault = _reader.Read(bytes, out DnsEvent dns);
                if (fault == EventLineFault.None) _json.WriteLine(dns, output);
                break;
            case EventType.Ip:
                fault = _reader.Read(bytes, out IpEvent ip);
                if (fault == EventLineFault.None) _json.WriteLine(ip, output);
                break;
            case EventType.Http:
                fault = _reader.Read(bytes, out HttpEvent http);
                if (fault == EventLineFault.None) _json.WriteLine(http, output);
                break;
            default:
                fault = _reader.Read(bytes, out TlsEvent tls);
                if (fault == EventLineFault.None) _json.WriteLine(tls, output);
                break;
        }
        return (fault, Make.Text(output));
    }

    void ReadsBack(IEnumerable<string> lines, int least)
    {
        int read = 0;
        foreach (string line in lines)
        {
            EventType? type = EventTypes.Uploaded.Cast<EventType?>().FirstOrDefault(t => line.StartsWith($"{{\"type\":\"{t!.Value.Name()}\"", StringComparison.Ordinal));
            if (type is null || line.Contains("\"tunnel\"", StringComparison.Ordinal)) continue;
            (EventLineFault fault, string again) = Again(type.Value, line);
            Assert.Equal(EventLineFault.None, fault);
            Assert.Equal(line, again);
            read++;
        }
        output.WriteLine($"{read} lines");
        Assert.True(read >= least, $"only {read} lines");
    }

    [Fact]
    public void Every_event_line_of_the_shipped_capture_reads_back_as_itself()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) folder = folder.Parent;
        ReadsBack(Directory.GetFiles(Path.Combine(folder!.FullName, "tests", "captures"), "*.events.jsonl").SelectMany(File.ReadLines), 8);
    }

    [Fact]
    public void Every_event_line_of_the_corpus_reads_back_as_itself()
    {
        if (!Corpus.TryFind("4-ndpi", out string corpus))
        {
            output.WriteLine("no corpus beside the checkout");
            return;
        }
        ReadsBack(
            Directory.EnumerateFiles(corpus, "*.pcap*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                .SelectMany(path => DecodedCapture.Decode(path, null, FlowSeparation.Networks).Events).Select(e => System.Text.RegularExpressions.Regex.Replace(e.GetRawText(), ",\"test\\.[a-zA-Z]+\":-?[0-9]+", "")),
            1000);
    }

    [Theory]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T09:39:47.123456789Z","srcIP":"10.0.0.1","query":"www.Example.com","qtype":"AAAA"}""",
        """{"type":"dns","ts":"2018-09-03T09:39:47.123456789Z","srcIP":"10.0.0.1","query":"www.Example.com","qtype":"AAAA"}""")]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T11:39:47+02:00","srcIP":"fe80::1","query":"a\u00e9\\.b.","qtype":"TYPE999","srcHost":"x","nested":{"a":[1,{"b":"}"}]}}""",
        """{"type":"dns","ts":"2018-09-03T09:39:47Z","srcIP":"fe80::1","query":"a\\195\\169\\.b","qtype":"TYPE999"}""")]
    [InlineData(EventType.Ip, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","srcPort":1,"destIP":"1.2.3.4","destPort":443,"proto":"TCP","bytesIn":10,"bytesOut":"20","ja3":null}""",
        """{"type":"ip","ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","srcPort":1,"destIP":"1.2.3.4","destPort":443,"proto":"tcp","bytesIn":10,"bytesOut":20,"ja3":"","communityId":"CID","duration":0,"packetsIn":0,"packetsOut":0,"tcpFlags":"","state":"OTH"}""")]
    [InlineData(EventType.Http, """ { "url" : "http://u@a.b:81/c\"d" , "ts" : "2018-09-03T09:39:47Z" , "srcIP" : "10.0.0.1", "status":"200", "method":"GET" } """,
        """{"type":"http","ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","srcPort":0,"url":"http://u@a.b:81/c\"d","method":"GET","status":200,"action":"","bytesIn":0,"bytesOut":0,"contentType":"","referrer":"","userAgent":"","host":"a.b"}""")]
    [InlineData(EventType.Tls, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","srcPort":9,"certHash":"aa","validFrom":"0001-01-01T00:00:00Z","validTo":"9999-12-31T23:59:59Z"}""",
        """{"type":"tls","ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","srcPort":9,"certHash":"aa","validTo":"9999-12-31T23:59:59Z"}""")]
    public void Lines_of_other_senders_are_read(EventType type, string line, string expected) 
    {
        (EventLineFault fault, string again) = Again(type, line);
        Assert.Equal(EventLineFault.None, fault);
        Assert.Equal(expected, System.Text.RegularExpressions.Regex.Replace(again, "\"1:[^\"]+\"", "\"CID\""));
    }

    [Theory]
    [InlineData(EventType.Dns, "", EventLineFault.NotJson)]
    [InlineData(EventType.Dns, "garbage", EventLineFault.NotJson)]
    [InlineData(EventType.Dns, "[]", EventLineFault.NotJson)]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","query":"a.b"} {}""", EventLineFault.NotJson)]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","query":"a.b",}""", EventLineFault.NotJson)]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T09:39:47Z" "srcIP":"10.0.0.1","query":"a.b"}""", EventLineFault.NotJson)]
    [InlineData(EventType.Dns, """{"srcIP":"10.0.0.1","query":"a.b"}""", EventLineFault.Timestamp)]
    [InlineData(EventType.Dns, """{"ts":1535967587,"srcIP":"10.0.0.1","query":"a.b"}""", EventLineFault.Timestamp)]
    [InlineData(EventType.Dns, """{"ts":"2018-02-30T09:39:47Z","srcIP":"10.0.0.1","query":"a.b"}""", EventLineFault.Timestamp)]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T09:39:47Z","query":"a.b"}""", EventLineFault.Source)]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0","query":"a.b"}""", EventLineFault.Source)]
    [InlineData(EventType.Dns, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1"}""", EventLineFault.Query)]
    [InlineData(EventType.Ip, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1"}""", EventLineFault.Destination)]
    [InlineData(EventType.Ip, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","destIP":"x"}""", EventLineFault.Destination)]
    [InlineData(EventType.Http, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","url":""}""", EventLineFault.Url)]
    [InlineData(EventType.Tls, """{"ts":"2018-09-03T09:39:47Z"}""", EventLineFault.Source)]
    public void What_is_no_event_says_why(EventType type, string line, EventLineFault fault) => Assert.Equal(fault, Again(type, line).Fault);

    [Fact]
    public void No_truncation_and_no_changed_byte_of_a_line_throws()
    {
        byte[] line = Encoding.UTF8.GetBytes("""{"type":"ip","ts":"2018-09-03T09:39:47.5Z","srcIP":"10.0.0.1","destIP":"2001:db8::1","proto":"tcp","ja3":"\ud83d\ude00\ud83d","notes":["mining"],"login":{"user":"a\"b","failures":3,"successes":0},"echo":{"requests":1},"x":[[{}]]}""");
        Assert.Equal(EventLineFault.None, _reader.Read(line, out IpEvent _));
        for (int i = 0; i < line.Length; i++) Assert.Equal(EventLineFault.NotJson, _reader.Read(line.AsSpan(0, i), out IpEvent _));
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bad = [.. line];
            for (int n = random.Next(1, 4); n > 0; n--) bad[random.Next(bad.Length)] = (byte)random.Next(256);
            _ = _reader.Read(bad, out IpEvent _);
            _ = _reader.Read(bad, out DnsEvent _);
            _ = _reader.Read(bad, out HttpEvent _);
            _ = _reader.Read(bad, out TlsEvent _);
        }
    }

    [Fact]
    public void Deep_nesting_is_refused_and_a_long_answer_list_is_read()
    {
        string deep = new string('[', 1000) + new string(']', 1000);
        Assert.Equal(EventLineFault.NotJson, Again(EventType.Dns, "{\"ts\":\"2018-09-03T09:39:47Z\",\"srcIP\":\"10.0.0.1\",\"query\":\"a\",\"x\":" + deep + "}").Fault);
        string answers = string.Join(',', Enumerable.Range(0, 300).Select(i => $"{{\"type\":\"A\",\"ttl\":60,\"data\":\"10.0.{i / 250}.{i % 250}\"}}"));
        (EventLineFault fault, string line) = Again(EventType.Dns, "{\"ts\":\"2018-09-03T09:39:47Z\",\"srcIP\":\"10.0.0.1\",\"query\":\"a\",\"qtype\":\"A\",\"answers\":[" + answers + "]}");
        Assert.Equal(EventLineFault.None, fault);
        Assert.Equal(300, line.Split("\"ttl\"").Length - 1);
    }

    [Theory]
    [InlineData("{}", 20_000)]
    [InlineData("{}", 2_000)]
    [InlineData("{\"ttl\":1}", 20_000)]
    public void Answers_that_take_more_room_than_their_text_are_as_many_as_fit(string answer, int count)
    {
        string line = "{\"ts\":\"2018-09-03T09:39:47Z\",\"srcIP\":\"10.0.0.1\",\"query\":\"a\",\"answers\":[" + string.Join(',', Enumerable.Repeat(answer, count)) + "]}";
        (EventLineFault fault, string again) = Again(EventType.Dns, line);
        Assert.Equal(EventLineFault.None, fault);
        Assert.InRange(again.Split("\"ttl\"").Length - 1, 500, count);
        Assert.Equal(EventLineFault.None, Again(EventType.Dns, """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","query":"b"}""").Fault);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        byte[] line = Encoding.UTF8.GetBytes("""{"ts":"2018-09-03T09:39:47.5Z","srcIP":"10.0.0.1","query":"www.\u0065xample.com","qtype":"A"}""");
        byte[] garbage = Encoding.UTF8.GetBytes("no event at all");
        var fault = EventLineFault.None;
        byte[] six = Encoding.UTF8.GetBytes("""{"ts":"2018-09-03T11:39:47+02:00","srcIP":"fe80::1","destIP":"2001:db8::ffff:10.0.0.1","validFrom":"0001-01-01T00:00:00Z","validTo":"9999-12-31T23:59:59Z"}""");
        Assert.Equal(0, Allocation.Of(() =>
        {
            _ = _reader.Read(line, out DnsEvent _);
            _ = _reader.Read(garbage, out DnsEvent _);
            fault |= _reader.Read(six, out IpEvent _) | _reader.Read(six, out TlsEvent _);
        }));
        Assert.Equal(EventLineFault.None, fault);
    }
}
