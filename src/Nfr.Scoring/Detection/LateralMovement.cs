using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A home client that reaches many home hosts it has not spoken to lately on ports by which machines are run (SMB, RDP, WinRM, SSH, databases), whether they answer
/// or not. Contacts that fail are a scan besides. Who does so every day, week or month (management, backup) has spoken to its hosts before. In a site's first week every pair is new:
/// it takes more hosts then, and it is not silence, since a sensor may not live much longer.
/// </summary>
sealed class LateralMovement(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "lateral_movement";
    /// <summary>0.3 MB. Full: the client unused longest goes first.</summary>
    internal const int MaxClients = 1 << 12;
    /// <summary>0.5 MB. Full: the pair seen longest ago is new if it comes again.</summary>
    const int MaxPairs = 1 << 16;
    /// <summary>50 KB. When each site was first seen in this run (the pairs do not outlast it): one on board. Full: the one silent longest learns anew.</summary>
    const int MaxSites = 1 << 10;
    const ulong OnlySite = 1;
    const byte Tcp = 6;

    struct Client
    {
        public long FirstTick;
        public Distinct Hosts;
        public Distinct Ports;
        public int Contacts;
        public int Answered;
    }

    readonly LruTable<Client> _clients = new(MaxClients);
    readonly SeenSet _pairs = new(MaxPairs);
    readonly LruTable<long> _sites = new(MaxSites);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    static bool IsAdministrative(ushort port) =>
        port is 22 or 23 or 135 or 139 or 445 or 1433 or 1521 or 3306 or 3389 or 5432 or 5900 or 5985 or 5986 or 6379 or 9200 or 11211 or 27017;

    static readonly AlertThreat s_few = Threats.LateralMovement with { Severity = 2 };

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.Context.Protocol != Tcp || !IsAdministrative(e.Context.DestinationPort) || (e.Notes & FlowNotes.Midstream) != 0) return 0;
        if (!isHome(e.Context.Source) || !isHome(e.Context.Destination)) return 0;
        int siteIndex = _sites.GetOrAdd(OnlySite, out bool isNewSite);
        if (isNewSite) _sites[siteIndex] = e.Context.Tick;
        // What a scanner that has been told as such does not reach is told there.
        if (e.PayloadIn == 0 && PortScan.HasToldOf(e.Context.Source, findings)) return 0;
        ulong key = Mix.Of(e.Context.Source), host = Mix.Of(e.Context.Destination);
        if (!_pairs.Add(Mix.Of(key, host), findings.Now, thresholds.LateralMemory)) return 0;
        int index = _clients.GetOrAdd(key, out bool added);
        ref Client client = ref _clients[index];
        if (added || e.Context.Tick - client.FirstTick > thresholds.LateralWindow) client = new Client { FirstTick = e.Context.Tick };
        client.Hosts.Add(host);
        client.Ports.Add(Mix.Of(e.Context.DestinationPort));
        client.Contacts++;
        if (e.PayloadIn > 0) client.Answered++;
        if (client.Contacts == 3) _clients.Protect(index);
        int hosts = client.Hosts.Count, factor = findings.Now - _sites[siteIndex] < thresholds.LateralLearning ? thresholds.LateralYoungFactor : 1;
        int few = thresholds.LateralHosts * factor, many = thresholds.LateralManyHosts * factor;
        ulong finding = Mix.Of(key, (ulong)Detectors.LateralMovement);
        if (hosts < few)
        {
            if (hosts >= few / 2) findings.Keep(finding, in e);
            return 0;
        }
        AlertThreat threat = hosts >= many ? Threats.LateralMovement : s_few;
        if (!findings.IsDue(finding, threat.Severity, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string source = e.Context.Source.ToString();
        double seconds = Math.Max(0, e.Context.Tick - client.FirstTick) / 1e9;
        findings.Raise(in e, finding, new Finding(Name, source, threat, [],
            string.Create(CultureInfo.InvariantCulture,
                $"{source} turned to about {hosts} hosts within {seconds:0} s that it had not spoken to lately, on ports of administration, last {e.Context.Destination} port {e.Context.DestinationPort}."),
            [new("newHosts", hosts, threat.Severity == s_few.Severity ? few : many)],
            [new("ports", client.Ports.Count), new("answered", client.Answered), new("seconds", seconds), new("windowSeconds", thresholds.LateralWindow / 1e9), new("learning", factor > 1 ? 1 : 0)],
            count));
        return threat.Severity;
    }
}
