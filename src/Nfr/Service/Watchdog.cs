namespace Nfr.Service;

/// <summary>
/// Says whether every loop has gone round lately. systemd hears of the sensor only while that is so: a process that merely lives, with its capture stuck, is
/// started anew. One thread looks.
/// </summary>
sealed class Watchdog
{
    readonly TimeProvider _time;
    readonly TimeSpan _patience;
    readonly Pulse[] _pulses;
    readonly long[] _rounds;
    readonly long[] _moved;

    /// <param name="pulses">One for each loop that must go round.</param>
    /// <param name="patience">Longer than any round of a healthy loop: a commit on a dying card takes seconds.</param>
    /// <param name="time">Intervals by its monotonic clock.</param>
    public Watchdog(IReadOnlyList<Pulse> pulses, TimeSpan patience, TimeProvider time)
    {
        _time = time;
        _patience = patience;
        _pulses = [.. pulses];
        _rounds = [.. pulses.Select(p => p.Rounds)];
        _moved = [.. pulses.Select(_ => time.GetTimestamp())];
    }

    /// <summary>The loop that has stood still longest and for longer than the patience; null while all go round.</summary>
    /// <param name="still">For how long it has.</param>
    public Pulse? Stuck(out TimeSpan still)
    {
        Pulse? stuck = null;
        still = _patience;
        long now = _time.GetTimestamp();
        for (int i = 0; i < _pulses.Length; i++)
        {
            long rounds = _pulses[i].Rounds;
            if (rounds != _rounds[i])
            {
                (_rounds[i], _moved[i]) = (rounds, now);
                continue;
            }
            TimeSpan stands = _time.GetElapsedTime(_moved[i], now);
            if (stands < still) continue;
            (stuck, still) = (_pulses[i], stands);
        }
        return stuck;
    }
}
