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
    /// <summary>"HTTP/1.0" or "HTTP/1.1"; empty when <see cref="IsSimple"/>.</summary>
    public ReadOnlySpan<byte> Version { get; }
    /// <summary>RFC 1945 4.1 (HTTP/0.9): GET and a path, no version. What the server sends up to the close is the body. Fields may stand behind it all the same.</summary>
    public bool IsSimple => Version.IsEmpty;
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
    public bool HasBasicAuthorization => IsBasic(Authorization) || IsBasic(_fields.ProxyAuthorization);

    /// <summary>RFC 7617 2: base64 of user, colon and password, for the server or for a proxy; empty without.</summary>
    public ReadOnlySpan<byte> BasicCredentials =>
        IsBasic(Authorization) ? Authorization[6..].Trim(" \t"u8) : IsBasic(_fields.ProxyAuthorization) ? _fields.ProxyAuthorization[6..].Trim(" \t"u8) : default;

    /// <summary>RFC 9112 9.3: whether another request may follow on this connection.</summary>
    public bool IsPersistent => !IsSimple && !_fields.Close && (Version[7] != (byte)'0' || _fields.KeepAlive);

    public HttpBody Body => IsSimple ? HttpBody.None : IsChunked ? HttpBody.Chunked : ContentLength > 0 ? HttpBody.ContentLength : HttpBody.None;

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
    /// Reads a head that has not come to its end and was answered all the same (a server that waited long enough, or one of HTTP/0.9): the request line as far
    /// as it came, and the fields whose lines came whole. False: no method and target.
    /// </summary>
    public static bool TryReadCut(ReadOnlySpan<byte> buffer, out HttpRequestHead head)
    {
        head = default;
        if (buffer.Length > MaxLength) return false;
        ReadState state = HttpFields.ReadStartLine(buffer, out ReadOnlySpan<byte> line, out int offset, out _);
        if (state != ReadState.Complete)
        {
            line = HttpFields.Trim(buffer);
            offset = buffer.Length;
        }
        if (!TrySplit(line, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out ReadOnlySpan<byte> version)) return false;
        var fields = new HttpFields();
        // What makes a whole head invalid does no harm here: nothing is framed by it.
        fields.Read(buffer, ref offset, out _, isCut: true);
        head = new HttpRequestHead(method, target, version, in fields);
        return true;
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

    static bool IsBasic(ReadOnlySpan<byte> field) =>
        field.Length > 6 && Ascii.EqualsIgnoreCase(field[..5], "Basic"u8) && field[5] is (byte)' ' or (byte)'\t';

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

    /// <summary>
    /// The first and the last word are method and version; spaces between, which some clients leave unescaped, are the target's. Two words are a simple request
    /// when they are GET and a path.
    /// </summary>
    static bool TrySplit(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target, out ReadOnlySpan<byte> version)
    {
        method = target = version = default;
        int first = line.IndexOfAny((byte)' ', (byte)'\t');
        int last = line.LastIndexOfAny((byte)' ', (byte)'\t');
        if (first <= 0) return false;
        if (last == first)
        {
            method = line[..first];
            target = line[(first + 1)..];
            return method.SequenceEqual("GET"u8) && !target.IsEmpty && (target[0] == (byte)'/' || target.StartsWith("http://"u8)) && !target.ContainsAnyInRange((byte)0, (byte)0x20);
        }
        version = line[(last + 1)..];
        if (!HttpFields.IsVersion(version)) return false;
        method = line[..first];
        if (method.ContainsAnyExcept(HttpFields.TokenBytes)) return false;
        target = line[(first + 1)..last].Trim(" \t"u8);
        return !target.IsEmpty;
    }
}
