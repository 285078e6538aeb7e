using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What a connection's packets say about its two ends, in Zeek's terms.</summary>
static class TcpStates
{
    /// <summary>Advances both ends by one segment from direction 0 (client) or 1 (server).</summary>
    public static void Advance(ref Flow flow, int direction, byte flags)
    {
        ref EndpointState self = ref direction == 0 ? ref flow.ClientState : ref flow.ServerState;
        ref EndpointState peer = ref direction == 0 ? ref flow.ServerState : ref flow.ClientState;
        if ((flags & TcpFlags.Rst) != 0)
        {
            // Both have finished already, or the other side has aborted: this only clears up (RFC 9293 3.5.2).
            if (peer == EndpointState.Closed ? self == EndpointState.Closed : peer == EndpointState.Reset && self != EndpointState.Inactive) return;
            self = EndpointState.Reset;
            return;
        }
        if ((flags & TcpFlags.Syn) != 0)
        {
            if ((flags & TcpFlags.Ack) == 0)
            {
                if (self is EndpointState.Inactive or EndpointState.Partial) self = EndpointState.SynSent;
            }
            else if (self is EndpointState.Inactive or EndpointState.Partial or EndpointState.SynSent)
            {
                if (peer == EndpointState.SynSent)
                {
                    self = EndpointState.Established;
                    peer = EndpointState.Established;
                }
                else
                {
                    self = EndpointState.SynAckSent;
                }
            }
        }
        else if (self == EndpointState.Inactive)
        {
            self = EndpointState.Partial;
            // The SYN was missed; the answer to it and the ACK of that were not.
            if ((flags & TcpFlags.Ack) != 0 && peer == EndpointState.SynAckSent) self = peer = EndpointState.Established;
        }
        else if (self == EndpointState.SynSent && (flags & TcpFlags.Ack) != 0 && peer is EndpointState.SynAckSent or EndpointState.Partial)
        {
            // The SYN-ACK was missed or came before its SYN (mirrors reorder): the ACK proves it.
            self = EndpointState.Established;
            if (peer == EndpointState.SynAckSent) peer = EndpointState.Established;
        }
        if ((flags & TcpFlags.Fin) != 0 && self != EndpointState.Reset) self = EndpointState.Closed;
    }

    /// <summary>Zeek's conn_state of the flow as it stands.</summary>
    public static ConnectionState StateOf(in Flow flow) => flow.Protocol switch
    {
        IPProtocol.Tcp => Tcp(flow.ClientState, flow.ServerState, flow.PayloadOut == 0 && flow.PayloadIn == 0 && (flow.Earlier & EarlierSlices.Payload) == 0),
        IPProtocol.Udp => (HasCome(flow, 0), HasCome(flow, 1)) switch
        {
            (true, true) => ConnectionState.SF,
            (true, false) => ConnectionState.S0,
            (false, true) => ConnectionState.SHR,
            _ => ConnectionState.OTH,
        },
        _ => ConnectionState.OTH,
    };

    /// <summary>Packets of this direction have been seen, in this slice of the flow or before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HasCome(in Flow flow, int direction) => direction == 0
        ? flow.PacketsOut > 0 || (flow.Earlier & EarlierSlices.PacketsOut) != 0
        : flow.PacketsIn > 0 || (flow.Earlier & EarlierSlices.PacketsIn) != 0;

    static ConnectionState Tcp(EndpointState client, EndpointState server, bool empty)
    {
        bool clientUnseen = client is EndpointState.Inactive or EndpointState.Partial;
        bool serverUnseen = server is EndpointState.Inactive or EndpointState.Partial;
        if (server == EndpointState.Reset)
        {
            if (client is EndpointState.SynSent or EndpointState.SynAckSent || (client == EndpointState.Reset && empty)) return ConnectionState.REJ;
            return clientUnseen ? ConnectionState.RSTRH : ConnectionState.RSTR;
        }
        if (client == EndpointState.Reset) return serverUnseen ? ConnectionState.RSTOS0 : ConnectionState.RSTO;
        if (client == EndpointState.Closed && server == EndpointState.Closed) return ConnectionState.SF;
        if (client == EndpointState.Closed) return serverUnseen ? ConnectionState.SH : ConnectionState.S2;
        if (server == EndpointState.Closed) return clientUnseen ? ConnectionState.SHR : ConnectionState.S3;
        if (client == EndpointState.SynSent && server == EndpointState.Inactive) return ConnectionState.S0;
        if (client == EndpointState.Established && server == EndpointState.Established) return ConnectionState.S1;
        return ConnectionState.OTH;
    }

    /// <summary>Flags that no connection begins with and no later segment has: scanners send them, since some hosts answer and some filters let them pass.</summary>
    public static bool IsProbe(byte flags) =>
        (flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) == 0 || (flags & (TcpFlags.Syn | TcpFlags.Fin)) == (TcpFlags.Syn | TcpFlags.Fin);

    public static bool IsReset(in Flow flow) => flow.ClientState == EndpointState.Reset || flow.ServerState == EndpointState.Reset;

    /// <summary>Both ends have finished, or one has aborted.</summary>
    public static bool IsOver(in Flow flow) =>
        IsReset(flow) || (flow.ClientState == EndpointState.Closed && flow.ServerState == EndpointState.Closed);
}
