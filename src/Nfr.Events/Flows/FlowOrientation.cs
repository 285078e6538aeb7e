using Nfr.Wire;

namespace Nfr.Events;

/// <summary>Who is client: by SYN, else by the home network, else by port, else whoever spoke first. Never by our own hardware address.</summary>
static class FlowOrientation
{
    /// <summary>True when the packet's sender is the client.</summary>
    public static bool SenderIsClient(in Address source, ushort sourcePort, in Address destination, ushort destinationPort, byte protocol, byte tcpFlags, Func<Address, bool>? isHome)
    {
        if (protocol is IPProtocol.Tcp or IPProtocol.Sctp && (tcpFlags & TcpFlags.Syn) != 0) return (tcpFlags & TcpFlags.Ack) == 0;
        // What sends a probe asks; wherever it stands.
        if (protocol == IPProtocol.Tcp && TcpStates.IsProbe(tcpFlags)) return true;
        if (protocol is IPProtocol.Icmp or IPProtocol.IcmpV6)
        {
            // "Ports" are the message's type and its counterpart; a reply's sender is the server.
            bool v6 = protocol == IPProtocol.IcmpV6;
            if (IsReply(sourcePort, v6)) return false;
            if (IsReply(destinationPort, v6)) return true;
        }
        else if (IsService(sourcePort) != IsService(destinationPort) && protocol == IPProtocol.Udp && Recognizer.IsDnsPort(IsService(sourcePort) ? sourcePort : destinationPort))
        {
            // DNS says itself who asks: its port is the server's, wherever that stands.
            return IsService(destinationPort);
        }
        if (isHome is not null)
        {
            bool sourceHome = isHome(source), destinationHome = isHome(destination);
            if (sourceHome != destinationHome) return sourceHome;
        }
        if (protocol is IPProtocol.Tcp or IPProtocol.Udp or IPProtocol.Sctp && IsService(sourcePort) != IsService(destinationPort)) return IsService(destinationPort);
        return true;
    }

    /// <summary>System ports (RFC 6335), the DNS relatives above them, and the servers of Teredo (RFC 4380 2.7) and AYIYA. Asked only where nothing else tells.</summary>
    static bool IsService(ushort port) => port is > 0 and < 1024 or 5353 or 5355 or TeredoPacket.Port or AyiyaPacket.Port;

    static bool IsReply(ushort type, bool v6) => v6 ? type is 129 or 131 or 134 or 136 or 140 : type is 0 or 14 or 16 or 18;
}
