using Nfr.Commands;

namespace Nfr.Fleet;

/// <summary>The lines on top: how many sensors are how, in words.</summary>
static class FleetSummary
{
    /// <summary>A clock that is off by more is worth a word.</summary>
    public static TimeSpan WorstSkew => TimeSpan.FromSeconds(5);

    /// <summary>Versions that are named; the rest is counted.</summary>
    const int MostVersions = 4;

    /// <summary>Wrapped where the screen is narrow: every word of it counts.</summary>
    public static IEnumerable<ScreenLine> Lines(FleetView view, int width) =>
        All(view).SelectMany(l => FleetText.Wrap(l.Text, width - 2).Select((text, i) => new ScreenLine(i == 0 ? text : "  " + text, l.Mark)));

    static IEnumerable<ScreenLine> All(FleetView view)
    {
        yield return Sensors(view);
        int alerts = view.AlertsInHour, from = view.Rows.Count(r => r.AlertsInHour > 0);
        List<string> said = [alerts == 0 ? "no alert in the last hour" : $"{FleetText.Many(alerts, "alert")} in the last hour from {FleetText.Many(from, "sensor")}"];
        int skewed = view.Rows.Count(r => r.Skew?.Duration() > WorstSkew);
        if (skewed > 0) said.Add($"{FleetText.Many(skewed, "clock")} off by more than {WorstSkew.TotalSeconds:0} s");
        var versions = view.Versions;
        if (versions.Count == 1) said.Add("version " + versions[0].Version);
        else if (versions.Count > 1) said.Add("VERSIONS DIFFER: " + string.Join(", ", versions.Take(MostVersions).Select(v => $"{v.Version} ({FleetText.Count(v.Count)})")) + (versions.Count > MostVersions ? $" and {versions.Count - MostVersions} more" : ""));
        yield return new(string.Join("; ", said), alerts > 0 ? ScreenMark.Bad : versions.Count > 1 || skewed > 0 ? ScreenMark.Notice : ScreenMark.None);
        if (Refused(view.Refused) is { } refused) yield return new(refused, ScreenMark.Notice);
    }

    static ScreenLine Sensors(FleetView view)
    {
        if (view.Rows.Count == 0) return new("no sensor has been heard of yet", ScreenMark.Notice);
        List<string> of = [];
        foreach (SensorState state in (ReadOnlySpan<SensorState>)[SensorState.Alert, SensorState.Fault, SensorState.Silent, SensorState.Degraded, SensorState.Waiting])
        {
            int count = view.Count(state);
            if (count > 0) of.Add($"{FleetText.Count(count)} {FleetRow.Word(state)}");
        }
        int offline = view.Offline;
        string text = $"{FleetText.Many(view.Rows.Count, "sensor")}: {FleetText.Count(view.Rows.Count - offline)} online, {FleetText.Count(offline)} offline" + (of.Count > 0 ? "; " + string.Join(", ", of) : "");
        return new(text, view.Rows.Any(r => r.IsTrouble) ? ScreenMark.Bad : of.Count > 0 ? ScreenMark.Notice : ScreenMark.Good);
    }

    /// <summary>What was not taken; null when all was.</summary>
    public static string? Refused(FleetRefusals refused)
    {
        if (refused.Total == 0) return null;
        List<string> parts = [];
        if (refused.Full > 0) parts.Add($"{FleetText.Count(refused.Full)} of sensors beyond {FleetText.Count(FleetBounds.MostSensors)} (name a --site)");
        if (refused.TooLong > 0) parts.Add($"{FleetText.Count(refused.TooLong)} too long");
        if (refused.Unreadable > 0) parts.Add($"{FleetText.Count(refused.Unreadable)} unreadable");
        if (refused.Foreign > 0) parts.Add($"{FleetText.Count(refused.Foreign)} that {(refused.Foreign == 1 ? "is" : "are")} no sensor's");
        return "messages not taken: " + string.Join(", ", parts);
    }
}
