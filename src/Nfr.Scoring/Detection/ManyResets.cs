using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Many resets that come back to one host: a scan by implication, a stranger who fails to guess sequence numbers, or forged connections whose owner refuses them. A scan that has been
/// told as such is told here at the lowest severity. Strangers are refused all day: they are counted together, by the server that refuses them, and told once a day.
/// </summary>
sealed class ManyResets(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "many_resets";
    /// <summary>0.3 MB. Clients, and servers of strangers. Full: the one unused longest goes first.</summary>
    internal const int MaxClients = 1 << 12;
    const byte Tcp = 6, Reset = 4;

    struct Client
    {
        public long FirstTick;
        public int Resets;
        public Distinct Hosts;
        public Distinct Ports;
    }

    readonly LruTable<Client> _clients = new(MaxClients);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;
    public override long Evicted => _clients.Evicted;
    public override int Tracked => _clients.Count;

    static readonly AlertThreat s_scanner = Threats.ManyResets with { Severity = 1 };

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.Context.Protocol != Tcp || (e.TcpFlags & Reset) == 0) return 0;
        // Reset before anything was said, or without a beginning that was seen.
        bool back = e.State is ConnectionState.REJ or ConnectionState.RSTRH || (e.State == ConnectionState.RSTR && e.PayloadIn == 0 && e.PayloadOut == 0);
        if (!back) return 0;
        bool strangers = !isHome(e.Context.Source);
        ulong key = strangers ? Mix.Of(e.Context.Destination, 1) : Mix.Of(e.Context.Source);
        int index = _clients.GetOrAdd(key, out bool added);
        ref Client client = ref _clients[index];
        if (added || e.Context.Tick - client.FirstTick > thresholds.ResetsWindow) client = new Client { FirstTick = e.Context.Tick };
        client.Resets++;
        client.Hosts.Add(Mix.Of(strangers ? e.Context.Source : e.Context.Destination));
        client.Ports.Add(Mix.Of(e.Context.DestinationPort));
        if (client.Resets == 4) _clients.Protect(index);
        ulong finding = Mix.Of(key, (ulong)Detectors.ManyResets);
        if (client.Resets < thresholds.Resets)
        {
            if (client.Resets * 2 >= thresholds.Resets) findings.Keep(finding, in e);
            return 0;
        }
        AlertThreat threat = PortScan.HasToldOf(e.Context.Source, findings) ? s_scanner : Threats.ManyResets;
        if (!findings.IsDue(finding, threat.Severity, strangers ? thresholds.HabitInterval : thresholds.QuietInterval, out long count)) return threat.Severity;
        string source = e.Context.Source.ToString(), server = e.Context.Destination.ToString();
        double seconds = Math.Max(0, e.Context.Tick - client.FirstTick) / 1e9;
        int hosts = client.Hosts.Count;
        findings.Raise(in e, finding, new Finding(Name, strangers ? $"outside {server}" : source, threat, [],
            strangers
                ? string.Create(CultureInfo.InvariantCulture,
                    $"{client.Resets} connections to {server} from outside were reset within {seconds:0.0} s, of about {hosts} hosts to {client.Ports.Count} ports, last {source} to port {e.Context.DestinationPort}.")
                : string.Create(CultureInfo.InvariantCulture,
                    $"{client.Resets} connections of {source} were reset within {seconds:0.0} s, by about {hosts} hosts on {client.Ports.Count} ports, last {server} port {e.Context.DestinationPort}."),
            [new("resets", client.Resets, thresholds.Resets)],
            [new("hosts", hosts), new("ports", client.Ports.Count), new("seconds", seconds), new("windowSeconds", thresholds.ResetsWindow / 1e9)], count));
        return threat.Severity;
    }
}
