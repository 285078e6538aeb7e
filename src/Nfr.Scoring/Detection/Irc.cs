using System.Globalization;
using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// IRC (RFC 2812) with the outside, told from the content: few people chat so today, and bots still take orders there. On a port of its own it is medium, on another's high; over TLS on IRC's port
/// (RFC 7194) and inside the home networks low. No state.
/// </summary>
sealed class Irc(Func<Address, bool> isHome, Findings findings) : Detector
{
    public const string Name = "irc";
    const ushort OverTls = 6697;

    public override DetectorEvents Sees => DetectorEvents.Ip;

    static readonly AlertThreat s_low = Threats.BadIrcTraffic with { Severity = 2 };
    static readonly AlertThreat s_medium = Threats.BadIrcTraffic with { Severity = 3 };

    static bool IsOwnPort(ushort port) => port is 194 or (>= 6660 and <= 6670) or 6679 or OverTls or 7000;

    public override int OnIp(scoped in IpEvent e)
    {
        bool tls = e.App == App.Tls && e.Context.DestinationPort == OverTls;
        if (e.App != App.Irc && !tls) return 0;
        bool outward = isHome(e.Context.Source) && !isHome(e.Context.Destination);
        AlertThreat threat = tls || !outward ? s_low : IsOwnPort(e.Context.DestinationPort) ? s_medium : Threats.BadIrcTraffic;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, Mix.Of(e.Context.Destination)), (ulong)Detectors.Irc);
        if (!findings.IsDue(finding, threat.Severity, out long count))
        {
            findings.Keep(finding, in e);
            return threat.Severity;
        }
        string source = e.Context.Source.ToString(), server = e.Context.Destination.ToString();
        string how = tls ? "TLS on the port of IRC" : IsOwnPort(e.Context.DestinationPort) ? "IRC" : "IRC on a port that is not its own";
        findings.Raise(in e, finding, new Finding(Name, $"{source} {server}", threat, ["irc"],
            string.Create(CultureInfo.InvariantCulture, $"{source} speaks {how} with {server} port {e.Context.DestinationPort}."),
            [new("flows", count, 1)],
            [new("port", e.Context.DestinationPort), new("bytesOut", e.BytesOut), new("bytesIn", e.BytesIn), new("seconds", e.Duration / 1e9)], count));
        return threat.Severity;
    }
}
