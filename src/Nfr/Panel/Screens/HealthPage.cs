using System.Globalization;
using Nfr.Health;

namespace Nfr.Panel.Screens;

/// <summary>Whether the box is well; what is wrong with what to do about it; the machine's own figures.</summary>
static class HealthPage
{
    public static int Turns(PanelState state)
    {
        int turns = 1;
        if (News(state.Update) is { } news) turns += PageParts.TurnsOf(news, PageParts.Lines);
        foreach (Trouble trouble in state.Troubles) turns += PageParts.TurnsOf(Words(trouble), PageParts.Lines);
        return turns;
    }

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        int turns = Turns(state), turn = seconds / PageParts.Turn % turns;
        (string icon, string title) = state switch
        {
            { HasSensor: false } => ("warning", "No sensor answers"),
            { Health: PanelHealth.Fault } => ("warning", "In trouble"),
            { Health: PanelHealth.Degraded } => ("warning", "Works, but look"),
            { Troubles.Count: > 0 } => ("done", "Works; a notice"),
            _ => ("done", "All is well"),
        };
        PageParts.Title(canvas, icon, title, turns > 1 ? $"{turn + 1}/{turns}" : "");
        if (News(state.Update) is { } news)
        {
            int parts = PageParts.TurnsOf(news, PageParts.Lines);
            if (turn < parts)
            {
                PageParts.Part(canvas, news, PageParts.Top, PageParts.Lines, turn);
                return;
            }
            turn -= parts;
        }
        foreach (Trouble trouble in state.Troubles)
        {
            string words = Words(trouble);
            int parts = PageParts.TurnsOf(words, PageParts.Lines);
            if (turn < parts)
            {
                PageParts.Part(canvas, words, PageParts.Top, PageParts.Lines, turn);
                return;
            }
            turn -= parts;
        }
        Facts(canvas, state);
    }

    static string Words(Trouble trouble) => trouble.Do.Length == 0 ? PageParts.Sentence(trouble.What) + "." : $"{PageParts.Sentence(trouble.What)}. TO DO: {PageParts.Sentence(trouble.Do)}.";

    /// <summary>What became of an update; null = nothing to say.</summary>
    static string? News(PanelUpdate update)
    {
        string version = update.Version.Length > 0 ? "Version " + update.Version : "The new version";
        string reason = update.Reason.Length > 0 ? $" Why: {update.Reason}." : "";
        return update.Phase switch
        {
            PanelUpdatePhase.Waiting => $"{version} is written and waits: the next reboot tries it.",
            PanelUpdatePhase.Trial => $"{version} runs on trial. If all is well it stays; if not, the old one comes back by itself.",
            PanelUpdatePhase.Confirmed => $"{version} is here to stay.",
            PanelUpdatePhase.RolledBack => $"{version} was not well. The old version is back and works on.{reason}",
            PanelUpdatePhase.Failed => $"The update was not finished; what runs goes on as before.{reason}",
            PanelUpdatePhase.Refused => $"An update was not taken, the box is as before.{reason}",
            _ => null,
        };
    }

    static void Facts(Canvas canvas, PanelState state)
    {
        PanelBox box = state.Box;
        int line = 0;
        if (box.Celsius is { } warm && double.IsFinite(warm)) Fact(canvas, ref line, "heat", string.Create(CultureInfo.InvariantCulture, $"{warm:0} °C{(warm >= 80 ? ", too hot" : warm >= 70 ? ", warm" : "")}{(box.IsThrottled ? ", slowed" : "")}"));
        else if (box.IsThrottled) Fact(canvas, ref line, "heat", "slowed down: give it air");
        if (box.DiskSize > 0) Fact(canvas, ref line, "card", box.IsDiskReadOnly ? "read-only: card dying?" : box.DiskFree <= 0 ? "the card is full" : $"{Sizes.Of(box.DiskFree)} of {Sizes.Of(box.DiskSize)} free");
        if (box.CardYears is { } years && double.IsFinite(years)) Fact(canvas, ref line, "card", years < 1 ? "lasts less than a year" : string.Create(CultureInfo.InvariantCulture, $"lasts about {Math.Min(years, 99):0} years"));
        Fact(canvas, ref line, "clock", state.Clock switch
        {
            PanelClock.Unset => "NOT SET: no time server",
            PanelClock.Free => "not kept by a server",
            PanelClock.Synchronised => string.Create(CultureInfo.InvariantCulture, $"{state.Now.UtcDateTime:yyyy-MM-dd HH:mm} UTC"),
            _ => "not known",
        });
        if (box.IsUnderVoltage) Fact(canvas, ref line, "power", "POWER SUPPLY TOO WEAK");
        if (line < PageParts.Lines && state.Uptime > TimeSpan.Zero) Fact(canvas, ref line, "power", "runs for " + Ages.Of(state.Uptime));
    }

    static void Fact(Canvas canvas, ref int line, string icon, string words)
    {
        int y = PageParts.At(line++);
        canvas.Icon(icon, icon is "heat" or "power" ? 1 : 0, y);
        canvas.Text(words, 12, y);
    }
}
