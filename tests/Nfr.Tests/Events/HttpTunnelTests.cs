using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>What a connection becomes behind CONNECT (RFC 9110 9.3.6) and Upgrade (RFC 9110 7.8), and HTTP/2 in the clear.</summary>
public sealed class HttpTunnelTests
{
    const string Connect = "CONNECT x.example:443 HTTP/1.1\r\nHost: x.example:443\r\n\r\n";
    const string Agreed = "HTTP/1.1 200 Connection established\r\n\r\n";
    const string Request = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n";
    const string Response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    static readonly byte[] s_preface = Bytes.Ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    static readonly byte[] s_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    static string Upgrade(string protocol) => $"GET /1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n";
    static string Switching(string protocol) => $"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n";

    static DecodeBed Talk(Action<TcpTalk> talk, params string[] expected)
    {
        var bed = new DecodeBed();
        talk(new TcpTalk(bed).Open());
        bed.Drain();
        Assert.Equal(expected, bed.Seen.Http.Select(e => string.Join(' ', e.Split(' ')[..3])));
        Assert.Empty(bed.Faults);
        return bed;
    }

    [Fact]
    public void A_hello_behind_connect_is_read_and_may_come_before_the_answer()
    {
        foreach (bool early in (bool[])[false, true])
        {
            using DecodeBed bed = Talk(
                t => _ = early ? t.Client(Connect).Client(Contents.ClientHello).Server(Agreed).Server(Contents.ServerHello13) : t.Client(Connect).Server(Agreed).Client(Contents.ClientHello).Server(Contents.ServerHello13),
                "CONNECT x.example:443 200");
            Assert.StartsWith("example.com 0304", Assert.Single(bed.Seen.Tls), StringComparison.Ordinal);
            Assert.Equal(App.HttpProxy, Assert.Single(bed.Seen.Ip).App);
        }
    }

    [Fact]
    public void A_hello_behind_connect_may_be_split_at_every_byte()
    {
        byte[] hello = Contents.ClientHello;
        using var bed = new DecodeBed();
        for (int cut = 1; cut < hello.Length; cut++)
        {
            new TcpTalk(bed, 1024 + (2 * cut)).Open().Client(Connect).Server(Agreed).Client(hello[..cut]).Client(hello[cut..]).Server(Contents.ServerHello13);
            new TcpTalk(bed, 1025 + (2 * cut)).Open().Client(Connect).Client(hello[..cut]).Server(Agreed).Client(hello[cut..]).Server(Contents.ServerHello13);
        }
        bed.Drain();
        Assert.Equal(2 * (hello.Length - 1), bed.Seen.Tls.Count);
        Assert.All(bed.Seen.Tls, e => Assert.StartsWith("example.com 0304", e, StringComparison.Ordinal));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_hello_behind_connect_is_read_where_the_proxys_side_is_not_seen()
    {
        using DecodeBed bed = Talk(t => t.Client(Connect).ServerLost(Agreed.Length).Client(Contents.ClientHello), "CONNECT x.example:443 0");
        Assert.StartsWith("example.com", Assert.Single(bed.Seen.Tls), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_goes_on_for_long_has_its_tunnel()
    {
        using DecodeBed bed = Talk(t => t.Client(Connect).Client(new byte[3000]).Client(new byte[3000]).Client(new byte[100_000]), "CONNECT x.example:443 0");
    }

    [Fact]
    public void Requests_sent_ahead_of_a_refusal_are_requests()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Connect + Request).Server("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n").Server(Response),
            "CONNECT x.example:443 407", "GET http://h/1 200");
    }

    [Fact]
    public void Requests_within_a_tunnel_are_events_too()
    {
        using DecodeBed bed = Talk(t => t.Client(Connect).Server(Agreed).Client(Request).Server(Response), "CONNECT x.example:443 200", "GET http://h/1 200");
    }

    [Theory]
    [InlineData("websocket", App.WebSocket)]
    [InlineData("WebSocket", App.WebSocket)]
    [InlineData("h2c", App.Http2)]
    [InlineData("spdy/3.1", App.Http)]
    public void An_upgrade_gives_the_flow_its_name(string protocol, App expected)
    {
        using DecodeBed bed = Talk(
            t => t.Client(Upgrade(protocol)).Server(Switching(protocol)).Server(s_settings).Client(protocol == "h2c" ? s_preface : [0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9]).Client(s_settings),
            "GET http://h/1 101");
        Assert.Equal(expected, Assert.Single(bed.Seen.Ip).App);
    }

    [Fact]
    public void An_upgrade_that_is_not_taken_changes_nothing()
    {
        using DecodeBed bed = Talk(t => t.Client(Upgrade("websocket")).Server(Response).Client(Request).Server(Response), "GET http://h/1 200", "GET http://h/1 200");
        Assert.Equal(App.Http, Assert.Single(bed.Seen.Ip).App);
    }

    [Fact]
    public void An_upgrade_may_be_split_at_every_byte()
    {
        string response = Switching("websocket");
        using var bed = new DecodeBed();
        for (int cut = 1; cut < response.Length; cut++) new TcpTalk(bed, 1024 + cut).Open().Client(Upgrade("websocket")).Server(response[..cut]).Server(response[cut..]).Server([0x81, 1, 65]);
        bed.Drain();
        Assert.All(bed.Seen.Ip, f => Assert.Equal(App.WebSocket, f.App));
        Assert.Equal(response.Length - 1, bed.Seen.Http.Count);
    }

    [Fact]
    public void Http2_by_prior_knowledge_may_be_split_at_every_byte()
    {
        using var bed = new DecodeBed();
        for (int cut = 1; cut < s_preface.Length; cut++) new TcpTalk(bed, 1024 + cut, 8080).Open().Client(s_preface[..cut]).Client([.. s_preface[cut..], .. s_settings]).Server(s_settings);
        bed.Drain();
        Assert.All(bed.Seen.Ip, f => Assert.Equal(App.Http2, f.App));
        Assert.Empty(bed.Faults);
        Assert.Empty(bed.Seen.Http);
    }
}
