using System.Buffers;
using System.Text;
using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class AlertJsonTests
{
    static Alert Dns() => new()
    {
        Threats = [new("c2_communication", "C2 communication attempt", 5), new("bad_tld", "Questionable \"TLD\"", 1, true)],
        Flags = ["c2", "young_domain"],
        Labels = ["one"],
        Groups = [new("boston", "The office"), new("all", "")],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", Query = "virus.com", QType = "A" },
        Evidence = new AlertEvidence
        {
            Id = "0123456789abcdef",
            Detector = "listed_destination",
            Key = "1.2.3.4 virus.com",
            Summary = "virus.com is on the list c2.txt",
            Facts = [new("list", 0, "c2.txt"), new("rate", 0.1), new("big", 1e300), new("unknown", double.NaN)],
            Features = [new("rate", 0.1, 0.3, 0.5), new("names", 10, 8, 0.5)],
            Score = 0.5 * (0.1 / 0.3) + 0.5,
            CommunityIds = ["1:LQU9qZlK+B5F3KDmev6m5PMibrg="],
            Count = long.MaxValue,
            Samples = ["{\"type\":\"dns\",\"query\":\"virus.com\", \"n\":[1,{}]}", "no object", "{\"line\":\n1}", "{", "\ud800"],
        },
    };

    static AlertEvent Full(EventType type) => new()
    {
        Type = type,
        Ts = "2018-09-06T14:09:04.123Z",
        SrcIP = "::1",
        SrcPort = 1,
        SrcHost = "host",
        SrcMac = "00:11:22:33:44:55",
        SrcUser = "user",
        SrcID = "id",
        ConnID = "conn",
        BytesIn = 0,
        BytesOut = long.MaxValue,
        Query = "q",
        QType = "TXT",
        DestIP = "4.3.2.1",
        DestPort = 443,
        Proto = "tcp",
        Ja3 = "ja3",
        Url = "http://é/<\u2028>",
        Method = "GET",
        Status = 200,
        Action = "allow",
        ContentType = "a/b",
        Referrer = "r",
        UserAgent = "u\n\"\\\0",
        CertHash = "hash",
        Issuer = "issuer",
        Subject = "subject",
        ValidFrom = "from",
        ValidTo = "to",
        Ja3s = "ja3s",
    };

    static string Write(Alert alert)
    {
        var output = new ArrayBufferWriter<byte>();
        AlertJson.Write(alert, output);
        return Make.Text(output);
    }

    static Alert Read(string json)
    {
        Assert.True(AlertJson.TryRead(Encoding.UTF8.GetBytes(json), out Alert? alert, out string? error), error);
        return alert!;
    }

    [Fact]
    public void Keys_are_in_the_originals_order_with_evidence_after_them()
    {
        Alert alert = Dns();
        alert = alert with { Evidence = alert.Evidence! with { Samples = [alert.Evidence.Samples[0]], Count = 2, Facts = [new("list", 0, "c2.txt"), new("rate", 0.1)] } };
        Assert.Equal(
            """
            {"severity":5,"threats":{"c2_communication":{"severity":5,"desc":"C2 communication attempt"},"bad_tld":{"severity":1,"desc":"Questionable \"TLD\"","policy":true}},"flags":["c2","young_domain"],"labels":["one"],"groups":[{"label":"boston","desc":"The office"},{"label":"all","desc":""}],"eventType":"dns","ts":"2018-09-06T14:09:04.123Z","srcIP":"1.2.3.4","query":"virus.com","qtype":"A","evidence":{"id":"0123456789abcdef","detector":"listed_destination","key":"1.2.3.4 virus.com","summary":"virus.com is on the list c2.txt","score":0.6666666666666667,"scoreLimit":1,"features":[{"name":"rate","value":0.1,"limit":0.3,"weight":0.5},{"name":"names","value":10,"limit":8,"weight":0.5}],"facts":{"list":"c2.txt","rate":0.1},"count":2,"communityIds":["1:LQU9qZlK+B5F3KDmev6m5PMibrg="],"samples":[{"type":"dns","query":"virus.com", "n":[1,{}]}]}}
            """,
            Write(alert));
    }

    [Fact]
    public void Fields_of_all_kinds_follow_the_originals_order()
    {
        string json = Write(new Alert { Threats = [new("t", "T", 3)], Event = Full(EventType.Http) });
        string[] keys = ["severity", "threats", "flags", "groups", "eventType", "ts", "srcIP", "srcPort", "srcHost", "srcMac", "srcUser", "srcID", "connID",
            "bytesIn", "bytesOut", "query", "qtype", "destIP", "destPort", "proto", "ja3", "url", "method", "status", "action", "contentType", "referrer",
            "userAgent", "certHash", "issuer", "subject", "validFrom", "validTo", "ja3s"];
        using var document = System.Text.Json.JsonDocument.Parse(json);
        Assert.Equal(keys, document.RootElement.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void An_alert_reads_back_as_it_was()
    {
        Alert alert = Dns();
        string json = Write(alert);
        Assert.DoesNotContain('\n', json);
        Alert back = Read(json);
        Assert.Equal(alert.Threats, back.Threats);
        Assert.Equal(alert.Flags, back.Flags);
        Assert.Equal(alert.Labels, back.Labels);
        Assert.Equal(alert.Groups, back.Groups);
        Assert.Equal(alert.Event, back.Event);
        Assert.Equal(alert.Evidence!.Facts, back.Evidence!.Facts);
        Assert.Equal(alert.Evidence.Features, back.Evidence.Features);
        Assert.Equal(alert.Evidence.CommunityIds, back.Evidence.CommunityIds);
        Assert.Equal(alert.Evidence.Score, back.Evidence.Score);
        Assert.Equal(EvidenceScore.Of(alert.Evidence.Features), back.Evidence.Score);
        Assert.Equal(alert.Evidence.Count, back.Evidence.Count);
        // Half a surrogate pair cannot be said in UTF-8.
        Assert.Equal(alert.Evidence.Samples.SkipLast(1).Append("\uFFFD"), back.Evidence.Samples);
        Assert.Equal(Write(back), Write(Read(Write(back))));
        foreach (EventType type in EventTypes.Uploaded)
        {
            var full = new Alert { Threats = [new("t", "T", 3)], Event = Full(type) };
            back = Read(Write(full));
            Assert.Equal(full.Event, back.Event);
            Assert.Null(back.Evidence);
        }
    }

    [Fact]
    public void Garbage_is_refused_with_a_reason_and_never_throws()
    {
        byte[] good = Encoding.UTF8.GetBytes(Write(Dns()));
        for (int length = 0; length < good.Length; length++)
        {
            Assert.False(AlertJson.TryRead(good.AsSpan(0, length), out Alert? none, out string? why));
            Assert.Null(none);
            Assert.NotNull(why);
        }
        var random = new Random(1);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bad = [.. good];
            for (int j = random.Next(1, 4); j > 0; j--) bad[random.Next(bad.Length)] = (byte)random.Next(256);
            if (AlertJson.TryRead(bad, out Alert? alert, out string? error)) Write(alert!);
            else Assert.NotNull(error);
        }
        foreach (string text in (string[])["null", "[]", "{}", "{\"eventType\":\"dns\"}", "{\"eventType\":\"dns\",\"ts\":\"x\"}", "{\"eventType\":\"dns\",\"ts\":\"x\",\"threats\":{}}",
            "{\"eventType\":\"dns\",\"ts\":\"x\",\"threats\":{\"a\":1}}", "{\"eventType\":\"\\ud800\",\"ts\":\"x\"}", Write(Dns()) + "{}"])
        {
            Assert.False(AlertJson.TryRead(Encoding.UTF8.GetBytes(text), out _, out string? error));
            Assert.NotNull(error);
        }
    }

    [Fact]
    public void An_alerts_event_has_the_texts_of_its_upload()
    {
        AlertEvent dns = AlertEvents.From(new DnsEvent { Context = Make.Context(), Query = "virus.com"u8, QueryType = 16 });
        Assert.Equal(new AlertEvent { Type = EventType.Dns, Ts = "2018-09-03T09:39:47Z", SrcIP = "10.1.2.3", Query = "virus.com", QType = "TXT" }, dns);
        AlertEvent ip = AlertEvents.From(new IpEvent { Context = Make.Context(protocol: 6), BytesIn = 1, BytesOut = 2 });
        Assert.Equal(
            new AlertEvent { Type = EventType.Ip, Ts = "2018-09-03T09:39:47Z", SrcIP = "10.1.2.3", SrcPort = 5000, DestIP = "1.1.1.1", DestPort = 53, Proto = "tcp", BytesIn = 1, BytesOut = 2 }, ip);
        AlertEvent http = AlertEvents.From(new HttpEvent { Context = Make.Context(protocol: 6), Url = "http://a/"u8, Method = "GET"u8, Status = 200, UserAgent = "u\xE9"u8 });
        Assert.Equal(
            new AlertEvent { Type = EventType.Http, Ts = "2018-09-03T09:39:47Z", SrcIP = "10.1.2.3", SrcPort = 5000, Url = "http://a/", Method = "GET", Status = 200, UserAgent = "u\u00E9", BytesIn = 0, BytesOut = 0 }, http);
        AlertEvent tls = AlertEvents.From(new TlsEvent { Context = Make.Context(protocol: 6), Ja3 = "x"u8, ValidFrom = TlsEvent.NoTime, ValidTo = 0 });
        Assert.Equal(
            new AlertEvent { Type = EventType.Tls, Ts = "2018-09-03T09:39:47Z", SrcIP = "10.1.2.3", SrcPort = 5000, DestIP = "1.1.1.1", DestPort = 53, Ja3 = "x", ValidTo = "1970-01-01T00:00:00Z" }, tls);
    }
}
