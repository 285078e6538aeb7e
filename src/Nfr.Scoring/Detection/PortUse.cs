using System.Text;
using Nfr.Events;
using Nfr.Scoring.Beacons;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Outbound connections whose port says something: services that belong inside a site, a protocol on a port that is another's (told by the content), and many connections to
/// one server on a port that nothing known uses, whose content nothing known is either. Only what was answered counts.
/// </summary>
sealed class PortUse(Thresholds thresholds, Func<Address, bool> isHome, Crowd crowd, Findings findings) : Detector
{
    public const string Name = "port_use";
    /// <summary>200 KB. Full: the server and port unused longest go first.</summary>
    internal const int MaxServers = 1 << 12;
    const byte Tcp = 6, Udp = 17;

    struct Server
    {
        public long FirstTick;
        public int Flows;
    }

    readonly LruTable<Server> _servers = new(MaxServers);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override long Evicted => _servers.Evicted;
    public override int Tracked => _servers.Count;

    public override int OnIp(scoped in IpEvent e)
    {
        ushort port = e.Context.DestinationPort;
        if (e.Context.Protocol is not (Tcp or Udp) || e.PayloadIn == 0 || e.PayloadOut == 0 || (e.Notes & FlowNotes.Midstream) != 0) return 0;
        if (!isHome(e.Context.Source) || isHome(e.Context.Destination) || SpecialAddresses.IsBroadcastOrMulticast(e.Context.Destination)) return 0;
        int severity = 0;
        if (e.App != App.Unknown && ServicePorts.IsTaken(port) && !ServicePorts.IsHomeOf(e.App, port)) severity = OtherPort(in e);
        else if (e.App == App.Dns && !ServicePorts.IsHomeOf(App.Dns, port)) severity = OtherPort(in e);
        int unusual = e.Context.Protocol == Tcp ? ServicePorts.Unusual(port) : 0;
        if (unusual > 0) return Math.Max(severity, Unusual(in e, unusual));
        if (e.Context.Protocol == Tcp && e.App == App.Unknown && !ServicePorts.IsCommon(port)) severity = Math.Max(severity, Repeated(in e));
        return severity;
    }

    int OtherPort(scoped in IpEvent e)
    {
        // Web without TLS on 443 is a mistake of configuration most of the time; a remote shell there is not.
        int severity = e.App == App.Http && e.Context.DestinationPort == 443 ? 1 : 2;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, e.Context.DestinationPort), (ulong)Detectors.PortUse + (ulong)e.App + 1);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string client = e.Context.Source.ToString(), server = e.Context.Destination.ToString(), protocol = Encoding.ASCII.GetString(e.App.Utf8Name());
        findings.Raise(in e, finding, new Finding(Name, $"{client} port {e.Context.DestinationPort} {protocol}", Threats.ProtocolOnOtherPort with { Severity = severity }, ["unusual_port"],
            $"{client} speaks {protocol} with {server} on port {e.Context.DestinationPort}, which is another protocol's.",
            [new("flows", count, 1)], [new("port", e.Context.DestinationPort), new("app", 0, protocol), new("bytesOut", e.PayloadOut), new("bytesIn", e.PayloadIn)], count));
        return severity;
    }

    int Unusual(scoped in IpEvent e, int severity)
    {
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, e.Context.DestinationPort), (ulong)Detectors.PortUse);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string client = e.Context.Source.ToString(), server = e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{client} port {e.Context.DestinationPort}", Threats.UnusualNetworkPort with { Severity = severity }, ["unusual_port"],
            $"{client} talked to {server} outside on port {e.Context.DestinationPort}, a service for inside a site.",
            [new("flows", count, 1)], [new("port", e.Context.DestinationPort), new("bytesOut", e.PayloadOut), new("bytesIn", e.PayloadIn)], count));
        return severity;
    }

    int Repeated(scoped in IpEvent e)
    {
        ulong key = Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination, e.Context.DestinationPort));
        int index = _servers.GetOrAdd(key, out bool added);
        ref Server server = ref _servers[index];
        if (added || e.Context.Tick - server.FirstTick > thresholds.UnusualPortWindow) server = new Server { FirstTick = e.Context.Tick };
        if (++server.Flows < thresholds.UnusualPortFlows / 2) return 0;
        _servers.Protect(index);
        ulong finding = Mix.Of(key, (ulong)Detectors.PortUse);
        if (server.Flows < thresholds.UnusualPortFlows)
        {
            findings.Keep(finding, in e);
            return 0;
        }
        (int clients, int site) = crowd(default, in e.Context.Destination);
        if (clients > thresholds.UnusualPortClients) return 0;
        int severity = Threats.ConnUnusualPortVolume.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string client = e.Context.Source.ToString(), name = e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{client} {name} port {e.Context.DestinationPort}", Threats.ConnUnusualPortVolume, ["unusual_port"],
            $"{client} made {server.Flows} connections to {name} on port {e.Context.DestinationPort} within {(findings.Now - server.FirstTick) / 60e9:0} min, in a protocol that is not known.",
            [new("flows", server.Flows, thresholds.UnusualPortFlows)],
            [new("port", e.Context.DestinationPort), new("clients", clients), new("siteClients", site), new("windowSeconds", thresholds.UnusualPortWindow / 1e9)], count));
        return severity;
    }
}
