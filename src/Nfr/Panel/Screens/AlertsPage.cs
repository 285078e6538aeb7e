using Nfr.Health;

namespace Nfr.Panel.Screens;

/// <summary>The last alerts; what nobody has seen yet stands first and large.</summary>
static class AlertsPage
{
    const int PerTurn = 2;

    public static int Turns(PanelState state)
    {
        int lists = (Math.Min(state.Alerts.Count, PanelState.MostAlerts) + PerTurn - 1) / PerTurn;
        return Math.Max(1, lists + (FirstNew(state) is null ? 0 : 1));
    }

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        if (state.Alerts.Count == 0)
        {
            PageParts.Title(canvas, "bell", "Alerts");
            int y = PageParts.Headline(canvas, "No alert", PageParts.Top + 2);
            canvas.Paragraph("Nothing suspicious was seen so far.", 0, y, Canvas.Width, 3);
            return;
        }
        int turn = seconds / PageParts.Turn % Turns(state);
        if (FirstNew(state) is { } alert)
        {
            if (turn == 0)
            {
                New(canvas, state, alert, seconds);
                return;
            }
            turn--;
        }
        PageParts.Title(canvas, "bell", "Last alerts", state.Unacknowledged > 0 ? $"{PageParts.Count(state.Unacknowledged)} new" : "all seen");
        for (int i = 0; i < PerTurn; i++)
        {
            int index = (turn * PerTurn) + i;
            if (index < Math.Min(state.Alerts.Count, PanelState.MostAlerts)) Listed(canvas, state, state.Alerts[index], PageParts.At(i * 3), seconds);
        }
    }

    /// <summary>The worst that nobody has acknowledged; of equals the newest.</summary>
    static PanelAlert? FirstNew(PanelState state)
    {
        PanelAlert? worst = null;
        if (state.Unacknowledged <= 0) return null;
        foreach (PanelAlert alert in state.Alerts)
        {
            if (!alert.IsAcknowledged && alert.Severity > (worst?.Severity ?? -1)) worst = alert;
        }
        return worst;
    }

    static void New(Canvas canvas, PanelState state, PanelAlert alert, int seconds)
    {
        canvas.Icon("bell", 1, 0);
        canvas.Text("NEW ALERT", 13, 0);
        canvas.Right(SeverityOf(alert), Canvas.Width - 2, 0);
        // It blinks without going away.
        if (seconds % 2 == 0) canvas.Invert(0, 0, Canvas.Width, 9);
        else canvas.Rectangle(0, 8, Canvas.Width, 1);
        canvas.Moving(alert.Host.Length > 0 ? alert.Host : "unknown machine", 0, 11, Canvas.Width, seconds, BitmapFont.Big);
        canvas.Paragraph(PageParts.Sentence(alert.Threat), 0, 28, Canvas.Width, 3);
        canvas.Text("Button: I saw it", 0, 55);
        if (state.Unacknowledged > 1) canvas.Right($"{PageParts.Count(state.Unacknowledged - 1)} more", Canvas.Width, 55);
    }

    static void Listed(Canvas canvas, PanelState state, PanelAlert alert, int y, int seconds)
    {
        TimeSpan age = state.Now - alert.Stamp;
        string when = age < TimeSpan.FromSeconds(-5) || state.Clock == PanelClock.Unset ? "" : age < TimeSpan.FromSeconds(1) ? "just now" : Ages.Of(age) + " ago";
        int x = 0;
        if (!alert.IsAcknowledged)
        {
            x = canvas.Text("new", 2, y) + 4;
            canvas.Invert(0, y - 1, x, 9);
            x += 4;
        }
        canvas.Text(SeverityOf(alert), x, y);
        canvas.Right(when, Canvas.Width, y);
        canvas.Moving(PageParts.Sentence(alert.Threat), 0, y + 9, Canvas.Width, seconds % PageParts.Turn);
        canvas.Moving(alert.Host, 8, y + 18, Canvas.Width - 8, seconds % PageParts.Turn);
    }

    static string SeverityOf(PanelAlert alert) => alert.Severity switch
    {
        <= 1 => "for information",
        2 => "low",
        3 => "medium",
        4 => "high",
        _ => "critical",
    };
}
