using System.Globalization;
using Nfr.Commands;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nfr.Fleet;

/// <summary>How the link to the broker is, for the first line.</summary>
/// <param name="Broker">As its user named it.</param>
/// <param name="Since">How long it is connected; null = it is not.</param>
/// <param name="Trouble">Why it is not, one sentence.</param>
/// <param name="NextTry">Until it is tried again.</param>
sealed record BrokerState(string Broker, TimeSpan? Since, string? Trouble = null, TimeSpan? NextTry = null);

/// <summary>A frame of the live view, or the whole table to be printed. Lines are never wider than the screen.</summary>
static class FleetScreen
{
    /// <summary>The live view: as many lines as the screen has, the last one with the keys.</summary>
    public static IRenderable Frame(FleetTable table, FleetView view, BrokerState broker, FleetKeys keys, int width, int height)
    {
        List<IRenderable> parts = [Line(Title(view, broker, width), width)];
        foreach (ScreenLine trouble in Trouble(broker, width)) parts.Add(Line(trouble, width));
        IReadOnlyList<FleetRow> shown = keys.Shown(view);
        if (keys.DetailKey is { } key)
        {
            SensorDetail? detail = table.Detail(key);
            IReadOnlyList<ScreenLine> lines = detail is null ? [new($"{key} was taken out of the broker", ScreenMark.Notice)] : FleetDetail.Lines(detail, view.Now, width);
            int room = Math.Max(1, height - parts.Count - 1);
            int top = keys.DetailTop(lines.Count, room);
            foreach (ScreenLine line in lines.Skip(top).Take(room)) parts.Add(Line(line, width));
            Fill(parts, height - parts.Count - 1);
            string part = lines.Count <= room ? "" : string.Create(CultureInfo.InvariantCulture, $"lines {top + 1} to {Math.Min(lines.Count, top + room)} of {lines.Count}   ");
            parts.Add(Line(new(part + "up, down: move   Esc: back   q: quit", ScreenMark.Head), width));
            return new Rows(parts);
        }
        foreach (ScreenLine line in FleetSummary.Lines(view, width)) parts.Add(Line(line, width));
        // One line for the columns' heads, one for the keys.
        int rows = Math.Max(1, height - parts.Count - 2);
        (int first, int selected) = keys.Window(shown, rows);
        FleetRow[] page = [.. shown.Skip(first).Take(rows)];
        string? common = view.Versions is [var most, ..] ? most.Version : null;
        parts.Add(FleetColumns.Table(page, selected - first, width, Longest(shown), common));
        Fill(parts, rows - page.Length);
        parts.Add(Line(new(Foot(view, keys, shown.Count, first, page.Length, width), ScreenMark.Head), width));
        return new Rows(parts);
    }

    /// <summary>All of it for a pipe or a file.</summary>
    public static IRenderable Printed(FleetView view, BrokerState broker, IReadOnlyList<FleetRow> shown, int width)
    {
        List<IRenderable> parts = [Line(Title(view, broker, width), width)];
        foreach (ScreenLine trouble in Trouble(broker, width)) parts.Add(Line(trouble, width));
        foreach (ScreenLine line in FleetSummary.Lines(view, width)) parts.Add(Line(line, width));
        if (shown.Count > 0) parts.Add(FleetColumns.Table(shown, -1, width, Longest(shown), view.Versions is [var most, ..] ? most.Version : null));
        return new Rows(parts);
    }

    static int Longest(IReadOnlyList<FleetRow> shown) => shown.Count == 0 ? 0 : shown.Max(r => r.Key.Length);

    static ScreenLine Title(FleetView view, BrokerState broker, int width)
    {
        string left = $"nfr fleet  {broker.Broker}  " + (broker.Since is { } since ? $"connected for {Health.Ages.Of(since)}" : broker.Trouble is null ? "connecting" : "NOT CONNECTED");
        string right = view.Now.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";
        return new(width - left.Length > right.Length ? left + right.PadLeft(width - left.Length) : left, broker is { Since: null, Trouble: not null } ? ScreenMark.Bad : ScreenMark.Head);
    }

    static IEnumerable<ScreenLine> Trouble(BrokerState broker, int width) => broker is { Since: null, Trouble: { } trouble }
        ? FleetText.Wrap(trouble + (broker.NextTry is { } next ? $"; next try in {Health.Ages.Of(next)}" : ""), width).Select(l => new ScreenLine(l, ScreenMark.Bad)) : [];

    /// <summary>Said where a frame has no room.</summary>
    public static string TooSmall => $"This window is too small: at least {FleetColumns.Narrowest} columns and {LeastHeight} lines. q: quit";

    /// <summary>Of a frame: what is above the table, some rows of it, and the keys.</summary>
    public const int LeastHeight = 8;

    static string Foot(FleetView view, FleetKeys keys, int shown, int first, int page, int width)
    {
        if (keys.Searching) return $"/{keys.Search}_   Enter: keep   Esc: all sensors again";
        string rows = shown == 0 ? "none" : $"{FleetText.Count(first + 1)} to {FleetText.Count(first + page)} of {FleetText.Count(shown)}";
        string only = shown == view.Rows.Count ? "" : keys.Search.Length > 0 ? $" with \"{keys.Search}\"" : " that fit";
        string sort = FleetOrder.Word(keys.Sort);
        // How to leave is never what is cut off.
        string[] forms = [$"{rows}{only}   Enter: one sensor   /: search   s: sort (by {sort})   q: quit", $"{rows}{only}   Enter: one   /: search   s: sort   q: quit", $"{rows}{only}   q: quit"];
        return forms.FirstOrDefault(f => f.Length <= width) ?? $"{rows}   q: quit";
    }

    static void Fill(List<IRenderable> parts, int lines)
    {
        for (int i = 0; i < lines; i++) parts.Add(new Text(" "));
    }

    static Text Line(ScreenLine line, int width) => new(FleetText.Fit(line.Text.Length == 0 ? " " : line.Text, width).TrimEnd() is { Length: > 0 } text ? text : " ", line.Mark switch
    {
        ScreenMark.Head => new Style(decoration: Decoration.Bold),
        ScreenMark.Good => FleetColumns.Good,
        ScreenMark.Notice => FleetColumns.Notice,
        ScreenMark.Bad => FleetColumns.Bad,
        _ => Style.Plain,
    });

    /// <summary>A frame as text of exactly this width, with colours or without.</summary>
    public static string Text(IRenderable frame, int width, bool colours)
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        console.Write(frame);
        return string.Join('\n', writer.ToString().Split('\n').Select(l => colours ? l : l.TrimEnd()));
    }
}
