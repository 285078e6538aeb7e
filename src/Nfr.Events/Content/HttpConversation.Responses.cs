using Nfr.Wire;

namespace Nfr.Events;

/// <summary>The server's side.</summary>
sealed partial class HttpConversation<TSink>
{
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

    /// <summary>The side's window has passed the whole of an announced body.</summary>
    public void OnBodyPassed(Conversation c)
    {
        if (c.Http.Responses != HttpPhase.Body) return;
        c.Http.BodyLength = c.Http.BodyExpected;
        Finish(c);
        c.Http.Responses = HttpPhase.Head;
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
}
