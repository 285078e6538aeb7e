using Nfr.Events;
using Nfr.Tests.Wire;

namespace Nfr.Tests.Events;

/// <summary>Basic authentication, RFC 7617: who tried, what the server said, and never the password.</summary>
public sealed class HttpLogInTests
{
    static string Request(string? credentials, string field = "Authorization") =>
        "GET /p HTTP/1.1\r\nHost: h\r\n" + (credentials is null ? "" : $"{field}: Basic {Convert.ToBase64String(Bytes.Ascii(credentials))}\r\n") + "\r\n";

    static string Response(int status) => $"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n";

    static SeenIp Talk(params (string Request, int Status)[] exchanges)
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open();
        foreach ((string request, int status) in exchanges) talk.Client(request).Server(Response(status));
        SeenIp flow = bed.OnlyFlow();
        Assert.DoesNotContain(bed.Seen.Http, e => e.Contains("secret", StringComparison.Ordinal));
        return flow;
    }

    [Theory]
    [InlineData(401, "Authorization", 0, 1)]
    [InlineData(407, "Proxy-Authorization", 0, 1)]
    [InlineData(200, "Authorization", 1, 0)]
    [InlineData(204, "proxy-authorization", 1, 0)]
    [InlineData(302, "Authorization", 0, 0)]
    [InlineData(403, "Authorization", 0, 0)]
    [InlineData(500, "Authorization", 0, 0)]
    public void The_status_behind_credentials_is_the_log_ins_result(int status, string field, int successes, int failures)
    {
        SeenIp flow = Talk((Request("bob:secret:1", field), status));
        Assert.Equal((successes, failures, "bob"), (flow.LoginSuccesses, flow.LoginFailures, flow.User));
        Assert.Equal(FlowNotes.CleartextCredentials, flow.Notes & FlowNotes.CleartextCredentials);
        Assert.Equal((successes > 0, failures > 0), ((flow.Notes & FlowNotes.LoginSucceeded) != 0, (flow.Notes & FlowNotes.LoginFailed) != 0));
    }

    [Fact]
    public void A_401_that_asks_for_credentials_is_no_failure()
    {
        SeenIp flow = Talk((Request(null), 401), (Request("bob:secret"), 200));
        Assert.Equal((1, 0, "bob"), (flow.LoginSuccesses, flow.LoginFailures, flow.User));
    }

    [Fact]
    public void Every_refusal_counts_and_credentials_that_are_taken_count_once()
    {
        SeenIp flow = Talk((Request("bob:secret1"), 401), (Request("bob:secret2"), 401), (Request("bob:secret3"), 200), (Request("bob:secret3"), 200), (Request("eve:secret"), 401), (Request("bob:secret3"), 200));
        Assert.Equal((2, 3, "bob"), (flow.LoginSuccesses, flow.LoginFailures, flow.User));
    }

    [Theory]
    [InlineData("Basic !!!!")]
    [InlineData("Basic c2VjcmV0")]
    [InlineData("Basic OnNlY3JldA==")]
    [InlineData("basic  Ym9iOnNlY3JldA==", "bob")]
    [InlineData("Bearer Ym9iOnNlY3JldA==", "", 0)]
    public void A_name_is_what_stands_before_the_colon(string field, string user = "", int failures = 1)
    {
        SeenIp flow = Talk(($"GET /p HTTP/1.1\r\nHost: h\r\nAuthorization: {field}\r\n\r\n", 401));
        Assert.Equal((user, failures), (flow.User, flow.LoginFailures));
    }

    [Fact]
    public void Of_very_long_credentials_no_name_is_read()
    {
        SeenIp flow = Talk((Request("bob:" + new string('s', 2000)), 401));
        Assert.Equal(("", 1), (flow.User, flow.LoginFailures));
    }

    [Fact]
    public void A_log_in_may_be_cut_at_every_byte()
    {
        string request = Request("bob:secret");
        string response = Response(401);
        using var bed = new DecodeBed();
        int port = 1024;
        for (int cut = 1; cut < request.Length; cut++) new TcpTalk(bed, port++).Open().Client(request[..cut]).Client(request[cut..]).Server(response);
        for (int cut = 1; cut < response.Length; cut++) new TcpTalk(bed, port++).Open().Client(request).Server(response[..cut]).Server(response[cut..]);
        bed.Drain();
        Assert.All(bed.Seen.Ip, f => Assert.Equal(("bob", 1, 0), (f.User, f.LoginFailures, f.LoginSuccesses)));
        Assert.All(bed.Seen.Http, e => Assert.EndsWith(" CleartextCredentials, LoginFailed", e, StringComparison.Ordinal));
    }
}
