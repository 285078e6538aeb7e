using System.CommandLine;
using System.Net;
using Nfr.Commands;
using Nfr.Demo;

namespace Nfr.Simulate;

/// <summary><c>nfr simulate MODULE…</c>: harmless traffic that looks like trouble, to see the sensor find it.</summary>
public static class SimulateCommand
{
    /// <summary>Runs the modules. Exit code: 0 all sent, 1 stopped or refused, 2 wrong usage.</summary>
    public static int Run(SimulateOptions options, TextWriter output, TextWriter error, CancellationToken stop) =>
        RunAsync(options, output, error, stop).GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public static async Task<int> RunAsync(SimulateOptions options, TextWriter output, TextWriter error, CancellationToken stop)
    {
        if (SimulateModules.Find(options.Modules, out string complaint) is not { } modules)
        {
            await error.WriteLineAsync($"nfr simulate: {complaint}").ConfigureAwait(false);
            return 2;
        }
        int seed = options.Seed ?? Random.Shared.Next();
        if (SimulateDestinations.Choose(options, new Random(seed), out string refusal) is not { } destinations)
        {
            await error.WriteLineAsync($"nfr simulate: {refusal}").ConfigureAwait(false);
            return 1;
        }
        IPEndPoint[] own = [.. new[] { destinations.Resolver, destinations.HijackResolver }.Where(server => server.Equals(LoopbackResolver.Usual) || server.Equals(LoopbackResolver.Other))];
        LoopbackResolver? resolver = null;
        if (!options.Dry && (resolver = LoopbackResolver.Start(own, out refusal)) is null)
        {
            await error.WriteLineAsync($"nfr simulate: {refusal}").ConfigureAwait(false);
            return 1;
        }
        using (resolver) return await RunAsync(options, modules, destinations, seed, output, stop).ConfigureAwait(false);
    }

    static async Task<int> RunAsync(
        SimulateOptions options, IReadOnlyList<(SimulateModule Module, string Scope)> modules, SimulateDestinations destinations, int seed, TextWriter output, CancellationToken stop)
    {
        bool all = true;
        for (int i = 0; i < modules.Count && !stop.IsCancellationRequested; i++)
        {
            (SimulateModule module, string scope) = modules[i];
            if (options.Dry) await output.WriteLineAsync($"{module.Name}: {module.Description}").ConfigureAwait(false);
            var run = new ModuleRun
            {
                Destinations = destinations,
                Source = options.Source,
                Random = new Random(seed + i),
                Size = options.Size,
                Scope = scope,
                Fast = options.Fast,
                Dry = options.Dry ? output : null,
                Last = i == modules.Count - 1,
            };
            string line;
            try
            {
                line = await module.RunAsync(run, stop).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                line = $"failed: {failure.Message}";
                all = false;
                if (options.Dry) await output.WriteLineAsync("  " + line).ConfigureAwait(false);
            }
            if (!options.Dry) await output.WriteLineAsync($"{module.Name,-12} {line}").ConfigureAwait(false);
        }
        return all && !stop.IsCancellationRequested ? 0 : 1;
    }

    /// <summary>The command for the command line's tree.</summary>
    public static Command CreateCommand()
    {
        var modules = new Argument<string[]>("MODULE")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "What to simulate, in this order: " + string.Join(", ", SimulateModules.All.Where(module => !module.Experimental).Select(module => module.Name))
                + "; on request " + string.Join(", ", SimulateModules.All.Where(module => module.Experimental).Select(module => module.Name))
                + ". How names begin runs all of a family: tunnel, ssh. Behind a colon a scope: c2:emotet takes a family of the lists, ssh-exfil:50MB a volume.",
        };
        var target = new Option<string[]>("--target") { Description = "An address you own that all connections go to; may be repeated. Without it nothing leaves loopback.", HelpName = "ADDRESS" };
        var yes = new Option<bool>("--yes") { Description = "Without a target: ask the system's resolver, and connect to the addresses that the lists name; those of the program itself are RFC 5737's, where nobody is." };
        var feeds = new Option<string?>("--feeds") { Description = "A folder of lists (c2*, sink*, irc*, min*, tor*, oast*, impost*, mail*), or one of them, to take names, addresses and ports from.", HelpName = "PATH" };
        var resolver = new Option<string?>("--resolver") { Description = "DNS server to ask, with or without a port.", HelpName = "ADDRESS" };
        var source = new Option<string?>("--source") { Description = "Address to send from.", HelpName = "ADDRESS" };
        var size = new Option<int?>("--size", "-n") { Description = "Hosts of each module. Default: each its own number.", HelpName = "N" };
        var fast = new Option<bool>("--fast") { Description = "Do not wait out the time of a host that is done." };
        var dry = new Option<bool>("--dry") { Description = "Say what would be sent, and send nothing." };
        var command = new NfrCommand("simulate", "Send harmless traffic that looks like trouble, to see it found.")
        {
            Remarks =
            [
                "Each module does what the flight simulator's of that name does: one host after another, each with its time. Run it on a machine whose traffic the sensor "
                    + "sees. What a name resolves to never decides where a connection goes.",
            ],
            Examples =
            [
                ("simulate --dry", "What would be sent, and where."),
                ("simulate --target 192.0.2.7 dga scan tunnel", "Some of it, with all connections to a host of yours."),
                ("simulate --yes", "All modules, to addresses where nobody is."),
                ("demo", "All modules in a network of their own, with the sensor on it."),
            ],
        };
        command.Add(modules);
        foreach (Option option in new Option[] { target, yes, feeds, resolver, source, size, fast, dry }) command.Add(option);
        command.SetAction(async (parsed, stop) =>
        {
            TextWriter error = parsed.InvocationConfiguration.Error, output = parsed.InvocationConfiguration.Output;
            var targets = new List<IPAddress>();
            foreach (string text in parsed.GetValue(target) ?? [])
            {
                if (!IPAddress.TryParse(text, out IPAddress? address)) return await Wrong(error, $"--target {text} is no address").ConfigureAwait(false);
                targets.Add(address);
            }
            IPEndPoint? server = null;
            if (parsed.GetValue(resolver) is { } resolverText)
            {
                if (!IPEndPoint.TryParse(resolverText, out server)) return await Wrong(error, $"--resolver {resolverText} is no address").ConfigureAwait(false);
                if (server.Port == 0) server.Port = 53;
            }
            IPAddress? from = null;
            if (parsed.GetValue(source) is { } sourceText && !IPAddress.TryParse(sourceText, out from)) return await Wrong(error, $"--source {sourceText} is no address").ConfigureAwait(false);
            if (parsed.GetValue(size) is < 1 or > 1000) return await Wrong(error, $"--size {parsed.GetValue(size)}: 1 to 1000 hosts").ConfigureAwait(false);
            var options = new SimulateOptions
            {
                Modules = parsed.GetValue(modules) ?? [],
                Targets = targets,
                Consent = parsed.GetValue(yes),
                Feeds = parsed.GetValue(feeds),
                Resolver = server,
                Source = from,
                Fast = parsed.GetValue(fast),
                Dry = parsed.GetValue(dry),
                Size = parsed.GetValue(size),
            };
            if (!options.Dry && options.Modules.Count == 0 && targets.Count == 0 && !options.Consent) return await ExplainAsync(options, output, error, stop).ConfigureAwait(false);
            using var signals = new StopSignal(stop);
            return await RunAsync(options, output, error, signals.Token).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>All modules were asked for without a word on where to: what --yes would do is said, nothing is sent.</summary>
    static async Task<int> ExplainAsync(SimulateOptions options, TextWriter output, TextWriter error, CancellationToken stop)
    {
        int code = await RunAsync(options with { Dry = true, Consent = true }, output, error, stop).ConfigureAwait(false);
        if (code != 0) return code;
        return await Wrong(error, "nothing was sent. The above is what --yes sends; --target ADDRESS sends all connections to a host of yours, "
            + "a module's name alone stays on loopback, and 'nfr demo' has a network of its own").ConfigureAwait(false);
    }

    static Task<int> Wrong(TextWriter error, string line)
    {
        error.WriteLine("nfr simulate: " + line);
        return Task.FromResult(2);
    }
}
