using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Nfr.Config;
using Nfr.Panel;
using Nfr.Panel.Screens;

namespace Nfr.Commands;

/// <summary>"nfr panel --preview": any page as a picture, without a display.</summary>
sealed class PanelPreview
{
    const int SheetColumns = 3;

    readonly Option<string?> _preview = new("--preview") { Description = "Write pages as a PNG picture, as the display shows them, and end.", HelpName = "FILE" };
    readonly Option<string> _page = new("--page") { Description = "Which page the picture shows; all = each of them on one sheet.", HelpName = "NAME", DefaultValueFactory = _ => "all" };
    readonly Option<string> _state = new("--state") { Description = $"What it tells of: one of {string.Join(", ", ExampleStates.Names)}, or a JSON file.", HelpName = "NAME|FILE", DefaultValueFactory = _ => "example" };
    readonly Option<int> _seconds = new("--seconds") { Description = "For how long the page has been shown: what does not fit is shown in turns.", HelpName = "N", DefaultValueFactory = _ => 0 };

    public void AddTo(Command panel)
    {
        panel.Add(_preview);
        panel.Add(_page);
        panel.Add(_state);
        panel.Add(_seconds);
    }

    /// <summary>Each page by its name on the command line, in their own order.</summary>
    internal static IEnumerable<(string Name, PanelPage Page)> Pages => Enum.GetValues<PanelPage>().Select(p => (JsonNamingPolicy.KebabCaseLower.ConvertName(p.ToString()), p));

    /// <summary>Null when no preview was asked for.</summary>
    public int? Run(CommandSetup setup, ParseResult parsed)
    {
        if (parsed.GetValue(_preview) is not { } file)
        {
            foreach (Option option in (Option[])[_page, _state, _seconds])
            {
                if (parsed.GetResult(option) is { Implicit: false }) return setup.Usage("panel", $"{option.Name} goes with --preview FILE");
            }
            return null;
        }
        string page = parsed.GetValue(_page)!;
        List<(string Name, PanelPage Page)> pages = [.. Pages.Where(p => page is "all" || p.Name == page)];
        if (pages.Count == 0)
        {
            string? near = Nearest.To(page, Pages.Select(p => p.Name));
            return setup.Usage("panel", $"there is no page \"{page}\"{(near is null ? "" : $" (did you mean \"{near}\"?)")}; there are: {string.Join(", ", Pages.Select(p => p.Name))}, and all");
        }
        if (State(parsed.GetValue(_state)!, out string fault) is not { } state) return setup.Terminal.Fail(ExitCode.Usage, fault);
        int seconds = Math.Max(0, parsed.GetValue(_seconds));
        List<(string, ScreenBuffer)> pictures = [];
        foreach ((string name, PanelPage which) in pages)
        {
            var screen = new ScreenBuffer();
            Nfr.Panel.Pages.Draw(Fit(state, which), new PanelView(which, seconds, CountdownOf(which)), screen);
            pictures.Add((pages.Count > 1 ? name : "", screen));
        }
        try
        {
            File.WriteAllBytes(file, PreviewPng.Sheet(pictures, SheetColumns));
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return setup.Terminal.Fail(ExitCode.Failed, $"cannot write {file}: {Reason.Of(wrong)}");
        }
        setup.Terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file}: {(pages.Count == 1 ? pages[0].Name : $"{pages.Count} pages")}"));
        return ExitCode.Good;
    }

    static PanelState? State(string name, out string fault)
    {
        fault = "";
        if (ExampleStates.Of(name) is { } state) return state;
        if (!File.Exists(name))
        {
            fault = $"there is no file {name}, and --state takes one or one of {string.Join(", ", ExampleStates.Names)}";
            return null;
        }
        try
        {
            PanelState? read = PanelStateJson.Read(File.ReadAllText(name), out string why);
            if (read is null) fault = $"{name} is no state of a panel: {why}";
            return read;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            fault = $"cannot read {name}: {Reason.Of(wrong)}";
            return null;
        }
    }

    /// <summary>An update that is being written is not in most states; its page is of no use without.</summary>
    static PanelState Fit(PanelState state, PanelPage page) => page == PanelPage.Updating && state.Update.Phase != PanelUpdatePhase.Writing
        ? state with { Update = new PanelUpdate(PanelUpdatePhase.Writing, 42, "2.1.0", "") } : state;

    static int CountdownOf(PanelPage page) => page switch { PanelPage.ShutdownCountdown => 3, PanelPage.ShutdownReady => 8, PanelPage.ResetConfirm => 9, _ => 0 };
}
