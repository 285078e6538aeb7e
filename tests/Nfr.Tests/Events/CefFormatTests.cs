using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class CefFormatTests
{
    static Alert Alert(AlertEvent e) => new()
    {
        Threats = [new("c2_comm", "C2 communication", 5), new("interesting", "Interesting event", 2)],
        Flags = ["c2", "young_domain"],
        Groups = [new("boston", "")],
        Event = e,
    };

    // The golden lines of the original.
    [Fact]
    public void A_dns_alert_gives_the_originals_lines() => Assert.Equal(
        [
            "CEF:0|AlphaSOC|NFR|0.0.0|c2_comm|C2 communication|10|app=dns rt=Sep 06 2018 14:09:04.123 UTC src=1.2.3.4 cs1=c2,young_domain cs1Label=flags cs2=boston cs2Label=groups query=virus.com requestMethod=A",
            "CEF:0|AlphaSOC|NFR|0.0.0|interesting|Interesting event|4|app=dns rt=Sep 06 2018 14:09:04.123 UTC src=1.2.3.4 cs1=c2,young_domain cs1Label=flags cs2=boston cs2Label=groups query=virus.com requestMethod=A",
        ],
        CefFormat.Lines(Alert(new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", Query = "virus.com", QType = "A" }), "0.0.0"));

    [Fact]
    public void An_ip_alert_gives_the_originals_line() => Assert.Equal(
        "CEF:0|AlphaSOC|NFR|0.0.0|c2_comm|C2 communication|10|app=ip rt=Sep 06 2018 14:09:04.123 UTC src=1.2.3.4 cs1=c2,young_domain cs1Label=flags cs2=boston cs2Label=groups spt=16830 dst=4.3.2.1 dpt=443 proto=tcp in=744 out=1376",
        CefFormat.Lines(
            Alert(new AlertEvent
            {
                Type = EventType.Ip, Ts = "2018-09-06T16:09:04.1239+02:00", SrcIP = "1.2.3.4", SrcPort = 16830, DestIP = "4.3.2.1", DestPort = 443, Proto = "tcp", BytesIn = 744, BytesOut = 1376,
            }),
            "0.0.0")[0]);

    [Fact]
    public void Http_and_tls_alerts_use_the_dictionarys_keys()
    {
        Alert http = Alert(new AlertEvent
        {
            Type = EventType.Http, Ts = "no time", SrcIP = "1.2.3.4", SrcPort = 1, Url = "http://a.b/?c=d", Method = "GET", Status = 200, BytesIn = 3, BytesOut = 0,
            UserAgent = "curl/8.0", Referrer = "http://r/", ContentType = "text/html",
        }) with { Flags = [], Groups = [] };
        Assert.Equal(
            "CEF:0|AlphaSOC|NFR|2.0.0|c2_comm|C2 communication|10|app=http src=1.2.3.4 spt=1 proto=tcp request=http://a.b/?c\\=d requestMethod=GET requestClientApplication=curl/8.0 requestContext=http://r/ in=3 out=0 cn1=200 cn1Label=status cs4=text/html cs4Label=contentType",
            CefFormat.Lines(http, "2.0.0")[0]);
        Alert tls = Alert(new AlertEvent
        {
            Type = EventType.Tls, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", SrcPort = 1, DestIP = "4.3.2.1", DestPort = 443, Ja3 = "a", Ja3s = "b", CertHash = "c",
            Issuer = "CN=i", Subject = "CN=s", ValidFrom = "2018-09-06T14:09:04Z",
        }) with { Flags = [], Groups = [] };
        Assert.EndsWith(
            "|10|app=tls rt=Sep 06 2018 14:09:04.123 UTC src=1.2.3.4 spt=1 dst=4.3.2.1 dpt=443 proto=tcp cs3=a cs3Label=ja3 cs4=c cs4Label=certHash cs5=CN\\=i cs5Label=issuer cs6=CN\\=s cs6Label=subject flexString1=b flexString1Label=ja3s deviceCustomDate1=Sep 06 2018 14:09:04.000 UTC deviceCustomDate1Label=validFrom",
            CefFormat.Lines(tls, "2.0.0")[0],
            StringComparison.Ordinal);
    }

    [Fact]
    public void Header_and_extension_escape_each_their_own()
    {
        Alert alert = new()
        {
            Threats = [new("a|b\\c", "x=y\n|z", 1)],
            Event = new AlertEvent { Type = EventType.Dns, Ts = "", SrcIP = "1.2.3.4", Query = "a=b|c\\d\r\ne\0f" },
        };
        Assert.Equal("CEF:0|AlphaSOC|NFR|1\\|0|a\\|b\\\\c|x=y\\n\\|z|2|app=dns src=1.2.3.4 query=a\\=b|c\\\\d\\r\\ne f", Assert.Single(CefFormat.Lines(alert, "1|0")));
    }
}
