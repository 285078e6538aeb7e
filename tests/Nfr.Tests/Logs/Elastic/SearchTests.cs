using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>What documents a search takes, and when.</summary>
public sealed class SearchTests
{
    readonly ManualTime _time = new();

    static readonly SearchOptions s_dns = new() { Type = EventType.Dns, Indices = ["packetbeat-*"], Schema = "ecs", BatchSize = 10 };

    string Stamp(double secondsAgo) => (_time.Utc - TimeSpan.FromSeconds(secondsAgo)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    void Add(SearchServer server, int number, double secondsAgo, bool visible = true, string index = "packetbeat-1") =>
        server.Add(index, $"id{number}", $$$"""{"@timestamp":"{{{Stamp(secondsAgo)}}}","event":{"ingested":"{{{Stamp(secondsAgo)}}}"},"source":{"ip":"10.0.0.1","port":4000},"dns":{"question":{"name":"d{{{number}}}.example","type":"A"} } }""", visible);

    static string[] Names(SearchRig rig) => [.. rig.Spooled.Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!["query"]!.GetValue<string>())];

    static void Once(SearchRig rig, int count)
    {
        string[] names = Names(rig);
        Assert.Equal(names.Distinct().Count(), names.Length);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"d{i}.example").Order(), names.Order());
    }

    [Theory]
    [InlineData(Played.Elastic)]
    [InlineData(Played.Elastic710)]
    [InlineData(Played.Elastic6)]
    [InlineData(Played.OpenSearch)]
    [InlineData(Played.OpenSearch2)]
    internal void Every_server_gives_each_document_once_at_equal_stamps_across_pages(Played played)
    {
        SearchServer server = new(_time) { Played = played };
        for (int i = 0; i < 95; i++) Add(server, i, 100 - (i / 30));
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Once(rig, 95);
        for (int i = 95; i < 130; i++) Add(server, i, i % 3);
        rig.LookAndCommit();
        rig.LookAndCommit();
        Once(rig, 130);
        Assert.Empty(rig.Notices);
        Assert.Empty(server.Objections);
        Assert.Equal(0, server.OpenContexts);
        Assert.Equal(130, rig.Counters.Lines);
    }

    [Fact]
    public void The_first_look_begins_five_minutes_ago_and_a_pause_before_the_first_document_loses_nothing()
    {
        SearchServer server = new(_time);
        Add(server, 100, 301);
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit(TimeSpan.FromMinutes(20));
        Add(server, 0, 600);
        rig.Kill();
        rig.LookAndCommit();
        Once(rig, 1);
    }

    [Fact]
    public void A_document_that_comes_late_is_taken_within_the_window_and_the_others_are_not_taken_again()
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 40; i++) Add(server, i, 250 - i, visible: i % 5 != 0);
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Assert.Equal(32, rig.Spooled.Count);
        int asked = server.Requests.Count;
        rig.LookAndCommit();
        // A point in time, a count, one page, and the point in time is closed.
        Assert.Equal(4, server.Requests.Count - asked);
        server.Refresh();
        rig.LookAndCommit();
        Once(rig, 40);
    }

    [Fact]
    public void What_comes_late_is_taken_once_over_a_restart()
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 40; i++) Add(server, i, 250 - i, visible: i % 5 != 0);
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        rig.Kill();
        server.Refresh();
        rig.LookAndCommit();
        Once(rig, 40);
    }

    [Fact]
    public void A_document_of_the_future_waits_and_holds_nothing_up()
    {
        SearchServer server = new(_time);
        Add(server, 0, 10);
        Add(server, 1, -3600);
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Add(server, 2, 5);
        rig.LookAndCommit();
        Assert.Equal(["d0.example", "d2.example"], Names(rig));
        _time.Advance(TimeSpan.FromHours(1));
        rig.LookAndCommit();
        Once(rig, 3);
    }

    [Fact]
    public void A_kill_in_the_middle_of_a_page_neither_loses_nor_doubles()
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 30; i++) Add(server, i, 20);
        SearchRig rig = new(server, _time, s_dns with { BatchSize = 100 });
        Assert.True(rig.Look());
        rig.Take(13);
        rig.Commit();
        rig.Take(5);
        rig.Kill();
        Assert.Equal(13, rig.Spooled.Count);
        rig.LookAndCommit();
        Once(rig, 30);
    }

    [Fact]
    public void An_expired_point_in_time_is_replaced_and_the_search_goes_on_behind_the_last_document()
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 50; i++) Add(server, i, 100 - (i / 4));
        SearchRig rig = new(server, _time, s_dns);
        // Open, and two pages.
        Assert.False(rig.Look(2));
        _time.Advance(TimeSpan.FromSeconds(181));
        rig.LookAndCommit();
        Once(rig, 50);
        Assert.Empty(rig.Notices);
        // The third is the next look's, which was due meanwhile.
        Assert.Equal(3, server.Requests.Count(r => r.Path.Contains("_pit?", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_scroll_that_broke_in_the_middle_is_begun_anew_and_no_page_between_is_lost()
    {
        SearchServer server = new(_time) { Played = Played.Elastic6 };
        for (int i = 0; i < 50; i++) Add(server, i, 100 - (i / 4));
        int scrolls = 0;
        server.After = (request, json) => request.Path == "_search/scroll" && request.Method == "POST" && ++scrolls == 2 ? json[..(json.Length / 2)] : json;
        SearchRig rig = new(server, _time, s_dns);
        for (int i = 0; i < 5; i++) rig.LookAndCommit(TimeSpan.FromSeconds(2));
        Once(rig, 50);
        Assert.All(server.Requests.Where(r => r.Path == "_search/scroll" && r.Method == "POST"), r => Assert.True(r.Once));
        Assert.Contains("breaks off", Assert.Single(rig.Notices, n => n.IsTrouble).Sentence, StringComparison.Ordinal);
        Assert.Null(rig.Searches.Reports[0].Trouble);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    [InlineData(502)]
    public void A_server_that_is_busy_is_asked_again_after_what_it_asks_for(int status)
    {
        SearchServer server = new(_time);
        Add(server, 0, 10);
        bool busy = true;
        server.Before = request => busy ? SearchServer.Said(status, """{"error":{"type":"es_rejected_execution_exception","reason":"rejected"}}""", TimeSpan.FromSeconds(17)) : null;
        SearchRig rig = new(server, _time, s_dns);
        Assert.True(rig.Look());
        Assert.Single(server.Requests);
        Assert.NotNull(rig.Searches.Reports[0].Trouble);
        _time.Advance(TimeSpan.FromSeconds(16));
        Assert.True(rig.Look());
        Assert.Single(server.Requests);
        _time.Advance(TimeSpan.FromSeconds(1));
        busy = false;
        rig.LookAndCommit();
        Once(rig, 1);
        Assert.Null(rig.Searches.Reports[0].Trouble);
        Assert.Equal([true, false], rig.Notices.Select(n => n.IsTrouble));
    }

    [Theory]
    [InlineData("""{"took":1,"timed_out":true,"_shards":{"total":3,"successful":3,"failed":0},"hits":{"hits":[]}}""", "ran out of time")]
    [InlineData("""{"took":1,"timed_out":false,"_shards":{"total":3,"successful":2,"failed":1,"failures":[{"shard":0,"reason":{"type":"node_disconnected_exception","reason":"gone"}}]},"hits":{"hits":[]}}""", "1 of 3 shards failed: node_disconnected_exception: gone")]
    [InlineData("""{"error":{"type":"strange","reason":"no"},"status":200}""", "strange: no")]
    [InlineData("<html><body>Sign in</body></html>", "a proxy's page")]
    [InlineData("""{"hello":"world"}""", "not that of a search")]
    [InlineData("""{"hits":{"hits":[{"_index":"i","_id":"1","_source":{}}]}}""", "cannot be read")]
    [InlineData("""{"hits":{"hits":""", "breaks off")]
    [InlineData("", "no JSON")]
    public void An_answer_that_is_no_whole_page_is_a_fault_and_takes_nothing(string answer, string says)
    {
        SearchServer server = new(_time);
        Add(server, 0, 10);
        bool lies = true;
        server.Before = request => lies && request.Path == "_search" ? SearchServer.Said(200, answer) : null;
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Assert.Empty(rig.Spooled);
        Assert.Contains(says, Assert.Single(rig.Notices).Sentence, StringComparison.Ordinal);
        lies = false;
        rig.LookAndCommit();
        Once(rig, 1);
    }

    [Fact]
    public void A_page_that_is_too_long_is_asked_for_in_halves()
    {
        SearchServer server = new(_time);
        for (int i = 0; i < 50; i++) Add(server, i, 50);
        server.Before = request => request.Path == "_search" && SizeOf(request) > 7 ? new SearchAnswer { Status = 200, TooLong = true, Fault = "too long" } : null;
        SearchRig rig = new(server, _time, s_dns with { BatchSize = 100 });
        rig.LookAndCommit();
        Once(rig, 50);
        Assert.Empty(rig.Notices);
        // Found once: 100, 50, 25, 12, and from then on six.
        Assert.Equal(4, server.Requests.Count(r => r.Path == "_search" && SizeOf(r) > 7));
    }

    static int SizeOf(SearchRequest request) => System.Text.Json.Nodes.JsonNode.Parse(request.Body.Span)!["size"]!.GetValue<int>();

    [Fact]
    public void A_bad_document_is_left_out_by_itself_and_named()
    {
        SearchServer server = new(_time);
        Add(server, 0, 12);
        server.Add("packetbeat-1", "bad", $$$"""{"@timestamp":"{{{Stamp(11)}}}","event":{"ingested":"{{{Stamp(11)}}}"},"source":{"ip":"nowhere"},"dns":{"question":{"name":"x.example"} } }""");
        Add(server, 1, 10);
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        rig.LookAndCommit();
        Once(rig, 2);
        Assert.Equal(1, rig.Counters.Verdicts[(int)LineVerdict.Source]);
        Assert.Contains("packetbeat-1/bad", Assert.Single(rig.Notices).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Documents_without_the_ingested_stamp_are_told_of()
    {
        SearchServer server = new(_time);
        server.Add("packetbeat-1", "a", $$$"""{"@timestamp":"{{{Stamp(11)}}}","source":{"ip":"10.0.0.1"},"dns":{"question":{"name":"x.example"} } }""");
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit();
        Assert.Contains("none of 1 documents has event.ingested", Assert.Single(rig.Notices).Sentence, StringComparison.Ordinal);
        Assert.Contains("event.ingested", rig.Searches.Reports[0].Trouble, StringComparison.Ordinal);
        Assert.Empty(server.Objections);
    }

    [Fact]
    public void What_is_older_than_a_day_after_a_long_pause_is_left_out_and_said()
    {
        SearchServer server = new(_time);
        Add(server, 0, 10);
        SearchRig rig = new(server, _time, s_dns);
        rig.LookAndCommit(TimeSpan.FromHours(30));
        Add(server, 5, 25 * 3600);
        Add(server, 1, 20 * 3600);
        rig.Kill();
        rig.LookAndCommit();
        Assert.Equal(["d0.example", "d1.example"], Names(rig));
        Assert.Contains("24 hours", Assert.Single(rig.Notices).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void One_search_in_trouble_does_not_keep_the_others_from_theirs()
    {
        SearchServer server = new(_time);
        Add(server, 0, 10);
        server.Before = request => request.Path.StartsWith("forbidden", StringComparison.Ordinal) ? SearchServer.Said(403, """{"error":{"type":"security_exception","reason":"unauthorized"}}""") : null;
        SearchRig rig = new(server, _time, s_dns with { Indices = ["forbidden-*"] }, s_dns);
        rig.LookAndCommit();
        Once(rig, 1);
        Assert.Contains("privileges", rig.Searches.Reports[0].Trouble, StringComparison.Ordinal);
        Assert.Null(rig.Searches.Reports[1].Trouble);
    }

    [Fact]
    public void The_same_question_twice_keeps_two_places()
    {
        SearchServer server = new(_time);
        SearchRig rig = new(server, _time, s_dns, s_dns);
        Assert.Equal(rig.Searches.Inputs.Count, rig.Searches.Inputs.Select(i => i.Key).Distinct().Count());
        Assert.True(rig.Searches.Inputs.Count <= 64);
    }
}
