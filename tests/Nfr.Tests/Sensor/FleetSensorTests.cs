using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Nfr.Native;
using Nfr.Tests.Capture;
using Nfr.Tests.Uplink;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Tests.Sensor;

/// <summary>The real program on a real cable, with an engine, and a real mosquitto that wants client certificates.</summary>
[SupportedOSPlatform("linux")]
public sealed class FleetSensorTests(ITestOutputHelper output) : IDisposable
{
    const int Patience = 60;
    const int ListedNames = 400;
    /// <summary>Events of an upload: so many go at once, fewer after five seconds.</summary>
    const int Batch = 64;

    static readonly FleetTopics s_topics = new("test", "box1");

    readonly MqttCertificates _certificates = new();
    readonly SensorBench _bench = new();
    Socket? _far;
    int _questions;
    int _ordinary;

    public void Dispose()
    {
        _far?.Dispose();
        _bench.Dispose();
        _certificates.Dispose();
    }

    string KeyFile => _bench.In("key.pem");

    MqttBroker Broker() => new MqttBroker(_certificates.Options(_certificates.Broker), network: _bench.Network.Name).Start();

    MqttEar Ear(MqttBroker broker) => _bench.Network.Inside(() => new MqttEar(FleetBench.EarOptions(broker.Port) with
    {
        Tls = new MqttTls(_certificates.RootFile, _certificates.Client.Certificate, _certificates.Client.Key),
    }, "nfr/#"));

    /// <summary>An engine that takes everything at once, a list that alerts come of, and the broker.</summary>
    async Task<EngineServer> ConfigureAsync(MqttBroker broker, string? roots = null, string version = "3.1.1")
    {
        EngineServer engine = await _bench.EngineAsync();
        engine.Answer = (context, request) => request.Path.EndsWith("/account/status", StringComparison.Ordinal) ? EngineServer.Json(context, 200, """{"registered":true,"expired":false,"messages":[]}""")
            : request.Method == "GET" ? EngineServer.Json(context, 200, """{"follow":"","more":false,"alerts":[],"threats":{}}""")
            : EngineServer.Ok(context, request);
        File.WriteAllLines(_bench.In("feeds/list.txt"), ["# threat: c2_communication", "# flags: c2", .. Enumerable.Range(0, ListedNames).Select(i => $"bad{i}.listed{i}.example")]);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(_bench.In("key.pub"), key.ExportSubjectPublicKeyInfoPem());
        _bench.Configure($"  host: {engine.Host}\n  api_key: KEY1", more: $"""
            dns_events:
              buffer_size: {Batch}
              flush_interval: 5s
            fleet:
              broker: mqtts://127.0.0.1:{broker.Port}
              version: {version}
              site: {s_topics.Site}
              id: {s_topics.Id}
              heartbeat: 1s
              command_keys: {_bench.In("key.pub")}
              tls:
                ca: {roots ?? _certificates.RootFile}
                certificate: {_certificates.Client.Certificate}
                key: {_certificates.Client.Key}
            """);
        return engine;
    }

    /// <summary>So many answered questions for listed names, each of a client and for a domain of its own.</summary>
    void RaiseAlerts(int count)
    {
        _far ??= _bench.Network.Sender("far");
        for (int i = 0; i < count; i++, _questions++)
        {
            string client = $"10.0.{1 + (_questions / 200)}.{1 + (_questions % 200)}", name = $"bad{_questions}.listed{_questions}.example";
            _far.Send(Frames.Query(client, 20_000 + _questions, name));
            _far.Send(Frames.Reply(client, 20_000 + _questions, name));
            // Not faster than the kernel's queue of a veth end takes them.
            if (i % 20 == 19) Thread.Sleep(5);
        }
    }

    /// <summary>So many that nobody minds, in one go: a burst fits the ring however long the machine looks away, a stream does not.</summary>
    void AskOrdinary(int count)
    {
        _far ??= _bench.Network.Sender("far");
        for (int i = 0; i < count; i++, _ordinary++)
        {
            string client = $"10.9.{_ordinary / 200 % 200}.{1 + (_ordinary % 200)}";
            _far.Send(Frames.Query(client, 20_000 + (_ordinary % 40_000), DnsLoad.Name(_ordinary)));
            _far.Send(Frames.Reply(client, 20_000 + (_ordinary % 40_000), DnsLoad.Name(_ordinary)));
            if (i % 20 == 19) Thread.Sleep(5);
        }
    }

    static HashSet<int> NumbersOf(IEnumerable<string> alerts) => [.. alerts.Select(a => int.Parse(Regex.Match(a, @"bad(\d+)\.listed").Groups[1].Value, CultureInfo.InvariantCulture))];

    static string[] AlertsOf(MqttEar ear) => [.. ear.Of(s_topics.Of(FleetTopic.Alert))];

    static int Uploaded(EngineServer engine) => engine.Requests.Where(r => r.Method == "POST" && r.Path.Contains("/dns", StringComparison.Ordinal)).Sum(r => r.Lines.Length);

    static FleetHealth? Health(MqttEar ear) => ear.Of(s_topics.Of(FleetTopic.Health)).LastOrDefault() is { } text ? FleetHealth.TryRead(Encoding.UTF8.GetBytes(text)) : null;

    static FleetAnswer[] Answers(MqttEar ear) => [.. ear.Of(s_topics.Of(FleetTopic.Answer)).Select(a => FleetAnswer.TryRead(Encoding.UTF8.GetBytes(a))!)];

    /// <summary>"nfr status": its exit code, its document.</summary>
    (int Code, JsonDocument Json) Status()
    {
        Ended end = NfrProcess.Run(["status", "--json", "-c", _bench.ConfigPath]);
        return (end.Code, JsonDocument.Parse(end.Output));
    }

    static long Lost(JsonElement status) => status.GetProperty("run").GetProperty("interfaces").GetProperty("near").GetProperty("dropped").GetInt64();

    Ended Send(MqttBroker broker, params string[] words) => NfrProcess.Run(
        ["fleet", "send", .. words, "--broker", $"mqtts://127.0.0.1:{broker.Port}", "--ca", _certificates.RootFile, "--cert", _certificates.Client.Certificate, "--cert-key", _certificates.Client.Key, "--key", KeyFile, "--timeout", "40"],
        ["nsenter", "--net=/run/netns/" + _bench.Network.Name]);

    [CableBrokerFact]
    public async Task Birth_heartbeats_alerts_and_commands_go_over_tls_with_certificates_and_what_is_forged_replayed_or_old_is_refused()
    {
        using MqttBroker broker = Broker();
        using MqttEar ear = Ear(broker);
        await using EngineServer engine = await ConfigureAsync(broker);
        // As a kill in the middle of a capture left it.
        Directory.CreateDirectory(_bench.In("data/captures"));
        File.WriteAllText(_bench.In("data/captures/20261122-120000-000-near.pcap.partial"), "half");
        NfrProcess sensor = _bench.Listen();
        sensor.Until(() => ear.Of(s_topics.Of(FleetTopic.Status)).LastOrDefault() == "online", "the birth: " + broker.Log);
        Assert.Empty(Directory.GetFiles(_bench.In("data/captures")));
        FleetInfo info = FleetInfo.TryRead(Encoding.UTF8.GetBytes(ear.Of(s_topics.Of(FleetTopic.Info)).Last()))!;
        Assert.Equal(("test", "box1", Environment.MachineName), (info.Site, info.Id, info.Name));
        Assert.Equal(["near"], info.Capture);
        Assert.Equal(global::Nfr.Pipeline.FleetActions.Names, info.Commands);

        RaiseAlerts(5);
        sensor.Until(() => AlertsOf(ear).Length >= 5, "five alerts");
        sensor.Until(() => Health(ear) is { Ledger: { Closes: true, Packets: >= 10, Alerts: 5, InScope: > 0 }, IsWell: true } h && h.Beat > 2, "the ledger in a heartbeat");
        Assert.Equal(5, Health(ear)!.Alerts.Total);

        // What a person does: the real program signs and sends, and tells what came of it.
        Ended ping = Send(broker, "test/box1", "ping");
        Assert.True(ping.Code == 0, ping.Output + ping.Error);
        Assert.Contains("the sensor is there", ping.Output, StringComparison.Ordinal);
        Ended identify = Send(broker, "box1", "identify", "seconds=5");
        Assert.Equal(1, identify.Code);
        Assert.Contains("this sensor has no panel that listens", identify.Output, StringComparison.Ordinal);
        Task<Ended> capturing = Task.Run(() => Send(broker, "test/*", "capture-now", "packets=8", "seconds=60"));
        while (!capturing.IsCompleted)
        {
            RaiseOrdinary();
            await Task.Delay(20);
        }
        Ended captured = await capturing;
        Assert.True(captured.Code == 0, captured.Output + captured.Error);
        Assert.Contains("8 packets of near lie in", captured.Output, StringComparison.Ordinal);
        Assert.Equal(24 + (8 * 16), new FileInfo(Assert.Single(Directory.GetFiles(_bench.In("data/captures")))).Length - FramesIn(Directory.GetFiles(_bench.In("data/captures"))[0]));

        // What a stranger does.
        using ECDsa key = ECDsa.Create(), stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        key.ImportFromPem(File.ReadAllText(KeyFile));
        long next = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds();
        byte[] good = Command(next, key);
        (string Why, byte[] Message)[] cases =
        [
            ("none of the keys in fleet.command_keys signed it", Command(next, stranger)),
            ("more than five minutes lie between", Command(next, key, age: TimeSpan.FromMinutes(6))),
            ("it is for test/box2, this is test/box1", Command(next, key, to: "test/box2")),
            ("there is no such command", Command(next, key, "format-disk")),
            ($"sequence number {next} is not above {next}", good),
        ];
        foreach ((string why, byte[] message) in cases)
        {
            ear.Say(s_topics.Of(FleetTopic.Command), message);
            sensor.Until(() => Answers(ear).Any(a => !a.Ok && a.Why.Contains(why, StringComparison.Ordinal)), why);
        }
        ear.Say(s_topics.Of(FleetTopic.Command), Command(next + 1, key));
        sensor.Until(() => Answers(ear).Any(a => a.Ok && a.Sequence == next + 1), "a command after all these");
        (_, JsonDocument status) = Status();
        using (status)
        {
            JsonElement refused = status.RootElement.GetProperty("fleet").GetProperty("commandsRefused");
            Assert.Equal("1 1 1 1 1", string.Join(' ', new[] { "forged", "old", "notForUs", "unknown", "replayed" }.Select(r => refused.GetProperty(r).GetInt64())));
            Assert.Equal(4, status.RootElement.GetProperty("fleet").GetProperty("commandsTaken").GetInt64());
        }

        // "reload" is a drain and the same program anew: it leaves by its own word, comes back, and no alert comes twice.
        int births = ear.Of(s_topics.Of(FleetTopic.Status)).Count(s => s == "online");
        ear.Say(s_topics.Of(FleetTopic.Command), Command(next + 2, key, "reload"));
        sensor.Until(() => Answers(ear).Any(a => a.Ok && a.Command == "reload"), "reload: " + string.Join("; ", Answers(ear).Select(a => a.Why)));
        sensor.Until(() => ear.Of(s_topics.Of(FleetTopic.Status)).Count(s => s == "online") > births, "the birth after the reload");
        RaiseAlerts(1);
        sensor.Until(() => AlertsOf(ear).Length >= 6, "an alert after the reload");

        // A capture that the stop breaks off: who asked for it is told before the farewell.
        ear.Say(s_topics.Of(FleetTopic.Command), Command(next + 3, key, "capture-now", seconds: "60"));
        sensor.Until(() => Directory.GetFiles(_bench.In("data/captures")).Any(f => f.EndsWith(".partial", StringComparison.Ordinal)), "a capture under way");
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        MqttEar.Until(() => ear.Of(s_topics.Of(FleetTopic.Status)).Last() == "offline", "its farewell", Patience);
        Assert.Equal("the sensor was stopped meanwhile; nothing is kept", Assert.Single(Answers(ear), a => a.Sequence == next + 3).Why);
        Assert.Equal(6, AlertsOf(ear).Length);
        Assert.Equal(6, NumbersOf(AlertsOf(ear)).Count);
        Assert.Equal(6, _bench.Alerts.Length);

        byte[] Command(long sequence, ECDsa signer, string name = "ping", TimeSpan age = default, string? to = null, string? seconds = null) =>
            new FleetCommand { Arguments = seconds is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["seconds"] = seconds }, Command = name, To = to ?? s_topics.Address, Sequence = sequence, Time = DateTimeOffset.UtcNow - age }.Sign(signer);

        void RaiseOrdinary()
        {
            _far!.Send(Frames.Query("10.9.0.1", 7000, "www.example.org"));
            _far.Send(Frames.Reply("10.9.0.1", 7000, "www.example.org"));
        }
    }

    /// <summary>Bytes of the frames that lie in a pcap file.</summary>
    static long FramesIn(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        long sum = 0;
        for (int at = 24; at < file.Length;)
        {
            int length = BitConverter.ToInt32(file, at + 8);
            sum += length;
            at += 16 + length;
        }
        return sum;
    }

    [CableBrokerFact]
    public async Task A_wrong_authority_is_said_everywhere_costs_recording_and_uploads_nothing_and_no_alert_once_it_is_right()
    {
        string roots = _bench.In("trusted.pem");
        File.Copy(_certificates.StrangerFile, roots);
        using MqttBroker broker = Broker();
        using MqttEar ear = Ear(broker);
        await using EngineServer engine = await ConfigureAsync(broker, roots);
        NfrProcess sensor = _bench.Listen();
        RaiseAlerts(Batch);
        sensor.Until(() => _bench.Alerts.Length == Batch, "all alerts in the other output");
        sensor.Until(() => Uploaded(engine) == Batch, "all events at the engine");
        sensor.Until(() => sensor.Output.Contains("fleet: ", StringComparison.Ordinal) || sensor.Error.Contains("fleet: ", StringComparison.Ordinal), "a line of the log");
        (int code, JsonDocument status) = Status();
        using (status)
        {
            Assert.Equal(3, code);
            JsonElement fleet = status.RootElement.GetProperty("fleet");
            Assert.False(fleet.GetProperty("connected").GetBoolean());
            string trouble = fleet.GetProperty("trouble").GetString()!;
            Assert.Contains("signed", trouble, StringComparison.Ordinal);
            JsonElement said = status.RootElement.GetProperty("troubles").EnumerateArray().Single(t => t.GetProperty("place").GetString() == "fleet");
            Assert.Equal(("fault", trouble), (said.GetProperty("gravity").GetString(), said.GetProperty("what").GetString()));
            Assert.Contains("fleet.tls.ca", said.GetProperty("do").GetString(), StringComparison.Ordinal);
            Assert.Contains(trouble, sensor.Output + sensor.Error, StringComparison.Ordinal);
            Assert.Equal(0, Lost(status.RootElement));
            JsonElement way = status.RootElement.GetProperty("outputs").EnumerateArray().Single(o => o.GetProperty("name").GetString() == "fleet");
            Assert.Equal(Batch, way.GetProperty("waiting").GetInt64());
        }
        Assert.Empty(ear.Heard);
        // Mended while it runs.
        File.Copy(_certificates.RootFile, roots, overwrite: true);
        sensor.Until(() => AlertsOf(ear).Length >= Batch, "the alerts that waited", TimeSpan.FromSeconds(Patience));
        sensor.Until(() => Health(ear) is { IsWell: true }, "a heartbeat that is well");
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        Assert.Equal((Batch, Batch), (AlertsOf(ear).Length, NumbersOf(AlertsOf(ear)).Count));
    }

    /// <summary>SIGSTOP for as long as it takes to see that nothing else waits; with NFR_FAULTS=long until the sensor has given it up.</summary>
    [CableBrokerFact]
    public async Task A_broker_that_is_paused_holds_up_neither_packets_nor_uploads_and_its_alerts_arrive_when_it_goes_on()
    {
        bool isLong = Environment.GetEnvironmentVariable("NFR_FAULTS") == "long";
        using MqttBroker broker = Broker();
        using MqttEar ear = Ear(broker);
        await using EngineServer engine = await ConfigureAsync(broker);
        NfrProcess sensor = _bench.Listen();
        RaiseAlerts(10);
        sensor.Until(() => AlertsOf(ear).Length >= 10, "the first alerts");
        long paused, begin = Stopwatch.GetTimestamp();
        int alerts = 10, questions = 10;
        long slowest = 0;
        broker.Pause();
        try
        {
            for (int round = 0; alerts < (isLong ? 190 : 60) || (isLong && TroubleNow() is null && Stopwatch.GetElapsedTime(begin).TotalSeconds < 120); round++)
            {
                long asked = Stopwatch.GetTimestamp();
                // No more of them than one threat may raise at once.
                int more = alerts < 190 ? 10 : 0;
                RaiseAlerts(more);
                AskOrdinary(isLong ? 300 : 100);
                (alerts, questions) = (alerts + more, questions + more + (isLong ? 300 : 100));
                // What waits for the broker would show here.
                sensor.Until(() => _bench.Alerts.Length == alerts, () => $"alert {alerts} in the other output: {_bench.Alerts.Length}");
                if (isLong) AllUploaded();
                slowest = Math.Max(slowest, (long)Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
            AllUploaded();
            if (isLong) Assert.Contains("says nothing any more", TroubleNow(), StringComparison.Ordinal);
            Assert.Equal(10, AlertsOf(ear).Length);
        }
        finally
        {
            paused = (long)Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            broker.Continue();
        }
        sensor.Until(() => NumbersOf(AlertsOf(ear)).Count == alerts, () => $"all {alerts} alerts: {NumbersOf(AlertsOf(ear)).Count}", TimeSpan.FromSeconds(120));
        (_, JsonDocument status) = Status();
        using (status)
        {
            Assert.Equal(0, Lost(status.RootElement));
            Assert.Equal(2L * questions, status.RootElement.GetProperty("run").GetProperty("interfaces").GetProperty("near").GetProperty("nicPackets").GetInt64());
        }
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        output.WriteLine($"paused for {paused} ms: {2 * questions} packets, 0 dropped, {questions} events uploaded meanwhile, a round in {slowest} ms at most; {alerts} alerts, {AlertsOf(ear).Length - alerts} doubled, 0 lost");
        // At most the page that was on its way comes twice.
        Assert.InRange(AlertsOf(ear).Length, alerts, alerts + AlertOutput.PageSize);

        void AllUploaded() => sensor.Until(() => Uploaded(engine) == questions, () => $"all {questions} events at the engine: {Uploaded(engine)}");

        string? TroubleNow()
        {
            (_, JsonDocument now) = Status();
            using (now) return now.RootElement.GetProperty("fleet").GetProperty("trouble").GetString();
        }
    }

    /// <summary>Twice in each run, fifty times with NFR_FAULTS=long, with traffic and alerts all the while.</summary>
    [CableBrokerTheory]
    [InlineData("3.1.1")]
    [InlineData("5")]
    public async Task A_broker_that_restarts_again_and_again_costs_no_packet_no_event_and_no_alert(string version)
    {
        int restarts = Environment.GetEnvironmentVariable("NFR_FAULTS") == "long" ? 50 : 2;
        using MqttBroker broker = Broker();
        using MqttEar ear = Ear(broker);
        await using EngineServer engine = await ConfigureAsync(broker, version: version);
        NfrProcess sensor = _bench.Listen();
        int alerts = 0, questions = 0;
        for (int i = 0; i < restarts; i++)
        {
            RaiseAlerts(2);
            AskOrdinary(60);
            // Sometimes it goes when the alerts have come, mostly wherever they are: the sensor's waits grow to a minute while no connection lasts.
            if (i % 5 == 0) sensor.Until(() => NumbersOf(AlertsOf(ear)).Count >= alerts + 2, $"the alerts before restart {i}", TimeSpan.FromSeconds(120));
            broker.Stop();
            RaiseAlerts(1);
            AskOrdinary(20);
            (alerts, questions) = (alerts + 3, questions + 83);
            sensor.Until(() => _bench.Alerts.Length == alerts, () => $"alert {alerts} in the other output: {_bench.Alerts.Length}");
            broker.Start();
        }
        sensor.Until(() => Uploaded(engine) == questions, () => $"all {questions} events at the engine: {Uploaded(engine)}");
        sensor.Until(() => NumbersOf(AlertsOf(ear)).Count == alerts, () => $"all {alerts} alerts: {NumbersOf(AlertsOf(ear)).Count}", TimeSpan.FromSeconds(120));
        sensor.Until(() => Health(ear) is { Ledger: { Closes: true } ledger } && ledger.Packets == 2L * questions, "a heartbeat with every packet");
        // The way back may have taken a minute, and a port that is quiet for so long is a trouble of its own.
        AskOrdinary(1);
        questions++;
        sensor.Until(() => Health(ear) is { IsWell: true } && Uploaded(engine) == questions, "a heartbeat that is well");
        (_, JsonDocument status) = Status();
        long connects;
        using (status)
        {
            Assert.Equal(0, Lost(status.RootElement));
            connects = status.RootElement.GetProperty("fleet").GetProperty("connects").GetInt64();
        }
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        Assert.Equal(questions, Uploaded(engine));
        output.WriteLine($"MQTT {version}: {restarts} restarts, {connects} connections, {2 * questions} packets, 0 dropped, {questions} events uploaded, none twice; {alerts} alerts, {AlertsOf(ear).Length - alerts} doubled, 0 lost");
    }
}

/// <summary>Needs a private network and a mosquitto; where one is absent the test says so and is left out.</summary>
sealed class CableBrokerFactAttribute : FactAttribute
{
    public CableBrokerFactAttribute() => Skip = NetworkNamespace.WhyNot ?? MqttBroker.WhyNot;
}

/// <inheritdoc cref="CableBrokerFactAttribute"/>
sealed class CableBrokerTheoryAttribute : TheoryAttribute
{
    public CableBrokerTheoryAttribute() => Skip = NetworkNamespace.WhyNot ?? MqttBroker.WhyNot;
}
