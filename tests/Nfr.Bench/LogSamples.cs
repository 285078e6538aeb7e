using System.Globalization;
using Nfr.Logs;

namespace Nfr.Bench;

/// <summary>The header of a log, and what its line of a number looks like.</summary>
sealed record LogSample(string Name, LogFormat Format, string Header, Func<int, string> Line);

/// <summary>Logs as their writers make them today, of made-up names and addresses; a thousand lines in each second of the log's time.</summary>
static class LogSamples
{
    public static readonly LogSample[] All =
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
        new("zeek-json-conn", LogFormat.Zeek, "",
            i => $$"""{"_path":"conn","_write_ts":{{Stamp(i)}},"ts":{{Stamp(i)}},"uid":"C{{i:x16}}","id.orig_h":"10.{{i >> 8 & 15}}.{{i & 255}}.7","id.orig_p":{{1024 + (i % 60000)}},"id.resp_h":"192.0.2.{{i & 255}}","id.resp_p":443,"proto":"tcp","service":"ssl","duration":{{i % 100}}.5{{i % 90000:D5}},"orig_bytes":{{i % 7000}},"resp_bytes":{{i % 90000}},"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShADadFf","orig_pkts":12,"orig_ip_bytes":{{(i % 7000) + 640}},"resp_pkts":14,"resp_ip_bytes":{{(i % 90000) + 740}} }"""),
        new("eve-dns-v3", LogFormat.Suricata, "",
            i => $$"""{"timestamp":"{{EveStamp(i)}}","flow_id":{{1_000_000_000_000L + (i / 2)}},"in_iface":"eth0","event_type":"dns","src_ip":"{{Client(i / 2)}}","src_port":{{Port(i / 2)}},"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","ip_v":4,"pkt_src":"wire/pcap","dns":{"version":3,"type":"{{((i & 1) == 0 ? "request" : "response")}}","tx_id":{{i & 1}},"id":{{(i / 2) & 0xFFFF}},{{((i & 1) == 0 ? "" : "\"qr\":true,\"ra\":true,")}}"flags":"{{((i & 1) == 0 ? "100" : "8180")}}","rd":true,"opcode":0,"rcode":"NOERROR","queries":[{"rrname":"{{Name(i / 2)}}","rrtype":"A"}]{{((i & 1) == 0 ? "" : $",\"answers\":[{{\"rrname\":\"{Name(i / 2)}\",\"rrtype\":\"A\",\"ttl\":60,\"rdata\":\"192.0.2.{i & 255}\"}}],\"grouped\":{{\"A\":[\"192.0.2.{i & 255}\"]}}")}} } }"""),
        new("eve-flow", LogFormat.Suricata, "",
            i => $$"""{"timestamp":"{{EveStamp(i)}}","flow_id":{{1_000_000_000_000L + i}},"in_iface":"eth0","event_type":"flow","src_ip":"{{Client(i)}}","src_port":{{Port(i)}},"dest_ip":"192.0.2.{{i & 255}}","dest_port":443,"proto":"TCP","app_proto":"tls","flow":{"pkts_toserver":{{12 + (i % 90)}},"pkts_toclient":{{14 + (i % 90)}},"bytes_toserver":{{640 + (i % 7000)}},"bytes_toclient":{{740 + (i % 90000)}},"start":"{{EveStamp(i / 2)}}","end":"{{EveStamp(i)}}","age":{{i % 60}},"state":"closed","reason":"timeout","alerted":false},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,"state":"closed","ts_max_regions":1,"tc_max_regions":1} }"""),
        new("msdns", LogFormat.Msdns, "",
            i => $"1/20/2026 {(i / 72000 % 12) + 1}:{i / 1200 % 60:D2}:{i / 20 % 60:D2} PM 0294 PACKET  000002DAEC36D650 UDP {((i & 1) == 0 ? "Rcv" : "Snd")} {Client(i / 2),-15} {(i / 2) & 0xFFFF:x4} {((i & 1) == 0 ? "  Q [0001   D   NOERROR]" : "R Q [8081   DR  NOERROR]")} A      (4)w{i / 2 % 900 + 100}({$"site{i / 2 % 4999}".Length})site{i / 2 % 4999}(7)example(3)com(0)"),
        new("bind", LogFormat.Bind, "",
            i => $"{20 + (i / 3_600_000 % 8):D2}-Jan-2024 {i / 3_600_000 % 24:D2}:{i / 60_000 % 60:D2}:{i / 1000 % 60:D2}.{i % 1000:D3} queries: info: client @0x7f5c {Client(i)}#{Port(i)} ({Name(i)}): view inside: query: {Name(i)} IN A +E(0)K (10.0.0.53)"),
        new("dnsmasq", LogFormat.Dnsmasq, "",
            i => $"Jan  2 15:{i / 60_000 % 60:D2}:{i / 1000 % 60:D2} dnsmasq[12]: {(i % 3) switch { 0 => $"query[A] {Name(i / 3)} from {Client(i / 3)}", 1 => $"forwarded {Name(i / 3)} to 192.0.2.53", _ => $"reply {Name(i / 3)} is 192.0.2.{i & 255}" }}"),
        new("unbound", LogFormat.Unbound, "",
            i => $"[{1_700_000_000 + (i / 1000)}] unbound[12:0] info: {Client(i / 2)} {Name(i / 2)}. A IN{((i & 1) == 0 ? "" : " NOERROR 0.012000 0 87")}"),
        new("coredns", LogFormat.CoreDns, "",
            i => $"2024-01-02T15:{i / 60_000 % 60:D2}:{i / 1000 % 60:D2}.{i % 1000:D3}Z [INFO] {Client(i)}:{Port(i)} - {i & 0xFFFF} \"A IN {Name(i)}. udp 41 false 4096\" NOERROR qr,rd,ra 70 0.0012{i % 100:D2}s"),
    ];

    static string Client(int i) => $"10.{i >> 8 & 15}.{i & 255}.7";

    static int Port(int i) => 1024 + (i % 60000);

    static string Name(int i) => $"w{i % 997}.site{i % 4999}.example.com";

    static string EveStamp(int i) => $"2023-11-14T{i / 3_600_000 % 24:D2}:{i / 60_000 % 60:D2}:{i / 1000 % 60:D2}.{i % 1000:D3}456+0000";

    static string Stamp(int i) => string.Create(CultureInfo.InvariantCulture, $"{1_700_000_000 + (i / 1000)}.{i % 1000 * 997:D6}");
}
