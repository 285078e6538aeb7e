using Spectre.Console;

namespace Nfr.Commands;

enum ScreenMark : byte
{
    None,
    Head,
    Good,
    /// <summary>Worth a look.</summary>
    Notice,
    Bad,
}

/// <summary>A line of a screen for people: plain where it is piped, with a colour on a terminal.</summary>
readonly record struct ScreenLine(string Text, ScreenMark Mark = ScreenMark.None)
{
    public static void Write(IEnumerable<ScreenLine> lines, Terminal terminal)
    {
        bool colours = IsOnScreen(terminal);
        foreach (ScreenLine line in lines)
        {
            string text = line.Text.TrimEnd();
            string? style = line.Mark switch { ScreenMark.Head => "bold", ScreenMark.Good => "green", ScreenMark.Notice => "yellow", ScreenMark.Bad => "red", _ => null };
            if (style is null || !colours) terminal.Out.WriteLine(text);
            else AnsiConsole.MarkupLine($"[{style}]{Markup.Escape(text)}[/]");
        }
    }

    public static bool IsOnScreen(Terminal terminal) => !Console.IsOutputRedirected && ReferenceEquals(terminal.Out, Console.Out);
}
