using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Nfr.Storage;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Sensor;

/// <summary>The real sensor on logs that are written while it runs: without a sniffer and without rights, and killed again and again.</summary>
public sealed class FollowedSensorTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-followed-").FullName;

    string ConfigPath => In("config.yml");

    string In(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    void Configure(string inputs, string engine = "{host: embedded}", string more = "") => File.WriteAllText(ConfigPath, $$"""
        engine: {{engine}}
        inputs:
        {{inputs}}
        outputs: {file: {{In("alerts.json")}}}
        scoring: {feeds: {{In("feeds")}}}
        data: {dir: {{In("data")}}, file: {{In("nfr.data")}}}
        status: {socket: {{In("status.sock")}}, interval: 1s}
        metrics: {listen: off}
        {{more}}

        """);

    JsonElement Status()
    {
        Ended status = NfrProcess.Run(["status", "--json", "-c", ConfigPath]);
        Assert.True(status.Output.Length > 0, status.Error);
        using JsonDocument json = JsonDocument.Parse(status.Output);
        return json.RootElement.Clone();
    }

    static string Conn(int i) => string.Create(CultureInfo.InvariantCulture, $"{1_763_726_400 + i}.000001\tC{i}\t10.0.2.{1 + i % 200}\t{30000 + i % 30000}\t192.0.2.{1 + i % 200}\t443\ttcp\tssl\t1.5\t100\t{i}\tSF\n");

    const string ConnHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
        + "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\n"
        + "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\n";

    [Fact]
    public void Logs_alone_need_no_interface_and_no_right_and_status_shows_each()
    {
        int port;
        using (var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            port = ((IPEndPoint)probe.LocalEndPoint!).Port;
        }
        Configure($$"""
              monitor:
              - {file: {{In("eve.json")}}, format: suricata}
              - file: {{In("query*.log")}}
              syslog:
              - {listen: "127.0.0.1:{{port}}", protocol: udp}
            """);
        File.WriteAllText(In("eve.json"), string.Concat(Enumerable.Range(0, 200).Select(ReadLogTests.Flow)) + "{broken\n");
        // No capability at all, as an ordinary user has none.
        string[] prefix = Environment.UserName == "root" ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : [];
        using NfrProcess sensor = NfrProcess.Start(["start", "-c", ConfigPath], prefix, _folder);
        sensor.Expect($"eve.json:201: the line is left out: it is no JSON object");
        File.WriteAllText(In("query1.log"), string.Concat(Enumerable.Range(0, 100).Select(ReadLogTests.Query)));
        using var sender = new UdpClient();
        for (int i = 0; i < 10; i++) sender.Send(Encoding.UTF8.GetBytes("<134>Nov 21 12:00:00 ns1 named[7]: " + ReadLogTests.Query(i)["21-Nov-2026 12:00:00.123 ".Length..].TrimEnd()), "127.0.0.1", port);
        JsonElement status = default;
        long Lines(int i) => status.GetProperty("inputs")[i].GetProperty("lines").GetInt64();
        sensor.Until(() => (status = Status()).GetProperty("inputs").GetArrayLength() == 3 && (Lines(0), Lines(1), Lines(2)) == (201, 100, 10), "all lines");
        JsonElement run = status.GetProperty("run");
        Assert.True(run.GetProperty("closes").GetBoolean() && run.GetProperty("exact").GetBoolean(), run.GetProperty("gaps").ToString());
        Assert.Equal((311, 200, 110), (run.GetProperty("lines").GetInt32(), run.GetProperty("events").GetProperty("http").GetInt32(), run.GetProperty("events").GetProperty("dns").GetInt32()));
        Assert.Equal(0, status.GetProperty("capture").GetArrayLength());
        Assert.True(status.GetProperty("well").GetBoolean(), status.GetProperty("troubles").ToString());
        Ended screen = NfrProcess.Run(["status", "-c", ConfigPath]);
        Assert.Matches(@"\nInputs +lines +events +skipped  last ago\n(.*\n)?.*eve\.json +201 +200 +1 ", screen.Output);
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes: every line and every event", end.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("does NOT", end.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_again_and_again_it_loses_no_line_and_doubles_none(bool isRotated)
    {
        const int Kills = 6;
        await using EngineServer engine = await EngineServer.StartAsync();
        List<(long First, long Last, string Type, string[] Lines)> uploads = [];
        engine.Answer = async (context, request) =>
        {
            if (request.Method == "GET")
            {
                await EngineServer.Json(context, 200, request.Path.EndsWith("/account/status", StringComparison.Ordinal)
                    ? """{"registered":true,"expired":false,"messages":[]}""" : """{"follow":"","more":false,"alerts":[],"threats":{}}""");
                return;
            }
            long[] range = [.. request.Headers["X-NFR-Sequence"].Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
            lock (uploads) uploads.Add((range[0], range[1], request.Path, request.Lines));
            // The answer takes its time, so that kills fall between an event's arrival and the sensor's note of it.
            await Task.Delay(Random.Shared.Next(60));
            await EngineServer.Ok(context, request);
        };
        const string Buffers = "{buffer_size: 1000, flush_interval: 5s}";
        Configure($$"""
              monitor:
              - {file: {{In("eve.json")}}, format: suricata}
              - {file: {{In("query.log")}}, type: dns}
              - {file: {{In("conn.log")}}, format: zeek}
            """, $"{{host: \"{engine.Host}\", api_key: KEY1}}", $"dns_events: {Buffers}\n        ip_events: {Buffers}\n        http_events: {Buffers}".Replace("        ", "", StringComparison.Ordinal));
        File.WriteAllText(In("conn.log"), ConnHeader);
        int written = 0, rotations = 0;
        using var stop = new CancellationTokenSource();
        using var met = new ManualResetEventSlim(!isRotated);
        Task writer = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested && written < 3000)
            {
                for (int end = written + 10; written < end; written++)
                {
                    File.AppendAllText(In("eve.json"), ReadLogTests.Flow(written));
                    File.AppendAllText(In("query.log"), ReadLogTests.Query(written));
                    File.AppendAllText(In("conn.log"), Conn(written));
                }
                // What was moved away before anybody saw it is no follower's matter.
                if (isRotated && met.IsSet && written % 100 == 0) Rotate(++rotations);
                Thread.Sleep(20);
            }
        });
        var random = new Random(42);
        for (int kill = 0; kill < Kills; kill++)
        {
            using NfrProcess sensor = NfrProcess.Start(["start", "-c", ConfigPath], folder: _folder);
            sensor.Expect("spool: ");
            if (!met.IsSet) sensor.Until(() => Distinct(uploads) > 0, "first events");
            met.Set();
            Thread.Sleep(random.Next(100, 1500));
            sensor.Signal(NfrProcess.Kill);
            sensor.End();
            // Several rotations while nobody reads.
            if (isRotated && kill < Kills - 1) Thread.Sleep(random.Next(1500));
        }
        stop.Cancel();
        await writer;
        using (NfrProcess last = NfrProcess.Start(["start", "-c", ConfigPath], folder: _folder))
        {
            // All may have come already: a stop is heard, and drains, only once the sensor is up.
            last.Expect("spool: ");
            try
            {
                last.Until(() => Distinct(uploads) >= 3 * written, "all", TimeSpan.FromSeconds(60));
            }
            catch (Xunit.Sdk.XunitException)
            {
                Assert.Fail($"of 3 x {written} events came {Told(uploads)} after {rotations} rotations\n{last.Output}");
            }
            last.Signal(NfrProcess.Terminate);
            Ended end = last.End();
            Assert.Contains("The ledger closes: every line and every event", end.Output, StringComparison.Ordinal);
        }
        // Each line is one event in the spool, whatever happened.
        using (Spool spool = Spool.Open(new SpoolOptions { Directory = In("data/spool") }, TimeProvider.System))
            Assert.Equal(3L * written, spool.Counters.Total.Spooled);
        Assert.Equal(3 * written, Distinct(uploads));
        // What came twice was in flight: under the same numbers.
        lock (uploads)
        {
            foreach (var same in uploads.SelectMany(u => u.Lines.Distinct().Select(l => (Line: u.Type + l, u))).GroupBy(l => l.Line).Where(g => g.Count() > 1))
                Assert.True(same.Max(u => u.u.First) <= same.Min(u => u.u.Last), $"{same.Key} came under different numbers");
            Assert.All(uploads, u => Assert.Equal(u.Lines.Length, u.Lines.Distinct().Count()));
        }
    }

    // The highest number is the newest; a date behind the name; the lowest number is the newest, and all names move.
    void Rotate(int number)
    {
        File.Move(In("eve.json"), In($"eve.json.{number}"));
        File.Move(In("query.log"), In($"query.log-{20_261_100 + number}"));
        for (int i = number - 1; i >= 1; i--) File.Move(In($"conn.log.{i}"), In($"conn.log.{i + 1}"));
        File.Move(In("conn.log"), In("conn.log.1"));
        File.WriteAllText(In("conn.log"), ConnHeader);
    }

    static string Told(List<(long First, long Last, string Type, string[] Lines)> uploads)
    {
        lock (uploads) return string.Join(", ", uploads.GroupBy(u => u.Type).Select(g => $"{g.Key} {g.SelectMany(u => u.Lines).Distinct().Count()}"));
    }

    static int Distinct(List<(long First, long Last, string Type, string[] Lines)> uploads)
    {
        lock (uploads) return uploads.SelectMany(u => u.Lines.Select(l => u.Type + l)).Distinct().Count();
    }
}
