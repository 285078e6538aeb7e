using System.Buffers;
using System.Text;
using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class EngineAlertsReaderTests
{
    const string Page = """
        {"follow":"6-8263d641","more":true,"after":"x","alerts":[
          {"eventType":"dns","event":{"ts":"2018-09-06T14:09:04.123Z","srcIP":"10.1.2.3","query":"virus.com","qtype":"A"},"threats":["bad_tld","c2_communication"],
           "wisdom":{"flags":["c2"],"labels":["l"],"domain":"virus.com"}},
          {"eventType":"ip","event":{"ts":"2018-09-06T14:09:04Z","srcIP":"10.1.2.3","srcPort":1,"destIP":"4.3.2.1","destPort":"443","proto":"tcp","bytesIn":0,"bytesOut":7,"ja3":""},"threats":["new_one","new_one"]},
          {"id":"0b1c","eventType":"dns","event":{"ts":"2024-01-01T00:00:00Z","srcIP":"10.1.2.3","srcPort":53,"query":"a.evrl.to","qtype":"TXT","rcode":"NXDOMAIN"},"threats":["multiple_long_hostnames"],
           "wisdom":{"flags":["perplexing_host"],"domain":"evrl.to"},"detections":[{"id":"dns_tunnel","key":"evrl.to","severity":4}],"mitreAttack":["TA0010:T1048"]},
          {"eventType":"dns","event":{"ts":"2024-01-01T00:00:00Z"},"detections":[{"id":"dns_tunnel","key":"evrl.to","severity":4}]},
          {"eventType":"lease","event":{"ts":"2024-01-01T00:00:00Z"},"threats":["bad_tld"]},
          {"eventType":"dns","event":{"srcIP":"10.1.2.3"},"threats":["bad_tld"]},
          {"eventType":"dns","event":{"ts":"2024-01-01T00:00:00Z","query":"\ud800"},"threats":["bad_tld"]},
          {"eventType":"dns","event":{"ts":"2024-01-01T00:00:00Z"},"threats":[]},
          {"eventType":"dns","threats":["bad_tld"]}, null, 7, []],
         "threats":{"c2_communication":{"title":"C2 communication attempt indicating infection","severity":5},"bad_tld":{"title":"Bad TLD","severity":1,"policy":true},"multiple_long_hostnames":{"title":"","severity":9}}}
        """;

    static EngineAlertPage Read(string json)
    {
        Assert.True(EngineAlertsReader.TryRead(Encoding.UTF8.GetBytes(json), out EngineAlertPage? page, out string? error), error);
        return page!;
    }

    [Fact]
    public void A_page_is_read_and_what_is_malformed_in_it_is_skipped_and_counted()
    {
        EngineAlertPage page = Read(Page);
        Assert.Equal("6-8263d641", page.Follow);
        Assert.True(page.More);
        Assert.Equal(4, page.Alerts.Count);
        Assert.Equal(8, page.Skipped);

        Alert dns = page.Alerts[0];
        Assert.Equal(
            [new AlertThreat("c2_communication", "C2 communication attempt indicating infection", 5), new AlertThreat("bad_tld", "Bad TLD", 1, true)], dns.Threats);
        Assert.Equal(["c2"], dns.Flags);
        Assert.Equal(["l"], dns.Labels);
        Assert.Equal(new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "10.1.2.3", Query = "virus.com", QType = "A" }, dns.Event);
        Assert.Null(dns.Evidence);

        Alert ip = page.Alerts[1];
        Assert.Equal([new AlertThreat("new_one", "new_one", 1)], ip.Threats);
        Assert.Equal(443, ip.Event.DestPort);
        Assert.Equal(0, ip.Event.BytesIn);
        Assert.Null(ip.Event.Ja3);

        Assert.Equal([new AlertThreat("multiple_long_hostnames", "multiple_long_hostnames", 5)], page.Alerts[2].Threats);
        Assert.Equal(53, page.Alerts[2].Event.SrcPort);
        Assert.Equal([new AlertThreat("dns_tunnel", "dns_tunnel", 4)], page.Alerts[3].Threats);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"follow\":7,\"more\":\"yes\",\"alerts\":{},\"threats\":[]}")]
    [InlineData("{\"alerts\":null,\"threats\":{\"a\":1}}")]
    public void A_page_without_the_known_keys_is_empty(string json)
    {
        EngineAlertPage page = Read(json);
        Assert.Equal(("", false, 0, 0), (page.Follow, page.More, page.Alerts.Count, page.Skipped));
    }

    [Fact]
    public void Garbage_is_an_error_and_never_throws()
    {
        foreach (string text in (string[])["", "<html>", "null", "[]", "7", "{\"follow\":\"\\ud800\"}", new string('[', 1000), "{\"alerts\":[{]}"])
        {
            Assert.False(EngineAlertsReader.TryRead(Encoding.UTF8.GetBytes(text), out EngineAlertPage? none, out string? error));
            Assert.Null(none);
            Assert.NotNull(error);
        }
        byte[] good = Encoding.UTF8.GetBytes(Page);
        var random = new Random(2);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bad = [.. good];
            for (int j = random.Next(1, 4); j > 0; j--) bad[random.Next(bad.Length)] = (byte)random.Next(256);
            if (!EngineAlertsReader.TryRead(bad, out EngineAlertPage? page, out string? error))
            {
                Assert.NotNull(error);
                continue;
            }
            foreach (Alert alert in page!.Alerts)
            {
                AlertJson.Write(alert, new ArrayBufferWriter<byte>());
                CefFormat.Lines(alert, "0.0.0");
            }
        }
    }

    [Fact]
    public void The_same_alert_reads_the_same_whoever_raised_it()
    {
        var scope = new Scope([new ScopeGroup { Name = "boston", Label = "Office" }]);
        Alert engine = scope.WithGroups(Read(Page).Alerts[0]);
        Alert own = scope.WithGroups(new Alert
        {
            Threats = engine.Threats,
            Flags = ["c2"],
            Labels = ["l"],
            Event = AlertEvents.From(new DnsEvent { Context = Make.Context() with { Timestamp = 1_536_242_944_123_000_000 }, Query = "virus.com"u8, QueryType = 1 }),
        });
        var one = new ArrayBufferWriter<byte>();
        var other = new ArrayBufferWriter<byte>();
        AlertJson.Write(engine, one);
        AlertJson.Write(own, other);
        Assert.Equal(Make.Text(one), Make.Text(other));
        Assert.Contains("\"groups\":[{\"label\":\"boston\",\"desc\":\"Office\"}]", Make.Text(one), StringComparison.Ordinal);
        Assert.Equal(CefFormat.Lines(engine, "1"), CefFormat.Lines(own, "1"));
    }

    [Fact]
    public void What_our_own_engine_writes_reads_back_with_its_evidence()
    {
        var alert = new Alert
        {
            Threats = [new AlertThreat("dga_volume", "Several \"random\" names", 4), new AlertThreat("odd", "Odd", 2, Policy: true)],
            Flags = ["dga"],
            Labels = ["lab"],
            Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "10.0.0.9", Query = "xqz.example", QType = "A" },
            Evidence = new AlertEvidence
            {
                Id = "0123", Detector = "dga", Key = "10.0.0.9", Summary = "Ten names.", Score = 1, ScoreLimit = 1, Features = [new EvidenceFeature("names", 12, 10)],
                Facts = [new EvidenceValue("meanBits", 5.125)], CommunityIds = ["1:x"], Samples = ["{\"type\":\"dns\"}"], Count = 12,
            },
        };
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        EngineAlertsWriter.Page(output, "6-8263d641", more: true, [EngineAlertsWriter.Item(alert), EngineAlertsWriter.Item(alert)], [EngineAlertsWriter.Dictionary(alert.Threats)]);
        Assert.True(EngineAlertsReader.TryRead(output.WrittenSpan, out EngineAlertPage? page, out _));
        Assert.Equal(("6-8263d641", true, 0, 2), (page!.Follow, page.More, page.Skipped, page.Alerts.Count));
        Assert.Equal(AlertJson.ToBytes(alert), AlertJson.ToBytes(page.Alerts[1]));
    }
}
