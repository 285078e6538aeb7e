using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Networks of peers whose datagrams have no mark to know them by, as I2P's and Freenet's: one UDP port of a host that talks both ways with many outside addresses, each on a
/// high port of its own, in nothing that is recognised. Reseed servers and seed nodes by name are a matter of the lists.
/// </summary>
sealed class PeerFanOut(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "peer_fan_out";
    /// <summary>90 KB. Full: the host and port unused longest that has few peers goes first.</summary>
    internal const int MaxPorts = 1 << 10;
    const byte Udp = 17;
    const int HighPort = 1024;

    struct Local
    {
        public long FirstTick;
        public long BytesOut;
        public long BytesIn;
        public Distinct Hosts;
        public Distinct Ports;
        public int Flows;
    }

    readonly LruTable<Local> _locals = new(MaxPorts);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override long Evicted => _locals.Evicted;
    public override int Tracked => _locals.Count;

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.Context.Protocol != Udp || e.App != App.Unknown || e.PayloadIn == 0 || e.PayloadOut == 0) return 0;
        bool fromHome = isHome(e.Context.Source);
        if (fromHome == isHome(e.Context.Destination)) return 0;
        Address host = fromHome ? e.Context.Source : e.Context.Destination, peer = fromHome ? e.Context.Destination : e.Context.Source;
        (ushort port, ushort peerPort) = fromHome ? (e.Context.SourcePort, e.Context.DestinationPort) : (e.Context.DestinationPort, e.Context.SourcePort);
        if (port < HighPort || peerPort < HighPort || ServicePorts.IsCommon(peerPort)) return 0;

        ulong key = Mix.Of(host, port);
        int index = _locals.GetOrAdd(key, out bool added);
        ref Local local = ref _locals[index];
        if (added || e.Context.Tick - local.FirstTick > thresholds.FanOutWindow) local = new Local { FirstTick = e.Context.Tick };
        local.Flows++;
        local.BytesOut += e.PayloadOut;
        local.BytesIn += e.PayloadIn;
        local.Hosts.Add(Mix.Of(peer));
        local.Ports.Add(Mix.Of(peerPort, 1));
        // A game or a call has one server after another on few ports; peers each have a port of their own.
        int peers = Math.Min(local.Hosts.Count, local.Ports.Count);
        if (peers < thresholds.FanOutPeers / 3) return 0;
        _locals.Protect(index);
        ulong finding = Mix.Of(key, (ulong)Detectors.PeerFanOut);
        if (peers < thresholds.FanOutPeers)
        {
            findings.Keep(finding, in e);
            return 0;
        }
        AlertThreat threat = Threats.P2pActivity with { Severity = 2 };
        if (!findings.IsDue(finding, threat.Severity, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        findings.Raise(in e, finding, new Finding(Name, $"{host} port {port}", threat, ["p2p"],
            $"{host} talks from UDP port {port} with about {peers} outside hosts, each on a port of its own, in a protocol that is not known, as peers of I2P and Freenet do.",
            [new("peers", peers, thresholds.FanOutPeers)],
            [new("flows", local.Flows), new("bytesOut", local.BytesOut), new("bytesIn", local.BytesIn), new("windowSeconds", thresholds.FanOutWindow / 1e9)], count));
        return threat.Severity;
    }
}
