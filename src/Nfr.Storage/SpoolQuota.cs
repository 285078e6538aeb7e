using Nfr.Events;

namespace Nfr.Storage;

/// <summary>What quotas tell apart. The last four are events without a finding.</summary>
public enum SpoolClass
{
    Alerts,
    Scored,
    Dns,
    Ip,
    Http,
    Tls,
}

/// <summary>The names and lanes of the classes.</summary>
public static class SpoolClasses
{
    public const int Count = 6;

    /// <summary>In the order of their value; the last four are worth the same.</summary>
    public static readonly SpoolClass[] All = [SpoolClass.Alerts, SpoolClass.Scored, SpoolClass.Dns, SpoolClass.Ip, SpoolClass.Http, SpoolClass.Tls];

    /// <summary>"alerts", "scored", "dns", "ip", "http", "tls".</summary>
    public static string Name(this SpoolClass of) => of switch
    {
        SpoolClass.Alerts => "alerts",
        SpoolClass.Scored => "scored",
        _ => ((EventType)(of - SpoolClass.Dns)).Name(),
    };

    /// <summary>The class of events of a type.</summary>
    public static SpoolClass Of(EventType type, bool scored) => scored ? SpoolClass.Scored : SpoolClass.Dns + (int)type;

    internal static SpoolClass OfLine(int line) => line == SpoolLedger.Alerts ? SpoolClass.Alerts : Of(Lane.Type(line), Lane.Class(line) == 1);
}

/// <summary>How much of one class is kept and how long. What is beyond goes, oldest first, even while the ring has room.</summary>
/// <param name="Bytes">Most bytes as they lie in the ring, compressed; 0 = as many as the ring has.</param>
/// <param name="Percent">The same as a share of the whole spool's size; 0 = all. The smaller of both holds.</param>
/// <param name="MaxAge">
/// Running time of the spool after which an event goes; null = <see cref="SpoolOptions.MaxAge"/>. Time in which no spool was open does not count.
/// </param>
public readonly record struct SpoolQuota(long Bytes = 0, int Percent = 0, TimeSpan? MaxAge = null);
