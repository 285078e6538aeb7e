namespace Nfr.Uplink;

/// <summary>
/// Finds the alert that a broker cannot bear and does not say so: one at which it closes the connection. It is refused when three connections in a row broke while it was the first
/// alert without a PUBACK, the last two while it was alone on its way, the third after it had stood for a while without; and when the broker then took another alert. So a broker
/// that restarts all the time costs no alert, nor does one that closes the connection at every alert, for want of rights say: there the other alert breaks it too. One thread.
/// </summary>
sealed class FleetSuspect
{
    public const int MostBreaks = 3;
    /// <summary>Alerts that go one by one after a connection broke.</summary>
    const int Careful = AlertOutput.PageSize;

    long _sequence = -1;
    int _breaks;
    int _singly;

    /// <summary>One alert at a time is on its way.</summary>
    public bool IsCareful => _singly > 0;

    /// <summary>The next connection is to stand for a while before an alert goes.</summary>
    public bool WantsProof => _breaks == MostBreaks - 1;

    /// <summary>This one's turn comes after another's, whose fate tells; null = there is none.</summary>
    public long? Doubted => _breaks >= MostBreaks ? _sequence : null;

    /// <summary>An alert was acknowledged.</summary>
    /// <returns>The alert that is refused for good by that; null = none is.</returns>
    public long? Took(long sequence)
    {
        if (_singly > 0) _singly--;
        long? condemned = Doubted is { } doubted && doubted != sequence ? doubted : null;
        if (condemned is not null || sequence == _sequence) Forget();
        return condemned;
    }

    public void Forget() => (_sequence, _breaks) = (-1, 0);

    /// <summary>The broker closed the connection without saying why.</summary>
    /// <param name="first">The first alert that was on its way; null = none was: it is not the alerts' fault.</param>
    /// <param name="alone">No other was.</param>
    /// <returns>True when it closes the connection at whichever alert comes.</returns>
    public bool Broke(long? first, bool alone)
    {
        if (first is not { } sequence)
        {
            Forget();
            return false;
        }
        _singly = Careful;
        if (Doubted is { } doubted && doubted != sequence)
        {
            // The one that was to show that others are taken is not taken either.
            Forget();
            return true;
        }
        if (sequence != _sequence) (_sequence, _breaks) = (sequence, 1);
        else if (alone && _breaks < MostBreaks) _breaks++;
        return false;
    }
}
