using System.Globalization;
using System.Runtime.CompilerServices;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Sequential hypothesis test on first contacts (Jung et al. 2004): a source whose first contacts with a target (host and port) mostly fail is
/// scanning. Outbound, internal and inbound are counted apart, and so are TCP, UDP and pings. Five things are no scan: one dead server tried again (a target
/// counts once), an uplink that is down (web ports weigh half and are not enough alone; nobody gets through), peer-to-peer's dead peers (every
/// host on a port of its own), traceroute, and a mirror of one direction.
/// </summary>
/// <remarks>
/// Live, a refused attempt is known 5 s after the refusal and one without an answer 10 s after its last packet (<see cref="DecoderOptions.TcpCloseTimeout"/>,
/// <see cref="DecoderOptions.TcpAttemptTimeout"/>): that much later than the fifth failure a TCP scan is told. UDP and pings take 60 s (<see cref="DecoderOptions.DatagramIdleTimeout"/>).
/// </remarks>
sealed class PortScan(Thresholds thresholds, Func<Address, bool> isHome, MirrorSides sides, Findings findings) : Detector
{
    public const string Name = "port_scan";
    /// <summary>1.8 MB. Sources that failed twice. Full: the one unused longest that has not failed a third time goes first.</summary>
    internal const int MaxSources = 1 << 14;
    /// <summary>1 MB. Sources that failed once. Full: the one that failed longest ago begins anew.</summary>
    internal const int MaxFirstFailures = 1 << 17;
    /// <summary>2 MB. Full: the contact seen longest ago counts as a first contact again.</summary>
    const int MaxContacts = 1 << 18;
    /// <summary>0.2 MB. What is known of a whole network: one on board, one a partition else. Full: the one silent longest begins anew.</summary>
    const int MaxSites = 1 << 10;
    const ulong OnlySite = 1;
    const long Never = long.MinValue / 2;
    const ushort Echo = 0;

    [InlineArray(8)]
    struct Failing
    {
        (ulong Source, long Tick) _first;
    }

    struct Site
    {
        public long LastOutboundAnswer;
        public long InboundHour;
        public int InboundRaised;
        public int NextFailing;
        public Failing Failing;
    }

    enum Way : byte
    {
        Outbound,
        Internal,
        Inbound,
    }

    struct Source
    {
        public long FirstTick;
        public long LastFailure;
        public Distinct Hosts;
        public Distinct Ports;
        public float Walk;
        public uint LastNetwork;
        public int Failed;
        public int FailedService;
        public int Answered;
        /// <summary>Failed contacts with a host of the same network as the one before.</summary>
        public int Near;
        public int Probes;
    }

    readonly LruTable<Source> _sources = new(MaxSources);
    readonly FirstFailures _once = new(MaxFirstFailures);
    readonly SeenSet _contacts = new(MaxContacts);
    readonly LruTable<Site> _sites = new(MaxSites);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;
    public override long Evicted => _sources.Evicted;
    public override int Tracked => _sources.Count;

    public override int OnIp(scoped in IpEvent e)
    {
        ContactOutcome outcome = FirstContact.Of(in e, out ContactKind kind);
        if (outcome is ContactOutcome.Open or ContactOutcome.OneSided) return 0;
        int siteIndex = _sites.GetOrAdd(OnlySite, out bool isNew);
        ref Site site = ref _sites[siteIndex];
        if (isNew) site = new Site { LastOutboundAnswer = Never, InboundHour = Never };
        // Where only one direction is seen, datagrams are never answered.
        if (kind != ContactKind.Tcp && sides.AreOne) return 0;
        bool failed = outcome == ContactOutcome.Failed;
        bool sourceHome = isHome(e.Context.Source), destinationHome = isHome(e.Context.Destination);
        Way way = !sourceHome ? Way.Inbound : destinationHome ? Way.Internal : Way.Outbound;
        if (!failed && way == Way.Outbound) site.LastOutboundAnswer = Math.Max(site.LastOutboundAnswer, e.Context.Tick + e.Duration);

        ushort port = kind == ContactKind.Ping ? Echo : e.Context.DestinationPort;
        ulong sourceKey = KeyOf(e.Context.Source, way, kind);
        ulong host = Mix.Of(e.Context.Destination);
        if (!_contacts.Add(Mix.Of(sourceKey, host + port), findings.Now, thresholds.ScanWindow)) return 0;
        int index = _sources.Find(sourceKey);
        if (!failed)
        {
            // A source without failures needs no entry: it is at the walk's start.
            if (index < 0) return 0;
            ref Source lucky = ref _sources[index];
            lucky.Answered++;
            lucky.Walk = (float)Math.Max(lucky.Walk - thresholds.ScanStep, thresholds.ScanFloor);
            return 0;
        }

        ulong finding = FindingOf(sourceKey);
        bool often = FirstContact.FailsOften(kind, port) && way != Way.Internal && (e.Notes & FlowNotes.Probe) == 0;
        int what = Distinct.BitOf(host) | (Distinct.BitOf(Mix.Of(port)) << 7) | (often ? 1 << 14 : 0);
        if (index < 0 || e.Context.Tick - _sources[index].LastFailure > thresholds.ScanWindow)
        {
            if (way == Way.Outbound) NoteFailing(ref site, sourceKey);
            if (!_once.TryTake(sourceKey, findings.Now, thresholds.ScanWindow, ref what)) return 0;
            if (index < 0) index = _sources.GetOrAdd(sourceKey, out _);
            _sources[index] = new Source { FirstTick = e.Context.Tick };
            Add(ref _sources[index], what);
        }
        ref Source source = ref _sources[index];
        what = Distinct.BitOf(host) | (Distinct.BitOf(Mix.Of(port)) << 7) | (often ? 1 << 14 : 0);
        Add(ref source, what);
        uint network = FirstContact.NetworkOf(e.Context.Destination);
        if (network == source.LastNetwork) source.Near++;
        source.LastNetwork = network;
        source.LastFailure = Math.Max(source.LastFailure, e.Context.Tick);
        if ((e.Notes & FlowNotes.Probe) != 0) source.Probes++;
        if (source.Failed == 3) _sources.Protect(index);
        if (way == Way.Outbound) NoteFailing(ref site, sourceKey);

        int hosts = source.Hosts.Count, ports = source.Ports.Count;
        if (source.Walk < thresholds.ScanTrip || !TryEnough(in source, kind, way, hosts, ports, out EvidenceFeature enough)
            || (way == Way.Outbound && ports < thresholds.OutagePorts && UplinkIsDown(in site)))
        {
            // Lines are written for those that may well become a finding.
            if (source.Failed >= 3) findings.Keep(finding, in e);
            return 0;
        }
        // Far above the trip line it would take as long to come down again: the walk stops there, as the test does.
        source.Walk = (float)Math.Min(source.Walk, thresholds.ScanTrip * 2);
        AlertThreat threat = ThreatOf(kind, way);
        if (way == Way.Inbound && !MayTellInbound(ref site, finding)) return threat.Severity;
        if (findings.IsDue(finding, threat.Severity, out long count)) Raise(in e, finding, in source, kind, way, threat, enough, count);
        else findings.Keep(finding, in e);
        return threat.Severity;
    }

    static ulong KeyOf(in Address source, Way way, ContactKind kind) => Mix.Of(source, 1 + (ulong)way + ((ulong)kind << 4));

    static ulong FindingOf(ulong sourceKey) => Mix.Of(sourceKey, (ulong)Detectors.PortScan);

    /// <summary>A scan in TCP of this source has been raised.</summary>
    public static bool HasToldOf(in Address source, Findings findings)
    {
        for (Way way = Way.Outbound; way <= Way.Inbound; way++)
        {
            if (findings.IsKnown(FindingOf(KeyOf(source, way, ContactKind.Tcp)))) return true;
        }
        return false;
    }

    void Add(ref Source source, int what)
    {
        bool often = (what & (1 << 14)) != 0;
        source.Hosts.AddBit(what & 0x7F);
        source.Ports.AddBit((what >> 7) & 0x7F);
        source.Failed++;
        if (!often) source.FailedService++;
        source.Walk += (float)(often ? thresholds.ScanStep / 2 : thresholds.ScanStep);
    }

    /// <summary>The test alone does not know what else fails: enough failures of a kind that ordinary clients do not have, on targets that lie in a row or a column.</summary>
    bool TryEnough(in Source source, ContactKind kind, Way way, int hosts, int ports, out EvidenceFeature feature)
    {
        // Two targets may share a bit of the counters.
        int different = Math.Max(hosts, ports) + 1;
        switch (kind)
        {
            case ContactKind.Ping:
                // Clients measure the way to servers all over the world; sweeps go through networks.
                feature = way == Way.Outbound ? new("neighbouringHosts", source.Near, thresholds.ScanPings, 0.5) : new("silentHosts", source.Failed, thresholds.ScanPings, 0.5);
                return feature.Value >= feature.Limit;
            case ContactKind.Udp:
                feature = new("failedServiceContacts", source.FailedService, thresholds.ScanUdpFailures, 0.5);
                return source.FailedService >= thresholds.ScanUdpFailures && different >= thresholds.ScanUdpFailures && Math.Min(hosts, ports) * 3 <= source.Failed;
            default:
                feature = new("failedServiceContacts", source.FailedService, thresholds.ScanFailures, 0.5);
                if (different < thresholds.ScanFailures || Math.Min(hosts, ports) * 2 > source.Failed) return false;
                if (source.FailedService >= thresholds.ScanFailures) return true;
                feature = new("neighbouringHosts", source.Near, thresholds.ScanNeighbours, 0.5);
                if (source.Near >= thresholds.ScanNeighbours && hosts > thresholds.ScanNeighbours) return true;
                feature = new("hosts", hosts, thresholds.ScanWebHosts, 0.5);
                return hosts >= thresholds.ScanWebHosts;
        }
    }

    static AlertThreat ThreatOf(ContactKind kind, Way way) => (way, kind) switch
    {
        (Way.Inbound, _) => Threats.InboundPortScan,
        (_, ContactKind.Ping) => Threats.PingSweep,
        (Way.Outbound, ContactKind.Tcp) => Threats.OutboundPortScan,
        (Way.Outbound, _) => s_outboundUdp,
        (_, ContactKind.Tcp) => Threats.InternalPortScan,
        _ => s_internalUdp,
    };

    static readonly AlertThreat s_outboundUdp = Threats.OutboundPortScan with { Title = "Outbound UDP port scan indicating hacking tool use or infection", Severity = 3 };
    static readonly AlertThreat s_internalUdp = Threats.InternalPortScan with { Title = "Internal UDP port scan indicating lateral movement or hacking tool use", Severity = 2 };

    /// <summary>Whoever has a public address is scanned all day: a few sources an hour are told, the others only score their events.</summary>
    bool MayTellInbound(ref Site site, ulong finding)
    {
        if (findings.IsKnown(finding)) return true;
        if (findings.Now - site.InboundHour >= thresholds.QuietInterval) (site.InboundHour, site.InboundRaised) = (findings.Now, 0);
        return ++site.InboundRaised <= thresholds.ScanInboundAlerts;
    }

    void Raise(scoped in IpEvent e, ulong finding, in Source source, ContactKind kind, Way way, AlertThreat threat, in EvidenceFeature enough, long count)
    {
        string scanner = e.Context.Source.ToString();
        double seconds = Math.Max(0, e.Context.Tick - source.FirstTick) / 1e9;
        int hosts = source.Hosts.Count, ports = source.Ports.Count;
        string direction = way switch { Way.Outbound => "outbound", Way.Internal => "internal", _ => "inbound" };
        string what = kind switch { ContactKind.Tcp => "tcp", ContactKind.Udp => "udp", _ => "ping" };
        string last = kind == ContactKind.Ping ? e.Context.Destination.ToString() : string.Create(CultureInfo.InvariantCulture, $"{e.Context.Destination} port {e.Context.DestinationPort}");
        string targets = kind == ContactKind.Ping ? $"about {hosts} hosts" : $"about {hosts} hosts and {ports} ports";
        findings.Raise(in e, finding, new Finding(Name, $"{scanner} {direction} {what}", threat, [],
            string.Create(CultureInfo.InvariantCulture,
                $"{scanner} failed {source.Failed} of {source.Failed + source.Answered} first contacts ({what}) on {targets} within {seconds:0.0} s, last {last}."),
            [new("logLikelihood", source.Walk, thresholds.ScanTrip, 0.5), enough],
            [
                new("failedContacts", source.Failed), new("failedServiceContacts", source.FailedService), new("answeredContacts", source.Answered), new("hosts", hosts),
                new("ports", ports), new("probes", source.Probes), new("seconds", seconds), new("windowSeconds", thresholds.ScanWindow / 1e9),
            ],
            count));
    }

    void NoteFailing(ref Site site, ulong sourceKey)
    {
        foreach (ref (ulong Source, long Tick) failing in site.Failing)
        {
            if (failing.Source != sourceKey) continue;
            failing.Tick = findings.Now;
            return;
        }
        site.Failing[site.NextFailing] = (sourceKey, findings.Now);
        site.NextFailing = (site.NextFailing + 1) % 8;
    }

    bool UplinkIsDown(in Site site)
    {
        if (findings.Now - site.LastOutboundAnswer < thresholds.OutageSilence) return false;
        int sources = 0;
        foreach ((ulong source, long tick) in site.Failing)
        {
            if (source != 0 && findings.Now - tick < thresholds.OutageSilence) sources++;
        }
        return sources >= thresholds.OutageSources;
    }
}
