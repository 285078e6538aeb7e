using Nfr.Wire;

namespace Nfr.Events;

/// <summary>The client's side.</summary>
sealed partial class HttpConversation<TSink>
{
    /// <summary>Bytes that a client may send ahead of the answer to CONNECT; with more it has seen one that we have not.</summary>
    const int MaximumAhead = 4096;

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

    void Ask(Conversation c, in HttpRequestHead head)
    {
        ref HttpState s = ref c.Http;
        _waiting.Add(c, head);
        s.HasVersion |= !head.IsSimple;
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
        // The server has had more than we: the rest is late, or lost. One more may be the client's FIN.
        if ((int)(c.ServerHas - (c.Out.Next + (uint)c.Out.Received.Ready)) > 1) return;
        ReadOnlySpan<byte> held = buffers[c.Out.Buffer][..c.Out.Received.Ready];
        if (!HttpRequestHead.TryReadCut(held, out HttpRequestHead head) || !(isAnswered || (head.IsSimple && !c.Http.HasVersion))) return;
        int length = held.Length;
        Ask(c, head);
        c.Http.Requests = HttpPhase.Lost;
        c.Out.Consume(buffers, length);
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
