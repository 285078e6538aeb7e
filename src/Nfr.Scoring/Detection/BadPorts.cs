using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>Traffic to ports that are on the site's list of those nobody should use (<see cref="Thresholds.BadTcpPorts"/>). No state but the list, 128 KB.</summary>
sealed class BadPorts : Detector
{
    public const string Name = "bad_ports";
    const byte Tcp = 6, Udp = 17;

    readonly bool[] _tcp = new bool[ushort.MaxValue + 1];
    readonly bool[] _udp = new bool[ushort.MaxValue + 1];
    readonly Func<Address, bool> _isHome;
    readonly Findings _findings;

    public BadPorts(Thresholds thresholds, Func<Address, bool> isHome, Findings findings)
    {
        _isHome = isHome;
        _findings = findings;
        foreach (ushort port in thresholds.BadTcpPorts) _tcp[port] = true;
        foreach (ushort port in thresholds.BadUdpPorts) _udp[port] = true;
    }

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;

    static readonly AlertThreat s_unanswered = Threats.BadPort with { Severity = 1 };

    public override int OnIp(scoped in IpEvent e)
    {
        ushort port = e.Context.DestinationPort;
        bool tcp = e.Context.Protocol == Tcp;
        if (!(tcp ? _tcp[port] : e.Context.Protocol == Udp && _udp[port])) return 0;
        // The port of an answer's receiver is anybody's.
        if (e.PacketsOut == 0 || (e.Notes & (FlowNotes.Midstream | FlowNotes.Probe)) == FlowNotes.Midstream) return 0;
        // Calls and torrents take whatever port is free.
        if (!tcp && e.App != App.Unknown) return 0;
        bool answered = tcp ? e.PayloadIn > 0 || e.State is ConnectionState.SF or ConnectionState.S1 or ConnectionState.S2 or ConnectionState.S3 or ConnectionState.RSTO : e.PacketsIn > 0;
        AlertThreat threat = answered ? Threats.BadPort : s_unanswered;
        // Strangers try such ports all day: one line for all of them, and one for each machine of ours that answers.
        bool outside = !_isHome(e.Context.Source) && _isHome(e.Context.Destination), background = !answered && !_isHome(e.Context.Source);
        ulong finding = Mix.Of(background ? default : outside ? e.Context.Destination : e.Context.Source, ((ulong)Detectors.BadPorts << 8) + port + ((ulong)e.Context.Protocol << 16));
        if (!_findings.IsDue(finding, threat.Severity, out long count)) return threat.Severity;
        string source = e.Context.Source.ToString(), name = tcp ? "TCP" : "UDP";
        _findings.Raise(in e, finding, new Finding(Name, string.Create(CultureInfo.InvariantCulture, $"{(background ? "outside" : outside ? e.Context.Destination.ToString() : source)} {name} {port}"), threat, [],
            string.Create(CultureInfo.InvariantCulture,
                $"{source} {(answered ? "spoke to" : "tried")} {e.Context.Destination} on {name} port {port}, which is on the list of ports that nobody should use."),
            [new("flows", count, 1)], [new("port", port), new("bytesOut", e.BytesOut), new("bytesIn", e.BytesIn)], count));
        return threat.Severity;
    }
}
