using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Fragments as attackers make them: ICMP in fragments ("icmpfrag": few need it, and firewalls look at the first only), fragments that reach beyond the largest datagram ("ping of death")
/// or that contradict each other ("teardrop"), and segments of a stream that do. No state.
/// </summary>
sealed class BadFragments(Findings findings) : Detector
{
    public const string Name = "fragments";
    const byte Icmp = 1, IcmpV6 = 58;

    public override DetectorEvents Sees => DetectorEvents.Ip | DetectorEvents.Anomaly;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;

    public override int OnIp(scoped in IpEvent e)
    {
        if ((e.Notes & FlowNotes.Fragmented) == 0 || e.Context.Protocol is not (Icmp or IcmpV6)) return 0;
        int severity = Threats.FragmentedIcmp.Severity;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination)), (ulong)Detectors.Fragments);
        if (!findings.IsDue(finding, severity, out long count)) return severity;
        string source = e.Context.Source.ToString(), destination = e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{source} {destination}", Threats.FragmentedIcmp, [],
            string.Create(CultureInfo.InvariantCulture, $"ICMP messages between {source} and {destination} came in fragments: {e.PacketsOut + e.PacketsIn} packets, {e.BytesOut + e.BytesIn} bytes."),
            [new("flows", count, 1)], [new("bytesOut", e.BytesOut), new("bytesIn", e.BytesIn)], count));
        return severity;
    }

    public override int OnAnomaly(scoped in AnomalyEvent e)
    {
        (AlertThreat threat, string what) = e.Fault switch
        {
            DecodeFault.FragmentBeyondDatagram => (Threats.FragmentAttack, "reached beyond the largest datagram there can be"),
            DecodeFault.FragmentOverlapDiffers => (Threats.FragmentAttack, "overlapped and differed"),
            DecodeFault.StreamOverlapDiffers => (Threats.AmbiguousTraffic, "sent again what they had sent, with other bytes"),
            _ => (Threats.FragmentAttack, ""),
        };
        if (what.Length == 0) return 0;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination)), (ulong)Detectors.Fragments + (ulong)e.Fault);
        if (!findings.IsDue(finding, threat.Severity, out long count)) return threat.Severity;
        string source = e.Context.Source.ToString(), destination = e.Context.Destination.ToString();
        string parts = threat == Threats.AmbiguousTraffic ? "Segments" : "Fragments";
        findings.Raise(in e, finding, new Finding(Name, $"{source} {destination} {e.Fault}", threat, [],
            $"{parts} from {source} to {destination} {what}: hosts and sensors may read them differently.",
            [new("anomalies", count, 1)], [new("fault", (double)e.Fault, e.Fault.ToString())], count));
        return threat.Severity;
    }
}
