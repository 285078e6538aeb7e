using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Nfr.Tests.Capture;

namespace Nfr.Tests.Sensor;

/// <summary>"nfr read --format …" as its users run it: logs of others, told or recognised, one by one and together.</summary>
public sealed class ReadLogTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-read-log-").FullName;
    readonly string _config;

    public ReadLogTests() => _config = Write("config.yml", "");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    Ended Read(params string[] words) => NfrProcess.Run(["read", "-c", _config, .. words], folder: _folder);

    static JsonElement Stats(Ended end) => JsonDocument.Parse(end.Output).RootElement;

    internal static string Flow(int i) =>
        $"{{\"timestamp\":\"2026-11-21T12:00:{i % 60:00}.000001+0000\",\"flow_id\":{i + 1},\"event_type\":\"http\",\"src_ip\":\"10.0.0.{1 + i % 200}\",\"src_port\":{40000 + i % 20000},\"dest_ip\":\"192.0.2.80\",\"dest_port\":80,\"proto\":\"TCP\","
        + $"\"http\":{{\"hostname\":\"www.example\",\"url\":\"/{i}\",\"http_method\":\"GET\",\"status\":200,\"length\":12}}}}\n";

    internal static string Query(int i) => $"21-Nov-2026 12:00:{i % 60:00}.123 client @0x7f 10.0.1.{1 + i % 200}#{2000 + i % 60000} (n{i}.example): query: n{i}.example IN A +E(0)K (10.0.0.53)\n";

    [Fact]
    public void Lines_become_events_and_the_ledger_closes_over_them()
    {
        string eve = Write("eve.json", string.Concat(Enumerable.Range(0, 500).Select(Flow)) + "no json\n\n");
        Ended end = Read("--format", "suricata", "--stats", "--json", eve);
        Assert.Equal(0, end.Code);
        Assert.Contains($"{eve}:501: the line is left out: it is no JSON object", Assert.Single(end.ErrorLines), StringComparison.Ordinal);
        JsonElement stats = Stats(end), input = stats.GetProperty("inputs")[0];
        Assert.Equal((502, 500), (stats.GetProperty("lines").GetInt32(), stats.GetProperty("events").GetProperty("http").GetInt32()));
        Assert.Equal((500, 1, 1), (input.GetProperty("verdicts").GetProperty("event").GetInt32(), input.GetProperty("verdicts").GetProperty("not_json").GetInt32(), input.GetProperty("verdicts").GetProperty("header").GetInt32()));
        Assert.True(stats.GetProperty("closes").GetBoolean() && stats.GetProperty("linesPerSecond").GetInt64() > 0);
        Assert.Equal(new FileInfo(eve).Length, stats.GetProperty("lineBytes").GetInt64());

        string[] printed = Read("--format", "suricata", "--print", "events", eve).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(500, printed.Length);
        Assert.Contains("\"url\":\"http://www.example/499\"", printed[^1], StringComparison.Ordinal);
        Ended unwanted = Read("--format", "suricata", "--type", "dns", "--stats", eve);
        Assert.Equal(0, unwanted.Code);
        Assert.Matches(@"\n  files: lines read +502\n    made events +0\n    headers, comments and blank lines +1\n    of a type that is not wanted +500\n    skipped: it is no JSON object +1\n", unwanted.Output);
        Assert.Contains("The ledger closes: every line and every event", unwanted.Output, StringComparison.Ordinal);
        Assert.Contains("lines/s", unwanted.Output, StringComparison.Ordinal);
        // As the sensor does it: spooled, scored, put out.
        Assert.Equal((0, ""), (Read("--format", "bind", Write("query.log", string.Concat(Enumerable.Range(0, 1000).Select(Query)))) is var sent ? (sent.Code, sent.Error) : default));
    }

    [Fact]
    public void Auto_tells_each_file_by_its_first_bytes_and_captures_go_along()
    {
        using (var zipped = new GZipStream(File.Create(Path.Combine(_folder, "query.log.1.gz")), CompressionLevel.Fastest))
            zipped.Write(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 30).Select(Query))));
        string eve = Write("eve.json", string.Concat(Enumerable.Range(0, 20).Select(Flow)));
        string capture = Write("some.pcap", new CaptureBytes(bigEndian: false).PcapHeader().PcapRecord(1_700_000_000, 0, Frames.Query("10.0.0.1", 2000, "a.example")).ToArray());
        Ended end = Read("--format", "auto", "--stats", "--json", Path.Combine(_folder, "query.log.1.gz"), eve, capture);
        Assert.Equal((0, ""), (end.Code, end.Error));
        JsonElement stats = Stats(end);
        Assert.Equal((50, 1), (stats.GetProperty("lines").GetInt32(), stats.GetProperty("packets").GetInt32()));
        Assert.Equal((31, 1, 20), (stats.GetProperty("events").GetProperty("dns").GetInt32(), stats.GetProperty("events").GetProperty("ip").GetInt32(), stats.GetProperty("events").GetProperty("http").GetInt32()));
        Assert.True(stats.GetProperty("closes").GetBoolean(), stats.GetProperty("gaps").ToString());
        // The same from a pipe, told by its first bytes.
        foreach ((string file, int dns) in new[] { (eve, 0), (capture, 1) })
        {
            Ended piped = NfrProcess.Run(["read", "-c", _config, "-f", "auto", "--stats", "--json", "-"], input: File.ReadAllBytes(file));
            Assert.Equal((0, ""), (piped.Code, piped.Error));
            Assert.Equal(dns, Stats(piped).GetProperty("events").GetProperty("dns").GetInt32());
        }
        Ended plain = NfrProcess.Run(["read", "-c", _config, "-f", "suricata", "--print", "events", "-"], input: File.ReadAllBytes(eve));
        Assert.Equal((0, 20), (plain.Code, plain.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
    }

    [Fact]
    public void What_cannot_be_read_says_what_to_do()
    {
        string eve = Write("eve.json", Flow(1)), query = Write("query.log", Query(1) + Query(2));
        Read(eve).Fails(1, "this looks like a log of Suricata: use --format suricata (or auto)");
        Read("--stats", query).Fails(1, "use --format bind (or auto)");
        Ended wrong = Read("--format", "suricata", "--print", "events", query);
        Assert.Equal((1, ""), (wrong.Code, wrong.Output));
        Assert.Equal($"nfr: none of 2 lines could be read as suricata; --format auto finds out what wrote them", wrong.ErrorLines[^1]);
        Read("--format", "bind", "none.log").Fails(1, "none.log: no such file");
        Ended several = Read("--format", "auto", "--stats", "--json", query, "none.log", eve);
        several.Fails(1, "none.log: no such file");
        Assert.Equal(3, Stats(several).GetProperty("lines").GetInt32());
        Read("--format", "bind", "--type", "ip", query).Fails(2, "bind logs hold no ip events");
    }
}
