using Nfr.Wire;

namespace Nfr.Events;

/// <summary>HTTP/1.x, RFC 9112: pairs each request with its final response and emits one event for both.</summary>
sealed class HttpConversation<TSink>(Emitter<TSink> emitter, BufferPool buffers, long[] faults)
    where TSink : struct, IEventSink
{
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
        }
        ReadState state = HttpRequestHead.TryRead(bytes, out HttpRequestHead head, out int length, out DecodeFault fault);
        if (state == ReadState.NeedMore) return 0;
        if (state != ReadState.Complete)
        {
            Lose(ref s.Requests, fault);
            return bytes.Length;
        }
        if (head.HasInvalidLine) faults[(int)DecodeFault.HttpHeaderInvalid]++;
        _waiting.Add(c, head);
        s.AwaitsContinue = head.ExpectsContinue && head.Body != HttpBody.None;
        s.Announced = head.Body == HttpBody.ContentLength ? head.ContentLength : -1;
        switch (head.Body)
        {
            case HttpBody.ContentLength:
                skip = head.ContentLength;
                _waiting.SetBody(ref s, head.ContentLength);
                break;
            case HttpBody.Chunked:
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
            // Nothing of HTTP follows on this connection, or it begins anew inside the tunnel.
            Close(c);
            s = HttpState.New();
            c.Kind = ConversationKind.Tunnel;
            c.Looks = 0;
        }
        return length;
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
