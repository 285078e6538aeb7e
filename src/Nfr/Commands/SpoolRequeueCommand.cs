using System.CommandLine;
using System.Globalization;
using Nfr.Pipeline;
using Nfr.Storage;

namespace Nfr.Commands;

/// <summary>"nfr spool requeue": what was put aside is sent again, once what stood in its way is gone.</summary>
static class SpoolRequeueCommand
{
    public static Command Build(CommandSetup setup)
    {
        var ids = new Argument<long[]>("id") { HelpName = "ID", Description = "Which rows, by their number in nfr spool status.", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "Everything that was put aside and can be read." };
        var requeue = new NfrCommand("requeue", "Put events that an engine refused back into the spool, to be sent again.")
        {
            Remarks =
            [
                "The sensor must not run: whoever has the spool open gives out its sequence numbers. Events come back with new numbers, for the one that refused them alone.",
                "Exit code 1 when something stays aside; it says what and why.",
            ],
            Examples = [("spool requeue 4 7", "Two rows."), ("spool requeue --all", "All of it, say after the engine was mended.")],
        };
        requeue.Add(ids);
        requeue.Add(all);
        requeue.SetAction(parsed =>
        {
            long[] which = parsed.GetValue(ids) ?? [];
            if (which.Length > 0 == parsed.GetValue(all)) return setup.Usage("spool requeue", which.Length > 0 ? "--all takes no ID beside it" : "which rows: name them by ID, or all with --all");
            if (setup.Load(parsed, orDefaults: true) is not { } config) return ExitCode.Usage;
            if (!File.Exists(Path.Combine(config.Spool.Dir, "spool.db"))) return setup.Terminal.Fail(ExitCode.Failed, $"{config.Spool.Dir}: there is no spool; name another config with -c FILE");
            try
            {
                using Spool spool = Spool.Open(SensorParts.SpoolOf(config.Spool) with { KeepConsumers = true }, TimeProvider.System);
                if (SpooledFields.Renumber(spool) is { } fault) return setup.Terminal.Fail(ExitCode.Failed, $"nothing was put back: {fault.Message}");
                return Tell(setup.Terminal, spool.Requeue(which));
            }
            catch (SpoolException e)
            {
                return setup.Terminal.Fail(ExitCode.Failed, $"{e.Message.TrimEnd('.')}; stop the sensor first (systemctl stop nfr), requeue, and start it again");
            }
        });
        return requeue;
    }

    static int Tell(Terminal terminal, RequeueReport report)
    {
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Events:N0} events of {report.Rows:N0} rows wait in the spool again"));
        foreach (string left in report.Left) terminal.Error.WriteLine($"nfr: {Printable.Of(left)}; it stays aside");
        if (report.Fault is { } fault) return terminal.Fail(ExitCode.Failed, $"the rest stays aside: {fault.Message}");
        return report.Left.Count == 0 ? ExitCode.Good : ExitCode.Failed;
    }
}
