namespace Nfr.Panel.Screens;

/// <summary>What of nfr.txt (or the config) could not be taken: which line, and why.</summary>
static class SetupPage
{
    const string Remedy = "TO DO: open nfr.txt on the card in any computer, mend the lines that were named, and start again.";

    public static int Turns(PanelState state)
    {
        int turns = 1;
        foreach (string fault in Shown(state)) turns += PageParts.TurnsOf(PageParts.Sentence(fault), PageParts.Lines);
        return turns;
    }

    static IEnumerable<string> Shown(PanelState state) => state.SetupFaults.Take(PanelState.MostSetupFaults);

    public static void Draw(Canvas canvas, PanelState state, int seconds)
    {
        int turns = Turns(state), turn = seconds / PageParts.Turn % turns;
        PageParts.Title(canvas, "warning", state.SetupFaults.Count == 1 ? "Setting not taken" : $"{state.SetupFaults.Count} settings not taken", $"{turn + 1}/{turns}");
        foreach (string fault in Shown(state))
        {
            string words = PageParts.Sentence(fault);
            int parts = PageParts.TurnsOf(words, PageParts.Lines);
            if (turn < parts)
            {
                PageParts.Part(canvas, words, PageParts.Top, PageParts.Lines, turn);
                return;
            }
            turn -= parts;
        }
        canvas.Paragraph(Remedy, 0, PageParts.Top, Canvas.Width, PageParts.Lines);
    }
}
