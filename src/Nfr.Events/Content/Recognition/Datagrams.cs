using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Recognises what a UDP flow carries by its first datagrams. The first byte chooses the few shapes that can begin so; a port is asked only where
/// a shape says too little (named at each place). What one datagram cannot prove (RTP, OpenVPN, WireGuard's data, uTP, TFTP's data, QUIC behind its handshake) is kept in the
/// flow's sequence fields, which UDP has no use for, and proved by another.
/// </summary>
static class Datagrams
{
    /// <summary>Datagrams of each direction that are looked at; then the flow stays unknown and costs nothing more.</summary>
    public const int MaximumLooks = 4;

    public static App Recognize(ref Flow flow, int direction, ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort)
    {
        if (b.Length < 2) return App.Unknown;
        App app = ByFirstByte(ref flow, direction, b, sourcePort, destinationPort);
        if (app != App.Unknown) return app;
        // Headers whose first bytes are a random number: fixed fields behind it decide.
        if (VpnShapes.IsIke(b)) return App.Ike;
        if (WindowsShapes.IsRdpDatagram(b)) return App.Rdp;
        if (VpnShapes.IsEspInUdp(b, sourcePort, destinationPort)) return App.Esp;
        if (PeerShapes.IsEthereumDiscovery(b)) return App.Ethereum;
        if (PeerShapes.IsTracker(b)) return App.BitTorrent;
        if (PeerShapes.IsUtp(ref flow, direction, b)) return App.BitTorrent;
        if (ServiceShapes.IsNetbiosName(b)) return App.Nbns;
        if (DatabaseShapes.IsMemcachedDatagram(b)) return App.Memcached;
        if (WindowsShapes.IsNfs(b)) return App.Nfs;
        if (ServiceShapes.IsDhcpV6(b, sourcePort, destinationPort)) return App.DhcpV6;
        if (DnsMessage.LooksLikeDns(b)) return App.Dns;
        return QuicShapes.IsMidway(ref flow, direction, b, sourcePort, destinationPort) ? App.Quic : App.Unknown;
    }

    static App ByFirstByte(ref Flow flow, int direction, ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort)
    {
        switch (b[0])
        {
            case <= 0x05 or (>= 0x0B and <= 0x0D) or (>= 0x28 and <= 0x2D):
                if (MediaShapes.IsStun(b)) return App.Stun;
                if (VpnShapes.IsWireGuard(ref flow, direction, b)) return App.WireGuard;
                if (ServiceShapes.IsDhcp(b)) return App.Dhcp;
                if (ServiceShapes.IsRadius(b, sourcePort, destinationPort)) return App.Radius;
                if (ServiceShapes.IsNetflow(b)) return App.Netflow;
                if (ServiceShapes.IsTftp(ref flow, direction, b)) return App.Tftp;
                if (WindowsShapes.IsDcerpcDatagram(b)) return App.Dcerpc;
                if (IndustryShapes.IsDnp3(b)) return App.Dnp3;
                break;
            case >= 0x10 and <= 0x12 when WindowsShapes.IsNetbiosDatagram(b):
                return App.Netbios;
            case >= 0x14 and <= 0x17 when IsDtls(b):
                return App.Dtls;
            case (byte)'<' when ServiceShapes.IsSyslog(b):
                return App.Syslog;
            case 0x30:
                if (BerShapes.IsSnmp(b)) return App.Snmp;
                if (BerShapes.IsLdap(b)) return App.Ldap;
                break;
            case (>= 0x6A and <= 0x6F) or (>= 0x74 and <= 0x76) or 0x7E when BerShapes.IsKerberos(b):
                return App.Kerberos;
            case (byte)'d' when PeerShapes.IsDht(b):
                return App.BitTorrent;
            case 0xE3 or 0xE4 or 0xE5 when DonkeyShapes.IsDatagram(b):
                return App.EDonkey;
            case 0x63 when IndustryShapes.IsEnip(b):
                return App.Enip;
            case 0xFF when ServiceShapes.IsWakeOnLan(b):
                return App.WakeOnLan;
            case 0x81 when IndustryShapes.IsBacnet(b):
                return App.Bacnet;
        }
        if (b[0] is >= (byte)'A' and <= (byte)'Z')
        {
            App text = Text(b);
            if (text != App.Unknown) return text;
        }
        if (ServiceShapes.IsNtp(b, sourcePort, destinationPort)) return App.Ntp;
        if (VpnShapes.IsOpenVpn(ref flow, direction, b)) return App.OpenVpn;
        if (QuicShapes.IsQuic(b)) return App.Quic;
        return (b[0] >> 6) switch
        {
            1 when ServiceShapes.IsCoap(b, sourcePort, destinationPort) => App.Coap,
            2 when MediaShapes.IsRtp(ref flow, direction, b) => App.Rtp,
            3 when VpnShapes.IsL2tp(b) => App.L2tp,
            _ => App.Unknown,
        };
    }

    static App Text(ReadOnlySpan<byte> b)
    {
        if (MediaShapes.IsSip(b)) return App.Sip;
        if (b.StartsWith("M-SEARCH * HTTP/1."u8) || b.StartsWith("NOTIFY * HTTP/1."u8) || b.StartsWith("HTTP/1.1 200 OK\r\n"u8)) return App.Ssdp;
        return b.StartsWith("BT-SEARCH * HTTP/1."u8) ? App.BitTorrent : App.Unknown;
    }

    /// <summary>RFC 6347 4.1, RFC 9147 4: content type, a version of DTLS, epoch and number, and a length that the datagram holds.</summary>
    static bool IsDtls(ReadOnlySpan<byte> b)
    {
        if (b.Length < 13) return false;
        // 1.0 in the numbers of the draft, as AnyConnect speaks it, only where a handshake begins.
        bool early = b[0] == 0x16 && b[1] == 1 && b[2] == 0 && (b[3] | b[4]) == 0;
        if (!early && (b[1] != 0xFE || b[2] is not (0xFF or 0xFD or 0xFC))) return false;
        int length = (b[11] << 8) | b[12];
        return length is > 0 and <= 0x4800 && length <= b.Length - 13;
    }
}
