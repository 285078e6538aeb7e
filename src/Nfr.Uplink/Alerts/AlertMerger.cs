using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// An engine's verdict on an event that the sensor has alerted on itself, or that another engine has, is one matter, not two. What says no more than was said is only counted; what says
/// more (another threat, or a higher severity of the same) becomes one alert with all threats and flags of both and our evidence.
/// </summary>
/// <remarks>
/// The last <see cref="Capacity"/> alerts are remembered, a few hundred bytes each; an older one is merged no more. Several alerts of one engine on one event stay as they came. Thread-safe: the
/// pollers of several engines share one.
/// </remarks>
/// <param name="spool">Holds what was said.</param>
/// <param name="several">Alerts of engines are remembered too.</param>
public sealed class AlertMerger(Spool spool, bool several = false)
{
    public const int Capacity = 4096;
    const int PageSize = 200;
    /// <summary>Whose an alert is that nobody asks any more.</summary>
    const string Board = "";

    readonly record struct Said(Alert Alert, string By);

    readonly Lock _lock = new();
    readonly Dictionary<string, Said> _said = new(StringComparer.Ordinal);
    readonly Queue<string> _order = new();
    long _after;

    /// <summary>The engine's alerts without those that say nothing new, the others merged with ours. <paramref name="merged"/>: how many were left out.</summary>
    public IReadOnlyList<Alert> Merge(IReadOnlyList<Alert> page, out int merged)
    {
        IReadOnlyList<Alert> kept = [];
        Store(page, "engine", news =>
        {
            kept = news;
            return null;
        }, out merged);
        return kept;
    }

    /// <summary>Merges a page and stores what is left of it. What could not be stored was not said: the page may come again.</summary>
    /// <param name="page">Of one engine.</param>
    /// <param name="engine">Its name.</param>
    /// <param name="store">Keeps what is new; null = it did.</param>
    /// <param name="merged">How many say nothing new.</param>
    public SpoolFault? Store(IReadOnlyList<Alert> page, string engine, Func<IReadOnlyList<Alert>, SpoolFault?> store, out int merged)
    {
        ArgumentNullException.ThrowIfNull(page);
        ArgumentNullException.ThrowIfNull(store);
        lock (_lock)
        {
            merged = 0;
            if (page.Count == 0) return store(page);
            Learn();
            var kept = new List<Alert>(page.Count);
            Dictionary<string, Said> changes = new(StringComparer.Ordinal);
            foreach (Alert alert in page)
            {
                string? key = KeyOf(alert.Event);
                Said said = default;
                bool known = key is not null && (changes.TryGetValue(key, out said) || _said.TryGetValue(key, out said));
                if (!known || said.By == engine)
                {
                    kept.Add(alert);
                    if (several && key is not null) changes[key] = new Said(known ? Both(said.Alert, alert) : alert, engine);
                    continue;
                }
                Alert both = Both(said.Alert, alert);
                if (SaysMore(said.Alert, both))
                {
                    kept.Add(both);
                    changes[key!] = said with { Alert = both };
                }
                else
                {
                    merged++;
                }
            }
            if (store(kept) is { } fault) return fault;
            foreach ((string key, Said said) in changes) Remember(key, said);
            return null;
        }
    }

    /// <summary>Reads what the sensor has raised since the last time; and what engines had, from before a restart.</summary>
    void Learn()
    {
        while (true)
        {
            IReadOnlyList<StoredAlert> page = spool.ReadAlerts(_after, PageSize);
            if (page.Count == 0) return;
            _after = page[^1].Sequence;
            foreach (StoredAlert stored in page)
            {
                if ((stored.Alert.Evidence is null && !several) || KeyOf(stored.Alert.Event) is not { } key) continue;
                // Several findings may share the event: what we have said of it is all of them.
                if (_said.TryGetValue(key, out Said earlier)) _said[key] = earlier with { Alert = Both(earlier.Alert, stored.Alert) };
                else Remember(key, new Said(stored.Alert, Board));
            }
        }
    }

    void Remember(string key, Said said)
    {
        if (!_said.ContainsKey(key))
        {
            if (_order.Count == Capacity) _said.Remove(_order.Dequeue());
            _order.Enqueue(key);
        }
        _said[key] = said;
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
