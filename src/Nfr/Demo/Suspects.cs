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

    /// <summary>How many hosts the module deals with; null = as many as it is used to.</summary>
    public int? Hosts { get; init; }

    /// <summary>Which host misbehaves, and what threat ids the sensor may call it by. Volumes and hosts are fewer where the demo would last too long.</summary>
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
        Of(30, "tor", "anon_circuit") with { Hosts = 3 },
        Of(31, "imposter", "imposter_domain", "young_imposter_domain", "young_brand_name_domain"),
        Of(32, "tunnel-icmp", "icmp_tunneling"),
        Of(33, "spambot", "spam_sending"),
        Of(34, "telegram-bot", "telegram_bot"),
        Of(35, "ssh-exfil:10MB", "high_volume_ssh"),
        Of(36, "ssh-transfer:24MB", "high_volume_ssh"),
        Of(37, "hijack", "rogue_dns_server"),
    ];

    static Suspect Of(byte host, string module, params string[] threatIds) => new(module, new IPAddress([10, 77, 0, host]), threatIds);
}
