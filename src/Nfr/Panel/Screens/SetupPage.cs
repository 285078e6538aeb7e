namespace Nfr.Panel.Screens;

/// <summary>What of nfr.txt (or the config) could not be taken: which line, and why; and what else the start of the box had to do without, with its own remedy.</summary>
static class SetupPage
{
    const string Remedy = "TO DO: open the card in any computer, mend the lines that were named, and start again.";

    public static int Turns(PanelState state)
    {
        int turns = Shown(state).Any(IsOnCard) ? 1 : 0;
        foreach (string fault in Shown(state)) turns += PageParts.TurnsOf(Words(fault), PageParts.Lines);
        return Math.Max(1, turns);
    }

    // A file keeps its name.
    static string Words(string fault) => IsOnCard(fault) ? fault : PageParts.Sentence(fault);

    /// <summary>A line of a file that a person wrote on the card; what else there is says itself what to do.</summary>
    static bool IsOnCard(string fault) => fault.StartsWith("nfr.txt line ", StringComparison.Ordinal) || fault.StartsWith("config.yml line ", StringComparison.Ordinal) || fault.StartsWith("scope.yml line ", StringComparison.Ordinal);

    static IEnumerable<string> Shown(PanelState state) => state.SetupFaults.Take(PanelState.MostSetupFaults);

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        int turns = Turns(state), turn = seconds / PageParts.Turn % turns;
        PageParts.Title(canvas, "warning", state.SetupFaults.Count == 1 ? "To be set right" : $"{state.SetupFaults.Count} to be set right", $"{turn + 1}/{turns}");
        foreach (string fault in Shown(state))
        {
            string words = Words(fault);
            int parts = PageParts.TurnsOf(words, PageParts.Lines);
            if (turn < parts)
            {
                PageParts.Part(canvas, words, PageParts.Top, PageParts.Lines, turn);
                return;
            }
            turn -= parts;
        }
        if (Shown(state).Any(IsOnCard)) canvas.Paragraph(Remedy, 0, PageParts.Top, Canvas.Width, PageParts.Lines);
    }
}
