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
    /// <summary>The client has asked for a tunnel (CONNECT): what it sends ahead of the answer waits.</summary>
    Tunnel,
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
    /// <summary>A request with a version has been read: what ends behind its target later is no simple one but waits for its version.</summary>
    public bool HasVersion;
    /// <summary>The last credentials were taken; they go with every request after that, which makes no new log-in.</summary>
    public bool LoggedIn;
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
    /// <summary>RFC 1945 4.1: the response has no head.</summary>
    public bool IsSimple;
    /// <summary>No request but a place where bytes were missed: one or more may have been there.</summary>
    public bool IsGap;
    /// <summary>A response has come for it.</summary>
    public bool IsAnswered;
}
