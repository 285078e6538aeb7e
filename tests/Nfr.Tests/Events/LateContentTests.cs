using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Content that does not begin with a connection's first bytes, or lies within another protocol.</summary>
public sealed class LateContentTests
{
    static readonly byte[] Hello = Layers.TlsRecord(1, Wire.TlsHelloTests.Client);
    static readonly byte[] Answer = Layers.TlsRecord(2, Wire.TlsHelloTests.Server);

    [Theory]
    [InlineData(5432, "0000000804d2162f", "53")]                                     // PostgreSQL's SSLRequest
    [InlineData(389, "301d02010177188016312e332e362e312e342e312e313436362e3230303337", "300c02010178070a010004000400")] // LDAP's StartTLS
    [InlineData(3389, "030000130ee000000000000100080003000000", "030000130ed000001234000209080002000000")] // RDP's X.224
    [InlineData(5222, "3c737472656170733e", "3c70726f636565642f3e")]                 // XML of some kind
    public void TLS_that_follows_another_protocol_is_found(ushort port, string asked, string granted)
    {
        var looked = new Looked();
        looked.Talk(port, (false, Convert.FromHexString(asked)), (true, Convert.FromHexString(granted)), (false, Hello), (true, Answer));
        looked.End();
        Assert.Contains("tls 10.0.0.1 example.com ja3:32 ja3s:32 t13d0307h2", looked.Events);
    }

    [Fact]
    public void TLS_is_found_where_the_server_speaks_first()
    {
        byte[] greeting = [0x4A, 0, 0, 0, 10, .. "8.0.0"u8, 0, .. new byte[60]];
        var looked = new Looked();
        looked.Talk(3306, (true, greeting), (false, [0x20, 0, 0, 1, .. new byte[32]]), (false, Hello), (true, Answer));
        looked.End();
        Assert.Contains("tls 10.0.0.1 example.com ja3:32 ja3s:32 t13d0307h2", looked.Events);
    }

    public static TheoryData<App, string[]> Upgrades => new()
    {
        { App.Smtp, ["<220 mail ESMTP\r\n", ">EHLO c\r\n", "<250-mail\r\n250 STARTTLS\r\n", ">STARTTLS\r\n", "<220 go\r\n"] },
        { App.Imap, ["<* OK imap\r\n", ">a STARTTLS\r\n", "<a OK go\r\n"] },
        { App.Pop3, ["<+OK pop\r\n", ">STLS\r\n", "<+OK go\r\n"] },
        { App.Ftp, ["<220 files\r\n", ">AUTH TLS\r\n", "<234 go\r\n"] },
        { App.Irc, [">STARTTLS\r\n", "<:irc 670 :go\r\n"] },
        { App.Postgres, [">\0\0\0\u0008\u0004\u00d2\u0016\u002f", "<S"] },
        { App.Ldap, [">\u0030\u001d\u0002\u0001\u0001\u0077\u0018\u0080\u00161.3.6.1.4.1.1466.20037", "<\u0030\u000c\u0002\u0001\u0001\u0078\u0007\u000a\u0001\0\u0004\0\u0004\0"] },
        { App.Mysql, ["<\u004a\0\0\0\u000a8.0.36\0" + new string('x', 66), ">\u0020\0\0\u0001" + new string('y', 32)] },
    };

    [Theory]
    [MemberData(nameof(Upgrades))]
    public void A_connection_that_changes_to_TLS_keeps_its_name_and_is_noted(App app, string[] lines)
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 9999).Open();
        foreach (string line in lines)
        {
            if (line[0] == '>') talk.Client(line[1..]);
            else talk.Server(line[1..]);
        }
        talk.Client(Hello).Server(Answer);
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal((app, FlowNotes.StartTls), (flow.App, flow.Notes));
        Assert.Equal(TlsNotes.Upgraded, Assert.Single(bed.Seen.TlsMore).Notes);
    }

    [Fact]
    public void Nobody_waits_for_TLS_for_ever()
    {
        var looked = new Looked();
        looked.Talk(4000, [.. Enumerable.Repeat((false, new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }), 40), (false, Hello)]);
        looked.End();
        Assert.DoesNotContain(looked.Events, e => e.StartsWith("tls", StringComparison.Ordinal));
    }

    [Fact]
    public void DNS_in_clear_HTTP2_is_seen()
    {
        byte[] preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        byte[] query = Layers.DnsQuery("doh.test"), response = [.. query];
        response[2] |= 0x80;
        byte[] Data(byte[] content) => [0, 0, (byte)content.Length, 0, 1, 0, 0, 0, 1, .. content];
        byte[] settings = [0, 0, 0, 4, 0, 0, 0, 0, 0], headers = [0, 0, 3, 1, 4, 0, 0, 0, 1, 0x82, 0x86, 0x84];
        var looked = new Looked();
        looked.Talk(80,
            (false, preface[..10]), (false, preface[10..]), (false, settings), (true, settings),
            (false, headers), (false, Data(query)[..20]), (false, Data(query)[20..]), (true, [.. headers, .. Data(response)]));
        looked.End();
        Assert.Contains("dns doh.test 0", looked.Events);
    }
}
