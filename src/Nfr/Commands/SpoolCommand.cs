using System.CommandLine;
using System.Text;
using System.Text.Json;
using Nfr.Config;
using Nfr.Storage;

namespace Nfr.Commands;

/// <summary>"nfr spool status|peek|export|requeue": what waits on disk.</summary>
static class SpoolCommand
{
    public static Command Build(CommandSetup setup) =>
        new NfrCommand("spool", "Look into the spool: what waits on disk, for whom, and what was put aside.")
        {
            Status(setup), Peek(setup), SpoolExportCommand.Build(setup), SpoolRequeueCommand.Build(setup),
        };

    static NfrCommand Status(CommandSetup setup)
    {
        var json = new Option<bool>("--json") { Description = "Everything as one JSON object on stdout." };
        var status = new NfrCommand("status", "Show what lies in the spool, each consumer's progress, what was put aside, and how long ring and card last.")
        {
            Remarks =
            [
                "The spool of the config is read from beside; the sensor may be running.",
                "How long they last goes by what the sensor noted of its last day, every ten minutes; a card is taken to bear being written over 150 times.",
            ],
            Examples = [("spool status", "One screen."), ("spool status --json | jq .quarantined", "What was put aside and why.")],
        };
        status.Add(json);
        status.SetAction(parsed => With(setup, parsed, (config, archive) =>
        {
            if (archive.ReadFacts(out string? why) is not { } facts) return setup.Terminal.Fail(ExitCode.Failed, $"{config.Spool.Dir}: {why}");
            if (parsed.GetValue(json)) setup.Terminal.Out.WriteLine(SpoolScreen.Json(facts, config.Spool));
            else ScreenLine.Write(SpoolScreen.Lines(facts, config.Spool, DateTimeOffset.UtcNow), setup.Terminal);
            return ExitCode.Good;
        }));
        return status;
    }

    static NfrCommand Peek(CommandSetup setup)
    {
        Option<string[]> type = TypeOption();
        var count = new Option<int>("--count", "-n") { Description = "So many at most. Default: 10", HelpName = "N", DefaultValueFactory = _ => 10 };
        var consumer = new Option<string?>("--consumer") { Description = "Whose next events. Default: the engine's", HelpName = "NAME" };
        var peek = new NfrCommand("peek", "Print the events that are sent next, as JSON lines. They stay where they are.")
        {
            Remarks = ["A line is {type, sequence, scored, spooled, event}; event is what the engine gets."],
            Examples = [("spool peek", "The next ten."), ("spool peek --type dns -n 100 | jq -r .event.query", "Names of the next hundred.")],
        };
        peek.Add(type);
        peek.Add(count);
        peek.Add(consumer);
        peek.SetAction(parsed =>
        {
            string[] types = parsed.GetValue(type) ?? [];
            if (Unknown(types) is { } unknown) return setup.Usage("spool peek", unknown);
            if (parsed.GetValue(count) is var most && most < 1) return setup.Usage("spool peek", "--count takes a number of at least 1");
            return With(setup, parsed, (config, archive) =>
            {
                if (archive.ReadFacts(out string? why) is not { } facts) return setup.Terminal.Fail(ExitCode.Failed, $"{config.Spool.Dir}: {why}");
                string[] names = [.. facts.Consumers.Select(c => c.Name).Distinct()];
                string? who = parsed.GetValue(consumer) ?? (names.Contains("engine") ? "engine" : names.FirstOrDefault());
                if (who is not null && !names.Contains(who))
                    return setup.Terminal.Fail(ExitCode.Failed, $"nobody named {Printable.Of(who)} takes events from {config.Spool.Dir}; {(names.Length == 0 ? "nobody does" : "there are: " + string.Join(", ", names))}");
                string? trouble = null;
                var filter = new SpoolFilter { Types = types, Consumer = types.Contains(SpoolFilter.AlertType) ? null : who };
                foreach (SpooledEvent found in archive.ReadEvents(filter, t => trouble = t).Take(most)) setup.Terminal.Out.WriteLine(Encoding.UTF8.GetString(Line(found)));
                return trouble is null ? ExitCode.Good : setup.Terminal.Fail(ExitCode.Failed, $"{config.Spool.Dir}: {trouble}");
            });
        });
        return peek;
    }

    internal static Option<string[]> TypeOption() => new("--type", "-t")
    {
        Description = "dns, ip, http, tls or alert; may be repeated. Default: all", HelpName = "TYPE", Arity = ArgumentArity.OneOrMore,
    };

    internal static string? Unknown(string[] types) =>
        types.FirstOrDefault(t => t is not ("dns" or "ip" or "http" or "tls" or SpoolFilter.AlertType)) is { } other ? $"--type takes dns, ip, http, tls or alert; not \"{other}\"" : null;

    /// <summary>Opens the spool that the config names, from beside.</summary>
    internal static int With(CommandSetup setup, ParseResult parsed, Func<NfrConfig, SpoolArchive, int> work)
    {
        if (setup.Load(parsed, orDefaults: true) is not { } config) return ExitCode.Usage;
        using SpoolArchive? archive = SpoolArchive.Open(config.Spool.Dir, out string? why);
        return archive is null
            ? setup.Terminal.Fail(ExitCode.Failed, $"{config.Spool.Dir}: {why}; name another config with -c FILE, or run it as the sensor's user or root")
            : work(config, archive);
    }

    /// <summary>One event as a line of its own.</summary>
    internal static byte[] Line(SpooledEvent found)
    {
        using var line = new MemoryStream(found.Json.Length + 128);
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("type", found.Type);
            json.WriteNumber("sequence", found.Sequence);
            if (found.Type != SpoolFilter.AlertType) json.WriteBoolean("scored", found.Scored);
            json.WriteString("spooled", found.Spooled);
            json.WritePropertyName("event");
            json.WriteRawValue(found.Json.Span, skipInputValidation: true);
            json.WriteEndObject();
        }
        return line.ToArray();
    }
}
