using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

public sealed class QuicTests
{
    internal static readonly byte[] Choice = Convert.FromHexString("8394c8f03e515708"), Other = Convert.FromHexString("0102030405060708");
    internal static readonly byte[] Hello = Layers.Handshake(1, TlsHelloTests.Client), Answer = Layers.Handshake(2, TlsHelloTests.Server);

    [Fact]
    public void Hellos_are_read_from_Initials()
    {
        var looked = new Looked();
        Send(looked, false, Initial(Choice, Choice, false, 0, Crypto(0, Hello)));
        Send(looked, true, Initial(Choice, Other, true, 0, Crypto(0, Answer)));
        Assert.Equal("tls 10.0.0.1 example.com ja3:32 ja3s:32 q13d0307h2", Assert.Single(looked.Events));
        looked.End();
    }

    [Fact]
    public void A_hello_in_pieces_and_out_of_order_is_put_together()
    {
        var looked = new Looked();
        Send(looked, false, Initial(Choice, Choice, false, 0, [.. Crypto(90, Hello[90..]), 1, 0, 0, .. Crypto(0, Hello[..40])]));
        Send(looked, false, Initial(Choice, Choice, false, 1, [2, 0, 0, 0, 0, .. Crypto(40, Hello[40..90])]));
        looked.End();
        Assert.Contains("tls 10.0.0.1 example.com ja3:32 ja3s:0 q13d0307h2", looked.Events);
    }

    [Fact]
    public void After_a_Retry_the_client_begins_again_with_other_keys()
    {
        var looked = new Looked();
        Send(looked, false, Initial(Choice, Choice, false, 0, Crypto(0, Hello)));
        Send(looked, true, [0xF0, 0, 0, 0, 1, 0, 8, .. Other, .. new byte[32]]);
        Send(looked, false, Initial(Other, Other, false, 1, Crypto(0, Hello)));
        Send(looked, true, Initial(Other, Choice, true, 0, Crypto(0, Answer)));
        looked.End();
        Assert.Contains("tls 10.0.0.1 example.com ja3:32 ja3s:32 q13d0307h2", looked.Events);
    }

    [Fact]
    public void Initials_behind_other_packets_of_a_datagram_are_found()
    {
        byte[] handshake = [0xE0, 0, 0, 0, 1, 8, .. Choice, 0, 0x14, .. new byte[20]];
        var looked = new Looked();
        Send(looked, false, [.. handshake, .. Initial(Choice, Choice, false, 0, Crypto(0, Hello))]);
        looked.End();
        Assert.Contains("tls 10.0.0.1 example.com ja3:32 ja3s:0 q13d0307h2", looked.Events);
    }

    [Fact]
    public void Damage_anywhere_in_an_Initial_is_survived()
    {
        byte[] datagram = Initial(Choice, Choice, false, 0, Crypto(0, Hello));
        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            var looked = i % 50 == 0 ? new Looked() : _shared;
            Send(looked, i % 3 == 0, Bytes.Mutate(datagram, random));
            _shared = looked;
        }
        _shared.End();
    }

    Looked _shared = new();

    static void Send(Looked looked, bool fromServer, byte[] datagram) => looked.Frame(Layers.Ethernet(EtherType.IPv4, fromServer
        ? Layers.IPv4(IPProtocol.Udp, Layers.Udp(443, 50_000, datagram), "10.0.0.2", "10.0.0.1")
        : Layers.IPv4(IPProtocol.Udp, Layers.Udp(50_000, 443, datagram))));

    internal static byte[] Crypto(ushort offset, byte[] data) =>
        [6, (byte)(0x40 | (offset >> 8)), (byte)offset, (byte)(0x40 | (data.Length >> 8)), (byte)data.Length, .. data];

    /// <summary>Protects frames as an end does, by the runtime's own AES.</summary>
    internal static byte[] Initial(byte[] keysFrom, byte[] destination, bool server, byte number, byte[] frames)
    {
        byte[] salt = Convert.FromHexString("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
        byte[] secret = Label(HKDF.Extract(HashAlgorithmName.SHA256, keysFrom, salt), server ? "server in" : "client in", 32);
        byte[] nonce = Label(secret, "quic iv", 12);
        nonce[11] ^= number;
        int length = 1 + frames.Length + 16;
        byte[] header = [0xC0, 0, 0, 0, 1, (byte)destination.Length, .. destination, 0, 0, (byte)(0x40 | (length >> 8)), (byte)length, number];
        byte[] cipher = new byte[frames.Length], tag = new byte[16];
        using (var gcm = new AesGcm(Label(secret, "quic key", 16), 16)) gcm.Encrypt(nonce, frames, cipher, tag, header);
        byte[] packet = [.. header, .. cipher, .. tag];
        using Aes aes = Aes.Create();
        aes.Key = Label(secret, "quic hp", 16);
        byte[] mask = aes.EncryptEcb(packet.AsSpan(header.Length + 3, 16), PaddingMode.None);
        packet[0] ^= (byte)(mask[0] & 0x0F);
        packet[header.Length - 1] ^= mask[1];
        return packet;
    }

    static byte[] Label(byte[] secret, string label, int length)
    {
        byte[] name = Encoding.ASCII.GetBytes("tls13 " + label), info = [0, (byte)length, (byte)name.Length, .. name, 0];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)length);
        return HKDF.Expand(HashAlgorithmName.SHA256, secret, length, info);
    }
}
