using Nfr.Health;

namespace Nfr.Panel.Screens;

/// <summary>Who this is and where it is reached.</summary>
static class IdentityPage
{
    const int Rows = 2;

    public static int Turns(PanelState state) => TurnsOfAddresses(state);

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        canvas.Moving(state.Name.Length > 0 ? state.Name : "no name yet", 0, 0, Canvas.Width, seconds, BitmapFont.Big);
        string where = (state.Site, state.SensorId) switch
        {
            ({ Length: 0 }, { Length: 0 }) => "",
            ({ Length: 0 }, var id) => "Sensor " + id,
            (var site, { Length: 0 }) => "Site " + site,
            (var site, var id) => $"Site {site}, sensor {id}",
        };
        canvas.Moving(where, 0, 18, Canvas.Width, seconds);
        if (state.Addresses.Count == 0) canvas.Paragraph("No network address yet: waiting for one. Is the network cable in?", 0, 28, Canvas.Width, 3);
        else Addresses(canvas, state, seconds / PageParts.Turn);
        string up = state.Uptime > TimeSpan.Zero ? "up " + Ages.Of(state.Uptime) : "";
        int room = Canvas.Width - BitmapFont.Small.Measure(up) - 8;
        if (state.Version.Length > 0) canvas.Moving("Version " + state.Version, 0, 55, room, seconds);
        canvas.Right(up, Canvas.Width, 55);
    }

    /// <summary>A long IPv6 address takes two lines; those that do not fit come in the next turn.</summary>
    static void Addresses(Canvas canvas, PanelState state, int turn)
    {
        canvas.Text(state.Addresses.Count == 1 ? "Address" : "Addresses", 0, 28);
        int now = turn % TurnsOfAddresses(state), at = 0, line = 0;
        foreach (string address in state.Addresses)
        {
            int lines = Math.Clamp(Canvas.LinesOf(address, Canvas.Width), 1, Rows);
            if (line + lines > Rows) (at, line) = (at + 1, 0);
            if (at == now) canvas.Paragraph(address, 0, 37 + (line * Canvas.Line), Canvas.Width, lines);
            line += lines;
        }
    }

    static int TurnsOfAddresses(PanelState state)
    {
        int turns = 1, line = 0;
        foreach (string address in state.Addresses)
        {
            int lines = Math.Clamp(Canvas.LinesOf(address, Canvas.Width), 1, Rows);
            if (line + lines > Rows) (turns, line) = (turns + 1, 0);
            line += lines;
        }
        return turns;
    }
}
