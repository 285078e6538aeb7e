using System.Globalization;
using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>Whatever happens, every document comes once: random arrivals, pages, kills, expiries, faults and servers.</summary>
public sealed class SearchPropertyTests
{
    [Fact]
    public void Every_document_comes_exactly_once_whatever_happens()
    {
        for (int seed = 1; seed <= 30; seed++) Run(seed, 40);
    }

    static void Run(int seed, int rounds)
    {
        Random random = new(seed);
        ManualTime time = new();
        Played played = (Played)random.Next(5);
        SearchServer server = new(time) { Played = played, Nanoseconds = random.Next(3) == 0, ChecksApi = seed % 10 == 0 };
        SearchOptions options = new() { Type = EventType.Dns, Indices = ["logs-*"], Schema = "ecs", BatchSize = random.Next(1, 40), LateWindow = TimeSpan.FromSeconds(120), PollInterval = TimeSpan.FromSeconds(10) };
        SearchRig rig = new(server, time, options);
        int added = 0;
        int trouble = 0;
        server.Before = request => trouble > 0 && random.Next(4) == 0 && trouble-- > 0 ? random.Next(5) switch
        {
            0 => SearchServer.Said(429, "{}"),
            1 => SearchServer.Said(503, "", TimeSpan.FromSeconds(3)),
            2 => new SearchAnswer { Fault = "the connection broke" },
            3 => SearchServer.Said(200, """{"took":1,"_shards":{"total":3,"failed":1},"hits":{"hits":[]}}"""),
            _ => SearchServer.Said(200, "<html>"),
        } : null;
        rig.LookAndCommit(TimeSpan.FromSeconds(10));
        for (int round = 0; round < rounds; round++)
        {
            // Bursts at one stamp, and stamps that are up to a minute old; some are seen at the next refresh alone.
            long stamp = (time.Utc - DateTimeOffset.UnixEpoch).Ticks * 100;
            for (int n = random.Next(4) == 0 ? random.Next(60) : random.Next(8); n > 0; n--)
            {
                long at = stamp - (random.Next(3) == 0 ? random.NextInt64(60_000_000_000) : random.Next(2) == 0 ? 0 : 1_000_000_000);
                server.Add($"logs-{random.Next(2)}", $"id{added}", Document(added++, at, server.Nanoseconds), visible: random.Next(3) > 0);
            }
            if (random.Next(3) == 0) server.Refresh();
            if (random.Next(6) == 0) trouble = random.Next(4);
            if (random.Next(8) == 0) server.ForgetContexts();
            // A part of a look, of the ring, of a commit; then maybe the power is cut.
            _ = rig.Look(random.Next(2) == 0 ? random.Next(6) : 1000);
            rig.Take(random.Next(3) == 0 ? random.Next(30) : int.MaxValue);
            if (random.Next(4) > 0) rig.Commit();
            if (random.Next(5) == 0) rig.Kill();
            time.Advance(TimeSpan.FromSeconds(random.Next(12)));
        }
        trouble = 0;
        server.Refresh();
        for (int i = 0; i < 8; i++) rig.LookAndCommit(TimeSpan.FromSeconds(10));
        int[] numbers = [.. rig.Spooled.Select(l => int.Parse(JsonNode.Parse(l)!["query"]!.GetValue<string>().Split('.')[0][1..], CultureInfo.InvariantCulture))];
        int[] missing = [.. Enumerable.Range(0, added).Except(numbers)], twice = [.. numbers.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key)];
        Assert.True(missing.Length == 0 && twice.Length == 0, $"seed {seed}, {played}: of {added} are missing {string.Join(' ', missing)}; twice {string.Join(' ', twice)}");
        Assert.Empty(server.Objections);
    }

    static string Document(int number, long stamp, bool nanoseconds)
    {
        string text = DocumentTime.ForQuery(nanoseconds ? stamp : stamp / 1_000_000 * 1_000_000, null);
        return new JsonObject
        {
            ["@timestamp"] = text,
            ["event"] = new JsonObject { ["ingested"] = text },
            ["source"] = new JsonObject { ["ip"] = "10.0.0.1" },
            ["dns"] = new JsonObject { ["question"] = new JsonObject { ["name"] = $"d{number}.example" } },
        }.ToJsonString();
    }
}
