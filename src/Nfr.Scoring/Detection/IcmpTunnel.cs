using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Data carried in ICMP echoes: payloads that hold IP packets, or that look like data and change with each echo or between request and reply. Plain pings
/// of any size repeat one pattern and get it back. Decoding judges the payloads (<see cref="EchoStatistics"/>) and reports such a flow at its sixth echo
/// of data; a flow stands for itself, so there is no table.
/// </summary>
sealed class IcmpTunnel(Thresholds thresholds, Findings findings) : Detector
{
    public const string Name = "icmp_tunnel";

    public override DetectorEvents Sees => DetectorEvents.Ip;

    public override int OnIp(scoped in IpEvent e)
    {
        ref readonly EchoStatistics echo = ref e.Echo;
        if (echo.Data == 0 && echo.Packets == 0) return 0;
        bool packets = echo.Packets >= thresholds.IcmpPackets;
        double share = echo.Filled == 0 ? 0 : (double)echo.Data / echo.Filled;
        if (!packets && (echo.Data < thresholds.IcmpDataEchoes || echo.DataBytes < thresholds.IcmpDataBytes || share < thresholds.IcmpDataShare)) return 0;
        ulong finding = Mix.Of(Mix.Of(e.Context.Source, (ulong)Detectors.IcmpTunnel), Mix.Of(e.Context.Destination));
        int severity = Threats.IcmpTunneling.Severity;
        if (!findings.IsDue(finding, severity, out long count))
        {
            findings.Keep(finding, in e);
            return severity;
        }
        string source = e.Context.Source.ToString(), destination = e.Context.Destination.ToString();
        double seconds = e.Duration / 1e9;
        string what = packets
            ? $"{echo.Packets} of the {echo.Requests + echo.Replies} ICMP echoes between {source} and {destination} within {seconds:0.0} s hold IP packets."
            : $"{echo.Data} of the {echo.Filled} filled ICMP echoes between {source} and {destination} within {seconds:0.0} s are no ping's: about {echo.DataBytes} bytes of data that changes with each.";
        findings.Raise(in e, finding, new Finding(Name, $"{source} {destination}", Threats.IcmpTunneling, [], what,
            packets
                ? [new("ipPackets", echo.Packets, thresholds.IcmpPackets)]
                :
                [
                    new("dataEchoes", echo.Data, thresholds.IcmpDataEchoes, 0.5), new("dataBytes", echo.DataBytes, thresholds.IcmpDataBytes, 0.25),
                    new("dataShare", share, thresholds.IcmpDataShare, 0.25),
                ],
            [
                new("requests", echo.Requests), new("replies", echo.Replies), new("mismatchedReplies", echo.Mismatched), new("changedPayloads", echo.Changed),
                new("minimumPayload", echo.MinimumPayload), new("maximumPayload", echo.MaximumPayload), new("payloadOut", e.PayloadOut),
                new("payloadIn", e.PayloadIn), new("seconds", seconds),
            ],
            count));
        return severity;
    }
}
