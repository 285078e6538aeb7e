using System.Buffers.Binary;
using System.Text;

namespace Nfr.Simulate;

/// <summary>
/// As much of SSH as passes in the clear (RFC 4253): banner, KEXINIT, a Diffie-Hellman of random numbers, NEWKEYS; and behind it packets
/// of random bytes, framed as aes128-gcm@openssh.com frames them (RFC 5647: the length in the clear, 16 bytes of tag). No key is agreed on
/// and nothing is encrypted: to a listener it is the same, a real server hangs up at the first packet behind NEWKEYS.
/// </summary>
public static class SshWire
{
    public const byte KexInit = 20, NewKeys = 21, KexEcdhInit = 30, KexEcdhReply = 31;
    public const int TagLength = 16;
    /// <summary>RFC 4253 section 6.1 asks for 35,000; a packet of SFTP data is smaller.</summary>
    public const int MaxPacket = 256 * 1024;
    const int LengthLength = 4;
    const int Block = 8, GcmBlock = 16;

    /// <summary>What Go's library offers, in its order.</summary>
    public static readonly string[] GoAlgorithms =
    [
        "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group14-sha256,diffie-hellman-group14-sha1,"
            + "ext-info-c,kex-strict-c-v00@openssh.com",
        "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,ssh-rsa-cert-v01@openssh.com,ssh-dss-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,"
            + "ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
            + "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-dss,ssh-ed25519",
        Ciphers, Ciphers, Macs, Macs, "none", "none", "", "",
    ];

    /// <summary>What a server of these years offers.</summary>
    public static readonly string[] ServerAlgorithms =
    [
        "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group14-sha256,kex-strict-s-v00@openssh.com",
        "rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ssh-ed25519",
        Ciphers, Ciphers, Macs, Macs, "none,zlib@openssh.com", "none,zlib@openssh.com", "", "",
    ];

    const string Ciphers = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";
    const string Macs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1,hmac-sha1-96";

    /// <summary>The payload of a KEXINIT: cookie, ten lists of names, no guess follows.</summary>
    public static byte[] KexInitPayload(Random random, IReadOnlyList<string> algorithms)
    {
        var payload = new List<byte> { KexInit };
        payload.AddRange(Bytes(random, 16));
        foreach (string list in algorithms) AddString(payload, Encoding.ASCII.GetBytes(list));
        payload.AddRange(new byte[5]);
        return [.. payload];
    }

    /// <summary>The client's half of a Curve25519 exchange: 32 bytes.</summary>
    public static byte[] EcdhInitPayload(Random random)
    {
        var payload = new List<byte> { KexEcdhInit };
        AddString(payload, Bytes(random, 32));
        return [.. payload];
    }

    /// <summary>The server's half: host key, 32 bytes, signature, of ed25519's sizes.</summary>
    public static byte[] EcdhReplyPayload(Random random)
    {
        var payload = new List<byte> { KexEcdhReply };
        AddString(payload, Key(32));
        AddString(payload, Bytes(random, 32));
        AddString(payload, Key(64));
        return [.. payload];

        byte[] Key(int length)
        {
            var key = new List<byte>();
            AddString(key, "ssh-ed25519"u8);
            AddString(key, Bytes(random, length));
            return [.. key];
        }
    }

    /// <summary>A packet before NEWKEYS: length, padding to a multiple of eight, no MAC.</summary>
    public static byte[] Packet(ReadOnlySpan<byte> payload)
    {
        int padding = Block - ((LengthLength + 1 + payload.Length) % Block);
        if (padding < 4) padding += Block;
        byte[] packet = new byte[LengthLength + 1 + payload.Length + padding];
        BinaryPrimitives.WriteInt32BigEndian(packet, packet.Length - LengthLength);
        packet[LengthLength] = (byte)padding;
        payload.CopyTo(packet.AsSpan(LengthLength + 1));
        return packet;
    }

    /// <summary>Makes a packet behind NEWKEYS of a buffer of random bytes; how much of it the packet takes.</summary>
    public static int Opaque(Span<byte> buffer, int payload)
    {
        int length = (1 + payload + 4 + GcmBlock - 1) / GcmBlock * GcmBlock;
        BinaryPrimitives.WriteInt32BigEndian(buffer, length);
        return LengthLength + length + TagLength;
    }

    /// <summary>Reads a packet; its payload before NEWKEYS, its opaque bytes behind it (<paramref name="sealed"/>). Null at the end.</summary>
    public static async Task<byte[]?> ReadAsync(Stream stream, bool @sealed, CancellationToken stop)
    {
        byte[] head = new byte[LengthLength];
        if (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false) < head.Length) return null;
        int length = BinaryPrimitives.ReadInt32BigEndian(head);
        if (length is < 5 or > MaxPacket) throw new IOException($"an SSH packet of {length} bytes");
        byte[] packet = new byte[length + (@sealed ? TagLength : 0)];
        await stream.ReadExactlyAsync(packet, stop).ConfigureAwait(false);
        if (@sealed) return packet;
        int end = length - packet[0];
        return end <= 1 ? throw new IOException("an SSH packet that is padding alone") : packet[1..end];
    }

    static byte[] Bytes(Random random, int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    static void AddString(List<byte> payload, ReadOnlySpan<byte> text)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, text.Length);
        payload.AddRange(length);
        payload.AddRange(text);
    }
}
