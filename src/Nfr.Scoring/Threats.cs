using Nfr.Events;

namespace Nfr.Scoring;

/// <summary>
/// Every threat id this sensor can raise, with the engine's title and severity. Ids marked local are ours (the engine's own id could not
/// be seen); a dictionary can map them later.
/// </summary>
public static class Threats
{
    public static readonly AlertThreat C2Communication = new("c2_communication", "C2 communication attempt indicating infection", 5);
    public static readonly AlertThreat DgaVolume = new("dga_volume", "Multiple requests for DGA domains indicating infection", 4);
    public static readonly AlertThreat MultipleLongHostnames =
        new("multiple_long_hostnames", "Multiple requests to long hostnames indicating DNS tunneling", 4);
    public static readonly AlertThreat SinkholedDestination = new("sinkholed_destination", "Traffic to a known sinkhole indicating infection", 4);
    public static readonly AlertThreat OutboundPortScan =
        new("outbound_port_scan", "Outbound TCP port scan indicating hacking tool use or infection", 4);
    public static readonly AlertThreat AnonCircuit =
        new("anon_circuit", "Anonymizing circuit setup indicating infection or evasion attempt", 4);
    public static readonly AlertThreat EncryptedDns =
        new("encrypted_dns", "Encrypted DNS traffic indicating potential infection or evasion", 1, Policy: true);
    public static readonly AlertThreat BadDynamicDns = new("bad_dynamic_dns", "Known bad dynamic DNS provider traffic", 2);
    public static readonly AlertThreat BadTunnel = new("bad_tunnel", "Known bad tunneling provider traffic", 2);
    public static readonly AlertThreat BadIrcTraffic = new("bad_irc_traffic", "Suspicious IRC traffic indicating infection", 4);
    public static readonly AlertThreat VpnActivity = new("vpn_activity", "Third-party VPN use", 3, Policy: true);
    public static readonly AlertThreat P2pActivity = new("p2p_activity", "P2P activity", 3, Policy: true);
    public static readonly AlertThreat UniqueYoungDomainVolume =
        new("unique_young_domain_volume", "Traffic from multiple sources to a unique young domain", 3);
    public static readonly AlertThreat YoungDomain = new("young_domain", "Traffic to an unknown young domain", 1);
    public static readonly AlertThreat BadTld = new("bad_tld", "Traffic to a destination TLD commonly associated with malware", 1);
    public static readonly AlertThreat SuspiciousDomainBeacon = new("suspicious_domain_beacon", "Beaconing to a suspicious domain", 3);

    // Local ids.
    public static readonly AlertThreat Imposter = new("imposter_domain", "Traffic to a suspicious domain impersonating a known brand", 4);
    public static readonly AlertThreat YoungImposter = new("young_imposter_domain", "Traffic to a suspicious young domain impersonating a known brand", 4);
    public static readonly AlertThreat YoungBrandName = new("young_brand_name_domain", "Traffic to a young suspicious domain containing a brand name", 4);
    public static readonly AlertThreat InternalPortScan =
        new("internal_port_scan", "Internal TCP port scan indicating lateral movement or hacking tool use", 3);
    public static readonly AlertThreat InboundPortScan = new("inbound_port_scan", "Port scan from outside", 2);
    public static readonly AlertThreat PingSweep = new("ping_sweep", "Ping sweep indicating network discovery", 2);
    public static readonly AlertThreat LateralMovement =
        new("lateral_movement", "Administrative connections to many hosts indicating lateral movement", 3);
    public static readonly AlertThreat Cryptomining = new("cryptomining", "Cryptomining indicating infection or resource abuse", 4);
    public static readonly AlertThreat Phishing = new("phishing_destination", "Traffic to a malicious spear phishing site", 5);
    public static readonly AlertThreat MalwareDistribution = new("malware_distribution", "Traffic to a known malware distribution site", 4);
    public static readonly AlertThreat OutOfBandTesting =
        new("oast_traffic", "Out-of-band application security testing traffic requiring investigation", 4);
    public static readonly AlertThreat CleartextCredentials =
        new("cleartext_credentials", "Credentials sent in clear text", 3, Policy: true);
    public static readonly AlertThreat CleartextProtocol =
        new("cleartext_protocol", "Cleartext protocol used across the network border", 2, Policy: true);

    public static readonly IReadOnlyList<AlertThreat> All =
    [
        C2Communication, DgaVolume, MultipleLongHostnames, SinkholedDestination, OutboundPortScan, AnonCircuit, EncryptedDns, BadDynamicDns,
        BadTunnel, BadIrcTraffic, VpnActivity, P2pActivity, InternalPortScan, Cryptomining, Phishing, MalwareDistribution, OutOfBandTesting,
        CleartextCredentials, CleartextProtocol, InboundPortScan, PingSweep, LateralMovement,
        UniqueYoungDomainVolume, YoungDomain, BadTld, Imposter, YoungImposter, YoungBrandName,
        SuspiciousDomainBeacon,
    ];

    /// <summary>Ids that the engine's documents do not show.</summary>
    public static readonly IReadOnlyList<AlertThreat> Local =
        [InternalPortScan, Cryptomining, Phishing, MalwareDistribution, OutOfBandTesting, CleartextCredentials, CleartextProtocol,
        InboundPortScan, PingSweep, LateralMovement,
        Imposter, YoungImposter, YoungBrandName];

    /// <summary>What a list without a header is about, by the start of its file name; the first that fits. Flags are those of the engine.</summary>
    static readonly (string Prefix, AlertThreat Threat, string Flag)[] s_byFileName =
    [
        ("c2", C2Communication, "c2"), ("feodo", C2Communication, "c2"), ("threatfox", C2Communication, "c2"), ("sslbl", C2Communication, "c2"),
        ("ja3", C2Communication, "c2"), ("botnet", C2Communication, "c2"), ("sinkhole", SinkholedDestination, "sinkholed"),
        ("phishing", Phishing, "phishing"), ("malware", MalwareDistribution, "dropper"), ("urlhaus", MalwareDistribution, "dropper"),
        ("dropper", MalwareDistribution, "dropper"), ("mining", Cryptomining, "cryptomining"), ("miner", Cryptomining, "cryptomining"),
        ("cryptomining", Cryptomining, "cryptomining"), ("tor", AnonCircuit, "anon"), ("onion", AnonCircuit, "anon"), ("i2p", AnonCircuit, "i2p"),
        ("freenet", AnonCircuit, "freenet"), ("anon", AnonCircuit, "anon"), ("vpn", VpnActivity, "anon"), ("p2p", P2pActivity, "p2p"),
        ("bittorrent", P2pActivity, "p2p"), ("dynamic_dns", BadDynamicDns, "freedns"), ("dyndns", BadDynamicDns, "freedns"),
        ("oast", OutOfBandTesting, "oast"), ("interactsh", OutOfBandTesting, "oast"), ("tunnel", BadTunnel, "blocklist"),
        ("doh", EncryptedDns, "doh"), ("dot", EncryptedDns, "dot"), ("irc", BadIrcTraffic, "irc"),
    ];

    public static bool TryFind(ReadOnlySpan<char> id, out AlertThreat threat)
    {
        foreach (AlertThreat candidate in All)
        {
            if (!id.SequenceEqual(candidate.Id)) continue;
            threat = candidate;
            return true;
        }
        threat = C2Communication;
        return false;
    }

    /// <summary>By the start of a file's name; a name that says nothing means C2.</summary>
    public static (AlertThreat Threat, string Flag) ByFileName(string fileName)
    {
        foreach ((string prefix, AlertThreat threat, string flag) in s_byFileName)
        {
            if (fileName.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return (threat, flag);
        }
        return (C2Communication, "c2");
    }

    /// <summary>The flag that goes with a threat when a list names the threat but no flags.</summary>
    public static string FlagOf(AlertThreat threat)
    {
        foreach ((_, AlertThreat candidate, string flag) in s_byFileName)
        {
            if (candidate == threat) return flag;
        }
        return "blocklist";
    }
}
