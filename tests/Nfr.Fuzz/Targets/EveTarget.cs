using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Logs.Suricata;

namespace Nfr.Fuzz;

/// <summary>
/// Lines of Suricata's EVE: each has one verdict, a line is held or makes its events, and every event can be written as a line that reads back. Nothing stays
/// held when no line will come any more.
/// </summary>
sealed class EveTarget : Target
{
    static readonly string[] s_lines =
    [
        """{"timestamp":"2026-03-01T10:00:00.000000+0000","flow_id":7,"event_type":"dns","src_ip":"10.0.0.5","src_port":40000,"dest_ip":"10.0.0.53","dest_port":53,"proto":"UDP","dns":{"type":"query","id":5,"rrname":"a.example","rrtype":"A","tx_id":0}}""",
        """{"timestamp":"2026-03-01T10:00:00.020000+0000","flow_id":7,"event_type":"dns","src_ip":"10.0.0.53","src_port":53,"dest_ip":"10.0.0.5","dest_port":40000,"proto":"UDP","dns":{"type":"answer","id":5,"flags":"8180","rcode":"NOERROR","rrname":"a.example","rrtype":"CNAME","ttl":60,"rdata":"b\u00e9.example"}}""",
        """{"timestamp":"2026-03-01T10:00:00.030000+0000","flow_id":7,"event_type":"dns","src_ip":"10.0.0.5","src_port":40000,"dest_ip":"10.0.0.53","dest_port":53,"proto":"UDP","dns":{"version":2,"type":"answer","id":5,"rcode":"NXDOMAIN","rrname":"a.example","rrtype":"SRV","answers":[{"rrname":"a","rrtype":"SRV","ttl":5,"srv":{"priority":1,"weight":2,"port":3,"name":"x"}}],"grouped":{"A":["192.0.2.1"],"SOA":[{"mname":"a","serial":1}]}}}""",
        """{"timestamp":"2026-03-01T10:00:07+01:00","flow_id":7,"event_type":"dns","src_ip":"fe80::1","src_port":40000,"dest_ip":"fe80::2","dest_port":53,"proto":"017","dns":{"version":3,"type":"request","id":6,"flags":"100","queries":[{"rrname":"b\\xe4","rrtype":"TYPE65"},{"rrname":"","rrtype":"A"}]}}""",
        """{"timestamp":"2026-03-01T10:00:09.250000+0000","flow_id":1,"event_type":"flow","vlan":[20,30],"src_ip":"10.0.0.5","src_port":1,"dest_ip":"198.51.100.7","dest_port":80,"proto":"TCP","app_proto":"http","flow":{"pkts_toserver":6,"pkts_toclient":5,"bytes_toserver":900,"bytes_toclient":4000,"start":"2026-03-01T10:00:00.5+0000","end":"2026-03-01T10:00:03+0000","age":3,"emergency":true},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"13","ts_gap":true}}""",
        """{"timestamp":"2026-03-01T10:00:09","event_type":"flow","src_ip":"10.0.0.5","dest_ip":"198.51.100.7","proto":"ICMP","icmp_type":8,"icmp_code":0,"flow":{"age":99999999999}}""",
        """{"timestamp":"2026-03-01T10:00:09Z","event_type":"http","src_ip":"10.0.0.5","src_port":1,"dest_ip":"2001:db8::7","dest_port":443,"proto":"TCP","http":{"hostname":"[::1]","http_port":81,"url":"\/q\"?x=//y","http_method":"CONNECT","status":"200","length":7,"request_headers":[{"name":":authority","value":"h"}]}}""",
        """{"timestamp":"2026-03-01T10:00:09Z","event_type":"tls","src_ip":"10.0.0.5","src_port":1,"dest_ip":"198.51.100.7","dest_port":443,"proto":"TCP","tls":{"sni":"a","version":"TLS 1.3 draft-28","fingerprint":"92:70:cf:e3:69:4b:1d:f4:e2:de:63:54:ec:df:40:db:f3:ac:d1:ca","notbefore":"20190205214358Z","notafter":"2021-02-05T22:13:57","ja3":{"hash":"9f1a41f932f274fe47a992310a26a23a"},"subjectaltname":["a","b"],"client_alpns":["h2"],"session_resumed":true,"from_proto":"smtp"}}""",
        """{"timestamp":"2026-03-01T10:00:09Z","event_type":"quic","src_ip":"10.0.0.5","src_port":1,"dest_ip":"198.51.100.7","dest_port":443,"proto":"UDP","quic":{"version":"Q046","sni":"q","ja4":"q13d0310h3_55b375c5d22e_cd85d2d88918","extensions":[{"name":"alpn","values":["h3"]}]}}""",
        """{"timestamp":"2026-03-01T10:00:09Z","event_type":"alert","direction":"to_client","src_ip":"10.0.0.5","src_port":1,"dest_ip":"198.51.100.7","dest_port":443,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2018358,"rev":10,"signature":"ET POLICY x y","category":"A Network Trojan was detected","severity":2,"metadata":{"tag":["a"],"malware_family":["b"],"former_category":["C2"]}},"flow":{"src_ip":"198.51.100.7","src_port":443}}""",
        """{"timestamp":"2026-03-01T10:00:09Z","flow_id":2,"event_type":"llmnr","src_ip":"10.0.0.5","src_port":50001,"dest_ip":"224.0.0.252","dest_port":5355,"proto":"UDP","llmnr":{"type":"response","id":3,"queries":[{"rrname":"p","rrtype":"A"}],"answers":[{"rrname":"p","rrtype":"A","ttl":30,"a":"10.0.0.9"},{"txt":["a","b"]}]}}""",
        """{"timestamp":"2026-03-01T10:00:09Z","event_type":"stats","stats":{"a":[[{}]]}}""",
    ];

    readonly EveParser _parser = new(new LineOptions { Zone = TimeZoneInfo.Utc });
    readonly Sink _sink = new();

    public override string Name => "eve";
    public override int Runs => 100_000;

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. LineSeeds.Words, .. ((string[])["\"event_type\":\"dns\"", "\"flow_id\":7", "\"type\":\"answer\"", "\"version\":2", "\"version\":3", "\"queries\":[{\"rrname\":\"c\"}]", "\"answers\":[", "\"rdata\":\"x\"", "\"ttl\":-1",
            "\"dest_port\":53", "\"src_port\":53", "+0000", "-0330", "\"tcp_flags_tc\":\"04\"", "\"metadata\":{}", "\n"]).Select(Encoding.UTF8.GetBytes),
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
        [.. s_lines.Select(Encoding.UTF8.GetBytes), Encoding.UTF8.GetBytes(string.Join('\n', s_lines[..3])), Encoding.UTF8.GetBytes(string.Join('\n', s_lines[1..4]))];

    public override void Run(ReadOnlySpan<byte> input)
    {
        _parser.Restart();
        _parser.At = 0;
        foreach (Range line in input.Split((byte)'\n'))
        {
            int before = _sink.Events;
            LineVerdict verdict = _parser.Read(input[line], _sink);
            if (verdict == LineVerdict.Event && _sink.Events == before) throw new InvalidOperationException("an event that was not given");
            if (verdict == LineVerdict.Held && _parser.OldestHeld > _parser.At) throw new InvalidOperationException("a line is held that is not");
            _parser.At += input[line].Length + 1;
        }
        _parser.Release(_sink);
        if (_parser.OldestHeld != long.MaxValue) throw new InvalidOperationException("something is held still");
    }

    sealed class Sink : IEventSink
    {
        readonly EventJson _json = new();
        readonly EventJsonReader _reader = new();
        readonly ArrayBufferWriter<byte> _line = new(1 << 16);

        public int Events { get; private set; }

        public void OnDns(scoped in DnsEvent e)
        {
            Begin();
            _json.WriteLine(e, _line);
            // What is not UTF-8 becomes longer as a line.
            if (e.Query.Length <= 255) Check(_reader.Read(_line.WrittenSpan, out DnsEvent _));
        }

        public void OnIp(scoped in IpEvent e)
        {
            Begin();
            if (e.Duration < 0 || e.BytesIn < 0 || e.BytesOut < 0 || e.PayloadIn < 0 || e.PayloadOut < 0) throw new InvalidOperationException("less than nothing");
            _json.WriteLine(e, _line);
            Check(_reader.Read(_line.WrittenSpan, out IpEvent _));
        }

        public void OnHttp(scoped in HttpEvent e)
        {
            Begin();
            _json.WriteLine(e, _line);
            Check(_reader.Read(_line.WrittenSpan, out HttpEvent _));
        }

        public void OnTls(scoped in TlsEvent e)
        {
            Begin();
            _json.WriteLine(e, _line);
            Check(_reader.Read(_line.WrittenSpan, out TlsEvent _));
        }

        public void OnSignature(scoped in SignatureEvent e)
        {
            Begin();
            _json.WriteLine(e, _line);
        }

        public void OnHost(scoped in HostEvent e) => throw new InvalidOperationException("EVE has no hosts");

        public void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException("EVE's anomalies are none of ours");

        void Begin()
        {
            Events++;
            _line.ResetWrittenCount();
        }

        void Check(EventLineFault fault)
        {
            if (fault != EventLineFault.None) throw new InvalidOperationException($"{fault}: {Encoding.UTF8.GetString(_line.WrittenSpan)}");
        }
    }
}
