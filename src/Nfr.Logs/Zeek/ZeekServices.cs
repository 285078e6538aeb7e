using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>The words of conn.log's "service", of analyzers that ship and of packages, to what the decoder calls the same.</summary>
static class ZeekServices
{
    /// <summary>Those first win over those behind: "gssapi,smb,ntlm" is SMB, "ssl,quic" is QUIC.</summary>
    static readonly (byte[] Word, App App)[] s_words =
    [
        .. new (string Words, App App)[]
        {
            ("quic", App.Quic), ("smb", App.Smb), ("dce_rpc", App.Dcerpc), ("smtp", App.Smtp), ("imap", App.Imap), ("pop3", App.Pop3), ("pop", App.Pop3), ("ftp", App.Ftp), ("ftp-data", App.FtpData),
            ("ldap ldap_tcp ldap_udp", App.Ldap), ("xmpp", App.Xmpp), ("irc irc-dcc-data", App.Irc), ("rdp rdpeudp", App.Rdp), ("mysql", App.Mysql), ("postgresql", App.Postgres), ("mqtt", App.Mqtt),
            ("websocket", App.WebSocket), ("socks", App.Socks), ("http http2", App.Http), ("dns", App.Dns), ("ssh", App.Ssh), ("rfb", App.Vnc), ("sip", App.Sip), ("ntp", App.Ntp), ("dhcp", App.Dhcp),
            ("snmp", App.Snmp), ("syslog", App.Syslog), ("radius", App.Radius), ("krb krb_tcp kerberos", App.Kerberos), ("modbus", App.Modbus), ("dnp3 dnp3_tcp dnp3_udp", App.Dnp3),
            ("redis", App.Redis), ("nfs", App.Nfs), ("netbios_ssn netbios-ssn", App.Netbios), ("gtpv1", App.Gtp), ("teredo", App.Teredo), ("vxlan", App.Vxlan), ("geneve", App.Geneve), ("ayiya", App.Ayiya),
            ("bittorrent", App.BitTorrent), ("gnutella", App.Gnutella), ("tds", App.Tds), ("telnet", App.Telnet), ("bacnet", App.Bacnet), ("enip", App.Enip), ("s7comm", App.S7),
            ("tftp spicy_tftp", App.Tftp), ("stun spicy_stun", App.Stun), ("wireguard spicy_wireguard", App.WireGuard), ("openvpn spicy_openvpn spicy_openvpn_udp spicy_openvpn_tcp", App.OpenVpn),
            ("ipsec spicy_ipsec_udp spicy_ipsec_tcp spicy_ipsec_ike_udp", App.Ike), ("ssl tls dtls", App.Tls),
        }
        .SelectMany(w => w.Words.Split(' ').Select(word => (Encoding.ASCII.GetBytes(word), w.App))),
    ];

    static readonly int s_tls = Array.FindIndex(s_words, w => w.App == App.Tls);

    /// <summary>Unknown for none, and for one that the decoder has no name for. A word with "-" in front was taken back by Zeek.</summary>
    public static App Of(ZeekRow row, in EventContext context, ref FlowNotes notes)
    {
        switch (context.Protocol)
        {
            case IPProtocol.Icmp or IPProtocol.IcmpV6: return App.Icmp;
            case IPProtocol.Igmp: return App.Igmp;
            case IPProtocol.Esp or IPProtocol.AuthenticationHeader: return App.Esp;
        }
        int best = s_words.Length;
        bool secure = false;
        ZeekList list = row.Items(ZeekField.Service);
        while (list.Next(out JsonRaw item))
        {
            int i = Find(row.Text(item));
            secure |= i >= s_tls && i < s_words.Length;
            best = Math.Min(best, i);
        }
        if (best == s_words.Length) return App.Unknown;
        App app = s_words[best].App;
        if (app == App.Dns) return DnsOf(context);
        if (app == App.Tls) return EncryptedDns.Of(context.Protocol == IPProtocol.Udp ? App.Dtls : App.Tls, default, default, context.DestinationPort);
        // A connection of another protocol with TLS in it began in the clear.
        if (secure && context.Protocol == IPProtocol.Tcp) notes |= FlowNotes.StartTls;
        return app;
    }

    static App DnsOf(in EventContext context) =>
        context.DestinationPort == NbnsMessage.Port ? App.Nbns : Recognizer.DnsService(context.SourcePort, context.DestinationPort);

    static int Find(ReadOnlySpan<byte> word)
    {
        for (int i = 0; i < s_words.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(word, s_words[i].Word)) return i;
        }
        return s_words.Length;
    }
}
