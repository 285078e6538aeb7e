using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class WebhookSinkTests
{
    const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    static readonly SensorIdentity s_sensor = new("2.0.0", "0123456789abcdef0123456789abcdef", "sensor");

    static AlertPage Page(int from, int count) =>
        new([.. Enumerable.Range(from, count).Select(i => new StoredAlert(i, UplinkBench.Alert(i)))], AlertFormat.Json, s_sensor);

    static WebhookSinkOptions To(string host) => new() { Url = new Uri(host + "/hook?token=x") };

    static WebhookSink Sink(WebhookSinkOptions options, TimeProvider? time = null) => new("hook", options, s_sensor, time ?? TimeProvider.System);

    static int[] Numbers(Recorded request)
    {
        JsonElement root = JsonDocument.Parse(request.Body).RootElement;
        IEnumerable<JsonElement> alerts = root.ValueKind == JsonValueKind.Array ? root.EnumerateArray() : [root];
        return [.. alerts.Select(a => int.Parse(a.GetProperty("query").GetString()!["virus-".Length..^".com".Length], CultureInfo.InvariantCulture))];
    }

    static Func<HttpContext, Recorded, Task> Answers(Func<Recorded, int> status) => (context, request) =>
    {
        context.Response.StatusCode = status(request);
        return context.Response.WriteAsync("because");
    };

    [Fact]
    public async Task A_page_is_one_array_signed_so_that_a_receiver_can_check_it()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        using WebhookSink sink = Sink(To(server.Host) with { Secret = new SecretText { Text = Secret }, Headers = [new("Authorization", "Bearer abc"), new("X-Team", "blue")] });
        Assert.Equal(new SinkAnswer(3, 0, null), await sink.WriteAsync(Page(5, 3), CancellationToken.None));
        Recorded request = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/hook", "?token=x"), (request.Method, request.Path, request.Query));
        Assert.Equal(("application/json", "Bearer abc", "blue"), (request.Headers["Content-Type"], request.Headers["Authorization"], request.Headers["X-Team"]));
        Assert.Equal([5, 6, 7], Numbers(request));
        // As a receiver does it.
        string signed = $"{request.Headers["webhook-id"]}.{request.Headers["webhook-timestamp"]}.{Encoding.UTF8.GetString(request.Body)}";
        byte[] mac = HMACSHA256.HashData(Convert.FromBase64String(Secret["whsec_".Length..]), Encoding.UTF8.GetBytes(signed));
        Assert.Equal("v1," + Convert.ToBase64String(mac), request.Headers["webhook-signature"]);
        Assert.Equal($"{server.Host}/…", sink.Target);
    }

    [Theory]
    [InlineData(Secret)]
    [InlineData("plain words")]
    public async Task What_the_README_says_of_signatures_holds(string secret)
    {
        string readme = await File.ReadAllTextAsync(Nfr.ConfigTests.Shipped("README.md"));
        int start = readme.IndexOf("```python\n", StringComparison.Ordinal) + "```python\n".Length;
        string code = readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)];
        Assert.Contains("def is_ours(secret, headers, body)", code, StringComparison.Ordinal);
        await using EngineServer server = await EngineServer.StartAsync();
        using WebhookSink sink = Sink(To(server.Host) with { Secret = new SecretText { Text = secret } });
        await sink.WriteAsync(Page(0, 3), CancellationToken.None);
        Recorded request = server.Requests.Single();
        string headers = JsonSerializer.Serialize(request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value));
        string call = $"""
            {code}
            import json, sys
            headers, body = json.loads(sys.argv[2]), base64.b64decode(sys.argv[3])
            print(is_ours(sys.argv[1], headers, body), is_ours(sys.argv[1], headers, body + b" "), is_ours("other", headers, body))
            """;
        Process? python = null;
        try
        {
            python = Process.Start(new ProcessStartInfo("python3", ["-c", call, secret, headers, Convert.ToBase64String(request.Body)]) { RedirectStandardOutput = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return; // no python3 here
        }
        using (python)
        {
            Assert.Equal("True False False", (await python!.StandardOutput.ReadToEndAsync().WaitAsync(UplinkBench.Limit)).Trim());
            await python.WaitForExitAsync();
        }
    }

    /// <summary>The example that the specification of Standard Webhooks gives.</summary>
    [Fact]
    public void The_signature_is_that_of_the_specification() =>
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", WebhookSink.Sign(WebhookSinkOptions.KeyOf(Secret)!, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", """{"test": 2432232314}"""u8));

    [Fact]
    public async Task Single_alerts_are_one_request_each_with_ids_of_their_own()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        using WebhookSink sink = Sink(To(server.Host) with { Single = true });
        Assert.Equal(new SinkAnswer(3, 0, null), await sink.WriteAsync(Page(0, 3), CancellationToken.None));
        Assert.Equal([0, 1, 2], server.Requests.SelectMany(Numbers));
        Assert.All(server.Requests, r => Assert.Equal((byte)'{', r.Body[0]));
        Assert.Equal(3, server.Requests.Select(r => r.Headers["webhook-id"]).Distinct().Count());
        Assert.All(server.Requests, r => Assert.False(r.Headers.ContainsKey("webhook-signature")));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(413)]
    [InlineData(422)]
    public async Task What_is_refused_is_halved_down_to_the_alert_and_that_alone_passed_by(int status)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = Answers(r => Numbers(r).Contains(37) || Numbers(r).Contains(80) ? status : 200);
        using WebhookSink sink = Sink(To(server.Host));
        Assert.Equal(new SinkAnswer(100, 2, null), await sink.WriteAsync(Page(0, 100), CancellationToken.None));
        Assert.Contains($"{status}", sink.LastRefusal, StringComparison.Ordinal);
        Assert.EndsWith(": because", sink.LastRefusal, StringComparison.Ordinal);
        int[] kept = [.. server.Requests.Where(r => !Numbers(r).Contains(37) && !Numbers(r).Contains(80)).SelectMany(Numbers)];
        Assert.Equal(Enumerable.Range(0, 100).Except([37, 80]), kept);
        Assert.InRange(server.Requests.Count, 10, 60);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 8)]
    [InlineData(100, 16)]
    public async Task Who_refuses_everything_is_at_fault_and_no_alert_is_passed_by(int alerts, int requests)
    {
        bool wrong = true;
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = Answers(_ => wrong ? 400 : 200);
        using WebhookSink sink = Sink(To(server.Host));
        SinkAnswer answer = await sink.WriteAsync(Page(0, alerts), CancellationToken.None);
        Assert.Equal((0, 0), (answer.Taken, answer.Refused));
        Assert.Contains("refuses every alert", answer.Fault, StringComparison.Ordinal);
        Assert.Contains(": because", answer.Fault, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Count, 1, requests);
        wrong = false;
        Assert.Equal(new SinkAnswer(alerts, 0, null), await sink.WriteAsync(Page(0, alerts), CancellationToken.None));
    }

    [Fact]
    public async Task A_refused_alert_that_is_alone_is_passed_by_when_the_next_is_taken()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = Answers(r => Numbers(r).Contains(0) ? 422 : 200);
        using WebhookSink sink = Sink(To(server.Host));
        Assert.Equal(0, (await sink.WriteAsync(Page(0, 1), CancellationToken.None)).Taken);
        Assert.Null(sink.LastRefusal);
        Assert.Equal(new SinkAnswer(2, 1, null), await sink.WriteAsync(Page(0, 2), CancellationToken.None));
        Assert.Contains("422", sink.LastRefusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_signed_by_a_clock_that_is_not_set()
    {
        ManualTime time = new() { Utc = new DateTimeOffset(1970, 1, 1, 0, 1, 0, TimeSpan.Zero) };
        await using EngineServer server = await EngineServer.StartAsync();
        using WebhookSink signed = Sink(To(server.Host) with { Secret = new SecretText { Text = Secret } }, time), unsigned = Sink(To(server.Host), time);
        Assert.Contains("the clock is not set", (await signed.WriteAsync(Page(0, 3), CancellationToken.None)).Fault, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        Assert.Equal(new SinkAnswer(3, 0, null), await unsigned.WriteAsync(Page(0, 3), CancellationToken.None));
        time.Utc = ClockFloor.Earliest;
        Assert.Equal(new SinkAnswer(3, 0, null), await signed.WriteAsync(Page(0, 3), CancellationToken.None));
    }

    /// <summary>A line that gets requests through up to so many bytes, and lets time pass with larger ones.</summary>
    sealed class SlowLine(ManualTime time, int most) : HttpMessageHandler
    {
        public List<(int Bytes, string Id)> Requests { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            byte[] body = await request.Content!.ReadAsByteArrayAsync(CancellationToken.None);
            Requests.Add((body.Length, request.Headers.GetValues("webhook-id").Single()));
            if (body.Length <= most) return new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent([]) };
            TaskCompletionSource<HttpResponseMessage> never = new();
            using CancellationTokenRegistration late = cancellationToken.Register(() => never.TrySetCanceled(cancellationToken));
            time.Advance(TimeSpan.FromMinutes(2));
            return await never.Task;
        }
    }

    [Fact]
    public async Task A_request_that_times_out_again_and_again_is_made_smaller()
    {
        ManualTime time = new();
        int whole = Page(0, 16).Alerts.Count * 250;
        SlowLine line = new(time, whole / 4);
        using WebhookSink sink = new("hook", To("http://127.0.0.1:1"), s_sensor, time, line);
        int taken = 0, tries = 0;
        while (taken < 16 && tries++ < 20) taken += (await sink.WriteAsync(Page(taken, 16 - taken), CancellationToken.None).WaitAsync(UplinkBench.Limit)).Taken;
        Assert.Equal(16, taken);
        // The first tries are the same request, so that a receiver knows it again.
        Assert.Single(line.Requests.Take(3).Select(r => r.Id).Distinct());
        Assert.InRange(line.Requests[3].Bytes, 1, line.Requests[0].Bytes * 6 / 10);
    }

    [Fact]
    public async Task A_repeat_of_what_may_have_come_through_has_the_same_id_and_the_same_alerts()
    {
        int answers = 0;
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            if (answers++ > 0) return Task.CompletedTask;
            context.Abort();
            return Task.CompletedTask;
        };
        using WebhookSink sink = Sink(To(server.Host));
        SinkAnswer first = await sink.WriteAsync(Page(0, 3), CancellationToken.None);
        Assert.Equal(0, first.Taken);
        Assert.NotNull(first.Fault);
        // Two more were stored meanwhile.
        Assert.Equal(new SinkAnswer(5, 0, null), await sink.WriteAsync(Page(0, 5), CancellationToken.None));
        Assert.Equal([3, 3, 2], server.Requests.Select(r => Numbers(r).Length));
        string[] ids = [.. server.Requests.Select(r => r.Headers["webhook-id"])];
        Assert.Equal(ids[0], ids[1]);
        Assert.NotEqual(ids[1], ids[2]);
    }

    [Theory]
    [InlineData(401, null)]
    [InlineData(403, null)]
    [InlineData(404, null)]
    [InlineData(405, null)]
    [InlineData(500, null)]
    [InlineData(301, null)]
    [InlineData(410, 3600)]
    public async Task What_can_be_mended_is_a_fault_and_nothing_is_passed_by(int status, int? after)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = Answers(r => status);
        using WebhookSink sink = Sink(To(server.Host));
        SinkAnswer answer = await sink.WriteAsync(Page(0, 3), CancellationToken.None);
        Assert.Equal((0, 0), (answer.Taken, answer.Refused));
        Assert.Contains($"{status}", answer.Fault, StringComparison.Ordinal);
        Assert.Equal(after, (int?)answer.After?.TotalSeconds);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_busy_receiver_says_when_to_come_again()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "120";
            return Task.CompletedTask;
        };
        using WebhookSink sink = Sink(To(server.Host));
        Assert.Equal(TimeSpan.FromMinutes(2), (await sink.WriteAsync(Page(0, 3), CancellationToken.None)).After);
    }

    [Fact]
    public async Task A_secret_file_is_read_anew_and_its_absence_is_a_fault()
    {
        string path = Path.Combine(Path.GetTempPath(), "nfr-secret-" + Guid.NewGuid().ToString("n"));
        await using EngineServer server = await EngineServer.StartAsync();
        using WebhookSink sink = Sink(To(server.Host) with { Secret = new SecretText { File = path } });
        Assert.StartsWith($"secret_file: {path} cannot be read", (await sink.WriteAsync(Page(0, 1), CancellationToken.None)).Fault, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, "whsec_???\n");
        Assert.Contains("no base64", (await sink.WriteAsync(Page(0, 1), CancellationToken.None)).Fault, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, "plain words\n");
        Assert.Null((await sink.WriteAsync(Page(0, 1), CancellationToken.None)).Fault);
        File.Delete(path);
        Recorded request = server.Requests.Single();
        byte[] mac = HMACSHA256.HashData("plain words"u8, Encoding.UTF8.GetBytes($"{request.Headers["webhook-id"]}.{request.Headers["webhook-timestamp"]}.{Encoding.UTF8.GetString(request.Body)}"));
        Assert.Equal("v1," + Convert.ToBase64String(mac), request.Headers["webhook-signature"]);
    }

    [Fact]
    public void A_secret_is_not_shown() => Assert.DoesNotContain("hidden", (To("http://a") with { Secret = new SecretText { Text = "hidden" } }).ToString(), StringComparison.Ordinal);
}
