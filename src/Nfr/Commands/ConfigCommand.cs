using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Nfr.Capture;
using Nfr.Config;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Pipeline;
using Nfr.Uplink;

namespace Nfr.Commands;

/// <summary>"nfr config check".</summary>
static class ConfigCommand
{
    public static Command Build(CommandSetup setup)
    {
        var check = new NfrCommand("check", "Check the config and say what the sensor would do.")
        {
            Remarks = ["Tells every mistake in the config and its scope file as file:line: message and exits 2, or exits 0. Changes nothing."],
            Examples =
            [
                ("config check", $"Check {ConfigFile.DefaultPath}."),
                ("config check -c config.yml", "Check another file before it is used."),
            ],
        };
        check.SetAction(parsed => Run(setup, parsed));
        return new NfrCommand("config", "Look after the config file.") { check };
    }

    static int Run(CommandSetup setup, ParseResult parsed)
    {
        if (setup.Load(parsed, orDefaults: false) is not { } config)
            return ExitCode.Usage;
        var scope = setup.LoadScope(config);
        List<ConfigFault> faults = [.. config.StartFaults, .. ConfigFile.CheckFiles(config, out IReadOnlyList<ConfigFault> notes, ClockFloor.IsUnset(DateTimeOffset.UtcNow) ? null : DateTimeOffset.UtcNow)];
        // A missing scope file has said so already.
        faults.RemoveAll(f => scope is null && f.Message.StartsWith("scope.file:", StringComparison.Ordinal));
        setup.Tell(faults);
        if (faults.Count > 0 || scope is null) return ExitCode.Usage;

        TextWriter output = setup.Terminal.Out;
        output.WriteLine($"{config.File}: ok");
        if (config.Scope.File is not null) output.WriteLine($"{config.Scope.File}: ok");
        output.WriteLine();
        foreach ((string name, string value) in Describe(config, scope, CaptureInterfaces.List())) output.WriteLine($"  {name,-9} {value}");
        List<string> remarks =
        [
            .. config.Notes.Concat(notes).OrderBy(n => n.Line).Select(n => n.ToString()), .. Unresolved(SensorParts.OutputsOf(config.Outputs)),
            .. NoSuchGroup(SensorParts.OutputsOf(config.Outputs), scope),
        ];
        if (remarks.Count > 0) output.WriteLine();
        foreach (string remark in remarks) output.WriteLine("note: " + remark);
        return ExitCode.Good;
    }

    /// <summary>What the sensor would do, in a few rows.</summary>
    internal static IReadOnlyList<(string Name, string Value)> Describe(
        NfrConfig config, IReadOnlyList<ScopeGroupSection> scope, IReadOnlyList<CaptureInterface> interfaces)
    {
        List<(string, string)> rows = [];
        IReadOnlyList<OutputOptions> outputs = SensorParts.OutputsOf(config.Outputs);
        if (config.Engine.IsEmbedded && config.MoreEngines.Count == 0) rows.Add(("engine", Embedded(config, outputs)));
        foreach (EngineConfig engine in config.Uplinks) rows.Add(("engine", Engine(engine)));
        rows.Add(("events", string.Join(", ", new[]
        {
            config.Engine.Analyze.Dns ? "dns" : "", config.Engine.Analyze.Ip ? "ip" : "", config.Engine.Analyze.Http ? "http" : "", config.Engine.Analyze.Tls ? "tls" : "",
        }.Where(t => t.Length > 0).DefaultIfEmpty("none"))));
        rows.Add(("sniffer", Sniffer(config.Inputs.Sniffer, interfaces)));
        foreach (MonitorConfig monitor in config.Inputs.Monitor) rows.Add(("monitor", $"{monitor.Path} ({monitor.Format}, {(monitor.Type == "all" ? "all types" : monitor.Type)}{(monitor.FromEnd ? ", from the end" : "")}): {FollowedLog.Look(monitor.Path)}"));
        foreach (SyslogInputConfig listener in config.Inputs.Syslog)
            rows.Add(("syslog", $"{listener.Listen} {listener.Protocols} ({listener.Format}, {(listener.Type == "all" ? "all types" : listener.Type)}) from {(listener.From.Count == 0 ? "private networks" : string.Join(", ", listener.From))}"));
        if (config.Inputs.Elastic.Enabled)
            rows.Add(("elastic", $"{config.Inputs.Elastic.CloudId ?? string.Join(", ", config.Inputs.Elastic.Hosts)}: {string.Join(", ", config.Inputs.Elastic.Searches.Select(s => s.EventType))}"));
        rows.Add(("scope", $"{(config.Scope.File is null ? "built in: " : "")}{string.Join(", ", scope.Select(g => g.Name).DefaultIfEmpty("no groups: everything"))}"));
        rows.Add(("scoring", !config.Scoring.Enabled ? "off" : config.Scoring.FeedFolders.Count == 0 ? "on board" : $"on board, lists in {string.Join(", ", config.Scoring.FeedFolders)}"));
        if (config.Scoring.Enabled)
        {
            foreach (FeedConfig feed in config.Scoring.FeedUrls)
                rows.Add(("feed", $"{feed.Name} every {GoDuration.Format(feed.Interval)} from {FeedAddress.Shown(feed.Url)}{(feed.Trusted ? ", trusted" : feed.Threat is { } threat ? $", {threat.Id}" : "")}"));
        }
        if (config.Outputs.ShipsEvents)
            rows.Add(("shipped", $"{string.Join(", ", config.Outputs.Elastic.Events.Select(EventTypes.Name))} events to {ElasticSinkOptions.Shown(config.Outputs.Elastic.Cluster!)}, index {config.Outputs.Elastic.EventsIndex}"));
        if (outputs.Count == 0) rows.Add(("outputs", "none"));
        foreach (OutputOptions output in outputs) rows.Add(("output", $"{output.Name}: {output.Sink.Where}{(TargetConfig.HasFormat(output) ? $" ({TargetConfig.WordOf(output.Format)})" : "")}{Filter(output.Filter)}"));
        rows.Add(("spool", $"{config.Spool.Dir}, at most {ByteSize.Format(config.Spool.MaxSize)}"));
        rows.Add(("metrics", config.Metrics.Listen is { } listen ? $"http://{listen}/metrics" : "off"));
        rows.Add(("log", $"{config.Log.File}, {config.Log.Level.ToString().ToLowerInvariant()}"));
        return rows;
    }

    /// <summary>What leaves the machine without an engine.</summary>
    static string Embedded(NfrConfig config, IReadOnlyList<OutputOptions> outputs) =>
        config.Outputs.ShipsEvents ? "embedded: events are scored on board"
        : outputs.All(o => o.Sink is FileSinkOptions or StreamSinkOptions) ? "embedded: nothing leaves this machine"
        : "embedded: events stay on this machine";

    /// <summary>A name that the scope file does not have is most often a slip, and such an output would be silent for ever.</summary>
    static IEnumerable<string> NoSuchGroup(IReadOnlyList<OutputOptions> outputs, IReadOnlyList<ScopeGroupSection> scope) =>
        from output in outputs
        from name in output.Filter.Groups
        where !scope.Any(g => g.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        select $"output {output.Name}: filter.groups: the scope has no group {name}; it has {string.Join(", ", scope.Select(g => g.Name).DefaultIfEmpty("none"))}";

    /// <summary>Names that nobody resolves now; the sensor asks again whenever it connects, so this hinders nothing.</summary>
    static List<string> Unresolved(IReadOnlyList<OutputOptions> outputs)
    {
        List<string> notes = [];
        foreach (OutputOptions output in outputs)
        {
            if (output.Sink.ServerHost is not { } host || Uri.CheckHostName(host) != UriHostNameType.Dns) continue;
            try
            {
                if (Dns.GetHostAddressesAsync(host).Wait(TimeSpan.FromSeconds(5))) continue;
            }
            catch (AggregateException e) when (e.InnerException is SocketException)
            {
                // As below.
            }
            notes.Add($"output {output.Name}: the name {host} cannot be resolved here and now; its alerts wait in the spool until it can");
        }
        return notes;
    }

    static string Filter(AlertFilter filter)
    {
        List<string> conditions = [];
        if (filter.Severity > 1) conditions.Add($"severity {filter.Severity} and above");
        if (filter.Groups.Count > 0) conditions.Add($"groups {string.Join(", ", filter.Groups)}");
        if (filter.Threats.Count > 0) conditions.Add($"threats {string.Join(", ", filter.Threats)}");
        return conditions.Count == 0 ? "" : $", only {string.Join(", ", conditions)}";
    }

    static string Engine(EngineConfig engine) =>
        $"{(engine.Name == EngineConfig.Main ? "" : engine.Name + ": ")}{engine.Host}{(engine.Proxy.Address is { } proxy ? $" through {proxy.IdnHost}:{proxy.Port}" : "")}"
        + $"{(engine.Upload.Window.IsAlways ? "" : $", at {string.Join(", ", engine.Upload.Window.Texts)}")}{(engine.Upload.Bandwidth is { } bytes ? $", at most {ByteSize.Format(bytes)}/s" : "")}"
        + $", alerts every {GoDuration.Format(engine.AlertPollInterval)}";

    static string Sniffer(SnifferConfig sniffer, IReadOnlyList<CaptureInterface> interfaces)
    {
        if (!sniffer.Enabled) return "off";
        string names = sniffer.Interfaces.Count == 0
            ? CaptureInterfaces.Choose(interfaces, [], out IReadOnlyList<string> chosen, out _) ? $"{chosen[0]} (chosen: interface is empty)" : "no interface is up on this machine"
            : string.Join(", ", sniffer.Interfaces.Select(name =>
                interfaces.FirstOrDefault(i => i.Name == name) is not { } facts ? $"{name} (not on this machine)" : facts.IsUp ? name : $"{name} (down)"));
        string workers = sniffer.Workers == 1 ? "1 worker" : $"{sniffer.Workers} workers";
        return $"{names}; {workers}, ring {ByteSize.Format(sniffer.RingSize)}{(sniffer.Filter is { } filter ? $", filter \"{filter}\"" : "")}";
    }
}
