using System.Globalization;
using Spectre.Console;

namespace Nfr.Fleet;

/// <param name="Head">Its name.</param>
/// <param name="Width">Cells.</param>
/// <param name="Right">Numbers stand at the right.</param>
/// <param name="Text">What a row has there.</param>
/// <param name="Style">In what colour; null = as the row.</param>
sealed record FleetColumn(string Head, int Width, bool Right, Func<FleetRow, string> Text, Func<FleetRow, Style?>? Style = null);

/// <summary>Which columns a screen has room for. The last one says why a sensor stands where it stands, and takes what is left.</summary>
static class FleetColumns
{
    /// <summary>A narrower screen cuts its lines.</summary>
    public const int Narrowest = 60;

    internal static readonly Style Bad = new(Color.Red), Notice = new(Color.Yellow), Good = new(Color.Green), Dim = new(Color.Grey);

    /// <param name="width">Of the screen.</param>
    /// <param name="longest">Of all that are shown, the longest SITE/ID: what it leaves goes to the last column.</param>
    /// <param name="common">The version most sensors have: another one is marked.</param>
    public static IReadOnlyList<FleetColumn> For(int width, int longest, string? common)
    {
        List<FleetColumn> columns =
        [
            new("state", 8, false, r => FleetRow.Word(r.State), r => Of(r.State)),
            new("sensor", Math.Clamp(longest, 8, Math.Clamp(width * 3 / 10, 18, 48)), false, r => r.Key),
        ];
        if (width >= 160) columns.Add(new("name", 20, false, r => r.About.Name ?? "-"));
        columns.Add(new("heard", 5, true, r => FleetText.Age(r.Heard), r => r.State == SensorState.Silent ? Bad : null));
        columns.Add(new("alerts", 6, true, r => r.AlertsInHour == 0 ? "" : FleetText.Number(r.AlertsInHour), _ => Bad));
        columns.Add(new("loss", 5, true, r => FleetText.Share(r.Health?.Loss), r => r.Health?.Loss > 0 ? Notice : null));
        if (width >= 100) columns.Add(new("pkt/s", 6, true, r => FleetText.Number(r.Health?.PacketsPerSecond)));
        if (width >= 110) columns.Add(new("version", 9, false, r => r.About.Version ?? "-", r => r.About.Version is { } v && v != common ? Notice : null));
        if (width >= 130) columns.Add(new("clock", 6, true, r => r.Health?.ClockUnset == true ? "unset" : FleetText.Skew(r.Skew), r => r.Health?.ClockUnset == true || r.Skew?.Duration() > FleetSummary.WorstSkew ? Notice : null));
        if (width >= 150) columns.Add(new("address", 15, false, r => r.About.Address ?? "-"));
        if (width >= 170) columns.Add(new("waiting", 7, true, r => FleetText.Number(r.Health?.Waiting)));
        if (width >= 170) columns.Add(new("°C", 3, true, r => r.Health?.Celsius is { } c ? c.ToString("0", CultureInfo.InvariantCulture) : "-"));
        if (width >= 180) columns.Add(new("up", 5, true, r => FleetText.Age(r.Health?.Uptime)));
        int left = width - columns.Sum(c => c.Width + 1);
        columns.Add(new("why", Math.Max(4, left), false, r => r.Why, r => r.State == SensorState.Degraded ? Notice : r.IsTrouble ? Bad : Dim));
        return columns;
    }

    public static Style Of(SensorState state) => state switch
    {
        SensorState.Well => Good,
        SensorState.Waiting => Dim,
        SensorState.Degraded => Notice,
        _ => Bad,
    };

    /// <summary>The rows as a table of exact widths; nothing in it is ever wrapped.</summary>
    /// <param name="rows">Those to be seen.</param>
    /// <param name="selected">Of <paramref name="rows"/>, -1 = none.</param>
    /// <param name="width">Of the screen.</param>
    /// <param name="longest">As above.</param>
    /// <param name="common">The version most sensors have.</param>
    public static Table Table(IReadOnlyList<FleetRow> rows, int selected, int width, int longest, string? common)
    {
        IReadOnlyList<FleetColumn> columns = For(width, longest, common);
        var table = new Table { Border = TableBorder.None, ShowHeaders = true, UseSafeBorder = false };
        for (int i = 0; i < columns.Count; i++)
        {
            FleetColumn column = columns[i];
            bool last = i == columns.Count - 1;
            table.AddColumn(new TableColumn(new Text(FleetText.Fit(column.Head, column.Width, column.Right), new Style(decoration: Decoration.Bold)))
            {
                Width = column.Width, NoWrap = true, Padding = new Padding(0, 0, last ? 0 : 1, 0),
            });
        }
        for (int i = 0; i < rows.Count; i++)
        {
            FleetRow row = rows[i];
            Style? all = i == selected ? new Style(decoration: Decoration.Invert) : null;
            table.AddRow(columns.Select(c => new Text(FleetText.Fit(c.Text(row), c.Width, c.Right), all ?? c.Style?.Invoke(row) ?? Style.Plain)));
        }
        return table;
    }
}
