using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Nfr.Tests.Capture;

namespace Nfr.Tests.Sensor;

/// <summary>What a running sensor says of itself: nfr status, /metrics, /healthz, the ledger's line.</summary>
public sealed class StatusTests
{
    static string Http(SensorBench bench, string request) => bench.Network.Inside(() =>
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        socket.Connect(IPAddress.Loopback, 9419);
        socket.Send(Encoding.ASCII.GetBytes(request));
        using var answer = new MemoryStream();
        var buffer = new byte[65536];
        for (int n; (n = socket.Receive(buffer)) > 0;) answer.Write(buffer, 0, n);
        return Encoding.UTF8.GetString(answer.ToArray());
    });

    /// <summary>The first status that tells exact counts and in which it is so: a stage that a busy machine keeps waiting does not tell its counts in time.</summary>
    static JsonElement Asked(SensorBench bench, NfrProcess sensor, Func<JsonElement, bool> isSo, string what)
    {
        JsonElement status = default;
        sensor.Until(() =>
        {
            Ended asked = NfrProcess.Run(["status", "--json", "-c", bench.ConfigPath]);
            if (asked.Output.Length == 0) return false;
            using JsonDocument json = JsonDocument.Parse(asked.Output);
            status = json.RootElement.Clone();
            if (!status.GetProperty("run").GetProperty("exact").GetBoolean()) return false;
            Assert.Equal((0, ""), (asked.Code, asked.Error));
            return isSo(status);
        }, what);
        return status;
    }

    [CableFact]
    public void A_running_sensor_tells_its_ledger_everywhere_the_same()
    {
        using var bench = new SensorBench { Interval = "1s" };
        bench.Configure();
        NfrProcess sensor = bench.Listen();
        using var load = new DnsLoad(bench.Network, 1000);
        sensor.Until(() => load.Sent > 1500, "some questions");
        sensor.Expect("; it adds up");
        for (int i = 0; i < 5; i++)
        {
            // While it runs: the sums come out with what is on its way.
            JsonElement moving = Asked(bench, sensor, _ => true, "exact counts under load");
            JsonElement now = moving.GetProperty("run");
            Assert.True(now.GetProperty("closes").GetBoolean(), now.GetProperty("gaps").ToString());
            JsonElement moved = moving.GetProperty("interval").GetProperty("moved");
            Assert.True(moved.GetProperty("closes").GetBoolean(), moved.GetProperty("gaps").ToString());
        }
        load.Stop();
        JsonElement run = Asked(bench, sensor, status => status.GetProperty("run").GetProperty("spool").GetProperty("accepted").GetInt64() >= load.Sent, "all questions in the spool").GetProperty("run"), port = run.GetProperty("interfaces").GetProperty("near");
        Assert.Equal(2 * load.Sent, run.GetProperty("packets").GetInt64());
        Assert.Equal(2 * load.Sent, port.GetProperty("received").GetInt64());
        Assert.Equal((0, 0), (port.GetProperty("dropped").GetInt64(), port.GetProperty("waiting").GetInt64()));
        Assert.Equal(load.Sent, run.GetProperty("events").GetProperty("dns").GetInt64());
        Assert.Equal(load.Sent, run.GetProperty("spool").GetProperty("accepted").GetInt64());

        string metrics = Http(bench, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4", metrics, StringComparison.Ordinal);
        Assert.Contains($"\nnfr_frames_decoded_total{{interface=\"near\"}} {2 * load.Sent}\n", metrics, StringComparison.Ordinal);
        Assert.Contains($"\nnfr_events_total{{interface=\"near\",type=\"dns\"}} {load.Sent}\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nnfr_ledger_gaps 0\n", metrics, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 OK", Http(bench, "GET /healthz HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 404", Http(bench, "GET / HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 405", Http(bench, "POST /metrics HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", Http(bench, "hello\r\n\r\n"), StringComparison.Ordinal);

        Ended screen = NfrProcess.Run(["status", "-c", bench.ConfigPath]);
        Assert.Equal(0, screen.Code);
        Assert.Contains("adds up", screen.Output, StringComparison.Ordinal);
        Assert.Contains("\nAll is well", screen.Output, StringComparison.Ordinal);
        string[] lines = screen.Output.TrimEnd().Split('\n');
        Assert.InRange(lines.Length, 20, 40);
        Assert.All(lines, l => Assert.InRange(l.Length, 0, 80));
        Ended ledger = NfrProcess.Run(["status", "--ledger", "-c", bench.ConfigPath]);
        Assert.Equal(0, ledger.Code);
        Assert.Contains("frames that came in", ledger.Output, StringComparison.Ordinal);
        NfrProcess.Run(["status", "--watch", "0", "-c", bench.ConfigPath]).Fails(2, "--watch takes a number of seconds");
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(bench.SocketPath));
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("does NOT", end.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(bench.SocketPath));
    }

    static JsonElement Ask(SensorBench bench)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
        socket.Connect(new UnixDomainSocketEndPoint(bench.SocketPath));
        socket.Send("status\n"u8);
        using var answer = new MemoryStream();
        var buffer = new byte[65536];
        for (int n; (n = socket.Receive(buffer)) > 0;) answer.Write(buffer, 0, n);
        return JsonDocument.Parse(answer.ToArray()).RootElement;
    }

    [CableFact]
    public void Asked_once_a_second_it_takes_less_than_a_hundredth_of_a_processor()
    {
        using var bench = new SensorBench();
        NfrProcess sensor = bench.Listen();
        sensor.Until(() => File.Exists(bench.SocketPath), "the socket");
        for (int i = 0; i < 20; i++) Ask(bench);
        double Cpu() => Ask(bench).GetProperty("box").GetProperty("process").GetProperty("cpuSeconds").GetDouble();
        double before = Cpu();
        for (int i = 0; i < 99; i++) Ask(bench);
        // Processor time, not the clock's: what else the machine does is not in it. What the sensor does meanwhile is.
        Assert.InRange((Cpu() - before) / 100, 0, 0.010);
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
    }

    [CableFact]
    public void A_watch_shows_it_again_until_it_is_stopped_and_waits_for_a_sensor_that_is_not_there()
    {
        using var bench = new SensorBench();
        using NfrProcess watch = NfrProcess.Start(["status", "--watch", "0.2", "-c", bench.ConfigPath]);
        watch.Expect("no sensor is running", times: 2);
        NfrProcess sensor = bench.Listen();
        watch.Expect("\nCapture ", times: 2);
        watch.Signal(NfrProcess.Interrupt);
        Assert.Equal(0, watch.End().Code);
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
    }

    [CableFact]
    public void A_sensor_in_trouble_says_what_it_is_and_the_exit_code_does_too()
    {
        using var bench = new SensorBench();
        // Nobody listens there.
        bench.Configure(engine: "  host: http://127.0.0.1:1\n  api_key: 0123456789abcdefghij", more: "dns_events:\n  buffer_size: 64");
        NfrProcess sensor = bench.Listen();
        using var load = new DnsLoad(bench.Network, 200);
        Ended status = NfrProcess.Run(["status", "-c", bench.ConfigPath]);
        // First its alerts cannot be fetched; that events wait is said once some do.
        sensor.Until(() => (status = NfrProcess.Run(["status", "-c", bench.ConfigPath])) is { Code: 3, Output: var said } && said.Contains("-> events wait in the spool", StringComparison.Ordinal), "trouble");
        Assert.Contains("TROUBLE", status.Output.Split('\n')[1], StringComparison.Ordinal);
        Assert.Matches(@"\n  FAULT  engine http://127\.0\.0\.1:1 unreachable", status.Output);
        Assert.StartsWith("HTTP/1.1 503", Http(bench, "GET /healthz HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        sensor.Signal(NfrProcess.Kill);
    }

    [CableFact]
    public void Who_says_nothing_holds_nobody_up()
    {
        using var bench = new SensorBench();
        NfrProcess sensor = bench.Listen();
        sensor.Until(() => File.Exists(bench.SocketPath), "the socket");
        List<Socket> mute = [];
        for (int i = 0; i < 8; i++)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(bench.SocketPath));
            mute.Add(socket);
        }
        // All places are taken for a while; after their time-out they are free again.
        sensor.Until(() => NfrProcess.Run(["status", "-c", bench.ConfigPath]).Code == 0, "an answer");
        foreach (Socket socket in mute) socket.Dispose();
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
    }

    [Fact]
    public void Without_a_sensor_status_says_so_and_fails()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-status-").FullName;
        try
        {
            string config = Path.Combine(folder, "config.yml");
            File.WriteAllText(config, $"status:\n  socket: {folder}/status.sock\ninputs:\n  sniffer:\n    enabled: true\n");
            NfrProcess.Run(["status", "-c", config]).Fails(1, "no sensor is running");
            File.WriteAllText(Path.Combine(folder, "status.sock"), "");
            NfrProcess.Run(["status", "-c", config]).Fails(1, "does not answer");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
