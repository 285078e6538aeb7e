using System.Globalization;

namespace Nfr.Demo;

/// <summary>When each module began and ended, as the office says it.</summary>
public sealed class ModuleTimes(TimeProvider time)
{
    const string BeginWord = "begin ";
    readonly Dictionary<string, (long Begin, long End)> _times = [];

    /// <summary>Takes the office's line that a module begins; false when it is another line.</summary>
    public bool Began(string line)
    {
        if (!line.StartsWith(BeginWord, StringComparison.Ordinal)) return false;
        lock (_times) _times[line[BeginWord.Length..]] = (time.GetTimestamp(), 0);
        return true;
    }

    /// <summary>Takes the line with which a module ends; its first word is the name.</summary>
    public void Ended(string line)
    {
        string name = line.Split(' ')[0];
        lock (_times)
        {
            if (_times.TryGetValue(name, out (long Begin, long End) known)) _times[name] = known with { End = time.GetTimestamp() };
        }
    }

    /// <summary>How long the module sent; null while it does, or when it never began.</summary>
    public TimeSpan? Ran(string module)
    {
        lock (_times) return _times.TryGetValue(module, out (long Begin, long End) known) && known.End > 0 ? time.GetElapsedTime(known.Begin, known.End) : null;
    }

    /// <summary>How long after the module's start this moment was; null when one of the two is not known.</summary>
    public TimeSpan? After(string module, long timestamp)
    {
        lock (_times) return timestamp > 0 && _times.TryGetValue(module, out (long Begin, long End) known) ? time.GetElapsedTime(known.Begin, timestamp) : null;
    }
}

/// <summary>What the sensor said about one misbehaving host.</summary>
/// <param name="Suspect">The host.</param>
/// <param name="ThreatIds">Everything it was called, in order of appearance.</param>
/// <param name="Found">One of the acceptable ids is among them.</param>
/// <param name="Delay">From the module's start to the first of the acceptable alerts; null when a time is not known.</param>
/// <param name="Sent">How long the module sent; null when it did not end.</param>
public sealed record Finding(Suspect Suspect, IReadOnlyList<string> ThreatIds, bool Found, TimeSpan? Delay = null, TimeSpan? Sent = null)
{
    /// <summary>A connection's ip event comes five seconds behind its end, and an event needs a moment to the scorer.</summary>
    static readonly TimeSpan s_grace = TimeSpan.FromSeconds(7);

    TimeSpan Allowed => Sent > Suspect.Within ? Sent.Value : Suspect.Within;

    /// <summary>Found within the module's own run time; what has no time counts.</summary>
    public bool IsInTime => Found && !(Delay > Allowed);

    /// <summary>Found while it was fresh: a connection that ends with its module is told of a few seconds behind.</summary>
    public bool Detected => Found && !(Delay > Allowed + s_grace);

    /// <summary>For people.</summary>
    public string Word => IsInTime ? "yes" : Detected ? "soon" : Found ? "LATE" : "NO";
    public string After => Text(Delay);
    public string Ran => Text(Sent);

    static string Text(TimeSpan? span) => span is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known.TotalSeconds:0.0} s") : "-";

    public static IReadOnlyList<Finding> Match(IReadOnlyList<Suspect> suspects, IReadOnlyList<SensorAlert> alerts, ModuleTimes? times = null) =>
    [
        .. suspects.Select(suspect =>
        {
            string address = suspect.Address.ToString();
            SensorAlert[] own = [.. alerts.Where(alert => alert.SourceAddress == address)];
            SensorAlert[] acceptable = [.. own.Where(alert => alert.ThreatIds.Any(suspect.ThreatIds.Contains))];
            // The first that was raised; the output's order is another when evidence is told again.
            long first = acceptable.Select(alert => alert.RaisedAt).Where(at => at > 0).DefaultIfEmpty().Min();
            return new Finding(suspect, [.. own.SelectMany(alert => alert.ThreatIds).Distinct()], acceptable.Length > 0, times?.After(suspect.Name, first), times?.Ran(suspect.Name));
        }),
    ];
}
