using System.CommandLine;
using System.Globalization;
using Nfr.Config;
using Nfr.Fleet;
using Nfr.Native;

namespace Nfr.Commands;

/// <summary>The options by which "nfr fleet" and its commands find a broker.</summary>
sealed class BrokerOptions
{
    readonly CommandSetup _setup;
    readonly Option<string?> _broker = new("--broker") { Description = "Such as mqtts://broker.example:8883. Default: fleet.broker of the config", HelpName = "URL" };
    readonly Option<string?> _ca = new("--ca") { Description = "PEM file of the authority that the broker's certificate must be of. Default: the system's", HelpName = "FILE" };
    readonly Option<string?> _cert = new("--cert") { Description = "PEM file of our certificate.", HelpName = "FILE" };
    readonly Option<string?> _key;

    /// <param name="setup">Of the commands.</param>
    /// <param name="short">"--key" is the certificate's, as nothing else here has one.</param>
    public BrokerOptions(CommandSetup setup, bool @short)
    {
        _setup = setup;
        _key = @short ? new("--key", "--cert-key") : new("--cert-key");
        (_key.Description, _key.HelpName) = ("PEM file of its private key.", "FILE");
    }

    public void AddTo(Command command)
    {
        command.Add(_broker);
        command.Add(_ca);
        command.Add(_cert);
        command.Add(_key);
    }

    /// <summary>The broker that is meant; null when there is none, which is then told.</summary>
    public BrokerAddress? Read(ParseResult parsed, string command, out MqttTls? tls)
    {
        (string? ca, string? cert, string? key) = (parsed.GetValue(_ca), parsed.GetValue(_cert), parsed.GetValue(_key));
        tls = null;
        string fault = "";
        BrokerAddress? broker = parsed.GetValue(_broker) is { } url ? BrokerAddress.Read(url, out fault) : OfConfig(parsed, ref ca, ref cert, ref key, out fault);
        if (broker is null)
        {
            // A config with faults has told them.
            if (fault.Length > 0) _setup.Usage(command, fault);
            return null;
        }
        foreach ((string name, string? file) in new[] { ("--ca", ca), ("--cert", cert), (_key.Name, key) })
        {
            if (file is null || File.Exists(file)) continue;
            _setup.Terminal.Fail(ExitCode.Usage, $"{name}: there is no file {file}");
            return null;
        }
        if (key is not null && cert is null)
        {
            _setup.Usage(command, $"{_key.Name} is the key of a certificate; name that with --cert FILE");
            return null;
        }
        if (!broker.Tls && (ca ?? cert) is not null)
        {
            _setup.Usage(command, $"{broker} is without TLS, so certificates have no use; write mqtts://");
            return null;
        }
        if (broker.Tls) tls = new MqttTls(ca, cert, key);
        return broker;
    }

    /// <summary>The broker that the sensor of this machine reports to, with its certificates where none are named.</summary>
    BrokerAddress? OfConfig(ParseResult parsed, ref string? ca, ref string? cert, ref string? key, out string fault)
    {
        fault = "";
        if (_setup.Load(parsed, orDefaults: true) is not { } config) return null;
        if (config.Fleet is not { Host: { } host } fleet)
        {
            fault = $"name the broker with --broker URL, or in fleet.broker of {config.File}";
            return null;
        }
        string? password = null;
        if (fleet.Password is { } secret && !secret.TryRead(out password, out fault)) return null;
        ca ??= fleet.Tls.Roots;
        if (cert is null) (cert, key) = (fleet.Tls.Certificate, key ?? fleet.Tls.Key);
        return new BrokerAddress(host, fleet.Port, fleet.UseTls, fleet.User, password);
    }
}

/// <summary>"nfr fleet": all sensors of a broker, for one person who watches a thousand.</summary>
static class FleetCommands
{
    const int LongestTime = 7 * 86_400;
    const int PipedWidth = 160;

    public static Command Build(CommandSetup setup)
    {
        var broker = new BrokerOptions(setup, @short: true);
        var site = new Option<string?>("--site") { Description = "Only sensors of this site; * and ? stand for any letters and one.", HelpName = "GLOB" };
        var filter = new Option<string?>("--filter") { Description = "Only sensors with all these words in name, state, version, address or trouble.", HelpName = "WORDS" };
        var sort = new Option<string?>("--sort") { Description = $"{string.Join(", ", FleetOrder.Words)}. Default: worst", HelpName = "BY" };
        var json = new Option<bool>("--json") { Description = "A line of JSON for each change: new, state, info, troubles, alert, gone, broker. With --once one document." };
        var once = new Option<bool>("--once") { Description = "Listen until each sensor was heard, print, and end; the default where there is no terminal." };
        var seconds = new Option<double?>("--seconds") { Description = string.Create(CultureInfo.InvariantCulture, $"End after so long. Default with --once: {FleetWatch.OnceLimit.TotalSeconds:0} at most"), HelpName = "N" };
        var fleet = new NfrCommand("fleet", "Show all sensors of a broker on one screen, the worst first.")
        {
            Remarks =
            [
                "States: alert (it raised one within the hour), fault (a part of it fails, or it loses packets), offline (it is gone: the broker says so), silent (it says online, but two heartbeats are missing), degraded (something to look at), waiting (not heard yet), ok.",
                "Keys: up, down, page up and down; Enter shows one sensor with its troubles and what to do, its alerts and its ledger; / searches, s sorts otherwise, q ends.",
                "A name and password stand in the URL (mqtt://NAME:PASSWORD@HOST), where others of this machine can see them in the list of processes; fleet.username and fleet.password_file of the config keep them to themselves.",
                "Exit code with --once: 0 when all sensors shown are well or degraded, 3 when one is in trouble, silent, offline or not heard yet, or raised an alert within the hour, 1 when there is none or the broker cannot be reached, which stderr says.",
            ],
            Examples =
            [
                ("fleet --broker mqtts://broker.example --ca ca.pem --cert me.pem --key me.key", "The live screen, over TLS with a certificate."),
                ("fleet --site 'berlin*' --filter offline --once", "Who of Berlin is gone, as a table."),
                ("fleet --json --once | jq -r '.sensors[] | select(.state == \"fault\") | .sensor'", "Names of those at fault."),
            ],
        };
        broker.AddTo(fleet);
        foreach (Option option in (Option[])[site, filter, sort, json, once, seconds]) fleet.Add(option);
        fleet.Add(Key(setup));
        fleet.Add(FleetSendCommand.Build(setup));
        fleet.Add(FleetSimulateCommand.Build(setup));
        fleet.SetAction(parsed =>
        {
            FleetSort by = FleetSort.Worst;
            if (parsed.GetValue(sort) is { } word && !FleetOrder.TryRead(word, out by)) return setup.Usage("fleet", $"--sort takes {string.Join(", ", FleetOrder.Words)}; not \"{word}\"");
            if (parsed.GetValue(seconds) is { } time && time is not (> 0 and <= LongestTime)) return setup.Usage("fleet", $"--seconds takes a number from 0.1 to {LongestTime}");
            if (broker.Read(parsed, "fleet", out MqttTls? tls) is not { } address) return ExitCode.Usage;
            var options = new FleetWatchOptions(address, tls, parsed.GetValue(site), parsed.GetValue(filter) ?? "", by, parsed.GetValue(seconds) is { } n ? TimeSpan.FromSeconds(n) : null);
            using var stop = new StopSignals();
            using var watch = new FleetWatch(options, setup.Terminal, TimeProvider.System);
            bool screen = ScreenLine.IsOnScreen(setup.Terminal);
            if (parsed.GetValue(once) || (!parsed.GetValue(json) && (!screen || Console.IsInputRedirected)))
                return watch.Once(parsed.GetValue(json), screen ? Math.Max(FleetColumns.Narrowest, Console.WindowWidth) : PipedWidth, stop.Token);
            return parsed.GetValue(json) ? watch.Lines(stop.Token) : watch.Live(stop.Token);
        });
        return fleet;
    }

    static NfrCommand Key(CommandSetup setup)
    {
        var file = new Argument<string?>("file") { HelpName = "FILE", Description = $"Where the private key goes. Default: {Shown(CommandKey.DefaultFile)}", Arity = ArgumentArity.ZeroOrOne };
        var key = new NfrCommand("key", "Make the key that commands to sensors are signed with, or show the public half of one that is there.")
        {
            Remarks =
            [
                "The private key is for whoever may command sensors, readable by its owner alone; FILE.pub is the public one, which each sensor needs.",
                "Name it in fleet.command_keys of the sensors' config; on a box it is a file beside nfr.txt, with a line command.key = FILE.pub there. There may be two, so that keys can be changed: add the new one everywhere, then take the old one away.",
            ],
            Examples = [("fleet key", "Make one."), ("fleet key /etc/nfr/fleet-key.pem", "At another place.")],
        };
        key.Add(file);
        key.SetAction(parsed =>
        {
            string path = Path.GetFullPath(parsed.GetValue(file) ?? CommandKey.DefaultFile);
            bool there = File.Exists(path);
            using CommandKey? made = there ? CommandKey.Load(path, out string fault) : CommandKey.Create(path, out fault);
            if (made is null) return setup.Terminal.Fail(ExitCode.Failed, fault);
            if (made.WritePublic(out fault) is not { } open) return setup.Terminal.Fail(ExitCode.Failed, fault);
            TextWriter output = setup.Terminal.Out;
            output.WriteLine(there ? $"{path} is there already, and stays as it is (key {made.Id})." : $"{path} is the private key (key {made.Id}). Whoever has it commands your sensors: keep a copy in a safe place, and give it to nobody.");
            output.WriteLine($"{open} is the public key. Copy it to each sensor, such as to /etc/nfr/fleet.pub, and name it in the sensor's config:");
            output.WriteLine();
            output.WriteLine("fleet:");
            output.WriteLine("  command_keys: [/etc/nfr/fleet.pub]");
            output.WriteLine();
            output.WriteLine($"For a box copy it beside nfr.txt on its card, and write there: command.key = {Path.GetFileName(open)}");
            output.WriteLine();
            output.Write(made.PublicPem.TrimEnd() + "\n");
            return ExitCode.Good;
        });
        return key;
    }

    /// <summary>With ~ for the home folder, so that help says the same to everybody.</summary>
    internal static string Shown(string path)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 1 && path.StartsWith(home + "/", StringComparison.Ordinal) ? "~" + path[home.Length..] : path;
    }
}
