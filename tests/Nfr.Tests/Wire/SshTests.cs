using System.Buffers.Binary;
using System.Text;
using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class SshTests
{
    internal static byte[] KexInit(params string[] lists)
    {
        var payload = new List<byte> { SshKexInit.MessageNumber };
        payload.AddRange(new byte[16]);
        for (int i = 0; i < 10; i++)
        {
            byte[] list = i < lists.Length ? Encoding.ASCII.GetBytes(lists[i]) : [];
            byte[] length = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, list.Length);
            payload.AddRange(length);
            payload.AddRange(list);
        }
        payload.AddRange(new byte[5]);
        return [.. payload];
    }

    internal static byte[] Packet(byte[] payload, byte padding = 6)
    {
        byte[] packet = new byte[5 + payload.Length + padding];
        BinaryPrimitives.WriteInt32BigEndian(packet, packet.Length - 4);
        packet[4] = padding;
        payload.CopyTo(packet, 5);
        return packet;
    }

    internal static readonly byte[] Lists = KexInit("kex", "key", "enc-out", "enc-in", "mac-out", "mac-in", "none", "zlib");

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6 Debian-5\r\n", "2.0", "OpenSSH_9.6 Debian-5", true)]
    [InlineData("SSH-1.99-x-y\n", "1.99", "x-y", true)]
    [InlineData("SSH-1.5-old", "1.5", "old", false)]
    [InlineData("SSH-2.0-", "2.0", "", true)]
    public void An_identification_gives_its_parts(string line, string version, string software, bool second)
    {
        Assert.Equal(DecodeFault.None, SshIdentification.TryRead(Bytes.Ascii(line), out SshIdentification id));
        Assert.Equal((version, software, second), (Bytes.Text(id.ProtocolVersion), Bytes.Text(id.Software), id.IsVersion2));
    }

    [Fact]
    public void Every_truncation_of_an_identification_is_refused_until_its_second_dash()
    {
        byte[] line = Bytes.Ascii("SSH-2.0-x");
        for (int length = 0; length < line.Length; length++)
            Assert.Equal(length < 8 ? DecodeFault.SshIdentificationInvalid : DecodeFault.None, SshIdentification.TryRead(line.AsSpan(0, length), out _));
        Assert.Equal(DecodeFault.SshIdentificationInvalid, SshIdentification.TryRead("SSH--x"u8, out _));
    }

    [Fact]
    public void An_identification_beyond_255_bytes_is_refused()
    {
        Assert.Equal(DecodeFault.None, SshIdentification.TryRead(Bytes.Ascii("SSH-2.0-" + new string('x', 245) + "\r\n"), out _));
        Assert.Equal(DecodeFault.SshIdentificationTooLong, SshIdentification.TryRead(Bytes.Ascii("SSH-2.0-" + new string('x', 246) + "\r\n"), out _));
    }

    [Fact]
    public void Every_truncation_of_a_packet_waits_and_of_its_lists_is_refused()
    {
        byte[] packet = Packet(Lists);
        for (int length = 0; length < packet.Length; length++) Assert.Equal(ReadState.NeedMore, SshPacket.TryRead(packet.AsSpan(0, length), out _, out _));
        Assert.Equal(ReadState.Complete, SshPacket.TryRead(packet, out SshPacket whole, out _));
        Assert.Equal((packet.Length, Lists.Length), (whole.Length, whole.Payload.Length));
        for (int length = 0; length < Lists.Length; length++)
            Assert.Equal(DecodeFault.SshKexInitTruncated, SshKexInit.TryRead(Lists.AsSpan(0, length), out _));
        Assert.Equal(DecodeFault.None, SshKexInit.TryRead(Lists, out SshKexInit init));
        Assert.Equal(("kex", "key", "enc-in"), (Bytes.Text(init.KexAlgorithms), Bytes.Text(init.ServerHostKeyAlgorithms), Bytes.Text(init.EncryptionServerToClient)));
    }

    [Theory]
    [InlineData("00000002 00 00 00")]            // no room for a payload
    [InlineData("00000003 02 14 00")]            // all padding
    [InlineData("0000ffff 06 14 00")]            // longer than any
    [InlineData("ffffffff 06 14 00")]
    public void A_packet_whose_lengths_lie_is_refused(string hex)
    {
        Assert.Equal(ReadState.Invalid, SshPacket.TryRead(Bytes.Of(hex), out _, out DecodeFault fault));
        Assert.Equal(DecodeFault.SshPacketLengthInvalid, fault);
    }

    [Fact]
    public void A_list_that_lies_about_its_length_is_refused()
    {
        byte[] lie = [.. Lists];
        lie[17] = 0xFF;
        Assert.Equal(DecodeFault.SshKexInitTruncated, SshKexInit.TryRead(lie, out _));
    }

    [Fact]
    public void Hassh_takes_the_lists_of_its_own_direction()
    {
        Assert.Equal(DecodeFault.None, SshKexInit.TryRead(Lists, out SshKexInit init));
        Assert.True(Hassh.TryHash(init, server: false, out UInt128 client));
        Assert.True(Hassh.TryHash(init, server: true, out UInt128 server));
        Assert.Equal(Md5("kex;enc-out;mac-out;none"), client.ToString("x32"));
        Assert.Equal(Md5("kex;enc-in;mac-in;zlib"), server.ToString("x32"));
        SshKexInit.TryRead(KexInit(new string('k', Hassh.MaxTextLength)), out init);
        Assert.False(Hassh.TryHash(init, server: false, out _));
    }

    internal static string Md5(string text) => Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Fingerprinting_allocates_nothing() => Assert.Equal(0, Allocation.Of(() =>
    {
        SshKexInit.TryRead(Lists, out SshKexInit init);
        Hassh.TryHash(init, server: true, out _);
    }));
}
