using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Feeds TCP payload to content parsers: recognises what a connection speaks, puts its segments in order where a parser still wants them,
/// and lets go of it as soon as none does. At most <see cref="Capacity"/> connections are parsed at a time; when more want to be, they are
/// counted (StreamBuffersExhausted) and keep their flow event only.
/// </summary>
/// <remarks>
/// Where segments overlap the first bytes win, and one that differs is an anomaly. Only bytes that are held can be compared: what a parser has
/// consumed is gone, so a differing retransmission of that is dropped unseen (as the host drops it, RFC 9293 3.4).
/// </remarks>
sealed class Conversations<TSink>
    where TSink : struct, IEventSink
{
    public const int Capacity = 4096;

    /// <summary>Segments whose start is looked at for a protocol that begins later (behind SOCKS, CONNECT, an upgrade, STARTTLS).</summary>
    const int MaximumLooks = 16;

    /// <summary>Segments of a connection picked up in the middle that are looked at like first ones.</summary>
    const int MidwayLooks = 8;

    /// <summary>DNS messages are small; longer DATA is not looked at.</summary>
    const int MaximumHttp2Message = 4096;

    readonly BufferPool _buffers;
    readonly long[] _faults;
    readonly Emitter<TSink> _emitter;
    readonly DnsTransactions<TSink> _dns;
    readonly HttpConversation<TSink> _http;
    readonly TlsConversation<TSink> _tls;
    readonly TunnelTable _tunnels;
    readonly FlowDetails _details;
    readonly Conversation[] _pool = new Conversation[Capacity];
    readonly int[] _free = new int[Capacity];
    int _freeCount = Capacity;

    public Conversations(Emitter<TSink> emitter, BufferPool buffers, long[] faults, DnsTransactions<TSink> dns, TlsConversation<TSink> tls, TunnelTable tunnels, FlowDetails details)
    {
        _emitter = emitter;
        _buffers = buffers;
        _faults = faults;
        _dns = dns;
        _http = new HttpConversation<TSink>(emitter, buffers, faults);
        _tls = tls;
        _tunnels = tunnels;
        _details = details;
        for (int i = 0; i < Capacity; i++)
        {
            _pool[i] = new Conversation();
            _free[i] = Capacity - 1 - i;
        }
    }

    public int InUse => Capacity - _freeCount;

    /// <summary>One segment with payload of a flow whose content is not done.</summary>
    public void OnSegment(ref Flow flow, int direction, uint sequence, ReadOnlySpan<byte> payload, long timestamp, long tick)
    {
        if (flow.Conversation == FlowTable.None)
        {
            if (TryBegin(ref flow, direction, sequence, payload)) return;
            if (!TryOpen(ref flow)) return;
        }
        Conversation c = _pool[flow.Conversation];
        c.Timestamp = timestamp;
        c.Tick = tick;
        Receive(c, direction, sequence, payload);
        if (c.ReadsAhead)
        {
            c.ReadsAhead = false;
            if (direction == 1 && c.Kind != ConversationKind.Done) Drain(c, 0, ref c.Out);
        }
        Settle(ref flow, c);
    }

    /// <summary>The peer has acknowledged up to <paramref name="acknowledgment"/>: what we still miss before that will not come.</summary>
    public void OnAcknowledgment(ref Flow flow, int direction, uint acknowledgment, long timestamp, long tick)
    {
        Conversation c = _pool[flow.Conversation];
        ref StreamWindow window = ref direction == 0 ? ref c.In : ref c.Out;
        if (direction == 1) c.ServerHas = acknowledgment;
        if (!IsPast(acknowledgment, window)) return;
        c.Timestamp = timestamp;
        c.Tick = tick;
        while (c.Kind != ConversationKind.Done && IsPast(acknowledgment, window)) PassHole(c, 1 - direction, ref window);
        Settle(ref flow, c);
    }

    /// <summary>There is a hole, and the acknowledgment covers all of it.</summary>
    static bool IsPast(uint acknowledgment, in StreamWindow window) =>
        window.HasHole && (int)(acknowledgment - (window.Next + (uint)window.Received.HoleEnd)) >= 0;

    /// <summary>Something is held that a late segment may still complete.</summary>
    public bool IsWaiting(in Flow flow)
    {
        Conversation c = _pool[flow.Conversation];
        return c.Out.HasHole || c.In.HasHole;
    }

    /// <summary>The flow is over: whatever its parser holds is emitted, and its buffers go back.</summary>
    public void Close(ref Flow flow)
    {
        if (flow.Conversation == FlowTable.None) return;
        Conversation c = _pool[flow.Conversation];
        // Nothing will fill the holes any more; what came behind them still counts.
        while (c.Kind != ConversationKind.Done && c.Out.HasHole) PassHole(c, 0, ref c.Out);
        while (c.Kind != ConversationKind.Done && c.In.HasHole) PassHole(c, 1, ref c.In);
        if (c.Kind == ConversationKind.Http && _http.TryAssumeTunnel(c)) Drain(c, 0, ref c.Out);
        switch (c.Kind)
        {
            case ConversationKind.Http:
                _http.Close(c);
                break;
            case ConversationKind.Tls:
                _tls.Finish(c);
                break;
        }
        c.Kind = ConversationKind.Done;
        Settle(ref flow, c);
    }

    /// <summary>Looks at the first bytes of a side without opening a conversation; true when none is needed (yet).</summary>
    bool TryBegin(ref Flow flow, int direction, uint sequence, ReadOnlySpan<byte> payload)
    {
        ContentState started = direction == 0 ? ContentState.OutStarted : ContentState.InStarted;
        ref uint next = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        if ((flow.Content & started) == 0)
        {
            next = sequence;
            flow.Content |= started;
        }
        int ahead = (int)(sequence - next);
        if (ahead < 0)
        {
            // A retransmission; only what it has beyond the bytes that have been passed is new.
            if (ahead + payload.Length <= 0) return true;
            payload = payload[-ahead..];
            sequence = next;
        }
        ContentState unknown = direction == 0 ? ContentState.OutUnknown : ContentState.InUnknown;
        if ((flow.Content & unknown) != 0)
        {
            // Many protocols begin in the clear and change to TLS (LDAP, XMPP, MySQL, PostgreSQL, RDP, …): a hello tells, without knowing them.
            next = sequence;
            if (Recognizer.IsTlsHello(payload, direction)) return false;
            if (IsMidway(flow) && flow.Looks < MidwayLooks && TryMidway(ref flow, direction, payload, out bool parse))
            {
                if (!parse) return true;
                flow.Content &= ~unknown;
                return false;
            }
            next += (uint)payload.Length;
            if (++flow.Looks >= MaximumLooks) flow.Content |= ContentState.Done;
            return true;
        }
        // A hole right at the start needs a window.
        if (sequence != next) return false;
        switch (Recognizer.Tcp(payload, direction, flow.ServerPort, flow.ClientPort, out App app, out _))
        {
            case Recognition.Name:
                flow.App = app;
                if (app == App.Stratum) flow.Notes |= FlowNotes.Mining;
                flow.Content |= ContentState.Done;
                return true;
            case Recognition.Watch:
                flow.App = app;
                next += (uint)payload.Length;
                flow.Content |= ContentState.OutUnknown | ContentState.InUnknown;
                return true;
            case Recognition.No:
                next += (uint)payload.Length;
                flow.Content |= unknown;
                if (IsMidway(flow)) NameMidway(ref flow, direction, payload);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Picked up without its SYN, and nothing known of it yet: then a later segment may begin with a message that is known.</summary>
    static bool IsMidway(in Flow flow) => (flow.Notes & FlowNotes.Midstream) != 0 && flow.App == App.Unknown;

    /// <summary>True when the segment has a name for the flow, or a parser that is to begin here.</summary>
    static bool TryMidway(ref Flow flow, int direction, ReadOnlySpan<byte> payload, out bool parse)
    {
        parse = false;
        switch (Recognizer.Tcp(payload, direction, flow.ServerPort, flow.ClientPort, out App app, out _))
        {
            case Recognition.Parse:
                parse = true;
                return true;
            case Recognition.Name or Recognition.Watch:
                NameFlow(ref flow, app);
                return true;
            default:
                NameMidway(ref flow, direction, payload);
                return flow.App != App.Unknown;
        }
    }

    static void NameMidway(ref Flow flow, int direction, ReadOnlySpan<byte> payload)
    {
        App app = Recognizer.Midway(payload, direction, flow.ServerPort, flow.ClientPort);
        if (app != App.Unknown) NameFlow(ref flow, app);
    }

    static void NameFlow(ref Flow flow, App app)
    {
        flow.App = app;
        if (app == App.Stratum) flow.Notes |= FlowNotes.Mining;
        flow.Content |= ContentState.Done;
    }

    bool TryOpen(ref Flow flow)
    {
        if (_freeCount == 0)
        {
            _faults[(int)DecodeFault.StreamBuffersExhausted]++;
            flow.Content |= ContentState.Done;
            return false;
        }
        flow.Conversation = _free[--_freeCount];
        Conversation c = _pool[flow.Conversation];
        c.Open(new EventContext
        {
            Timestamp = flow.FirstTimestamp,
            Tick = flow.FirstTick,
            Source = flow.Client,
            Destination = flow.Server,
            SourcePort = flow.ClientPort,
            DestinationPort = flow.ServerPort,
            Protocol = flow.Protocol,
            Vlan = flow.Vlan,
            Tunnel = _tunnels[flow.Tunnel],
        });
        c.Scope = flow.Scope;
        c.IsLate = (flow.Content & (ContentState.OutUnknown | ContentState.InUnknown)) != 0;
        c.Out = StreamWindow.At(flow.NextOut);
        c.In = StreamWindow.At(flow.NextIn);
        c.OutStarted = (flow.Content & ContentState.OutStarted) != 0;
        c.ServerHas = flow.NextOut;
        c.InStarted = (flow.Content & ContentState.InStarted) != 0;
        return true;
    }

    void Settle(ref Flow flow, Conversation c)
    {
        // Handed over once: a slice of the flow clears its own.
        flow.Notes |= c.Notes;
        c.Notes = FlowNotes.None;
        if (c.HasFound) HandOver(ref flow, c);
        // What comes behind SOCKS or a NetBIOS session is the better name; so is what a hello says about the TLS that carries it, and what HTTP changed to.
        if (c.App != App.Unknown && (flow.App is App.Unknown or App.Socks or App.Netbios || (flow.App == App.Ftp && c.App == App.Smtp) || (flow.App is App.Tls or App.Http2 && c.App is App.Dot or App.Doh or App.Tor)
            || (flow.App == App.Http && c.App is App.WebSocket or App.Http2))) flow.App = c.App;
        if (c.HasJa3 && !flow.HasJa3)
        {
            flow.HasJa3 = true;
            flow.Ja3 = c.Ja3;
        }
        flow.WantsAcknowledgments = !c.Out.HoldsNothing || !c.In.HoldsNothing;
        if (c.Kind != ConversationKind.Done) return;
        c.Out.Release(_buffers);
        c.In.Release(_buffers);
        _free[_freeCount++] = flow.Conversation;
        flow.Conversation = FlowTable.None;
        flow.Content |= ContentState.Done;
    }

    void HandOver(ref Flow flow, Conversation c)
    {
        if (_details.TryRent(ref flow)) _details[flow.Details].Add(c.Found);
        c.Found = default;
        c.HasFound = false;
    }

    void Receive(Conversation c, int direction, uint sequence, ReadOnlySpan<byte> payload)
    {
        ref StreamWindow window = ref direction == 0 ? ref c.Out : ref c.In;
        ref bool started = ref direction == 0 ? ref c.OutStarted : ref c.InStarted;
        if (!started)
        {
            window = StreamWindow.At(sequence);
            started = true;
        }
        if (!window.TryTrim(sequence, ref payload, out int offset))
        {
            if (direction == 1 && window.Skip == 0 && c.Kind == ConversationKind.Http) _http.OnBodyPassed(c);
            return;
        }
        if (offset == 0 && window.HoldsNothing)
        {
            // The common case: nothing waits, so the parser reads the packet itself.
            int consumed = Parse(c, direction, payload, ref window);
            if (c.Kind == ConversationKind.Done) return;
            ReadOnlySpan<byte> rest = payload[consumed..];
            if (!rest.IsEmpty) Hold(c, direction, ref window, 0, rest);
            return;
        }
        if (!Hold(c, direction, ref window, offset, payload)) return;
        Drain(c, direction, ref window);
    }

    /// <summary>Lays bytes into the window; when it cannot, what was missing before them is given up.</summary>
    bool Hold(Conversation c, int direction, ref StreamWindow window, int offset, ReadOnlySpan<byte> bytes)
    {
        if (offset + bytes.Length > BufferPool.MaximumSize)
        {
            _faults[(int)DecodeFault.StreamWindowExceeded]++;
            return Restart(c, direction, ref window, offset, bytes);
        }
        if (!_buffers.TryGrow(ref window.Buffer, offset + bytes.Length, window.Received.End))
        {
            _faults[(int)DecodeFault.StreamBuffersExhausted]++;
            GiveUp(c);
            return false;
        }
        if (!window.Received.TryLay(_buffers[window.Buffer], offset, bytes, out bool differs))
        {
            _faults[(int)DecodeFault.StreamSegmentsTooMany]++;
            return Restart(c, direction, ref window, offset, bytes);
        }
        if (differs) OnOverlapDiffers(c);
        return true;
    }

    /// <summary>The bytes that came first stay. Every time is counted; the event and the note come once a connection.</summary>
    void OnOverlapDiffers(Conversation c)
    {
        _faults[(int)DecodeFault.StreamOverlapDiffers]++;
        if (c.IsAmbiguous) return;
        c.IsAmbiguous = true;
        c.Notes |= FlowNotes.Ambiguous;
        EventContext context = c.Context;
        context.Timestamp = c.Timestamp;
        context.Tick = c.Tick;
        _emitter.Anomaly(new AnomalyEvent { Context = context, Fault = DecodeFault.StreamOverlapDiffers });
    }

    bool Restart(Conversation c, int direction, ref StreamWindow window, int offset, ReadOnlySpan<byte> bytes)
    {
        window.Release(_buffers);
        window.Next += (uint)offset;
        Gap(c, direction);
        if (c.Kind == ConversationKind.Done) return false;
        int consumed = Parse(c, direction, bytes, ref window);
        if (c.Kind == ConversationKind.Done) return false;
        ReadOnlySpan<byte> rest = bytes[consumed..];
        if (rest.IsEmpty) return false;
        if (!_buffers.TryGrow(ref window.Buffer, rest.Length, 0))
        {
            _faults[(int)DecodeFault.StreamBuffersExhausted]++;
            GiveUp(c);
            return false;
        }
        return window.Received.TryLay(_buffers[window.Buffer], 0, rest, out _);
    }

    /// <summary>Parses what is ready in the window until the parser wants more or nothing is left.</summary>
    void Drain(Conversation c, int direction, ref StreamWindow window)
    {
        while (window.Received.Ready > 0)
        {
            ReadOnlySpan<byte> ready = _buffers[window.Buffer][..window.Received.Ready];
            uint before = window.Next;
            // Parse moves Next by what it consumed; the window's bytes follow here.
            int consumed = Parse(c, direction, ready, ref window);
            if (c.Kind == ConversationKind.Done) return;
            window.Next = before;
            window.Consume(_buffers, consumed);
            window.ApplySkip(_buffers);
            if (direction == 1 && window.Skip == 0 && c.Kind == ConversationKind.Http) _http.OnBodyPassed(c);
            if (consumed == 0) break;
        }
        if (window.Received.Ready >= BufferPool.MaximumSize - 1)
        {
            // The parser wants more in one piece than a window holds.
            _faults[(int)DecodeFault.StreamWindowExceeded]++;
            GiveUp(c);
        }
    }

    /// <summary>Gives bytes to the parser until it stops; returns how many it took, and leaves Next and Skip of the window as they must be then.</summary>
    int Parse(Conversation c, int direction, ReadOnlySpan<byte> bytes, ref StreamWindow window)
    {
        int at = 0;
        while (at < bytes.Length && c.Kind != ConversationKind.Done)
        {
            (ConversationKind kind, App before) = (c.Kind, c.App);
            int n = Dispatch(c, direction, bytes[at..], out long skip);
            at += n;
            if (c.Kind == ConversationKind.Tls && kind is ConversationKind.Text or ConversationKind.Tunnel)
            {
                c.Tls.Notes |= TlsNotes.Upgraded;
                // A proxy's tunnel is TLS from its start; the others changed.
                if (before is not (App.Socks or App.Http or App.HttpProxy or App.Netbios or App.Unknown)) c.Notes |= FlowNotes.StartTls;
            }
            if (skip > 0)
            {
                int here = (int)Math.Min(skip, bytes.Length - at);
                at += here;
                if (skip > here)
                {
                    window.Skip = skip - here;
                    break;
                }
                if (direction == 1 && c.Kind == ConversationKind.Http) _http.OnBodyPassed(c);
            }
            if (n == 0 && skip == 0 && c.Kind == kind) break;
        }
        window.Next += (uint)at;
        return at;
    }

    int Dispatch(Conversation c, int direction, ReadOnlySpan<byte> bytes, out long skip)
    {
        skip = 0;
        switch (c.Kind)
        {
            case ConversationKind.Http:
                return direction == 0 ? _http.OnRequestBytes(c, bytes, out skip) : _http.OnResponseBytes(c, bytes, out skip);
            case ConversationKind.Tls:
                return direction == 0 ? _tls.OnClientBytes(c, bytes) : _tls.OnServerBytes(c, bytes);
            case ConversationKind.Dns:
                return OnDns(c, direction, bytes);
            case ConversationKind.Http2:
                return OnHttp2(c, direction, bytes, out skip);
            case ConversationKind.Text:
                return TextConversation.OnBytes(c, direction, bytes);
            case ConversationKind.Ssh:
                return SshConversation.OnBytes(c, direction, bytes, _faults);
            default:
                return Decide(c, direction, bytes);
        }
    }

    int Decide(Conversation c, int direction, ReadOnlySpan<byte> bytes)
    {
        // Known already: only a hello is looked for.
        if (c.Kind == ConversationKind.Tunnel && Recognizer.MayTurnToTls(c.App) && !Recognizer.IsTlsHello(bytes, direction)) return PassUnknown(c, bytes.Length);
        switch (Recognizer.Tcp(bytes, direction, c.Context.DestinationPort, c.Context.SourcePort, out App app, out ConversationKind kind))
        {
            case Recognition.NeedMore:
                return 0;
            case Recognition.Watch:
                c.App = app;
                c.Kind = ConversationKind.Tunnel;
                c.Looks = 0;
                return bytes.Length;
            case Recognition.Parse when c.Kind == ConversationKind.Tunnel && kind == ConversationKind.Tunnel:
                return bytes.Length;
            case Recognition.Parse:
                if (kind == ConversationKind.Tls && (c.IsLate || c.Looks > 0 || c.App != App.Unknown)) c.Tls.Notes |= TlsNotes.Upgraded;
                c.App = app;
                c.Kind = kind;
                c.Looks = 0;
                // A tunnel's greeting is passed over; what it carries begins later.
                return kind == ConversationKind.Tunnel ? bytes.Length : 0;
            case Recognition.Name:
                c.App = app;
                if (app == App.Stratum) c.Notes |= FlowNotes.Mining;
                c.Kind = ConversationKind.Done;
                return bytes.Length;
            default:
                return PassUnknown(c, bytes.Length);
        }
    }

    static int PassUnknown(Conversation c, int length)
    {
        if (++c.Looks >= MaximumLooks) c.Kind = ConversationKind.Done;
        return length;
    }

    int OnDns(Conversation c, int direction, ReadOnlySpan<byte> bytes)
    {
        // The length is taken off first, so that the longest message still fits a window.
        ref int length = ref direction == 0 ? ref c.OutMessage : ref c.InMessage;
        if (length < 0)
        {
            if (bytes.Length < 2) return 0;
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            return 2;
        }
        if (bytes.Length < length) return 0;
        int end = length;
        length = -1;
        DecodeFault fault = OnDnsMessage(c, direction, bytes[..end]);
        if (fault != DecodeFault.None)
        {
            _faults[(int)fault]++;
            // Not DNS after all, or out of step: lengths can no longer be trusted.
            c.Kind = ConversationKind.Done;
        }
        return end;
    }

    DecodeFault OnDnsMessage(Conversation c, int direction, ReadOnlySpan<byte> message)
    {
        EventContext context = c.Context;
        context.Timestamp = c.Timestamp;
        context.Tick = c.Tick;
        if (direction == 1)
        {
            (context.Source, context.Destination) = (context.Destination, context.Source);
            (context.SourcePort, context.DestinationPort) = (context.DestinationPort, context.SourcePort);
        }
        return _dns.OnMessage(context, c.Scope, message, c.Kind == ConversationKind.Http2 ? App.Doh : App.Dns);
    }

    /// <summary>
    /// DNS over HTTPS (RFC 8484) where something before us has taken the TLS away: a message is the whole content of a POST or of its response,
    /// and in practice of one DATA frame. Other frames are passed over.
    /// </summary>
    int OnHttp2(Conversation c, int direction, ReadOnlySpan<byte> bytes, out long skip)
    {
        skip = 0;
        if (bytes.StartsWith(Http2FrameHeader.Preface)) return Http2FrameHeader.Preface.Length;
        if (Http2FrameHeader.Preface.StartsWith(bytes) || !Http2FrameHeader.TryRead(bytes, out Http2FrameHeader frame)) return 0;
        if (frame.Type != Http2FrameHeader.Data || frame.Length is < DnsMessage.HeaderLength or > MaximumHttp2Message)
        {
            // Content that is no DNS, again and again: another use of HTTP/2.
            if (frame.Type == Http2FrameHeader.Data && ++c.Looks >= MaximumLooks) c.Kind = ConversationKind.Done;
            skip = frame.Length;
            return Http2FrameHeader.HeaderLength;
        }
        int end = Http2FrameHeader.HeaderLength + frame.Length;
        if (bytes.Length < end) return 0;
        ReadOnlySpan<byte> content = frame.Content(bytes[Http2FrameHeader.HeaderLength..end]);
        if (DnsMessage.LooksLikeDns(content) && OnDnsMessage(c, direction, content) == DecodeFault.None) (c.App, c.Looks) = (App.Doh, 0);
        else if (++c.Looks >= MaximumLooks) c.Kind = ConversationKind.Done;
        return end;
    }

    void PassHole(Conversation c, int direction, ref StreamWindow window)
    {
        _faults[(int)DecodeFault.StreamGap]++;
        c.Notes |= FlowNotes.MissedBytes;
        window.Consume(_buffers, window.Received.HoleEnd);
        Gap(c, direction);
        if (c.Kind != ConversationKind.Done) Drain(c, direction, ref window);
    }

    void Gap(Conversation c, int direction)
    {
        switch (c.Kind)
        {
            case ConversationKind.Http:
                _http.OnGap(c, direction);
                break;
            case ConversationKind.Text:
                TextConversation.OnGap(c, direction);
                break;
            case ConversationKind.Tunnel:
                break;
            case ConversationKind.Tls:
                _tls.Finish(c);
                break;
            default:
                c.Kind = ConversationKind.Done;
                break;
        }
    }

    void GiveUp(Conversation c)
    {
        if (c.Kind == ConversationKind.Http) _http.Close(c);
        else if (c.Kind == ConversationKind.Tls) _tls.Finish(c);
        c.Kind = ConversationKind.Done;
    }
}
