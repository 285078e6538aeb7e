namespace Nfr.Panel;

/// <summary>What the display shows.</summary>
enum PanelPage : byte
{
    // Those that the button turns through, in this order.
    /// <summary>Name, site, sensor id, version, addresses.</summary>
    Identity,
    /// <summary>Ports, link, rates, loss, mirror trouble.</summary>
    Capture,
    /// <summary>Spool, engines, broker.</summary>
    Spool,
    /// <summary>The last four, those not acknowledged marked.</summary>
    Alerts,
    /// <summary>Health in a word, troubles with what to do, temperature, card, clock.</summary>
    Health,
    /// <summary>What box this is and by what keys it is known, as QR and in letters; turned to by the button alone.</summary>
    Pairing,

    // Those that come by themselves.
    /// <summary>The panel runs; no sensor has spoken yet.</summary>
    Starting,
    /// <summary>A sensor spoke once and no longer does, or none came.</summary>
    NoSensor,
    /// <summary>nfr.txt has faults: <see cref="PanelState.SetupFaults"/>.</summary>
    SetupFaults,
    /// <summary>An update is being written: do not unplug.</summary>
    Updating,
    /// <summary>"This is the one", asked for over MQTT.</summary>
    Identify,
    /// <summary>The button is held: let go at once and nothing happens; <see cref="PanelView.Countdown"/> seconds until it means shut down.</summary>
    ShutdownCountdown,
    /// <summary>Held on: released now the box shuts down; <see cref="PanelView.Countdown"/> seconds until it means factory reset.</summary>
    ShutdownReady,
    /// <summary>Released after the time for a reset: press once more within <see cref="PanelView.Countdown"/> seconds to erase, or wait and nothing happens.</summary>
    ResetConfirm,
    /// <summary>The box shuts down: do not unplug yet.</summary>
    ShuttingDown,
    /// <summary>Everything is written: it is safe to unplug.</summary>
    SafeToUnplug,
    /// <summary>The factory reset runs: do not unplug.</summary>
    Resetting,
    /// <summary>What was asked could not be handed over (no /run/nfr/requests), or was and did not come.</summary>
    NotPossible,
}

/// <summary>A page and where it stands.</summary>
/// <param name="Page">Which.</param>
/// <param name="Seconds">For how long it has been shown: a page with more than fits goes through it by this.</param>
/// <param name="Countdown">Seconds left; 0 where the page counts nothing.</param>
readonly record struct PanelView(PanelPage Page, int Seconds = 0, int Countdown = 0);
