using System.IO.Compression;
using System.Net;
using System.Text;
using Nfr.Events;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Tests.HostedEngine;

/// <summary>Bodies that come again because their answer was lost.</summary>
public sealed class EngineRepeatTests
{
    static byte[] Packed(IEnumerable<string> lines)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n"))));
        return packed.ToArray();
    }

    static string[] Names(int from, int count, string of = "n") => [.. Enumerable.Range(from, count).Select(i => i % 5 == 4 ? "no event" : EngineBed.Dns($"{of}{i}.example"))];

    static EngineClient Client(EngineBed bed, string key, string sensor = "0a1b") =>
        new(new EngineOptions { Host = bed.Address, ApiKey = key, Version = "1", SensorId = sensor }, TimeProvider.System);

    static async Task<string> SendAsync(EngineClient client, IEnumerable<string> lines, long first, long last)
    {
        EngineReply reply = await client.SendEventsAsync(EventType.Dns, Packed(lines), first, last, default);
        return reply.IsAccepted ? Encoding.UTF8.GetString(reply.Body.Span) : reply.Kind.ToString();
    }

    static async Task<(long Accepted, long Repeated)> CountsAsync(EngineBed bed)
    {
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        long Of(string name) => long.Parse(metrics.Split('\n').Single(l => l.StartsWith(name + "{type=\"dns\"} ", StringComparison.Ordinal)).Split(' ')[1]);
        return (Of("nfr_engine_events_accepted_total"), Of("nfr_engine_events_repeated_total"));
    }

    [Fact]
    public async Task A_repeat_is_answered_as_the_first_time_and_scored_once()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key);
        const string answer = """{"received":20,"accepted":16,"rejected":{"not_json":4}}""";
        for (int i = 0; i < 3; i++) Assert.Equal(answer, await SendAsync(client, Names(0, 20), 1, 31));
        Assert.Equal((16L, 40L), await CountsAsync(bed));
    }

    [Fact]
    public async Task A_repeat_that_goes_on_further_has_its_new_events_scored_and_one_that_ends_before_has_none()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key);
        await SendAsync(client, Names(0, 20), 1, 31);
        Assert.Equal("""{"received":50,"accepted":40,"rejected":{"not_json":10}}""", await SendAsync(client, Names(0, 50), 1, 80));
        Assert.Equal((40L, 20L), await CountsAsync(bed));
        Assert.Equal("""{"received":10,"accepted":8,"rejected":{"not_json":2}}""", await SendAsync(client, Names(0, 10), 1, 15));
        Assert.Equal("""{"received":50,"accepted":40,"rejected":{"not_json":10}}""", await SendAsync(client, Names(0, 50), 1, 80));
        Assert.Equal((40L, 80L), await CountsAsync(bed));
    }

    [Fact]
    public async Task Another_sensor_a_clone_and_the_original_are_no_repeats()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key), other = Client(bed, key, "ffff"), nobody = Client(bed, key, "");
        foreach (EngineClient sender in new[] { client, other, nobody, nobody }) await SendAsync(sender, Names(0, 5), 1, 5);
        await SendAsync(client, Names(0, 5, "clone"), 1, 5);
        Assert.Equal((20L, 0L), await CountsAsync(bed));
    }

    [Fact]
    public async Task What_was_scored_before_a_body_was_too_long_is_not_scored_again_in_its_parts()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync(o => o with { MaxBody = 100_000 });
        using EngineClient client = Client(bed, key);
        string[] lines = [.. Enumerable.Range(0, 2000).Select(i => EngineBed.Dns($"n{i}.example"))];
        Assert.Equal("TooLarge", await SendAsync(client, lines, 1, 2000));
        (long before, _) = await CountsAsync(bed);
        Assert.InRange(before, 500, 1999);
        await SendPartsAsync(client, lines, 0, 1000);
        await SendPartsAsync(client, lines, 1000, 1000);
        Assert.Equal((2000L, before), await CountsAsync(bed));
    }

    /// <summary>As our sensor does: halves of what is too long, the earlier one first.</summary>
    static async Task SendPartsAsync(EngineClient client, string[] lines, int start, int count)
    {
        string answer = await SendAsync(client, lines[start..(start + count)], start + 1, start + count);
        if (answer == $"{{\"received\":{count},\"accepted\":{count},\"rejected\":{{}}}}") return;
        Assert.Equal("TooLarge", answer);
        await SendPartsAsync(client, lines, start, count / 2);
        await SendPartsAsync(client, lines, start + (count / 2), count - (count / 2));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public async Task A_body_whose_answer_was_lost_comes_again_in_parts_and_is_scored_once(int parts)
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key);
        string[] lines = Names(0, 800);
        await SendAsync(client, lines, 1, 800);
        int part = 800 / parts;
        for (int at = 0; at < 800; at += part)
            Assert.Equal($"{{\"received\":{part},\"accepted\":{part * 4 / 5},\"rejected\":{{\"not_json\":{part / 5}}}}}", await SendAsync(client, lines[at..(at + part)], at + 1, at + part));
        Assert.Equal((640L, 800L), await CountsAsync(bed));
        // What follows is new.
        await SendAsync(client, Names(800, 100), 801, 900);
        Assert.Equal((720L, 800L), await CountsAsync(bed));
    }

    [Fact]
    public async Task What_the_sensor_dropped_between_two_sends_costs_no_new_event()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key);
        string[] lines = [.. Enumerable.Range(0, 100).Select(i => EngineBed.Dns($"n{i}.example"))];
        await SendAsync(client, lines[..60], 1, 60);
        // The first ten and some of the middle are gone, forty are new.
        await SendAsync(client, [.. lines[10..20], .. lines[35..]], 11, 100);
        Assert.Equal((100L, 35L), await CountsAsync(bed));
    }

    [Fact]
    public async Task Lines_that_are_alike_are_as_many_as_they_were()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key);
        string[] alike = [.. Enumerable.Repeat(EngineBed.Dns("n.example"), 5)];
        await SendAsync(client, alike, 1, 5);
        await SendAsync(client, [.. alike, .. alike], 1, 10);
        Assert.Equal((10L, 5L), await CountsAsync(bed));
    }

    [Fact]
    public async Task A_sensor_that_did_not_wait_for_the_disk_is_answered_when_its_alert_is_on_it()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key);
        Assert.False(SqliteConnection.Open(Path.Combine(bed.Data, "engine.db"), null, out SqliteConnection? other).IsError);
        other!.SetBusyTimeout(10_000);
        other.Execute("BEGIN IMMEDIATE");
        string[] lines = [EngineBed.Dns("listed.example"), EngineBed.Dns("good.example")];
        using var impatient = new CancellationTokenSource();
        Task<EngineReply> first = client.SendEventsAsync(EventType.Dns, Packed(lines), 7, 8, impatient.Token);
        // It is scored, and waits for the disk.
        for (long begun = Environment.TickCount64; !(await bed.SendAsync(HttpMethod.Get, "/metrics", null)).Body.Contains("\nnfr_engine_alerts_raised_total 1\n", StringComparison.Ordinal);)
        {
            Assert.True(Environment.TickCount64 - begun < 40_000, "no alert");
            await Task.Delay(20);
        }
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Task<string> again = SendAsync(client, lines, 7, 8);
        await Task.Delay(300);
        Assert.False(again.IsCompleted);
        other.Execute("ROLLBACK");
        other.Dispose();
        Assert.Equal("""{"received":2,"accepted":2,"rejected":{}}""", await again);
        // The first one is counted when it has seen its commit, a moment before or after the answer to the second.
        for (int i = 0; i < 500 && await CountsAsync(bed) != (2L, 2L); i++) await Task.Delay(20);
        Assert.Equal((2L, 2L), await CountsAsync(bed));
        Assert.Single((await bed.AlertsAsync(key)).Alerts);
    }

    [Fact]
    public async Task Old_bodies_are_forgotten()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        using EngineClient client = Client(bed, key);
        for (int i = 0; i < 40; i++) await SendAsync(client, [EngineBed.Dns($"n{i}.example")], i, i);
        await SendAsync(client, [EngineBed.Dns("n0.example")], 0, 0);
        await SendAsync(client, [EngineBed.Dns("n39.example")], 39, 39);
        Assert.Equal((41L, 1L), await CountsAsync(bed));
    }
}
