using System.CommandLine;
using System.Text;
using Nfr.Config;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Commands;

/// <summary>"nfr explain": why an alert was raised, in words, with its score computed again from what the alert itself says.</summary>
static class ExplainCommand
{
    const int ListLength = 20;

    public static Command Build(CommandSetup setup)
    {
        var id = new Argument<string?>("alert")
        {
            HelpName = "ALERT", Description = "evidence.id of the alert, or its beginning. Default: the latest alert raised on board.", Arity = ArgumentArity.ZeroOrOne,
        };
        var file = new Option<string?>("--file", "-f") { Description = "Read alerts from a file of JSON lines instead of the spool; - is stdin.", HelpName = "FILE" };
        var list = new Option<bool>("--list", "-l") { Description = $"Show the last {ListLength} alerts with their ids." };
        var json = new Option<bool>("--json") { Description = "The alert itself as one JSON object on stdout." };
        var explain = new NfrCommand("explain", "Say why an alert was raised, and compute its score again.")
        {
            Remarks =
            [
                "A score is the sum of its features: weight x value / limit, where a feature gives no more than its weight. All of it is in the alert, so anybody can check it; exit code 1 when it does not come out equal to the bit.",
                "The spool of the config is read from beside; the sensor may be running.",
            ],
            Examples =
            [
                ("explain", "The latest alert."),
                ("explain --list", "What there is to explain."),
                ("explain 3f9a", "The alert whose id begins so."),
                ("explain --file alerts.json 3f9a12c4d5e6f708", "One that left the sensor as JSON."),
            ],
        };
        explain.Add(id);
        foreach (Option option in new Option[] { file, list, json }) explain.Add(option);
        explain.SetAction(parsed => Run(setup, parsed, parsed.GetValue(id), parsed.GetValue(file), parsed.GetValue(list), parsed.GetValue(json)));
        return explain;
    }

    static int Run(CommandSetup setup, ParseResult parsed, string? id, string? file, bool list, bool json)
    {
        if (id is not null && list) return setup.Usage("explain", "--list shows all; leave the id out");
        string where;
        IEnumerable<Alert> alerts;
        AlertArchive? archive = null;
        string? trouble = null;
        try
        {
            if (file is not null)
            {
                where = file == "-" ? "stdin" : file;
                if (Lines(setup.Terminal, file) is not { } lines) return ExitCode.Failed;
                alerts = Read(lines, where, setup.Terminal);
            }
            else
            {
                if (setup.Load(parsed, orDefaults: true) is not { } config) return ExitCode.Usage;
                where = config.Spool.Dir;
                archive = AlertArchive.Open(where, out string? why);
                if (archive is null) return setup.Terminal.Fail(ExitCode.Failed, $"{where}: {why}; name another config with -c FILE, or a file of alerts with --file FILE");
                alerts = archive.ReadAll(t => trouble = t).Select(stored => stored.Alert);
            }
            alerts = alerts.Where(alert => alert.Evidence is not null);
            int code = list ? List(setup.Terminal, alerts) : Explain(setup.Terminal, alerts, id, where, json);
            return trouble is null ? code : setup.Terminal.Fail(ExitCode.Failed, $"{where}: {trouble}");
        }
        finally
        {
            archive?.Dispose();
        }
    }

    static IEnumerable<string>? Lines(Terminal terminal, string file)
    {
        if (file == "-") return ReadLines(terminal.In);
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            terminal.Fail(ExitCode.Failed, $"{file}: {e.Message}");
            return null;
        }
    }

    static IEnumerable<string> ReadLines(TextReader reader)
    {
        while (reader.ReadLine() is { } line) yield return line;
    }

    static IEnumerable<Alert> Read(IEnumerable<string> lines, string where, Terminal terminal)
    {
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (AlertJson.TryRead(Encoding.UTF8.GetBytes(line), out Alert? alert, out string? error)) yield return alert!;
            else terminal.Error.WriteLine($"{where}:{number}: not an alert of ours ({error}); passed over");
        }
    }

    static int List(Terminal terminal, IEnumerable<Alert> alerts)
    {
        Alert[] last = [.. alerts.TakeLast(ListLength)];
        if (last.Length == 0)
        {
            terminal.Out.WriteLine("No alerts have been raised on board.");
            return ExitCode.Good;
        }
        terminal.Out.WriteLine($"{"id",-16}  {"time (UTC)",-19}  sev  {"score",-6}  {"threat",-28}  about");
        foreach (Alert alert in last)
        {
            terminal.Out.WriteLine(Printable.Of(
                $"{alert.Evidence!.Id,-16}  {Explanation.Time(alert.Event.Ts),-19}  {alert.Severity,3}  {Explanation.Number(alert.Evidence.Score),-6}  {alert.Threats[0].Id,-28}  {alert.Evidence.Key}"));
        }
        return ExitCode.Good;
    }

    static int Explain(Terminal terminal, IEnumerable<Alert> alerts, string? id, string where, bool json)
    {
        Alert? found = null;
        int others = 0;
        foreach (Alert alert in alerts)
        {
            if (id is not null && !alert.Evidence!.Id.StartsWith(id, StringComparison.OrdinalIgnoreCase)) continue;
            if (id is not null && found is not null && found.Evidence!.Id != alert.Evidence!.Id) others++;
            found = alert;
        }
        if (found is null)
        {
            return terminal.Fail(ExitCode.Failed, id is null
                ? $"{where}: no alert was raised on board; alerts of an engine carry no evidence of ours"
                : $"{where}: no alert's id begins with {Printable.Of(id)}; nfr explain --list shows the last ones");
        }
        if (others > 0) return terminal.Fail(ExitCode.Failed, $"{where}: {others + 1} alerts' ids begin with {Printable.Of(id!)}; give more of it");
        if (json)
        {
            terminal.Out.WriteLine(Encoding.UTF8.GetString(AlertJson.ToBytes(found)));
            return Explanation.IsExact(found.Evidence!) ? ExitCode.Good : ExitCode.Failed;
        }
        Explanation.Write(found, terminal.Out);
        return Explanation.IsExact(found.Evidence!)
            ? ExitCode.Good
            : terminal.Fail(ExitCode.Failed, "the score does not follow from the features: the alert was changed after it was raised, or comes from another version");
    }
}
