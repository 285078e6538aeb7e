using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.targets[].syslog, and what the original's outputs.syslog means.</summary>
static class SyslogTarget
{
    /// <summary>RFC 5424's words; their place is their number.</summary>
    static readonly string[] s_facilities =
    [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
        "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ];

    /// <summary>RFC 5426, 3.2, and RFC 5425, 4.3.1: what every server should take.</summary>
    const int DatagramBytes = 2048, StreamBytes = 8192;

    public static SinkOptions? Read(Section s)
    {
        LinkOptions? link = LinkSection.Read(s, 514, 6514);
        bool udp = link?.Protocol == LinkProtocol.Udp;
        string rfc = s.Choice("rfc", "5424", "5424", "3164");
        // Only old servers want lines, and those of RFC 3164 over TCP are old.
        string framing = s.Choice("framing", rfc == "3164" && link?.Protocol != LinkProtocol.Tls ? "line" : "octet", "octet", "line");
        if (udp && s.Has("framing")) s.Note("framing", "a datagram is one message and needs no framing; this key has no effect");
        string facility = s.Choice("facility", "local0", s_facilities);
        long size = s.Size("max_size", udp ? DatagramBytes : StreamBytes, 480, udp ? 65_507 : 1L << 20);
        s.End();
        return link is null ? null : new SyslogSinkOptions
        {
            Link = link,
            Rfc = rfc == "3164" ? SyslogRfc.Rfc3164 : SyslogRfc.Rfc5424,
            Framing = framing == "line" ? SyslogFraming.Line : SyslogFraming.Octet,
            Facility = Array.IndexOf(s_facilities, facility),
            MaxBytes = (int)size,
        };
    }

    /// <summary>As the original wrote it: lines, and user.alert for everything.</summary>
    public static OutputOptions? Of(SyslogConfig config)
    {
        if (config.Host is not { } host) return null;
        bool udp = config.Protocol == "udp";
        return new OutputOptions
        {
            Name = "syslog",
            Format = TargetConfig.FormatOf(config.Format),
            Sink = new SyslogSinkOptions
            {
                Link = new LinkOptions { Protocol = udp ? LinkProtocol.Udp : LinkProtocol.Tcp, Host = host, Port = config.Port },
                Rfc = SyslogRfc.Original,
                Framing = SyslogFraming.Line,
                MaxBytes = udp ? DatagramBytes : StreamBytes,
            },
        };
    }
}
