using System.Security.Cryptography.X509Certificates;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class ProxyTests
{
    [Theory]
    [InlineData("http://10.0.0.1:3128", true)]
    [InlineData("http://user:p%40ss@proxy.example", true)]
    [InlineData("socks5://10.0.0.1:1080", true)]
    [InlineData("10.0.0.1:3128", false)]
    [InlineData("ftp://10.0.0.1", false)]
    [InlineData("http://10.0.0.1:3128/path", false)]
    [InlineData("http://10.0.0.1:99999", false)]
    [InlineData("http://", false)]
    public void An_address_of_a_proxy_is_checked(string text, bool good) => Assert.Equal(good, ProxySettings.TryParse(text) is not null);

    [Fact]
    public void User_and_password_are_read_and_never_shown()
    {
        ProxySettings proxy = ProxySettings.TryParse("http://user:p%40ss@proxy.example:3128")!;
        Assert.Equal("p@ss", proxy.Credential!.Password);
        Assert.DoesNotContain("p@ss", proxy.ToString(), StringComparison.Ordinal);
        Assert.Equal("proxy.example:3128", proxy.Between(new Uri("https://engine.example")));
        Assert.Null(ProxySettings.None.Between(new Uri("https://engine.example")));
    }

    static async Task<EngineReply> ThroughAsync(ProxyServer? proxy, string user = "", ProxySettings? settings = null)
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using EngineServer server = await EngineServer.StartAsync(certificate);
        EngineOptions options = new()
        {
            Host = server.Host, ApiKey = "secret-key-1", Version = "2.0.0", Tls = new TlsSettings { Pins = [ClientTls.PinOf(certificate)] },
            Proxy = settings ?? ProxySettings.TryParse($"http://{user}127.0.0.1:{proxy!.Port}")!,
        };
        using EngineClient client = new(options, TimeProvider.System);
        return await client.GetAlertsAsync("", CancellationToken.None);
    }

    [Fact]
    public async Task An_engine_is_reached_through_a_proxy_that_wants_a_password()
    {
        await using ProxyServer proxy = new("sensor:p@ss");
        EngineReply reply = await ThroughAsync(proxy, "sensor:p%40ss@");
        Assert.True(reply.IsAccepted, reply.Message);
        Assert.Equal(1, proxy.Tunnels);
    }

    [Fact]
    public async Task None_goes_straight()
    {
        await using ProxyServer proxy = new();
        Assert.True((await ThroughAsync(proxy, settings: ProxySettings.None)).IsAccepted);
        Assert.Equal(0, proxy.Asked);
    }

    [Theory]
    [InlineData("", 0, "wants a user and password")]
    [InlineData("sensor:wrong@", 0, "wants a user and password")]
    [InlineData("", 403, "does not allow connections to 127.0.0.1 (403)")]
    [InlineData("", 503, "cannot reach 127.0.0.1 (503)")]
    [InlineData("", 405, "refused the connection to 127.0.0.1 (405)")]
    public async Task What_a_proxy_refuses_is_not_taken_for_the_engines_word(string user, int refuse, string words)
    {
        await using ProxyServer proxy = new("sensor:p@ss", refuse);
        EngineReply reply = await ThroughAsync(proxy, user);
        // Not Unauthorized: that would stop the uploads until the key is changed.
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.Contains($"the proxy 127.0.0.1:{proxy.Port} {words}", reply.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_of_unencrypted_requests_that_wants_a_password_is_not_the_engine()
    {
        // Without TLS the request itself goes to the proxy, and 407 comes as its answer.
        await using EngineServer proxy = await EngineServer.StartAsync();
        proxy.Answer = (context, _) => EngineServer.Json(context, 407, "{}");
        using EngineClient client = new(
            new EngineOptions { Host = "http://engine.example", ApiKey = "secret-key-1", Version = "2.0.0", Proxy = ProxySettings.TryParse(proxy.Host)! }, TimeProvider.System);
        EngineReply reply = await client.GetAlertsAsync("", CancellationToken.None);
        Assert.Equal(EngineReplyKind.Unreachable, reply.Kind);
        Assert.Contains($"the proxy {proxy.Host["http://".Length..]} wants a user and password", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_is_down_is_named()
    {
        int port = FreePort.Take();
        EngineReply reply = await ThroughAsync(null, settings: ProxySettings.TryParse($"http://127.0.0.1:{port}"));
        Assert.Equal($"the proxy 127.0.0.1:{port} cannot be reached: connection refused", reply.Message);
    }
}
