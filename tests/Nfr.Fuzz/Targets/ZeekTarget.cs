using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Fuzz;

/// <summary>Lines of Zeek's logs under their headers, and as JSON: each line has a verdict, an event is made where it says so and nowhere else, and nothing is allocated.</summary>
sealed class ZeekTarget : Target
{
    const string Head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n";

    static readonly string[] s_logs =
    [
        Head + "#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\tquery\tqtype\tqtype_name\trcode\trcode_name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\n"
            + "1700000000.123456\tC\t10.0.0.5\t40000\tfe80::1\t53\tudp\t7\ta\\xffb.example\t16\tTXT\t0\tNOERROR\tF\tF\tT\tT\t0\tTXT 5 hello TXT 2 a\\x2c,c.example,192.0.2.1,::1\t1.0,2.0,-,3.0\n",
        Head + "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\tip_proto\n"
            + "1700000000.1\t10.0.0.5\t1\t10.0.0.6\t25\ttcp\tsmtp,ssl\t1.5\t7\t8\tSF\t9\t^hADadgFf\t1\t2\t3\t4\t6\n",
        "#separator |\n#path|http\n#fields|ts|id.orig_h|id.resp_h|id.resp_p|method|host|uri|status_code|username|resp_mime_types\n1.5|::1|::2|8080|GET|-|/a|401|u|text/html,b\n1.5|::1|::2|80|CONNECT|-|h:1|-|-|-\n",
        "#path\tx509\n#fields\tts\tfingerprint\tcertificate.subject\tcertificate.not_valid_before\tsan.dns\n1.5\taa\tCN=a\\\\,b\t1e9\ta,b\n"
            + "#path\tssl\n#fields\tts\tid.orig_h\tid.resp_h\tversion\tserver_name\tresumed\tssl_history\tcert_chain_fps\n1.5\t10.0.0.1\t10.0.0.2\tDTLSv12\ta\tT\tCsvr\taa,bb\n",
        """
        {"_path":"dns","ts":1700000000.1,"id":{"orig_h":"10.0.0.1","orig_p":1,"resp_h":"::1","resp_p":137},"query":"a\u00e9\\xffb ","qtype_name":"query-7","answers":["192.0.2.1",null,"\u0001"],"TTLs":[1.0,2e1]}
        {"ts":"2023-11-14T22:13:20.1+0100","id.orig_h":"10.0.0.1","id.resp_h":"::1","proto":"icmp","conn_state":"OTH","duration":7.2e-05}
        {"_path":"x509","fingerprint":"aa","certificate":{"subject":"CN=a"},"san":{"dns":["a","b"]}}
        {"_path":"ssl","ts":1700000000123,"id_orig_h":"10.0.0.1","cert_chain_fps":["aa"],"established":true}
        """,
    ];

    readonly LineOptions _options = new() { Certificates = new CertificateCache(16) };
    readonly ZeekParser _parser;
    readonly Counting _sink = new();

    public ZeekTarget() => _parser = new ZeekParser(_options);

    public override string Name => "zeek";
    public override int Runs => 30_000;

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. ((string[])["#fields\t", "#path\t", "#separator ", "#unset_field\t", "#close", "\\x09", "\\\\", "(empty)", "\t-\t", "\t\t", "1e99", "-1.5", "99999999999999999999", "\"id\":{", "\"answers\":[", "\"TTLs\":[",
            "\\u0000", "\\\\xff", "conn_long", "TXT 99999999999 ", "TXT 0 ", "%eth0"]).Select(Encoding.UTF8.GetBytes),
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => s_logs.Select(Encoding.UTF8.GetBytes);

    public override void Run(ReadOnlySpan<byte> input)
    {
        _parser.Restart();
        foreach (Range range in input.Split((byte)'\n'))
        {
            int before = _sink.Count;
            LineVerdict verdict = _parser.Read(input[range], _sink);
            if ((verdict == LineVerdict.Event) != (_sink.Count > before)) throw new InvalidOperationException($"{verdict} and {_sink.Count - before} events");
        }
    }

    /// <summary>Looks at every byte that it is given.</summary>
    sealed class Counting : IEventSink
    {
        readonly EventRing _ring = new(1 << 18, grouped: true);
        public int Count { get; private set; }

        public void OnDns(scoped in DnsEvent e)
        {
            var answers = new DnsAnswerReader(e.Answers);
            while (answers.MoveNext())
            {
            }
            Take(!e.Query.IsEmpty && _ring.TryWriteDns(e));
        }

        public void OnIp(scoped in IpEvent e) => Take(e is { BytesIn: >= 0, BytesOut: >= 0, Duration: >= 0 } && _ring.TryWriteIp(e));
        public void OnHttp(scoped in HttpEvent e) => Take(!e.Url.IsEmpty && !e.Host.IsEmpty && _ring.TryWriteHttp(e));
        public void OnTls(scoped in TlsEvent e) => Take(_ring.TryWriteTls(e));
        public void OnHost(scoped in HostEvent e) => Take(false);
        public void OnAnomaly(scoped in AnomalyEvent e) => Take(false);

        void Take(bool good)
        {
            if (!good) throw new InvalidOperationException("an event that is none");
            _ring.Rollback();
            Count++;
        }
    }
}
