using System.Globalization;
using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>Servers, proxies and roles that refuse, and searches that would stand still, or go round in circles, for it.</summary>
public sealed class SearchFaultTests
{
    readonly ManualTime _time = new();

    static readonly SearchOptions s_dns = new() { Type = EventType.Dns, Indices = ["packetbeat-*"], Schema = "ecs", BatchSize = 100 };

    string Stamp(double secondsAgo) => (_time.Utc - TimeSpan.FromSeconds(secondsAgo)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    void Add(SearchServer server, int number, double secondsAgo) =>
        server.Add("packetbeat-1", $"id{number}", $$$"""{"@timestamp":"{{{Stamp(secondsAgo)}}}","event":{"ingested":"{{{Stamp(secondsAgo)}}}"},"source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"d{{{number}}}.example","type":"A"} } }""");

    static void Once(SearchRig rig, int count)
    {
        string[] names = [.. rig.Spooled.Select(line => JsonNode.Parse(line)!["query"]!.GetValue<string>())];
        Assert.Equal(names.Distinct().Count(), names.Length);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"d{i}.example").Order(), names.Order());
    }

    static int SizeOf(SearchRequest request) => JsonNode.Parse(request.Body.Span)!["size"]?.GetValue<int>() ?? 0;

    [Fact]
    public void A_point_in_time_whose_shards_went_is_left_for_another_one()
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 250; i++) Add(server, i, 100);
        int opened = 0, pages = 0;
        server.Before = request =>
        {
            if (request.Path.Contains("_pit?", StringComparison.Ordinal)) opened++;
            // An index that it covers is deleted behind its first page: each question to it fails from then on, and keeps it alive.
            return opened == 1 && request.Path == "_search" && ++pages > 1
                ? SearchServer.Said(200, """{"took":1,"timed_out":false,"_shards":{"total":3,"successful":2,"failed":1,"failures":[{"shard":-1,"reason":{"type":"no_shard_available_action_exception","reason":"gone"}}]},"hits":{"hits":[]}}""") : null;
        };
        SearchRig rig = new(server, _time, s_dns);
        for (int i = 0; i < 3; i++) rig.LookAndCommit();
        Once(rig, 250);
        Assert.Equal(0, server.OpenContexts);
        Assert.Null(rig.Searches.Reports[0].Trouble);
    }

    [Theory]
    [InlineData(401, """{"Message":"Your request: '/packetbeat-*/_pit' is not allowed."}""")]
    [InlineData(403, """{"error":{"type":"security_exception","reason":"no permissions for [indices:data/read/point_in_time/create]"},"status":403}""")]
    public void Who_may_search_and_open_no_point_in_time_reads_by_scroll(int status, string says)
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 250; i++) Add(server, i, 100);
        server.Before = request => request.Path.Contains("_pit", StringComparison.Ordinal) || request.Path.Contains("point_in_time", StringComparison.Ordinal) ? SearchServer.Said(status, says) : null;
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Once(rig, 250);
        Assert.Empty(rig.Notices);
    }

    [Fact]
    public void Who_may_nothing_at_first_reads_by_a_point_in_time_once_he_may()
    {
        SearchServer server = new(_time);
        Add(server, 0, 100);
        bool may = false;
        server.Before = _ => may ? null : SearchServer.Said(403, """{"error":{"type":"security_exception","reason":"unauthorized"},"status":403}""");
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Assert.Contains("privileges", rig.Searches.Reports[0].Trouble, StringComparison.Ordinal);
        may = true;
        int before = server.Requests.Count;
        rig.LookAndCommit();
        Once(rig, 1);
        Assert.DoesNotContain(server.Requests.Skip(before), r => r.Path.Contains("scroll", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(429, """{"error":{"type":"circuit_breaking_exception","reason":"[parent] Data too large"},"status":429}""")]
    [InlineData(504, "{}")]
    [InlineData(400, """{"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"Result window is too large, from + size must be less than or equal to: [20] but was [100]."}],"type":"search_phase_execution_exception","reason":"all shards failed"},"status":400}""")]
    [InlineData(200, """{"took":1,"timed_out":true,"_shards":{"total":3,"successful":3,"failed":0},"hits":{"hits":[]}}""")]
    public void What_is_too_much_for_a_server_is_asked_for_in_smaller_pages(int status, string says)
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 50; i++) Add(server, i, 100);
        server.Before = request => request.Path == "_search" && SizeOf(request) > 20 ? SearchServer.Said(status, says) : null;
        SearchRig rig = new(server, _time, s_dns);
        for (int i = 0; i < 20 && rig.Spooled.Count < 50; i++) rig.LookAndCommit();
        Once(rig, 50);
    }

    [Fact]
    public void OpenSearch_is_asked_for_a_point_in_time_of_all_shards_or_none()
    {
        SearchServer server = new(_time) { Played = Played.OpenSearch };
        Add(server, 0, 10);
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Once(rig, 1);
        Assert.Contains(server.Requests, r => r.Path == "packetbeat-*/_search/point_in_time?keep_alive=180s&allow_partial_pit_creation=false");
    }

    [Fact]
    public void More_documents_of_one_stamp_than_are_remembered_come_once()
    {
        const int Many = 7000;
        SearchServer server = new(_time) { ChecksApi = false };
        for (int i = 0; i < Many; i++) Add(server, i, 100);
        // As many searches as can be: each remembers the fewest.
        SearchRig rig = new(server, _time, [s_dns with { BatchSize = 1000 }, .. Enumerable.Range(1, ElasticSearches.MostSearches - 1).Select(i => s_dns with { Indices = [$"none{i}-*"] })]);
        for (int i = 0; i < 3; i++) Look(rig);
        Once(rig, Many);
        rig.Kill();
        Look(rig);
        Once(rig, Many);
        Add(server, Many, 5);
        Look(rig);
        Once(rig, Many + 1);
    }

    void Look(SearchRig rig)
    {
        Task<bool> look = Task.Run(() => rig.Look());
        while (!look.IsCompleted)
        {
            rig.Take();
            rig.Commit();
            Thread.Sleep(1);
        }
        Assert.True(look.Result);
        rig.LookAndCommit();
    }

    [Fact]
    public void Searches_that_differ_in_their_term_alone_have_names_of_their_own()
    {
        SearchServer server = new(_time);
        SearchRig rig = new(server, _time, s_dns, s_dns with { SearchTerm = """{"term":{"tags":"a"}}""" }, s_dns with { SearchTerm = """{"term":{"tags":"b"}}""" });
        Assert.Equal(["dns packetbeat-*", "dns packetbeat-* (2)", "dns packetbeat-* (3)"], rig.Searches.Reports.Select(r => r.Name));
    }
}
