using System.Text.Json;
using Nfr.Scoring.Indicators;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>One indicator list as status and metrics tell it: what is in use, and for a fetched one how old its copy is.</summary>
/// <remarks>Name = the file's; Date = the list's own, else the file's; Checked = when the copy was last known to be the newest, null for files and before the first.</remarks>
sealed record ListReport(string Name, string Threat, long Indicators, long Faults, DateTimeOffset? Date, string? Problem, string? Url, DateTimeOffset? Checked, long Failed)
{
    /// <summary>Every list in use, and every feed that has none yet.</summary>
    public static IReadOnlyList<ListReport> Of(IReadOnlyList<ListStatus> lists, IReadOnlyList<FeedState> feeds, string? cache)
    {
        List<ListReport> reports = [];
        HashSet<FeedState> loaded = [];
        foreach (ListStatus list in lists)
        {
            FeedState? feed = Path.GetDirectoryName(list.Path) == cache ? feeds.FirstOrDefault(f => f.Name == Path.GetFileName(list.Path)) : null;
            if (feed is not null) loaded.Add(feed);
            reports.Add(new ListReport(
                Path.GetFileName(list.Path), list.IsTrusted ? "trusted" : list.ThreatId, list.Count, list.FaultCount, list.Date, list.Problem ?? feed?.Problem, feed?.Url, feed?.LastSuccess, feed?.Failed ?? 0));
        }
        foreach (FeedState feed in feeds)
        {
            if (!loaded.Contains(feed)) reports.Add(new ListReport(feed.Name, "", 0, 0, null, feed.Problem ?? "not fetched yet", feed.Url, null, feed.Failed));
        }
        return reports;
    }

    /// <summary>Each with a name of its own, for metrics: a second list of a file's name, from another folder, is "name (2)".</summary>
    public static IReadOnlyList<(string Label, ListReport List)> Labelled(IReadOnlyList<ListReport> lists)
    {
        HashSet<string> taken = [];
        List<(string, ListReport)> labelled = [];
        foreach (ListReport list in lists)
        {
            string label = list.Name;
            for (int i = 2; !taken.Add(label); i++) label = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{list.Name} ({i})");
            labelled.Add((label, list));
        }
        return labelled;
    }

    public void Write(Utf8JsonWriter json, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteString("name", Name);
        json.WriteString("threat", Threat);
        json.WriteNumber("indicators", Indicators);
        json.WriteNumber("faults", Faults);
        if (Date is { } date) json.WriteString("date", date.UtcDateTime);
        if (Url is not null) json.WriteString("url", Url);
        if (Checked is { } at)
        {
            json.WriteString("checked", at.UtcDateTime);
            json.WriteNumber("ageSeconds", Math.Round((now - at).TotalSeconds));
        }
        if (Url is not null) json.WriteNumber("failedFetches", Failed);
        json.WriteString("problem", Problem);
        json.WriteEndObject();
    }
}
