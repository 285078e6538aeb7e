using Nfr.Wire;

namespace Nfr.Events;

/// <summary>One side of a DTLS handshake: the message whose fragments are being put together.</summary>
struct DtlsSide
{
    public ushort Sequence;
    public TlsHandshakeType Type;
    public int Length;
    public bool IsGathering;
}

/// <summary>What is known of a DTLS handshake beside its <see cref="Conversation"/>.</summary>
struct DtlsState
{
    /// <summary>The direction of the flow that the DTLS client sends in: with WebRTC either side may be it.</summary>
    public int ClientDirection;
    public DtlsSide Client;
    public DtlsSide Server;
}

/// <summary>
/// DTLS (RFC 6347, RFC 9147): puts the fragments of handshake messages together and reads what <see cref="TlsConversation{TSink}"/> reads of TLS.
/// A conversation is rented from a fixed pool at the first hello in the clear and let go when the handshake goes on encrypted, or after
/// <see cref="MaximumDatagrams"/>; when all are taken, the flow keeps its flow event only and is counted (StreamBuffersExhausted).
/// </summary>
sealed class DtlsConversations<TSink>
    where TSink : struct, IEventSink
{
    public const int Capacity = 256;

    /// <summary>A flight is a few datagrams, sent again when lost; after so many nothing more is waited for.</summary>
    const int MaximumDatagrams = 64;

    /// <summary>A longer message is given up (TlsHandshakeTooLong): a chain of certificates has a few KiB.</summary>
    const int MaximumMessage = 16 * 1024;

    readonly BufferPool _buffers;
    readonly long[] _faults;
    readonly TlsConversation<TSink> _tls;
    readonly Conversation[] _pool = new Conversation[Capacity];
    readonly DtlsState[] _states = new DtlsState[Capacity];
    readonly int[] _free = new int[Capacity];
    int _freeCount = Capacity;

    public DtlsConversations(TlsConversation<TSink> tls, BufferPool buffers, long[] faults)
    {
        _tls = tls;
        _buffers = buffers;
        _faults = faults;
        for (int i = 0; i < Capacity; i++)
        {
            _pool[i] = new Conversation();
            _free[i] = Capacity - 1 - i;
        }
    }

    public int InUse => Capacity - _freeCount;

    /// <summary>
    /// One datagram of a flow in which a hello was seen (<see cref="ContentState.Dtls"/>) and whose content is not done. The context is the datagram's:
    /// its sender is the client if it opens the conversation.
    /// </summary>
    public void OnDatagram(ref Flow flow, in EventContext context, int direction, ReadOnlySpan<byte> datagram)
    {
        if (flow.Conversation == FlowTable.None && !TryOpen(ref flow, context, direction, datagram)) return;
        int index = flow.Conversation;
        Conversation c = _pool[index];
        bool server = direction != _states[index].ClientDirection;
        bool goesOn = ++c.Looks < MaximumDatagrams;
        while (goesOn && DtlsRecord.TryNext(ref datagram, out DtlsRecord record))
        {
            if (record.Epoch != 0 || record.ContentType is TlsContentType.ApplicationData) goesOn = !server;
            else if (record.ContentType == TlsContentType.ChangeCipherSpec && server)
            {
                TlsConversation<TSink>.OnServerChangesCipher(ref c.Tls);
                goesOn = !c.Tls.HasServerHello;
            }
            else if (record.ContentType == TlsContentType.Handshake) goesOn = OnHandshake(index, server, record.Fragment);
        }
        if (c.HasJa3 && !flow.HasJa3)
        {
            flow.HasJa3 = true;
            flow.Ja3 = c.Ja3;
        }
        if (goesOn) return;
        Close(ref flow);
        flow.Content |= ContentState.Done;
    }

    /// <summary>The flow is over, or nothing more is wanted of it: what is known is emitted, and the buffers go back.</summary>
    public void Close(ref Flow flow)
    {
        if (flow.Conversation == FlowTable.None) return;
        Conversation c = _pool[flow.Conversation];
        _tls.Finish(c);
        c.Out.Release(_buffers);
        c.In.Release(_buffers);
        _free[_freeCount++] = flow.Conversation;
        flow.Conversation = FlowTable.None;
    }

    bool TryOpen(ref Flow flow, in EventContext context, int direction, ReadOnlySpan<byte> datagram)
    {
        if (_freeCount == 0)
        {
            _faults[(int)DecodeFault.StreamBuffersExhausted]++;
            flow.Content |= ContentState.Done;
            return false;
        }
        int index = flow.Conversation = _free[--_freeCount];
        Conversation c = _pool[index];
        c.Open(context);
        (c.Tls.Timestamp, c.Tls.Tick) = (context.Timestamp, context.Tick);
        _states[index] = default;
        // The recognised start is a hello: the client's, or an answer to one that was not seen.
        bool client = datagram[DtlsRecord.HeaderLength] == (byte)TlsHandshakeType.ClientHello;
        _states[index].ClientDirection = client ? direction : 1 - direction;
        if (!client)
        {
            (c.Context.Source, c.Context.Destination) = (context.Destination, context.Source);
            (c.Context.SourcePort, c.Context.DestinationPort) = (context.DestinationPort, context.SourcePort);
        }
        return true;
    }

    bool OnHandshake(int index, bool server, ReadOnlySpan<byte> content)
    {
        Conversation c = _pool[index];
        while (DtlsHandshake.TryNext(ref content, out DtlsHandshake part))
        {
            if (part.IsWhole)
            {
                if (!OnMessage(c, server, part.Type, part.Fragment)) return false;
                continue;
            }
            if (!Gather(index, server, part, out ReadOnlySpan<byte> message)) continue;
            if (!OnMessage(c, server, part.Type, message)) return false;
        }
        return true;
    }

    /// <summary>Lays a fragment beside the others of its message; true when it was the last one missing.</summary>
    bool Gather(int index, bool server, DtlsHandshake part, out ReadOnlySpan<byte> message)
    {
        message = default;
        Conversation c = _pool[index];
        ref DtlsSide side = ref server ? ref _states[index].Server : ref _states[index].Client;
        ref StreamWindow window = ref server ? ref c.In : ref c.Out;
        if (!side.IsGathering || side.Sequence != part.Sequence || side.Type != part.Type || side.Length != part.Length)
        {
            if (part.Length > MaximumMessage)
            {
                _faults[(int)DecodeFault.TlsHandshakeTooLong]++;
                return false;
            }
            // One message at a time: a sender keeps their order, and what was lost of one comes again.
            window.Release(_buffers);
            side = new DtlsSide { Sequence = part.Sequence, Type = part.Type, Length = part.Length, IsGathering = true };
        }
        if (!_buffers.TryGrow(ref window.Buffer, part.Length, 0))
        {
            _faults[(int)DecodeFault.StreamBuffersExhausted]++;
            return false;
        }
        if (part.Fragment.IsEmpty) return false;
        if (!window.Received.TryLay(_buffers[window.Buffer], part.FragmentOffset, part.Fragment, out bool differs))
        {
            _faults[(int)DecodeFault.StreamSegmentsTooMany]++;
            return false;
        }
        if (differs) _faults[(int)DecodeFault.StreamOverlapDiffers]++;
        if (window.Received.Ready < part.Length) return false;
        message = _buffers[window.Buffer][..part.Length];
        side.IsGathering = false;
        return true;
    }

    /// <summary>False when nothing that follows is wanted.</summary>
    bool OnMessage(Conversation c, bool server, TlsHandshakeType type, ReadOnlySpan<byte> body)
    {
        if (!server)
        {
            // After a HelloVerifyRequest the second hello counts: it has the first one's fingerprint. After a HelloRetryRequest (RFC 9147 5.1) the cookie is an
            // extension: as in TLS, the first one says what the client is.
            bool isAgain = c.Tls.HasRetryRequest && c.Tls.HasClientHello;
            if (type == TlsHandshakeType.ClientHello && !c.Tls.HasServerHello && !isAgain) _tls.OnClientHello(c, body, Ja4Transport.Dtls);
            return true;
        }
        if (type == TlsHandshakeType.HelloVerifyRequest)
        {
            c.Tls.Notes |= TlsNotes.Retried;
            return true;
        }
        return _tls.OnServerMessage(c, type, body);
    }
}
