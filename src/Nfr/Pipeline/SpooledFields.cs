using System.Globalization;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>
/// Which spooled events may have more than the API's fields, whatever the config said when they were spooled: an engine that is to have no more gets those cut, and all
/// others as they lie there. One note in the spool, by type the number below which there may be such events.
/// </summary>
sealed class SpooledFields
{
    const string State = "spooled.fields", All = "all";
    static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);

    readonly Spool _spool;
    readonly TimeProvider _time;
    readonly long[] _below = new long[EventTypes.UploadedCount];
    volatile bool _all;
    bool _noted;
    long? _tried;

    public SpooledFields(Spool spool, TimeProvider time)
    {
        (_spool, _time) = (spool, time);
        // A run that spooled all fields leaves "all"; of a spool without a note nobody knows.
        string[] noted = (spool.GetState(State) ?? All).Split(' ');
        bool known = noted.Length == _below.Length;
        foreach (EventType type in EventTypes.Uploaded)
        {
            known &= long.TryParse(noted[known ? (int)type : 0], NumberStyles.None, CultureInfo.InvariantCulture, out _below[(int)type]);
        }
        if (known) return;
        foreach (EventType type in EventTypes.Uploaded) _below[(int)type] = spool.NextSequence(type);
        // Where this is refused "all" stays: the next start cuts more than it needs to, and never less.
        _ = spool.SetState(State, string.Join(' ', _below.Select(number => number.ToString(CultureInfo.InvariantCulture))));
    }

    /// <summary>Events are about to get new numbers: what they have is not known any more.</summary>
    public static SpoolFault? Renumber(Spool spool) => spool.SetState(State, All);

    /// <summary>An event is about to be spooled with all fields. Pipeline thread only; writes once a run.</summary>
    public void SpoolsAll()
    {
        if (_noted) return;
        _all = true;
        if (_tried is { } tried && _time.GetElapsedTime(tried) < s_retry) return;
        _tried = _time.GetTimestamp();
        _noted = _spool.SetState(State, All) is null;
    }

    /// <summary>Whether a batch may have more than the API's fields. Any thread.</summary>
    public bool MayExceedApi(SpoolBatch batch) => _all || batch.FirstSequence < _below[(int)batch.Type];
}
