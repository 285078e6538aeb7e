using System.Net;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>A host of the office that misbehaves.</summary>
/// <param name="Module">What it runs: a simulator's module, with its scope behind a colon.</param>
/// <param name="Address">The one host that runs it.</param>
/// <param name="ThreatIds">Any one of them, about that host, counts as found.</param>
public sealed record Suspect(string Module, IPAddress Address, IReadOnlyList<string> ThreatIds)
{
    /// <summary>The module without its scope.</summary>
    public string Name => Module.Split(':')[0];

    /// <summary>Within this time after its start the alert must have been raised: the module's own run time.</summary>
    public TimeSpan Within => SimulateModules.All.First(module => module.Name == Name).RunTime;

    /// <summary>Which host misbehaves, and what threat ids the sensor may call it by.</summary>
    public static IReadOnlyList<Suspect> All { get; } =
    [
        Of(21, "scan", "outbound_port_scan"),
        Of(22, "dga", "dga_volume"),
        Of(23, "tunnel-dns", "multiple_long_hostnames"),
        Of(24, "c2", "c2_communication"),
        Of(25, "miner", "cryptomining"),
        Of(26, "cleartext", "cleartext_credentials", "cleartext_protocol"),
        Of(27, "sink", "sinkholed_destination"),
        Of(28, "oast", "oast_traffic"),
        Of(29, "irc", "bad_irc_traffic"),
        Of(30, "tor", "anon_circuit"),
    ];

    static Suspect Of(byte host, string module, params string[] threatIds) => new(module, new IPAddress([10, 77, 0, host]), threatIds);
}
