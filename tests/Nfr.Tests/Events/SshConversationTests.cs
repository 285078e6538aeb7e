using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

public sealed class SshConversationTests
{
    static readonly byte[] Kex = SshTests.Packet(SshTests.Lists);
    static readonly string Client = SshTests.Md5("kex;enc-out;mac-out;none"), Server = SshTests.Md5("kex;enc-in;mac-in;zlib");

    static (string, string, string, string) Parts(SeenIp flow) => (flow.ClientSoftware, flow.ServerSoftware, flow.Hassh, flow.HasshServer);

    [Fact]
    public void Both_sides_are_named_and_fingerprinted()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 2222).Open().Server("SSH-2.0-server_1 note\r\n").Client("SSH-2.0-client_1\r\n").Client(Kex).Server(Kex);
        Assert.Equal(0, bed.Decoder.ConversationsInUse);
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal(App.Ssh, flow.App);
        Assert.Equal(("client_1", "server_1 note", Client, Server), Parts(flow));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Segments_may_cut_it_anywhere()
    {
        byte[] client = [.. "SSH-2.0-client_1\r\n"u8, .. Kex, .. "encrypted"u8], server = [.. "SSH-2.0-server_1\r\n"u8, .. Kex];
        for (int cut = 4; cut < client.Length - 9; cut += 3)
        {
            using var bed = new DecodeBed();
            TcpTalk talk = new TcpTalk(bed, serverPort: 2222).Open().Client(client[..cut]);
            talk.Server(server[..Math.Min(cut, server.Length)]).Client(client[cut..]).Server(server[Math.Min(cut, server.Length)..]);
            Assert.Equal(("client_1", "server_1", Client, Server), Parts(bed.OnlyFlow()));
        }
    }

    [Fact]
    public void A_server_may_send_other_lines_first()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 2222).Open().Server("Welcome.\r\nBe kind.\r\nSSH-2.0-server_1\r\n").Client("SSH-2.0-c\r\n").Server(Kex).Client(Kex);
        Assert.Equal(("c", "server_1", Client, Server), Parts(bed.OnlyFlow()));
    }

    [Fact]
    public void The_first_version_has_a_name_and_no_fingerprint()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 2222).Open().Server("SSH-1.5-old\n").Client("SSH-1.5-old client\n").Server([0, 0, 1, 7, 1, 2, 3]);
        Assert.Equal(("old client", "old", "", ""), Parts(bed.OnlyFlow()));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void One_side_alone_is_let_go_of()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 2222).Open().Client("SSH-2.0-client_1\r\n").Client(Kex);
        for (int i = 0; i < 40; i++) talk.Client("encrypted");
        Assert.Equal(0, bed.Decoder.ConversationsInUse);
        Assert.Equal(("client_1", "", Client, ""), Parts(bed.OnlyFlow()));
    }

    [Fact]
    public void What_is_no_good_is_counted_and_the_rest_kept()
    {
        using var bed = new DecodeBed();
        byte[] broken = SshTests.Packet(SshTests.Lists[..40]);
        new TcpTalk(bed, 1001, 2222).Open().Server("SSH-2.0-s\r\n").Client("SSH-2.0-c\r\n").Client(broken).Server([0xFF, 0xFF, 0xFF, 0xFF, 1]);
        new TcpTalk(bed, 1002, 2222).Open().Server("SSH-2.0\r\n").Client("SSH-2.0-" + new string('x', 300) + "\r\n");
        bed.Drain();
        Assert.Equal(
            [DecodeFault.SshIdentificationInvalid, DecodeFault.SshIdentificationTooLong, DecodeFault.SshPacketLengthInvalid, DecodeFault.SshKexInitTruncated],
            bed.Faults);
        Assert.Contains(bed.Seen.Ip, f => Parts(f) == ("c", "s", "", ""));
    }
}
