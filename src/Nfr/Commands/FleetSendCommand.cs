using System.CommandLine;
using System.Globalization;
using Nfr.Fleet;
using Nfr.Native;

namespace Nfr.Commands;

/// <summary>"nfr fleet send".</summary>
static class FleetSendCommand
{
    const double LongestTimeout = 600, Timeout = 10;
    /// <summary>Of a capture-now that names no time (<see cref="Pipeline.FleetActions"/>).</summary>
    const double CaptureSeconds = 10;
    const int MostArguments = 16;

    public static Command Build(CommandSetup setup)
    {
        var broker = new BrokerOptions(setup, @short: false);
        var sensor = new Argument<string>("sensor") { HelpName = "SENSOR", Description = "SITE/ID or ID; several with commas; * and ? stand for any letters and one." };
        var words = new Argument<string[]>("command") { HelpName = "COMMAND [ARG=VALUE]", Description = "identify, ping, reload, capture-now or upgrade-check, and what it takes.", Arity = ArgumentArity.OneOrMore };
        var key = new Option<string?>("--key") { Description = $"The private key that signs. Default: {FleetCommands.Shown(CommandKey.DefaultFile)}", HelpName = "FILE" };
        var timeout = new Option<double?>("--timeout") { Description = "Seconds to wait for answers. Default: 10, and the time of a capture-now besides", HelpName = "SECONDS" };
        var json = new Option<bool>("--json") { Description = "A line of JSON for each sensor." };
        var send = new NfrCommand("send", "Send a signed command to one sensor or many, and tell what they answer.")
        {
            Remarks =
            [
                "Each sensor gets a command of its own, signed and numbered; it refuses what is forged, for another, older than five minutes, or came before. The last number is kept in FILE.sequence beside the key.",
                "ping, reload and upgrade-check take no arguments; identify takes seconds=N (0 to 600, default 30), capture-now interface=NAME, seconds=N (to 300, default 10) and packets=N (to 1000000, default 10000): the answer says where the file lies.",
                "Exit code 0 when each of them did it, else 1.",
            ],
            Examples =
            [
                ("fleet send berlin/gate identify --broker mqtts://broker.example", "Let the LEDs of one box blink."),
                ("fleet send 'berlin/*' reload", "All of a site read their config again."),
                ("fleet send hq/core capture-now seconds=30", "With an argument."),
            ],
        };
        send.Add(sensor);
        send.Add(words);
        broker.AddTo(send);
        send.Add(key);
        send.Add(timeout);
        send.Add(json);
        send.SetAction(parsed =>
        {
            string[] sensors = parsed.GetValue(sensor)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), said = parsed.GetValue(words)!;
            if (sensors.Length == 0) return setup.Usage("fleet send", "name a sensor, such as berlin/gate");
            if (said[0].Length is 0 or > 32 || said[0].Any(c => !char.IsAsciiLetterLower(c) && c != '-')) return setup.Usage("fleet send", $"a command is a word such as identify; not \"{Printable.Of(said[0])}\"");
            if (parsed.GetValue(timeout) is { } given && given is not (> 0 and <= LongestTimeout)) return setup.Usage("fleet send", string.Create(CultureInfo.InvariantCulture, $"--timeout takes a number of seconds up to {LongestTimeout}"));
            Dictionary<string, string> arguments = new(StringComparer.Ordinal);
            foreach (string word in said.Skip(1))
            {
                int equals = word.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0) return setup.Usage("fleet send", $"after the command stand arguments such as seconds=30; not \"{Printable.Of(word)}\"");
                if (!arguments.TryAdd(word[..equals], word[(equals + 1)..])) return setup.Usage("fleet send", $"{word[..equals]} is there twice");
            }
            double seconds = parsed.GetValue(timeout) ?? Timeout + LastsFor(said[0], arguments);
            if (arguments.Count > MostArguments) return setup.Usage("fleet send", $"a command takes {MostArguments} arguments at most");
            if (broker.Read(parsed, "fleet send", out MqttTls? tls) is not { } address) return ExitCode.Usage;
            using CommandKey? signer = CommandKey.Load(parsed.GetValue(key) ?? CommandKey.DefaultFile, out string fault);
            if (signer is null) return setup.Terminal.Fail(ExitCode.Failed, fault);
            using var stop = new StopSignals();
            using var run = new FleetSend(new FleetSendOptions(address, tls, sensors, said[0], arguments, TimeSpan.FromSeconds(seconds), parsed.GetValue(json)), signer, setup.Terminal, TimeProvider.System);
            return run.Run(stop.Token);
        });
        return send;
    }

    /// <summary>A capture is answered when it is over; every other command at once.</summary>
    internal static double LastsFor(string command, IReadOnlyDictionary<string, string> arguments) => command != "capture-now" ? 0
        : !arguments.TryGetValue("seconds", out string? text) ? CaptureSeconds
        : double.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out double seconds) ? Math.Min(seconds, Pipeline.CaptureNow.MostSeconds) : 0;
}
