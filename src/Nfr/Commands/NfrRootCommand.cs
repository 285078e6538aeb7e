using System.CommandLine;
using System.CommandLine.Help;
using Nfr.Config;

namespace Nfr.Commands;

/// <summary>"nfr" and all its commands. A new command is one line in the constructor.</summary>
sealed class NfrRootCommand : RootCommand
{
    public Option<string?> ConfigOption { get; } = new("--config", "-c")
    {
        Description = $"Config file. Default: {ConfigFile.DefaultPath}",
        HelpName = "FILE",
        Recursive = true,
    };

    public IReadOnlyList<(string Line, string What)> Examples { get; } =
    [
        ("config check", "Tell what the sensor would do, or every mistake in the config."),
        ("start", "Watch the network until Ctrl-C."),
        ("read --print alerts office.pcap", "Score a capture file and print the alerts."),
    ];

    public NfrRootCommand(Terminal terminal, Wiring wiring)
        : base("Network Flight Recorder (NFR) listens to a network, makes events of its traffic, scores them and raises alerts.")
    {
        var setup = new CommandSetup(terminal, wiring, ConfigOption);
        // The library's own help option also answers to /h, which is a file here.
        Options.Clear();
        Add(ConfigOption);
        Add(new HelpOption("--help", "-h") { Action = new HelpText(), Description = "Show help", Recursive = true });
        Add(new VersionOption("--version") { Action = new VersionText(), Description = "Show the version" });

        Add(AccountCommand.Build(setup));
        Add(ConfigCommand.Build(setup));
        Add(EngineCommand.Build(setup));
        Add(FleetCommands.Build(setup));
        Add(ReadCommand.Build(setup));
        Add(StartCommand.Build(setup));
        Add(StatusCommand.Build(setup));
        Add(PanelCommand.Build(setup));
        Add(SpoolCommand.Build(setup));
        Add(UpdateCommand.Build(setup));
        Add(ExplainCommand.Build(setup));
        Add(Demo.DemoCommand.CreateCommand(Pipeline.DemoLink.Sensor, ConfigOption));
        Add(Simulate.SimulateCommand.CreateCommand());
        Add(VersionText.Build());
        Add(Completion.CompletionCommand.Build(setup, this));
        Add(HelpCommand.Build(setup, this));

        SetAction(parsed =>
        {
            HelpText.Write(this, parsed.InvocationConfiguration.Output);
            return ExitCode.Good;
        });
    }
}
