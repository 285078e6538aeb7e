using System.Text;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Kinds of traffic that a site may not want, told by the content and not by lists: VPNs, peer-to-peer, anonymising networks, encrypted DNS. Only what goes from inside
/// to outside; VPNs and peers within the site are low. One finding for a client and protocol.
/// </summary>
sealed class PolicyApps(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "policy";
    /// <summary>50 KB. Full: the client unused longest starts its day anew.</summary>
    internal const int MaxClients = 1 << 10;
    /// <summary>8 KB: servers that were called by a common resolver's name.</summary>
    const int MaxServers = 1 << 10;

    static readonly byte[][] s_commonResolvers =
    [
        .. "dns.google,cloudflare-dns.com,one.one.one.one,cloudflare-gateway.com,quad9.net,opendns.com,umbrella.com,adguard-dns.com,nextdns.io,cleanbrowsing.org,dns.apple.com,dns.google.com"
            .Split(',').Select(Encoding.ASCII.GetBytes),
    ];

    static readonly HashSet<Address> s_commonAddresses =
    [
        .. "1.1.1.1,1.0.0.1,1.1.1.2,1.0.0.2,1.1.1.3,1.0.0.3,8.8.8.8,8.8.4.4,9.9.9.9,9.9.9.10,9.9.9.11,149.112.112.112,149.112.112.10,149.112.112.11,208.67.222.222,208.67.220.220,94.140.14.14,94.140.15.15,"
            .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Parse),
        .. "2606:4700:4700::1111,2606:4700:4700::1001,2001:4860:4860::8888,2001:4860:4860::8844,2620:fe::fe,2620:fe::9,2620:119:35::35,2620:119:53::53,2a10:50c0::ad1:ff,2a10:50c0::ad2:ff".Split(',').Select(Parse),
    ];

    struct Day
    {
        public long FirstTick;
        public long BytesOut;
        public int Flows;
    }

    readonly LruTable<Day> _days = new(MaxClients);
    readonly LastSeen _commonServers = new(MaxServers);

    public override DetectorEvents Sees => DetectorEvents.Dns | DetectorEvents.Ip | DetectorEvents.Tls;
    public override long Evicted => _days.Evicted;
    public override int Tracked => _days.Count;

    static Address Parse(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException($"{text} is no address.");

    /// <summary>DNSCrypt's clients fetch their server's certificate by a query of this form, from the server itself.</summary>
    public override int OnDns(scoped in DnsEvent e)
    {
        if (!e.Query.StartsWith("2.dnscrypt-cert."u8) || e.QueryType != 16 || !isHome(e.Context.Source) || isHome(e.Context.Destination)) return 0;
        AlertThreat threat = Threats.EncryptedDns with { Severity = 2 };
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, 3), (ulong)Detectors.PolicyApps);
        if (!findings.IsDue(finding, threat.Severity, thresholds.HabitInterval, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string client = e.Context.Source.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{client} dnscrypt", threat, ["dnscrypt"], $"{client} asks {e.Context.Destination} for its DNSCrypt certificate.",
            [new("queries", count, 1)], [new("port", e.Context.DestinationPort)], count));
        return threat.Severity;
    }

    public override int OnTls(scoped in TlsEvent e)
    {
        if (e.Sni.IsEmpty) return 0;
        foreach (byte[] name in s_commonResolvers)
        {
            if (!Ends(e.Sni, name)) continue;
            _commonServers.Mark(Mix.Of(e.Context.Destination), findings.Now);
            break;
        }
        return 0;
    }

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.App == App.Unknown || !isHome(e.Context.Source)) return 0;
        // A gateway or a peer of the site's own is nobody's third party, but worth knowing.
        bool inside = isHome(e.Context.Destination) || SpecialAddresses.IsBroadcastOrMulticast(e.Context.Destination);
        switch (e.App)
        {
            case App.WireGuard or App.OpenVpn or App.Pptp or App.L2tp:
                return Raise(in e, inside ? Threats.VpnActivity with { Severity = 2 } : Threats.VpnActivity, "vpn");
            // Telephones call over a foreign network by IPsec (3GPP 33.402), so it is a lesser matter.
            case App.Ike or App.Esp:
                return Raise(in e, Threats.VpnActivity with { Severity = inside ? 1 : 2 }, "vpn");
            case App.BitTorrent or App.EDonkey or App.Gnutella:
                return Raise(in e, inside || !IsPeerOfMany(in e) ? Threats.P2pActivity with { Severity = 2 } : Threats.P2pActivity, "p2p");
            case App.Tor:
                return Raise(in e, inside ? Threats.AnonCircuit with { Severity = 3 } : Threats.AnonCircuit, "anon");
            case App.I2p:
                return Raise(in e, inside ? Threats.AnonCircuit with { Severity = 3 } : Threats.AnonCircuit, "i2p");
            case App.Dot or App.Doq:
                return inside ? 0 : EncryptedDns(in e, "dot");
            case App.Doh:
                return inside ? 0 : EncryptedDns(in e, "doh");
            default:
                return 0;
        }
    }

    int Raise(scoped in IpEvent e, AlertThreat threat, string flag)
    {
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, (ulong)e.App), (ulong)Detectors.PolicyApps);
        if (!findings.IsDue(finding, threat.Severity, thresholds.HabitInterval, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string client = e.Context.Source.ToString(), protocol = Encoding.ASCII.GetString(e.App.Utf8Name());
        findings.Raise(in e, finding, new Finding(Name, $"{client} {protocol}", threat, [flag],
            $"{client} speaks {protocol} with {e.Context.Destination} port {e.Context.DestinationPort}.",
            [new("flows", count, 1)],
            [new("app", 0, protocol), new("port", e.Context.DestinationPort), new("bytesOut", e.BytesOut), new("bytesIn", e.BytesIn), new("seconds", e.Duration / 1e9)], count));
        return threat.Severity;
    }

    /// <summary>A peer or two that were asked once are a contact; more of them, or data, are use.</summary>
    bool IsPeerOfMany(scoped in IpEvent e)
    {
        ref Day day = ref DayOf(Mix.Of(e.Context.Source, (ulong)e.App), e.Context.Tick);
        day.Flows++;
        day.BytesOut += e.PayloadOut + e.PayloadIn;
        return day.Flows >= thresholds.PeerFlows || day.BytesOut >= thresholds.PeerBytes;
    }

    ref Day DayOf(ulong key, long tick)
    {
        int index = _days.GetOrAdd(key, out bool added);
        ref Day day = ref _days[index];
        if (added || tick - day.FirstTick > thresholds.PolicyWindow) day = new Day { FirstTick = tick };
        return ref day;
    }

    int EncryptedDns(scoped in IpEvent e, string flag)
    {
        ulong key = Mix.Of(e.Context.Source);
        ref Day day = ref DayOf(key, e.Context.Tick);
        day.BytesOut += e.PayloadOut;
        bool common = s_commonAddresses.Contains(e.Context.Destination) || _commonServers.Age(Mix.Of(e.Context.Destination), findings.Now) >= 0;
        int severity = day.BytesOut >= thresholds.EncryptedDnsBytes ? 3 : common ? 1 : 2;
        ulong finding = Mix.Of(Mix.Of(key, common ? 1u : 2u), (ulong)Detectors.PolicyApps);
        if (!findings.IsDue(finding, severity, thresholds.HabitInterval, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string client = e.Context.Source.ToString(), protocol = Encoding.ASCII.GetString(e.App.Utf8Name());
        EvidenceFeature[] features = severity == 3 ? [new("bytesOut", day.BytesOut, thresholds.EncryptedDnsBytes)] : [new("flows", count, 1)];
        findings.Raise(in e, finding, new Finding(Name, $"{client} encrypted dns", Threats.EncryptedDns with { Severity = severity }, [flag],
            $"{client} asks {(common ? "a common" : "an uncommon")} resolver, {e.Context.Destination}, by encrypted DNS ({protocol}).",
            features, [new("bytesOutToday", day.BytesOut), new("app", 0, protocol), new("port", e.Context.DestinationPort)], count));
        return severity;
    }

    static bool Ends(ReadOnlySpan<byte> name, ReadOnlySpan<byte> domain) =>
        name.Length >= domain.Length && Ascii.EqualsIgnoreCase(name[^domain.Length..], domain) && (name.Length == domain.Length || name[name.Length - domain.Length - 1] == '.');
}
