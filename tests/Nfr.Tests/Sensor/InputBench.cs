using System.Globalization;
using System.Text.Json;
using Nfr.Storage;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Sensor;

/// <summary>
/// A folder for one sensor that reads what others write, without a cable and without rights, and an engine that notes each event and under which numbers
/// it came. Its waits are for what the sensor says or does, never for a while.
/// </summary>
sealed class InputBench : IAsyncDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-inputs-").FullName;
    readonly List<(long First, long Last, string Type, string[] Lines)> _uploads = [];
    readonly HashSet<string> _came = [];
    readonly Dictionary<string, int> _cameOf = [];
    readonly EngineServer _engine;
    readonly Random _random = new(42);

    InputBench(EngineServer engine)
    {
        _engine = engine;
        engine.Answer = async (context, request) =>
        {
            if (request.Method == "GET")
            {
                await EngineServer.Json(context, 200, request.Path.EndsWith("/account/status", StringComparison.Ordinal)
                    ? """{"registered":true,"expired":false,"messages":[]}""" : """{"follow":"","more":false,"alerts":[],"threats":{}}""");
                return;
            }
            Note(request);
            // The answer takes its time, so that kills fall between an event's arrival and the sensor's note of it.
            await Task.Delay(Random.Shared.Next(60));
            await EngineServer.Ok(context, request);
        };
    }

    public static async Task<InputBench> OpenAsync() => new(await EngineServer.StartAsync());

    public string ConfigPath => In("config.yml");

    public string In(string name) => Path.Combine(_folder, name);

    /// <param name="inputs">Lines below inputs:, two spaces in.</param>
    /// <param name="uploads">To this bench's engine, as soon as there is something; else there is none.</param>
    public void Configure(string inputs, bool uploads = false)
    {
        string engine = uploads ? $"{{host: \"{_engine.Host}\", api_key: KEY1}}" : "{host: embedded}";
        File.WriteAllText(ConfigPath, $$"""
            engine: {{engine}}
            inputs:
            {{inputs}}
            outputs: {file: {{In("alerts.json")}}}
            scoring: {feeds: {{In("feeds")}}}
            data: {dir: {{In("data")}}, file: {{In("nfr.data")}}}
            status: {socket: {{In("status.sock")}}, interval: 1s}
            metrics: {listen: off}
            dns_events: {buffer_size: 64, flush_interval: 5s}
            ip_events: {buffer_size: 64, flush_interval: 5s}
            http_events: {buffer_size: 64, flush_interval: 5s}

            """);
    }

    /// <summary>Starts the sensor, and returns when it is up: it answers "nfr status", and a signal makes it drain.</summary>
    public NfrProcess Start(params string[] prefix)
    {
        NfrProcess sensor = NfrProcess.Start(["start", "-c", ConfigPath], prefix, _folder);
        try
        {
            // The last of what it says at its start.
            sensor.Expect("events wait in it");
        }
        catch
        {
            sensor.Dispose();
            throw;
        }
        return sensor;
    }

    /// <summary>Its status, once that is as it should be.</summary>
    public JsonElement Status(NfrProcess sensor, Func<JsonElement, bool> isSo, string what)
    {
        JsonElement status = default;
        sensor.Until(() =>
        {
            Ended asked = NfrProcess.Run(["status", "--json", "-c", ConfigPath]);
            // It may be too busy to answer in time: it is asked again.
            if (asked.Output.Length == 0) return false;
            using JsonDocument json = JsonDocument.Parse(asked.Output);
            status = json.RootElement.Clone();
            // Nor does a stage that is kept waiting tell its counts in time.
            return status.GetProperty("run").GetProperty("exact").GetBoolean() && isSo(status);
        }, what, NfrProcess.Patience * 2);
        return status;
    }

    /// <summary>Events that came, each counted once.</summary>
    public int Came
    {
        get
        {
            lock (_uploads) return _came.Count;
        }
    }

    /// <summary>Requests with events.</summary>
    public int Uploads
    {
        get
        {
            lock (_uploads) return _uploads.Count;
        }
    }

    /// <summary>The same by the path that they came to.</summary>
    public IReadOnlyDictionary<string, int> CameOf
    {
        get
        {
            lock (_uploads) return new Dictionary<string, int>(_cameOf);
        }
    }

    /// <summary>Starts and kills the sensor: every other time while the engine has a request in hand, else anywhere behind its start.</summary>
    /// <param name="times">How often.</param>
    /// <param name="begun">Waited for in the first life.</param>
    /// <param name="between">After each kill but the last.</param>
    public void KillAgainAndAgain(int times, Action<NfrProcess>? begun = null, Action? between = null)
    {
        for (int kill = 0; kill < times; kill++)
        {
            using (NfrProcess sensor = Start())
            {
                if (kill == 0) begun?.Invoke(sensor);
                int before = Uploads;
                if (kill % 2 == 1) sensor.Until(() => Uploads > before, "an upload");
                Thread.Sleep(_random.Next(kill % 2 == 1 ? 60 : 700));
                sensor.Signal(NfrProcess.Kill);
                sensor.End();
            }
            if (kill < times - 1) between?.Invoke();
        }
    }

    /// <summary>Waits until as many events came as there should be.</summary>
    public void UntilAllCame(NfrProcess sensor, int events) =>
        sensor.Until(() => Came >= events, () => $"of {events} events came {string.Join(", ", CameOf.Select(c => $"{c.Key} {c.Value}"))}", NfrProcess.Patience * 3);

    /// <summary>Each is one event in the spool, whatever happened; and what came twice was in flight, under the same numbers.</summary>
    public void IsEachThereOnce(int events)
    {
        using (Spool spool = Spool.Open(new SpoolOptions { Directory = In("data/spool") }, TimeProvider.System))
            Assert.Equal(events, spool.Counters.Total.Spooled);
        Assert.Equal(events, Came);
        lock (_uploads)
        {
            foreach (var same in _uploads.SelectMany(u => u.Lines.Distinct().Select(l => (Line: u.Type + l, Upload: u))).GroupBy(l => l.Line).Where(g => g.Count() > 1))
                Assert.True(same.Max(s => s.Upload.First) <= same.Min(s => s.Upload.Last), $"{same.Key} came under different numbers");
            Assert.All(_uploads, u => Assert.Equal(u.Lines.Length, u.Lines.Distinct().Count()));
        }
    }

    void Note(Recorded request)
    {
        long[] range = [.. request.Headers["X-NFR-Sequence"].Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
        string[] lines = request.Lines;
        lock (_uploads)
        {
            _uploads.Add((range[0], range[1], request.Path, lines));
            foreach (string line in lines)
            {
                if (_came.Add(request.Path + line)) _cameOf[request.Path] = _cameOf.GetValueOrDefault(request.Path) + 1;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
