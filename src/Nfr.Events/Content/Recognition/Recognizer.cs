using System.Runtime.CompilerServices;
using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What the first bytes of one side of a connection say.</summary>
enum Recognition
{
    /// <summary>Nothing known begins so.</summary>
    No,
    /// <summary>Could be; a few more bytes decide.</summary>
    NeedMore,
    /// <summary>Known, and a parser wants the content.</summary>
    Parse,
    /// <summary>Known; the name is all that is wanted.</summary>
    Name,
    /// <summary>Known by name; a TLS hello may still come behind it.</summary>
    Watch,
}

/// <summary>Recognises application protocols by their first bytes. Ports only decide between protocols that begin alike.</summary>
static partial class Recognizer
{
    /// <summary>As many bytes as any rule here needs to see.</summary>
    public const int Enough = 24;

    /// <summary>Printable ASCII and what ends or colours a line.</summary>
    static readonly SearchValues<byte> s_typed = SearchValues.Create([(byte)'\r', (byte)'\n', (byte)'\t', (byte)'\0', 0x1B, .. Enumerable.Range(0x20, 0x5F).Select(i => (byte)i)]);

    public static Recognition Tcp(ReadOnlySpan<byte> b, int direction, ushort serverPort, ushort clientPort, out App app, out ConversationKind kind)
    {
        app = App.Unknown;
        kind = ConversationKind.Undecided;
        if (b.IsEmpty) return Recognition.NeedMore;
        if (IsDnsPort(serverPort) || IsDnsPort(clientPort))
        {
            Recognition dns = DnsOverTcp(b);
            if (dns != Recognition.No) return Set(dns, App.Dns, ConversationKind.Dns, out app, out kind);
        }
        if (StartsInTheClear(b, direction, out app)) return Set(Recognition.Parse, app, ConversationKind.Tunnel, out app, out kind);
        switch (b[0])
        {
            case 0x16:
                if (b.Length < 6) return b.Length < 2 || b[1] == 3 ? Recognition.NeedMore : Recognition.No;
                if (IsTlsHello(b, direction)) return Set(Recognition.Parse, App.Tls, ConversationKind.Tls, out app, out kind);
                // Picked up in the middle of a handshake.
                return b[1] == 3 && b[2] <= 4 && BinaryPrimitives.ReadUInt16BigEndian(b[3..]) is > 0 and <= 16_640 ? Set(Recognition.Name, App.Tls, ConversationKind.Done, out app, out kind) : Recognition.No;
            case 0x15 when b.SequenceEqual((ReadOnlySpan<byte>)[0x15, 0, 0, 0, 2, 1, 0]):
                // A server that closes before a hello has agreed on a version puts 0 there.
                return Set(Recognition.Name, App.Tls, ConversationKind.Done, out app, out kind);
            case 0x14 or 0x15 or 0x17:
                if (b.Length >= 5 && b[1] == 3 && b[2] <= 4 && BinaryPrimitives.ReadUInt16BigEndian(b[3..]) is > 0 and <= 16_640)
                    return Set(Recognition.Name, App.Tls, ConversationKind.Done, out app, out kind);
                return Recognition.No;
            case >= 0x80 when direction == 0 && b.Length >= 5 && b[2] == 1 && b[3] == 3 && b[4] <= 4:
                // SSLv2-compatible ClientHello (RFC 5246 E.2): the parser reads the server's side.
                if (b.Length < 11) return Recognition.NeedMore;
                if (BinaryPrimitives.ReadUInt16BigEndian(b[5..]) % 3 != 0 || BinaryPrimitives.ReadUInt16BigEndian(b[7..]) is not (0 or 16) || BinaryPrimitives.ReadUInt16BigEndian(b[9..]) is < 16 or > 32) return Recognition.No;
                return Set(Recognition.Parse, App.Tls, ConversationKind.Tls, out app, out kind);
            case 0x13 when b.Length >= 20:
                return b[1..].StartsWith("BitTorrent protocol"u8) ? Set(Recognition.Name, App.BitTorrent, ConversationKind.Done, out app, out kind) : Recognition.No;
            case 0x05 when SocksShapes.IsVersion5(b, direction):
                return Set(Recognition.Parse, App.Socks, ConversationKind.Tunnel, out app, out kind);
            case 0x05 when direction == 1 && b.Length == 2 && b[1] <= 2:
                // A method is chosen; where the client's side is missed, the reply tells.
                return Recognition.NeedMore;
            case 0x04 when direction == 0 && b.Length >= 9 && b[1] is 1 or 2 && b[^1] == 0:
                return Set(Recognition.Parse, App.Socks, ConversationKind.Tunnel, out app, out kind);
            case 0x03 when WindowsShapes.IsRdp(b) && !IndustryShapes.IsS7(b):
                // X.224 first agrees on the security layer; TLS begins after it (MS-RDPBCGR 5.4).
                return Set(Recognition.Parse, App.Rdp, ConversationKind.Tunnel, out app, out kind);
            case 0x81 when WindowsShapes.IsNetbiosSession(b):
                // SMB comes in the session, most often.
                return Set(Recognition.Parse, App.Netbios, ConversationKind.Tunnel, out app, out kind);
            case 0x82 or 0x85 when WindowsShapes.IsNetbiosAnswer(b):
                return Set(Recognition.Parse, App.Netbios, ConversationKind.Tunnel, out app, out kind);
            case 0x00 when VpnShapes.MayBeOpenVpnStream(b):
                return Recognition.NeedMore;
            case 0x20 when b.Length < 4:
                return Recognition.NeedMore;
            case 0xFF when IsTelnet(b):
                return Set(Recognition.Parse, App.Telnet, ConversationKind.Text, out app, out kind);
            case (byte)'<' when b.StartsWith("<?xml"u8) && b.Length < 64 && b.IndexOf("<stream:stream"u8) < 0:
                // A declaration by itself says nothing yet.
                return Recognition.NeedMore;
            case (byte)'{':
                return Mining(b) ? Set(Recognition.Name, App.Stratum, ConversationKind.Done, out app, out kind)
                    : b.Length < 512 && !b.Contains((byte)'\n') ? Recognition.NeedMore : Recognition.No;
        }
        App binary = Binary(b, direction);
        if (binary != App.Unknown)
            return Set(MayTurnToTls(binary) ? Recognition.Watch : Recognition.Name, binary, ConversationKind.Tunnel, out app, out kind);
        if (!IsText(b[0])) return Recognition.No;
        App line = Line(b, direction, serverPort);
        if (line != App.Unknown)
            return Set(MayTurnToTls(line) ? Recognition.Watch : Recognition.Name, line, ConversationKind.Tunnel, out app, out kind);
        return Texts(b, direction, serverPort, out app, out kind);
    }

    /// <summary>
    /// A segment of a connection picked up in the middle: its first bytes may be a later message, who is the client is a guess, and what is sought may stand further
    /// on. Only a name comes of it.
    /// </summary>
    public static App Midway(ReadOnlySpan<byte> b, int direction, ushort serverPort, ushort clientPort)
    {
        if (Tcp(b, 1 - direction, clientPort, serverPort, out App app, out _) is Recognition.Name or Recognition.Watch or Recognition.Parse && app != App.Dns) return app;
        return StreamShapes.InTheMiddle(b);
    }

    static Recognition Texts(ReadOnlySpan<byte> b, int direction, ushort serverPort, out App app, out ConversationKind kind)
    {
        app = App.Unknown;
        kind = ConversationKind.Undecided;
        if (b.StartsWith("SSH-"u8)) return Set(Recognition.Parse, App.Ssh, ConversationKind.Ssh, out app, out kind);
        if (b.StartsWith("@RSYNCD:"u8)) return Set(Recognition.Name, App.Rsync, ConversationKind.Done, out app, out kind);
        if (b.StartsWith("PRI * HTTP/2.0\r\n"u8)) return Set(Recognition.Parse, App.Http2, ConversationKind.Http2, out app, out kind);
        // A single "S" is PostgreSQL's yes to TLS.
        if (b.Length > 1 && IsPrefix(b, "SSH-"u8)) return Recognition.NeedMore;
        if (direction == 0)
        {
            if (IsPrefix(b, "PRI * HTTP/2.0\r\n"u8)) return Recognition.NeedMore;
            if (HttpRequestHead.LooksLikeRequest(b)) return Set(Recognition.Parse, HttpKind(b), ConversationKind.Http, out app, out kind);
            if (IsSimpleRequest(b)) return Set(Recognition.Name, App.Http, ConversationKind.Done, out app, out kind);
            if (IsPrefixOfAny(b, "GET "u8, "POST "u8, "HEAD "u8, "PUT "u8, "CONNECT "u8, "OPTIONS "u8, "DELETE "u8, "PATCH "u8)
                || IsPrefixOfAny(b, "TRACE "u8, "PROPFIND "u8, "EHLO"u8, "HELO"u8, "USER"u8, "NICK"u8, "CAP L"u8, "CAPA"u8)) return Recognition.NeedMore;
            if (StartsWithIgnoreCase(b, "EHLO "u8) || StartsWithIgnoreCase(b, "HELO "u8) || StartsWithIgnoreCase(b, "EHLO\r"u8) || StartsWithIgnoreCase(b, "EHLO\n"u8)) return Set(Recognition.Parse, App.Smtp, ConversationKind.Text, out app, out kind);
            if (StartsWithIgnoreCase(b, "NICK "u8) || StartsWithIgnoreCase(b, "CAP LS"u8) || (serverPort is >= 6660 and < 6700 && StartsWithIgnoreCase(b, "PASS "u8)))
                return Set(Recognition.Name, App.Irc, ConversationKind.Done, out app, out kind);
            if (IsChatUser(b)) return Set(Recognition.Name, App.Irc, ConversationKind.Done, out app, out kind);
            if (StartsWithIgnoreCase(b, "USER "u8)) return Set(Recognition.Parse, serverPort == 110 ? App.Pop3 : App.Ftp, ConversationKind.Text, out app, out kind);
            if (StartsWithIgnoreCase(b, "CAPA\r"u8)) return Set(Recognition.Parse, App.Pop3, ConversationKind.Text, out app, out kind);
            if (LooksLikeImap(b)) return Set(Recognition.Parse, App.Imap, ConversationKind.Text, out app, out kind);
            return Recognition.No;
        }
        if (HttpResponseHead.LooksLikeResponse(b)) return Set(Recognition.Parse, App.Http, ConversationKind.Http, out app, out kind);
        if (IsPrefix(b, "HTTP/1."u8) || IsPrefix(b, "220"u8) || IsPrefix(b, "* OK"u8) || IsPrefix(b, "+O"u8)) return Recognition.NeedMore;
        if (b.StartsWith("+OK"u8)) return Set(Recognition.Parse, App.Pop3, ConversationKind.Text, out app, out kind);
        if (b.StartsWith("* OK"u8) || b.StartsWith("* PREAUTH"u8)) return Set(Recognition.Parse, App.Imap, ConversationKind.Text, out app, out kind);
        if (b.StartsWith("220 "u8) || b.StartsWith("220-"u8))
        {
            int end = b.IndexOf((byte)'\n');
            if (end < 0 && b.Length < 512) return Recognition.NeedMore;
            bool mail = serverPort is 25 or 587 or 2525 || b.IndexOf("SMTP"u8) >= 0;
            return Set(Recognition.Parse, mail ? App.Smtp : App.Ftp, ConversationKind.Text, out app, out kind);
        }
        // RFC 4253 4.2: a server may send other lines before its identification.
        if (b.IndexOf("\nSSH-"u8) >= 0) return Set(Recognition.Parse, App.Ssh, ConversationKind.Ssh, out app, out kind);
        return Recognition.No;
    }

    /// <summary>HTTP/0.9 (RFC 1945 4.1): a path and no version. There is no head on either side, so the name is all there is.</summary>
    static bool IsSimpleRequest(ReadOnlySpan<byte> b)
    {
        if (!b.StartsWith("GET /"u8)) return false;
        int end = b.IndexOf((byte)'\n');
        return end > 0 && !b["GET "u8.Length..end].TrimEnd((byte)'\r').ContainsAnyExceptInRange((byte)0x21, (byte)0x7E);
    }

    /// <summary>Databases and directories that agree on TLS before they begin: their first message names them, and a hello may follow.</summary>
    static bool StartsInTheClear(ReadOnlySpan<byte> b, int direction, out App app)
    {
        app = App.Unknown;
        if (direction == 0)
        {
            // PostgreSQL's SSLRequest: length 8, code 80877103.
            if (b.SequenceEqual((ReadOnlySpan<byte>)[0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F])) app = App.Postgres;
            // A client that begins with it speaks IRC: elsewhere the server greets first, or the line has a tag.
            else if (b.SequenceEqual("STARTTLS\r\n"u8)) app = App.Irc;
            // RFC 4511 4.14: an extended request with StartTLS's name.
            else if (b.Length < 128 && b[0] == 0x30 && b.IndexOf("1.3.6.1.4.1.1466.20037"u8) > 0) app = App.Ldap;
        }
        else if (b.Length >= 16 && b[3] == 0 && b[4] == 10 && (b[0] | (b[1] << 8) | (b[2] << 16)) + 4 == b.Length && char.IsAsciiDigit((char)b[5]) && b[5..].IndexOf((byte)0) is > 2 and < 64)
        {
            // MySQL's greeting: packet 0, protocol 10, the version's text. Whether the client asks for TLS (its SSL flag) shows in what it sends next.
            app = App.Mysql;
        }
        return app != App.Unknown;
    }

    /// <summary>A TLS record of version 3.x with the hello that this side begins with.</summary>
    public static bool IsTlsHello(ReadOnlySpan<byte> b, int direction) =>
        b.Length >= 6 && b[0] == 0x16 && b[1] == 3 && b[2] <= 4 && b[5] == (direction == 0 ? 1 : 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDnsPort(ushort port) => port is 53 or 5353 or 5355;

    /// <summary>The same messages under three names: mDNS (RFC 6762), LLMNR (RFC 4795) and DNS; only the port tells.</summary>
    public static App DnsService(ushort sourcePort, ushort destinationPort) =>
        sourcePort == 53 || destinationPort == 53 ? App.Dns : sourcePort == 5353 || destinationPort == 5353 ? App.Mdns : sourcePort == 5355 || destinationPort == 5355 ? App.Llmnr : App.Dns;

    /// <summary>RFC 1035 4.2.2: a length, then a message whose header makes sense.</summary>
    static Recognition DnsOverTcp(ReadOnlySpan<byte> b)
    {
        if (b.Length < 14) return b.Length >= 2 && BinaryPrimitives.ReadUInt16BigEndian(b) < DnsMessage.HeaderLength ? Recognition.No : Recognition.NeedMore;
        int opcode = (b[4] >> 3) & 15;
        int questions = BinaryPrimitives.ReadUInt16BigEndian(b[6..]);
        return BinaryPrimitives.ReadUInt16BigEndian(b) >= DnsMessage.HeaderLength && opcode is <= 6 and not 3 && questions <= 16 ? Recognition.Parse : Recognition.No;
    }

    /// <summary>RFC 854: IAC, an option's command and the option (of RFC 1060's numbers and the few above), then another command or text.</summary>
    static bool IsTelnet(ReadOnlySpan<byte> b)
    {
        if (b.Length < 3 || b[1] is < 0xFA or > 0xFE || b[2] is > 49 and not (70 or 138 or 139 or 140 or 255)) return false;
        if (b[1] == 0xFA) return b.IndexOf((ReadOnlySpan<byte>)[0xFF, 0xF0]) > 3;
        ReadOnlySpan<byte> rest = b[3..Math.Min(b.Length, 11)];
        return rest.IsEmpty || (rest[0] == 0xFF && (rest.Length == 1 || rest[1] is >= 0xF0 and <= 0xFE)) || !rest.ContainsAnyExcept(s_typed);
    }

    /// <summary>
    /// Stratum (mining.*), Ethereum's eth_submitLogin and its kin, CryptoNote's login with an agent; and what follows: jobs with a blob or a target, shares with a nonce.
    /// </summary>
    static bool Mining(ReadOnlySpan<byte> b) =>
        b.IndexOf("\"mining."u8) >= 0 || b.IndexOf("\"eth_submit"u8) >= 0 || b.IndexOf("\"eth_getWork\""u8) >= 0
        || (b.IndexOf("\"login\""u8) >= 0 && (b.IndexOf("\"agent\""u8) >= 0 || b.IndexOf("\"pass\""u8) >= 0) && b.IndexOf("\"method\""u8) >= 0)
        || (b.IndexOf("\"job_id\""u8) >= 0 && (b.IndexOf("\"blob\""u8) >= 0 || b.IndexOf("\"target\""u8) >= 0 || b.IndexOf("\"nonce\""u8) >= 0));

    /// <summary>RFC 9051: a short tag, a space, a command.</summary>
    static bool LooksLikeImap(ReadOnlySpan<byte> b)
    {
        int space = b.IndexOf((byte)' ');
        if (space is < 1 or > 8) return false;
        ReadOnlySpan<byte> command = b[(space + 1)..];
        return StartsWithIgnoreCase(command, "LOGIN "u8) || StartsWithIgnoreCase(command, "CAPABILITY"u8) || StartsWithIgnoreCase(command, "AUTHENTICATE "u8)
            || StartsWithIgnoreCase(command, "STARTTLS"u8) || StartsWithIgnoreCase(command, "ID ("u8);
    }

    internal static bool StartsWithIgnoreCase(ReadOnlySpan<byte> b, ReadOnlySpan<byte> prefix) =>
        b.Length >= prefix.Length && Ascii.EqualsIgnoreCase(b[..prefix.Length], prefix);

    static bool IsPrefix(ReadOnlySpan<byte> b, ReadOnlySpan<byte> first) => b.Length <= first.Length && first.StartsWith(b);

    static bool IsPrefixOfAny(ReadOnlySpan<byte> b, ReadOnlySpan<byte> m1, ReadOnlySpan<byte> m2, ReadOnlySpan<byte> m3, ReadOnlySpan<byte> m4,
        ReadOnlySpan<byte> m5, ReadOnlySpan<byte> m6, ReadOnlySpan<byte> m7, ReadOnlySpan<byte> m8) =>
        IsPrefix(b, m1) || IsPrefix(b, m2) || IsPrefix(b, m3) || IsPrefix(b, m4)
        || IsPrefix(b, m5) || IsPrefix(b, m6) || IsPrefix(b, m7) || IsPrefix(b, m8);

    static Recognition Set(Recognition recognition, App a, ConversationKind k, out App app, out ConversationKind kind)
    {
        app = recognition == Recognition.NeedMore ? App.Unknown : a;
        kind = recognition == Recognition.NeedMore ? ConversationKind.Undecided : k;
        return recognition;
    }
}
