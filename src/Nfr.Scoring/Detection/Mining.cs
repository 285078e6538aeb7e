using System.Text;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// A Stratum dialogue with a mining pool, told from the content; and, less grave, the peer protocol of a crypto-currency: a node of its own is what a miner without a pool needs, and a
/// wallet has one too. Pools known by name or address are a matter of the lists. No state.
/// </summary>
sealed class Mining(Thresholds thresholds, Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "mining";
    const int NodeSeverity = 3;

    public override DetectorEvents Sees => DetectorEvents.Ip;

    public override int OnIp(scoped in IpEvent e)
    {
        if (e.App is App.Bitcoin or App.Monero or App.Ethereum) return Node(in e);
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

    /// <summary>One finding for a host and a currency: it has dozens of peers at once. Whoever only hears of it, from peers that have the wrong address, is no node.</summary>
    int Node(scoped in IpEvent e)
    {
        if (e.PacketsOut == 0 || e.PacketsIn == 0) return 0;
        Address node = !isHome(e.Context.Source) && isHome(e.Context.Destination) ? e.Context.Destination : e.Context.Source;
        AlertThreat threat = Threats.Cryptomining with { Severity = NodeSeverity };
        ulong finding = Mix.Of(Mix.Of(node, (ulong)e.App), (ulong)Detectors.Mining);
        if (!findings.IsDue(finding, threat.Severity, thresholds.HabitInterval, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string source = node.ToString(), peer = (node == e.Context.Source ? e.Context.Destination : e.Context.Source).ToString(), currency = Encoding.UTF8.GetString(e.App.Utf8Name());
        findings.Raise(in e, finding, new Finding(Name, $"{source} {currency}", threat, ["cryptomining"],
            $"{source} is a node of {currency}: it speaks the currency's peer protocol with {peer}, port {e.Context.DestinationPort}.",
            [new("flows", count, 1)],
            [new("app", 0, currency), new("port", e.Context.DestinationPort), new("bytesOut", e.BytesOut), new("bytesIn", e.BytesIn)],
            count));
        return threat.Severity;
    }
}
