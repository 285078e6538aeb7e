using Nfr.Health;
using Nfr.Native;
using Nfr.Panel.Screens;

namespace Nfr.Panel;

/// <summary>What the loop is made of; null = switched off.</summary>
sealed record PanelParts
{
    public required PanelClient Client { get; init; }
    public Leds? Leds { get; init; }
    public Display? Display { get; init; }
    public PanelButton? Button { get; init; }
    public required PanelRequests Requests { get; init; }
    public required BoxNotePlaces Notes { get; init; }
    public required TimeSpan Sleep { get; init; }
    /// <summary>Faults of the config, which the display shows too.</summary>
    public IReadOnlyList<string> ConfigFaults { get; init; } = [];
}

/// <summary>
/// "nfr panel": one thread that waits for the sensor, the button or the next tenth of a second in which something moves. Whatever is missing or breaks is said once and
/// tried again; nothing here ends the process but a signal.
/// </summary>
/// <param name="parts">Its devices.</param>
/// <param name="say">A sentence for the log.</param>
/// <param name="time">Intervals.</param>
/// <param name="alive">Called after each round: for the watchdog.</param>
sealed class PanelLoop(PanelParts parts, Action<string> say, TimeProvider time, Action? alive = null)
{
    static readonly TimeSpan s_idle = TimeSpan.FromSeconds(1);
    /// <summary>While the button is held, or a light's new files are waited for.</summary>
    static readonly TimeSpan s_busy = TimeSpan.FromSeconds(0.1);

    readonly PanelDesk _desk = new(parts.Sleep);
    readonly ScreenBuffer _screen = new();
    readonly RateHistory _rates = new();
    readonly long _begin = time.GetTimestamp();
    BoxNotes _notes = BoxNotes.None;
    TimeSpan? _notesAt;

    TimeSpan Now => time.GetElapsedTime(_begin);

    /// <summary>There is a light or a display, as of the last round.</summary>
    bool Shows => parts.Leds is { Found: > 0 } || parts.Display is { Place: not null };

    public void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            TimeSpan wait = Turn();
            alive?.Invoke();
            Readiness.Wait(parts.Client.Handle, parts.Button?.Handle, wait);
        }
        // The box goes down, as it was asked to: "do not unplug" stays true without us, until the very end says otherwise (--say unplug).
        if (_desk.Mode(Now) == PanelMode.Writing) return;
        // Nobody keeps these true from here on. That the box has power is.
        parts.Leds?.Show(LightPlan.All(LightPattern.Off) with { Power = LightPattern.On });
        parts.Display?.Blank();
    }

    /// <summary>One round; how long the next may wait.</summary>
    internal TimeSpan Turn()
    {
        TimeSpan now = Now;
        PanelState state = WithNotes(parts.Client.Poll(Shows), now);
        // What a silent sensor said last is no rate of now.
        state = state with { Rates = _rates.Take(state.HasSensor ? state.PacketsPerSecond : 0, now) };
        Press(now);
        _desk.Take(state, now);
        PanelView view = _desk.View(now);
        PanelState shown = _desk.State(now);
        parts.Leds?.Show(LightTable.Of(shown, _desk.Mode(now)));
        if (parts.Display is { } display)
        {
            Pages.Draw(shown, view, _screen);
            display.Show(_screen, isLit: !_desk.IsAsleep(now), isDim: _desk.IsDim(now, TimeZoneInfo.Local));
        }
        return _desk.IsBusy(now) || parts.Leds?.IsSettling == true ? s_busy : s_idle;
    }

    void Press(TimeSpan now)
    {
        if (parts.Button is not { } button) return;
        ReadOnlySpan<KeyChange> changes = button.Read(out bool lost);
        if (lost)
        {
            _desk.Forget();
            return;
        }
        foreach (KeyChange change in changes)
        {
            // How long it was held is between two stamps of the kernel: a round that came late measures nothing.
            TimeSpan at = At(change);
            if (change.IsDown) _desk.Down(at);
            else Do(_desk.Up(at), now);
        }
    }

    /// <summary>The kernel's stamps and our intervals are of one clock.</summary>
    TimeSpan At(KeyChange change) => time.GetElapsedTime(_begin, (long)(change.Nanoseconds * (time.TimestampFrequency / 1e9)));

    void Do(PanelAsk ask, TimeSpan now)
    {
        switch (ask)
        {
            case PanelAsk.Acknowledge:
                if (!parts.Client.Send(new PanelRequest(PanelRequestKind.Acknowledge, _desk.Acknowledged))) say("the sensor could not be told that its alerts were seen; press again");
                break;
            case PanelAsk.Shutdown or PanelAsk.FactoryReset:
                say(ask == PanelAsk.Shutdown ? "button: shut down" : "button: factory reset, confirmed");
                if (parts.Requests.Put(ask) is not { } why) break;
                say(why);
                _desk.Failed(now);
                break;
            default:
                break;
        }
    }

    /// <summary>The box's own words are read here too: there may be no sensor to tell them.</summary>
    PanelState WithNotes(PanelState state, TimeSpan now)
    {
        if (_notesAt is not { } last || now - last >= s_idle) (_notes, _notesAt) = (BoxNotes.Read(parts.Notes, time), now);
        bool sensor = state.HasSensor;
        return state with
        {
            Update = _notes.Update.Phase != PanelUpdatePhase.Idle ? _notes.Update : sensor ? state.Update : PanelUpdate.None,
            // Who asked for it asked the sensor.
            IdentifyFor = sensor ? state.IdentifyFor : TimeSpan.Zero,
            SshKey = _notes.SshKey,
            // A sensor tells of lost data among its troubles.
            SetupFaults = [.. parts.ConfigFaults, .. _notes.DataLost is { } lost && !sensor ? new[] { lost } : [], .. _notes.Setup.Count > 0 || !sensor ? _notes.Setup : state.SetupFaults],
        };
    }
}
