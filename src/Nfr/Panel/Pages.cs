using Nfr.Panel.Screens;

namespace Nfr.Panel;

/// <summary>Draws the pages.</summary>
static class Pages
{
    /// <summary>Draws over all of <paramref name="screen"/>. Never fails: what does not fit is cut, moves or is shown in turns; what is not known is left out.</summary>
    /// <param name="state">What there is to say.</param>
    /// <param name="view">The page.</param>
    /// <param name="screen">The picture.</param>
    public static void Draw(PanelState state, PanelView view, ScreenBuffer screen)
    {
        screen.Clear();
        var canvas = new Canvas(screen);
        // Turns are counted from nought on.
        view = view with { Seconds = Math.Max(0, view.Seconds) };
        switch (view.Page)
        {
            case PanelPage.Identity: IdentityPage.Draw(canvas, state, view.Seconds); break;
            case PanelPage.Capture: CapturePage.Draw(canvas, state, view.Seconds); break;
            case PanelPage.Spool: SpoolPage.Draw(canvas, state, view.Seconds); break;
            case PanelPage.Alerts: AlertsPage.Draw(canvas, state, view.Seconds); break;
            case PanelPage.Health: HealthPage.Draw(canvas, state, view.Seconds); break;
            case PanelPage.Pairing: PairingPage.Draw(canvas, state, view.Seconds); break;
            case PanelPage.SetupFaults: SetupPage.Draw(canvas, state, view.Seconds); break;
            default: Messages.Draw(canvas, state, view); break;
        }
    }

    /// <summary>How long a page takes to show all that it has, once; it should not be turned before, within reason.</summary>
    public static int SecondsFor(PanelState state, PanelPage page) => PageParts.Turn * page switch
    {
        PanelPage.Identity => IdentityPage.Turns(state),
        PanelPage.Capture => CapturePage.Turns(state),
        PanelPage.Spool => SpoolPage.Turns(state),
        PanelPage.Alerts => AlertsPage.Turns(state),
        PanelPage.Health => HealthPage.Turns(state),
        PanelPage.SetupFaults => SetupPage.Turns(state),
        PanelPage.Pairing => PairingPage.Turns(state),
        _ => 1,
    };
}
