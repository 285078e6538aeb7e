namespace Nfr.Events;

/// <summary>Application protocols recognised by content.</summary>
public enum App : byte
{
    Unknown,
    Dns,
    Http,
    Tls,
    Ssh,
    Smtp,
    Ftp,
    Pop3,
    Imap,
    Telnet,
    Stratum,
    Irc,
    Socks,
    Smb,
    Rdp,
    Quic,
    Ntp,
    Dhcp,
    Mdns,
    Llmnr,
    BitTorrent,
    Rsync,
    Http2,
}

public static class Apps
{
    /// <summary>The name in an ip event's <c>app</c>; empty for unknown.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this App app) => app switch
    {
        App.Dns => "dns"u8,
        App.Http => "http"u8,
        App.Tls => "tls"u8,
        App.Ssh => "ssh"u8,
        App.Smtp => "smtp"u8,
        App.Ftp => "ftp"u8,
        App.Pop3 => "pop3"u8,
        App.Imap => "imap"u8,
        App.Telnet => "telnet"u8,
        App.Stratum => "stratum"u8,
        App.Irc => "irc"u8,
        App.Socks => "socks"u8,
        App.Smb => "smb"u8,
        App.Rdp => "rdp"u8,
        App.Quic => "quic"u8,
        App.Ntp => "ntp"u8,
        App.Dhcp => "dhcp"u8,
        App.Mdns => "mdns"u8,
        App.Llmnr => "llmnr"u8,
        App.BitTorrent => "bittorrent"u8,
        App.Rsync => "rsync"u8,
        App.Http2 => "http2"u8,
        _ => default,
    };
}
