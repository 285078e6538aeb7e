using System.Text;
using Nfr.Wire;

namespace Nfr.Fuzz;

/// <summary>SSH: the lines and key exchange messages of both sides, as a connection and to the views themselves.</summary>
sealed class SshTarget : StreamTarget
{
    public override string Name => "ssh";
    public override int Runs => 150_000;
    public override IReadOnlyList<byte[]> Words { get; } =
        [.. ((string[])["SSH-2.0-", "SSH-1.99-", "SSH-", "\r\n", "\n", "curve25519-sha256", "aes128-ctr,aes256-ctr", "none", ",", "zlib@openssh.com"]).Select(Encoding.ASCII.GetBytes), [20], [0, 0, 0, 1], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 0], [0, 0]];

    static byte[] KexInit()
    {
        List<byte> payload = [20, .. new byte[16]];
        foreach (string list in (string[])["curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""])
            payload.AddRange([0, 0, 0, (byte)list.Length, .. Encoding.ASCII.GetBytes(list)]);
        payload.AddRange(new byte[5]);
        int padding = 4 + ((8 - ((payload.Count + 9) % 8)) % 8), length = 1 + payload.Count + padding;
        return [0, 0, (byte)(length >> 8), (byte)length, (byte)padding, .. payload, .. new byte[padding]];
    }

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        byte[] client = "SSH-2.0-OpenSSH_9.2 a\r\n"u8.ToArray(), server = "hello\r\nSSH-2.0-dropbear\r\n"u8.ToArray(), kex = KexInit();
        yield return Talk(22, false, client, server, kex, kex);
        yield return Talk(22, true, [.. server, .. kex], [.. client, .. kex]);
        yield return Talk(22, false, [.. client, .. kex[..40]], [], kex[40..]);
        foreach (byte[] said in seeds.SegmentsThat(p => p.AsSpan().StartsWith("SSH-"u8))) yield return Talk(22, false, said, server, kex, kex);
    }

    public override void Run(ReadOnlySpan<byte> input)
    {
        base.Run(input);
        if (input.IsEmpty) return;
        SshIdentification.TryRead(input[1..], out _);
        if (SshPacket.TryRead(input[1..], out SshPacket packet, out _) != ReadState.Complete) return;
        if (SshKexInit.TryRead(packet.Payload, out SshKexInit init) != DecodeFault.None) return;
        Hassh.TryHash(init, server: false, out _);
        Hassh.TryHash(init, server: true, out _);
    }
}

/// <summary>Log-in lines and their replies, and what turns a connection to TLS, of every protocol that has any.</summary>
sealed class RepliesTarget : StreamTarget
{
    public override string Name => "replies";
    public override int Runs => 150_000;
    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. ((string[])["USER a\r\n", "PASS b\r\n", "AUTH TLS\r\n", "AUTH PLAIN AGEAYg==\r\n", "AUTH LOGIN\r\n", "EHLO a\r\n", "STARTTLS\r\n", "STLS\r\n", "APOP a b\r\n", "LOGIN ", "{3}\r\n", "{3+}\r\n", "AUTHENTICATE PLAIN\r\n",
            "220 a\r\n", "220-a\r\n", "230 ok\r\n", "234 go\r\n", "235 ok\r\n", "331 pw\r\n", "334 VXNlcm5hbWU6\r\n", "454 no\r\n", "530 no\r\n", "535 no\r\n", "+OK\r\n", "-ERR\r\n", "+ \r\n", "* OK\r\n", "a OK\r\n", "a NO\r\n", "a BAD\r\n",
            "login: ", "Password: ", "Login incorrect\r\n", "\r\n", "\n"]).Select(Encoding.ASCII.GetBytes),
        [0xFF, 0xFD, 1], [0xFF, 0xFA, 24, 0, (byte)'x', 0xFF, 0xF0], [0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F], [0x16, 3, 1, 0, 50, 1, 0, 0, 46], [0x30, 0x1D, 2, 1, 1, 0x77],
    ];

    static byte[][] Lines(params string[] lines) => [.. lines.Select(l => Encoding.Latin1.GetBytes(l))];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        byte[] hello = [0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0];
        byte[] startTls = [0x30, 0x1D, 2, 1, 1, 0x77, 0x18, 0x80, 0x16, .. "1.3.6.1.4.1.1466.20037"u8], granted = [0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0];
        return
        [
            Talk(21, true, Lines("220 a\r\n", "USER a\r\n", "331 b\r\n", "PASS c\r\n", "230 d\r\n")),
            Talk(21, true, Lines("220-a\r\n b\r\n220 c\r\n", "USER a\r\n", "530 no\r\n")),
            Talk(21, true, [.. Lines("220 a\r\n", "AUTH TLS\r\n", "234 b\r\n"), hello]),
            Talk(25, true, Lines("220 a\r\n", "EHLO b\r\n", "250-c\r\n250 AUTH PLAIN\r\n", "AUTH PLAIN AGEAYg==\r\n", "235 d\r\n")),
            Talk(25, true, Lines("220 a\r\n", "EHLO b\r\n", "250 c\r\n", "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n", "YQ==\r\n", "334 UGFzc3dvcmQ6\r\n", "Yg==\r\n", "535 d\r\n")),
            Talk(25, true, [.. Lines("220 a\r\n", "EHLO b\r\n", "250 STARTTLS\r\n", "STARTTLS\r\n", "220 go\r\n"), hello]),
            Talk(110, true, Lines("+OK a\r\n", "USER b\r\n", "+OK\r\n", "PASS c\r\n", "-ERR d\r\n")),
            Talk(110, true, [.. Lines("+OK a\r\n", "STLS\r\n", "+OK\r\n"), hello]),
            Talk(143, true, Lines("* OK a\r\n", "a LOGIN b {3}\r\n", "+ go\r\n", "pwd\r\n", "a OK c\r\n")),
            Talk(143, true, Lines("* OK a\r\n", "a AUTHENTICATE PLAIN\r\n", "+ \r\n", "AGEAYg==\r\n", "a NO c\r\n")),
            Talk(143, true, [.. Lines("* OK a\r\n", "a STARTTLS\r\n", "a OK\r\n"), hello]),
            Talk(23, true, Lines("\u00FF\u00FD\u0001a\r\nlogin: ", "b\r\n", "Password: ", "c\r\n", "Login incorrect\r\nlogin: ", "d\r\n", "Password: ", "e\r\n", "Last login\r\n$ ")),
            Talk(5432, false, [0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F], "S"u8.ToArray(), hello),
            Talk(389, false, startTls, granted, hello),
            Talk(3306, true, [74, 0, 0, 0, 10, .. "8.0.36\0"u8, .. new byte[66]], [32, 0, 0, 1, 0x85, 0xAE, 0xFF, 0, .. new byte[28]], [], hello),
            .. seeds.Segments.Where(s => s.Port is 21 or 25 or 110 or 143 or 23 or 389 or 5432 or 3306).Select(s => Talk((ushort)s.Port, false, s.Payload, "220 a\r\n"u8.ToArray())),
        ];
    }
}
