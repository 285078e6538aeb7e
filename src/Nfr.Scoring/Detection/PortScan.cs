using System.Numerics;
using System.Runtime.CompilerServices;
using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Sequential hypothesis test on first contacts (Jung et al. 2004): a source whose first contacts with a target (host and TCP port) mostly
/// fail is scanning. Outbound and internal are counted apart. Three things are no scan: one dead server tried again (a target counts
/// once), an uplink that is down (web ports weigh half and are not enough alone; nobody gets through), and peer-to-peer's dead peers
/// (every host on a port of its own).
/// </summary>
sealed class PortScan(Thresholds thresholds, Func<Wire.Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "port_scan";
    /// <summary>About 4 MB. Full: the source unused longest that has not failed twice goes first.</summary>
    internal const int MaxSources = 1 << 15;
    /// <summary>2 MB. Full: the contact seen longest ago counts as a first contact again.</summary>
    const int MaxContacts = 1 << 18;
    const byte Tcp = 6, Acknowledge = 16;

    [InlineArray(4)]
    struct Bits
    {
        ulong _first;
    }

    struct Source
    {
        public long FirstTick;
        public long LastFailure;
        public float Walk;
        public int Failed;
        public int FailedService;
        public int Answered;
        public Bits Hosts;
        public Bits Ports;
    }

    readonly LruTable<Source> _sources = new(MaxSources);
    readonly SeenSet _contacts = new(MaxContacts);
    readonly (ulong Source, long Tick)[] _failing = new (ulong, long)[8];
    int _nextFailing;
    long _lastOutboundAnswer = long.MinValue / 2;

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override long Evicted => _sources.Evicted;
    public override int Tracked => _sources.Count;

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.Context.Protocol != Tcp || (e.Notes & FlowNotes.Midstream) != 0) return 0;
        bool failed = e.State is ConnectionState.S0 or ConnectionState.REJ or ConnectionState.RSTOS0 or ConnectionState.SH;
        // A client that acknowledges or sends data has been answered: we only do not see that direction.
        if (e.State == ConnectionState.S0 && ((e.TcpFlags & Acknowledge) != 0 || e.PayloadOut > 0)) return 0;
        // A connection that carried nothing says neither: it may be a scanner's open port.
        bool answered = !failed && e.PayloadIn > 0 && e.State is not (ConnectionState.OTH or ConnectionState.RSTRH or ConnectionState.SHR);
        if (!failed && !answered || !isHome(e.Context.Source)) return 0;
        bool outbound = !isHome(e.Context.Destination);
        if (answered && outbound) _lastOutboundAnswer = Math.Max(_lastOutboundAnswer, e.Context.Tick + e.Duration);

        ushort port = e.Context.DestinationPort;
        ulong sourceKey = Mix.Of(e.Context.Source, outbound ? 1u : 2u);
        ulong host = Mix.Of(e.Context.Destination);
        bool first = _contacts.Add(Mix.Of(sourceKey, host + port), findings.Now, thresholds.ScanWindow);
        ulong finding = Mix.Of(sourceKey, (ulong)Detectors.PortScan);
        if (!first) return 0;
        int index = failed ? _sources.GetOrAdd(sourceKey, out _) : _sources.Find(sourceKey);
        // A source without failures needs no entry: it is at the walk's start.
        if (index < 0) return 0;
        ref Source source = ref _sources[index];
        if (source.Failed == 0 || e.Context.Tick - source.LastFailure > thresholds.ScanWindow) source = new Source { FirstTick = e.Context.Tick };
        if (answered)
        {
            source.Answered++;
            source.Walk = (float)Math.Max(source.Walk - thresholds.ScanStep, thresholds.ScanFloor);
            return 0;
        }
        bool web = port is 80 or 443;
        source.LastFailure = Math.Max(source.LastFailure, e.Context.Tick);
        source.Failed++;
        if (!web) source.FailedService++;
        source.Walk += (float)(web ? thresholds.ScanStep / 2 : thresholds.ScanStep);
        Set(ref source.Hosts, host);
        Set(ref source.Ports, Mix.Of(port));
        if (source.Failed == 2) _sources.Protect(index);
        if (outbound) NoteFailing(sourceKey);

        int hosts = Count(in source.Hosts), ports = Count(in source.Ports);
        bool enough = source.FailedService >= thresholds.ScanFailures || hosts >= thresholds.ScanWebHosts;
        bool shape = Math.Min(hosts, ports) * 2 <= source.Failed;
        if (source.Walk < thresholds.ScanTrip || !enough || !shape || (outbound && ports < thresholds.OutagePorts && UplinkIsDown()))
        {
            if (source.Failed >= 2) findings.Keep(finding, in e);
            return 0;
        }
        // Far above the trip line it would take as long to come down again: the walk stops there, as the test does.
        source.Walk = (float)Math.Min(source.Walk, thresholds.ScanTrip * 2);
        var threat = outbound ? Threats.OutboundPortScan : Threats.InternalPortScan;
        if (!findings.IsDue(finding, threat.Severity, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string scanner = e.Context.Source.ToString();
        double seconds = Math.Max(0, e.Context.Tick - source.FirstTick) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, $"{scanner} {(outbound ? "outbound" : "internal")}", threat, [],
            $"{scanner} failed {source.Failed} of {source.Failed + source.Answered} first contacts on about {hosts} hosts and {ports} ports " +
            $"within {seconds:0.0} s, last {e.Context.Destination} port {port}.",
            [
                new("logLikelihood", source.Walk, thresholds.ScanTrip, 0.5),
                source.FailedService >= thresholds.ScanFailures
                    ? new("failedServiceContacts", source.FailedService, thresholds.ScanFailures, 0.5) : new("hosts", hosts, thresholds.ScanWebHosts, 0.5),
            ],
            [
                new("failedContacts", source.Failed), new("failedServiceContacts", source.FailedService), new("answeredContacts", source.Answered), new("hosts", hosts),
                new("ports", ports), new("seconds", seconds), new("windowSeconds", thresholds.ScanWindow / 1e9),
            ],
            count));
        return threat.Severity;
    }

    void NoteFailing(ulong sourceKey)
    {
        for (int i = 0; i < _failing.Length; i++)
        {
            if (_failing[i].Source != sourceKey) continue;
            _failing[i].Tick = findings.Now;
            return;
        }
        _failing[_nextFailing] = (sourceKey, findings.Now);
        _nextFailing = (_nextFailing + 1) % _failing.Length;
    }

    bool UplinkIsDown()
    {
        if (findings.Now - _lastOutboundAnswer < thresholds.OutageSilence) return false;
        int sources = 0;
        foreach ((ulong source, long tick) in _failing)
        {
            if (source != 0 && findings.Now - tick < thresholds.OutageSilence) sources++;
        }
        return sources >= thresholds.OutageSources;
    }

    static void Set(ref Bits bits, ulong hash) => bits[(int)(hash >> 62)] |= 1UL << (int)(hash >> 56);

    /// <summary>Linear counting (Whang et al. 1990) in 256 bits; within about 10 % up to 500.</summary>
    static int Count(in Bits bits)
    {
        int set = 0;
        for (int i = 0; i < 4; i++) set += BitOperations.PopCount(bits[i]);
        return set == 256 ? 1420 : (int)Math.Round(-256 * Math.Log((256 - set) / 256.0));
    }
}
