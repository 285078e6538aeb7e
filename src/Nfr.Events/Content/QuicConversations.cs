using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What opens a connection's Initial packets; the handshake read from them is in the <see cref="Conversation"/> beside it.</summary>
struct QuicState
{
    public QuicKeys ClientKeys;
    public QuicKeys ServerKeys;
    /// <summary>The direction of the flow that the QUIC client sends in: it may differ from the flow's own idea, which has no SYN to go by.</summary>
    public int ClientDirection;
    /// <summary>Bytes of each side's handshake messages that have been read.</summary>
    public int ClientRead;
    public int ServerRead;
}

/// <summary>
/// QUIC (RFC 9000, RFC 9001, RFC 9369): opens Initial packets, puts the CRYPTO frames of each side in order, and reads the hellos within. A
/// conversation is rented from a fixed pool at the client's first Initial and let go after the server's hello or <see cref="MaximumDatagrams"/>;
/// when all are taken, the connection keeps its flow event only and is counted (StreamBuffersExhausted).
/// </summary>
sealed class QuicConversations<TSink>
    where TSink : struct, IEventSink
{
    public const int Capacity = 1024;

    /// <summary>Hellos come in the first round trip or two; after so many datagrams nothing more is waited for.</summary>
    const int MaximumDatagrams = 32;

    /// <summary>A hello with post-quantum keys takes two packets; a certificate chain is not in Initials.</summary>
    const int MaximumCrypto = 16 * 1024;

    /// <summary>Longer packets than any path without jumbo frames carries are not opened.</summary>
    const int MaximumPacket = 4096;

    readonly BufferPool _buffers;
    readonly long[] _faults;
    readonly TlsConversation<TSink> _tls;
    readonly TunnelTable _tunnels;
    readonly Conversation[] _pool = new Conversation[Capacity];
    readonly QuicState[] _states = new QuicState[Capacity];
    readonly int[] _free = new int[Capacity];
    readonly byte[] _payload = new byte[MaximumPacket];
    int _freeCount = Capacity;

    public QuicConversations(TlsConversation<TSink> tls, BufferPool buffers, long[] faults, TunnelTable tunnels)
    {
        _tls = tls;
        _buffers = buffers;
        _faults = faults;
        _tunnels = tunnels;
        // Makes the cipher's tables and the hash's own set-up now, not with the first packet.
        _ = QuicKeys.Derive(QuicVersion.Version1, default, server: false);
        for (int i = 0; i < Capacity; i++)
        {
            _pool[i] = new Conversation();
            _free[i] = Capacity - 1 - i;
        }
    }

    public int InUse => Capacity - _freeCount;

    /// <summary>One datagram of a flow recognised as QUIC whose content is not done.</summary>
    public void OnDatagram(ref Flow flow, in Packet packet, int direction, ReadOnlySpan<byte> datagram, long tick)
    {
        if (++flow.Looks >= MaximumDatagrams)
        {
            Close(ref flow);
            flow.Content |= ContentState.Done;
            return;
        }
        while (QuicInitial.TryNext(ref datagram, out QuicInitial initial))
        {
            if (flow.Conversation == FlowTable.None)
            {
                if (!TryOpen(ref flow, packet, direction, initial, tick)) return;
            }
            else
            {
                OnInitial(flow.Conversation, direction, initial);
            }
            Conversation c = _pool[flow.Conversation];
            if (c.App != App.Unknown) flow.App = c.App;
            if (c.HasJa3 && !flow.HasJa3)
            {
                flow.HasJa3 = true;
                flow.Ja3 = c.Ja3;
            }
            if (!c.Tls.ClientDone || !c.Tls.HasServerHello) continue;
            Close(ref flow);
            flow.Content |= ContentState.Done;
            return;
        }
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

    /// <summary>Only a client's Initial opens with keys made of its own connection ID: who sends one is the client.</summary>
    bool TryOpen(ref Flow flow, in Packet packet, int direction, QuicInitial initial, long tick)
    {
        QuicKeys keys = QuicKeys.Derive(initial.Version, initial.DestinationConnectionId, server: false);
        int length = keys.Open(initial, _payload);
        if (!AreFrames(_payload.AsSpan(0, length))) return false;
        if (_freeCount == 0)
        {
            _faults[(int)DecodeFault.StreamBuffersExhausted]++;
            flow.Content |= ContentState.Done;
            return false;
        }
        int index = flow.Conversation = _free[--_freeCount];
        Conversation c = _pool[index];
        c.Open(new EventContext
        {
            Timestamp = packet.Timestamp,
            Tick = tick,
            Source = packet.Source,
            Destination = packet.Destination,
            SourcePort = packet.SourcePort,
            DestinationPort = packet.DestinationPort,
            Protocol = packet.Protocol,
            Vlan = packet.Vlan,
            Tunnel = _tunnels[flow.Tunnel],
        });
        (c.Tls.Timestamp, c.Tls.Tick) = (packet.Timestamp, tick);
        _states[index].ClientDirection = direction;
        Start(index, keys, initial);
        OnFrames(index, server: false, _payload.AsSpan(0, length));
        return true;
    }

    void Start(int index, in QuicKeys clientKeys, QuicInitial initial)
    {
        Conversation c = _pool[index];
        ref QuicState state = ref _states[index];
        c.Out.Release(_buffers);
        c.In.Release(_buffers);
        state.ClientKeys = clientKeys;
        state.ServerKeys = QuicKeys.Derive(initial.Version, initial.DestinationConnectionId, server: true);
        state.ClientRead = state.ServerRead = 0;
    }

    void OnInitial(int index, int direction, QuicInitial initial)
    {
        Conversation c = _pool[index];
        ref QuicState state = ref _states[index];
        bool server = direction != state.ClientDirection;
        if (server && c.Tls.HasServerHello) return;
        int length = server ? state.ServerKeys.Open(initial, _payload) : state.ClientKeys.Open(initial, _payload);
        if (!AreFrames(_payload.AsSpan(0, length)))
        {
            if (server) return;
            // After a Retry or a change of version the client begins again with keys made of its new connection ID (RFC 9001 5.2).
            QuicKeys keys = QuicKeys.Derive(initial.Version, initial.DestinationConnectionId, server: false);
            length = keys.Open(initial, _payload);
            if (!AreFrames(_payload.AsSpan(0, length))) return;
            Start(index, keys, initial);
        }
        OnFrames(index, server, _payload.AsSpan(0, length));
    }

    static bool AreFrames(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty) return false;
        var frames = new QuicFrames(payload);
        while (frames.MoveNext()) { }
        return frames.IsWhole;
    }

    void OnFrames(int index, bool server, ReadOnlySpan<byte> payload)
    {
        Conversation c = _pool[index];
        ref StreamWindow window = ref server ? ref c.In : ref c.Out;
        var frames = new QuicFrames(payload);
        while (frames.MoveNext())
        {
            if (frames.Data.IsEmpty) continue;
            if (frames.Offset + (ulong)frames.Data.Length > MaximumCrypto)
            {
                _faults[(int)DecodeFault.StreamWindowExceeded]++;
                continue;
            }
            int offset = (int)frames.Offset;
            if (!_buffers.TryGrow(ref window.Buffer, offset + frames.Data.Length, window.Received.End))
            {
                _faults[(int)DecodeFault.StreamBuffersExhausted]++;
                return;
            }
            if (!window.Received.TryLay(_buffers[window.Buffer], offset, frames.Data, out bool differs))
            {
                _faults[(int)DecodeFault.StreamSegmentsTooMany]++;
                return;
            }
            if (differs) _faults[(int)DecodeFault.StreamOverlapDiffers]++;
        }
        if (window.Buffer == BufferPool.None) return;
        ReadOnlySpan<byte> ready = _buffers[window.Buffer][..window.Received.Ready];
        ref int read = ref server ? ref _states[index].ServerRead : ref _states[index].ClientRead;
        // RFC 9001 4.1.3: handshake messages stand in the stream as they are, without records.
        while (TlsHandshakeHeader.TryRead(ready[Math.Min(read, ready.Length)..], out TlsHandshakeHeader header))
        {
            int start = read + TlsHandshakeHeader.HeaderLength;
            if (ready.Length - start < header.Length) return;
            ReadOnlySpan<byte> body = ready.Slice(start, header.Length);
            read = start + header.Length;
            if (!server && header.Type == TlsHandshakeType.ClientHello && !c.Tls.ClientDone)
            {
                _tls.OnClientHello(c, body, Ja4Transport.Quic);
                c.Tls.ClientDone = true;
            }
            else if (server && header.Type == TlsHandshakeType.ServerHello && !c.Tls.HasServerHello)
            {
                _tls.OnServerHello(c, body, out _);
            }
        }
    }
}
