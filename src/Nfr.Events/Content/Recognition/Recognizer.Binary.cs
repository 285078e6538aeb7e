using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Binary protocols over TCP that are wanted by name: the first byte chooses the few that can begin so.</summary>
static partial class Recognizer
{
    static App Binary(ReadOnlySpan<byte> b, int direction)
    {
        if (b.Length < 6) return b.Length >= 4 && MqttShapes.IsMqtt(b) ? App.Mqtt : App.Unknown;
        switch (b[0])
        {
            case 0x00:
                if (WindowsShapes.IsSmb(b)) return App.Smb;
                if (DatabaseShapes.IsPostgres(b)) return App.Postgres;
                if (BerShapes.IsKerberosStream(b)) return App.Kerberos;
                if (VpnShapes.IsPptp(b)) return App.Pptp;
                if (VpnShapes.IsOpenVpnStream(b)) return App.OpenVpn;
                if (ReadUInt16BigEndian(b) == b.Length - 2 && Wire.DnsMessage.LooksLikeDns(b[2..])) return App.Dns;
                break;
            case 0x03:
                if (IndustryShapes.IsS7(b)) return App.S7;
                if (direction == 0 && MediaShapes.IsRtmp(b)) return App.Rtmp;
                if (WindowsShapes.IsRdpData(b)) return App.Rdp;
                break;
            case 0x02 or 0x04 or 0x10 or 0x12:
                if (MqttShapes.IsMqtt(b)) return App.Mqtt;
                if (DatabaseShapes.IsTds(b, direction)) return App.Tds;
                break;
            case 0x05:
                if (WindowsShapes.IsDcerpc(b)) return App.Dcerpc;
                if (IndustryShapes.IsDnp3(b)) return App.Dnp3;
                break;
            case >= 0x30 and <= 0x3D:
                if (b[0] == 0x30 && BerShapes.IsLdap(b)) return App.Ldap;
                if (b[0] == 0x30 && BerShapes.IsSnmp(b)) return App.Snmp;
                if (MqttShapes.IsMqtt(b)) return App.Mqtt;
                if (b[0] == (byte)'<' && ServiceShapes.IsSyslog(b)) return App.Syslog;
                break;
            case 0x20 when MqttShapes.IsMqtt(b):
                return App.Mqtt;
            case 0x2A when PeerShapes.IsI2pClient(b):
                return App.I2p;
            case (byte)'I' when b.StartsWith("IKETCP"u8):
                return App.Ike;
            case 0x68 when IndustryShapes.IsIec104(b):
                return App.Iec104;
            case >= 0x80:
                if (b[0] == 0xFF) return IsBgp(b) ? App.Bgp : App.Unknown;
                if (DonkeyShapes.IsStream(b)) return App.EDonkey;
                if (b.Length >= 28 && (ReadUInt32BigEndian(b) & 0x7FFFFFFF) == b.Length - 4 && WindowsShapes.IsNfs(b[4..])) return App.Nfs;
                if (DatabaseShapes.IsMemcached(b)) return App.Memcached;
                if (MqttShapes.IsMqtt(b)) return App.Mqtt;
                break;
        }
        // RFC 8489 6.2.2: over TCP the same message, which has the cookie.
        if (b[0] <= 1 && b.Length >= 20 && ReadUInt32BigEndian(b[4..]) == 0x2112A442 && MediaShapes.IsStun(b)) return App.Stun;
        if (IndustryShapes.IsEnip(b)) return App.Enip;
        if (b[0] is 1 or 2 or 3 or 8 && DatabaseShapes.IsAmqpFrame(b)) return App.Amqp;
        if (direction == 0 && DatabaseShapes.IsCassandra(b)) return App.Cassandra;
        if (direction == 1 && DatabaseShapes.IsMysqlGreeting(b)) return App.Mysql;
        if (PeerShapes.IsBitcoin(b)) return App.Bitcoin;
        if (PeerShapes.IsMonero(b)) return App.Monero;
        if (direction == 0 && b[0] is 1 or 2 or 3 or 4 && PeerShapes.IsEthereumHandshake(b)) return App.Ethereum;
        if (DatabaseShapes.IsMongodb(b)) return App.Mongodb;
        return IndustryShapes.IsModbus(b, direction) ? App.Modbus : App.Unknown;
    }

    /// <summary>RFC 4271 4.1: a marker of all ones, a length, a type.</summary>
    static bool IsBgp(ReadOnlySpan<byte> b) =>
        b.Length >= 19 && ReadUInt64BigEndian(b) == ulong.MaxValue && ReadUInt64BigEndian(b[8..]) == ulong.MaxValue && ReadUInt16BigEndian(b[16..]) is >= 19 and <= 4096 && b[18] is >= 1 and <= 5;

    /// <summary>Protocols that change to TLS in the middle: a hello is looked for behind their greeting.</summary>
    internal static bool MayTurnToTls(App app) => app is App.Postgres or App.Mysql or App.Ldap or App.Xmpp or App.Amqp or App.Nntp or App.Irc or App.Tds or App.Sip;
}
