using System.CommandLine;
using System.Text;
using Nfr.Config;
using Nfr.Pipeline;

namespace Nfr.Commands;

/// <summary>"nfr status": what the running sensor is doing.</summary>
static class StatusCommand
{
    public static Command Build(CommandSetup setup)
    {
        var json = new Option<bool>("--json") { Description = "Everything as one JSON object on stdout." };
        var status = new NfrCommand("status", "Show what the running sensor does: its ledger, spool, uplink and outputs.")
        {
            Remarks = ["Asks the sensor over its local socket (status.socket in the config), as the sensor's user, its group, or root. Exit code 1 when no sensor answers."],
            Examples =
            [
                ("status", "One screen."),
                ("status --json | jq .interval.moved.interfaces", "What the ports got in the last interval."),
            ],
        };
        status.Add(json);
        status.SetAction(parsed => Run(setup, parsed, parsed.GetValue(json)));
        return status;
    }

    static int Run(CommandSetup setup, ParseResult parsed, bool json)
    {
        if (setup.Load(parsed, orDefaults: true) is not { } config) return ExitCode.Usage;
        // The socket beside the spool is this config's own; the default place may be another sensor's.
        string[] places = [.. StatusSocket.Places(config).Reverse()];
        if (places.Length == 0) return setup.Terminal.Fail(ExitCode.Failed, $"status.socket is off in {config.File}, so a running sensor cannot be asked");
        string? trouble = null;
        foreach (string place in places.Where(Path.Exists))
        {
            if (StatusClient.Ask(place, out string? why) is not { } answer)
            {
                trouble = $"the sensor at {place} does not answer ({why}); start it with: nfr start";
                continue;
            }
            if (json) setup.Terminal.Out.WriteLine(Encoding.UTF8.GetString(answer));
            else StatusScreen.Write(answer, setup.Terminal);
            return ExitCode.Good;
        }
        return setup.Terminal.Fail(ExitCode.Failed, trouble ?? $"no sensor is running (there is no {string.Join(" and no ", places)}); start it with: nfr start");
    }
}
