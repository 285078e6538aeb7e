using System.Net.Sockets;
using System.Text;
using Nfr.Tests.Capture;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Sensor;

/// <summary>The real program and an engine: alerts from both sides, keys, accounts, uploads of captures.</summary>
public sealed class EngineTests : IDisposable
{
    const string Alert = """
        {"follow":"1-a","more":false,"alerts":[{"eventType":"dns","event":{"ts":"2018-09-06T14:09:04.123Z","srcIP":"10.0.0.9","query":"from.the.engine.example","qtype":"A"},"threats":["c2_comm"],"wisdom":{"flags":["c2"]}}],"threats":{"c2_comm":{"title":"C2 communication","severity":5}}}
        """;

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-engine-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>An account in order, one alert, and every event is welcome.</summary>
    static Task Answer(Microsoft.AspNetCore.Http.HttpContext context, Recorded request) => request.Path switch
    {
        _ when request.Path.EndsWith("/account/status", StringComparison.Ordinal) => EngineServer.Json(context, 200, """{"registered":true,"expired":false,"messages":[]}"""),
        _ when request.Path.EndsWith("/key/request", StringComparison.Ordinal) => EngineServer.Json(context, 200, """{"key":"NEWKEY"}"""),
        _ when request.Method == "GET" => EngineServer.Json(context, 200, context.Request.Query["follow"] == "1-a" ? """{"follow":"1-a","more":false,"alerts":[],"threats":{}}""" : Alert),
        _ => EngineServer.Ok(context, request),
    };

    string Config(string engine, string more = "")
    {
        string path = Path.Combine(_folder, "config.yml");
        File.WriteAllText(path, $"engine:\n{engine}\noutputs:\n  file: {_folder}/alerts.json\nscoring:\n  feeds: {_folder}/feeds\ndata:\n  dir: {_folder}/data\n{more}\n");
        return path;
    }

    /// <summary>A capture of so many answered questions, one of them for a listed name.</summary>
    string Capture(int questions)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "feeds"));
        File.WriteAllText(Path.Combine(_folder, "feeds", "list.txt"), "# threat: c2_communication\n# flags: c2\nlisted.example\n");
        string path = Path.Combine(_folder, "questions.pcap");
        CaptureBytes bytes = new CaptureBytes(bigEndian: false).PcapHeader();
        for (int i = 0; i < questions; i++)
        {
            string name = i == 3 ? "listed.example" : DnsLoad.Name(i);
            bytes.PcapRecord(1_700_000_000 + i / 1000, i % 1000, Frames.Query("10.0.0.5", 2000 + i, name)).PcapRecord(1_700_000_000 + i / 1000, i % 1000, Frames.Reply("10.0.0.5", 2000 + i, name));
        }
        File.WriteAllBytes(path, bytes.ToArray());
        return path;
    }

    [CableFact]
    public async Task Alerts_of_the_sensor_and_of_the_engine_reach_the_output_once_each()
    {
        using var bench = new SensorBench();
        await using EngineServer engine = await bench.EngineAsync();
        engine.Answer = Answer;
        bench.Configure($"  host: {engine.Host}\n  api_key: KEY1\n  alerts:\n    poll_interval: 5s", more: "dns_events:\n  flush_interval: 5s");
        File.WriteAllText(bench.In("feeds/list.txt"), "# threat: c2_communication\n# flags: c2\nlisted.example\n");
        using Socket far = bench.Network.Sender("far");
        NfrProcess sensor = bench.Listen();
        far.Send(Frames.Query("10.0.0.5", 5000, "listed.example"));
        far.Send(Frames.Reply("10.0.0.5", 5000, "listed.example"));
        sensor.Until(() => bench.Alerts.Length >= 2, "two alerts in the output");
        sensor.Until(() => engine.Requests.Any(r => r.Method == "POST"), "an upload");
        // A second poll and a restart bring nothing twice.
        sensor.Until(() => engine.Requests.Count(r => r.Path.EndsWith("/alerts", StringComparison.Ordinal)) >= 2, "the second poll");
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
        int polls = engine.Requests.Count(r => r.Path.EndsWith("/alerts", StringComparison.Ordinal));
        sensor = bench.Listen();
        sensor.Until(() => engine.Requests.Count(r => r.Path.EndsWith("/alerts", StringComparison.Ordinal)) > polls, "a poll after the restart");
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);

        Assert.Equal(2, bench.Alerts.Length);
        Assert.Single(bench.Alerts, a => a.Contains("listed.example", StringComparison.Ordinal) && a.Contains("\"evidence\"", StringComparison.Ordinal));
        Assert.Single(bench.Alerts, a => a.Contains("from.the.engine.example", StringComparison.Ordinal));
        Assert.Single(engine.Requests.Where(r => r.Method == "POST").SelectMany(r => r.Lines), l => l.Contains("listed.example", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_that_the_engine_refuses_is_one_line_and_exit_1()
    {
        await using EngineServer engine = await EngineServer.StartAsync();
        engine.Answer = (context, _) => EngineServer.Json(context, 401, """{"message":"no such key"}""");
        string config = Config($"  host: {engine.Host}\n  api_key: SECRETKEY1", "inputs:\n  sniffer:\n    enabled: true");
        foreach (string[] words in new string[][] { ["start", "-c", config], ["read", "-c", config, Capture(10)] })
        {
            Ended end = NfrProcess.Run(words);
            end.Fails(1, $"engine {engine.Host} refuses the API key");
            Assert.Contains("no such key", end.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("SECRETKEY1", end.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_read_with_a_key_uploads_everything()
    {
        await using EngineServer engine = await EngineServer.StartAsync();
        engine.Answer = Answer;
        Ended end = NfrProcess.Run(["read", "-c", Config($"  host: {engine.Host}\n  api_key: KEY1"), Capture(1500)]);
        Assert.Equal((0, ""), (end.Code, end.Error));
        string[] lines = [.. engine.Requests.Where(r => r.Method == "POST").SelectMany(r => r.Lines)];
        Assert.Equal(1500, lines.Count(l => l.Contains("\"qtype\"", StringComparison.Ordinal)));
        Assert.Equal(1500, lines.Count(l => l.Contains("\"destPort\":53", StringComparison.Ordinal)));
        Assert.Single(File.ReadAllLines(Path.Combine(_folder, "alerts.json")));
    }

    [Fact]
    public void A_read_on_board_writes_alerts_to_the_output()
    {
        string capture = Capture(100);
        Ended end = NfrProcess.Run(["read", "-c", Config("  host: embedded"), capture]);
        Assert.Equal((0, "", ""), (end.Code, end.Output, end.Error));
        Assert.Contains("listed.example", Assert.Single(File.ReadAllLines(Path.Combine(_folder, "alerts.json"))), StringComparison.Ordinal);
        Ended printed = NfrProcess.Run(["read", "-c", Config("  host: embedded"), "--print", "alerts", capture]);
        Assert.Equal(File.ReadAllText(Path.Combine(_folder, "alerts.json")), printed.Output);
    }

    [Fact]
    public async Task An_account_is_registered_asked_about_and_reset()
    {
        await using EngineServer engine = await EngineServer.StartAsync();
        engine.Answer = Answer;
        string config = Path.Combine(_folder, "etc", "config.yml");
        Directory.CreateDirectory(Path.GetDirectoryName(config)!);
        Ended end = NfrProcess.Run(["account", "register", "-c", config, "--host", engine.Host], input: Encoding.UTF8.GetBytes("Ada Lovelace\nada@office.example\n"));
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.Contains("api_key: NEWKEY", File.ReadAllText(config), StringComparison.Ordinal);
        Recorded register = Assert.Single(engine.Requests, r => r.Path.EndsWith("/account/register", StringComparison.Ordinal));
        Assert.Equal("""{"details":{"name":"Ada Lovelace","email":"ada@office.example"}}""", register.Text);
        Assert.Equal("Basic " + Convert.ToBase64String("NEWKEY:"u8), register.Headers["Authorization"]);

        end = NfrProcess.Run(["account", "status", "-c", config]);
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.StartsWith("Account registered: true\nAccount expired: false\n", end.Output, StringComparison.Ordinal);

        NfrProcess.Run(["account", "register", "-c", config]).Fails(1, "Account is already registered");

        end = NfrProcess.Run(["account", "reset", "-c", config, "ada@office.example"]);
        Assert.Equal((0, ""), (end.Code, end.Error));
        Assert.Equal("""{"email":"ada@office.example"}""", Assert.Single(engine.Requests, r => r.Path.EndsWith("/key/reset", StringComparison.Ordinal)).Text);
    }

    [Fact]
    public void An_engine_that_is_not_there_is_one_line()
    {
        string config = Config("  host: http://127.0.0.1:9\n  api_key: KEY1");
        NfrProcess.Run(["account", "status", "-c", config]).Fails(1, "connection refused");
    }
}
