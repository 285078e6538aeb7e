using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Nfr.Tests.Sensor;

/// <summary>The real sensor on logs that are written while it runs: without a sniffer and without rights, and killed again and again.</summary>
public sealed class FollowedSensorTests : IAsyncLifetime
{
    InputBench _bench = null!;

    public async Task InitializeAsync() => _bench = await InputBench.OpenAsync();

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    string In(string name) => _bench.In(name);

    internal static string Conn(int i) => string.Create(CultureInfo.InvariantCulture, $"{1_763_726_400 + i}.000001\tC{i}\t10.0.2.{1 + i % 200}\t{30000 + i % 30000}\t192.0.2.{1 + i % 200}\t443\ttcp\tssl\t1.5\t100\t{i}\tSF\n");

    internal const string ConnHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
        + "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\n"
        + "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\n";

    [Fact]
    public void Logs_alone_need_no_interface_and_no_right_and_status_shows_each()
    {
        int port = FreePort.Take();
        _bench.Configure($$"""
              monitor:
              - {file: {{In("eve.json")}}, format: suricata}
              - file: {{In("query*.log")}}
              syslog:
              - {listen: "127.0.0.1:{{port}}", protocol: udp}
            """);
        File.WriteAllText(In("eve.json"), string.Concat(Enumerable.Range(0, 200).Select(ReadLogTests.Flow)) + "{broken\n");
        // No capability at all, as an ordinary user has none.
        using NfrProcess sensor = _bench.Start(Environment.UserName == "root" ? ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] : []);
        sensor.Expect("eve.json:201: the line is left out: it is no JSON object");
        File.WriteAllText(In("query1.log"), string.Concat(Enumerable.Range(0, 100).Select(ReadLogTests.Query)));
        // What is sent before somebody listens is gone.
        sensor.Until(() => IsBound(port), "the syslog port");
        using var sender = new UdpClient();
        for (int i = 0; i < 10; i++) sender.Send(Encoding.UTF8.GetBytes("<134>Nov 21 12:00:00 ns1 named[7]: " + ReadLogTests.Query(i)["21-Nov-2026 12:00:00.123 ".Length..].TrimEnd()), "127.0.0.1", port);
        JsonElement status = _bench.Status(sensor, s =>
        {
            long Lines(int i) => s.GetProperty("inputs")[i].GetProperty("lines").GetInt64();
            JsonElement events = s.GetProperty("run").GetProperty("events");
            return s.GetProperty("inputs").GetArrayLength() == 3 && (Lines(0), Lines(1), Lines(2)) == (201, 100, 10)
                && (events.GetProperty("http").GetInt32(), events.GetProperty("dns").GetInt32()) == (200, 110);
        }, "all lines and their events");
        JsonElement run = status.GetProperty("run");
        Assert.True(run.GetProperty("closes").GetBoolean(), run.GetProperty("gaps").ToString());
        Assert.Equal(311, run.GetProperty("lines").GetInt32());
        Assert.Equal(0, status.GetProperty("capture").GetArrayLength());
        Assert.True(status.GetProperty("well").GetBoolean(), status.GetProperty("troubles").ToString());
        Ended screen = NfrProcess.Run(["status", "-c", _bench.ConfigPath]);
        Assert.Matches(@"\nInputs +lines +events +skipped  last ago\n(.*\n)?.*eve\.json +201 +200 +1 ", screen.Output);
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes: every line and every event", end.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("does NOT", end.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_spool_that_cannot_be_read_costs_places_and_the_log_says_which()
    {
        _bench.Configure($$"""
              monitor:
              - {file: {{In("eve.json")}}, format: suricata}
              - {file: {{In("query.log")}}, format: bind, from: end}
            """);
        File.WriteAllText(In("eve.json"), string.Concat(Enumerable.Range(0, 200).Select(ReadLogTests.Flow)));
        static bool IsRead(JsonElement status) => status.GetProperty("run").GetProperty("events").GetProperty("http").GetInt32() == 200;
        for (int life = 0; life < 2; life++)
        {
            using NfrProcess sensor = _bench.Start();
            _bench.Status(sensor, IsRead, "200 events");
            if (life == 1)
            {
                Assert.Contains($"how far each was read was in the lost spool; {In("eve.json")}: read again from the beginning, so events of before may come twice; {In("query.log")} (from: end): read from the end", sensor.Output + sensor.Error, StringComparison.Ordinal);
            }
            sensor.Signal(NfrProcess.Terminate);
            Assert.Equal(0, sensor.End().Code);
            if (life == 0) Assert.DoesNotContain("lost spool", sensor.Output + sensor.Error, StringComparison.Ordinal);
            File.WriteAllBytes(In("data/spool/spool.db"), [.. Enumerable.Repeat((byte)0xA5, 20_000)]);
        }
    }

    /// <summary>/proc/net/udp: the local address in hexadecimal, least significant byte first.</summary>
    static bool IsBound(int port) => File.ReadLines("/proc/net/udp").Any(l => l.Contains(string.Create(CultureInfo.InvariantCulture, $":{port:X4} 00000000:0000"), StringComparison.Ordinal));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_again_and_again_it_loses_no_line_and_doubles_none(bool isRotated)
    {
        // Of a log: what is written before it came is work for the next life, and not without end where the machine is slow.
        const int Kills = 6, MostAhead = 1000;
        _bench.Configure($$"""
              monitor:
              - {file: {{In("eve.json")}}, format: suricata}
              - {file: {{In("query.log")}}, type: dns}
              - {file: {{In("conn.log")}}, format: zeek}
            """, uploads: true);
        File.WriteAllText(In("conn.log"), ConnHeader);
        int written = 0, wanted = 0, rotations = 0;
        using var stop = new CancellationTokenSource();
        using var met = new ManualResetEventSlim(!isRotated);
        Task writer = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                for (int end = written + 10; written < end; Volatile.Write(ref written, written + 1))
                {
                    File.AppendAllText(In("eve.json"), ReadLogTests.Flow(written));
                    File.AppendAllText(In("query.log"), ReadLogTests.Query(written));
                    File.AppendAllText(In("conn.log"), Conn(written));
                }
                // What was moved away before anybody saw it is no follower's matter.
                if (isRotated && met.IsSet && written % 100 == 0) Rotate(++rotations);
                do Thread.Sleep(20);
                while (written >= Volatile.Read(ref wanted) && written - (_bench.Came / 3) > MostAhead && !stop.IsCancellationRequested);
            }
        });
        try
        {
            _bench.KillAgainAndAgain(Kills, sensor =>
            {
                sensor.Until(() => _bench.CameOf.Count == 3, "the first events of each log");
                met.Set();
            }, () =>
            {
                // Several rotations while nobody reads.
                if (!isRotated) return;
                int until = Volatile.Read(ref written) + 200;
                Volatile.Write(ref wanted, until);
                Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref written) >= until, NfrProcess.Patience), "the writer writes no more");
            });
        }
        finally
        {
            stop.Cancel();
            await writer;
        }
        using (NfrProcess last = _bench.Start())
        {
            _bench.UntilAllCame(last, 3 * written);
            last.Signal(NfrProcess.Terminate);
            Assert.Contains("The ledger closes: every line and every event", last.End().Output, StringComparison.Ordinal);
        }
        _bench.IsEachThereOnce(3 * written);
        if (isRotated) Assert.True(rotations > Kills, $"{rotations} rotations");
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
}
