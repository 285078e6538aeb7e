using System.CommandLine;
using Nfr.Config;
using Nfr.Logging;
using Serilog.Core;

namespace Nfr.Commands;

/// <summary>"nfr start": the sensor.</summary>
static class StartCommand
{
    public static Command Build(CommandSetup setup)
    {
        var start = new NfrCommand("start", "Start processing network events; the config names the inputs.")
        {
            Remarks =
            [
                "Runs until SIGINT (Ctrl-C) or SIGTERM, then finishes what it has in hand, which takes at most a few seconds; a second signal stops it at once. "
                + "Capture needs the capability CAP_NET_RAW, or root; logs alone (inputs.sniffer.enabled: false) need no more than the right to read them.",
            ],
            Examples =
            [
                ("start", $"With {ConfigFile.DefaultPath}."),
                ("start -c config.yml 2> alerts.json", "With another config, alerts (on stderr by default) into a file."),
            ],
        };
        start.SetAction(parsed => Run(setup, parsed));
        return start;
    }

    static int Run(CommandSetup setup, ParseResult parsed)
    {
        if (setup.Load(parsed, orDefaults: false) is not { } config || setup.LoadScope(config) is not { } scope) return ExitCode.Usage;
        List<ConfigFault> faults = [.. config.StartFaults, .. ConfigFile.CheckFiles(config, out _)];
        if (faults.Count > 0)
        {
            setup.Tell(faults);
            return ExitCode.Usage;
        }
        if (ConfigFile.PrepareFolders(config) is { } reason) return setup.Terminal.Fail(ExitCode.Failed, reason);
        using Logger log = Log.Open(config.Log);
        foreach (ConfigFault note in config.Notes) log.Warning("{Note}", note.ToString());
        using var stop = new StopSignals();
        return setup.Wiring.Start(new RunContext(config, scope, setup.Terminal, log), new StartOptions(), stop.Token);
    }
}
