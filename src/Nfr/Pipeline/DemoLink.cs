using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Nfr.Commands;
using Nfr.Config;
using Nfr.Demo;
using Nfr.Events;
using Nfr.Logging;
using Nfr.Storage;
using Serilog.Core;

namespace Nfr.Pipeline;

/// <summary>The demo's seam, bound to the real sensor with the config that the demo was given.</summary>
static class DemoLink
{
    public static DemoSensor Sensor { get; } = new((options, _) => Task.Run(() => Start(options)));

    static RunningSensor Start(DemoSensorOptions options)
    {
        string path = options.ConfigPath ?? ConfigFile.DefaultPath;
        IReadOnlyList<ConfigFault> faults = [];
        NfrConfig? config = options.ConfigPath is null ? NfrConfig.Default(path) : ConfigFile.Load(path, out faults);
        IReadOnlyList<ScopeGroupSection>? scope = config is null ? null : ScopeFile.Load(config.Scope, out faults);
        if (config is null || scope is null) throw new InvalidOperationException(string.Join("; ", faults));
        config = config with
        {
            Engine = new EngineConfig(),
            // Its own mirror port alone, whatever the config says of this machine's inputs.
            Inputs = new InputsConfig { Sniffer = config.Inputs.Sniffer with { Enabled = true } },
            // Beside a sensor that may run on this machine already.
            Status = config.Status with { Socket = StatusConfig.Off },
            Metrics = new MetricsConfig { Listen = null },
            Data = config.Data with { Dir = options.DataFolder },
            Spool = config.Spool with { Dir = Path.Combine(options.DataFolder, "spool") },
            Outputs = config.Outputs with { File = Path.Combine(options.DataFolder, "alerts.json") },
        };
        // The demo's screen is no place for the log; warnings are told all the same.
        Logger log = Log.ToStderr(LogLevel.Warn);
        var newest = new ConcurrentQueue<SensorAlert>();
        // By the alert's id. The demo is short and its office small: a few hundred at most.
        var raised = new ConcurrentDictionary<string, long>();
        Sensor sensor = Pipeline.Sensor.Start(new RunContext(config, scope, Terminal.OfProcess(), log), out string? error, options.FeedsFolder, Remember)
            ?? throw new InvalidOperationException(error);
        return new RunningSensor(() => Snapshot(sensor, newest), _ => Task.Run(() => Stop(sensor, log, raised)));

        void Remember(Alert alert)
        {
            long now = TimeProvider.System.GetTimestamp();
            if (alert.Evidence is { Id: { Length: > 0 } id }) raised.TryAdd(id, now);
            newest.Enqueue(Of(alert, now));
            if (newest.Count > 8) newest.TryDequeue(out _);
        }
    }

    static SensorSnapshot Snapshot(Sensor sensor, ConcurrentQueue<SensorAlert> newest)
    {
        Ledger ledger = sensor.Ledger();
        return new SensorSnapshot
        {
            Packets = ledger.Frames,
            Bytes = ledger.Bytes,
            KernelDrops = ledger.KernelDropped,
            Events = [.. EventTypes.Uploaded.Select(ledger.EventsOf)],
            SpoolRows = ledger.Spool!.Total.InSpool,
            SpoolBytes = ledger.Spool.BytesOnDisk,
            Alerts = ledger.Stage!.Alerts,
            LastAlerts = [.. newest],
        };
    }

    static SensorOutcome Stop(Sensor sensor, Logger log, ConcurrentDictionary<string, long> raised)
    {
        Ledger ledger = sensor.Stop();
        List<SensorAlert> alerts = [];
        for (long after = 0; ;)
        {
            IReadOnlyList<StoredAlert> page = sensor.Spool.ReadAlerts(after, 100);
            if (page.Count == 0) break;
            alerts.AddRange(page.Select(a => Of(a.Alert, raised.GetValueOrDefault(a.Alert.Evidence?.Id ?? ""))));
            after = page[^1].Sequence;
        }
        sensor.Dispose();
        log.Dispose();
        return new SensorOutcome(LedgerText.Write(ledger), ledger.Closes, alerts, ledger.Frames);
    }

    static SensorAlert Of(Alert alert, long raisedAt)
    {
        var line = new ArrayBufferWriter<byte>(2048);
        AlertJson.Write(alert, line);
        return new SensorAlert(Encoding.UTF8.GetString(line.WrittenSpan), alert.Event.SrcIP ?? "", [.. alert.Threats.Select(t => t.Id)], alert.Threats[0].Title, raisedAt);
    }
}
