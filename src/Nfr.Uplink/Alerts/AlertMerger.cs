using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// An engine's verdict on an event that the sensor has alerted on itself is one matter, not two. What says no more than ours did is only counted; what says more (another threat,
/// or a higher severity of the same) becomes one alert with all threats and flags of both and our evidence.
/// </summary>
/// <remarks>The last <see cref="Capacity"/> alerts of our own are remembered, a few hundred bytes each; an older one is merged no more. One thread.</remarks>
public sealed class AlertMerger(Spool spool)
{
    public const int Capacity = 4096;
    const int PageSize = 200;

    readonly Dictionary<string, Alert> _own = new(StringComparer.Ordinal);
    readonly Queue<string> _order = new();
    long _after;

    /// <summary>The engine's alerts without those that say nothing new, the others merged with ours. <paramref name="merged"/>: how many were left out.</summary>
    public IReadOnlyList<Alert> Merge(IReadOnlyList<Alert> page, out int merged)
    {
        ArgumentNullException.ThrowIfNull(page);
        merged = 0;
        if (page.Count == 0) return page;
        Learn();
        var kept = new List<Alert>(page.Count);
        foreach (Alert alert in page)
        {
            if (KeyOf(alert.Event) is not { } key || !_own.TryGetValue(key, out Alert? own))
            {
                kept.Add(alert);
                continue;
            }
            Alert both = Both(own, alert);
            if (SaysMore(own, both))
            {
                kept.Add(both);
                _own[key] = both;
            }
            else
            {
                merged++;
            }
        }
        return kept;
    }

    /// <summary>Reads what the sensor has raised since the last time.</summary>
    void Learn()
    {
        while (true)
        {
            IReadOnlyList<StoredAlert> page = spool.ReadAlerts(_after, PageSize);
            if (page.Count == 0) return;
            _after = page[^1].Sequence;
            foreach (StoredAlert stored in page)
            {
                if (stored.Alert.Evidence is null || KeyOf(stored.Alert.Event) is not { } key) continue;
                // Several findings may share the event: what we have said of it is all of them.
                if (_own.TryGetValue(key, out Alert? earlier)) _own[key] = Both(earlier, stored.Alert);
                else Remember(key, stored.Alert);
            }
        }
    }

    void Remember(string key, Alert alert)
    {
        if (_order.Count == Capacity) _own.Remove(_order.Dequeue());
        _own.Add(key, alert);
        _order.Enqueue(key);
    }

    static Alert Both(Alert own, Alert other)
    {
        var threats = own.Threats.ToDictionary(t => t.Id, StringComparer.Ordinal);
        foreach (AlertThreat threat in other.Threats)
        {
            if (!threats.TryGetValue(threat.Id, out AlertThreat? known) || known.Severity < threat.Severity) threats[threat.Id] = threat;
        }
        return own with
        {
            Threats = [.. threats.Values.OrderByDescending(t => t.Severity).ThenBy(t => t.Id, StringComparer.Ordinal)],
            Flags = [.. own.Flags.Concat(other.Flags).Distinct(StringComparer.Ordinal)],
            Labels = [.. own.Labels.Concat(other.Labels).Distinct(StringComparer.Ordinal)],
        };
    }

    static bool SaysMore(Alert own, Alert both) =>
        both.Threats.Any(t => !own.Threats.Any(known => known.Id == t.Id && known.Severity >= t.Severity));

    /// <summary>The event as the engine got it from us: type, time, source and what it dealt with. Null when it has no source.</summary>
    static string? KeyOf(AlertEvent e) => e.SrcIP is null
        ? null
        : string.Join('\n', e.Type, Instant(e.Ts), e.SrcIP, e.SrcPort?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "", (e.Query ?? e.Url ?? e.DestIP ?? "").ToUpperInvariant(), e.QType);

    /// <summary>Engines may write fewer digits of the second than we do: to the millisecond.</summary>
    static string Instant(string ts) =>
        DateTimeOffset.TryParse(ts, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time.ToUnixTimeMilliseconds().ToString(System.Globalization.CultureInfo.InvariantCulture)
            : ts;
}
