using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// "Smurf" and "fraggle" (1997): echo requests (ICMP; UDP to echo or chargen) to a broadcast address, in somebody else's name, so that a whole network answers him. Seen from
/// the network that is used: the request; what wakes machines goes to the same ports and is none. Seen from the victim: replies of many hosts of which none was asked, where the mirror would
/// have shown it.
/// </summary>
sealed class Smurf(Thresholds thresholds, Func<Address, bool> isHome, MirrorSides sides, Findings findings) : Detector
{
    public const string Name = "smurf";
    /// <summary>0.1 MB. Full: the victim that was answered longest ago goes first.</summary>
    internal const int MaxVictims = 1 << 10;
    const byte Icmp = 1, Udp = 17;
    const ushort EchoRequest = 8, EchoReply = 0;

    struct Victim
    {
        public long FirstTick;
        /// <summary>Flows, of which a pair of hosts has one in a window.</summary>
        public int Repliers;
        public long Replies;
    }

    readonly LruTable<Victim> _victims = new(MaxVictims);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;
    public override long Evicted => _victims.Evicted;
    public override int Tracked => _victims.Count;

    static readonly AlertThreat s_fromHome = Threats.SmurfAttack with { Severity = 2 };

    public override int OnIp(scoped in IpEvent e)
    {
        bool ping = e.Context.Protocol == Icmp && e.Context.SourcePort == EchoRequest && e.Context.DestinationPort == EchoReply;
        if (!ping && (e.Context.Protocol != Udp || e.App == App.WakeOnLan)) return 0;
        if (ping || e.Context.DestinationPort is 7 or 19)
        {
            if (e.PacketsOut > 0) return IsBroadcast(e.Context.Destination) ? OnRequest(in e, in e.Context.Source, in e.Context.Destination, e.PacketsOut, e.BytesOut) : 0;
            return ping && !sides.AreOne ? OnReply(in e) : 0;
        }
        // Whoever is at home is taken for the client, even if nobody answers: there it is the broadcast address.
        return e.Context.SourcePort is 7 or 19 && e.PacketsOut == 0 && IsBroadcast(e.Context.Source) ? OnRequest(in e, in e.Context.Destination, in e.Context.Source, e.PacketsIn, e.BytesIn) : 0;
    }

    /// <summary>Where networks are larger than /24 these may be hosts; then it is a low alert about a ping.</summary>
    bool IsBroadcast(in Address address) =>
        address.IsV4 && (address.V4 == uint.MaxValue || ((address.V4 & 0xFF) is 0 or 0xFF && address.V4 >> 28 < 0xE && isHome(address)));

    int OnRequest(scoped in IpEvent e, in Address sender, in Address broadcast, long packets, long bytes)
    {
        AlertThreat threat = isHome(sender) ? s_fromHome : Threats.SmurfAttack;
        // The source is forged and may change with each packet; the network that is used is what does not.
        ulong finding = Mix.Of(broadcast, (ulong)Detectors.Smurf);
        if (!findings.IsDue(finding, threat.Severity, out long count)) return threat.Severity;
        string network = broadcast.ToString(), source = sender.ToString();
        findings.Raise(in e, finding, new Finding(Name, network, threat, [],
            string.Create(CultureInfo.InvariantCulture, $"{packets} echo requests in the name of {source} went to the broadcast address {network}."),
            [new("requests", packets, 1)], [new("bytesOut", bytes)], count));
        return threat.Severity;
    }

    int OnReply(scoped in IpEvent e)
    {
        ulong key = Mix.Of(e.Context.Source);
        int index = _victims.GetOrAdd(key, out bool added);
        ref Victim victim = ref _victims[index];
        if (added || e.Context.Tick - victim.FirstTick > thresholds.SmurfWindow) victim = new Victim { FirstTick = e.Context.Tick };
        victim.Repliers++;
        victim.Replies += e.PacketsIn;
        int repliers = victim.Repliers;
        if (repliers < thresholds.SmurfRepliers) return 0;
        _victims.Protect(index);
        int severity = Threats.SmurfAttack.Severity;
        ulong finding = Mix.Of(key, (ulong)Detectors.Smurf);
        if (!findings.IsDue(finding, severity, out long count)) return severity;
        string target = e.Context.Source.ToString();
        findings.Raise(in e, finding, new Finding(Name, target, Threats.SmurfAttack, [],
            string.Create(CultureInfo.InvariantCulture, $"{repliers} hosts sent {target} {victim.Replies} echo replies that it had not asked for."),
            [new("repliers", repliers, thresholds.SmurfRepliers)], [new("replies", victim.Replies), new("windowSeconds", thresholds.SmurfWindow / 1e9)], count));
        return severity;
    }
}
