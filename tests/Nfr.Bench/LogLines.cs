using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Bench;

/// <summary>
/// "logs [NAME]…": how many lines of a log a second one core reads into events, through the grouped ring that the pipeline empties, and what each line allocates. The log
/// lies in memory, 64 MiB of made-up lines; the ring is emptied by the same thread, so that its cost is in the figure. The best of several rounds counts.
/// </summary>
static class LogLines
{
    const int Bytes = 64 << 20, Rounds = 5;

    /// <summary>The header and what the line of a number looks like.</summary>
    sealed record Sample(string Name, LogFormat Format, string Header, Func<int, string> Line);

    static readonly Sample[] s_samples =
    [
        new("zeek-dns", LogFormat.Zeek,
            "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\trcode\trcode_name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\trejected\n",
            i => $"{Stamp(i)}\tC{i:x16}\t10.{i >> 8 & 15}.{i & 255}.7\t{1024 + (i % 60000)}\t10.0.0.1\t53\tudp\t{i & 0xFFFF}\t0.0{i % 90000:D5}\tw{i % 997}.site{i % 4999}.example.com\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\tedge{i % 31}.cdn.example.net,192.0.2.{i & 255}\t300.000000,60.000000\tF"),
        new("zeek-conn", LogFormat.Zeek,
            "#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n",
            i => $"{Stamp(i)}\tC{i:x16}\t10.{i >> 8 & 15}.{i & 255}.7\t{1024 + (i % 60000)}\t192.0.2.{i & 255}\t443\ttcp\tssl\t{i % 100}.5{i % 90000:D5}\t{i % 7000}\t{i % 90000}\tSF\tT\tF\t0\tShADadFf\t12\t{(i % 7000) + 640}\t14\t{(i % 90000) + 740}\t-"),
        new("zeek-json", LogFormat.Zeek, "",
            i => $$"""{"_path":"dns","_write_ts":{{Stamp(i)}},"ts":{{Stamp(i)}},"uid":"C{{i:x16}}","id.orig_h":"10.{{i >> 8 & 15}}.{{i & 255}}.7","id.orig_p":{{1024 + (i % 60000)}},"id.resp_h":"10.0.0.1","id.resp_p":53,"proto":"udp","trans_id":{{i & 0xFFFF}},"rtt":0.0{{i % 90000:D5}},"query":"w{{i % 997}}.site{{i % 4999}}.example.com","qclass":1,"qclass_name":"C_INTERNET","qtype":1,"qtype_name":"A","rcode":0,"rcode_name":"NOERROR","AA":false,"TC":false,"RD":true,"RA":true,"Z":0,"answers":["edge{{i % 31}}.cdn.example.net","192.0.2.{{i & 255}}"],"TTLs":[300.0,60.0],"rejected":false}"""),
        new("suricata", LogFormat.Suricata, "",
            i => $$"""{"timestamp":"2023-11-14T22:{{i / 60 % 60:D2}}:{{i % 60:D2}}.123456+0000","flow_id":{{1_000_000_000_000L + i}},"in_iface":"eth0","event_type":"dns","src_ip":"10.{{i >> 8 & 15}}.{{i & 255}}.7","src_port":{{1024 + (i % 60000)}},"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","dns":{"version":2,"type":"answer","id":{{i & 0xFFFF}},"flags":"8180","qr":true,"rd":true,"ra":true,"rrname":"w{{i % 997}}.site{{i % 4999}}.example.com","rrtype":"A","rcode":"NOERROR","answers":[{"rrname":"w{{i % 997}}.site{{i % 4999}}.example.com","rrtype":"A","ttl":60,"rdata":"192.0.2.{{i & 255}}"}]} }"""),
    ];

    public static int Run(string[] args)
    {
        Sample[] wanted = args.Length == 0 ? s_samples : [.. s_samples.Where(s => args.Contains(s.Name))];
        if (wanted.Length == 0)
        {
            Console.Error.WriteLine("logs: names " + string.Join(", ", s_samples.Select(s => s.Name)) + ", or nothing for all");
            return 2;
        }
        Console.WriteLine("log        |  lines/s | MB/s | events/line | bytes allocated/line");
        foreach (Sample sample in wanted)
        {
            if (LogFormats.Parser(sample.Format, new LineOptions()) is null)
            {
                Console.WriteLine($"{sample.Name,-10} | not read yet");
                continue;
            }
            Measure(sample);
        }
        return 0;
    }

    static void Measure(Sample sample)
    {
        byte[] log = Make(sample);
        double best = double.MaxValue, allocated = double.MaxValue;
        long lines = 0, events = 0;
        // The first two compile.
        for (int round = 0; round < Rounds + 2; round++)
        {
            LineParser parser = LogFormats.Parser(sample.Format, new LineOptions())!;
            var outlet = new Emptied();
            long before = GC.GetAllocatedBytesForCurrentThread();
            long from = Stopwatch.GetTimestamp();
            lines = Read(log, parser, outlet);
            double took = Stopwatch.GetElapsedTime(from).TotalSeconds;
            if (round < 2) continue;
            best = Math.Min(best, took);
            allocated = Math.Min(allocated, (double)(GC.GetAllocatedBytesForCurrentThread() - before) / lines);
            events = outlet.Count;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sample.Name,-10} | {lines / best,8:F0} | {log.Length / best / 1e6,4:F0} | {(double)events / lines,11:F2} | {allocated:F2}"));
    }

    static long Read(byte[] log, LineParser parser, Emptied outlet)
    {
        long lines = 0;
        int at = 0;
        while (at < log.Length)
        {
            int end = log.AsSpan(at).IndexOf((byte)'\n');
            parser.At = at;
            parser.Read(log.AsSpan(at, end), outlet);
            outlet.Commit(at += end + 1);
            lines++;
        }
        parser.Release(outlet);
        outlet.Commit(at);
        outlet.Empty();
        return lines;
    }

    static byte[] Make(Sample sample)
    {
        var log = new MemoryStream(Bytes + 4096);
        log.Write(Encoding.UTF8.GetBytes(sample.Header));
        for (int i = 0; log.Length < Bytes; i++) log.Write(Encoding.UTF8.GetBytes(sample.Line(i) + "\n"));
        return log.ToArray();
    }

    static string Stamp(int i) => string.Create(CultureInfo.InvariantCulture, $"{1_700_000_000 + (i / 1000)}.{i % 1000 * 997:D6}");

    /// <summary>A grouped ring, emptied by the thread that fills it when it is a quarter full.</summary>
    sealed class Emptied : IEventSink
    {
        readonly EventRing _ring = new(EventRing.DefaultCapacity, grouped: true);
        Counting _reader;

        public long Count => _reader.Count;

        public void Commit(long offset)
        {
            _ring.TryWriteMark(new InputMark(0, 0, offset, offset));
            if (_ring.Waiting > EventRing.DefaultCapacity / 4) Empty();
        }

        public void Empty() => _ring.Read(ref _reader, int.MaxValue);

        public void OnDns(scoped in DnsEvent e) => _ring.TryWriteDns(e);
        public void OnIp(scoped in IpEvent e) => _ring.TryWriteIp(e);
        public void OnHttp(scoped in HttpEvent e) => _ring.TryWriteHttp(e);
        public void OnTls(scoped in TlsEvent e) => _ring.TryWriteTls(e);
        public void OnHost(scoped in HostEvent e) => _ring.TryWriteHost(e);
        public void OnAnomaly(scoped in AnomalyEvent e) => _ring.TryWriteAnomaly(e);
    }

    struct Counting : IEventSink
    {
        public long Count;
        public void OnDns(scoped in DnsEvent e) => Count++;
        public void OnIp(scoped in IpEvent e) => Count++;
        public void OnHttp(scoped in HttpEvent e) => Count++;
        public void OnTls(scoped in TlsEvent e) => Count++;
        public void OnHost(scoped in HostEvent e) => Count++;
        public void OnAnomaly(scoped in AnomalyEvent e) => Count++;
    }
}
