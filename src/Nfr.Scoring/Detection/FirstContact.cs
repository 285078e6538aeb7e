using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

enum ContactKind : byte
{
    Tcp,
    Udp,
    Ping,
}

enum ContactOutcome : byte
{
    /// <summary>The flow says neither.</summary>
    Open,
    /// <summary>The other side is seen to answer, though we do not see its packets.</summary>
    OneSided,
    Answered,
    Failed,
}

/// <summary>What a flow says about an attempt to reach somebody.</summary>
static class FirstContact
{
    const byte Icmp = 1, Tcp = 6, Udp = 17, IcmpV6 = 58;
    const byte Acknowledge = 16;
    const byte EchoRequest = 8, EchoRequestV6 = 128;

    public static ContactOutcome Of(scoped in IpEvent e, out ContactKind kind)
    {
        kind = ContactKind.Tcp;
        switch (e.Context.Protocol)
        {
            case Tcp:
                return OfTcp(in e);
            case Udp:
                kind = ContactKind.Udp;
                if (IsGroup(e.Context.Destination)) return ContactOutcome.Open;
                return e.State switch { ConnectionState.SF => ContactOutcome.Answered, ConnectionState.S0 => ContactOutcome.Failed, _ => ContactOutcome.Open };
            case Icmp when e.Context.SourcePort == EchoRequest:
            case IcmpV6 when e.Context.SourcePort == EchoRequestV6:
                kind = ContactKind.Ping;
                if (e.PacketsOut == 0 || IsGroup(e.Context.Destination)) return ContactOutcome.Open;
                return e.PacketsIn > 0 ? ContactOutcome.Answered : ContactOutcome.Failed;
            default:
                return ContactOutcome.Open;
        }
    }

    static ContactOutcome OfTcp(scoped in IpEvent e)
    {
        // Whatever comes back, nothing that wants to talk begins like that.
        if ((e.Notes & FlowNotes.Probe) != 0) return ContactOutcome.Failed;
        if ((e.Notes & FlowNotes.Midstream) != 0) return ContactOutcome.Open;
        if (e.State is ConnectionState.S0 or ConnectionState.REJ or ConnectionState.RSTOS0 or ConnectionState.SH)
        {
            // A client that acknowledges or sends data has been answered: we only do not see that direction.
            bool acknowledges = (e.TcpFlags & Acknowledge) != 0;
            bool goesOn = e.State switch
            {
                ConnectionState.S0 => acknowledges || e.PayloadOut > 0,
                // Its FIN acknowledges too: beside it and the SYN there must be something.
                ConnectionState.SH => e.PayloadOut > 0 || (acknowledges && e.PacketsOut > 2),
                ConnectionState.RSTOS0 => e.PayloadOut > 0,
                _ => false,
            };
            return goesOn ? ContactOutcome.OneSided : ContactOutcome.Failed;
        }
        // A connection that carried nothing says neither: it may be a scanner's open port.
        bool said = e.PayloadIn > 0 && e.State is not (ConnectionState.OTH or ConnectionState.RSTRH or ConnectionState.SHR);
        return said ? ContactOutcome.Answered : ContactOutcome.Open;
    }

    /// <summary>Multicast, or what is a broadcast address in most networks.</summary>
    public static bool IsGroup(in Address address) => address.IsV4 ? address.V4 >> 28 >= 0xE || (address.V4 & 0xFF) == 0xFF : address.High >> 56 == 0xFF;

    /// <summary>The network of 256 addresses (IPv6: the link's /64) that an address is of.</summary>
    public static uint NetworkOf(in Address address) => address.IsV4 ? address.V4 >> 8 : (uint)(address.High * 0x9E37_79B9_7F4A_7C15 >> 32);

    /// <summary>
    /// Ports on which clients fail without scanning: the web; in UDP also what firewalls drop by habit (DNS, NTP, QUIC, STUN, VPN, NetBIOS) and the ports of
    /// traceroute.
    /// </summary>
    public static bool FailsOften(ContactKind kind, ushort port) => kind == ContactKind.Udp
        ? port is 53 or 123 or 137 or 138 or 443 or 80 or 500 or 4500 or 1194 or 51820 or 5353 or 5355 or (>= 3478 and <= 3481) or (>= 19302 and <= 19309) or (>= 33434 and <= 33625)
        : port is 80 or 443;
}
