using System.Globalization;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>What the sensor does when a signed command asks for it. All of it on the link's thread, at once or begun.</summary>
sealed class FleetActions(string requests, Func<TimeSpan, bool> identify, Func<string?> reload, CaptureNow capture)
{
    public static IReadOnlyList<string> Names { get; } = ["identify", "ping", "reload", "capture-now", "upgrade-check"];

    public FleetAnswer? Act(FleetCommand command, Action<FleetAnswer> later) => command.Command switch
    {
        "ping" => Bare(command) ?? Done("the sensor is there"),
        "identify" => Identify(command),
        "reload" => Bare(command) ?? Reload(),
        "upgrade-check" => Bare(command) ?? Request("upgrade-check", "the box looks whether there is a newer version"),
        "capture-now" => Capture(command, later),
        _ => FleetAnswer.Unknown($"there is no such command; known are {string.Join(", ", Names)}"),
    };

    static FleetAnswer Done(string why, string? result = null) => new() { Ok = true, Why = why, Result = result };

    static FleetAnswer? Bare(FleetCommand command) => command.Arguments.Count == 0 ? null : FleetAnswer.Unknown($"{command.Command} takes no arguments");

    FleetAnswer Reload() => reload() is { } refused ? new FleetAnswer { Ok = false, Why = refused } : Done("the sensor begins anew with the config as it is now");

    FleetAnswer Identify(FleetCommand command)
    {
        if (!TryNumbers(command.Arguments, [new("seconds", 30, 0, 600)], out long[] numbers, out string wrong)) return FleetAnswer.Unknown(wrong);
        long seconds = numbers[0];
        if (!identify(TimeSpan.FromSeconds(seconds))) return new FleetAnswer { Ok = false, Why = "this sensor has no panel that listens: there is nothing to blink" };
        return Done(seconds == 0 ? "the panel was told to blink no longer" : $"the panel was told to blink for {seconds} s");
    }

    FleetAnswer? Capture(FleetCommand command, Action<FleetAnswer> later)
    {
        string? port = command.Arguments.GetValueOrDefault("interface");
        var rest = command.Arguments.Where(a => a.Key != "interface").ToDictionary(a => a.Key, a => a.Value);
        if (!TryNumbers(rest, [new("seconds", 10, 1, CaptureNow.MostSeconds), new("packets", 10_000, 1, CaptureNow.MostPackets)], out long[] numbers, out string wrong)) return FleetAnswer.Unknown(wrong);
        return capture.Begin(port, numbers[0], numbers[1], later) is { } refused ? new FleetAnswer { Ok = false, Why = refused } : null;
    }

    FleetAnswer Request(string name, string what)
    {
        try
        {
            if (!Directory.Exists(requests)) return new FleetAnswer { Ok = false, Why = $"this box has no {requests}, where it would be asked for: it is no appliance; look by hand: apt list --upgradable nfr" };
            File.WriteAllBytes(Path.Combine(requests, name), []);
            return Done($"asked for: {what}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new FleetAnswer { Ok = false, Why = $"it cannot be asked for in {requests}: {Config.Reason.Of(fault)}" };
        }
    }

    /// <summary>Whole numbers in the order of their rules; a name that has none is a fault.</summary>
    static bool TryNumbers(IReadOnlyDictionary<string, string> arguments, Number[] rules, out long[] numbers, out string wrong)
    {
        wrong = arguments.Keys.FirstOrDefault(k => rules.All(r => r.Name != k)) is { } stranger ? $"there is no argument {stranger}" : "";
        numbers = [.. rules.Select(r => r.Default)];
        for (int i = 0; i < rules.Length; i++)
        {
            (string name, _, long least, long most) = rules[i];
            if (!arguments.TryGetValue(name, out string? text)) continue;
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]) || numbers[i] < least || numbers[i] > most) wrong = $"{name}: expected a whole number from {least} to {most}";
        }
        return wrong.Length == 0;
    }

    readonly record struct Number(string Name, long Default, long Least, long Most);
}
