using Nfr.Config;
using Nfr.Panel;
using Nfr.Storage;
using Nfr.Update;
using Nfr.Uplink;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>The fleet link of a sensor with what it needs of it: the report, the panel that blinks, an output for alerts, and the small capture of its own.</summary>
sealed class FleetParts : IDisposable
{
    readonly CaptureNow _capture;

    FleetParts(FleetLink link, AlertOutput output, CaptureNow capture, FleetOptions options)
    {
        (Link, Output, _capture) = (link, output, capture);
        (Address, CommandKeys) = (options.Topics.Address, [.. options.Keys.Keys.Order(StringComparer.Ordinal)]);
    }

    /// <summary>SITE/ID, as "nfr fleet" calls it.</summary>
    public string Address { get; }

    /// <summary>Whose commands are obeyed, by <see cref="FleetKey.Id"/>.</summary>
    public IReadOnlyList<string> CommandKeys { get; }

    public FleetLink Link { get; }

    /// <summary>The sensor's to run and to dispose of, as any other.</summary>
    public AlertOutput Output { get; }

    /// <summary>Null without fleet.broker.</summary>
    public static FleetParts? Of(NfrConfig config, Spool spool, IReadOnlyList<string> interfaces, Func<StatusReport> report, Func<TimeSpan, bool> identify, Func<long?> unacknowledged, Func<string?> reload, ClockEpochs epochs,
        ILogger log, TimeProvider time)
    {
        FleetConfig fleet = config.Fleet;
        if (fleet.Host is not { } host) return null;
        var options = new FleetOptions
        {
            Host = host,
            Port = fleet.Port,
            UseTls = fleet.UseTls,
            Tls = fleet.Tls,
            Version = fleet.Version,
            Topics = new FleetTopics(fleet.Site, fleet.Id ?? FleetConfig.DefaultId),
            User = fleet.User,
            Password = fleet.Password,
            Keys = FleetConfig.ReadKeys(fleet, out List<string> faults),
            Heartbeat = fleet.Heartbeat,
            HomeAssistant = fleet.HomeAssistant,
            Folder = config.Data.Dir,
        };
        foreach (string fault in faults) log.Warning("fleet: fleet.command_keys: {Fault}; commands of that key are not believed", fault);
        DateTimeOffset started = time.GetUtcNow();
        var capture = new CaptureNow(config.Data.Dir, interfaces, config.Inputs.Sniffer.Filter, time);
        if (capture.Sweep() is { } left) log.Warning("fleet: {Left}", left);
        var actions = new FleetActions(PanelRequests.DefaultFolder, identify, reload, capture);
        void Tell(UplinkNotice notice) => Notices.Log(log, notice);
        var newest = new NewestAlert(spool, epochs.Corrected, "output:fleet");
        var firmware = new Firmware(new AppliancePaths(), log);
        var link = new FleetLink(options, () => FleetReport.Info(options.Topics, spool.SensorId, interfaces, started, options.Keys.Count > 0),
            beat => FleetReport.Health(report(), beat, options.Heartbeat, unacknowledged(), newest.Look(), firmware.Look()), actions.Act, time, Tell);
        var output = new AlertOutput(spool, new OutputOptions { Name = "fleet", Sink = options }, SensorParts.IdentityOf(spool.SensorId), time, Tell, link.Sink(), epochs: epochs);
        return new FleetParts(link, output, capture, options);
    }

    /// <summary>For the lights: who refuses us wants a person, who does not answer may come back by itself.</summary>
    public static PanelFleet PanelOf(FleetState state) => new(state.IsConnected ? PanelFleetPhase.Connected : state.IsRefused ? PanelFleetPhase.Refused : PanelFleetPhase.Connecting, state.Broker, state.Trouble ?? "");

    /// <summary>First what still has an answer to give, then the link that carries it.</summary>
    public void Stop()
    {
        _capture.Dispose();
        Link.Stop();
    }

    public void Dispose()
    {
        Stop();
        Link.Dispose();
    }
}
