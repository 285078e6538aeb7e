using Nfr.Wire;

namespace Nfr.Events;

/// <summary>HTTP/1.x, RFC 9112: pairs each request with its final response and emits one event for both. Here: what ends a connection, or makes something else of it.</summary>
sealed partial class HttpConversation<TSink>(Emitter<TSink> emitter, BufferPool buffers, long[] faults)
    where TSink : struct, IEventSink
{
    readonly WaitingRequests<TSink> _waiting = new(emitter, buffers, faults);

    public void OnGap(Conversation c, int direction)
    {
        if (direction == 0)
        {
            // Inside a chunked body there is most often nothing but more of it.
            if (c.Http.Requests == HttpPhase.Head) _waiting.AddGap(ref c.Http);
            c.Http.Requests = HttpPhase.Lost;
            return;
        }
        // A body that runs to the close only loses its count; anything else loses its place.
        if (c.Http.Responses == HttpPhase.UntilClose) return;
        CloseResponse(c);
        c.Http.Responses = HttpPhase.Lost;
    }

    /// <summary>The connection is over, or its flow is given up: whatever waits is emitted with what is known.</summary>
    public void Close(Conversation c)
    {
        CloseResponse(c);
        if (c.Http.PendingCount == 0) TakeCut(c, isAnswered: false);
        _waiting.Close(c);
    }

    void Lose(ref HttpPhase phase, DecodeFault fault)
    {
        faults[(int)fault]++;
        phase = HttpPhase.Lost;
    }

    /// <summary>Nothing of HTTP follows on this connection, or it begins anew inside the tunnel. The protocol is the Upgrade field's (RFC 9110 7.8); empty behind CONNECT.</summary>
    void OpenTunnel(Conversation c, ReadOnlySpan<byte> protocol)
    {
        Close(c);
        c.Http = HttpState.New();
        c.Looks = 0;
        if (System.Text.Ascii.EqualsIgnoreCase(protocol, "websocket"u8))
        {
            // RFC 6455: its frames are masked, and whatever they carry is the application's own.
            c.App = App.WebSocket;
            c.Kind = ConversationKind.Done;
        }
        else if (System.Text.Ascii.EqualsIgnoreCase(protocol, "h2c"u8))
        {
            c.App = App.Http2;
            c.Kind = ConversationKind.Http2;
        }
        else
        {
            c.Kind = ConversationKind.Tunnel;
        }
        c.ReadsAhead = true;
    }

    /// <summary>The connection ends and no answer to CONNECT was seen, though the client went on: it was taken, then. True: there is something to read.</summary>
    public bool TryAssumeTunnel(Conversation c)
    {
        if (c.Http.Requests != HttpPhase.Tunnel || c.Out.Received.Ready == 0) return false;
        OpenTunnel(c, default);
        return true;
    }
}
