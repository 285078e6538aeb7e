using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Config;
using Nfr.Pipeline;

namespace Nfr.Commands;

/// <summary>"nfr status": what the running sensor is doing.</summary>
static class StatusCommand
{
    const double ShortestWatch = 0.2;
    const double LongestWatch = 3600;

    public static Command Build(CommandSetup setup)
    {
        var json = new Option<bool>("--json") { Description = "Everything as one JSON object on stdout." };
        var ledger = new Option<bool>("--ledger") { Description = "The whole ledger, stage by stage, and each list." };
        var watch = new Option<double?>("--watch") { Description = "Again every SECONDS, 2 without a number, until Ctrl-C.", HelpName = "SECONDS", Arity = ArgumentArity.ZeroOrOne };
        var status = new NfrCommand("status", "Show whether the running sensor is well, and what it does: capture, ledger, spool, uplinks, outputs, clock, disk, heat.")
        {
            Remarks =
            [
                "Asks the sensor over its local socket (status.socket in the config), as the sensor's user, its group, or root.",
                "Exit code 0 when it is well, 1 when no sensor answers, 3 when it is in trouble: what that is and what to do stands on top.",
            ],
            Examples =
            [
                ("status", "One screen."),
                ("status --watch", "The same, every two seconds."),
                ("status --json | jq .troubles", "What is not as it should be, for a program."),
            ],
        };
        status.Add(json);
        status.Add(ledger);
        status.Add(watch);
        status.SetAction(parsed =>
        {
            double seconds = parsed.GetValue(watch) ?? 2;
            if (seconds is not (>= ShortestWatch and <= LongestWatch)) return setup.Usage("status", string.Create(CultureInfo.InvariantCulture, $"--watch takes a number of seconds from {ShortestWatch} to {LongestWatch}"));
            if (setup.Load(parsed, orDefaults: true, asks: true) is not { } config) return ExitCode.Usage;
            // The socket beside the spool is this config's own; the default place may be another sensor's.
            string[] places = [.. StatusSocket.Places(config).Reverse()];
            if (places.Length == 0) return setup.Terminal.Fail(ExitCode.Failed, $"status.socket is off in {config.File}, so a running sensor cannot be asked");
            Func<byte[], IEnumerable<ScreenLine>>? screen = parsed.GetValue(json) ? null : parsed.GetValue(ledger) ? Of(LedgerScreen.Lines) : Of(StatusScreen.Lines);
            return parsed.GetResult(watch) is null ? Once(setup.Terminal, places, screen) : Watch(setup.Terminal, places, screen, TimeSpan.FromSeconds(seconds));
        });
        return status;
    }

    static Func<byte[], IEnumerable<ScreenLine>> Of(Func<JsonElement, IEnumerable<ScreenLine>> lines) => answer =>
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        return [.. lines(document.RootElement)];
    };

    static int Once(Terminal terminal, string[] places, Func<byte[], IEnumerable<ScreenLine>>? screen)
    {
        if (Ask(places, out string trouble) is not { } answer) return terminal.Fail(ExitCode.Failed, trouble);
        Show(terminal, answer, screen);
        using JsonDocument document = JsonDocument.Parse(answer);
        return document.RootElement.GetProperty("well").GetBoolean() ? ExitCode.Good : ExitCode.Unwell;
    }

    /// <summary>Until a signal; a sensor that is not there may come.</summary>
    static int Watch(Terminal terminal, string[] places, Func<byte[], IEnumerable<ScreenLine>>? screen, TimeSpan every)
    {
        using var stop = new StopSignals();
        bool clears = screen is not null && ScreenLine.IsOnScreen(terminal);
        do
        {
            byte[]? answer = Ask(places, out string trouble);
            // Home, and away with everything: less flicker than a scroll.
            if (clears) terminal.Out.Write("\x1b[H\x1b[2J");
            if (answer is null) terminal.Error.WriteLine("nfr: " + trouble);
            else Show(terminal, answer, screen);
            if (!clears && screen is not null) terminal.Out.WriteLine();
            terminal.Out.Flush();
        }
        while (!stop.Token.WaitHandle.WaitOne(every));
        return ExitCode.Good;
    }

    static void Show(Terminal terminal, byte[] answer, Func<byte[], IEnumerable<ScreenLine>>? screen)
    {
        if (screen is null) terminal.Out.WriteLine(Encoding.UTF8.GetString(answer));
        else ScreenLine.Write(screen(answer), terminal);
    }

    static byte[]? Ask(string[] places, out string trouble)
    {
        trouble = $"no sensor is running (there is no {string.Join(" and no ", places)}); start it with: nfr start";
        foreach (string place in places.Where(Path.Exists))
        {
            if (StatusClient.Ask(place, out string? why) is { } answer) return answer;
            trouble = $"the sensor at {place} does not answer ({why}); start it with: nfr start";
        }
        return null;
    }
}
