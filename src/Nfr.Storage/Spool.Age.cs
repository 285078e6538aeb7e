using System.Globalization;

namespace Nfr.Storage;

// How old things are, by a clock that nobody can set.
public sealed partial class Spool
{
    // A box without a clock of its own believes at each start that it is 1970, or the day of its last stop, until the network tells it better; by such stamps
    // a week's events would be "too old" at once, or never. So age is the time that the spool was open: monotone ticks of this run, on top of those of the
    // runs before, which lie in the file. Time in which the box was off does not count: nothing could have been delivered in it.
    const string RunningState = "running";

    static readonly TimeSpan s_noteEvery = TimeSpan.FromMinutes(10), s_ageEvery = TimeSpan.FromMinutes(1);

    long _runningBefore;
    long _runningStart;
    long _runningNoted;
    long _agedAt;
    /// <summary>The first look comes with the first flush: a sensor that restarts more often than once a minute would never look else.</summary>
    bool _hasAged;

    /// <summary>Milliseconds that a spool was open here, over all runs; a kill takes no more than ten minutes off it.</summary>
    internal long Running => _runningBefore + (long)_time.GetElapsedTime(_runningStart).TotalMilliseconds;

    void StartRunning()
    {
        _runningStart = _agedAt = _runningNoted = _time.GetTimestamp();
        _runningBefore = _file!.LastRunning(RunningState);
    }

    // Once in ten minutes, with what is written anyway.
    void NoteRunning(SpoolFile file, bool now = false)
    {
        if (!now && _time.GetElapsedTime(_runningNoted) < s_noteEvery) return;
        _runningNoted = _time.GetTimestamp();
        file.SetState(RunningState, Running.ToString(CultureInfo.InvariantCulture));
        // For whoever looks from beside.
        SpoolOutlook? outlook;
        lock (_tallyLock) outlook = _rate.Outlook(_limits.RingBytes, _options.CardBytes);
        if (outlook is not null) file.SetState(SpoolOutlook.State, outlook.ToText());
    }

    bool AgingDue => _limits.HasAges && (!_hasAged || _time.GetElapsedTime(_agedAt) >= s_ageEvery);

    // One transaction: what is left after it makes the next flush due, and the pipeline takes events between the two.
    SpoolFault? Age()
    {
        lock (_writeLock)
        {
            if (_disposed) return Closed();
            bool more = false;
            if (Write(file => more = file.EvictAged(Running)) is { } fault) return fault;
            if (!more) (_agedAt, _hasAged) = (_time.GetTimestamp(), true);
            return null;
        }
    }
}
