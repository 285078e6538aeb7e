using Nfr.Commands;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Panel;

/// <summary>The last alerts and which of them nobody has acknowledged.</summary>
/// <param name="Last">Newest first, four at most.</param>
/// <param name="Unacknowledged">All of them.</param>
/// <param name="Worst">The greatest severity among those; 0 = none.</param>
sealed record PanelAlertNews(IReadOnlyList<PanelAlert> Last, long Unacknowledged, int Worst);

/// <summary>
/// Follows the spool's alerts, those of engines too, and remembers durably, as the spool's bookmark "panel", up to which of them somebody has acknowledged: red stays off
/// behind a restart. Reads only what is new, a bounded part of it in one look. One caller at a time looks; any thread acknowledges.
/// </summary>
/// <param name="spool">Of this sensor.</param>
/// <param name="corrected">Puts stamps right; null = they are.</param>
sealed class PanelAlerts(Spool spool, Func<StoredAlert, StoredAlert>? corrected = null)
{
    public const string Bookmark = "panel";
    const int Page = 100;
    /// <summary>In one look: a box that comes back with a full spool catches up over some seconds.</summary>
    const int MostPages = 5;
    /// <summary>Before the bookmark so far back, so that a start shows what was last, acknowledged as it is.</summary>
    const int Before = 200;

    /// <summary>Looks left out after the bookmark could not be read: a disk that is dying is not asked every second.</summary>
    const int Rest = 10;

    readonly Lock _lock = new();
    readonly List<StoredAlert> _last = [];
    /// <summary>Of those not acknowledged, by severity.</summary>
    readonly long[] _waiting = new long[6];
    /// <summary>-1 = not known yet.</summary>
    long _acknowledged = -1;
    long _seen;
    int _resting;

    public PanelAlertNews Look()
    {
        lock (_lock)
        {
            // Until it is known which of them somebody has seen, none is told: a fault of the disk would light red what was acknowledged, and the spool's own trouble is told beside it.
            if (_resting > 0) _resting--;
            else if (Know() is null) Catch();
            int worst = Array.FindLastIndex(_waiting, n => n > 0);
            return new PanelAlertNews([.. _last.AsEnumerable().Reverse().Select(Of)], _waiting.Sum(), Math.Max(0, worst));
        }
    }

    /// <summary>Null = it is known up to where they are acknowledged; else why not.</summary>
    string? Know()
    {
        if (_acknowledged >= 0) return null;
        if (!SureRead.TryBookmark(spool, Bookmark, out long stored, out string fault))
        {
            _resting = Rest;
            return fault;
        }
        _acknowledged = stored;
        _seen = Math.Max(0, stored - Before);
        return null;
    }

    void Catch()
    {
        for (int page = 0; page < MostPages; page++)
        {
            // The number is free to ask for; the file is only read when it has grown.
            long last = spool.LastAlertSequence;
            if (last <= _seen) return;
            long faults = spool.Counters.Faults;
            IReadOnlyList<StoredAlert> alerts = spool.ReadAlerts(_seen, Page);
            foreach (StoredAlert alert in alerts) Take(alert);
            if (alerts.Count == Page) continue;
            // Nothing read may mean that nothing can be: later. Else numbers go on above the last alert's, as after an unclean stop, and wait for nobody.
            if (spool.Counters.Faults != faults) _resting = Rest;
            else _seen = Math.Max(_seen, last);
            return;
        }
    }

    void Take(StoredAlert alert)
    {
        _seen = alert.Sequence;
        if (alert.Sequence > _acknowledged) _waiting[Math.Clamp(alert.Alert.Severity, 1, 5)]++;
        if (_last.Count == PanelState.MostAlerts) _last.RemoveAt(0);
        _last.Add(corrected?.Invoke(alert) ?? alert);
    }

    /// <summary>Null = it is kept on disk; else why not. All alerts up to this one have been seen by somebody; what goes back is ignored.</summary>
    public string? Acknowledge(long sequence)
    {
        lock (_lock)
        {
            if (Know() is { } unknown) return unknown;
            // No further than there are alerts, or those to come would be acknowledged already.
            sequence = Math.Min(sequence, spool.LastAlertSequence);
            if (sequence <= _acknowledged) return null;
            if (spool.SetBookmark(Bookmark, sequence) is { } fault) return fault.Message;
            _acknowledged = sequence;
            Array.Clear(_waiting);
            // Those that came since the person looked wait on; without a look before all of them are counted at the next.
            _seen = Math.Min(_seen, Math.Max(0, sequence - Before));
            _last.Clear();
            return null;
        }
    }

    PanelAlert Of(StoredAlert stored)
    {
        Alert alert = stored.Alert;
        AlertThreat? worst = alert.Threats.MaxBy(t => t.Severity);
        string host = alert.Event.SrcHost is { Length: > 0 } name ? name : alert.Event.SrcIP ?? alert.Event.SrcMac ?? "";
        DateTimeOffset.TryParse(alert.Event.Ts, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out DateTimeOffset stamp);
        return new PanelAlert(stored.Sequence, alert.Severity, Printable.Of(worst is null ? "" : worst.Title.Length > 0 ? worst.Title : worst.Id), Printable.Of(host),
            stamp < DateTimeOffset.UnixEpoch ? DateTimeOffset.UnixEpoch : stamp, stored.Sequence <= _acknowledged);
    }
}
