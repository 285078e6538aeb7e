using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>What is no DNS on DNS's port: tunnels do that where the port alone opens the way. Decoding has counted the datagrams; here is no memory.</summary>
sealed class NotDns(Thresholds thresholds, Findings findings) : Detector
{
    public override DetectorEvents Sees => DetectorEvents.Ip;

    public override int OnIp(scoped in IpEvent e)
    {
        if ((e.Notes & FlowNotes.NotDns) == 0 || e.PayloadOut + e.PayloadIn < thresholds.NotDnsBytes) return 0;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, (ulong)Detectors.DnsTunnel), Mix.Of(e.Context.Destination));
        int severity = Threats.NotDns.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString(), server = e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(DnsTunnel.Name, $"{source} {server} port 53", Threats.NotDns, [],
            $"{source} and port 53 of {server} exchanged {e.PayloadOut + e.PayloadIn} bytes in {e.PacketsOut + e.PacketsIn} datagrams, many of them no DNS messages.",
            [new("payloadBytes", e.PayloadOut + e.PayloadIn, thresholds.NotDnsBytes)],
            [
                new("payloadOut", e.PayloadOut), new("payloadIn", e.PayloadIn), new("packetsOut", e.PacketsOut), new("packetsIn", e.PacketsIn),
                new("seconds", e.Duration / 1e9), new("app", 0, e.App.ToString()),
            ],
            count));
        return severity;
    }
}
