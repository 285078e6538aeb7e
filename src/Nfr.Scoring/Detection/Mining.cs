using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>A Stratum dialogue with a mining pool, told from the content. Pools known by name or address are a matter of the lists. No state.</summary>
sealed class Mining(Findings findings) : Detector
{
    public const string Name = "mining";

    public override DetectorEvents Sees => DetectorEvents.Ip;

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.App != App.Stratum && (e.Notes & FlowNotes.Mining) == 0) return 0;
        int severity = Threats.Cryptomining.Severity;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination)), (ulong)Detectors.Mining);
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString(), pool = e.Context.Destination.ToString();
        findings.Raise(in e, finding, new Finding(Name, $"{source} {pool}", Threats.Cryptomining, ["cryptomining"],
            $"{source} speaks the mining protocol Stratum with {pool} port {e.Context.DestinationPort}.",
            [new("flows", count, 1)],
            [new("port", e.Context.DestinationPort), new("bytesOut", e.BytesOut), new("bytesIn", e.BytesIn), new("seconds", e.Duration / 1e9)],
            count));
        return severity;
    }
}
