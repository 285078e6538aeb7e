using Nfr.Config;
using Serilog;

namespace Nfr.Commands;

/// <summary>What "nfr read" prints instead of sending.</summary>
public enum PrintMode
{
    None,
    Events,
    Alerts,
}

/// <summary>The options of "nfr read", checked.</summary>
public sealed record ReadOptions
{
    public required IReadOnlyList<string> Files { get; init; }
    public const string Pcap = "pcap";
    public const string Auto = "auto";

    /// <summary>pcap, or one of <see cref="Logs.LogFormats.Words"/>; auto is told by each file's first bytes, pcap among them.</summary>
    public string Format { get; init; } = Pcap;
    /// <summary>all, dns, ip, http or tls.</summary>
    public string Type { get; init; } = "all";
    public PrintMode Print { get; init; }
    /// <summary>Show the ledger at the end.</summary>
    public bool Stats { get; init; }
    /// <summary>The ledger as one JSON object on stdout.</summary>
    public bool Json { get; init; }
}

/// <summary>The options of "nfr start".</summary>
public sealed record StartOptions
{
    /// <summary>In place of an exit code: it has drained and is to begin anew with what the config says now.</summary>
    public const int Again = -1;

    /// <summary>Whether the config could be started with as it is now on disk; tells its faults on stderr.</summary>
    public Func<bool> IsConfigGood { get; init; } = static () => true;
}

/// <summary>What a run is given: the config and scope, both without faults, and where to speak.</summary>
/// <param name="Config">The whole config.</param>
/// <param name="Scope">The groups of its scope file, or the built-in one.</param>
/// <param name="Terminal">stdout and stderr.</param>
/// <param name="Log">The logger; the command disposes it after the run.</param>
public sealed record RunContext(NfrConfig Config, IReadOnlyList<ScopeGroupSection> Scope, Terminal Terminal, ILogger Log);

/// <summary>What the commands do once the command line is understood; Program binds it. Each returns an exit code.</summary>
public sealed record Wiring
{
    public required Func<RunContext, ReadOptions, CancellationToken, int> Read { get; init; }
    public required Func<RunContext, StartOptions, CancellationToken, int> Start { get; init; }
    /// <summary>The account calls of the engine at an address, reached as the config says (proxy, TLS).</summary>
    public required Func<string, EngineConfig, AccountApi> Account { get; init; }
    /// <summary>Where this box, if it is an appliance, keeps what an update needs.</summary>
    internal Update.AppliancePaths Appliance { get; init; } = new();
    /// <summary>Where the config is when -c does not say.</summary>
    public string DefaultConfig { get; init; } = ConfigFile.DefaultPath;
}
