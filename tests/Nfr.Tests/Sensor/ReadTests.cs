using System.Diagnostics;
using System.Text.Json;
using Nfr.Tests.Capture;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Sensor;

/// <summary>"nfr read" as a child process: good files, damaged ones, pipes on both sides.</summary>
public sealed class ReadTests : IDisposable
{
    const int Questions = 20_000;

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-read-test-").FullName;
    readonly string _config;
    readonly byte[] _capture;
    readonly string _path;

    public ReadTests()
    {
        CaptureBytes bytes = new CaptureBytes(bigEndian: false).PcapHeader();
        for (int i = 0; i < Questions; i++)
        {
            string client = $"10.0.{i / 200 % 200}.{1 + i % 200}";
            bytes.PcapRecord(1_700_000_000 + i / 1000, i % 1000, Frames.Query(client, 2000 + i, DnsLoad.Name(i)))
                .PcapRecord(1_700_000_000 + i / 1000, i % 1000, Frames.Reply(client, 2000 + i, DnsLoad.Name(i)));
        }
        _capture = bytes.ToArray();
        _path = Write("whole.pcap", _capture);
        _config = Write("config.yml", []);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    Ended Read(params string[] words) => NfrProcess.Run(["read", "-c", _config, .. words], folder: _folder);

    static JsonElement Stats(Ended end) => JsonDocument.Parse(end.Output).RootElement;

    [Fact]
    public void Stats_as_json_has_the_documented_keys()
    {
        Ended end = Read("--stats", "--json", _path);
        Assert.Equal((0, ""), (end.Code, end.Error));
        JsonElement stats = Stats(end);
        string[] documented = ["packets", "bytes", "seconds", "packetsPerSecond", "allocatedBytesPerPacket", "faults", "events", "flows"];
        Assert.Equal(documented, stats.EnumerateObject().Select(p => p.Name).Take(documented.Length));
        Assert.Equal(2 * Questions, stats.GetProperty("packets").GetInt32());
        Assert.Equal(Questions, stats.GetProperty("events").GetProperty("dns").GetInt32());
        Assert.Equal(Questions, stats.GetProperty("events").GetProperty("ip").GetInt32());
        Assert.True(stats.GetProperty("closes").GetBoolean());
        // And no progress bar on a stderr that is no terminal: it was empty.
    }

    [Fact]
    public void A_truncated_capture_gives_its_whole_packets_one_line_and_exit_1()
    {
        Ended end = Read("--stats", "--json", Write("cut.pcap", _capture[..^10]));
        end.Fails(1, "cut.pcap: cut off inside packet 40000 at byte ");
        Assert.Equal(2 * Questions - 1, Stats(end).GetProperty("packets").GetInt32());
    }

    [Fact]
    public void What_is_no_capture_is_one_line_and_exit_1()
    {
        Read("--stats", Write("letter.txt", "Dear Sir"u8.ToArray())).Fails(1, "letter.txt: not a capture");
        Read(Write("empty.pcap", [])).Fails(1, "empty.pcap: empty");
        Read("--stats", _folder).Fails(1, "a folder, not a capture file");
        Read("none.pcap").Fails(1, "none.pcap: no such file");
    }

    [Fact]
    public void Several_files_are_read_as_one_and_a_bad_one_does_not_stop_the_rest()
    {
        Ended end = Read("--stats", "--json", _path, "none.pcap", _path);
        end.Fails(1, "none.pcap");
        Assert.Equal(4 * Questions, Stats(end).GetProperty("packets").GetInt32());
    }

    [Fact]
    public void A_capture_comes_from_stdin()
    {
        Ended end = NfrProcess.Run(["read", "-c", _config, "--stats", "--json", "-"], input: _capture);
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.Equal(2 * Questions, Stats(end).GetProperty("packets").GetInt32());
    }

    [Fact]
    public void Every_event_is_printed_and_counted()
    {
        Ended end = Read("--print", "events", "--stats", _path);
        Assert.Equal(0, end.Code);
        string[] lines = end.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2 * Questions, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("{\"type\":\"", line, StringComparison.Ordinal));
        Assert.Contains("The ledger closes", end.Error, StringComparison.Ordinal);
        Assert.Equal(Questions, Read("--print", "events", "--type", "dns", _path).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void What_is_printed_into_a_file_stands_between_what_was_there_and_what_comes_next()
    {
        string file = Write("printed.txt", []);
        Assert.Equal(0, Shell("; echo after", before: "echo before; ", group: $"> '{file}'").Code);
        string[] lines = File.ReadAllLines(file);
        Assert.Equal(("before", "after"), (lines[0], lines[^1]));
        Assert.All(lines[1..^1], line => Assert.StartsWith("{\"type\":", line, StringComparison.Ordinal));
        Assert.True(lines.Length > 2);
    }

    [Fact]
    public void A_reader_that_has_enough_ends_the_reading_quietly()
    {
        Ended end = Shell("| head -n 1");
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.StartsWith("{\"type\":\"dns\"", Assert.Single(end.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("> /dev/full", "nfr: stdout cannot be written: the disk is full")]
    [InlineData(">&-", "nfr: stdout cannot be written: Bad file descriptor")]
    public void A_stdout_that_takes_nothing_is_one_line_and_exit_1(string redirection, string says) => Shell(redirection).Fails(1, says);

    [Fact]
    public async Task What_was_whole_in_a_damaged_file_is_uploaded()
    {
        await using EngineServer engine = await EngineServer.StartAsync();
        engine.Answer = (context, request) => request.Method == "GET"
            ? EngineServer.Json(context, 200, """{"registered":true,"expired":false,"messages":[]}""")
            : EngineServer.Ok(context, request);
        string config = Write("engine.yml", System.Text.Encoding.UTF8.GetBytes($"engine:\n  host: {engine.Host}\n  api_key: KEY1\n"));
        NfrProcess.Run(["read", "-c", config, "--type", "dns", Write("cut.pcap", _capture[..^10])]).Fails(1, "cut off inside packet 40000");
        Assert.Equal(Questions, engine.Requests.Where(r => r.Method == "POST").Sum(r => r.Lines.Length));
    }

    Ended Shell(string redirection, string before = "", string group = "")
    {
        var start = new ProcessStartInfo("sh", ["-c", $"{{ {before}'{NfrProcess.Dotnet}' '{NfrProcess.Program}' read -c '{_config}' --print events '{_path}' {redirection}\n}} {group}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process shell = Process.Start(start)!;
        Task<string> output = shell.StandardOutput.ReadToEndAsync();
        string error = shell.StandardError.ReadToEnd();
        Assert.True(shell.WaitForExit(NfrProcess.Patience));
        return new Ended(shell.ExitCode, output.Result, error);
    }
}
