using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Nfr.Events;

namespace Nfr.Tests.Elastic;

/// <summary>Golden documents: a line as the spool holds it, and what Elasticsearch is sent for it.</summary>
public sealed class EcsDocumentTests
{
    internal static readonly SensorIdentity Sensor = new("2.0.0", "5e45", "tap-1");


    static string? Document(EventType type, string line)
    {
        var output = new ArrayBufferWriter<byte>();
        using var ecs = new EcsEvents(Sensor);
        return ecs.TryWrite(type, Encoding.UTF8.GetBytes(line), "5e45-1", output) ? Encoding.UTF8.GetString(output.WrittenSpan) : null;
    }

    static void Same(string expected, string? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(actual)!.ToJsonString());
        Assert.DoesNotContain('\n', actual);
    }

    [Fact]
    public void A_dns_event() => Same(
        """
        {
            "@timestamp": "2026-11-21T12:00:00.25Z",
            "type": "dns",
            "status": "OK",
            "event": {"kind": "event", "category": ["network"], "type": ["connection", "protocol"], "outcome": "success", "module": "nfr", "dataset": "nfr.dns", "id": "5e45-1", "start": "2026-11-21T12:00:00.25Z"},
            "source": {"address": "10.1.2.3", "ip": "10.1.2.3", "port": 5000},
            "destination": {"address": "10.1.2.1", "ip": "10.1.2.1", "port": 53},
            "client": {"ip": "10.1.2.3", "port": 5000},
            "server": {"ip": "10.1.2.1", "port": 53},
            "network": {"type": "ipv4", "transport": "udp", "protocol": "dns", "direction": "internal", "community_id": "1:abc=", "vlan": {"id": "12"}},
            "dns": {"type": "answer", "id": "4660", "response_code": "NOERROR", "question": {"name": "www.Example.com", "type": "A", "class": "IN"}, "header_flags": ["RD", "RA"], "flags": {"authoritative": false, "truncated_response": false, "recursion_desired": true, "recursion_available": true, "authentic_data": false, "checking_disabled": false}, "answers_count": 2, "resolved_ip": ["93.184.215.14"], "answers": [{"class": "IN", "type": "CNAME", "ttl": 60, "data": "example.com"}, {"class": "IN", "type": "A", "ttl": 7, "data": "93.184.215.14"}]},
            "related": {"ip": ["10.1.2.3", "10.1.2.1", "93.184.215.14"], "hosts": ["www.Example.com"]},
            "observer": {"type": "sensor", "vendor": "AlphaSOC", "product": "NFR", "name": "tap-1", "serial_number": "5e45", "version": "2.0.0"},
            "ecs": {"version": "8.11.0"}
        }
        """,
        Document(EventType.Dns, """{"type":"dns","ts":"2026-11-21T12:00:00.25Z","srcIP":"10.1.2.3","query":"www.Example.com","qtype":"A","communityId":"1:abc=","vlan":12,"rcode":"NOERROR","answers":[{"type":"CNAME","ttl":60,"data":"example.com"},{"type":"A","ttl":7,"data":"93.184.215.14"}],"id":4660,"flags":33152,"transport":"udp","srcPort":5000,"destIP":"10.1.2.1","destPort":53}"""));

    [Fact]
    public void A_flow() => Same(
        """
        {
            "@timestamp": "2026-11-21T12:00:00Z",
            "type": "flow",
            "event": {"kind": "event", "category": ["network"], "type": ["connection", "start"], "action": "network_flow", "module": "nfr", "dataset": "nfr.flow", "id": "5e45-1", "start": "2026-11-21T12:00:00Z", "duration": 1250000000, "end": "2026-11-21T12:00:01.25Z"},
            "flow": {"id": "1:abc=", "final": false},
            "source": {"address": "10.1.2.3", "ip": "10.1.2.3", "port": 5000, "bytes": 1376, "packets": 6},
            "destination": {"address": "93.184.215.14", "ip": "93.184.215.14", "port": 443, "bytes": 744, "packets": 5},
            "client": {"ip": "10.1.2.3", "port": 5000, "bytes": 1376},
            "server": {"ip": "93.184.215.14", "port": 443, "bytes": 744},
            "network": {"type": "ipv4", "transport": "tcp", "protocol": "tls", "direction": "outbound", "community_id": "1:abc=", "bytes": 2120, "packets": 11},
            "tls": {"client": {"ja3": "4d7a28d6f2263ed61de88ca66eb011e3"}},
            "related": {"ip": ["10.1.2.3", "93.184.215.14"], "hash": ["4d7a28d6f2263ed61de88ca66eb011e3"]},
            "nfr": {"event": {"connection_state": "SF", "tcp_flags": "FSPA", "notes": ["missedBytes", "activeTimeout"], "missed_bytes": 10}},
            "observer": {"type": "sensor", "vendor": "AlphaSOC", "product": "NFR", "name": "tap-1", "serial_number": "5e45", "version": "2.0.0"},
            "ecs": {"version": "8.11.0"}
        }
        """,
        Document(EventType.Ip, """{"type":"ip","ts":"2026-11-21T12:00:00Z","srcIP":"10.1.2.3","srcPort":5000,"destIP":"93.184.215.14","destPort":443,"proto":"tcp","bytesIn":744,"bytesOut":1376,"ja3":"4d7a28d6f2263ed61de88ca66eb011e3","communityId":"1:abc=","duration":1.25,"packetsIn":5,"packetsOut":6,"tcpFlags":"FSPA","state":"SF","app":"tls","notes":["missedBytes","activeTimeout"],"missedIn":10}"""));

    [Fact]
    public void An_http_request() => Same(
        """
        {
            "@timestamp": "2026-11-21T12:00:00Z",
            "type": "http",
            "status": "Error",
            "event": {"kind": "event", "category": ["network", "web"], "type": ["connection", "protocol"], "outcome": "failure", "module": "nfr", "dataset": "nfr.http", "id": "5e45-1", "start": "2026-11-21T12:00:00Z"},
            "source": {"address": "10.1.2.3", "ip": "10.1.2.3", "port": 5000, "bytes": 0},
            "destination": {"address": "93.184.215.14", "ip": "93.184.215.14", "port": 8080, "bytes": 10, "domain": "a.b"},
            "client": {"ip": "10.1.2.3", "port": 5000, "bytes": 0},
            "server": {"ip": "93.184.215.14", "port": 8080, "bytes": 10},
            "network": {"type": "ipv4", "transport": "tcp", "protocol": "http", "direction": "outbound", "community_id": "1:abc=", "bytes": 10},
            "url": {"original": "http://a.b:8080/c?d=<e>", "full": "http://a.b:8080/c?d=<e>", "scheme": "http", "domain": "a.b", "port": 8080, "path": "/c", "query": "d=<e>"},
            "http": {"request": {"method": "GET", "referrer": "http://x/", "body": {"bytes": 0}}, "response": {"status_code": 404, "mime_type": "text/html", "body": {"bytes": 10}}},
            "user_agent": {"original": "curl/8.0 \"q\" \\"},
            "related": {"ip": ["10.1.2.3", "93.184.215.14"], "hosts": ["a.b"]},
            "observer": {"type": "sensor", "vendor": "AlphaSOC", "product": "NFR", "name": "tap-1", "serial_number": "5e45", "version": "2.0.0"},
            "ecs": {"version": "8.11.0"}
        }
        """,
        Document(EventType.Http, """{"type":"http","ts":"2026-11-21T12:00:00Z","srcIP":"10.1.2.3","srcPort":5000,"url":"http://a.b:8080/c?d=<e>","method":"GET","status":404,"action":"","bytesIn":10,"bytesOut":0,"contentType":"text/html","referrer":"http://x/","userAgent":"curl/8.0 \"q\" \\","communityId":"1:abc=","host":"a.b:8080","destIP":"93.184.215.14","destPort":8080}"""));

    [Fact]
    public void A_tls_handshake() => Same(
        """
        {
            "@timestamp": "2026-11-21T12:00:00Z",
            "type": "tls",
            "event": {"kind": "event", "category": ["network"], "type": ["connection", "protocol"], "module": "nfr", "dataset": "nfr.tls", "id": "5e45-1", "start": "2026-11-21T12:00:00Z"},
            "source": {"address": "2001:db8::3", "ip": "2001:db8::3", "port": 5000},
            "destination": {"address": "2606:2800::1", "ip": "2606:2800::1", "port": 443, "domain": "a.b"},
            "client": {"ip": "2001:db8::3", "port": 5000},
            "server": {"ip": "2606:2800::1", "port": 443},
            "network": {"type": "ipv6", "transport": "tcp", "protocol": "tls", "direction": "outbound", "community_id": "1:abc="},
            "tls": {"version": "1.2", "version_protocol": "tls", "resumed": true, "client": {"server_name": "a.b", "ja3": "4d7a28d6f2263ed61de88ca66eb011e3", "ja4": "t12d1516h2_8daaf6152771_e5627efa2ab1", "alpn": ["h2"]}, "server": {"ja3s": "ec74a5c51106f0419184d0dd08fb05bc", "issuer": "CN=Ca", "subject": "CN=a.b", "not_before": "2018-09-03T09:39:47Z", "not_after": "2019-09-03T09:39:47Z", "hash": {"sha1": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}, "x509": {"alternative_names": ["a.b", "c.d"]}}},
            "related": {"ip": ["2001:db8::3", "2606:2800::1"], "hosts": ["a.b"], "hash": ["DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "4d7a28d6f2263ed61de88ca66eb011e3", "ec74a5c51106f0419184d0dd08fb05bc", "t12d1516h2_8daaf6152771_e5627efa2ab1"]},
            "nfr": {"event": {"notes": ["resumed"]}},
            "observer": {"type": "sensor", "vendor": "AlphaSOC", "product": "NFR", "name": "tap-1", "serial_number": "5e45", "version": "2.0.0"},
            "ecs": {"version": "8.11.0"}
        }
        """,
        Document(EventType.Tls, """{"type":"tls","ts":"2026-11-21T12:00:00Z","srcIP":"2001:db8::3","srcPort":5000,"destIP":"2606:2800::1","destPort":443,"certHash":"da39a3ee5e6b4b0d3255bfef95601890afd80709","issuer":"CN=Ca","subject":"CN=a.b","validFrom":"2018-09-03T09:39:47Z","validTo":"2019-09-03T09:39:47Z","ja3":"4d7a28d6f2263ed61de88ca66eb011e3","ja3s":"ec74a5c51106f0419184d0dd08fb05bc","communityId":"1:abc=","sni":"a.b","version":"TLS 1.2","ja4":"t12d1516h2_8daaf6152771_e5627efa2ab1","alpn":"h2","san":["a.b","c.d"],"notes":["resumed"]}"""));

    [Fact]
    public void An_event_with_the_APIs_fields_alone_is_a_smaller_document() => Same(
        """
        {
            "@timestamp": "2026-11-21T12:00:00Z",
            "type": "dns",
            "event": {"kind": "event", "category": ["network"], "type": ["connection", "protocol"], "module": "nfr", "dataset": "nfr.dns", "id": "5e45-1", "start": "2026-11-21T12:00:00Z"},
            "source": {"address": "10.1.2.3", "ip": "10.1.2.3"},
            "client": {"ip": "10.1.2.3"},
            "network": {"type": "ipv4", "protocol": "dns"},
            "dns": {"question": {"name": "www.example.com", "type": "A", "class": "IN"}},
            "related": {"ip": ["10.1.2.3"], "hosts": ["www.example.com"]},
            "observer": {"type": "sensor", "vendor": "AlphaSOC", "product": "NFR", "name": "tap-1", "serial_number": "5e45", "version": "2.0.0"},
            "ecs": {"version": "8.11.0"}
        }
        """,
        Document(EventType.Dns, """{"ts":"2026-11-21T12:00:00Z","srcIP":"10.1.2.3","query":"www.example.com","qtype":"A"}"""));

    [Fact]
    public void An_alert()
    {
        Same(
        """
        {
            "@timestamp": "2018-09-06T14:09:04.123Z",
            "message": "C2 communication; Bad TLD",
            "event": {"kind": "alert", "category": ["network", "intrusion_detection"], "type": ["info", "connection", "protocol"], "module": "nfr", "dataset": "nfr.alert", "id": "5e45-00c0ffee00c0ffee", "severity": 5, "reason": "10.2.3.4 asked for virus.example", "start": "2018-09-06T14:09:04.123Z"},
            "rule": {"id": "c2_communication", "name": "C2 communication", "category": "threat", "ruleset": "nfr"},
            "source": {"address": "10.2.3.4", "ip": "10.2.3.4", "port": 5000, "domain": "printer", "mac": "02-00-5E-10-00-01"},
            "destination": {"address": "10.2.3.1", "ip": "10.2.3.1", "port": 53},
            "client": {"ip": "10.2.3.4", "port": 5000},
            "server": {"ip": "10.2.3.1", "port": 53},
            "network": {"type": "ipv4", "transport": "udp", "protocol": "dns", "direction": "internal", "community_id": "1:abc="},
            "dns": {"type": "answer", "id": "7", "response_code": "NXDOMAIN", "question": {"name": "virus.example", "type": "A", "class": "IN"}, "header_flags": ["RD", "RA"], "flags": {"authoritative": false, "truncated_response": false, "recursion_desired": true, "recursion_available": true, "authentic_data": false, "checking_disabled": false}, "answers_count": 0},
            "related": {"ip": ["10.2.3.4", "10.2.3.1"], "hosts": ["virus.example", "printer"]},
            "observer": {"type": "sensor", "vendor": "AlphaSOC", "product": "NFR", "name": "tap-1", "serial_number": "5e45", "version": "2.0.0"},
            "ecs": {"version": "8.11.0"},
            "tags": ["c2"],
            "labels": {"groups": "servers"},
            "nfr": {"threats": [{"id": "c2_communication", "title": "C2 communication", "severity": 5, "policy": false}, {"id": "bad_tld", "title": "Bad TLD", "severity": 1, "policy": true}], "groups": [{"name": "servers", "description": "Machines below the stairs"}], "evidence": {"id": "00c0ffee00c0ffee", "detector": "indicators", "key": "10.2.3.4 virus.example", "summary": "10.2.3.4 asked for virus.example", "score": 1, "score_limit": 1, "count": 3, "features": [{"name": "matches", "value": 1, "limit": 1, "weight": 1}], "facts": ["list=threatfox", "age=2.5"], "community_ids": ["1:abc="], "samples": ["{\"type\":\"dns\",\"ts\":\"2018-09-06T14:09:04.123Z\",\"srcIP\":\"10.2.3.4\",\"query\":\"virus.example\",\"qtype\":\"A\",\"communityId\":\"1:abc=\",\"rcode\":\"NXDOMAIN\",\"id\":7,\"flags\":33155,\"transport\":\"udp\",\"srcPort\":5000,\"destIP\":\"10.2.3.1\",\"destPort\":53}"]}}
        }
        """,
        Alert(Full));
    }

    internal static readonly Alert Full = new()
    {
        Threats = [new AlertThreat("c2_communication", "C2 communication", 5), new AlertThreat("bad_tld", "Bad TLD", 1, Policy: true)],
        Flags = ["c2"],
        Groups = [new AlertGroup("servers", "Machines below the stairs")],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "10.2.3.4", SrcMac = "02:00:5e:10:00:01", SrcHost = "printer", Query = "virus.example", QType = "A" },
        Evidence = new AlertEvidence
        {
            Id = "00c0ffee00c0ffee", Detector = "indicators", Key = "10.2.3.4 virus.example", Summary = "10.2.3.4 asked for virus.example", Score = 1, Count = 3,
            Features = [new EvidenceFeature("matches", 1, 1)], Facts = [new EvidenceValue("list", 0, "threatfox"), new EvidenceValue("age", 2.5)], CommunityIds = ["1:abc="],
            Samples = ["""{"type":"dns","ts":"2018-09-06T14:09:04.123Z","srcIP":"10.2.3.4","query":"virus.example","qtype":"A","communityId":"1:abc=","rcode":"NXDOMAIN","id":7,"flags":33155,"transport":"udp","srcPort":5000,"destIP":"10.2.3.1","destPort":53}"""],
        },
    };

    internal static string Alert(Alert alert)
    {
        var output = new ArrayBufferWriter<byte>();
        EcsAlerts.Write(alert, Sensor, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"srcIP":"10.1.2.3"}""")]
    [InlineData("""{"ts":"yesterday"}""")]
    [InlineData("""{"ts":"2026-11-21T12:00:00Z","query":"\ud800"}""")]
    public void What_is_no_event_is_no_document(string line) => Assert.Null(Document(EventType.Dns, line));
}
