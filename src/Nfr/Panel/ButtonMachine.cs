namespace Nfr.Panel;

enum ButtonAct : byte
{
    None,
    /// <summary>Pressed shortly: next page, or acknowledge, or wake.</summary>
    Press,
    Shutdown,
    FactoryReset,
}

enum ButtonPhase : byte
{
    Idle,
    /// <summary>Down, and may yet be a short press.</summary>
    Down,
    /// <summary>Held: letting go does nothing; the countdown runs to the shutdown.</summary>
    Holding,
    /// <summary>Letting go shuts down; the countdown runs to the factory reset.</summary>
    ShutdownReady,
    /// <summary>Held for a factory reset: let go, then confirm.</summary>
    ResetReady,
    /// <summary>Let go: a short press within the countdown erases, anything else does not.</summary>
    Confirming,
    /// <summary>Down for so long that nobody holds it: it is stuck, and means nothing until it is up again.</summary>
    Stuck,
}

/// <summary>
/// What one button means, by how long it is held; nothing else: no devices, no clock of its own. Times are monotonic and only grow.
/// <code>
///  up before 1 s   press                          5 s … 15 s   shut down, when it is let go
///  1 s … 5 s       nothing (one may think better)  15 s … 60 s  let go, then a short press within 10 s: factory reset
/// </code>
/// No double press: a short press acts at once, nothing waits to see whether another one comes. What erases is asked first: a press before the question was shown
/// (<see cref="Asked"/>) answers nothing, and takes the question away.
/// </summary>
sealed class ButtonMachine
{
    public static readonly TimeSpan Short = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan VeryLong = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan Stuck = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan Confirmation = TimeSpan.FromSeconds(10);

    TimeSpan? _down;
    TimeSpan? _confirmUntil;
    bool _isAsked;

    public ButtonPhase Phase(TimeSpan now) => _down is { } since
        ? (now - since) switch
        {
            // A press that may confirm counts down no shutdown.
            _ when _confirmUntil is not null => ButtonPhase.Confirming,
            var held when held >= Stuck => ButtonPhase.Stuck,
            var held when held >= VeryLong => ButtonPhase.ResetReady,
            var held when held >= Long => ButtonPhase.ShutdownReady,
            var held when held >= Short => ButtonPhase.Holding,
            _ => ButtonPhase.Down,
        }
        : _confirmUntil is { } until && now < until ? ButtonPhase.Confirming : ButtonPhase.Idle;

    /// <summary>Whole seconds until the phase means something else, rounded up; 0 where nothing is counted.</summary>
    public int Countdown(TimeSpan now) => Phase(now) switch
    {
        ButtonPhase.Holding => Left(_down!.Value + Long - now),
        ButtonPhase.ShutdownReady => Left(_down!.Value + VeryLong - now),
        ButtonPhase.Confirming => Left(_confirmUntil!.Value - now),
        _ => 0,
    };

    static int Left(TimeSpan span) => Math.Max(0, (int)Math.Ceiling(span.TotalSeconds));

    /// <summary>The question of <see cref="ButtonPhase.Confirming"/> stands where a person sees it.</summary>
    public void Asked(TimeSpan now) => _isAsked = _down is null && _confirmUntil is { } until && now < until;

    public void Down(TimeSpan now)
    {
        if (_confirmUntil is { } until && now >= until) _confirmUntil = null;
        else if (_confirmUntil is not null && !_isAsked)
        {
            // A panel that was slow: who presses now has not read what they would confirm.
            Forget();
            return;
        }
        // A second press without a release in between: the release was lost, and so was how long it was held.
        _down = now;
    }

    public ButtonAct Up(TimeSpan now)
    {
        if (_down is not { } since) return ButtonAct.None;
        TimeSpan held = now - since;
        _down = null;
        if (_confirmUntil is not null)
        {
            // One answer: whatever it is ends the question. A press that began in time may end after it.
            _confirmUntil = null;
            return held < Short ? ButtonAct.FactoryReset : ButtonAct.None;
        }
        if (held < Short) return ButtonAct.Press;
        if (held >= Long && held < VeryLong) return ButtonAct.Shutdown;
        if (held >= VeryLong && held < Stuck) (_confirmUntil, _isAsked) = (now + Confirmation, false);
        return ButtonAct.None;
    }

    /// <summary>Events were lost, or the button is gone: nothing that was begun counts.</summary>
    public void Forget() => (_down, _confirmUntil) = (null, null);
}
