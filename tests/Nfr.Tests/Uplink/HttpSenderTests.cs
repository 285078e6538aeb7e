using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class HttpSenderTests
{
    static HttpSender Sender(TimeSpan? timeout = null, int maxAnswer = 1 << 20) =>
        new(new HttpSenderOptions { Version = "2.0.0", TotalTimeout = timeout ?? TimeSpan.FromSeconds(30), MaxAnswerBytes = maxAnswer }, TimeProvider.System);

    static async Task<HttpReply> PostAsync(HttpSender sender, string host)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, host + "/in") { Content = new StringContent("{}") };
        return await sender.SendAsync(request, CancellationToken.None);
    }

    [Theory]
    [InlineData(200, HttpReplyKind.Taken)]
    [InlineData(204, HttpReplyKind.Taken)]
    [InlineData(302, HttpReplyKind.Moved)]
    [InlineData(400, HttpReplyKind.Refused)]
    [InlineData(401, HttpReplyKind.Denied)]
    [InlineData(403, HttpReplyKind.Denied)]
    [InlineData(404, HttpReplyKind.Absent)]
    [InlineData(405, HttpReplyKind.Absent)]
    [InlineData(410, HttpReplyKind.Absent)]
    [InlineData(413, HttpReplyKind.TooLarge)]
    [InlineData(422, HttpReplyKind.Refused)]
    [InlineData(429, HttpReplyKind.Throttled)]
    [InlineData(500, HttpReplyKind.ServerError)]
    [InlineData(503, HttpReplyKind.ServerError)]
    [InlineData(418, HttpReplyKind.ServerError)]
    public async Task Each_status_says_what_to_do_next(int status, HttpReplyKind expected)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            return status == 204 ? Task.CompletedTask : context.Response.WriteAsync("no\r\nroom");
        };
        using HttpSender sender = Sender();
        HttpReply reply = await PostAsync(sender, server.Host);
        Assert.Equal((expected, status), (reply.Kind, reply.Status));
        if (expected is not (HttpReplyKind.Taken or HttpReplyKind.Moved)) Assert.Contains($"it answered {status}", reply.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', reply.Message);
        Assert.Equal("AlphaSOC NFR/2.0.0", server.Requests.Single().Headers["User-Agent"]);
    }

    [Fact]
    public async Task A_redirect_is_shown_and_not_followed()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            context.Response.Redirect("https://elsewhere.example/new?key=1");
            return Task.CompletedTask;
        };
        using HttpSender sender = Sender();
        HttpReply reply = await PostAsync(sender, server.Host);
        Assert.Equal("it answered 302, a redirect to https://elsewhere.example/new; redirects are not followed, set the address it moved to", reply.Message);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("86400", 3600)]
    [InlineData("soon", -1)]
    public async Task What_a_server_asks_for_is_kept_up_to_an_hour(string header, int seconds)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = header;
            return Task.CompletedTask;
        };
        using HttpSender sender = Sender();
        HttpReply reply = await PostAsync(sender, server.Host);
        Assert.Equal(seconds < 0 ? null : TimeSpan.FromSeconds(seconds), reply.RetryAfter);
        Assert.Equal(seconds < 0 ? HttpReplyKind.ServerError : HttpReplyKind.Throttled, reply.Kind);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", HttpReplyKind.Unreachable)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", HttpReplyKind.Unreachable)]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", HttpReplyKind.Unreachable)]
    [InlineData("", HttpReplyKind.Unreachable)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789012345678901234567890123456789", HttpReplyKind.Endless)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n01234567890123456789012345678901", HttpReplyKind.Taken)]
    public async Task An_answer_counts_when_it_is_whole_and_within_the_limit(string answer, HttpReplyKind expected)
    {
        await using RawServer server = new(async (socket, stop) =>
        {
            await RawServer.ReadHeaderAsync(socket, stop);
            await socket.SendAsync(Encoding.ASCII.GetBytes(answer), stop);
        });
        using HttpSender sender = Sender(maxAnswer: 32);
        HttpReply reply = await PostAsync(sender, server.Host);
        Assert.Equal(expected, reply.Kind);
        Assert.Equal(expected == HttpReplyKind.Taken, reply.Message.Length == 0);
    }

    [Fact]
    public async Task A_silent_server_costs_the_stated_time_and_no_more()
    {
        await using RawServer server = new(async (socket, stop) => await Task.Delay(Timeout.Infinite, stop));
        using HttpSender sender = Sender(TimeSpan.FromMilliseconds(300));
        HttpReply reply = await PostAsync(sender, server.Host).WaitAsync(UplinkBench.Limit);
        Assert.True(reply.TimedOut);
        Assert.Equal("no whole answer within 0.3 s", reply.Message);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unreachable()
    {
        using HttpSender sender = Sender();
        HttpReply reply = await PostAsync(sender, "http://127.0.0.1:1");
        Assert.Equal((HttpReplyKind.Unreachable, "connection refused"), (reply.Kind, reply.Message));
    }
}
