using System.Buffers.Text;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs.Suricata;

/// <summary>Suricata's words for what the model has names of its own for. Unknown words are unknown values.</summary>
static class EveWords
{
    static readonly (byte[] Word, App App)[] s_apps = [.. new (string, App)[]
    {
        ("http1", App.Http), ("http_any", App.Http), ("doh2", App.Doh), ("krb5", App.Kerberos), ("rfb", App.Vnc), ("pgsql", App.Postgres), ("bittorrent-dht", App.BitTorrent),
        ("ikev1", App.Ike), ("ikev2", App.Ike), ("jabber", App.Xmpp), ("dcerpc_udp", App.Dcerpc), ("dcerpc_tcp", App.Dcerpc), ("imaps", App.Imap), ("ftpdata", App.FtpData),
    }.Select(w => (Encoding.ASCII.GetBytes(w.Item1), w.Item2))];

    /// <summary>Names of IANA that are not the model's own, as Suricata writes them.</summary>
    static readonly (byte[] Word, byte Number)[] s_protocols = [.. new (string, byte)[]
    {
        ("sctp", IPProtocol.Sctp), ("igmp", IPProtocol.Igmp), ("gre", IPProtocol.Gre), ("esp", IPProtocol.Esp), ("ah", IPProtocol.AuthenticationHeader), ("ipv6", IPProtocol.IPv6),
        ("ip-in-ip", IPProtocol.IPv4), ("ipip", IPProtocol.IPv4), ("ipv4", IPProtocol.IPv4), ("ipencap", IPProtocol.IPv4), ("rsvp", 46), ("eigrp", 88), ("ospf", 89), ("ospfigp", 89),
        ("ospfigb", 89), ("pim", 103), ("vrrp", 112), ("l2tp", 115), ("udplite", 136),
    }.Select(p => (Encoding.ASCII.GetBytes(p.Item1), p.Item2))];

    public static App AppOf(JsonRaw value)
    {
        App app = EventWords.AppOf(value);
        if (app != App.Unknown || value.Kind != JsonKind.String) return app;
        foreach ((byte[] word, App known) in s_apps)
        {
            if (value.Bytes.SequenceEqual(word)) return known;
        }
        return App.Unknown;
    }

    /// <summary>"TCP", "IPv6-ICMP", "017".</summary>
    public static byte Protocol(JsonRaw value)
    {
        byte protocol = EventWords.Protocol(value);
        if (protocol != 0 || value.Kind != JsonKind.String) return protocol;
        foreach ((byte[] word, byte number) in s_protocols)
        {
            if (Ascii.EqualsIgnoreCase(value.Bytes, word)) return number;
        }
        return 0;
    }

    /// <summary>"TLSv1", "TLS 1.3", "SSLv3", "TLS 1.3 draft-28", "0x7f1c"; 0 for "UNDETERMINED".</summary>
    public static ushort TlsVersion(JsonRaw value)
    {
        ReadOnlySpan<byte> text = value.Bytes;
        if (value.Kind != JsonKind.String || text.Length < 4) return 0;
        ReadOnlySpan<byte> draft = "TLS 1.3 draft-"u8;
        if (text.StartsWith(draft)) return Draft(text[draft.Length..]);
        ushort version = EventWords.TlsVersion(value);
        if (version != 0) return version;
        if (Is(text, "TLSv1"u8) || Is(text, "TLSv1.0"u8)) return 0x0301;
        if (Is(text, "TLSv1.1"u8)) return 0x0302;
        if (Is(text, "TLSv1.2"u8)) return 0x0303;
        if (Is(text, "TLSv1.3"u8)) return 0x0304;
        if (Is(text, "SSLv3"u8)) return 0x0300;
        return Is(text, "SSLv2"u8) ? (ushort)0x0002 : (ushort)0;
    }

    /// <summary>What the drafts of TLS 1.3 had on the wire: 0x7f and the draft's number; those of Facebook 0xfb.</summary>
    static ushort Draft(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("<16"u8)) return 0x7F01;
        if (!Utf8Parser.TryParse(text, out byte number, out int used)) return 0;
        return (ushort)((text[used..].SequenceEqual("-fb"u8) ? 0xFB00 : 0x7F00) | number);
    }

    static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(text, word);

    /// <summary>16 bits; 0 for what does not fit.</summary>
    public static ushort Word(JsonRaw value) => value.TryNumber(out long number) && number is >= 0 and <= ushort.MaxValue ? (ushort)number : (ushort)0;

    /// <summary>32 bits; 0 for what does not fit.</summary>
    public static uint Number(JsonRaw value) => value.TryNumber(out long number) && number is >= 0 and <= uint.MaxValue ? (uint)number : 0;

    /// <summary>Not negative.</summary>
    public static long Amount(JsonRaw value) => value.TryNumber(out long number) ? Math.Max(0, number) : 0;
}
