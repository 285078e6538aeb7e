using System.Globalization;
using Nfr.Health;

namespace Nfr.Panel.Screens;

/// <summary>What is kept on the card, and how it gets away: each engine and the broker in turn.</summary>
static class SpoolPage
{
    const int WordLines = 2;

    public static int Turns(PanelState state)
    {
        int turns = 0;
        foreach (PanelUplink uplink in state.Uplinks) turns += TurnsOf(uplink);
        if (state.Fleet.Phase != PanelFleetPhase.Off) turns += PageParts.TurnsOf(Words(state.Fleet), WordLines);
        return Math.Max(1, turns);
    }

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        PanelSpool spool = state.Spool;
        PageParts.Title(canvas, "card", "Kept on the card", string.Create(CultureInfo.InvariantCulture, $"{spool.Share * 100:0} %"));
        canvas.Bar(0, 10, Canvas.Width, 6, spool.Share);
        canvas.Text(spool.MostBytes > 0 ? $"{Sizes.Of(spool.Bytes)} of {Sizes.Of(spool.MostBytes)}" : Sizes.Of(spool.Bytes), 0, 17);
        (string line, bool alarm) = spool switch
        {
            { IsFailing: true } => ("CANNOT BE WRITTEN", true),
            { IsDiskFull: true } => ("THE DISK IS FULL", true),
            { Evicted: > 0 } => ($"{PageParts.Count(spool.Evicted)} LOST UNSENT", true),
            _ => ($"{PageParts.Count(spool.Rows)} {(spool.Rows == 1 ? "event" : "events")}" + (spool.OldestAge is { TotalMinutes: >= 2 } age ? $", waiting {Ages.Of(age)}" : ""), false),
        };
        canvas.Text(line, alarm ? 2 : 0, 26);
        if (alarm) canvas.Invert(0, 25, Canvas.Width, 9);
        canvas.Rectangle(0, 35, Canvas.Width, 1);
        Away(canvas, state, seconds);
    }

    static void Away(Canvas canvas, PanelState state, int seconds)
    {
        int turn = seconds / PageParts.Turn % Turns(state);
        foreach (PanelUplink uplink in state.Uplinks)
        {
            if (turn < TurnsOf(uplink))
            {
                Party(canvas, "uplink", uplink.Name, Words(uplink), turn, seconds);
                return;
            }
            turn -= TurnsOf(uplink);
        }
        if (state.Fleet.Phase != PanelFleetPhase.Off) Party(canvas, "bell", state.Fleet.Broker, Words(state.Fleet), turn, seconds);
        else canvas.Paragraph("Nothing is sent anywhere: all is judged and kept on this box.", 0, 37, Canvas.Width, 3);
    }

    static void Party(Canvas canvas, string icon, string name, string words, int turn, int seconds)
    {
        canvas.Icon(icon, 0, 37);
        canvas.Moving(name.Length > 0 ? name : "no name", 11, 37, Canvas.Width - 11, seconds);
        PageParts.Part(canvas, words, 46, WordLines, turn);
    }

    static int TurnsOf(PanelUplink uplink) => PageParts.TurnsOf(Words(uplink), WordLines);

    static string Words(PanelUplink uplink)
    {
        string wait = uplink.Waiting > 0 ? $"{PageParts.Count(uplink.Waiting)} wait" : "nothing waits";
        string last = uplink.SinceDelivery is { } since ? $", last sent {Ages.Of(since)} ago" : "";
        if (uplink.Trouble.Length > 0) return $"{PageParts.Sentence(uplink.Trouble)}. {PageParts.Sentence(wait)}{last}.";
        return uplink.Phase switch
        {
            PanelUplinkPhase.Sending => $"Sending; {wait}.",
            PanelUplinkPhase.BackingOff => $"Not reached, tries again; {wait}{last}.",
            PanelUplinkPhase.KeyRefused => $"It refuses our key: {wait}{last}.",
            PanelUplinkPhase.OutsideWindow => $"Sends at another time of day; {wait}.",
            _ => uplink.Waiting > 0 || uplink.SinceDelivery is not null ? $"All well; {wait}{last}." : "All well; nothing to send yet.",
        };
    }

    static string Words(PanelFleet fleet) => fleet switch
    {
        { Phase: PanelFleetPhase.Connected, Trouble.Length: 0 } => "Broker: connected.",
        { Trouble.Length: > 0 } => $"Broker: {fleet.Trouble}.",
        { Phase: PanelFleetPhase.Refused } => "The broker does not let this box in.",
        _ => "Broker: connecting.",
    };
}
