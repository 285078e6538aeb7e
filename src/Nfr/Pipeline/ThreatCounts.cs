using Nfr.Events;
using Nfr.Scoring;

namespace Nfr.Pipeline;

/// <summary>Places of counts by threat and severity, for every threat that this sensor knows and one more for all others: a bounded number of them.</summary>
static class ThreatCounts
{
    const int Severities = 6;
    const string Other = "other";

    static readonly Dictionary<string, int> s_places = Threats.All.Select((threat, i) => (threat.Id, i)).DistinctBy(t => t.Id).ToDictionary(t => t.Id, t => t.i, StringComparer.Ordinal);

    public static readonly int Length = (Threats.All.Count + 1) * Severities;

    public static int Of(AlertThreat threat) => (s_places.GetValueOrDefault(threat.Id, Threats.All.Count) * Severities) + Math.Clamp(threat.Severity, 0, Severities - 1);

    /// <summary>What there is to tell: each threat from the beginning with the severity that it mostly has, others once they were counted.</summary>
    public static IEnumerable<(string Threat, int Severity, long Count)> Told(long[] counts)
    {
        for (int i = 0; i < counts.Length; i++)
        {
            int place = i / Severities, severity = i % Severities;
            bool usual = place < Threats.All.Count && severity == Threats.All[place].Severity && s_places[Threats.All[place].Id] == place;
            if (counts[i] > 0 || usual) yield return (place < Threats.All.Count ? Threats.All[place].Id : Other, severity, counts[i]);
        }
    }
}
