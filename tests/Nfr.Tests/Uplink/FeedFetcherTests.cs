using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;
using Nfr.Pipeline;
using Nfr.Scoring.Indicators;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

/// <summary>A fetcher with the sensor's own look at lists, over real sockets.</summary>
sealed class FeedBed : IDisposable
{
    public const string Name = "c2.txt";

    readonly FeedOptions _options;
    readonly FeedSource _source;
    readonly HttpMessageHandler? _handler;

    public FeedBed(string url, long maxBytes = 1 << 20, TimeSpan? idle = null, TimeSpan? interval = null, TimeProvider? time = null, HttpMessageHandler? handler = null)
    {
        Time = time ?? TimeProvider.System;
        _handler = handler;
        _options = new FeedOptions { Folder = Folder, Version = "1", IdleTimeout = idle ?? TimeSpan.FromSeconds(30) };
        _source = new FeedSource { Name = Name, Url = new Uri(url), Interval = interval ?? TimeSpan.FromHours(1), MaxBytes = maxBytes };
        Fetcher = Make();
    }

    public TimeProvider Time { get; }
    public string Folder { get; } = Path.Combine(Directory.CreateTempSubdirectory("nfr-feeds").FullName, "feeds");
    public FeedFetcher Fetcher { get; private set; }
    public List<UplinkNotice> Notices { get; } = [];
    public FeedState State => Fetcher.States[0];
    public string? Copy => File.Exists(Path.Combine(Folder, Name)) ? File.ReadAllText(Path.Combine(Folder, Name)) : null;

    FeedFetcher Make() => new(_options, [_source], (_, path) => SensorParts.VerdictOf(IndicatorStore.Probe(path, ListAbout.Nothing)), Time, Notices.Add, new Random(1), _handler);

    public void Restart()
    {
        Fetcher.Dispose();
        Fetcher = Make();
    }

    public Task<TimeSpan> FetchAsync() => Fetcher.FetchAsync(Name, default);

    public void Dispose()
    {
        Fetcher.Dispose();
        Directory.Delete(Path.GetDirectoryName(Folder)!, recursive: true);
    }
}

public sealed class FeedFetcherTests
{
    static Task Send(HttpContext context, string text, string? tag = null)
    {
        if (tag is not null) context.Response.Headers.ETag = tag;
        return context.Response.WriteAsync(text);
    }

    static string Many(int count) => string.Join('\n', Enumerable.Range(0, count).Select(i => $"n{i}.example.net"));

    [Fact]
    public async Task A_list_is_fetched_asked_for_by_its_etag_and_replaced_when_it_changes()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        (string text, string tag) = ("bad.example\n", "\"one\"");
        server.Answer = (context, request) =>
        {
            if (request.Headers.TryGetValue("If-None-Match", out string? known) && known == tag)
            {
                context.Response.StatusCode = 304;
                return Task.CompletedTask;
            }
            return Send(context, text, tag);
        };
        using var bed = new FeedBed(server.Host + "/c2.txt");
        Assert.InRange(await bed.FetchAsync(), TimeSpan.FromHours(1), TimeSpan.FromHours(1.1));
        Assert.Equal("bad.example\n", bed.Copy);
        DateTimeOffset changed = bed.State.LastChange!.Value;
        await bed.FetchAsync();
        Assert.Equal((1, 1, 0), (bed.State.Fetched, bed.State.Unchanged, bed.State.Failed));
        Assert.Equal(changed, bed.State.LastChange);
        Assert.True(bed.State.LastSuccess > changed);
        // After a restart too.
        bed.Restart();
        Assert.Equal(changed, bed.State.LastChange);
        await bed.FetchAsync();
        Assert.Equal(1, bed.State.Unchanged);
        (text, tag) = ("worse.example\n", "\"two\"");
        await bed.FetchAsync();
        Assert.Equal("worse.example\n", bed.Copy);
        // Somebody removed the copy: the mark is worth nothing.
        File.Delete(Path.Combine(bed.Folder, FeedBed.Name));
        await bed.FetchAsync();
        Assert.Equal("worse.example\n", bed.Copy);
    }

    [Fact]
    public async Task The_date_of_the_last_change_serves_where_there_is_no_etag()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, request) =>
        {
            context.Response.Headers.LastModified = "Wed, 21 Oct 2026 07:28:00 GMT";
            if (request.Headers.TryGetValue("If-Modified-Since", out string? since) && since == "Wed, 21 Oct 2026 07:28:00 GMT") context.Response.StatusCode = 304;
            return context.Response.StatusCode == 304 ? Task.CompletedTask : Send(context, "bad.example\n");
        };
        using var bed = new FeedBed(server.Host + "/c2.txt");
        await bed.FetchAsync();
        await bed.FetchAsync();
        Assert.Equal((1, 1), (bed.State.Fetched, bed.State.Unchanged));
    }

    [Fact]
    public async Task A_packed_answer_is_unpacked_and_its_limit_is_that_of_what_comes_out()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string text = "bad.example\n";
        server.Answer = async (context, _) =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(text));
        };
        using var bed = new FeedBed(server.Host + "/c2.txt");
        await bed.FetchAsync();
        Assert.Equal("bad.example\n", bed.Copy);
        text = new string('\n', 5_000_000) + "bad.example\n";
        await bed.FetchAsync();
        Assert.Contains("larger than 1,048,576 bytes", bed.State.Problem, StringComparison.Ordinal);
        Assert.Equal("bad.example\n", bed.Copy);
    }

    [Theory]
    [InlineData(500, "oops", "500")]
    [InlineData(404, "gone", "404")]
    [InlineData(200, "", "empty")]
    [InlineData(200, " \n<!DOCTYPE html><html>bad.example</html>", "HTML")]
    [InlineData(200, "Service temporarily unavailable\nTry again later\n", "no indicator")]
    [InlineData(200, "{\"error\": \"no such list\"}", "no indicator")]
    [InlineData(200, "# a list of comments\n", "no indicator")]
    [InlineData(200, "bad.example\nthis is\nhardly a list\n at all\n", "no list")]
    public async Task What_is_no_list_leaves_the_last_good_copy(int status, string body, string problem)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => Send(context, "bad.example\n");
        using var bed = new FeedBed(server.Host + "/c2.txt");
        await bed.FetchAsync();
        DateTimeOffset good = bed.State.LastSuccess!.Value;
        server.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            return Send(context, body);
        };
        Assert.True(await bed.FetchAsync() <= TimeSpan.FromSeconds(30));
        Assert.Contains(problem, bed.State.Problem, StringComparison.Ordinal);
        Assert.Equal(good, bed.State.LastSuccess);
        Assert.Equal("bad.example\n", bed.Copy);
        Assert.Contains(bed.Notices, n => n.Sentence.Contains("serves on", StringComparison.Ordinal));
        Assert.DoesNotContain(Directory.GetFiles(bed.Folder), f => f.EndsWith(".part", StringComparison.Ordinal));
        server.Answer = (context, _) => Send(context, "worse.example\n");
        await bed.FetchAsync();
        Assert.Null(bed.State.Problem);
        Assert.Equal("worse.example\n", bed.Copy);
    }

    [Fact]
    public async Task Garbage_is_no_list()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        byte[] garbage = new byte[200_000];
        new Random(4).NextBytes(garbage);
        server.Answer = (context, _) => context.Response.Body.WriteAsync(garbage).AsTask();
        using var bed = new FeedBed(server.Host + "/c2.txt");
        await bed.FetchAsync();
        Assert.Null(bed.Copy);
        Assert.NotNull(bed.State.Problem);
    }

    [Fact]
    public async Task A_list_that_shrinks_to_almost_nothing_is_believed_after_a_day()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        var time = new ManualTime();
        server.Answer = (context, _) => Send(context, Many(2000));
        using var bed = new FeedBed(server.Host + "/c2.txt", time: time);
        await bed.FetchAsync();
        server.Answer = (context, _) => Send(context, Many(150));
        await bed.FetchAsync();
        Assert.Contains("shrank from 2,000 indicators to 150", bed.State.Problem, StringComparison.Ordinal);
        Assert.Equal(2000, bed.State.Indicators);
        time.Advance(TimeSpan.FromHours(25));
        await bed.FetchAsync();
        Assert.Equal(150, bed.State.Indicators);
        Assert.Null(bed.State.Problem);
    }

    /// <summary>Answers without a network, as if the last of its redirects had led to an address.</summary>
    sealed class Redirected(string to) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            new HttpResponseMessage(System.Net.HttpStatusCode.OK) { Content = new StringContent("bad.example\n"), RequestMessage = new HttpRequestMessage(HttpMethod.Get, to) });
    }

    [Theory]
    [InlineData("http://lists.example/c2.txt", false)]
    [InlineData("ftp://lists.example/c2.txt", false)]
    [InlineData("https://lists.example/c2.txt", true)]
    [InlineData("http://127.0.0.2:8080/c2.txt", true)]
    public async Task A_list_that_comes_in_the_clear_from_elsewhere_is_not_taken(string to, bool taken)
    {
        using var bed = new FeedBed("http://127.0.0.1:8000/c2.txt", handler: new Redirected(to));
        await bed.FetchAsync();
        Assert.Equal(taken, bed.Copy is not null);
        if (!taken) Assert.Contains("redirects to", bed.State.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://lists.example/a/bad.csv", "https://lists.example/a/bad.csv")]
    [InlineData("https://lists.example:8443/a?key=0123456789&x=1", "https://lists.example:8443/a?…")]
    [InlineData("https://lists.example/v2/exports/0a1b2c3d4e5f60718293a4b5c6d7e8f9/recent.csv", "https://lists.example/v2/exports/…/recent.csv")]
    [InlineData("https://lists.example/downloads/ipblocklist_recommended.txt#secret", "https://lists.example/downloads/ipblocklist_recommended.txt")]
    [InlineData("https://lists.example/v1/3f2504e0-4f89-11d3-9a0c-0305e82c3301/c2.txt", "https://lists.example/v1/…/c2.txt")]
    [InlineData("https://lists.example/Zm9v-YmFy_cXV4LWJheg/list", "https://lists.example/…/list")]
    [InlineData("https://lists.example/get/0a1b2c3d4e5f60718293.txt", "https://lists.example/get/…")]
    [InlineData("https://lists.example/bad_ips-2024-11-21.csv", "https://lists.example/bad_ips-2024-11-21.csv")]
    [InlineData("https://lists.example/ja3_fingerprints.csv", "https://lists.example/ja3_fingerprints.csv")]
    [InlineData("https://lists.example/MaliciousDomainsOfToday.txt", "https://lists.example/MaliciousDomainsOfToday.txt")]
    public void An_address_is_shown_without_its_keys(string url, string shown) => Assert.Equal(shown, FeedAddress.Shown(new Uri(url)));

    [Fact]
    public async Task A_key_in_the_address_is_sent_and_neither_told_nor_kept()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => Send(context, "bad.example\n", "\"one\"");
        using var bed = new FeedBed(server.Host + "/v2/a1b2c3d4e5f6a7b8c9d0/c2.txt?auth=very-secret");
        await bed.FetchAsync();
        Assert.Equal(("/v2/a1b2c3d4e5f6a7b8c9d0/c2.txt", "?auth=very-secret"), (server.Requests[0].Path, server.Requests[0].Query));
        bed.Restart();
        Assert.NotNull(bed.State.LastSuccess);
        server.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await bed.FetchAsync();
        string all = string.Join('\n', [bed.State.ToString(), .. bed.Notices.Select(n => n.ToString()), .. Directory.GetFiles(bed.Folder).Select(File.ReadAllText)]);
        Assert.Contains("/v2/…/c2.txt?…", all, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", all, StringComparison.Ordinal);
        Assert.DoesNotContain("a1b2c3d4e5f6a7b8c9d0", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_of_another_key_is_not_the_same_list()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => Send(context, "bad.example\n", "\"one\"");
        using var bed = new FeedBed(server.Host + "/c2.txt?list=1");
        await bed.FetchAsync();
        using var other = new FeedBed(server.Host + "/c2.txt?list=2");
        Directory.CreateDirectory(other.Folder);
        foreach (string file in Directory.GetFiles(bed.Folder)) File.Copy(file, Path.Combine(other.Folder, Path.GetFileName(file)), overwrite: true);
        other.Restart();
        Assert.Null(other.State.LastSuccess);
    }

    [Fact]
    public async Task A_list_that_came_back_whole_must_shrink_for_a_day_again()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        var time = new ManualTime();
        server.Answer = (context, _) => Send(context, Many(2000), "\"whole\"");
        using var bed = new FeedBed(server.Host + "/c2.txt", time: time);
        await bed.FetchAsync();
        for (int day = 0; day < 3; day++)
        {
            server.Answer = (context, _) => Send(context, Many(150), "\"cut\"");
            await bed.FetchAsync();
            Assert.Contains("shrank", bed.State.Problem, StringComparison.Ordinal);
            server.Answer = (context, _) =>
            {
                context.Response.StatusCode = 304;
                return Task.CompletedTask;
            };
            await bed.FetchAsync();
            Assert.Null(bed.State.Problem);
            time.Advance(TimeSpan.FromHours(25));
        }
        Assert.Equal(2000, bed.State.Indicators);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbad.example\n", "in the middle")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\nbad.example\n\r\n", "in the middle")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "larger than")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nbad.example\n", "compression")]
    [InlineData("SSH-2.0-x\r\n", "")]
    public async Task A_body_that_is_cut_off_or_a_lie_is_not_taken(string answer, string problem)
    {
        await using var server = new RawServer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync(Encoding.ASCII.GetBytes(answer), stop);
        });
        using var bed = new FeedBed(server.Host + "/c2.txt");
        await bed.FetchAsync();
        Assert.Null(bed.Copy);
        Assert.Contains(problem, bed.State.Problem!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_left()
    {
        await using var server = new RawServer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbad.exa"), stop);
            await Task.Delay(TimeSpan.FromMinutes(1), stop);
        });
        using var bed = new FeedBed(server.Host + "/c2.txt", idle: TimeSpan.FromMilliseconds(300));
        await bed.FetchAsync();
        Assert.Contains("nothing came for", bed.State.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_asks_for_patience_gets_it()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "1234";
            return Task.CompletedTask;
        };
        using var bed = new FeedBed(server.Host + "/c2.txt");
        Assert.Equal(TimeSpan.FromSeconds(1234), await bed.FetchAsync());
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_refused_and_told()
    {
        using var certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using EngineServer server = await EngineServer.StartAsync(certificate);
        using var bed = new FeedBed(server.Host + "/c2.txt");
        await bed.FetchAsync();
        Assert.Contains("self-signed", bed.State.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_schedule_goes_on_and_the_store_takes_in_what_was_fetched()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        int asked = 0;
        server.Answer = (context, _) => Send(context, $"bad{Interlocked.Increment(ref asked)}.example\n");
        using var bed = new FeedBed(server.Host + "/c2.txt", interval: TimeSpan.FromMilliseconds(50));
        using var store = new IndicatorStore([bed.Folder], TimeSpan.Zero, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        Task running = bed.Fetcher.RunAsync(stop.Token);
        for (int i = 0; i < 200 && Volatile.Read(ref asked) < 3; i++) await Task.Delay(50);
        await stop.CancelAsync();
        await running;
        Assert.True(asked >= 3);
        store.Poll();
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public async Task Copies_of_feeds_that_are_no_longer_asked_for_go_and_broken_marks_do_no_harm()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => Send(context, "bad.example\n", "\"one\"");
        using var bed = new FeedBed(server.Host + "/c2.txt");
        await bed.FetchAsync();
        File.WriteAllText(Path.Combine(bed.Folder, "old.txt"), "old.example");
        File.WriteAllText(Path.Combine(bed.Folder, ".old.txt.mark"), "{}");
        File.WriteAllText(Path.Combine(bed.Folder, $".{FeedBed.Name}.mark"), "{\"url\": 5");
        bed.Restart();
        Assert.False(File.Exists(Path.Combine(bed.Folder, "old.txt")));
        Assert.Null(bed.State.LastSuccess);
        await bed.FetchAsync();
        Assert.Equal(1, bed.State.Fetched);
    }
}
