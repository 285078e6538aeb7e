using System.Text;

namespace Nfr.Wire;

/// <summary>
/// The head of a response, RFC 9112 4 and 5. Spans borrow the buffer; a field that is absent is empty. Every getter is safe once
/// <see cref="TryRead"/> has said Complete.
/// </summary>
public readonly ref struct HttpResponseHead
{
    /// <summary>The longest head in bytes; a longer one is refused.</summary>
    public const int MaxLength = HttpFields.MaxHeadLength;

    readonly HttpFields _fields;

    HttpResponseHead(ReadOnlySpan<byte> version, int statusCode, ReadOnlySpan<byte> reason, scoped in HttpFields fields)
    {
        Version = version;
        StatusCode = statusCode;
        ReasonPhrase = reason;
        _fields = fields;
    }

    /// <summary>"HTTP/1.0" or "HTTP/1.1".</summary>
    public ReadOnlySpan<byte> Version { get; }
    /// <summary>100 to 999.</summary>
    public int StatusCode { get; }
    public ReadOnlySpan<byte> ReasonPhrase { get; }
    public ReadOnlySpan<byte> ContentType => _fields.ContentType;
    public ReadOnlySpan<byte> Server => _fields.Server;
    public ReadOnlySpan<byte> Location => _fields.Location;
    public ReadOnlySpan<byte> Upgrade => _fields.Upgrade;
    /// <summary>-1 without the field.</summary>
    public long ContentLength => _fields.ContentLength;
    public bool IsChunked => _fields.IsChunked;
    /// <summary>A line of the head was no field; it was passed over.</summary>
    public bool HasInvalidLine => _fields.HasInvalidLine;

    /// <summary>RFC 9110 15.2: another response to the same request follows. 101 is final in that sense: the protocol changes after it.</summary>
    public bool IsInterim => StatusCode is >= 100 and < 200 and not 101;

    /// <summary>After this head the connection speaks another protocol: 101, or CONNECT accepted (RFC 9110 9.3.6).</summary>
    public bool SwitchesProtocol(bool isConnect) => StatusCode == 101 || (isConnect && StatusCode is >= 200 and < 300);

    /// <summary>RFC 9112 9.3: whether another response may follow on this connection.</summary>
    public bool IsPersistent => !_fields.Close && (Version[7] != (byte)'0' || _fields.KeepAlive);

    /// <summary>RFC 9112 6.3, given what the request was: no body after HEAD, an accepted CONNECT, 1xx, 204 and 304.</summary>
    public HttpBody Body(bool isHead, bool isConnect)
    {
        if (isHead || StatusCode is < 200 or 204 or 304 || SwitchesProtocol(isConnect)) return HttpBody.None;
        if (IsChunked) return HttpBody.Chunked;
        // A coding that is not chunked at its end, or no length at all: the server closes.
        if (!_fields.TransferEncoding.IsEmpty || ContentLength < 0) return HttpBody.UntilClose;
        return ContentLength > 0 ? HttpBody.ContentLength : HttpBody.None;
    }

    /// <summary>
    /// Reads the head at the front of <paramref name="buffer"/>, which may not have come whole yet. Complete: <paramref name="head"/>
    /// is valid and its body begins at <paramref name="headLength"/>. Invalid: <paramref name="fault"/> is one of HttpStartLineInvalid,
    /// HttpHeadTooLong, HttpContentLengthInvalid.
    /// </summary>
    public static ReadState TryRead(ReadOnlySpan<byte> buffer, out HttpResponseHead head, out int headLength, out DecodeFault fault)
    {
        head = default;
        headLength = 0;
        ReadState state = HttpFields.ReadStartLine(buffer, out ReadOnlySpan<byte> line, out int offset, out fault);
        if (state != ReadState.Complete) return state;
        if (!TrySplit(line, out int statusCode, out ReadOnlySpan<byte> reason))
        {
            fault = DecodeFault.HttpStartLineInvalid;
            return ReadState.Invalid;
        }
        var fields = new HttpFields();
        state = fields.Read(buffer, ref offset, out fault);
        if (state != ReadState.Complete) return state;
        head = new HttpResponseHead(line[..8], statusCode, reason, in fields);
        headLength = offset;
        return ReadState.Complete;
    }

    /// <summary>Whether the first bytes of a stream are a status line, as far as it has come: at least "HTTP/1.".</summary>
    public static bool LooksLikeResponse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 12) return HttpFields.BeginsVersion(bytes);
        int end = bytes.IndexOf((byte)'\n');
        return TrySplit(end < 0 ? bytes : HttpFields.TrimEnd(bytes[..end]), out _, out _);
    }

    /// <summary>Too short to tell, and so far it is the name of the version.</summary>
    public static bool MayBecomeResponse(ReadOnlySpan<byte> bytes) => bytes.Length < 7 && Ascii.EqualsIgnoreCase(bytes, "HTTP/1."u8[..bytes.Length]);

    static bool TrySplit(ReadOnlySpan<byte> line, out int statusCode, out ReadOnlySpan<byte> reason)
    {
        statusCode = 0;
        reason = default;
        if (line.Length < 12 || !HttpFields.IsVersion(line[..8]) || line[8] is not ((byte)' ' or (byte)'\t')) return false;
        ReadOnlySpan<byte> rest = line[9..].TrimStart(" \t"u8);
        if (rest.Length < 3 || rest[..3].ContainsAnyExceptInRange((byte)'0', (byte)'9') || rest[0] == (byte)'0') return false;
        if (rest.Length > 3 && rest[3] is not ((byte)' ' or (byte)'\t' or (byte)'\r')) return false;
        statusCode = ((rest[0] - '0') * 100) + ((rest[1] - '0') * 10) + (rest[2] - '0');
        reason = HttpFields.Trim(rest[3..]);
        return true;
    }
}
