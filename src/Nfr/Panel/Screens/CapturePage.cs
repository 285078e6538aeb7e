using System.Globalization;

namespace Nfr.Panel.Screens;

/// <summary>What comes in, and what of it is lost; port by port.</summary>
static class CapturePage
{
    const int WordLines = 3;

    public static int Turns(PanelState state) => state.Ports.Count == 0 ? 1 : state.Ports.Sum(TurnsOf);

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        if (state.Ports.Count == 0)
        {
            PageParts.Title(canvas, "link", "Capture");
            string words = state.Inputs > 0
                ? $"No packets are captured: no port is set. Other inputs that are read: {state.Inputs}."
                : "No packets are captured: no port is set. Set one in config.yml (sniffer) and start again.";
            canvas.Paragraph(words, 0, PageParts.At(0), Canvas.Width, PageParts.Lines);
            return;
        }
        int turn = seconds / PageParts.Turn % Turns(state), index = 0;
        for (; turn >= TurnsOf(state.Ports[index]); index++) turn -= TurnsOf(state.Ports[index]);
        PanelPort port = state.Ports[index];
        PageParts.Title(canvas, "link", state.Ports.Count == 1 ? "Capture" : $"Capture {index + 1} of {state.Ports.Count}", port.Interface + SpeedOf(port));
        if (!port.IsOpen || port.Link == PanelLink.Down) NoLink(canvas, port, turn);
        else Flowing(canvas, state, port, turn);
    }

    static int TurnsOf(PanelPort port) => port.Trouble.Length == 0 ? 1 : PageParts.TurnsOf(PageParts.Sentence(port.Trouble), WordLines);

    static string SpeedOf(PanelPort port) => port switch
    {
        { Link: PanelLink.Up, MegabitsPerSecond: >= 1000 } => string.Create(CultureInfo.InvariantCulture, $" {port.MegabitsPerSecond / 1000.0:0.#} Gbit"),
        { Link: PanelLink.Up, MegabitsPerSecond: > 0 } => string.Create(CultureInfo.InvariantCulture, $" {port.MegabitsPerSecond} Mbit"),
        _ => "",
    };

    static void NoLink(Canvas canvas, PanelPort port, int turn)
    {
        bool gone = !port.IsOpen && port.Link != PanelLink.Down;
        int y = PageParts.Headline(canvas, gone ? "Port is gone" : "No link", PageParts.Top + 1);
        string words = gone ? "The interface is not there or is off. It is used again by itself." : "No cable, or the other end is off: plug in the switch's mirror port.";
        if (port.Trouble.Length > 0 && turn > 0) PageParts.Part(canvas, PageParts.Sentence(port.Trouble), y, WordLines, turn);
        else canvas.Paragraph(words, 0, y, Canvas.Width, WordLines + 1);
    }

    static void Flowing(Canvas canvas, PanelState state, PanelPort port, int turn)
    {
        string bits = PageParts.Short(port.BitsPerSecond, out string unit);
        int x = canvas.Text(bits, 0, PageParts.Top, Canvas.Width, BitmapFont.Big);
        canvas.Text(unit + "bit/s", x + 4, PageParts.Top + 7);
        canvas.Right(PageParts.Count((long)Math.Clamp(port.PacketsPerSecond, 0, 1e12)), Canvas.Width, PageParts.Top - 1);
        canvas.Right("packets/s", Canvas.Width, PageParts.Top + 7);
        if (port.Trouble.Length > 0) PageParts.Part(canvas, PageParts.Sentence(port.Trouble), PageParts.At(2), WordLines, turn);
        else
        {
            canvas.Spark(0, PageParts.At(2), Canvas.Width, 15, state.Rates);
            canvas.Text(state.Ports.Count == 1 ? "the last two minutes" : "all ports, last two minutes", 0, 46);
        }
        if (port.LossShare > 0)
        {
            canvas.Text(string.Create(CultureInfo.InvariantCulture, $"LOSING {Percent(port.LossShare)} of packets"), 2, 55);
            canvas.Invert(0, 54, Canvas.Width, 9);
        }
        else canvas.Text(port.Lost > 0 ? $"Lost since start: {PageParts.Count(port.Lost)}" : "No packet lost", 0, 55);
    }

    static string Percent(double share) => share switch
    {
        < 0.0001 => "under 0.01 %",
        < 0.1 => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.##} %"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Min(100, share * 100):0} %"),
    };
}
