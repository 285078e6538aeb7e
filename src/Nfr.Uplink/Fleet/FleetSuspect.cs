namespace Nfr.Uplink;

/// <summary>What a broken connection says of the alerts.</summary>
enum FleetVerdict : byte
{
    /// <summary>Nothing yet.</summary>
    None,
    /// <summary>The first alert on its way is one that the broker cannot bear: it is refused for good.</summary>
    Guilty,
    /// <summary>The broker closes the connection whichever alert comes: it is not their fault.</summary>
    Whichever,
}

/// <summary>
/// Finds the alert that a broker cannot bear and does not say so: one at which it closes the connection. It is guilty when three connections in a row broke while it was the first alert
/// without a PUBACK, twice of them alone on its way, and the third had taken another alert just before. So neither a broker that restarts all the time costs an alert, nor one that closes
/// the connection at every alert, for want of rights say, where the other one breaks it too; and an alert after which none has come yet is tried on. One thread.
/// </summary>
sealed class FleetSuspect
{
    /// <summary>Breaks with the same alert before another one goes first.</summary>
    const int MostBreaks = 2;
    /// <summary>Alerts that go one by one after a connection broke.</summary>
    const int Careful = AlertOutput.PageSize;

    long _sequence = -1;
    int _breaks;
    int _singly;
    bool _othersGo;

    /// <summary>One alert at a time is on its way.</summary>
    public bool IsCareful => _singly > 0;

    /// <summary>This one's turn comes after another's, whose fate tells; null = there is none.</summary>
    public long? Doubted => _breaks >= MostBreaks && !_othersGo ? _sequence : null;

    /// <summary>An alert was acknowledged.</summary>
    public void Took(long sequence)
    {
        if (_singly > 0) _singly--;
        if (sequence == _sequence) Forget();
        else _othersGo |= _breaks >= MostBreaks;
    }

    /// <summary>A connection ended for a reason of its own.</summary>
    public void Forget() => (_sequence, _breaks, _othersGo) = (-1, 0, false);

    /// <summary>The broker closed the connection without saying why.</summary>
    /// <param name="first">The first alert that was on its way; null = none was.</param>
    /// <param name="alone">No other was.</param>
    public FleetVerdict Broke(long? first, bool alone)
    {
        bool proven = _othersGo;
        _othersGo = false;
        if (first is not { } sequence)
        {
            Forget();
            return FleetVerdict.None;
        }
        _singly = Careful;
        if (sequence == _sequence)
        {
            if (!alone) return FleetVerdict.None;
            if (!proven)
            {
                _breaks = Math.Min(_breaks + 1, MostBreaks);
                return FleetVerdict.None;
            }
            Forget();
            return FleetVerdict.Guilty;
        }
        bool whichever = _breaks >= MostBreaks && !proven;
        Forget();
        if (!whichever) (_sequence, _breaks) = (sequence, 1);
        return whichever ? FleetVerdict.Whichever : FleetVerdict.None;
    }
}
