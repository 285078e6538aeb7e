using System.Reflection;
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
    public static readonly AlertThreat IcmpTunneling = new("icmp_tunneling", "High volume of outbound ICMP traffic indicating tunneling", 3);
    public static readonly AlertThreat SinkholedDestination = new("sinkholed_destination", "Traffic to a known sinkhole indicating infection", 4);
    public static readonly AlertThreat OutboundPortScan =
        new("outbound_port_scan", "Outbound TCP port scan indicating hacking tool use or infection", 4);
    public static readonly AlertThreat AnonCircuit =
        new("anon_circuit", "Anonymizing circuit setup indicating infection or evasion attempt", 4, Policy: true);
    public static readonly AlertThreat EncryptedDns =
        new("encrypted_dns", "Encrypted DNS traffic indicating potential infection or evasion", 1, Policy: true);
    public static readonly AlertThreat BadDynamicDns = new("bad_dynamic_dns", "Known bad dynamic DNS provider traffic", 2, Policy: true);
    public static readonly AlertThreat BadTunnel = new("bad_tunnel", "Known bad tunneling provider traffic", 2, Policy: true);
    public static readonly AlertThreat BadIrcTraffic = new("bad_irc_traffic", "Suspicious IRC traffic indicating infection", 4);
    public static readonly AlertThreat VpnActivity = new("vpn_activity", "Third-party VPN use", 3, Policy: true);
    public static readonly AlertThreat P2pActivity = new("p2p_activity", "P2P activity", 3, Policy: true);
    public static readonly AlertThreat UniqueYoungDomainVolume =
        new("unique_young_domain_volume", "Traffic from multiple sources to a unique young domain", 3);
    public static readonly AlertThreat YoungDomain = new("young_domain", "Traffic to an unknown young domain", 1);
    public static readonly AlertThreat BadTld = new("bad_tld", "Traffic to a destination TLD commonly associated with malware", 1);
    public static readonly AlertThreat HighVolumeSsh = new("high_volume_ssh", "High volume of outbound traffic over SSH", 3);
    public static readonly AlertThreat ConnUnusualPortVolume =
        new("conn_unusual_port_volume", "Multiple outbound connections to an unusual server port", 3);
    public static readonly AlertThreat UnusualNetworkPort = new("unusual_network_port", "Traffic to an unusual port", 2);
    public static readonly AlertThreat SuspiciousDomainBeacon = new("suspicious_domain_beacon", "Beaconing to a suspicious domain", 3);

    public static readonly AlertThreat TorDns = new("tor_dns", "Suspicious Tor DNS request", 3, Policy: true);
    public static readonly AlertThreat DnsFailures = new("excessive_dns_failures", "Excessive DNS failures", 2);
    public static readonly AlertThreat UnreachableDomains = new("unreachable_domain_volume", "Multiple requests to unreachable domains", 2);
    public static readonly AlertThreat SuspiciousDomainVolume = new("suspicious_domain_volume", "Multiple requests to suspicious domains", 3);
    public static readonly AlertThreat SuspiciousCluster = new("suspicious_cluster_volume", "Cluster of suspicious requests requiring investigation", 3);

    // Local ids.
    public static readonly AlertThreat Imposter = new("imposter_domain", "Traffic to a suspicious domain impersonating a known brand", 4);
    public static readonly AlertThreat YoungImposter = new("young_imposter_domain", "Traffic to a suspicious young domain impersonating a known brand", 4);
    public static readonly AlertThreat YoungBrandName = new("young_brand_name_domain", "Traffic to a young suspicious domain containing a brand name", 4);
    public static readonly AlertThreat NotDns = new("not_dns", "Traffic on the DNS port that is not DNS indicating tunneling", 3);
    public static readonly AlertThreat RogueDns =
        new("rogue_dns_server", "Traffic to a rogue DNS server indicating infection or a changed configuration", 4);
    public static readonly AlertThreat AddressLookup = new("address_lookup", "Lookup of the own address at a public service", 1, Policy: true);
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
        new("oast_traffic", "Out-of-band application security testing traffic requiring investigation", 4, Policy: true);
    public static readonly AlertThreat CleartextCredentials =
        new("cleartext_credentials", "Credentials sent in clear text", 3, Policy: true);
    public static readonly AlertThreat CleartextProtocol =
        new("cleartext_protocol", "Cleartext protocol used across the network border", 2, Policy: true);

    // Local ids of flows.
    public static readonly AlertThreat HighVolumeFtp = new("high_volume_ftp", "High volume of outbound traffic over FTP", 3);
    public static readonly AlertThreat UploadVolume = new("upload_volume", "Unusually high volume of data sent to one destination", 2);
    public static readonly AlertThreat LongSession = new("long_session", "Outbound session that lasts unusually long", 1);
    public static readonly AlertThreat ProtocolOnOtherPort =
        new("protocol_on_other_port", "Protocol on a port that belongs to another", 2, Policy: true);

    // Local ids of attacks.
    public static readonly AlertThreat LandAttack = new("land_attack", "Packets whose source is their own destination", 3);
    public static readonly AlertThreat SmurfAttack = new("smurf_attack", "Echo requests to a broadcast address, or replies that nobody asked for", 3);
    public static readonly AlertThreat FragmentAttack = new("fragment_attack", "Fragments that fit no datagram, made to crash or to deceive", 3);
    public static readonly AlertThreat AmbiguousTraffic = new("ambiguous_traffic", "A connection whose bytes can be read in two ways, indicating evasion", 2);
    public static readonly AlertThreat FragmentedIcmp = new("fragmented_icmp", "ICMP messages in fragments", 2);
    public static readonly AlertThreat ManyResets = new("many_resets", "Many resets indicating a scan or forged connections", 2);
    public static readonly AlertThreat BadPort = new("bad_port", "Traffic to a port that nobody should use", 2);
    public static readonly AlertThreat PasswordGuessing = new("password_guessing", "Many failed log-ins indicating password guessing", 3);
    public static readonly AlertThreat PasswordSpraying = new("password_spraying", "Failed log-ins at many servers indicating password spraying", 3);
    public static readonly AlertThreat GuessedPassword = new("guessed_password", "A log-in that succeeded after many that failed", 4);
    public static readonly AlertThreat SpamSending = new("spam_sending", "Mail sent directly to many servers indicating a spam bot", 4);
    public static readonly AlertThreat TelegramBot = new("telegram_bot", "Telegram Bot API traffic indicating possible infection", 4);
    public static readonly AlertThreat AwsRebinding = new("aws_rebinding", "Domain resolves to 169.254.169.254 indicating an AWS rebinding attack", 4);
    public static readonly AlertThreat HttpFailures = new("excessive_http_failures", "Excessive number of HTTP failures", 2);

    // Local ids of what other sensors' rules have matched; how grave it is, each rule says.
    public static readonly AlertThreat SignatureMatch = new("signature_match", "Traffic that matches a signature of another sensor", 3);
    public static readonly AlertThreat SignaturePolicy = new("signature_policy", "Traffic that matches a policy signature of another sensor", 2, Policy: true);

    /// <summary>The ids that the engine's own documents show; all others are local.</summary>
    static readonly HashSet<string> s_engineIds = new(StringComparer.Ordinal)
    {
        "c2_communication", "suspicious_ip_trickbot", "dga_volume", "multiple_long_hostnames", "sinkholed_destination", "outbound_port_scan", "anon_circuit", "encrypted_dns_suspicious",
        "encrypted_dns", "bad_dynamic_dns", "bad_tunnel", "bad_irc_traffic", "high_volume_ssh", "icmp_tunneling", "suspicious_domain_beacon", "suspicious_domain_volume",
        "suspicious_cluster_volume", "unique_young_domain_volume", "conn_unusual_port_volume", "tor_dns", "vpn_activity", "p2p_activity", "unreachable_domain_volume",
        "excessive_dns_failures", "unusual_network_port", "young_domain", "bad_tld",
    };

    /// <summary>Every threat above.</summary>
    public static readonly IReadOnlyList<AlertThreat> All =
        [.. typeof(Threats).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.FieldType == typeof(AlertThreat)).Select(f => (AlertThreat)f.GetValue(null)!)];

    /// <summary>Ids that the engine's documents do not show.</summary>
    public static readonly IReadOnlyList<AlertThreat> Local = [.. All.Where(t => !s_engineIds.Contains(t.Id))];

    /// <summary>What a list without a header is about, by the start of its file name or else a word in it; the first that fits. Flags are those of the engine.</summary>
    static readonly (string Prefix, AlertThreat Threat, string Flag)[] s_byFileName =
    [
        ("c2", C2Communication, "c2"), ("feodo", C2Communication, "c2"), ("threatfox", C2Communication, "c2"), ("sslbl", C2Communication, "c2"),
        ("ja3", C2Communication, "c2"), ("botnet", C2Communication, "c2"), ("sinkhole", SinkholedDestination, "sinkholed"),
        ("phishing", Phishing, "phishing"), ("malware", MalwareDistribution, "dropper"), ("urlhaus", MalwareDistribution, "dropper"),
        ("dropper", MalwareDistribution, "dropper"), ("mining", Cryptomining, "cryptomining"), ("miner", Cryptomining, "cryptomining"),
        ("cryptomining", Cryptomining, "cryptomining"), ("onion", TorDns, "tor_dns"), ("tor", AnonCircuit, "anon"), ("i2p", AnonCircuit, "i2p"),
        ("freenet", AnonCircuit, "freenet"), ("anon", AnonCircuit, "anon"), ("vpn", VpnActivity, "anon"), ("p2p", P2pActivity, "p2p"),
        ("bittorrent", P2pActivity, "p2p"), ("dynamic_dns", BadDynamicDns, "freedns"), ("dyndns", BadDynamicDns, "freedns"),
        ("oast", OutOfBandTesting, "oast"), ("interactsh", OutOfBandTesting, "oast"), ("tunnel", BadTunnel, "blocklist"),
        ("dns_tunnel", BadTunnel, "blocklist"), ("rogue_dns", RogueDns, "bad_dns"), ("ipinfo", AddressLookup, "ip_lookup"), ("ip_lookup", AddressLookup, "ip_lookup"),
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

    /// <summary>By the start of a file's name, else by a word in it; a name that says nothing means C2.</summary>
    public static (AlertThreat Threat, string Flag) ByFileName(string fileName)
    {
        foreach ((string prefix, AlertThreat threat, string flag) in s_byFileName)
        {
            if (fileName.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return (threat, flag);
        }
        foreach ((string prefix, AlertThreat threat, string flag) in s_byFileName)
        {
            int at = fileName.IndexOf(prefix, StringComparison.OrdinalIgnoreCase);
            if (at > 0 && !char.IsLetterOrDigit(fileName[at - 1])) return (threat, flag);
        }
        return (C2Communication, "c2");
    }

    /// <summary>Threats whose lists name services that people use, popular ones among them, rather than places that only malware visits.</summary>
    public static bool IsService(AlertThreat threat) => threat.Policy;

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
