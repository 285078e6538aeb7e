using System.Text.Json;
using Nfr.Commands;
using Nfr.Pipeline;
using Nfr.Scoring.Indicators;
using Nfr.Uplink;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

public sealed class ListReportTests
{
    static readonly DateTimeOffset s_now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    static StatusReport Report() => new()
    {
        SensorId = "s", Now = s_now, Started = s_now.AddHours(-1), Uptime = TimeSpan.FromHours(1), Ports = [], Run = new Ledger { Captures = [] },
        SpoolFolder = "/spool", SpoolMost = 1,
        Lists = ListReport.Of(
            [
                new ListStatus("/etc/feeds/own.txt", "Own", "c2_communication", s_now.AddDays(-3), 7, 100, 2, null),
                new ListStatus("/data/feeds/tor.lst", "tor.lst", "anon_circuit", s_now.AddHours(-5), 8000, 100, 0, null),
            ],
            [
                new FeedState { Name = "tor.lst", Url = "https://lists.example/tor.lst", LastSuccess = s_now.AddHours(-3), Problem = "the server answered 500", Failed = 4 },
                new FeedState { Name = "new.csv", Url = "https://lists.example/new.csv" },
                // Another list of the same address: only what is hidden tells them apart.
                new FeedState { Name = "tor2.lst", Url = "https://lists.example/tor.lst" },
            ], "/data/feeds"),
    };

    [Fact]
    public void A_fetched_lists_age_and_trouble_are_in_the_status_and_the_metrics()
    {
        using JsonDocument json = JsonDocument.Parse(Report().ToJson());
        JsonElement[] lists = [.. json.RootElement.GetProperty("lists").EnumerateArray()];
        Assert.Equal(["own.txt", "tor.lst", "new.csv", "tor2.lst"], lists.Select(l => l.GetProperty("name").GetString()));
        Assert.False(lists[0].TryGetProperty("url", out _));
        Assert.Equal((10_800, "the server answered 500"), (lists[1].GetProperty("ageSeconds").GetInt32(), lists[1].GetProperty("problem").GetString()));
        Assert.Equal("not fetched yet", lists[2].GetProperty("problem").GetString());

        string metrics = MetricsText.Write(Report());
        Assert.Contains("nfr_list_indicators{list=\"tor.lst\"} 8000\n", metrics, StringComparison.Ordinal);
        Assert.Contains("nfr_list_faults{list=\"own.txt\"} 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("nfr_feed_age_seconds{list=\"tor.lst\"} 10800\n", metrics, StringComparison.Ordinal);
        Assert.Contains("nfr_feed_failed_total{list=\"tor.lst\"} 4\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public void Metrics_are_what_the_format_wants_whatever_lists_are_called()
    {
        ListStatus Named(string path) => new(path, "x", "c2_communication", s_now, 7, 100, 2, null);
        StatusReport report = Report() with { Lists = ListReport.Of([Named("/a/tor.lst"), Named("/b/tor.lst"), Named("/a/quote\"back\\slash\nline"), Named("/a/ünï.txt")], [], null) };
        List<ExpositionText.Sample> samples = [.. ExpositionText.Parse(MetricsText.Write(report)).Where(s => s.Name == "nfr_list_indicators")];
        Assert.Equal(["tor.lst", "tor.lst (2)", "quote\"back\\slash\nline", "ünï.txt"], samples.Select(s => s.Labels["list"]));
    }

    [Fact]
    public void The_ledgers_screen_shows_each_list_with_its_size_age_and_trouble()
    {
        using JsonDocument json = JsonDocument.Parse(Report().ToJson());
        string[] lines = [.. LedgerScreen.Lines(json.RootElement).Select(l => l.Text.TrimEnd())];
        int at = Array.IndexOf(lines, "Lists");
        Assert.True(at > 0);
        Assert.Contains(lines[at..], l => l.Contains("tor.lst", StringComparison.Ordinal) && l.Contains("8,000", StringComparison.Ordinal) && l.EndsWith("3 h old", StringComparison.Ordinal));
        Assert.Contains("  the server answered 500", string.Join('\n', lines[at..]), StringComparison.Ordinal);
    }
}
