using System.CommandLine;
using System.Net;
using Nfr.Demo;

namespace Nfr.Simulate;

/// <param name="Name">As named on the command line.</param>
/// <param name="Description">One line for people.</param>
/// <param name="RunAsync">Sends, and says in a few words what it sent.</param>
public sealed record SimulateModule(string Name, string Description, Func<ModuleRun, CancellationToken, Task<string>> RunAsync);

/// <summary><c>nfr simulate MODULE…</c>: harmless traffic that looks like trouble, to see the sensor find it.</summary>
public static class SimulateCommand
{
    /// <summary>In the order they run.</summary>
    public static IReadOnlyList<SimulateModule> Modules { get; } =
    [
        new("scan", "connects to 21 TCP ports of 10 hosts (30 s)", ScanModule.RunAsync),
        new("dga", "looks up 15 generated names (15 s)", DgaModule.RunAsync),
        new("tunnel-dns", "sends 50 TXT questions with long random names (10 s)", TunnelDnsModule.RunAsync),
        new("c2", "looks up and connects to listed command and control destinations (10 s)", C2Module.RunAsync),
        new("miner", "subscribes to 5 mining pools (5 s)", MinerModule.RunAsync),
        new("cleartext", "sends 1000 bytes to the FTP, Telnet, POP3, IMAP and rsync ports (15 s)", CleartextModule.RunAsync),
    ];

    /// <summary>Runs the modules. Exit code: 0 all sent, 1 stopped or refused, 2 wrong usage.</summary>
    public static int Run(SimulateOptions options, TextWriter output, TextWriter error, CancellationToken stop) =>
        RunAsync(options, output, error, stop).GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public static async Task<int> RunAsync(SimulateOptions options, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var modules = new List<SimulateModule>();
        foreach (string name in options.Modules)
        {
            if (Modules.FirstOrDefault(module => module.Name == name) is not { } known)
            {
                await error.WriteLineAsync($"nfr simulate: no module '{name}'; there are {string.Join(", ", Modules.Select(m => m.Name))}").ConfigureAwait(false);
                return 2;
            }
            if (!modules.Contains(known)) modules.Add(known);
        }
        if (modules.Count == 0) modules.AddRange(Modules);

        int seed = options.Seed ?? Random.Shared.Next();
        if (SimulateDestinations.Choose(options, new Random(seed), out string refusal) is not { } destinations)
        {
            await error.WriteLineAsync($"nfr simulate: {refusal}").ConfigureAwait(false);
            return 1;
        }

        ModuleRun RunOf(int index, bool last) => new()
        {
            Destinations = destinations,
            Source = options.Source,
            // One generator each: modules run side by side.
            Random = new Random(seed + index),
            Pace = options.Pace,
            Last = last,
        };

        Lock writing = new();
        async Task<bool> SendAsync(int index, bool last)
        {
            string line;
            bool good = true;
            try
            {
                line = await modules[index].RunAsync(RunOf(index, last), stop).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                line = $"failed: {failure.Message}";
                good = false;
            }
            lock (writing) output.WriteLine($"{modules[index].Name,-10} {line}");
            return good;
        }

        bool all = true;
        if (options.Pace == SimulatePace.Fast)
        {
            bool[] sent = await Task.WhenAll(Enumerable.Range(0, modules.Count).Select(i => SendAsync(i, last: true))).ConfigureAwait(false);
            all = sent.All(good => good);
        }
        else
        {
            for (int i = 0; i < modules.Count && !stop.IsCancellationRequested; i++) all &= await SendAsync(i, i == modules.Count - 1).ConfigureAwait(false);
        }
        return all && !stop.IsCancellationRequested ? 0 : 1;
    }

    /// <summary>The command for the command line's tree.</summary>
    public static Command CreateCommand()
    {
        var modules = new Argument<string[]>("MODULE")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "what to simulate; none = all of: " + string.Join(", ", Modules.Select(module => module.Name)),
        };
        var target = new Option<string[]>("--target") { Description = "an address you own that connections may go to (may be repeated); without it nothing leaves loopback" };
        var resolver = new Option<string?>("--resolver") { Description = "DNS server to ask, ADDRESS or ADDRESS:PORT" };
        var source = new Option<string?>("--source") { Description = "address to send from" };
        var fast = new Option<bool>("--fast") { Description = "all modules side by side, within 15 s" };
        var command = new Command("simulate", "Send harmless traffic that looks like trouble, to see it found") { modules, target, resolver, source, fast };
        command.SetAction(async (parsed, stop) =>
        {
            TextWriter error = parsed.InvocationConfiguration.Error;
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
            using var signals = new StopSignal(stop);
            return await RunAsync(new SimulateOptions
            {
                Modules = parsed.GetValue(modules) ?? [],
                Targets = targets,
                Resolver = server,
                Source = from,
                Pace = parsed.GetValue(fast) ? SimulatePace.Fast : SimulatePace.Real,
            }, parsed.InvocationConfiguration.Output, error, signals.Token).ConfigureAwait(false);
        });
        return command;
    }

    static Task<int> Wrong(TextWriter error, string line)
    {
        error.WriteLine("nfr simulate: " + line);
        return Task.FromResult(2);
    }
}
