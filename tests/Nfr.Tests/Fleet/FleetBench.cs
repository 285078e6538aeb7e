using System.Collections.Concurrent;
using System.Security.Cryptography;
using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests;

/// <summary>A fleet link with a spool and its output, as a sensor has them, to a broker of a test's.</summary>
sealed class FleetBench : IDisposable
{
    public static readonly FleetTopics Topics = new("test", "box1");

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-fleet-").FullName;
    readonly CancellationTokenSource _stop = new();
    readonly AlertOutput _output;
    readonly Task _running;
    int _alerts;

    public FleetBench(int port, Func<FleetOptions, FleetOptions>? change = null, string? folder = null, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var options = new FleetOptions
        {
            Host = "127.0.0.1", Port = port, Topics = Topics, Folder = folder ?? _folder, MostWait = TimeSpan.FromMilliseconds(500), Heartbeat = TimeSpan.FromMilliseconds(200),
            Keys = new Dictionary<string, ECDsa> { [FleetKey.Id(Key)] = Key }, Patience = TimeSpan.FromSeconds(5),
        };
        Spool = Spool.Open(new SpoolOptions { Directory = Path.Combine(_folder, "spool") }, time);
        Options = change?.Invoke(options) ?? options;
        Link = new FleetLink(Options, () => new FleetInfo { Name = "box", Site = "test", Id = "box1", Mac = "02:00:00:00:00:01", Version = "2.0.0" },
            beat => new FleetHealth { Beat = beat, IsWell = true, HeartbeatSeconds = 0.2 }, Act, time, n => Notices.Enqueue(n.Sentence));
        _output = new AlertOutput(Spool, new OutputOptions { Name = "fleet", Sink = Options }, new SensorIdentity("2.0.0", "s", "box"), time, n => Notices.Enqueue(n.Sentence), Link.Sink());
        Link.Start();
        _running = Task.Run(() => _output.RunAsync(_stop.Token));
    }

    public FleetOptions Options { get; }
    public ECDsa Key { get; }
    public Spool Spool { get; }
    public FleetLink Link { get; }
    public AlertOutputState Output => _output.State;
    public ConcurrentQueue<string> Notices { get; } = new();
    public ConcurrentQueue<FleetCommand> Done { get; } = new();
    public int Alerts => _alerts;

    FleetAnswer? Act(FleetCommand command, Action<FleetAnswer> later)
    {
        if (command.Command != "ping") return FleetAnswer.Unknown("there is no such command");
        Done.Enqueue(command);
        return new FleetAnswer { Ok = true, Why = "done" };
    }

    /// <summary>Commits so many more alerts, numbered on.</summary>
    /// <param name="count">One commit.</param>
    /// <param name="padding">Characters more in each.</param>
    public void Append(int count, int padding = 0)
    {
        for (int i = 0; i < count; i++, _alerts++)
        {
            Spool.AppendAlert(new Alert
            {
                Threats = [new AlertThreat("c2_communication", "C2 communication", 5)],
                Flags = padding == 0 ? ["c2"] : ["c2", new string('x', padding)],
                Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T12:00:00.000000Z", SrcIP = "10.0.0.1", Query = $"a{_alerts}.example", QType = "A" },
            });
        }
        Assert.Null(Spool.Flush());
    }

    public static HashSet<int> Numbers(MqttEar ear) =>
        [.. ear.Of(Topics.Of(FleetTopic.Alert)).Select(t => int.Parse(System.Text.RegularExpressions.Regex.Match(t, @"a(\d+)\.example").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))];

    public static MqttOptions EarOptions(int port, MqttVersion version = MqttVersion.V311) => new() { Host = "127.0.0.1", Port = port, ClientId = "ear", Version = version };

    public FleetCommand Command(string name, long sequence, DateTimeOffset? time = null, string? to = null) =>
        new() { Command = name, To = to ?? Topics.Address, Sequence = sequence, Time = time ?? DateTimeOffset.UtcNow };

    public void Dispose()
    {
        _stop.Cancel();
        _running.GetAwaiter().GetResult();
        Link.Dispose();
        _output.Dispose();
        Spool.Dispose();
        Directory.Delete(_folder, recursive: true);
        Key.Dispose();
        _stop.Dispose();
    }
}
