using System.CommandLine;
using System.CommandLine.Parsing;
using Nfr.Config;
using Nfr.Logging;
using Serilog.Core;

namespace Nfr.Commands;

/// <summary>"nfr read": events from files.</summary>
static class ReadCommand
{
    static readonly string[] Formats = ["pcap", "bro", "msdns", "suricata", "syslog-named", "edge"];
    static readonly string[] Types = ["all", "dns", "ip", "http", "tls"];
    static readonly string[] Prints = ["events", "alerts"];

    public static Command Build(CommandSetup setup)
    {
        var format = new Option<string>("--format", "-f")
        {
            Description = $"What the files hold: {string.Join(", ", Formats)}. Default: pcap, which is pcapng too.", HelpName = "FORMAT", DefaultValueFactory = _ => "pcap",
        };
        var type = new Option<string>("--type")
        {
            Description = $"Which events are made: {string.Join(", ", Types)}. Default: all.", HelpName = "TYPE", DefaultValueFactory = _ => "all",
        };
        var print = new Option<string?>("--print")
        {
            Description = "Print events or alerts to stdout, one JSON object a line, instead of sending.", HelpName = "WHAT",
        };
        var stats = new Option<bool>("--stats") { Description = "Show the ledger at the end: packets, faults, events, speed, bytes allocated per packet (counted behind the first 8 MiB of each file)." };
        var json = new Option<bool>("--json") { Description = "With --stats: the ledger as one JSON object on stdout." };
        var files = new Argument<string[]>("file") { HelpName = "FILE", Description = "Files to read, in this order.", Arity = ArgumentArity.OneOrMore };
        format.CompletionSources.Add(Formats);
        type.CompletionSources.Add(Types);
        print.CompletionSources.Add(Prints);

        var command = new NfrCommand("read", "Read network events from capture files.")
        {
            Remarks = ["Events go the same way as those of the live sensor: scope, scoring, and the engine if the config names one. Without a config the defaults apply."],
            Examples =
            [
                ("read office.pcap", "Score a capture file by the config."),
                ("read --print events office.pcapng | jq .", "See what events it holds; nothing is sent."),
                ("read --stats --json big.pcap", "How fast, and what could not be decoded."),
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
        if (!Types.Contains(options.Type)) return $"--type takes {string.Join(", ", Types)}; not \"{options.Type}\"";
        if (what is not null && options.Print == PrintMode.None) return $"--print takes events or alerts; not \"{what}\"";
        if (options.Json && !options.Stats) return "--json needs --stats";
        if (options.Json && options.Print != PrintMode.None) return "--json and --print would both write to stdout; choose one";
        if (options.Format != "pcap") return $"--format {options.Format} arrives with log inputs; this build reads pcap";
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
