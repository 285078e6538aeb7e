using Nfr.Wire;

namespace Nfr.Events;

/// <summary>HTTP/1.x, RFC 9112: pairs each request with its final response and emits one event for both.</summary>
sealed class HttpConversation<TSink>(Emitter<TSink> emitter, BufferPool buffers, long[] faults)
    where TSink : struct, IEventSink
{
    /// <summary>Bytes that a client may send ahead of the answer to CONNECT; with more it has seen one that we have not.</summary>
    const int MaximumAhead = 4096;

    readonly WaitingRequests<TSink> _waiting = new(emitter, buffers, faults);

    /// <summary>Consumes what it can from the front of the client's bytes; <paramref name="skip"/> = body bytes that need not be shown.</summary>
    public int OnRequestBytes(Conversation c, ReadOnlySpan<byte> bytes, out long skip)
    {
        skip = 0;
        ref HttpState s = ref c.Http;
        switch (s.Requests)
        {
            case HttpPhase.Chunks:
            {
                int n = s.RequestChunks.Read(bytes);
                _waiting.SetBody(ref s, s.RequestChunks.DataLength);
                if (s.RequestChunks.Fault != DecodeFault.None) Lose(ref s.Requests, s.RequestChunks.Fault);
                else if (s.RequestChunks.IsComplete) s.Requests = HttpPhase.Head;
                else
                {
                    // The rest of a chunk's data is not worth buffering nor looking at.
                    skip = s.RequestChunks.SkipLength;
                    s.RequestChunks.Skip(skip);
                    _waiting.SetBody(ref s, s.RequestChunks.DataLength);
                }
                return n;
            }
            case HttpPhase.Lost:
                if (!HttpRequestHead.LooksLikeRequest(bytes)) return bytes.Length;
                s.Requests = HttpPhase.Head;
                break;
            case HttpPhase.Tunnel:
                if (bytes.Length >= MaximumAhead) OpenTunnel(c, default);
                return 0;
        }
        ReadState state = HttpRequestHead.TryRead(bytes, out HttpRequestHead head, out int length, out DecodeFault fault);
        if (state == ReadState.NeedMore) return 0;
        if (state != ReadState.Complete)
        {
            Lose(ref s.Requests, fault);
            return bytes.Length;
        }
        if (head.HasInvalidLine) faults[(int)DecodeFault.HttpHeaderInvalid]++;
        Ask(c, head);
        s.AwaitsContinue = head.ExpectsContinue && head.Body != HttpBody.None;
        s.Announced = head.Body == HttpBody.ContentLength ? head.ContentLength : -1;
        switch (head.Body)
        {
            case HttpBody.ContentLength when s.Requests == HttpPhase.Head:
                skip = head.ContentLength;
                _waiting.SetBody(ref s, head.ContentLength);
                break;
            case HttpBody.Chunked when s.Requests == HttpPhase.Head:
                s.Requests = HttpPhase.Chunks;
                s.RequestChunks = default;
                break;
        }
        return length;
    }

    /// <summary>The server's bytes; may change <see cref="Conversation.Kind"/> to a tunnel.</summary>
    public int OnResponseBytes(Conversation c, ReadOnlySpan<byte> bytes, out long skip)
    {
        skip = 0;
        ref HttpState s = ref c.Http;
        switch (s.Responses)
        {
            case HttpPhase.Chunks:
            {
                int n = s.ResponseChunks.Read(bytes);
                if (s.ResponseChunks.Fault != DecodeFault.None)
                {
                    s.BodyLength = s.ResponseChunks.DataLength;
                    Finish(c);
                    Lose(ref s.Responses, s.ResponseChunks.Fault);
                }
                else if (s.ResponseChunks.IsComplete)
                {
                    s.BodyLength = s.ResponseChunks.DataLength;
                    Finish(c);
                    s.Responses = HttpPhase.Head;
                }
                else
                {
                    skip = s.ResponseChunks.SkipLength;
                    s.ResponseChunks.Skip(skip);
                }
                return n;
            }
            case HttpPhase.Body:
                // The announced length has been skipped; what stands here begins the next message.
                s.BodyLength = s.BodyExpected;
                Finish(c);
                s.Responses = HttpPhase.Head;
                break;
            case HttpPhase.UntilClose:
                s.BodyLength += bytes.Length;
                return bytes.Length;
            case HttpPhase.Lost:
                if (!HttpResponseHead.LooksLikeResponse(bytes)) return bytes.Length;
                s.Responses = HttpPhase.Head;
                break;
        }
        if (s.PendingCount == 0) TakeCut(c, HttpResponseHead.LooksLikeResponse(bytes));
        if (s.PendingCount > 0 && _waiting.First(s).IsSimple && !HttpResponseHead.LooksLikeResponse(bytes))
        {
            // RFC 1945 6: no head, and the body is all that comes.
            if (HttpResponseHead.MayBecomeResponse(bytes)) return 0;
            (s.Status, s.BodyLength, s.ContentTypeLength) = (0, bytes.Length, 0);
            s.ResponseOpen = true;
            s.Responses = HttpPhase.UntilClose;
            return bytes.Length;
        }
        ReadState state = HttpResponseHead.TryRead(bytes, out HttpResponseHead head, out int length, out DecodeFault fault);
        if (state == ReadState.NeedMore) return 0;
        if (state != ReadState.Complete)
        {
            Lose(ref s.Responses, fault);
            return bytes.Length;
        }
        if (head.HasInvalidLine) faults[(int)DecodeFault.HttpHeaderInvalid]++;
        if (head.IsInterim)
        {
            s.AwaitsContinue = false;
            return length;
        }
        PendingRequest request = _waiting.Asked(ref s);
        if (s.AwaitsContinue && s.Sending == 0) Refuse(c);
        if (request.Notes != FlowNotes.None) _waiting.Note(ref s, HttpLogIn.OnStatus(c, head.StatusCode));
        s.Status = (ushort)head.StatusCode;
        s.BodyLength = 0;
        s.BodyExpected = 0;
        s.ResponseOpen = true;
        ReadOnlySpan<byte> type = head.ContentType;
        if (type.Length > 128) type = type[..128];
        s.ContentTypeLength = (ushort)type.Length;
        type.CopyTo(s.ContentType);
        bool switches = head.SwitchesProtocol(request.IsConnect);
        switch (head.Body(request.IsHead, request.IsConnect))
        {
            case HttpBody.ContentLength:
                s.Responses = HttpPhase.Body;
                s.BodyExpected = head.ContentLength;
                skip = head.ContentLength;
                break;
            case HttpBody.Chunked:
                s.Responses = HttpPhase.Chunks;
                s.ResponseChunks = default;
                break;
            case HttpBody.UntilClose:
                s.Responses = HttpPhase.UntilClose;
                break;
            default:
                Finish(c);
                break;
        }
        if (switches)
        {
            OpenTunnel(c, head.Upgrade);
        }
        else if (request.IsConnect && s.Requests == HttpPhase.Tunnel)
        {
            s.Requests = HttpPhase.Head;
            c.ReadsAhead = true;
        }
        return length;
    }

    void Ask(Conversation c, in HttpRequestHead head)
    {
        ref HttpState s = ref c.Http;
        _waiting.Add(c, head);
        if (head.IsConnect)
        {
            s.Requests = HttpPhase.Tunnel;
        }
        else if (head.IsSimple)
        {
            // It is the only one of its connection (RFC 1945 1.3), and what came before it answers nothing (RFC 9112 9.2).
            s.Requests = HttpPhase.Lost;
            if (s.PendingCount > 1) return;
            s.Responses = HttpPhase.Head;
            s.ResponseOpen = false;
            c.In.Skip = 0;
        }
    }

    /// <summary>The server answers a head that has not come to its end: that is the request then. Without an answer only a simple one is, which ends with its line.</summary>
    void TakeCut(Conversation c, bool isAnswered)
    {
        if (c.Http.Requests != HttpPhase.Head || c.Out.HasHole || c.Out.Received.Ready == 0) return;
        ReadOnlySpan<byte> held = buffers[c.Out.Buffer][..c.Out.Received.Ready];
        if (!HttpRequestHead.TryReadCut(held, out HttpRequestHead head) || !(isAnswered || head.IsSimple)) return;
        int length = held.Length;
        Ask(c, head);
        c.Http.Requests = HttpPhase.Lost;
        c.Out.Consume(buffers, length);
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

    /// <summary>The side's window has passed the whole of an announced body.</summary>
    public void OnBodyPassed(Conversation c)
    {
        if (c.Http.Responses != HttpPhase.Body) return;
        c.Http.BodyLength = c.Http.BodyExpected;
        Finish(c);
        c.Http.Responses = HttpPhase.Head;
    }

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

    /// <summary>Finishes a response in the middle of its body, which is counted as far as it came.</summary>
    void CloseResponse(Conversation c)
    {
        ref HttpState s = ref c.Http;
        if (!s.ResponseOpen) return;
        if (s.Responses == HttpPhase.Body) s.BodyLength = Math.Max(0, s.BodyExpected - c.In.Skip);
        if (s.Responses == HttpPhase.Chunks) s.BodyLength = Math.Max(0, s.ResponseChunks.DataLength - c.In.Skip);
        Finish(c);
    }

    void Lose(ref HttpPhase phase, DecodeFault fault)
    {
        faults[(int)fault]++;
        phase = HttpPhase.Lost;
    }

    void Finish(Conversation c)
    {
        ref HttpState s = ref c.Http;
        s.ResponseOpen = false;
        bool unasked = s.AnswersGap || s.PendingCount == 0;
        s.AnswersGap = false;
        if (unasked) return;
        ReadOnlySpan<byte> type = s.ContentType;
        _waiting.Emit(c, s.Status, s.BodyLength, type[..s.ContentTypeLength]);
    }

    /// <summary>
    /// RFC 9110 10.1.1: a final response instead of 100 (Continue), and no byte of the body so far: the client may leave it out. What comes next is
    /// looked at for a request.
    /// </summary>
    void Refuse(Conversation c)
    {
        ref HttpState s = ref c.Http;
        s.AwaitsContinue = false;
        bool isUntouched = s.Announced >= 0 ? c.Out.Skip == s.Announced : s.Requests == HttpPhase.Chunks && !s.RequestChunks.HasBegun;
        if (!isUntouched) return;
        _waiting.SetBody(ref s, 0);
        c.Out.Skip = 0;
        s.Requests = HttpPhase.Lost;
    }
}
