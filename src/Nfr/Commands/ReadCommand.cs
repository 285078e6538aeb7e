using System.CommandLine;
using System.CommandLine.Parsing;
using Nfr.Config;
using Nfr.Logging;
using Nfr.Logs;
using Serilog.Core;

namespace Nfr.Commands;

/// <summary>"nfr read": events from files.</summary>
static class ReadCommand
{
    static readonly string[] Formats = [ReadOptions.Pcap, .. LogFormats.Words];
    static readonly string[] Prints = ["events", "alerts"];

    public static Command Build(CommandSetup setup)
    {
        var format = new Option<string>("--format", "-f")
        {
            Description = $"What the files hold: {string.Join(", ", Formats)}. Default: pcap, which is pcapng too; auto looks at the first bytes.", HelpName = "FORMAT", DefaultValueFactory = _ => "pcap",
        };
        var type = new Option<string>("--type")
        {
            Description = $"Which events are made: {string.Join(", ", LogWords.Types)}. Default: all.", HelpName = "TYPE", DefaultValueFactory = _ => "all",
        };
        var print = new Option<string?>("--print")
        {
            Description = "Print events or alerts to stdout, one JSON object a line, instead of sending.", HelpName = "WHAT",
        };
        var stats = new Option<bool>("--stats") { Description = "Show the ledger at the end: packets, faults, events, speed, bytes allocated per packet (counted behind the first 8 MiB of each file)." };
        var json = new Option<bool>("--json") { Description = "With --stats: the ledger as one JSON object on stdout." };
        var files = new Argument<string[]>("file") { HelpName = "FILE", Description = "Files to read, in this order, also gzip'd ones; - is standard input.", Arity = ArgumentArity.OneOrMore };
        format.CompletionSources.Add(Formats);
        type.CompletionSources.Add(LogWords.Types);
        print.CompletionSources.Add(Prints);

        var command = new NfrCommand("read", "Read network events from capture files and from logs of others.")
        {
            Remarks = ["Events go the same way as those of the live sensor: scope, scoring, and the engine if the config names one. Without a config the defaults apply.",
                "Lines that cannot be read are counted by reason and left out; the first of each reason is told with its file and line. Exit code 0 when the files were read to their end, 1 when one was not, or when no line of them could be read."],
            Examples =
            [
                ("read office.pcap", "Score a capture file by the config."),
                ("read --print events office.pcapng | jq .", "See what events it holds; nothing is sent."),
                ("read --stats --json big.pcap", "How fast, and what could not be decoded."),
                ("read --format zeek /opt/zeek/logs/2026-11-2?/*.log.gz", "Score a week of Zeek's logs."),
                ("read -f auto --type dns --print alerts eve.json query.log", "Alerts of what others logged, told by the first lines."),
                ("journalctl -u unbound | nfr read -f unbound --print events -", "From a pipe."),
            ],
        };
        command.Add(files);
        foreach (Option option in new Option[] { format, type, print, stats, json }) command.Add(option);
        command.SetAction(parsed =>
        {
            if (Check(parsed, files, format, type, print, stats, json, out ReadOptions? options) is { } complaint) return setup.Usage("read", complaint);
            return Run(setup, parsed, options!);
        });
        return command;
    }

    static string? Check(
        ParseResult parsed, Argument<string[]> files, Option<string> format, Option<string> type, Option<string?> print, Option<bool> stats, Option<bool> json,
        out ReadOptions? options)
    {
        options = null;
        // The library takes an unknown option for a file.
        bool literal = parsed.Tokens.Any(t => t.Type == TokenType.DoubleDash);
        foreach (Token token in parsed.GetResult(files)?.Tokens ?? [])
        {
            if (!literal && token.Value.Length > 1 && token.Value[0] == '-') return CommandLine.UnknownOption(token.Value, parsed.CommandResult.Command, "read");
        }
        string? what = parsed.GetValue(print);
        options = new ReadOptions
        {
            Files = parsed.GetValue(files) ?? [],
            Format = parsed.GetValue(format)!,
            Type = parsed.GetValue(type)!,
            Print = what switch { "events" => PrintMode.Events, "alerts" => PrintMode.Alerts, _ => PrintMode.None },
            Stats = parsed.GetValue(stats),
            Json = parsed.GetValue(json),
        };
        if (!Formats.Contains(options.Format)) return $"--format takes {string.Join(", ", Formats)}; not \"{options.Format}\"";
        if (!LogWords.Types.Contains(options.Type)) return $"--type takes {string.Join(", ", LogWords.Types)}; not \"{options.Type}\"";
        if (what is not null && options.Print == PrintMode.None) return $"--print takes events or alerts; not \"{what}\"";
        if (options.Json && !options.Stats) return "--json needs --stats";
        if (options.Json && options.Print != PrintMode.None) return "--json and --print would both write to stdout; choose one";
        if (LogWords.Clash(options.Format, options.Type) is { } clash) return clash;
        return null;
    }

    static int Run(CommandSetup setup, ParseResult parsed, ReadOptions options)
    {
        if (setup.Load(parsed, orDefaults: true) is not { } config || setup.LoadScope(config) is not { } scope) return ExitCode.Usage;
        // stdout may carry events; so what is to be said about the run goes to stderr, whatever log.file says.
        using Logger log = Log.ToStderr(config.Log.Level == LogLevel.Debug ? LogLevel.Debug : LogLevel.Warn);
        using var stop = new StopSignals();
        return setup.Wiring.Read(new RunContext(config, scope, setup.Terminal, log), options, stop.Token);
    }
}
