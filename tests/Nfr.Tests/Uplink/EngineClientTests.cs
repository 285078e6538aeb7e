using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class EngineClientTests
{
    static EngineOptions Options(string host, TimeSpan? timeout = null) =>
        new() { Host = host, ApiKey = "secret-key-1", Version = "2.0.0", SensorId = "sensor-1", TotalTimeout = timeout ?? TimeSpan.FromSeconds(30) };

    static EngineClient Client(string host, TimeSpan? timeout = null) => new(Options(host, timeout), TimeProvider.System);

    static Task<EngineReply> SendAsync(EngineClient client) => client.SendEventsAsync(EventType.Dns, Gzip("{}\n"), 7, 9, CancellationToken.None);

    static byte[] Gzip(string text)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }

    static async Task<EngineReply> AnswerTo(Func<HttpContext, Task> answer, TimeSpan? timeout = null)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => answer(context);
        using EngineClient client = Client(server.Host, timeout);
        return await SendAsync(client);
    }

    static async Task<EngineReply> RudeAnswer(Func<System.Net.Sockets.Socket, CancellationToken, Task> serve, TimeSpan? timeout = null)
    {
        await using RawServer server = new(serve);
        using EngineClient client = Client(server.Host, timeout);
        return await SendAsync(client);
    }

    [Theory]
    [InlineData("", ".....")]
    [InlineData("ab", ".....")]
    [InlineData("abc", "a.....")]
    [InlineData("abcdefghi", "a.....")]
    [InlineData("abcdefghij", "abc.....hij")]
    public void A_key_is_shown_shadowed(string key, string shown) => Assert.Equal(shown, ApiKeyText.Shadow(key));

    [Theory]
    [InlineData("https://api.alphasoc.net", true)]
    [InlineData("http://10.0.0.1:8080/", true)]
    [InlineData("api.alphasoc.net", false)]
    [InlineData("ftp://api.alphasoc.net", false)]
    [InlineData("https://x/?a=b", false)]
    public void A_host_is_checked(string host, bool good) => Assert.Equal(good, EngineOptions.CheckHost(host) is null);

    [Fact]
    public async Task An_engine_says_with_each_answer_whether_it_reads_all_fields()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        List<bool> told = [];
        using EngineClient client = new(Options(server.Host), TimeProvider.System, takesAllFields: told.Add);
        Assert.Null(client.TakesAllFields);
        string? says = "all";
        int status = 200;
        server.Answer = (context, _) =>
        {
            if (says is not null) context.Response.Headers[EngineClient.FieldsHeader] = says;
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("{}");
        };
        await SendAsync(client);
        Assert.True(client.TakesAllFields);
        // Whoever refuses says nothing of fields: a proxy's page must not take them away.
        (says, status) = (null, 502);
        await SendAsync(client);
        Assert.True(client.TakesAllFields);
        status = 200;
        await SendAsync(client);
        Assert.False(client.TakesAllFields);
        says = "some";
        await SendAsync(client);
        Assert.False(client.TakesAllFields);
        // Told when it changes, so that it can be remembered.
        Assert.Equal([true, false], told);
    }

    [Fact]
    public async Task A_request_carries_key_agent_sensor_and_sequence()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        using EngineClient client = Client(server.Host + "/");
        await client.SendEventsAsync(EventType.Dns, Gzip("{}\n"), 7, 9, CancellationToken.None);
        Recorded request = Assert.Single(server.Requests);
        Assert.Equal("POST", request.Method);
        Assert.Equal("/v1/events/dns", request.Path);
        Assert.Equal("Basic " + Convert.ToBase64String("secret-key-1:"u8), request.Headers["Authorization"]);
        Assert.Equal("AlphaSOC NFR/2.0.0", request.Headers["User-Agent"]);
        Assert.Equal("application/json", request.Headers["Content-Type"]);
        Assert.Equal("gzip", request.Headers["Content-Encoding"]);
        Assert.Equal("sensor-1", request.Headers["X-NFR-Sensor"]);
        Assert.Equal("7-9", request.Headers["X-NFR-Sequence"]);
        // The clock that the events' stamps are of.
        Assert.InRange(DateTimeOffset.ParseExact(request.Headers["Date"], "r", null, System.Globalization.DateTimeStyles.AssumeUniversal), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task An_accepted_answer_gives_its_counts_and_reasons()
    {
        EngineReply reply = await AnswerTo(context => EngineServer.Json(context, 200, """{"received":10,"accepted":7,"rejected":{"bad ts":2,"bad ip":1}}"""));
        Assert.True(reply.IsAccepted);
        Assert.Equal(10, reply.Received);
        Assert.Equal(7, reply.AcceptedEvents);
        Assert.Equal(2, reply.Rejected["bad ts"]);
        Assert.Equal(1, reply.Rejected["bad ip"]);
    }

    [Theory]
    [InlineData(400, EngineReplyKind.Refused)]
    [InlineData(422, EngineReplyKind.Refused)]
    [InlineData(401, EngineReplyKind.Unauthorized)]
    [InlineData(403, EngineReplyKind.Unauthorized)]
    [InlineData(404, EngineReplyKind.ServerError)]
    [InlineData(413, EngineReplyKind.TooLarge)]
    [InlineData(429, EngineReplyKind.Throttled)]
    [InlineData(500, EngineReplyKind.ServerError)]
    [InlineData(503, EngineReplyKind.ServerError)]
    public async Task A_status_says_what_to_do_next(int status, EngineReplyKind kind)
    {
        EngineReply reply = await AnswerTo(context => EngineServer.Json(context, status, """{"message":"no\nmore"}"""));
        Assert.Equal(kind, reply.Kind);
        Assert.Equal(status, reply.Status);
        Assert.Equal($"the engine answered {status}: no more", reply.Message);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_with_the_key()
    {
        await using EngineServer elsewhere = await EngineServer.StartAsync();
        EngineReply reply = await AnswerTo(context =>
        {
            context.Response.Redirect(elsewhere.Host + "/v1/events/dns");
            return Task.CompletedTask;
        });
        Assert.Equal(EngineReplyKind.ServerError, reply.Kind);
        Assert.Contains("engine.host", reply.Message, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [InlineData("17", 17)]
    [InlineData("0", 0)]
    [InlineData("999999", 3600)]
    public async Task Retry_after_in_seconds_is_read_and_capped(string header, int seconds)
    {
        EngineReply reply = await AnswerTo(context =>
        {
            context.Response.Headers.RetryAfter = header;
            context.Response.StatusCode = 429;
            return Task.CompletedTask;
        });
        Assert.Equal(TimeSpan.FromSeconds(seconds), reply.RetryAfter);
    }

    [Fact]
    public async Task Retry_after_as_a_date_is_read()
    {
        EngineReply reply = await AnswerTo(context =>
        {
            context.Response.Headers.RetryAfter = DateTimeOffset.UtcNow.AddMinutes(10).ToString("R");
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        Assert.InRange(reply.RetryAfter!.Value.TotalSeconds, 480, 601);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-5")]
    public async Task A_bad_retry_after_is_none(string header)
    {
        EngineReply reply = await AnswerTo(context =>
        {
            context.Response.Headers.RetryAfter = header;
            context.Response.StatusCode = 429;
            return Task.CompletedTask;
        });
        Assert.Null(reply.RetryAfter);
    }

    [Theory]
    [InlineData("<html>Welcome to the hotel</html>")]
    [InlineData("{\"received\":")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task A_200_that_is_no_answer_of_the_API_is_garbled(string body)
    {
        EngineReply reply = await AnswerTo(context => EngineServer.Json(context, 200, body));
        Assert.Equal(EngineReplyKind.Garbled, reply.Kind);
    }

    [Fact]
    public async Task A_204_is_accepted()
    {
        EngineReply reply = await AnswerTo(context =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        });
        Assert.True(reply.IsAccepted);
        Assert.Equal(-1, reply.Received);
    }

    [Fact]
    public async Task A_ten_gigabyte_answer_is_cut_at_one_megabyte()
    {
        long sent = 0;
        byte[] block = new byte[64 << 10];
        block.AsSpan().Fill((byte)' ');
        EngineReply reply = await RudeAnswer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"u8.ToArray(), stop);
            while (sent < 10L << 30) sent += await socket.SendAsync(block, stop);
        });
        Assert.Equal(EngineReplyKind.Garbled, reply.Kind);
        Assert.InRange(sent, 1, 64 << 20); // what the sockets' buffers took
    }

    [Fact]
    public async Task A_compressed_bomb_is_cut_too()
    {
        byte[] bomb;
        using (MemoryStream packed = new())
        {
            using (GZipStream gzip = new(packed, CompressionLevel.Fastest))
            {
                byte[] block = new byte[1 << 20];
                for (int i = 0; i < 64; i++) gzip.Write(block);
            }
            bomb = packed.ToArray();
        }
        EngineReply reply = await AnswerTo(async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(bomb);
        });
        Assert.Equal(EngineReplyKind.Garbled, reply.Kind);
    }

    [Fact]
    public async Task A_200_whose_body_is_cut_off_is_not_delivered()
    {
        EngineReply reply = await RudeAnswer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"received\":1"u8.ToArray(), stop);
            socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            await Task.Delay(50, stop);
        });
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.Contains("broke", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_200_and_then_a_reset_is_not_delivered()
    {
        EngineReply reply = await RudeAnswer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"received\":1"u8.ToArray(), stop);
            await Task.Delay(50, stop);
            RawServer.Reset(socket);
        });
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
    }

    [Fact]
    public async Task A_reset_before_the_answer_is_unreachable()
    {
        EngineReply reply = await RudeAnswer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            RawServer.Reset(socket);
        });
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.NotEmpty(reply.Message);
    }

    [Fact]
    public async Task What_is_not_HTTP_is_unreachable()
    {
        EngineReply reply = await RudeAnswer(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync("SSH-2.0-OpenSSH_9.9\r\n"u8.ToArray(), stop);
            await Task.Delay(50, stop);
        });
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
    }

    [Fact]
    public async Task A_server_that_never_answers_ends_in_the_total_time_out()
    {
        long start = Stopwatch.GetTimestamp();
        EngineReply reply = await RudeAnswer((_, stop) => Task.Delay(Timeout.Infinite, stop), TimeSpan.FromMilliseconds(300));
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.True(reply.TimedOut);
        Assert.Equal("no whole answer within 0.3 s", reply.Message);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.2, 30);
    }

    [Fact]
    public async Task A_server_that_drips_ends_in_the_total_time_out()
    {
        EngineReply reply = await RudeAnswer(
            async (socket, stop) =>
            {
                await RawServer.ReadHeaderAsync(socket, stop);
                await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"u8.ToArray(), stop);
                while (true)
                {
                    await socket.SendAsync(" "u8.ToArray(), stop);
                    await Task.Delay(20, stop);
                }
            },
            TimeSpan.FromMilliseconds(300));
        Assert.True(reply.TimedOut);
    }

    [Fact]
    public async Task The_callers_own_stop_is_the_only_thing_that_throws()
    {
        await using RawServer server = new((_, stop) => Task.Delay(Timeout.Infinite, stop));
        using EngineClient client = Client(server.Host);
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAlertsAsync("", stop.Token));
    }

    [Fact]
    public async Task A_closed_port_says_connection_refused()
    {
        using EngineClient client = Client($"http://127.0.0.1:{FreePort.Take()}");
        EngineReply reply = await SendAsync(client);
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.Equal("connection refused", reply.Message);
    }

    [Fact]
    public async Task An_unknown_name_says_so()
    {
        using EngineClient client = Client("http://engine.invalid");
        EngineReply reply = await SendAsync(client);
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.Contains("engine.invalid", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_self_signed_certificate_is_named_as_such()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        EngineReply reply = await OverTls(certificate);
        Assert.Equal("the certificate of 127.0.0.1 is self-signed, no authority that this system trusts stands behind it", reply.Message);
    }

    [Fact]
    public async Task An_expired_certificate_is_named_as_such()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(-5));
        EngineReply reply = await OverTls(certificate);
        Assert.Contains("expired on", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_from_the_future_means_that_the_clock_is_not_set()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(5), DateTimeOffset.UtcNow.AddDays(10));
        EngineReply reply = await OverTls(certificate);
        Assert.Contains("the clock is probably not set", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_named_as_such()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), "other.example");
        EngineReply reply = await OverTls(certificate);
        Assert.Equal("the certificate is not for 127.0.0.1 but for other.example", reply.Message);
    }

    [Fact]
    public async Task A_port_that_speaks_no_TLS_is_a_failed_handshake()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        using EngineClient client = Client(server.Host.Replace("http://", "https://", StringComparison.Ordinal));
        EngineReply reply = await SendAsync(client);
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.Contains("TLS", reply.Message, StringComparison.Ordinal);
    }

    static async Task<EngineReply> OverTls(X509Certificate2 certificate)
    {
        await using EngineServer server = await EngineServer.StartAsync(certificate);
        using EngineClient client = Client(server.Host);
        EngineReply reply = await SendAsync(client);
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.Empty(server.Requests);
        return reply;
    }

    [Fact]
    public async Task Account_calls_have_the_originals_bodies()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, request) => EngineServer.Json(context, 200, request.Path switch
        {
            "/v1/account/status" => """{"today":"x","registered":true,"expired":false,"expirationDate":"2027-01-01","endpointsSeenToday":12,"messages":[{"level":2,"body":"soon over"}]}""",
            "/v1/key/request" => """{"key":"new-key"}""",
            _ => "{}",
        });
        using EngineClient client = Client(server.Host);
        EngineAnswer<AccountStatus> status = await client.GetAccountStatusAsync(CancellationToken.None);
        Assert.True(status.Value!.Registered);
        Assert.False(status.Value.Expired);
        Assert.Equal("2027-01-01", status.Value.ExpirationDate);
        Assert.Equal(12, status.Value.EndpointsSeenToday);
        Assert.Equal([new AccountMessage(2, "soon over")], status.Value.Messages);
        Assert.True((await client.RegisterAccountAsync("Ada \"L\"", "ada@example.org", CancellationToken.None)).IsAccepted);
        EngineAnswer<IssuedKey> key = await client.RequestKeyAsync("nfr-linux-arm64", CancellationToken.None);
        Assert.Equal("new-key", key.Value!.Key);
        Assert.True((await client.ResetKeyAsync("ada@example.org", CancellationToken.None)).IsAccepted);
        await client.GetAlertsAsync("6-8263d641&x=1", CancellationToken.None);

        Assert.Equal(
            [
                "GET /v1/account/status ",
                """POST /v1/account/register {"details":{"name":"Ada \u0022L\u0022","email":"ada@example.org"}}""",
                """POST /v1/key/request {"platform":{"name":"nfr-linux-arm64"},"token":""}""",
                """POST /v1/key/reset {"email":"ada@example.org"}""",
                "GET /v1/alerts ",
            ],
            server.Requests.Select(request => $"{request.Method} {request.Path} {Encoding.UTF8.GetString(request.Body)}"));
        Assert.Equal("?follow=6-8263d641%26x%3D1", server.Requests[^1].Query);
    }

    [Fact]
    public async Task A_status_that_says_nothing_is_garbled()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => EngineServer.Json(context, 200, """{"hello":1}""");
        using EngineClient client = Client(server.Host);
        EngineAnswer<AccountStatus> status = await client.GetAccountStatusAsync(CancellationToken.None);
        Assert.Null(status.Value);
        Assert.Equal(EngineReplyKind.Garbled, status.Reply.Kind);
    }
}
