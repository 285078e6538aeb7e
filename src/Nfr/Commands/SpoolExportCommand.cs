using System.CommandLine;
using System.Globalization;
using System.IO.Compression;
using Nfr.Storage;
using Spectre.Console;

namespace Nfr.Commands;

/// <summary>"nfr spool export": what lies in the spool, to a file or stdout, while the sensor runs.</summary>
static class SpoolExportCommand
{
    public static Command Build(CommandSetup setup)
    {
        Option<string[]> type = SpoolCommand.TypeOption();
        var scored = new Option<bool>("--scored") { Description = "Only events with a finding, and alerts." };
        var from = new Option<string?>("--from") { Description = "Spooled at this time or later, such as 2026-11-21T09:00Z or 36h (so long ago).", HelpName = "TIME" };
        var to = new Option<string?>("--to") { Description = "Spooled before this time.", HelpName = "TIME" };
        var output = new Option<string?>("--output", "-o") { Description = "A new file; compressed when its name ends in .gz. Default: stdout", HelpName = "FILE" };
        var export = new NfrCommand("export", "Write what lies in the spool as JSON lines. It stays where it is.")
        {
            Remarks =
            [
                "The spool of the config is read from beside, a few rows at a time; the sensor may be running and is not held up. What is delivered or evicted meanwhile may be missing.",
                "A line is {type, sequence, scored, spooled, event}: first dns, ip, http and tls by number, then alerts. TIME goes by when it was spooled, by the sensor's clock.",
            ],
            Examples =
            [
                ("spool export -o spool.jsonl.gz", "All of it."),
                ("spool export --type dns --type tls --scored --from 24h", "The last day's names and handshakes with a finding."),
            ],
        };
        export.Add(type);
        foreach (Option option in new Option[] { scored, from, to, output }) export.Add(option);
        export.SetAction(parsed =>
        {
            string[] types = parsed.GetValue(type) ?? [];
            if (SpoolCommand.Unknown(types) is { } unknown) return setup.Usage("spool export", unknown);
            DateTimeOffset now = DateTimeOffset.UtcNow;
            if (!TryTime(parsed.GetValue(from), now, out DateTimeOffset? begin)) return setup.Usage("spool export", $"--from takes a time such as 2026-11-21T09:00Z, or so long ago as 36h; not \"{parsed.GetValue(from)}\"");
            if (!TryTime(parsed.GetValue(to), now, out DateTimeOffset? end)) return setup.Usage("spool export", $"--to takes a time such as 2026-11-21T09:00Z, or so long ago as 36h; not \"{parsed.GetValue(to)}\"");
            var filter = new SpoolFilter { Types = types, ScoredOnly = parsed.GetValue(scored), From = begin, To = end };
            return SpoolCommand.With(setup, parsed, (config, archive) => Export(setup.Terminal, archive, filter, parsed.GetValue(output), config.Spool.Dir));
        });
        return export;
    }

    static bool TryTime(string? text, DateTimeOffset now, out DateTimeOffset? time)
    {
        time = null;
        if (text is null) return true;
        if (Config.GoDuration.TryParse(text, out TimeSpan ago) && ago >= TimeSpan.Zero && ago < TimeSpan.FromDays(36500)) time = now - ago;
        else if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at)) time = at;
        return time is not null;
    }

    static int Export(Terminal terminal, SpoolArchive archive, SpoolFilter filter, string? path, string folder)
    {
        if (archive.ReadFacts(out string? why) is not { } facts) return terminal.Fail(ExitCode.Failed, $"{folder}: {why}");
        Stream file;
        try
        {
            file = path is null or "-" ? Console.OpenStandardOutput() : new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return terminal.Fail(ExitCode.Failed, $"{path} cannot be made: {e.Message}");
        }
        long total = facts.Shares.Where(share => filter.Types.Count == 0 || filter.Types.Contains(share.Type)).Sum(share => share.Events);
        long passed = 0, written = 0;
        string? trouble = null;
        void Work(Action<long>? progress)
        {
            using Stream output = path?.EndsWith(".gz", StringComparison.Ordinal) == true ? new GZipStream(file, CompressionLevel.Optimal) : new BufferedStream(file, 1 << 16);
            foreach (SpooledEvent found in archive.ReadEvents(filter, t => trouble = t, count => progress?.Invoke(passed += count)))
            {
                output.Write(SpoolCommand.Line(found));
                output.WriteByte((byte)'\n');
                written++;
            }
        }
        if (path is not (null or "-") && total > 0 && Pipeline.ReadProgress.IsWatched(terminal)) Watched(Work, total);
        else Work(null);
        if (path is not (null or "-")) terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{written:N0} events and alerts written to {path}"));
        return trouble is null ? ExitCode.Good : terminal.Fail(ExitCode.Failed, $"{folder}: {trouble}");
    }

    static void Watched(Action<Action<long>?> work, long total)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("exporting", maxValue: total);
                work(passed => task.Value = Math.Min(passed, total));
            });
    }
}
