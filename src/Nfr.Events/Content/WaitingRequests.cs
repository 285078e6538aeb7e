using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>The requests of a connection that wait for their response, packed one behind the other in a buffer of the pool; emitted from here, oldest first.</summary>
sealed class WaitingRequests<TSink>(Emitter<TSink> emitter, BufferPool buffers, long[] faults)
    where TSink : struct, IEventSink
{
    /// <summary>More requests than this without a response are no pipelining; the oldest is let go with what is known.</summary>
    const int MaximumPending = 32;

    /// <summary>
    /// The request that the response now beginning answers: the oldest. Where bytes were missed before that, the first response is for what was
    /// missed, and so are the next as long as no later request waits (a client that does not pipeline sends one only after all answers).
    /// </summary>
    public PendingRequest Asked(ref HttpState s)
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

    /// <summary>Bytes of the client were missed where a request may have stood.</summary>
    public void AddGap(ref HttpState s)
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

    /// <summary>Adds to the notes of the oldest, which must be a request.</summary>
    public void Note(ref HttpState s, FlowNotes notes)
    {
        PendingRequest request = First(s);
        request.Notes |= notes;
        MemoryMarshal.Write(buffers[s.Pending], in request);
    }

    public PendingRequest First(in HttpState s) => MemoryMarshal.Read<PendingRequest>(buffers[s.Pending]);

    /// <summary>Of the request whose body is being sent.</summary>
    public void SetBody(ref HttpState s, long length)
    {
        if (s.Sending < 0 || s.PendingCount == 0) return;
        Span<byte> at = buffers[s.Pending][s.Sending..];
        PendingRequest request = MemoryMarshal.Read<PendingRequest>(at);
        request.BodyLength = length;
        MemoryMarshal.Write(at, in request);
    }

    public void Add(Conversation c, in HttpRequestHead head)
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
            IsSimple = head.IsSimple,
            Notes = HttpLogIn.OnRequest(c, head),
        };
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
    public void Emit(Conversation c, ushort status, long bytesIn, ReadOnlySpan<byte> contentType)
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

    /// <summary>No further response will come: what waits is emitted without.</summary>
    public void Close(Conversation c)
    {
        while (c.Http.PendingCount > 0) Emit(c, 0, 0, default);
        buffers.Return(ref c.Http.Pending);
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
