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
