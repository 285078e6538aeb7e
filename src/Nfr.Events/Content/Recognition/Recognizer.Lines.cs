using System.Text;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>Text protocols over TCP that are wanted by name: the first bytes are words of theirs alone.</summary>
static partial class Recognizer
{
    static bool IsText(byte first) => first is (>= 0x20 and < 0x7F) or (byte)'\r' or (byte)'\n';

    static App Line(ReadOnlySpan<byte> b, int direction, ushort serverPort)
    {
        switch (b[0])
        {
            case (byte)'R':
                if (b.Length >= 11 && b.StartsWith("RFB 0"u8) && b[7] == (byte)'.') return App.Vnc;
                break;
            case (byte)'<':
                // RFC 6120 8: a stanza, where the stream's head was not seen.
                if (b.StartsWith("<iq "u8) || b.StartsWith("<message "u8) || b.StartsWith("<presence"u8) || b.StartsWith("</stream:stream>"u8)) return App.Xmpp;
                if (b.StartsWith("<stream:stream"u8) || (b.StartsWith("<?xml"u8) && (b.IndexOf("jabber:"u8) > 0 || b.IndexOf("<stream:stream"u8) > 0))) return App.Xmpp;
                break;
            case (byte)'A':
                if (b.Length >= 8 && b.StartsWith("AMQP"u8) && b[4] is 0 or 2 or 3) return App.Amqp;
                break;
            case (byte)'G':
                if (b.StartsWith("GNUTELLA "u8)) return App.Gnutella;
                break;
            case (byte)'E':
                if (DatabaseShapes.IsElasticsearch(b)) return App.Elasticsearch;
                break;
            case (byte)'*':
                if (direction == 0 && DatabaseShapes.IsRedis(b)) return App.Redis;
                break;
            case (byte)'B':
                if (direction == 1 && b.StartsWith("BOB 00."u8)) return App.I2p;
                break;
            case (byte)'H':
                // I2P's simple messaging: the router's own wire (NTCP2, SSU2) is made to look like nothing, so only this side of it can be known.
                if (b.StartsWith("HELLO VERSION"u8) || b.StartsWith("HELLO REPLY RESULT="u8)) return App.I2p;
                break;
            case (byte)'2':
                if (direction == 1 && IsNews(b, serverPort)) return App.Nntp;
                break;
            case (byte)'M':
                if (direction == 0 && b.StartsWith("MODE READER\r"u8)) return App.Nntp;
                break;
            case (byte)':' or (byte)'N' or (byte)'P' or (byte)'J':
                if (IsChat(b, direction)) return App.Irc;
                break;
            case >= (byte)'a' and <= (byte)'z':
                if (direction == 0 && DatabaseShapes.IsMemcached(b)) return App.Memcached;
                break;
        }
        // The length in four hexadecimal digits stands before Git's word.
        if (b.Length >= 12 && b[4..].StartsWith("git-"u8) && (b[8..].StartsWith("upload-"u8) || b[8..].StartsWith("receive-pack "u8))) return App.Git;
        if (MediaShapes.IsSip(b)) return App.Sip;
        return MediaShapes.IsRtsp(b) ? App.Rtsp : App.Unknown;
    }

    /// <summary>RFC 3977 5.1: 200 or 201 in the greeting, and a word of news; without the word the port decides.</summary>
    static bool IsNews(ReadOnlySpan<byte> b, ushort serverPort)
    {
        if (!b.StartsWith("200 "u8) && !b.StartsWith("201 "u8)) return false;
        return serverPort == 119 || b.IndexOf("NNTP"u8) > 0 || b.IndexOf("InterNetNews"u8) > 0 || b.IndexOf("news"u8) > 0;
    }

    /// <summary>RFC 2812: what a server says, before and after the log-in: a prefix and a number of three digits or a command. A client's lines have no prefix.</summary>
    static bool IsChat(ReadOnlySpan<byte> b, int direction)
    {
        if (IsChatMessage(b) || b.StartsWith("PING :"u8) || b.StartsWith("PONG :"u8)) return true;
        if (direction == 0) return false;
        if (b.StartsWith("NOTICE AUTH "u8) || b.StartsWith("NOTICE * "u8)) return true;
        if (b[0] != (byte)':') return false;
        int space = b[..Math.Min(b.Length, 80)].IndexOf((byte)' ');
        if (space < 2) return false;
        ReadOnlySpan<byte> command = b[(space + 1)..];
        if (command.Length > 4 && char.IsAsciiDigit((char)command[0]) && char.IsAsciiDigit((char)command[1]) && char.IsAsciiDigit((char)command[2]) && command[3] == (byte)' ') return true;
        if (IsChatMessage(command) || command.StartsWith("NOTICE "u8) || command.StartsWith("CAP "u8) || command.StartsWith("JOIN "u8) || command.StartsWith("PONG "u8)) return true;
        // nick!user@host.
        ReadOnlySpan<byte> prefix = b[1..space];
        return prefix.IndexOf((byte)'!') is > 0 and var bang && prefix[bang..].IndexOf((byte)'@') > 1
            && (command.StartsWith("QUIT"u8) || command.StartsWith("PART "u8) || command.StartsWith("NICK "u8) || command.StartsWith("MODE "u8) || command.StartsWith("TOPIC "u8) || command.StartsWith("KICK "u8));
    }

    /// <summary>Said to somebody or to a channel, the text behind a colon.</summary>
    static bool IsChatMessage(ReadOnlySpan<byte> b) =>
        (b.StartsWith("PRIVMSG "u8) && b.IndexOf(" :"u8) > 8) || b.StartsWith("JOIN #"u8) || b.StartsWith("JOIN :#"u8) || b.StartsWith("JOIN &"u8);

    /// <summary>RFC 2812 3.1.3: IRC's USER has four words, the last behind a colon; FTP's and POP3's have one.</summary>
    static bool IsChatUser(ReadOnlySpan<byte> b)
    {
        if (!StartsWithIgnoreCase(b, "USER "u8)) return false;
        int end = b.IndexOf((byte)'\n');
        int colon = (end < 0 ? b : b[..end]).IndexOf(" :"u8);
        return colon > 0 && b[..colon].Count((byte)' ') == 3;
    }

    /// <summary>
    /// RFC 9112 3.2: a proxy is asked for a whole URI or with CONNECT, I2P's for a host that only it knows. Tor's directory and BitTorrent's trackers (BEP 3) have paths of
    /// their own.
    /// </summary>
    static App HttpKind(ReadOnlySpan<byte> b)
    {
        ReadOnlySpan<byte> target = b.TrimStart("\r\n"u8);
        bool connects = target.StartsWith("CONNECT "u8);
        target = target[(target.IndexOf((byte)' ') + 1)..];
        bool whole = StartsWithIgnoreCase(target, "http://"u8) || StartsWithIgnoreCase(target, "https://"u8) || StartsWithIgnoreCase(target, "ftp://"u8);
        if (connects || whole)
        {
            ReadOnlySpan<byte> host = whole ? target[(target.IndexOf("//"u8) + 2)..] : target;
            int end = host.IndexOfAny("/: \r\n"u8);
            return end > 4 && Ascii.EqualsIgnoreCase(host[(end - 4)..end], ".i2p"u8) ? App.I2p : App.HttpProxy;
        }
        if (target.StartsWith("/announce?"u8) || target.StartsWith("/scrape?"u8)) return target[..Math.Min(target.Length, 512)].IndexOf("info_hash="u8) > 0 ? App.BitTorrent : App.Http;
        if (!target.StartsWith("/tor/"u8)) return App.Http;
        target = target[5..];
        return target.StartsWith("status-vote/"u8) || target.StartsWith("server/"u8) || target.StartsWith("micro/"u8) || target.StartsWith("keys/"u8)
            || target.StartsWith("extra/"u8) || target.StartsWith("rendezvous2/"u8) || target.StartsWith("hs/"u8) ? App.Tor : App.Http;
    }
}
