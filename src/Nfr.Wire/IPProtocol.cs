namespace Nfr.Wire;

/// <summary>IANA protocol numbers that the decoder acts on.</summary>
public static class IPProtocol
{
    public const byte HopByHop = 0;
    public const byte Icmp = 1;
    public const byte Igmp = 2;
    /// <summary>IPv4 in IP, RFC 2003.</summary>
    public const byte IPv4 = 4;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    /// <summary>IPv6 in IP, RFC 4213.</summary>
    public const byte IPv6 = 41;
    public const byte Routing = 43;
    public const byte Fragment = 44;
    public const byte Gre = 47;
    public const byte Esp = 50;
    public const byte AuthenticationHeader = 51;
    public const byte IcmpV6 = 58;
    public const byte NoNextHeader = 59;
    public const byte DestinationOptions = 60;
    public const byte Sctp = 132;
    public const byte Mobility = 135;
    public const byte Hip = 139;
    public const byte Shim6 = 140;
}
