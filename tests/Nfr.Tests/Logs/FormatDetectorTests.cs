using System.IO.Compression;
using System.Text;
using Nfr.Logs;
using Xunit.Abstractions;

namespace Nfr.Tests.Logs;

/// <summary>Which format a log is; above all that nothing is taken for what it is not.</summary>
public sealed class FormatDetectorTests(ITestOutputHelper output)
{
    static DetectedFormat Detect(string text) => FormatDetector.Detect(Encoding.UTF8.GetBytes(text));

    public static TheoryData<LogFormat, string> Logs => new()
    {
        { LogFormat.Zeek, "#separator \\x09\n#set_separator\t,\n" },
        { LogFormat.Zeek, "\n#fields\tts\tuid\n" },
        { LogFormat.Zeek, """{"ts":1521911720.8,"uid":"C","id.orig_h":"10.0.0.1","id.orig_p":1}""" },
        { LogFormat.Zeek, """{"_path":"dns","ts":"2018-03-24T17:15:20Z","query":"a"}""" },
        { LogFormat.Zeek, """{"ts":1521911720.8,"fingerprint":"aa","certificate.version":3,"certificate.serial":"00"}""" },
        { LogFormat.Zeek, """{"ts":1521911720.8,"fuid":"FnTm5z1","source":"SSL","sha1":"aa"}""" },
        { LogFormat.Zeek, """{"ts":1521911720.8,"uid":"C","id_orig_h":"10.0.0.1","id_orig_p":1}""" },
        { LogFormat.Zeek, """{"ts":1521911720.8,"uid":"C","id":{"orig_h":"10.0.0.1","orig_p":1}}""" },
        { LogFormat.Suricata, """{"timestamp":"2023-11-14T22:13:20.230758+0000","flow_id":1,"event_type":"flow","src_ip":"10.1.7.111"}""" },
        { LogFormat.Suricata, "\n" + """{"timestamp":"2023-11-14T22:13:20.230758+0000","event_type":"stats","stats":{"uptime":1}}""" + "\n" },
        { LogFormat.Msdns, "\nDNS Server log file creation at 2017-01-01 00:00:00\nLog file wrap at 2017-01-01 00:00:00\n\nMessage logging key (for packets - other items use a subset of these fields):\n" },
        { LogFormat.Msdns, "20.01.2026 23:00:18 0FE0 PACKET  000002C5307CFCD0 UDP Rcv 10.0.0.2        ede1   Q [0001   D   NOERROR] A      (4)ocsp(8)digicert(3)com(0)\r\n" },
        { LogFormat.Bind, "01-Jan-2024 12:00:00.123 queries: info: client @0x7f5c 10.0.0.1#53124 (a.example): view inside: query: a.example IN A +E(0)K (10.0.0.53)\n" },
        { LogFormat.Bind, "Jan  2 15:04:05 ns1 named[12]: client 10.0.0.1#53124 (a.example): query: a.example IN A + (10.0.0.53)\n" },
        { LogFormat.Bind, "Jan  2 15:04:05 ns1 named[12]: starting BIND 9.18.24\nJan  2 15:04:05 ns1 named[12]: running\n" },
        { LogFormat.Dnsmasq, "Jan  2 15:04:05 dnsmasq[12]: started, version 2.89 cachesize 150\nJan  2 15:04:05 dnsmasq[12]: query[A] a.example from 10.0.0.1\n" },
        { LogFormat.Dnsmasq, "<30>Jan  2 15:04:05 gw dnsmasq[12]: query[AAAA] a.example from 10.0.0.1\n" },
        { LogFormat.Unbound, "[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN\n" },
        { LogFormat.Unbound, "[1700000000] unbound[12:0] notice: init module 0: validator\n" },
        { LogFormat.CoreDns, "[INFO] 10.0.0.1:53124 - 1234 \"A IN a.example. udp 41 false 4096\" NOERROR qr,rd,ra 70 0.001s\n" },
        { LogFormat.Edge, """[{"time":1529603514134,"source":"10.0.0.1","query":"google.com.","queryType":"A","queryProtocol":"UDP"}]""" },
        { LogFormat.Edge, "[\n  {\n    \"time\": 1529603514134,\n    \"source\": \"10.0.0.1\",\n    \"query\": \"google.com.\",\n    \"queryType\": \"A\",\n    \"answers\": [ {} ]\n  },\n" },
        { LogFormat.Edge, """{"time":1529603514134,"source":"10.0.0.1","query":"google.com.","queryType":"A","answers":[""" },
    };

    [Theory]
    [MemberData(nameof(Logs))]
    public void Each_format_is_told_by_its_own_lines(LogFormat format, string text)
    {
        Assert.Equal(new DetectedFormat(FileKind.Log, format, ""), Detect(text));
        // Also behind what a byte order mark is, and in a file that goes on.
        Assert.Equal(format, Detect("\uFEFF" + text).Format);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n  \n")]
    [InlineData("something\nelse\n")]
    [InlineData("Jan  2 15:04:05 host sshd[12]: Accepted publickey for root from 10.0.0.1 port 22 ssh2\n")]
    [InlineData("Jan  2 15:04:05 host kernel: renamed[1]: eth0\nJan  2 15:04:05 host systemd[1]: Started unbound.service - unnamed[x].\n")]
    [InlineData("10.0.0.1 - - [02/Jan/2026:15:04:05 +0000] \"GET / HTTP/1.1\" 200 5\n")]
    [InlineData("{\"ts\":\"2018-09-03T09:39:47Z\",\"srcIP\":\"10.0.0.1\",\"query\":\"a\"}\n")]
    [InlineData("{\"timestamp\":\"2018-09-03T09:39:47Z\",\"event_type\":\"login\",\"user\":\"a\"}\n")]
    [InlineData("{\"level\":\"info\",\"ts\":1700000000.1,\"logger\":\"http.log\",\"msg\":\"handled\"}\n")]
    [InlineData("{\"@timestamp\":\"2018-09-03T09:39:47Z\",\"event\":{\"kind\":\"event\"},\"source\":{\"ip\":\"10.0.0.1\"},\"dns\":{\"question\":{\"name\":\"a\"}}}\n")]
    [InlineData("{\"time\":1,\"source\":\"stdout\",\"message\":\"x\"}\n")]
    [InlineData("[{\"a\":1}]")]
    [InlineData("[INFO] plugin/reload: done\n[ERROR] oops\n")]
    [InlineData("ts,source,query,queryType\n1,10.0.0.1,a,A\n")]
    [InlineData("CEF:0|a|b|1|2|3|4|src=1.2.3.4\n")]
    [InlineData("2026-01-20 23:00:16 0FE0 EVENT something\n")]
    [InlineData("# a comment\n#fields of something else\n")]
    public void What_is_none_of_them_is_not_guessed(string text)
    {
        DetectedFormat detected = Detect(text);
        Assert.Equal((FileKind.Unknown, null), (detected.Kind, detected.Format));
        Assert.NotEqual("", detected.Sentence);
    }

    [Fact]
    public void Lines_of_two_servers_in_one_file_are_not_guessed()
    {
        DetectedFormat detected = Detect("Jan  2 15:04:05 gw dnsmasq[12]: query[A] a.example from 10.0.0.1\nJan  2 15:04:05 ns1 named[12]: client 10.0.0.1#53124 (a.example): query: a.example IN A + (10.0.0.53)\n");
        Assert.Equal(FileKind.Unknown, detected.Kind);
        Assert.Contains("several formats", detected.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1F8B0800", FileKind.Gzip)]
    [InlineData("D4C3B2A102000400", FileKind.Capture)]
    [InlineData("A1B23C4D", FileKind.Capture)]
    [InlineData("0A0D0D0A1C000000", FileKind.Capture)]
    [InlineData("FFFE31003200", FileKind.Unknown)]
    [InlineData("000102030405", FileKind.Unknown)]
    public void Files_that_are_no_text_are_told_by_their_first_bytes(string hex, FileKind kind) => Assert.Equal(kind, FormatDetector.Detect(Convert.FromHexString(hex)).Kind);

    [Fact]
    public void A_line_longer_than_what_is_looked_at_still_tells()
    {
        string line = """{"timestamp":"2023-11-14T22:13:20.230758+0000","event_type":"stats","stats":"x""" + new string('x', 100_000);
        Assert.Equal(LogFormat.Suricata, Detect(line).Format);
        Assert.Equal(LogFormat.Edge, Detect("[" + string.Join(",", Enumerable.Repeat("""{"time":1529603514134,"source":"10.0.0.1","query":"google.com.","queryType":"A"}""", 2000)) + "]").Format);
    }

    [Fact]
    public void Random_bytes_are_never_a_format()
    {
        var random = new Random(9);
        for (int run = 0; run < 200; run++)
        {
            byte[] bytes = new byte[random.Next(2000)];
            random.NextBytes(bytes);
            if (bytes is [0x1F, 0x8B, ..]) continue;
            Assert.Equal(FileKind.Unknown, FormatDetector.Detect(bytes).Kind);
        }
    }

    [SampleTheory("12-go-nfr-golden/inputs/bro", "12-go-nfr-golden/inputs/suricata", "12-go-nfr-golden/inputs/msdns", "12-go-nfr-golden/inputs/syslog-named", "12-go-nfr-golden/inputs/edge", "12-go-nfr-golden/inputs/pcap", "7-log-samples/msdns", "7-log-samples/nfr", "7-log-samples/suricata-eve", "3b-zeek-logs")]
    [InlineData("12-go-nfr-golden/inputs/bro", "*.log", LogFormat.Zeek)]
    [InlineData("12-go-nfr-golden/inputs/suricata", "*", LogFormat.Suricata)]
    [InlineData("12-go-nfr-golden/inputs/msdns", "*", LogFormat.Msdns)]
    [InlineData("12-go-nfr-golden/inputs/syslog-named", "*", LogFormat.Bind)]
    [InlineData("12-go-nfr-golden/inputs/edge", "*", LogFormat.Edge)]
    [InlineData("12-go-nfr-golden/inputs/pcap", "*", null)]
    [InlineData("7-log-samples/msdns", "*.log", LogFormat.Msdns)]
    [InlineData("7-log-samples/nfr", "bro*.log", LogFormat.Zeek)]
    [InlineData("7-log-samples/nfr", "syslog-named*.log", LogFormat.Bind)]
    [InlineData("7-log-samples/nfr", "suricata-eve*.json", LogFormat.Suricata)]
    [InlineData("7-log-samples/suricata-eve", "fever-jsonparse_eve.json", LogFormat.Suricata)]
    [InlineData("3b-zeek-logs", "*.log", LogFormat.Zeek)]
    [InlineData("3b-zeek-logs", "*.gz", LogFormat.Zeek)]
    public void Every_sample_of_others_is_told(string folder, string pattern, LogFormat? format)
    {
        string path = Corpus.Find(folder);
        foreach (string file in Directory.GetFiles(path, pattern, SearchOption.AllDirectories).Where(f => !f.EndsWith(".expect.json", StringComparison.Ordinal)))
        {
            // A text that only has a log's name.
            if (file.Contains("/text_file/", StringComparison.Ordinal)) continue;
            byte[] begin = Begin(File.OpenRead(file));
            DetectedFormat detected = FormatDetector.Detect(begin);
            if (detected.Kind == FileKind.Gzip) detected = FormatDetector.Detect(Begin(new GZipStream(File.OpenRead(file), CompressionMode.Decompress)));
            output.WriteLine($"{detected.Kind} {detected.Format} {Path.GetRelativePath(path, file)}");
            Assert.True(detected.Format == format, $"{file}: {detected}");
            Assert.Equal(format is null ? FileKind.Capture : FileKind.Log, detected.Kind);
        }
    }

    [SampleFact("7-log-samples")]
    public void What_lies_beside_the_logs_is_taken_for_none_it_is_not()
    {
        string path = Corpus.Find("7-log-samples");
        foreach (string file in Directory.GetFiles(path, "*", SearchOption.AllDirectories))
        {
            DetectedFormat detected = FormatDetector.Detect(Begin(File.OpenRead(file)));
            output.WriteLine($"{detected.Kind} {detected.Format} {Path.GetRelativePath(path, file)}");
            if (file.Contains("/ecs/", StringComparison.Ordinal) || file.EndsWith("schema.json", StringComparison.Ordinal) || file.EndsWith(".tsv", StringComparison.Ordinal)
                || file.Contains("cef-", StringComparison.Ordinal) || file.EndsWith(".hex", StringComparison.Ordinal))
                Assert.Null(detected.Format);
        }
    }

    static byte[] Begin(Stream stream)
    {
        using (stream)
        {
            byte[] begin = new byte[FormatDetector.MaximumLength];
            return begin[..stream.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false)];
        }
    }
}
