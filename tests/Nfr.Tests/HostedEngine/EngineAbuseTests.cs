using System.Net;
using System.Net.Sockets;
using System.Text;
using Nfr.Engine;
using Nfr.Events;

namespace Nfr.Tests.HostedEngine;

/// <summary>What nobody should send, and what many send: the engine goes on serving.</summary>
public sealed class EngineAbuseTests
{
    static async Task<TcpClient> OpenAsync(EngineBed bed)
    {
        var uri = new Uri(bed.Address);
        var tcp = new TcpClient();
        await tcp.ConnectAsync(uri.Host, uri.Port);
        return tcp;
    }

    static async Task<string> TalkAsync(EngineBed bed, byte[] bytes)
    {
        using TcpClient tcp = await OpenAsync(bed);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            NetworkStream stream = tcp.GetStream();
            await stream.WriteAsync(bytes, limit.Token);
            tcp.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return await reader.ReadToEndAsync(limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return "";
        }
    }

    static byte[] Head(string key, string more) =>
        Encoding.ASCII.GetBytes($"POST /v1/events/dns HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":"))}\r\n{more}\r\n\r\n");

    [Fact]
    public async Task Garbage_half_closed_and_broken_requests_leave_it_serving()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        var random = new Random(11);
        List<byte[]> attacks =
        [
            [], "GET"u8.ToArray(), "\r\n\r\n\r\n"u8.ToArray(), Encoding.ASCII.GetBytes("GET / HTTP/9.9\r\n\r\n"), Encoding.ASCII.GetBytes(new string('A', 100_000)),
            Encoding.ASCII.GetBytes("GET /" + new string('a', 9000) + " HTTP/1.1\r\nHost: x\r\n\r\n"),
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n" + string.Concat(Enumerable.Range(0, 500).Select(i => $"X-{i}: y\r\n")) + "\r\n"),
            // A body that ends too early, one that never was, chunks that are none, two lengths, a length that no number holds.
            [.. Head(key, "Content-Length: 1000"), .. Encoding.ASCII.GetBytes(EngineBed.Dns("a.b"))],
            Head(key, "Content-Length: 1000"), Head(key, "Transfer-Encoding: chunked\r\n\r\nzz"), Head(key, "Content-Length: 5\r\nContent-Length: 6"),
            Head(key, "Content-Length: 99999999999999999999"), Head(key, "Content-Length: -1"), [.. Head(key, "Content-Encoding: gzip\r\nContent-Length: 18"), .. "\u001f\u008b"u8, 0, 1, 2],
        ];
        for (int i = 0; i < 60; i++)
        {
            byte[] noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            attacks.Add(i % 2 == 0 ? noise : [.. Head(key, $"Content-Length: {noise.Length}"), .. noise]);
        }
        await Task.WhenAll(attacks.Select(a => TalkAsync(bed, a)));
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await bed.SendAsync(HttpMethod.Get, "/healthz", null));
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        Assert.Contains("nfr_engine_events_rejected_total{reason=\"mistake\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("code=\"500\"", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_garbage_lines_costs_no_more_than_good_ones()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        string body = string.Concat(Enumerable.Repeat("{\"ts\":\n[\n\"\n{}\nx\n", 50_000));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        (HttpStatusCode status, string answer) = await bed.PostAsync("http", key, body);
        Assert.Equal((HttpStatusCode.OK, """{"received":250000,"accepted":0,"rejected":{"not_json":200000,"bad_ts":50000}}"""), (status, answer));
        // An exception a line would take a minute.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
    }

    [Fact]
    public async Task Slow_bodies_are_ended_and_hold_nobody_up()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        List<TcpClient> slow = [];
        for (int i = 0; i < 200; i++)
        {
            TcpClient tcp = await OpenAsync(bed);
            slow.Add(tcp);
            // A third stops within the head, a third within the body, a third within a gzip body.
            await tcp.GetStream().WriteAsync(i % 3 == 0 ? Head(key, "X: y")[..60] : i % 3 == 1 ? Head(key, "Content-Length: 100000") : Head(key, "Content-Encoding: gzip\r\nContent-Length: 100000"));
        }
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        var buffer = new byte[4096];
        foreach (TcpClient tcp in slow)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
            string answer = "";
            try
            {
                for (int n; (n = await tcp.GetStream().ReadAsync(buffer, limit.Token)) > 0;) answer += Encoding.ASCII.GetString(buffer, 0, n);
            }
            catch (IOException)
            {
                // Reset.
            }
            Assert.True(answer.Length == 0 || answer.Contains(" 408 ", StringComparison.Ordinal) || answer.Contains(" 429 ", StringComparison.Ordinal), answer);
            tcp.Dispose();
        }
    }

    [Fact]
    public async Task A_thousand_keys_upload_side_by_side_and_each_gets_its_own_alert()
    {
        await using var bed = new EngineBed();
        bed.WriteList();
        List<string> keys = [];
        using (EngineDatabase db = EngineDatabase.Open(bed.Data))
        {
            for (int i = 0; i < 1000; i++)
            {
                keys.Add(ApiKeys.New());
                db.AddKey(new KeyRow(0, ApiKeys.Hash(keys[i]), ApiKeys.Shadow(keys[i]), $"s{i}", "", [], 1, 0, true, ""));
            }
        }
        await bed.StartAsync();
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
            Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", keys[i], EngineBed.Dns("listed.example") + "\n" + EngineBed.Dns($"n{i}.example"))).Status));
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
            Assert.Single((await bed.AlertsAsync(keys[i])).Alerts));
    }
}
