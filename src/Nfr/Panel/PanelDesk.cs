namespace Nfr.Panel;

/// <summary>What the panel wants done outside of itself.</summary>
enum PanelAsk : byte
{
    None,
    Acknowledge,
    Shutdown,
    FactoryReset,
}

/// <summary>
/// Decides what the display shows and what a press means: states and presses go in, a page, lights and wishes come out. No devices and no clock of its own; times are
/// monotonic, since the panel's start.
/// </summary>
/// <param name="sleep">Without use for so long the display goes dark; zero = never.</param>
sealed class PanelDesk(TimeSpan sleep)
{
    /// <summary>All lights on at the start for so long.</summary>
    public static readonly TimeSpan LightTest = TimeSpan.FromSeconds(2);
    /// <summary>The pages go on by themselves, unless somebody has just chosen one.</summary>
    public static readonly TimeSpan Turn = TimeSpan.FromSeconds(8);
    /// <summary>A page with much to say stays for so long at most.</summary>
    public static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(40);
    public static readonly TimeSpan Chosen = TimeSpan.FromSeconds(30);
    /// <summary>Dimmed when nobody has pressed and nothing has happened for so long.</summary>
    public static readonly TimeSpan Dim = TimeSpan.FromMinutes(1);
    /// <summary>A sensor that starts is not missed before.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    /// <summary>A shutdown that has not come by then was not done.</summary>
    public static readonly TimeSpan LongestShutdown = TimeSpan.FromSeconds(90);
    static readonly TimeSpan s_notPossible = TimeSpan.FromSeconds(15);
    /// <summary>The sensor's word on an acknowledgement comes within a second or two.</summary>
    static readonly TimeSpan s_acknowledging = TimeSpan.FromSeconds(5);

    readonly ButtonMachine _button = new();
    readonly List<PanelPage> _pages = [];
    PanelState _state = PanelState.Nothing;
    PanelPage _page = PanelPage.Identity;
    TimeSpan _since;
    TimeSpan _chosenUntil;
    TimeSpan _used;
    PanelPage _shown;
    TimeSpan _shownSince;
    PanelAsk _doing;
    TimeSpan _doingSince;
    TimeSpan? _notPossibleUntil;
    long _newestAlert = -1;
    long _acknowledged;
    TimeSpan _acknowledgedAt;
    bool _wasWoken;

    /// <summary>With what was acknowledged here and is not told by the sensor yet.</summary>
    public PanelState State(TimeSpan now) => _acknowledged == 0 || now - _acknowledgedAt >= s_acknowledging || _state.Alerts.Any(a => a.Sequence > _acknowledged && !a.IsAcknowledged)
        ? _state
        : _state with { Unacknowledged = 0, WorstUnacknowledged = 0, Alerts = [.. _state.Alerts.Select(a => a with { IsAcknowledged = true })] };

    /// <summary>A state has come, once a second or so.</summary>
    public void Take(PanelState state, TimeSpan now)
    {
        PanelState before = _state;
        _state = state;
        long newest = state.Alerts.Count > 0 ? state.Alerts[0].Sequence : 0;
        if (state.HasSensor)
        {
            // The first state of all tells of old alerts: they are shown, too. Where some wait already, one more that is no graver does not keep the display lit: the light tells of it.
            if (newest > _newestAlert && state.Unacknowledged > 0 && !state.Alerts[0].IsAcknowledged)
                Choose(PanelPage.Alerts, now, lights: before is not { HasSensor: true, Unacknowledged: > 0 } || state.WorstUnacknowledged > before.WorstUnacknowledged);
            _newestAlert = Math.Max(_newestAlert, newest);
            if (state.Health == PanelHealth.Fault && before is not { HasSensor: true, Health: PanelHealth.Fault }) Choose(PanelPage.Health, now);
        }
        if (state.HasSensor != before.HasSensor || (state.IdentifyFor > TimeSpan.Zero) != (before.IdentifyFor > TimeSpan.Zero) || state.Update.Phase != before.Update.Phase
            || state.SetupFaults.Count > before.SetupFaults.Count) _used = now;
    }

    /// <param name="now">When it was pressed, which may be some rounds ago.</param>
    public void Down(TimeSpan now)
    {
        _wasWoken = IsAsleep(now);
        _used = now;
        _button.Down(now);
    }

    /// <summary>What is to be done; the caller tells by <see cref="Failed"/> when it could not be.</summary>
    /// <param name="now">When it was let go.</param>
    public PanelAsk Up(TimeSpan now)
    {
        ButtonAct act = _button.Up(now);
        _used = now;
        switch (act)
        {
            case ButtonAct.Shutdown or ButtonAct.FactoryReset:
                (_doing, _doingSince) = (act == ButtonAct.Shutdown ? PanelAsk.Shutdown : PanelAsk.FactoryReset, now);
                return _doing;
            // What was dark is seen first; a press in the dark changes nothing.
            case ButtonAct.Press when _wasWoken || _doing != PanelAsk.None:
                return PanelAsk.None;
            case ButtonAct.Press:
                return Press(now);
            default:
                return PanelAsk.None;
        }
    }

    /// <summary>Presses were lost, or the button was unplugged.</summary>
    public void Forget() => _button.Forget();

    PanelAsk Press(TimeSpan now)
    {
        PanelState state = State(now);
        // What stood there when it was pressed: nobody has seen the page that a late round would turn to.
        if (_shown == PanelPage.Alerts && state.Unacknowledged > 0 && state.Alerts.Count > 0)
        {
            (_acknowledged, _acknowledgedAt) = (state.Alerts[0].Sequence, now);
            (_page, _since, _chosenUntil) = (PanelPage.Alerts, now, now + Chosen);
            return PanelAsk.Acknowledge;
        }
        List<PanelPage> pages = PagesOf(state, now);
        Choose(pages[(pages.IndexOf(_page) + 1) % pages.Count], now);
        return PanelAsk.None;
    }

    /// <summary>The newest alert that was shown when the button was pressed.</summary>
    public long Acknowledged => _acknowledged;

    /// <summary>What was asked could not be handed over.</summary>
    public void Failed(TimeSpan now)
    {
        _doing = PanelAsk.None;
        _notPossibleUntil = now + s_notPossible;
        _used = now;
    }

    /// <param name="page">Which one.</param>
    /// <param name="now">Since when.</param>
    /// <param name="lights">It is worth lighting the display for.</param>
    void Choose(PanelPage page, TimeSpan now, bool lights = true)
    {
        (_page, _since, _chosenUntil) = (page, now, now + Chosen);
        if (lights) _used = now;
    }

    List<PanelPage> PagesOf(PanelState state, TimeSpan now)
    {
        _pages.Clear();
        if (state.HasSensor) _pages.AddRange([PanelPage.Identity, PanelPage.Capture, PanelPage.Spool, PanelPage.Alerts, PanelPage.Health]);
        else
        {
            _pages.Add(state.Name.Length == 0 && now < Patience ? PanelPage.Starting : PanelPage.NoSensor);
            if (state.Name.Length > 0) _pages.Add(PanelPage.Identity);
        }
        if (state.SetupFaults.Count > 0) _pages.Add(PanelPage.SetupFaults);
        if (state.Address.Length > 0 || state.SshKey.Length > 0) _pages.Add(PanelPage.Pairing);
        return _pages;
    }

    /// <summary>What the display shows now.</summary>
    public PanelView View(TimeSpan now)
    {
        if (_doing != PanelAsk.None && now - _doingSince >= LongestShutdown) Failed(now);
        PanelPage page = Special(now) ?? Turned(now);
        if (page != _shown) (_shown, _shownSince) = (page, now);
        if (page == PanelPage.ResetConfirm) _button.Asked(now);
        return new PanelView(page, (int)(now - _shownSince).TotalSeconds, page is PanelPage.ShutdownCountdown or PanelPage.ShutdownReady or PanelPage.ResetConfirm ? _button.Countdown(now) : 0);
    }

    PanelPage? Special(TimeSpan now)
    {
        if (_doing == PanelAsk.Shutdown) return PanelPage.ShuttingDown;
        if (_doing == PanelAsk.FactoryReset) return PanelPage.Resetting;
        switch (_button.Phase(now))
        {
            case ButtonPhase.Holding: return PanelPage.ShutdownCountdown;
            case ButtonPhase.ShutdownReady: return PanelPage.ShutdownReady;
            case ButtonPhase.ResetReady or ButtonPhase.Confirming: return PanelPage.ResetConfirm;
            default: break;
        }
        if (now < _notPossibleUntil) return PanelPage.NotPossible;
        if (_state.Update.Phase == PanelUpdatePhase.Writing) return PanelPage.Updating;
        return _state.IdentifyFor > TimeSpan.Zero ? PanelPage.Identify : null;
    }

    PanelPage Turned(TimeSpan now)
    {
        List<PanelPage> pages = PagesOf(State(now), now);
        int at = pages.IndexOf(_page);
        if (at < 0) (_page, _since, at) = (pages[0], now, 0);
        else if (now >= _chosenUntil && now - _since >= TimeOf(_page, now))
        {
            PanelPage next = pages[(at + 1) % pages.Count];
            // The last one, and never news: who wants it presses for it.
            (_page, _since) = (next == PanelPage.Pairing ? pages[0] : next, now);
        }
        return _page;
    }

    /// <summary>A page with more than fits stays until it has shown it, within reason.</summary>
    TimeSpan TimeOf(PanelPage page, TimeSpan now) => TimeSpan.FromSeconds(Math.Clamp(Pages.SecondsFor(State(now), page), Turn.TotalSeconds, LongestTurn.TotalSeconds));

    /// <summary>What the lights are about.</summary>
    public PanelMode Mode(TimeSpan now) => now < LightTest ? PanelMode.LightTest : _doing != PanelAsk.None ? PanelMode.Writing : PanelMode.Normal;

    /// <summary>The display is dark, to spare it.</summary>
    public bool IsAsleep(TimeSpan now) => sleep > TimeSpan.Zero && now - _used >= sleep && Special(now) is null;

    /// <summary>Nobody has used it for a while, or it is night by a clock that can be trusted.</summary>
    public bool IsDim(TimeSpan now, TimeZoneInfo zone)
    {
        if (Special(now) is not null || now - _used < Turn) return false;
        if (now - _used >= Dim) return true;
        return _state is { HasSensor: true, Clock: PanelClock.Synchronised } && TimeZoneInfo.ConvertTime(_state.Now, zone).Hour is (>= 22 or < 6);
    }

    /// <summary>The button is held or counts: the picture changes more often than once a second.</summary>
    public bool IsBusy(TimeSpan now) => _button.Phase(now) != ButtonPhase.Idle || now < LightTest + TimeSpan.FromSeconds(1);
}
