using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Line protocols and their log-ins, and protocols that are known by name alone.</summary>
public sealed class DecodeTextTests
{
    /// <summary>Lines in turn: "&gt;" the client's, "&lt;" the server's.</summary>
    static SeenIp Talk(int port, params string[] lines)
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: port).Open();
        foreach (string line in lines)
        {
            if (line[0] == '>') talk.Client(line[1..]);
            else talk.Server(line[1..]);
        }
        SeenIp flow = bed.OnlyFlow();
        Assert.Empty(bed.Faults);
        return flow;
    }

    public static TheoryData<App, int, string[]> LogIns => new()
    {
        { App.Ftp, 21, ["<220 files\r\n", ">USER bob\r\n", "<331 password\r\n", ">PASS secret\r\n"] },
        { App.Ftp, 2121, ["<220-welcome\r\n220 files\r\n", ">user bob\r\npass secret\r\n"] },
        { App.Ftp, 21, [">USER bob\r\n", ">PA", ">SS secret\r", ">\n"] },
        { App.Pop3, 110, ["<+OK pop\r\n", ">USER bob\r\n", "<+OK\r\n", ">PASS secret\r\n"] },
        { App.Pop3, 110, [">USER bob\r\n", ">PASS secret\r\n"] },
        { App.Pop3, 110, ["<+OK pop\r\n", ">AUTH PLAIN\r\n", "<+ \r\n", ">AGJvYgBz\r\n"] },
        { App.Imap, 143, ["<* OK imap\r\n", ">a1 LOGIN bob secret\r\n"] },
        { App.Imap, 143, [">a1 login bob secret\r\n"] },
        { App.Imap, 143, ["<* OK imap\r\n", ">a1 AUTHENTICATE PLAIN\r\n", "<+\r\n", ">AGJvYgBz\r\n"] },
        { App.Smtp, 25, ["<220 mail ESMTP\r\n", ">EHLO c\r\n", "<250 AUTH PLAIN LOGIN\r\n", ">AUTH PLAIN AGJvYgBz\r\n"] },
        { App.Smtp, 587, ["<220 mail\r\n", ">EHLO c\r\n", ">AUTH LOGIN\r\n", "<334 VXNlcm5hbWU6\r\n", ">Ym9i\r\n", "<334 UGFzc3dvcmQ6\r\n", ">czNjcmV0\r\n"] },
        { App.Telnet, 23, ["<\u00ff\u00fd\u0018\u00ff\u00fb\u0001", ">\u00ff\u00fc\u0018", "<login: ", ">bob\r\n", "<Password: ", ">s"] },
    };

    [Theory]
    [MemberData(nameof(LogIns))]
    public void A_log_in_in_the_clear_is_noted(App app, int port, string[] lines) =>
        Assert.Equal((app, FlowNotes.CleartextCredentials), (Talk(port, lines).App, Talk(port, lines).Notes));

    public static TheoryData<App, int, string[]> Harmless => new()
    {
        { App.Ftp, 21, ["<220 files\r\n", ">USER bob\r\n", "<331 password\r\n", ">QUIT\r\n"] },
        { App.Smtp, 25, ["<220 mail ESMTP\r\n", ">EHLO c\r\n", "<250 ok\r\n", ">MAIL FROM:<a@b>\r\n", ">DATA\r\n", ">my PASS word is LOGIN x\r\n.\r\n"] },
        { App.Smtp, 25, ["<220 mail ESMTP\r\n", ">AUTH LOGIN\r\n", "<538 encryption required\r\n", ">QUIT\r\n"] },
        { App.Smtp, 25, ["<220 mail ESMTP\r\n", ">AUTH CRAM-MD5\r\n", "<334 PDE4OTY=\r\n", ">dGltIGI5\r\n"] },
        { App.Pop3, 110, ["<+OK pop\r\n", ">AUTH PLAIN\r\n", "<-ERR no\r\n", ">QUIT\r\n"] },
        { App.Imap, 143, ["<* OK imap\r\n", ">a AUTHENTICATE PLAIN\r\n", "<a NO privacy required\r\n", ">b LOGOUT\r\n"] },
        { App.Telnet, 23, ["<\u00ff\u00fd\u0018", ">\u00ff\u00fc\u0018", "<login: ", ">bob\r\n", "<Password: ", ">\u00ff\u00fd\u0001"] },
    };

    [Theory]
    [MemberData(nameof(Harmless))]
    public void What_is_no_log_in_is_not_noted(App app, int port, string[] lines) =>
        Assert.Equal((app, FlowNotes.None), (Talk(port, lines).App, Talk(port, lines).Notes));

    [Fact]
    public void A_long_mail_holds_no_buffer_and_no_line_for_ever()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 25).Open().Server("220 mail ESMTP\r\n").Client("EHLO c\r\n");
        for (int i = 0; i < 200; i++) talk.Client(new string('x', 1400));
        talk.Client("\r\nAUTH PLAIN AGJvYgBz\r\n");
        Assert.Equal(0, bed.Decoder.BuffersInUse);
        Assert.Equal(FlowNotes.CleartextCredentials, bed.OnlyFlow().Notes);
    }

    [Theory]
    [InlineData("{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n")]
    [InlineData("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"eth_submitLogin\",\"params\":[\"0xabc\"]}\n")]
    [InlineData("{\"id\":1,\"method\":\"login\",\"params\":{\"login\":\"wallet\",\"pass\":\"x\",\"agent\":\"xmrig\"}}\n")]
    public void A_mining_dialogue_is_noted_at_every_split(string line)
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 4096 });
        for (int cut = 1; cut <= line.Length; cut++) new TcpTalk(bed, 1024 + cut, 3333).Open().Client(line[..cut]).Client(line[cut..]);
        bed.Drain();
        // Once when the line is read, and once at the end.
        Assert.Equal(2 * line.Length, bed.Seen.Ip.Count);
        Assert.Equal(line.Length, bed.Seen.Ip.Count(f => (f.Notes & FlowNotes.ActiveTimeout) != 0));
        Assert.All(bed.Seen.Ip, f => Assert.Equal((App.Stratum, FlowNotes.Mining), (f.App, f.Notes & ~FlowNotes.ActiveTimeout)));
    }

    [Fact]
    public void Other_json_is_no_mining() =>
        Assert.Equal((App.Unknown, FlowNotes.None), (Talk(3333, ">{\"method\":\"status\"}\n", "<{\"ok\":1}\n").App, Talk(3333, ">{\"a\":1}\n").Notes));

    [Theory]
    [InlineData(App.Ssh, ">SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData(App.Ssh, "<SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData(App.Irc, ">NICK bot\r\nUSER bot 0 * :bot\r\n")]
    [InlineData(App.Irc, ">CAP LS 302\r\n")]
    [InlineData(App.BitTorrent, ">\u0013BitTorrent protocol\0\0\0\0\0\0\0\0")]
    [InlineData(App.Socks, ">\u0005\u0002\0\u0002")]
    [InlineData(App.Socks, ">\u0004\u0001\u0000\u0050\u0001\u0002\u0003\u0004bob\0")]
    [InlineData(App.Rsync, "<@RSYNCD: 31.0\n")]
    [InlineData(App.Http2, ">PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData(App.Smb, ">\0\0\0\u0045\u00ffSMB\u0072")]
    [InlineData(App.Rdp, ">\u0003\0\0\u0013\u000e\u00e0\0\0\0\0\0")]
    [InlineData(App.Tls, ">\u0017\u0003\u0003\0\u0020xxxxxxxx")]
    [InlineData(App.Unknown, ">\u0001\u0002\u0003 what is this")]
    public void A_protocol_is_known_by_its_first_bytes(App app, string line) => Assert.Equal(app, Talk(9999, line).App);

    [Theory]
    [InlineData(App.Ssh, ">SSH-2.0-x\r\n")]
    [InlineData(App.Ssh, "<SSH-2.0-x\r\n")]
    [InlineData(App.Smtp, ">EHLO client\r\n")]
    [InlineData(App.Smtp, "<220 mail ESMTP\r\n")]
    [InlineData(App.Ftp, ">USER bob\r\n")]
    [InlineData(App.Ftp, "<220-files\r\n")]
    [InlineData(App.Pop3, "<+OK pop\r\n")]
    [InlineData(App.Imap, "<* OK imap\r\n")]
    [InlineData(App.Irc, ">NICK bot\r\n")]
    public void A_greeting_may_be_split_at_every_byte(App app, string line)
    {
        for (int cut = app == App.Ssh ? 3 : 2; cut < line.Length; cut++) Assert.Equal(app, Talk(9999, line[..cut], line[0] + line[cut..]).App);
    }

    [Fact]
    public void Protocols_over_udp_are_known_by_content()
    {
        byte[] dhcp = new byte[260];
        Bytes.Of("63825363").CopyTo(dhcp, 236);
        var inputs = new Dictionary<App, (int From, int To, byte[] Payload)>
        {
            [App.Ntp] = (4000, 123, [0x23, .. new byte[47]]),
            [App.Dhcp] = (68, 67, dhcp),
            [App.Quic] = (4000, 443, [0xC3, 0, 0, 0, 1, 8, .. new byte[1200]]),
            [App.Unknown] = (4000, 4001, new byte[100]),
        };
        foreach ((App app, (int from, int to, byte[] payload)) in inputs)
        {
            using var bed = new DecodeBed();
            bed.Udp("10.0.0.1", from, "192.0.2.1", to, payload);
            Assert.Equal(app, bed.OnlyFlow().App);
        }
    }

    [Fact]
    public void A_retransmission_before_anything_was_recognised_hides_nothing()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open();
        uint start = talk.Out;
        talk.Client("\x01\x02\x03");
        // Repeats the three bytes and goes on; the server's side is still looked at in its order.
        talk.Raw(0, start, talk.In, TcpTalk.Ack, Bytes.Ascii("\x01\x02\x03\x04\x05"));
        talk.Out = start + 5;
        talk.Client("more").Server("@RSYNCD: 31.0\n");
        Assert.Equal(0, bed.Decoder.ConversationsInUse);
        Assert.Equal(App.Rsync, bed.OnlyFlow().App);
    }

    [Fact]
    public void More_connections_than_parsers_keep_their_flow_event()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 8192 });
        for (int i = 0; i < 4097; i++) new TcpTalk(bed, 1024 + i, 25).Open().Client("EHLO c\r\n");
        Assert.Equal((1, 4096), (bed.Fault(DecodeFault.StreamBuffersExhausted), bed.Decoder.ConversationsInUse));
        bed.Drain();
        Assert.Equal(4097, bed.Seen.Ip.Count);
    }

    [Fact]
    public void More_half_messages_than_buffers_are_given_up_and_counted()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 8192 });
        for (int i = 0; i < 4000; i++) new TcpTalk(bed, 1024 + i).Open().Client("GET / HTTP/1.1\r\n");
        Assert.Equal(4000, bed.Decoder.BuffersInUse + bed.Fault(DecodeFault.StreamBuffersExhausted));
        Assert.Equal(bed.Decoder.BuffersInUse, bed.Decoder.ConversationsInUse);
        Assert.NotEqual(0, bed.Fault(DecodeFault.StreamBuffersExhausted));
    }
}
