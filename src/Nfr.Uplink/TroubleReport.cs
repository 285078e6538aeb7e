namespace Nfr.Uplink;

/// <summary>
/// Turns the ups and downs of several loops into few sentences: one when trouble begins, one when its kind changes, one when all loops are
/// well again; never two beginnings within a minute, however the other side flaps.
/// </summary>
sealed class TroubleReport(TimeProvider time, Action<UplinkNotice> notice)
{
    static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(1);

    readonly Lock _lock = new();
    readonly HashSet<string> _failing = [];
    string? _announced;
    bool _everAnnounced;
    long _announcedAt;
    long _since;
    string? _trouble;

    /// <summary>The sentence of the latest failure; null when every loop is well.</summary>
    public string? Trouble
    {
        get
        {
            lock (_lock) return _trouble;
        }
    }

    /// <param name="loop">Who failed.</param>
    /// <param name="kind">A change of it is news.</param>
    /// <param name="level">How much it matters.</param>
    /// <param name="sentence">For the log.</param>
    /// <param name="trouble">For the status: without counts and times that grow old.</param>
    public void Failed(string loop, string kind, NoticeLevel level, string sentence, string trouble)
    {
        lock (_lock)
        {
            if (_failing.Count == 0) _since = time.GetTimestamp();
            _failing.Add(loop);
            _trouble = trouble;
            if (_announced == kind) return;
            if (_everAnnounced && level < NoticeLevel.Error && time.GetElapsedTime(_announcedAt) < s_quiet) return;
            _announced = kind;
            _everAnnounced = true;
            _announcedAt = time.GetTimestamp();
        }
        notice(new UplinkNotice(level, sentence));
    }

    /// <param name="loop">Who is well.</param>
    /// <param name="sentence">Gets how long the trouble lasted.</param>
    public void Succeeded(string loop, Func<TimeSpan, string> sentence)
    {
        TimeSpan lasted;
        lock (_lock)
        {
            if (!_failing.Remove(loop) || _failing.Count > 0) return;
            _trouble = null;
            if (_announced is null) return;
            _announced = null;
            lasted = time.GetElapsedTime(_since);
        }
        notice(new UplinkNotice(NoticeLevel.Information, sentence(lasted)));
    }
}
