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
        if (Load(setup, parsed, out IReadOnlyList<ScopeGroupSection> scope) is not { } config) return ExitCode.Usage;
        if (ConfigFile.PrepareFolders(config) is { } reason) return setup.Terminal.Fail(ExitCode.Failed, reason);
        int code = Run(setup, parsed, config, scope);
        return code == StartOptions.Again ? setup.Terminal.Fail(ExitCode.Failed, "it cannot begin anew by itself: " + Anew()) : code;
    }

    static NfrConfig? Load(CommandSetup setup, ParseResult parsed, out IReadOnlyList<ScopeGroupSection> scope)
    {
        scope = [];
        if (setup.Load(parsed, orDefaults: false) is not { } config || setup.LoadScope(config) is not { } groups) return null;
        scope = groups;
        List<ConfigFault> faults = [.. config.StartFaults, .. ConfigFile.CheckFiles(config, out _)];
        setup.Tell(faults);
        return faults.Count == 0 ? config : null;
    }

    static int Run(CommandSetup setup, ParseResult parsed, NfrConfig config, IReadOnlyList<ScopeGroupSection> scope)
    {
        using Logger log = Log.Open(config.Log);
        foreach (ConfigFault note in config.Notes) log.Warning("{Note}", note.ToString());
        using var stop = new StopSignals();
        return setup.Wiring.Start(new RunContext(config, scope, setup.Terminal, log), new StartOptions { IsConfigGood = () => Load(setup, parsed, out _) is not null }, stop.Token);
    }

    /// <summary>
    /// The same program with the same words in this same process, so that systemd sees one service and no memory of the old run stays. Returns only when that
    /// fails, with the reason.
    /// </summary>
    static string Anew()
    {
        string program = Environment.ProcessPath ?? "";
        // The first word is the program's own: its path, or of "dotnet nfr.dll" the assembly, which is a word for dotnet.
        IEnumerable<string> words = Environment.GetCommandLineArgs();
        return Native.ProcessImage.Replace(program, [.. Path.GetFileName(program) == "dotnet" ? words : words.Skip(1)]);
    }
}
