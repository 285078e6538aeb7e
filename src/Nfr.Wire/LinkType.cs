namespace Nfr.Wire;

/// <summary>LINKTYPE_ values of the pcap formats that the decoder understands (www.tcpdump.org/linktypes.html).</summary>
public enum LinkType
{
    /// <summary>BSD loopback: 4 bytes of address family in the writer's byte order.</summary>
    Null = 0,
    Ethernet = 1,
    Ppp = 9,
    /// <summary>Raw IP, version by its first nibble (some writers use 12 or 14 for it).</summary>
    RawBsd = 12,
    RawOpenBsd = 14,
    Raw = 101,
    /// <summary>Cisco HDLC.</summary>
    CiscoHdlc = 104,
    Ieee80211 = 105,
    /// <summary>OpenBSD loopback: 4 bytes of address family in network byte order.</summary>
    Loop = 108,
    LinuxSll = 113,
    /// <summary>802.11 behind a radiotap header.</summary>
    Radiotap = 127,
    IPv4 = 228,
    IPv6 = 229,
    /// <summary>Linux's firewall log.</summary>
    Nflog = 239,
    LinuxSll2 = 276,
}
