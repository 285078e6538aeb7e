namespace Nfr.Events;

/// <summary>An HTTP/1.x request (RFC 9112) with its response's status, type and lengths. Spans are borrowed for the call.</summary>
public ref struct HttpEvent
{
    public EventContext Context;
    /// <summary>Absolute URL: "http://" + Host + request target, or the target itself when it is absolute.</summary>
    public ReadOnlySpan<byte> Url;
    public ReadOnlySpan<byte> Host;
    public ReadOnlySpan<byte> Method;
    /// <summary>Status code; 0 while no response was seen.</summary>
    public ushort Status;
    /// <summary>Bytes of the response's body as transferred.</summary>
    public long BytesIn;
    /// <summary>Bytes of the request's body as transferred.</summary>
    public long BytesOut;
    public ReadOnlySpan<byte> ContentType;
    public ReadOnlySpan<byte> Referrer;
    public ReadOnlySpan<byte> UserAgent;
    public FlowNotes Notes;
}
