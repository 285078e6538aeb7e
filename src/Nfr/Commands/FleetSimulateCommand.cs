using System.CommandLine;
using Nfr.Fleet;
using Nfr.Fleet.Simulated;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Commands;

/// <summary>"nfr fleet simulate": a developer's tool.</summary>
static class FleetSimulateCommand
{
    const int LongestTime = 86_400;

    public static Command Build(CommandSetup setup)
    {
        var broker = new BrokerOptions(setup, @short: true);
        var sensors = new Option<int>("--sensors") { Description = "How many. Default: 1000", HelpName = "N", DefaultValueFactory = _ => 1000 };
        var seconds = new Option<double>("--seconds") { Description = "How long, once all are connected. Default: 60", HelpName = "N", DefaultValueFactory = _ => 60 };
        var heartbeat = new Option<double>("--heartbeat") { Description = "Seconds between two heartbeats of one sensor. Default: 30", HelpName = "N", DefaultValueFactory = _ => 30 };
        var leave = new Option<int>("--leave") { Description = "So many are cut off after a third of the time, so that the broker gives out their wills. Default: 0", HelpName = "N" };
        var site = new Option<string>("--site") { Description = "The site they are of. Default: simulated", HelpName = "NAME", DefaultValueFactory = _ => "simulated" };
        var keep = new Option<bool>("--keep") { Description = "Leave with the broker what it has kept of them." };
        var simulate = new NfrCommand("simulate", "Put made-up sensors on a broker, to try \"nfr fleet\" with: each a client of its own with a will.")
        {
            Remarks = ["For a broker where nobody takes them for real ones. A few are at fault, lose packets, run another version or have their clock wrong, one in 400 falls silent, and one in 200 raises an alert. They answer every command."],
            Examples = [("fleet simulate --broker mqtt://localhost --sensors 1000 --leave 20", "A thousand, of which twenty go.")],
        };
        broker.AddTo(simulate);
        foreach (Option option in (Option[])[sensors, seconds, heartbeat, leave, site, keep]) simulate.Add(option);
        simulate.SetAction(parsed =>
        {
            int count = parsed.GetValue(sensors), gone = parsed.GetValue(leave);
            (double lasts, double every, string where) = (parsed.GetValue(seconds), parsed.GetValue(heartbeat), parsed.GetValue(site)!);
            if (count is < 1 or > SimulatedFleet.MostSensors) return setup.Usage("fleet simulate", $"--sensors takes a number from 1 to {SimulatedFleet.MostSensors}");
            if (gone < 0 || gone > count) return setup.Usage("fleet simulate", "--leave takes a number from 0 to that of the sensors");
            if (lasts is not (> 0 and <= LongestTime)) return setup.Usage("fleet simulate", $"--seconds takes a number up to {LongestTime}");
            if (every is not (>= 0.5 and <= 3600)) return setup.Usage("fleet simulate", "--heartbeat takes a number of seconds from 0.5 to 3600");
            if (FleetTopics.CheckPart(where) is { } wrong) return setup.Usage("fleet simulate", "--site: " + wrong);
            if (broker.Read(parsed, "fleet simulate", out MqttTls? tls) is not { } address) return ExitCode.Usage;
            using var stop = new StopSignals();
            return new SimulatedFleet(new SimulatedFleetOptions(address, tls, where, count, TimeSpan.FromSeconds(every), TimeSpan.FromSeconds(lasts), gone, parsed.GetValue(keep)), setup.Terminal, TimeProvider.System).Run(stop.Token);
        });
        return simulate;
    }
}
