using System.Text;
using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>What is asked, as the original's users know it and as the API's schema has it.</summary>
public sealed class SearchQueryTests
{
    static readonly SearchRange s_range = new(1_614_950_929_254_000_000, long.MaxValue);

    static JsonNode Page(SearchOptions options, bool plain = false, SearchRange? range = null, string? after = null) =>
        JsonNode.Parse(new SearchQuery(options).Page(SearchDialect.PointInTime, plain, range ?? s_range, 100, "w62xAwU", Encoding.UTF8.GetBytes(after ?? "")))!;

    static string[] MustHave(JsonNode page) => [.. page["query"]!["bool"]!["must"]!.AsArray().Select(m => m!["exists"]!["field"]!.GetValue<string>())];

    static string[] Source(JsonNode page) => [.. page["_source"]!["includes"]!.AsArray().Select(i => i!.GetValue<string>())];

    static SearchOptions Of(EventType type, string schema = "ecs") => new() { Type = type, Indices = ["filebeat-*"], Schema = schema };

    [Fact]
    public void A_page_is_asked_for_as_the_original_drew_it()
    {
        JsonNode page = Page(Of(EventType.Dns) with { SearchTerm = """{"term":{"tags":"zeek.dns"}}""", MustHaveFields = ["source.ip", "dns.question.name"] }, after: "[1614950929254,7]");
        Assert.Equal("""[{"field":"@timestamp","format":"strict_date_time"},{"field":"event.ingested","format":"strict_date_time"}]""", page["docvalue_fields"]!.ToJsonString());
        Assert.Equal(100, (int)page["size"]!);
        Assert.Equal(["source.ip", "dns.question.name"], MustHave(page));
        Assert.Equal("""[{"term":{"tags":"zeek.dns"}},{"range":{"event.ingested":{"gte":"2021-03-05T13:28:49.254Z","lte":"now"}}}]""", page["query"]!["bool"]!["filter"]!.ToJsonString());
        Assert.Equal("""{"id":"w62xAwU","keep_alive":"180s"}""", page["pit"]!.ToJsonString());
        Assert.Equal("[1614950929254,7]", page["search_after"]!.ToJsonString());
        Assert.Equal(("asc", "asc"), ((string)page["sort"]![0]!["event.ingested"]!["order"]!, (string)page["sort"]![1]!["_shard_doc"]!));
        Assert.Equal("strict_date_optional_time_nanos", (string?)page["sort"]![0]!["event.ingested"]!["format"]);
        Assert.Null(Page(Of(EventType.Dns), plain: true)["sort"]![0]!["event.ingested"]!["format"]);
        Assert.False((bool)page["track_total_hits"]!);
    }

    [Fact]
    public void ECS_asks_for_what_the_original_asked_for_and_the_fields_that_it_forgot()
    {
        Assert.Equal(["@timestamp", "event.ingested", "source.ip", "dns.question.name"], MustHave(Page(Of(EventType.Dns))));
        Assert.Equal(["@timestamp", "event.ingested", "source.ip", "destination.ip"], MustHave(Page(Of(EventType.Ip))));
        Assert.Equal(["@timestamp", "event.ingested", "source.ip"], MustHave(Page(Of(EventType.Tls))));
        JsonNode http = Page(Of(EventType.Http));
        Assert.Equal(["@timestamp", "event.ingested", "source.ip"], MustHave(http));
        Assert.Equal("""[{"exists":{"field":"url.original"}},{"exists":{"field":"url.full"}}]""", http["query"]!["bool"]!["should"]!.ToJsonString());
        foreach (string field in new[] { "url.original", "http.request.method", "http.response.status_code", "destination.bytes", "source.bytes", "http.response.mime_type", "http.request.referrer", "user_agent.original" })
            Assert.Contains(field, Source(http));
        JsonNode named = Page(Of(EventType.Http) with { FieldNames = new Dictionary<string, string> { ["url"] = "my.url" } });
        Assert.Equal(["@timestamp", "event.ingested", "source.ip", "my.url"], MustHave(named));
        Assert.Null(named["query"]!["bool"]!["should"]);
    }

    [Fact]
    public void The_first_time_is_five_minutes_ago_by_the_servers_clock() =>
        Assert.Equal("now-5m", (string?)Page(Of(EventType.Dns), range: new SearchRange(long.MinValue, long.MaxValue))["query"]!["bool"]!["filter"]![0]!["range"]!["event.ingested"]!["gte"]);

    [Theory]
    [InlineData(1_614_950_929_254_000_000, null, "2021-03-05T13:28:49.254Z")]
    [InlineData(1_614_950_929_000_000_000, null, "2021-03-05T13:28:49.000Z")]
    [InlineData(1_614_950_929_254_100_000, null, "2021-03-05T13:28:49.254100000Z")]
    [InlineData(1_614_950_929_254_000_001, null, "2021-03-05T13:28:49.254000001Z")]
    [InlineData(1_614_950_929_254_999_999, "epoch_millis", "1614950929254")]
    [InlineData(1_614_950_929_254_999_999, "epoch_second", "1614950929")]
    public void A_stamp_is_written_so_that_the_servers_formats_read_it(long stamp, string? format, string expected) => Assert.Equal(expected, DocumentTime.ForQuery(stamp, format));

    [Fact]
    public void A_timestamp_format_goes_with_the_range() =>
        Assert.Equal("""{"gte":"1614950929254","lte":"now","format":"epoch_millis"}""", Page(Of(EventType.Dns) with { TimestampFormat = "epoch_millis" })["query"]!["bool"]!["filter"]![0]!["range"]!["event.ingested"]!.ToJsonString());

    [Fact]
    public void Corelights_logs_are_told_apart_by_their_path() =>
        Assert.Equal("""{"term":{"_path":{"value":"conn"}}}""", Page(Of(EventType.Ip, "corelight"))["query"]!["bool"]!["filter"]![0]!.ToJsonString());

    [Theory]
    [InlineData("-9223372036854775808", false)]
    [InlineData("-9223372036854775807", true)]
    [InlineData("9223372036854775807", true)]
    public void A_sort_value_that_has_no_opposite_is_no_time(string number, bool isTime)
    {
        JsonLineReader list = JsonLineReader.Array(System.Text.Encoding.ASCII.GetBytes($"[{number}]"));
        Assert.True(list.Next(out JsonRaw value));
        Assert.Equal(isTime, DocumentTime.TryRead(value, out _));
    }

    [SampleFact(SearchApi.Schema)]
    public void Every_request_is_one_that_the_published_schema_has()
    {
        foreach (string schema in new[] { "ecs", "graylog", "corelight" })
        {
            foreach (EventType type in EventTypes.Uploaded)
            {
                SearchOptions options = Of(type, schema) with { Indices = ["a-*", "b,c", "remote:d"] };
                var query = new SearchQuery(options);
                var cursor = new SearchCursor(options, query);
                SearchRequest open = cursor.Open();
                Assert.Equal("a-*,b%2Cc,remote:d/_pit?keep_alive=180s", open.Path);
                cursor.Opened(SearchServer.Said(200, """{"id":"x"}"""), out _);
                foreach (SearchRequest request in new[] { open, cursor.Count(new SearchRange(0, 1)), cursor.CountAll(true), cursor.CountAll(false), cursor.Page(s_range, 10), cursor.Close()! })
                    Assert.Empty(SearchApi.Objections(request));
                // The check can fail.
                Assert.NotEmpty(SearchApi.Objections(cursor.Page(s_range, 10) with { Body = Encoding.UTF8.GetBytes("""{"sise":1}""") }));
            }
        }
    }
}
