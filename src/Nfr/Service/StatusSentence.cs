using System.Globalization;
using Nfr.Health;
using Nfr.Pipeline;

namespace Nfr.Service;

/// <summary>The sensor's state in one sentence, for "systemctl status": what is wrong first, by the same judgement as "nfr status".</summary>
static class StatusSentence
{
    public static string Of(StatusReport report)
    {
        List<Trouble> troubles = [.. report.Troubles.Where(t => t.Gravity > Gravity.Notice)];
        string doing = string.Join("; ", Doing(report));
        if (troubles.Count == 0) return doing;
        string more = troubles.Count > 1 ? $" (and {troubles.Count - 1} more: nfr status)" : "";
        return $"{troubles[0]}{more}. {doing}";
    }

    static IEnumerable<string> Doing(StatusReport report)
    {
        foreach (PortReport port in report.Ports) yield return port switch
        {
            { IsOpen: false } => $"Waiting for {port.Interface}",
            { Rate: { } rate } => string.Create(CultureInfo.InvariantCulture, $"Recording {port.Interface}, {rate.Packets:N0} packets/s, {Bits(rate.Bits)}"),
            _ => $"Recording {port.Interface}",
        };
        if (report.Inputs.Count > 0) yield return $"reading {report.Inputs.Count} log source{(report.Inputs.Count == 1 ? "" : "s")}";
        if (report.Interval is { } interval)
            yield return interval.Lost == 0 ? "nothing lost" : string.Create(CultureInfo.InvariantCulture, $"{interval.Lost:N0} lost in the last {interval.Seconds:0} s");
        if (report.Run.Spool is { } spool) yield return string.Create(CultureInfo.InvariantCulture, $"{spool.Total.InSpool:N0} events in the spool");
    }

    static string Bits(double bits) => bits switch
    {
        < 1e6 => string.Create(CultureInfo.InvariantCulture, $"{bits / 1e3:0} kbit/s"),
        < 1e9 => string.Create(CultureInfo.InvariantCulture, $"{bits / 1e6:0.0} Mbit/s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bits / 1e9:0.00} Gbit/s"),
    };
}
