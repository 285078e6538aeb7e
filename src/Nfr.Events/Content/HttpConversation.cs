using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>Where one side of an HTTP/1.x connection stands.</summary>
enum HttpPhase : byte
{
    Head,
    Body,
    Chunks,
    UntilClose,
    /// <summary>Bytes were missed inside a head: wait for a segment that starts with one.</summary>
    Lost,
}

/// <summary>The state of an HTTP/1.x connection; requests that wait for their response lie packed in one rented buffer.</summary>
struct HttpState
{
    public HttpPhase Requests;
    public HttpPhase Responses;
    public HttpChunkReader RequestChunks;
    public HttpChunkReader ResponseChunks;
    /// <summary>Packed requests, oldest first, and how many bytes of the buffer they take.</summary>
    public int Pending;
    public int PendingLength;
    public int PendingCount;
    /// <summary>Where in the buffer the request lies whose body is being sent; -1 none.</summary>
    public int Sending;

    // The response being received.
    public ushort Status;
    public long BodyLength;
    public long BodyExpected;
    public bool ResponseOpen;
    /// <summary>It answers a request that was missed.</summary>
    public bool AnswersGap;
    /// <summary>A response has come that no request was seen for; the gap where that was has not been passed yet.</summary>
    public bool Unasked;
    /// <summary>The last request waits for 100 (Continue) before its body, and none of the body has come.</summary>
    public bool AwaitsContinue;
    public long Announced;
    public ushort ContentTypeLength;
    public ContentTypeText ContentType;

    [InlineArray(128)]
    public struct ContentTypeText
    {
        byte _first;
    }

    public static HttpState New() => new() { Pending = BufferPool.None, Sending = -1 };
}

/// <summary>A request as it waits: this, then URL, host, method, referrer, user agent and the request's own content type.</summary>
struct PendingRequest
{
    public long Timestamp;
    public long Tick;
    public long BodyLength;
    public int Length;
    public ushort Url;
    public ushort Host;
    public ushort Method;
    public ushort Referrer;
    public ushort UserAgent;
    public FlowNotes Notes;
    public bool IsHead;
    public bool IsConnect;
    /// <summary>No request but a place where bytes were missed: one or more may have been there.</summary>
    public bool IsGap;
    /// <summary>A response has come for it.</summary>
    public bool IsAnswered;
}

/// <summary>HTTP/1.x, RFC 9112: pairs each request with its final response and emits one event for both.</summary>
sealed class HttpConversation<TSink>(Emitter<TSink> emitter, BufferPool buffers, long[] faults)
    where TSink : struct, IEventSink
{
    /// <summary>More requests than this without a response are no pipelining; the oldest is let go with what is known.</summary>
    const int MaximumPending = 32;

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
                SetRequestBody(ref s, s.RequestChunks.DataLength);
                if (s.RequestChunks.Fault != DecodeFault.None) Lose(ref s.Requests, s.RequestChunks.Fault);
                else if (s.RequestChunks.IsComplete) s.Requests = HttpPhase.Head;
                else
                {
                    // The rest of a chunk's data is not worth buffering nor looking at.
                    skip = s.RequestChunks.SkipLength;
                    s.RequestChunks.Skip(skip);
                    SetRequestBody(ref s, s.RequestChunks.DataLength);
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
        Remember(c, head);
        s.AwaitsContinue = head.ExpectsContinue && head.Body != HttpBody.None;
        s.Announced = head.Body == HttpBody.ContentLength ? head.ContentLength : -1;
        switch (head.Body)
        {
            case HttpBody.ContentLength:
                skip = head.ContentLength;
                SetRequestBody(ref s, head.ContentLength);
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
        PendingRequest request = Asked(ref s);
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
            if (c.Http.Requests == HttpPhase.Head) RememberGap(ref c.Http);
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
        ref HttpState s = ref c.Http;
        while (s.PendingCount > 0) Emit(c, 0, 0, default);
        buffers.Return(ref s.Pending);
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
        Emit(c, s.Status, s.BodyLength, type[..s.ContentTypeLength]);
    }

    /// <summary>
    /// The request that the response now beginning answers: the oldest. Where bytes were missed before that, the first response is for what was
    /// missed, and so are the next as long as no later request waits (a client that does not pipeline sends one only after all answers).
    /// </summary>
    PendingRequest Asked(ref HttpState s)
    {
        while (s.PendingCount > 0)
        {
            PendingRequest first = First(s);
            if (!first.IsGap) return first;
            if (!first.IsAnswered || s.PendingCount == 1)
            {
                first.IsAnswered = true;
                MemoryMarshal.Write(buffers[s.Pending], in first);
                s.AnswersGap = true;
                return default;
            }
            Remove(ref s, first.Length);
        }
        s.Unasked = true;
        return default;
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
        SetRequestBody(ref s, 0);
        c.Out.Skip = 0;
        s.Requests = HttpPhase.Lost;
    }

    void RememberGap(ref HttpState s)
    {
        // Its response may have been first: a gap is passed only when the other side acknowledges.
        bool answered = s.Unasked;
        s.Unasked = false;
        s.Sending = -1;
        int length = Unsafe.SizeOf<PendingRequest>();
        if (answered || s.PendingCount >= MaximumPending || s.PendingLength + length > BufferPool.MaximumSize) return;
        if (!buffers.TryGrow(ref s.Pending, s.PendingLength + length, s.PendingLength))
        {
            faults[(int)DecodeFault.StreamBuffersExhausted]++;
            return;
        }
        var gap = new PendingRequest { Length = length, IsGap = true };
        MemoryMarshal.Write(buffers[s.Pending][s.PendingLength..], in gap);
        s.PendingLength += length;
        s.PendingCount++;
    }

    PendingRequest First(in HttpState s) => MemoryMarshal.Read<PendingRequest>(buffers[s.Pending]);

    void SetRequestBody(ref HttpState s, long length)
    {
        if (s.Sending < 0 || s.PendingCount == 0) return;
        Span<byte> at = buffers[s.Pending][s.Sending..];
        PendingRequest request = MemoryMarshal.Read<PendingRequest>(at);
        request.BodyLength = length;
        MemoryMarshal.Write(at, in request);
    }

    void Remember(Conversation c, in HttpRequestHead head)
    {
        ref HttpState s = ref c.Http;
        s.Sending = -1;
        ReadOnlySpan<byte> target = head.Target;
        scoped ReadOnlySpan<byte> host = head.Host;
        // RFC 9112 3.2.2: the absolute form overrides Host; its authority is the host then.
        bool absolute = target.IndexOf("://"u8) is > 0 and < 12;
        if (absolute)
        {
            ReadOnlySpan<byte> rest = target[(target.IndexOf("://"u8) + 3)..];
            int end = rest.IndexOfAny((byte)'/', (byte)'?', (byte)'#');
            host = end < 0 ? rest : rest[..end];
        }
        else if (head.IsConnect && host.IsEmpty)
        {
            host = target;
        }
        Span<byte> address = stackalloc byte[Address.MaxTextLength + 8];
        if (host.IsEmpty)
        {
            // HTTP/1.0 without Host: the server's address is what the client meant.
            host = address[..FormatServer(c.Context, address)];
        }
        ReadOnlySpan<byte> scheme = absolute || head.IsConnect ? default : "http://"u8;
        scoped ReadOnlySpan<byte> authority = absolute || head.IsConnect ? default : host;
        int urlLength = scheme.Length + authority.Length + target.Length;
        int fixedLength = Unsafe.SizeOf<PendingRequest>();
        int length = fixedLength + urlLength + host.Length + head.Method.Length + head.Referer.Length + head.UserAgent.Length;
        int room = BufferPool.MaximumSize - s.PendingLength;
        while (s.PendingCount > 0 && (s.PendingCount >= MaximumPending || length > room))
        {
            Emit(c, 0, 0, default);
            room = BufferPool.MaximumSize - s.PendingLength;
        }
        if (!buffers.TryGrow(ref s.Pending, s.PendingLength + length, s.PendingLength))
        {
            faults[(int)DecodeFault.StreamBuffersExhausted]++;
            return;
        }
        var request = new PendingRequest
        {
            Timestamp = c.Timestamp,
            Tick = c.Tick,
            Length = length,
            Url = (ushort)urlLength,
            Host = (ushort)host.Length,
            Method = (ushort)head.Method.Length,
            Referrer = (ushort)head.Referer.Length,
            UserAgent = (ushort)head.UserAgent.Length,
            IsHead = head.IsHead,
            IsConnect = head.IsConnect,
            Notes = head.HasBasicAuthorization ? FlowNotes.CleartextCredentials : FlowNotes.None,
        };
        c.Notes |= request.Notes;
        Span<byte> to = buffers[s.Pending][s.PendingLength..];
        MemoryMarshal.Write(to, in request);
        to = to[fixedLength..];
        Append(ref to, scheme);
        Append(ref to, authority);
        Append(ref to, target);
        Append(ref to, host);
        Append(ref to, head.Method);
        Append(ref to, head.Referer);
        Append(ref to, head.UserAgent);
        s.Sending = s.PendingLength;
        s.PendingLength += length;
        s.PendingCount++;
    }

    static void Append(ref Span<byte> to, scoped ReadOnlySpan<byte> text)
    {
        text.CopyTo(to);
        to = to[text.Length..];
    }

    static int FormatServer(in EventContext context, Span<byte> destination)
    {
        int n = 0;
        bool v6 = !context.Destination.IsV4;
        if (v6) destination[n++] = (byte)'[';
        n += context.Destination.Format(destination[n..]);
        if (v6) destination[n++] = (byte)']';
        if (context.DestinationPort != 80)
        {
            destination[n++] = (byte)':';
            context.DestinationPort.TryFormat(destination[n..], out int w, default, System.Globalization.CultureInfo.InvariantCulture);
            n += w;
        }
        return n;
    }

    /// <summary>Emits the oldest waiting request and takes it out.</summary>
    void Emit(Conversation c, ushort status, long bytesIn, ReadOnlySpan<byte> contentType)
    {
        ref HttpState s = ref c.Http;
        Span<byte> packed = buffers[s.Pending][..s.PendingLength];
        PendingRequest request = MemoryMarshal.Read<PendingRequest>(packed);
        if (request.IsGap)
        {
            Remove(ref s, request.Length);
            return;
        }
        ReadOnlySpan<byte> text = packed[Unsafe.SizeOf<PendingRequest>()..request.Length];
        EventContext context = c.Context;
        context.Timestamp = request.Timestamp;
        context.Tick = request.Tick;
        emitter.Http(new HttpEvent
        {
            Context = context,
            Url = Take(ref text, request.Url),
            Host = Take(ref text, request.Host),
            Method = Take(ref text, request.Method),
            Referrer = Take(ref text, request.Referrer),
            UserAgent = Take(ref text, request.UserAgent),
            ContentType = contentType,
            Status = status,
            BytesIn = bytesIn,
            // A body announced but not sent whole is counted as far as it came.
            BytesOut = s.Sending == 0 ? Math.Max(0, request.BodyLength - c.Out.Skip) : request.BodyLength,
            Notes = request.Notes,
        });
        Remove(ref s, request.Length);
    }

    /// <summary>Takes the oldest out.</summary>
    void Remove(ref HttpState s, int length)
    {
        Span<byte> packed = buffers[s.Pending][..s.PendingLength];
        packed[length..].CopyTo(packed);
        s.PendingLength -= length;
        s.PendingCount--;
        s.Sending = s.Sending >= length ? s.Sending - length : -1;
        if (s.PendingCount == 0) buffers.Return(ref s.Pending);
    }

    static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> text, int length)
    {
        ReadOnlySpan<byte> taken = text[..length];
        text = text[length..];
        return taken;
    }
}
