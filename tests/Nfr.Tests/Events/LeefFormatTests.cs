using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class LeefFormatTests
{
    static Alert Alert(AlertEvent e) => new()
    {
        Threats = [new("c2_comm", "C2 communication", 5, true), new("interesting", "Interesting event", 2)],
        Flags = ["c2", "young_domain"],
        Groups = [new("boston", "")],
        Event = e,
    };

    [Fact]
    public void A_dns_alert_has_a_line_for_each_threat() => Assert.Equal(
        [
            "LEEF:2.0|AlphaSOC|NFR|0.0.0|c2_comm|^|cat=dns^sev=10^policy=1^devTimeFormat=MMM dd yyyy HH:mm:ss.SSS zzz^devTime=Sep 06 2018 14:09:04.123 UTC^description=C2 communication^flags=c2,young_domain^groups=boston^src=1.2.3.4^query=virus.com^recordType=A",
            "LEEF:2.0|AlphaSOC|NFR|0.0.0|interesting|^|cat=dns^sev=4^policy=0^devTimeFormat=MMM dd yyyy HH:mm:ss.SSS zzz^devTime=Sep 06 2018 14:09:04.123 UTC^description=Interesting event^flags=c2,young_domain^groups=boston^src=1.2.3.4^query=virus.com^recordType=A",
        ],
        LeefFormat.Lines(Alert(new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", Query = "virus.com", QType = "A" }), "0.0.0"));

    [Fact]
    public void An_ip_alert_has_the_formats_own_attributes_and_its_source_once() => Assert.Equal(
        "LEEF:2.0|AlphaSOC|NFR|0.0.0|c2_comm|^|cat=ip^sev=10^policy=1^devTimeFormat=MMM dd yyyy HH:mm:ss.SSS zzz^devTime=Sep 06 2018 14:09:04.123 UTC^description=C2 communication^flags=c2,young_domain^groups=boston^proto=tcp^src=1.2.3.4^srcPort=16830^dst=4.3.2.1^dstPort=443^srcBytes=744^dstBytes=1376^identHostName=desk^srcMAC=02:00:00:00:00:01^usrName=ann",
        LeefFormat.Lines(
            Alert(new AlertEvent
            {
                Type = EventType.Ip, Ts = "2018-09-06T16:09:04.1239+02:00", SrcIP = "1.2.3.4", SrcPort = 16830, DestIP = "4.3.2.1", DestPort = 443, Proto = "tcp", BytesIn = 744, BytesOut = 1376,
                SrcHost = "desk", SrcMac = "02:00:00:00:00:01", SrcUser = "ann",
            }),
            "0.0.0")[0]);

    [Fact]
    public void Http_and_tls_alerts_tell_all_of_their_event()
    {
        Alert http = Alert(new AlertEvent
        {
            Type = EventType.Http, Ts = "no time", SrcIP = "1.2.3.4", SrcPort = 1, Url = "http://a.b/?c=d", Method = "GET", Status = 200, BytesIn = 3, BytesOut = 0,
            UserAgent = "curl/8.0", Referrer = "http://r/", ContentType = "text/html", Action = "allowed",
        }) with { Flags = [], Groups = [] };
        Assert.Equal(
            "LEEF:2.0|AlphaSOC|NFR|2.0.0|c2_comm|^|cat=http^sev=10^policy=1^description=C2 communication^proto=tcp^src=1.2.3.4^srcPort=1^srcBytes=3^dstBytes=0^url=http://a.b/?c=d^method=GET^status=200^action=allowed^contentType=text/html^referrer=http://r/^userAgent=curl/8.0",
            LeefFormat.Lines(http, "2.0.0")[0]);
        Alert tls = Alert(new AlertEvent
        {
            Type = EventType.Tls, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", SrcPort = 1, DestIP = "4.3.2.1", DestPort = 443, Ja3 = "a", Ja3s = "b", CertHash = "c",
            Issuer = "CN=i", Subject = "CN=s", ValidFrom = "2018-09-06T14:09:04Z", ValidTo = "2019-09-06T14:09:04Z",
        }) with { Flags = [], Groups = [] };
        Assert.EndsWith(
            "^proto=tcp^src=1.2.3.4^srcPort=1^dst=4.3.2.1^dstPort=443^ja3=a^ja3s=b^certHash=c^issuer=CN=i^subject=CN=s^validFrom=2018-09-06T14:09:04Z^validTo=2019-09-06T14:09:04Z",
            LeefFormat.Lines(tls, "2.0.0")[0],
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_character_between_attributes_is_one_that_no_value_holds()
    {
        Alert alert = new() { Threats = [new("a|b", "x^y~\tz\n|ü", 1)], Event = new AlertEvent { Type = EventType.Dns, Ts = "", SrcIP = "1.2.3.4", Query = "a=b\0c" } };
        Assert.Equal("LEEF:2.0|AlphaSOC|NFR|1_0|a_b|`|cat=dns`sev=2`policy=0`description=x^y~ z |ü`src=1.2.3.4`query=a=b c", Assert.Single(LeefFormat.Lines(alert, "1|0")));
        alert = alert with { Threats = [new("a", "^~`!*$", 1)] };
        Assert.Equal("LEEF:2.0|AlphaSOC|NFR|1|a|^|cat=dns^sev=2^policy=0^description= ~`!*$^src=1.2.3.4^query=a=b c", Assert.Single(LeefFormat.Lines(alert, "1")));
    }
}
