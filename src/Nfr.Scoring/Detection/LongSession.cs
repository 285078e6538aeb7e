using System.Text;
using Nfr.Events;
using Nfr.Scoring.Beacons;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A connection that stays open for hours with a destination that few of the site use. Slices of one flow are put together again by its ends, so it is told while it lasts.
/// Connections of one client with one destination (by its name where that is known) and port are one finding: who calls again after a break is told once a day, and once more when
/// one has lasted for a day. Push services and tunnels that a policy names anyway stay open by their nature. A name that only the client says (in a handshake, in a request) excuses nothing:
/// then the address is what few may use.
/// </summary>
sealed class LongSession(Thresholds thresholds, Func<Address, bool> isHome, Crowd crowd, DestinationNames names, Findings findings) : Detector
{
    public const string Name = "long_session";
    /// <summary>280 KB. Full: the flow that was told of longest ago starts anew.</summary>
    internal const int MaxFlows = 1 << 12;

    struct Flow
    {
        public long FirstTick;
        public long LastTick;
        public long BytesOut;
        public long BytesIn;
        /// <summary>Severity of the last length that it was judged at.</summary>
        public byte Told;
    }

    readonly LruTable<Flow> _flows = new(MaxFlows);

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override long Evicted => _flows.Evicted;
    public override int Tracked => _flows.Count;

    public override int OnIp(scoped in IpEvent e)
    {
        bool goesOn = (e.Notes & FlowNotes.ActiveTimeout) != 0;
        if (e.Context.Protocol is not (6 or 17) || !isHome(e.Context.Source) || isHome(e.Context.Destination) || StaysOpen(in e)) return 0;
        ulong key = Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination, ((ulong)e.Context.Protocol << 32) | ((ulong)e.Context.SourcePort << 16) | e.Context.DestinationPort));
        int index = goesOn ? _flows.GetOrAdd(key, out _) : _flows.Find(key);
        long end = e.Context.Tick + e.Duration;
        // A short flow that has not been told of before is nothing.
        if (index < 0 && e.Duration < thresholds.LongSession) return 0;
        if (index < 0) index = _flows.GetOrAdd(key, out _);
        ref Flow flow = ref _flows[index];
        if (flow.FirstTick == 0 || e.Context.Tick - flow.LastTick > thresholds.LongSessionGap) flow = new Flow { FirstTick = Math.Max(1, e.Context.Tick) };
        flow.LastTick = Math.Max(flow.LastTick, end);
        flow.BytesOut += e.PayloadOut;
        flow.BytesIn += e.PayloadIn;
        long length = flow.LastTick - flow.FirstTick;
        if (length < thresholds.LongSession || e.PacketsIn == 0) return 0;
        int severity = length >= thresholds.VeryLongSession ? 2 : 1;
        bool named = names.TryFind(in e.Context.Source, in e.Context.Destination, out ulong name, out ReadOnlySpan<byte> text, out bool answered);
        (int clients, int site) = crowd(text, in e.Context.Destination);
        bool said = named && !answered;
        if (said) clients = Math.Min(clients, crowd(default, in e.Context.Destination).Clients);
        if (clients > thresholds.LongSessionClients) return 0;
        ulong with = Mix.Of(named ? name : Mix.Of(e.Context.Destination), ((ulong)e.Context.Protocol << 16) | e.Context.DestinationPort);
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, with), (ulong)Detectors.LongSession);
        // It is told once at each length; nobody wants to hear every hour that a session still lasts.
        if (flow.Told >= severity) return severity;
        flow.Told = (byte)severity;
        if (!findings.IsDue(finding, severity, thresholds.HabitInterval, out long count)) return severity;
        _flows.Protect(index);
        string client = e.Context.Source.ToString(), server = named ? Encoding.UTF8.GetString(text) : e.Context.Destination.ToString();
        string whom = said ? $"{e.Context.Destination} (which only the client calls {server})" : server;
        findings.Raise(in e, finding, new Finding(Name, $"{client} {server} port {e.Context.DestinationPort}", Threats.LongSession with { Severity = severity }, [],
            $"{client} has had a connection with {whom} port {e.Context.DestinationPort} open for {length / 3600e9:0.0} h.",
            [new("hours", length / 3600e9, (severity == 2 ? thresholds.VeryLongSession : thresholds.LongSession) / 3600e9)],
            [new("bytesOut", flow.BytesOut), new("bytesIn", flow.BytesIn), new("clients", clients), new("siteClients", site)], count));
        return severity;
    }

    static bool StaysOpen(scoped in IpEvent e) =>
        e.Context.DestinationPort is 5222 or 5223 or (>= 5228 and <= 5230) or 8883 or 993 or 4500 or 500 or 123
        || e.App is App.WireGuard or App.OpenVpn or App.Ike or App.Esp or App.Bgp or App.Mqtt or App.Xmpp or App.Imap or App.Ntp or App.Sip or App.Stun or App.Teredo or App.L2tp or App.Pptp;
}
