using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// "Land" (1997): a packet whose source is its own destination, which made hosts answer themselves for ever. What a host says to itself does not reach a cable, except
/// on a loopback interface that is captured: there it has two ports and two sides.
/// </summary>
sealed class Land(Findings findings) : Detector
{
    public const string Name = "land";
    const byte Tcp = 6, Udp = 17;

    public override DetectorEvents Sees => DetectorEvents.Ip;
    public override DetectorEvents SeesInbound => DetectorEvents.Ip;

    public override int OnIp(scoped in IpEvent e)
    {
        // A host may tell itself by ICMP that something is unreachable, and captures of phones have that.
        if (e.Context.Source != e.Context.Destination || e.Context.Protocol is not (Tcp or Udp)) return 0;
        Address address = e.Context.Source;
        if (address.IsUnspecified || IsLoopback(address)) return 0;
        bool twoSided = e.PacketsIn > 0 && e.PacketsOut > 0 && e.Context.SourcePort != e.Context.DestinationPort;
        if (twoSided) return 0;
        int severity = Threats.LandAttack.Severity;
        ulong finding = Mix.Of(address, (ulong)Detectors.Land);
        if (!findings.IsDue(finding, severity, out long count)) return severity;
        findings.Raise(in e, finding, new Finding(Name, address.ToString(), Threats.LandAttack, [],
            string.Create(CultureInfo.InvariantCulture, $"Packets went from {address} port {e.Context.SourcePort} to {address} port {e.Context.DestinationPort}: their source is forged."),
            [new("packets", e.PacketsOut + e.PacketsIn, 1)],
            [new("port", e.Context.DestinationPort), new("protocol", e.Context.Protocol)], count));
        return severity;
    }

    static bool IsLoopback(in Address a) => a.IsV4 ? a.V4 >> 24 == 127 : a.High == 0 && a.Low == 1;
}
