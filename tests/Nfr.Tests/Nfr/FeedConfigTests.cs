using System.Text;
using Nfr.Config;
using Nfr.Scoring.Indicators;

namespace Nfr.Tests.Nfr;

public sealed class FeedConfigTests
{
    static ScoringConfig Good(string text)
    {
        NfrConfig? config = NfrConfig.Parse("/opt/sensor/config.yml", Encoding.UTF8.GetBytes(text), out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return config!.Scoring;
    }

    [Fact]
    public void Feeds_are_a_folder_when_they_are_a_text_and_the_default_when_they_are_not_there()
    {
        Assert.Equal(["/opt/sensor/lists"], Good("scoring: {feeds: lists}").FeedFolders);
        Assert.Equal(["/opt/sensor/feeds"], Good("scoring: {enabled: true}").FeedFolders);
    }

    [Fact]
    public void A_feed_without_a_name_is_not_called_by_its_key()
    {
        ScoringConfig scoring = Good("scoring: {feeds: [https://lists.example/exports/0a1b2c3d4e5f60718293a4b5, https://lists.example/exports/ffa1b2c3d4e5f60718293a4b]}");
        Assert.All(scoring.FeedUrls, f => Assert.Matches("^lists.example_[0-9a-f]{8}$", f.Name));
        Assert.Equal(2, scoring.FeedUrls.Select(f => f.Name).Distinct().Count());
    }

    [Fact]
    public void Feeds_are_folders_and_addresses_when_they_are_a_list()
    {
        ScoringConfig scoring = Good("""
            scoring:
              feeds:
                - lists
                - https://feodotracker.example/downloads/ipblocklist.csv
                - url: https://lists.example/tor.txt
                  name: tor.lst
                  threat: anon_circuit
                  flags: [anon, policy]
                  interval: 6h
                  format: plain
                  match: exact
                  max_size: 1MiB
                - url: https://lists.example/top.csv
                  trusted: true
                - folder: /srv/more
            """);
        Assert.Equal(["/opt/sensor/lists", "/srv/more"], scoring.FeedFolders);
        Assert.Equal(["feodotracker.example_ipblocklist.csv", "tor.lst", "lists.example_top.csv"], scoring.FeedUrls.Select(f => f.Name));
        FeedConfig tor = scoring.FeedUrls[1];
        Assert.Equal(("anon_circuit", TimeSpan.FromHours(6), ListFormat.Plain, true, 1L << 20, true), (tor.Threat!.Id, tor.Interval, tor.Format, tor.Exact, tor.MaxSize, tor.IsNamed));
        Assert.Equal(["anon", "policy"], tor.Flags!);
        Assert.True(scoring.FeedUrls[2].Trusted);
    }

    [Theory]
    [InlineData("  - http://lists.example/a.txt", 3, "https")]
    [InlineData("  - ftp://lists.example/a.txt", 3, "https")]
    [InlineData("  - https://", 3, "no address")]
    [InlineData("  - https://user:secret@lists.example/a", 3, "password")]
    [InlineData("  - [a]", 3, "in each item")]
    [InlineData("  - name: a.txt", 3, "needs a url")]
    [InlineData("  - url: https://lists.example/a\n    threat: c2_comunication", 4, "did you mean \"c2_communication\"")]
    [InlineData("  - url: https://lists.example/a\n    name: ../a", 4, "letters, digits")]
    [InlineData("  - url: https://lists.example/a\n    intervall: 1h", 4, "did you mean \"interval\"")]
    [InlineData("  - url: https://lists.example/a\n    interval: 5s", 4, "a duration from 1m")]
    [InlineData("  - url: https://lists.example/a\n    folder: b", 4, "not both")]
    [InlineData("  - https://lists.example/a\n  - https://lists.example/b/a", 4, "two feeds")]
    public void A_slip_is_told_with_its_line(string items, int line, string message)
    {
        Assert.Null(NfrConfig.Parse("config.yml", Encoding.UTF8.GetBytes("scoring:\n  feeds:\n" + items.Replace("\n", "\n  ", StringComparison.Ordinal).Insert(0, "  ")), out IReadOnlyList<ConfigFault> faults));
        ConfigFault fault = Assert.Single(faults);
        Assert.Equal(line, fault.Line);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }
}
