using System.Text;

namespace Nfr.Wire;

/// <summary>
/// The head of a request, RFC 9112 3 and 5. Spans borrow the buffer; a field that is absent is empty. Every getter is safe once
/// <see cref="TryRead"/> has said Complete.
/// </summary>
public readonly ref struct HttpRequestHead
{
    /// <summary>The longest head in bytes; a longer one is refused.</summary>
    public const int MaxLength = HttpFields.MaxHeadLength;

    readonly HttpFields _fields;

    HttpRequestHead(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, ReadOnlySpan<byte> version, scoped in HttpFields fields)
    {
        Method = method;
        Target = target;
        Version = version;
        _fields = fields;
    }

    public ReadOnlySpan<byte> Method { get; }
    /// <summary>RFC 9112 3.2, as sent: origin-form, absolute-form, authority-form (CONNECT) or "*".</summary>
    public ReadOnlySpan<byte> Target { get; }
    /// <summary>"HTTP/1.0" or "HTTP/1.1".</summary>
    public ReadOnlySpan<byte> Version { get; }
    public ReadOnlySpan<byte> Host => _fields.Host;
    public ReadOnlySpan<byte> Referer => _fields.Referer;
    public ReadOnlySpan<byte> UserAgent => _fields.UserAgent;
    public ReadOnlySpan<byte> ContentType => _fields.ContentType;
    /// <summary>The whole field: scheme and credentials.</summary>
    public ReadOnlySpan<byte> Authorization => _fields.Authorization;
    public ReadOnlySpan<byte> Upgrade => _fields.Upgrade;
    /// <summary>-1 without the field.</summary>
    public long ContentLength => _fields.ContentLength;
    public bool IsChunked => _fields.IsChunked;
    public bool ExpectsContinue => _fields.ExpectContinue;
    public bool IsConnect => Method.SequenceEqual("CONNECT"u8);
    public bool IsHead => Method.SequenceEqual("HEAD"u8);
    /// <summary>A line of the head was no field; it was passed over.</summary>
    public bool HasInvalidLine => _fields.HasInvalidLine;
    public bool WantsUpgrade => _fields.ConnectionUpgrade && !_fields.Upgrade.IsEmpty;

    /// <summary>RFC 7617: user name and password, merely encoded.</summary>
    public bool HasBasicAuthorization =>
        Authorization.Length > 6 && Ascii.EqualsIgnoreCase(Authorization[..5], "Basic"u8) && Authorization[5] is (byte)' ' or (byte)'\t';

    /// <summary>RFC 9112 9.3: whether another request may follow on this connection.</summary>
    public bool IsPersistent => !_fields.Close && (Version[7] != (byte)'0' || _fields.KeepAlive);

    public HttpBody Body => IsChunked ? HttpBody.Chunked : ContentLength > 0 ? HttpBody.ContentLength : HttpBody.None;

    /// <summary>
    /// Reads the head at the front of <paramref name="buffer"/>, which may not have come whole yet. Complete: <paramref name="head"/>
    /// is valid and its body begins at <paramref name="headLength"/>. Invalid: <paramref name="fault"/> is one of HttpStartLineInvalid,
    /// HttpHeadTooLong, HttpContentLengthInvalid.
    /// </summary>
    public static ReadState TryRead(ReadOnlySpan<byte> buffer, out HttpRequestHead head, out int headLength, out DecodeFault fault)
    {
        head = default;
        headLength = 0;
        ReadState state = HttpFields.ReadStartLine(buffer, out ReadOnlySpan<byte> line, out int offset, out fault);
        if (state != ReadState.Complete) return state;
        if (!TrySplit(line, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out ReadOnlySpan<byte> version))
        {
            fault = DecodeFault.HttpStartLineInvalid;
            return ReadState.Invalid;
        }
        var fields = new HttpFields();
        state = fields.Read(buffer, ref offset, out fault);
        if (state != ReadState.Complete) return state;
        head = new HttpRequestHead(method, target, version, in fields);
        headLength = offset;
        return ReadState.Complete;
    }

    /// <summary>
    /// Whether the first bytes of a stream are a request: a token, a target and, as far as the line has come, HTTP/1. A line still
    /// without its end passes only with a well-known method.
    /// </summary>
    public static bool LooksLikeRequest(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes.TrimStart("\r\n"u8);
        int end = bytes.IndexOf((byte)'\n');
        if (end >= 0) return TrySplit(HttpFields.TrimEnd(bytes[..end]), out _, out _, out _);
        int space = bytes.IndexOf((byte)' ');
        if (space <= 0 || space + 1 >= bytes.Length) return false;
        return IsWellKnown(bytes[..space]) && bytes[space + 1] is > 0x20 and < 0x7F;
    }

    static bool IsWellKnown(ReadOnlySpan<byte> method) => method.Length switch
    {
        3 => method.SequenceEqual("GET"u8) || method.SequenceEqual("PUT"u8),
        4 => method.SequenceEqual("POST"u8) || method.SequenceEqual("HEAD"u8),
        5 => method.SequenceEqual("PATCH"u8) || method.SequenceEqual("TRACE"u8),
        6 => method.SequenceEqual("DELETE"u8),
        7 => method.SequenceEqual("CONNECT"u8) || method.SequenceEqual("OPTIONS"u8),
        8 => method.SequenceEqual("PROPFIND"u8),
        _ => false,
    };

    /// <summary>The first and the last word are method and version; spaces between, which some clients leave unescaped, are the target's.</summary>
    static bool TrySplit(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out ReadOnlySpan<byte> version)
    {
        method = target = version = default;
        int first = line.IndexOfAny((byte)' ', (byte)'\t');
        int last = line.LastIndexOfAny((byte)' ', (byte)'\t');
        if (first <= 0 || last <= first) return false;
        version = line[(last + 1)..];
        if (!HttpFields.IsVersion(version)) return false;
        method = line[..first];
        if (method.ContainsAnyExcept(HttpFields.TokenBytes)) return false;
        target = line[(first + 1)..last].Trim(" \t"u8);
        return !target.IsEmpty;
    }
}
