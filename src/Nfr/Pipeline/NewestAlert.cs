using System.Globalization;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>When the newest alert of the spool was raised. Reads what is new and no more, a bounded part of it in one look. One thread.</summary>
/// <param name="spool">Of this sensor.</param>
/// <param name="corrected">Puts stamps right.</param>
/// <param name="bookmark">Of one who follows the alerts: there, or a little before, is one.</param>
sealed class NewestAlert(Spool spool, Func<StoredAlert, StoredAlert> corrected, string bookmark)
{
    /// <summary>In one look, and before the place where a start begins.</summary>
    const int Most = 64;

    long _seen = -1;
    DateTimeOffset? _at;

    /// <returns>Null = the spool's last alerts are none.</returns>
    public DateTimeOffset? Look()
    {
        long last = spool.LastAlertSequence;
        // After an unclean stop numbers go on far above the last alert's, so that none may lie close to the end.
        if (_seen < 0 && spool.ReadAlerts(Math.Max(0, last - Most), 1).Count == 0) last = Math.Min(last, spool.GetBookmark(bookmark));
        if (_seen < 0 || last - _seen > Most) _seen = Math.Max(0, last - Most);
        if (last > _seen && spool.ReadAlerts(_seen, Most) is [.., var newest])
        {
            _seen = newest.Sequence;
            if (DateTimeOffset.TryParse(corrected(newest).Alert.Event.Ts, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at)) _at = at;
        }
        return _at;
    }
}
