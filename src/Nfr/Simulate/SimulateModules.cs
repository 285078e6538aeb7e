namespace Nfr.Simulate;

/// <summary>A module of the simulator.</summary>
/// <param name="Name">As named on the command line.</param>
/// <param name="Description">One line for people.</param>
/// <param name="RunTime">How long it takes at most with its usual hosts: within that time a sensor should have raised its alert.</param>
/// <param name="RunAsync">Sends, and says in a few words what it sent.</param>
public sealed record SimulateModule(string Name, string Description, TimeSpan RunTime, Func<ModuleRun, CancellationToken, Task<string>> RunAsync)
{
    /// <summary>Runs only when it is named in full.</summary>
    public bool Experimental { get; init; }
    public ModuleScope Scope { get; init; }
}

/// <summary>What may stand behind a module's colon.</summary>
public enum ModuleScope
{
    None,
    /// <summary>A family that the lists name.</summary>
    Family,
    /// <summary>A number of bytes.</summary>
    Size,
}

/// <summary>All modules, and how they are named.</summary>
public static class SimulateModules
{
    /// <summary>In the order they run.</summary>
    public static IReadOnlyList<SimulateModule> All { get; } =
    [
        new("c2", "looks up and connects to listed command and control destinations", Seconds(10), ListedModule.RunC2Async) { Scope = ModuleScope.Family },
        new("cleartext", "sends 1000 bytes to the FTP, Telnet, POP3, IMAP and rsync ports", Seconds(15), CleartextModule.RunAsync),
        new("dga", "looks up 15 generated names", Seconds(15), DgaModule.RunAsync),
        new("imposter", "looks up 5 names that pose as brands", Seconds(5), ImposterModule.RunAsync),
        new("irc", "logs in to 10 IRC servers", Seconds(50), IrcModule.RunAsync) { Scope = ModuleScope.Family },
        new("miner", "subscribes to 5 mining pools", Seconds(5), MinerModule.RunAsync) { Scope = ModuleScope.Family },
        new("oast", "looks up names of a service for out-of-band testing", Seconds(3), OastModule.RunAsync),
        new("scan", "connects to 21 TCP ports of 10 hosts", Seconds(30), ScanModule.RunAsync),
        new("sink", "looks up and connects to listed sinkholes", Seconds(10), ListedModule.RunSinkAsync) { Scope = ModuleScope.Family },
        new("spambot", "asks for MX records and connects to port 25 of 10 mail servers", Seconds(13), SpambotModule.RunAsync),
        new("ssh-exfil", "sends 200 MB by SSH on a port of TLS", Seconds(300), SshModule.RunExfilAsync) { Scope = ModuleScope.Size },
        new("ssh-transfer", "sends 200 MB by SSH", Seconds(300), SshModule.RunTransferAsync) { Scope = ModuleScope.Size },
        new("telegram-bot", "asks the Telegram Bot API who it is", Seconds(3), TelegramBotModule.RunAsync),
        new("tunnel-dns", "sends 50 TXT questions with long random names", Seconds(10), TunnelDnsModule.RunAsync),
        new("tunnel-icmp", "sends 80 large echoes with random content (needs root)", Seconds(20), TunnelIcmpModule.RunAsync),
        new("hijack", "looks a name up at a server that is not the system's", Seconds(1), HijackModule.RunAsync) { Experimental = true },
        new("tor", "makes TLS connections to 5 listed Tor relays", Seconds(50), TorModule.RunAsync) { Experimental = true, Scope = ModuleScope.Family },
    ];

    /// <summary>
    /// The modules that are meant: a whole name, or how names begin; each with what stands behind its colon. Null when one is unknown;
    /// <paramref name="complaint"/> says which.
    /// </summary>
    public static IReadOnlyList<(SimulateModule Module, string Scope)>? Find(IReadOnlyList<string> names, out string complaint)
    {
        complaint = "";
        if (names.Count == 0) return [.. All.Where(module => !module.Experimental).Select(module => (module, ""))];
        var chosen = new List<(SimulateModule Module, string Scope)>();
        foreach (string text in names)
        {
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            string name = colon < 0 ? text : text[..colon], scope = colon < 0 ? "" : text[(colon + 1)..];
            SimulateModule[] meant = All.Where(module => module.Name == name).ToArray() is { Length: > 0 } exact
                ? exact : [.. All.Where(module => name.Length > 0 && !module.Experimental && module.Name.StartsWith(name, StringComparison.Ordinal))];
            if (meant.Length == 0)
            {
                complaint = $"no module '{name}'; there are {string.Join(", ", All.Select(module => module.Name))}";
                return null;
            }
            foreach (SimulateModule module in meant)
            {
                if (colon >= 0 && Wrong(module, scope) is { } wrong)
                {
                    complaint = wrong;
                    return null;
                }
                if (chosen.All(known => known.Module != module || known.Scope != scope)) chosen.Add((module, scope));
            }
        }
        return chosen;
    }

    static string? Wrong(SimulateModule module, string scope) => module.Scope switch
    {
        ModuleScope.None => $"{module.Name} takes no scope, so nothing may stand behind its colon",
        ModuleScope.Size when !SshModule.TryReadSize(scope, out _) => $"{module.Name}:{scope}: behind the colon stands a size such as 50MB or 1GB",
        ModuleScope.Family when scope.Length == 0 => $"{module.Name}: behind the colon stands a family that the lists name",
        _ => null,
    };

    static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
