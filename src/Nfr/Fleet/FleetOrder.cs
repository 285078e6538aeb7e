namespace Nfr.Fleet;

/// <summary>What the table is sorted by.</summary>
enum FleetSort : byte
{
    Worst,
    Name,
    Site,
    Heard,
    Alerts,
    Loss,
    Rate,
    Version,
    Skew,
}

/// <summary>Which sensors are shown, and in what order. All orders end in SITE/ID, so that rows do not jump.</summary>
static class FleetOrder
{
    public static IReadOnlyList<string> Words { get; } = [.. Enum.GetValues<FleetSort>().Select(Word)];

    public static string Word(FleetSort sort) => sort switch
    {
        FleetSort.Worst => "worst",
        FleetSort.Name => "name",
        FleetSort.Site => "site",
        FleetSort.Heard => "heard",
        FleetSort.Alerts => "alerts",
        FleetSort.Loss => "loss",
        FleetSort.Rate => "rate",
        FleetSort.Version => "version",
        _ => "skew",
    };

    public static bool TryRead(string word, out FleetSort sort)
    {
        foreach (FleetSort s in Enum.GetValues<FleetSort>())
        {
            sort = s;
            if (Word(s) == word) return true;
        }
        sort = default;
        return false;
    }

    /// <param name="rows">All there are.</param>
    /// <param name="site">Pattern of the site; null = every one.</param>
    /// <param name="words">Each of them, parted by spaces, must be found in something that the row says; letters in either case.</param>
    /// <param name="sort">What first.</param>
    public static IReadOnlyList<FleetRow> Of(IReadOnlyList<FleetRow> rows, string? site, string words, FleetSort sort)
    {
        string[] wanted = words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        FleetRow[] shown = [.. rows.Where(r => (site is null || FleetAddress.Fits(r.Site, site)) && wanted.All(w => Says(r, w)))];
        Array.Sort(shown, (a, b) => Compare(a, b, sort));
        return shown;
    }

    static bool Says(FleetRow row, string word)
    {
        return Has(row.Key) || Has(row.About.Name) || Has(FleetRow.Word(row.State)) || Has(row.About.Version) || Has(row.About.Model) || Has(row.About.Address) || Has(row.Why)
            || (row.Health is { } health && health.Troubles.Any(t => Has(t.What)));

        bool Has(string? text) => text is not null && text.Contains(word, StringComparison.OrdinalIgnoreCase);
    }

    internal static int Compare(FleetRow a, FleetRow b, FleetSort sort)
    {
        int order = sort switch
        {
            FleetSort.Worst => Worst(a, b),
            FleetSort.Name => string.Compare(a.Name, b.Name, StringComparison.OrdinalIgnoreCase),
            FleetSort.Site => string.CompareOrdinal(a.Site, b.Site),
            // Not heard at all is longest ago.
            FleetSort.Heard => (b.Heard ?? TimeSpan.MaxValue).CompareTo(a.Heard ?? TimeSpan.MaxValue),
            FleetSort.Alerts => b.AlertsInHour.CompareTo(a.AlertsInHour),
            FleetSort.Loss => (b.Health?.Loss ?? -1).CompareTo(a.Health?.Loss ?? -1),
            FleetSort.Rate => (b.Health?.PacketsPerSecond ?? -1).CompareTo(a.Health?.PacketsPerSecond ?? -1),
            FleetSort.Version => string.CompareOrdinal(a.About.Version, b.About.Version),
            _ => (b.Skew ?? TimeSpan.Zero).Duration().CompareTo((a.Skew ?? TimeSpan.Zero).Duration()),
        };
        return order != 0 ? order : string.CompareOrdinal(a.Key, b.Key);
    }

    static int Worst(FleetRow a, FleetRow b)
    {
        int order = a.Rank.CompareTo(b.Rank);
        if (order == 0 && a.AlertsInHour > 0) order = b.WorstSeverity.CompareTo(a.WorstSeverity);
        return order != 0 ? order : b.AlertsInHour.CompareTo(a.AlertsInHour);
    }
}
