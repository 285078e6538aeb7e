using System.Globalization;

namespace Nfr.Panel.Screens;

/// <summary>Screens that say one thing.</summary>
static class Messages
{
    public static void Draw(Canvas canvas, PanelState state, PanelView view)
    {
        switch (view.Page)
        {
            case PanelPage.Starting:
                Say(canvas, "Starting", state.Version.Length > 0 ? $"Network Flight Recorder {state.Version}" : "Network Flight Recorder");
                Busy(canvas, view.Seconds);
                break;
            case PanelPage.NoSensor:
                Say(canvas, "No sensor", "The recorder does not answer. It is started again by itself. If this stays, take the power away for ten seconds.");
                break;
            case PanelPage.Updating:
                Updating(canvas, state.Update);
                break;
            case PanelPage.Identify:
                Identify(canvas, state, view.Seconds);
                break;
            case PanelPage.ShutdownCountdown:
                Say(canvas, "Shut down?", "Hold on to shut down. Let go now and nothing happens.");
                Countdown(canvas, view.Countdown);
                break;
            case PanelPage.ShutdownReady:
                Say(canvas, "Let go now", "to shut down. Hold on only if you want to erase all.");
                Countdown(canvas, view.Countdown);
                break;
            case PanelPage.ResetConfirm:
                Say(canvas, "Erase all?", "Let go, then press once more to erase all. Or wait: nothing happens.");
                Countdown(canvas, view.Countdown);
                break;
            case PanelPage.ShuttingDown:
                Say(canvas, "Shutting down", "DO NOT UNPLUG YET: the rest is being written.");
                Busy(canvas, view.Seconds);
                break;
            case PanelPage.SafeToUnplug:
                Say(canvas, "Safe to unplug", "All is written.");
                break;
            case PanelPage.Resetting:
                Say(canvas, "Erasing all", "Records, keys and settings go. It starts as new. DO NOT UNPLUG.");
                Busy(canvas, view.Seconds);
                break;
            case PanelPage.NotPossible:
                Say(canvas, "Not possible", "Nothing was shut down or erased. The page Health and the log say why.");
                break;
            default:
                Say(canvas, "?", "");
                break;
        }
    }

    static int Say(Canvas canvas, ReadOnlySpan<char> headline, ReadOnlySpan<char> words)
    {
        int y = PageParts.Headline(canvas, headline, 0) + 2;
        return y + (canvas.Paragraph(words, 0, y, Canvas.Width, (Canvas.Height - y + 1) / Canvas.Line) * Canvas.Line);
    }

    /// <summary>A block that wanders, so that a standing picture is known from a dead box.</summary>
    static void Busy(Canvas canvas, int seconds)
    {
        canvas.Frame(0, 56, Canvas.Width, 7);
        int steps = seconds % 10, at = steps < 5 ? steps : 10 - steps;
        canvas.Rectangle(2 + (at * 20), 58, 23, 3);
    }

    static void Countdown(Canvas canvas, int seconds)
    {
        if (seconds <= 0) return;
        string left = Math.Min(seconds, 99).ToString(CultureInfo.InvariantCulture);
        int x = canvas.Text(left, 0, 48, Canvas.Width, BitmapFont.Big);
        canvas.Text(seconds == 1 ? "second" : "seconds", x + 4, 55);
    }

    static void Updating(Canvas canvas, PanelUpdate update)
    {
        canvas.Text("DO NOT UNPLUG", 26, 1);
        canvas.Icon("warning", 3, 0);
        canvas.Icon("warning", Canvas.Width - 12, 0);
        canvas.Invert(0, 0, Canvas.Width, 9);
        int percent = Math.Clamp(update.Percent, 0, 100);
        canvas.Centre(string.Create(CultureInfo.InvariantCulture, $"{percent} %"), 14, BitmapFont.Big);
        canvas.Bar(0, 33, Canvas.Width, 9, percent / 100.0);
        canvas.Text(update.Version.Length > 0 ? $"Version {update.Version} is being written" : "An update is being written", 0, 45);
        canvas.Text(update.Reason.Length > 0 ? PageParts.Sentence(update.Reason) : "The box records on.", 0, 54);
    }

    static void Identify(Canvas canvas, PanelState state, int seconds)
    {
        canvas.Centre("This is the one", 6);
        string name = state.Name.Length > 0 ? state.Name : "no name yet";
        if (BitmapFont.Big.Measure(name) <= Canvas.Width - 8) canvas.Centre(name, 24, BitmapFont.Big);
        else canvas.Moving(name, 4, 24, Canvas.Width - 8, seconds, BitmapFont.Big);
        string below = state.Addresses.Count > 0 && BitmapFont.Small.Measure(state.Addresses[0]) <= Canvas.Width - 8 ? state.Addresses[0] : state.Site;
        canvas.Centre(below, 48);
        canvas.Frame(0, 0, Canvas.Width, Canvas.Height);
        if (seconds % 2 == 0) canvas.Invert(0, 0, Canvas.Width, Canvas.Height);
    }
}
