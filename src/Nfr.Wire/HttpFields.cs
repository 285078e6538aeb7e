using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Nfr.Wire;

/// <summary>How a message's body ends, RFC 9112 6.3.</summary>
public enum HttpBody : byte
{
    None,
    ContentLength,
    Chunked,
    UntilClose,
}

/// <summary>
/// The header section of RFC 9112 5, read leniently: bare LF ends a line, folded lines belong to their field, a line that is no field
/// is passed over and remembered. Of a field that comes twice the first counts. A folded value holds its line breaks.
/// </summary>
internal ref struct HttpFields
{
    /// <summary>The longest head in bytes; a longer one is refused, since the stream's window holds no more.</summary>
    public const int MaxHeadLength = 16384;

    internal static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    public ReadOnlySpan<byte> Host, Referer, UserAgent, ContentType, Authorization, ProxyAuthorization, Upgrade, TransferEncoding, Server, Location;
    public long ContentLength = -1;
    public bool Close, KeepAlive, ConnectionUpgrade, ExpectContinue, HasInvalidLine;

    public HttpFields() { }

    /// <summary>RFC 9112 6.1: the last coding named must be chunked.</summary>
    public readonly bool IsChunked
    {
        get
        {
            ReadOnlySpan<byte> last = TransferEncoding[(TransferEncoding.LastIndexOf((byte)',') + 1)..];
            return Ascii.EqualsIgnoreCase(Trim(last), "chunked"u8);
        }
    }

    /// <summary>Passes empty lines (RFC 9112 2.2 asks for it) and finds the start line; NeedMore while it has not ended.</summary>
    public static ReadState ReadStartLine(ReadOnlySpan<byte> buffer, out ReadOnlySpan<byte> line, out int next, out DecodeFault fault)
    {
        line = default;
        fault = DecodeFault.None;
        int start = buffer.IndexOfAnyExcept((byte)'\r', (byte)'\n');
        next = 0;
        if (start < 0) return NeedMoreOrTooLong(buffer, out fault);
        int length = buffer[start..].IndexOf((byte)'\n');
        if (length < 0) return NeedMoreOrTooLong(buffer, out fault);
        line = TrimEnd(buffer.Slice(start, length));
        next = start + length + 1;
        return ReadState.Complete;
    }

    /// <summary>
    /// Reads the fields from <paramref name="offset"/> to the empty line, and moves past it when Complete. <paramref name="isCut"/>: nothing more will come, so
    /// a line at the end of the buffer does not wait for what may be folded behind it.
    /// </summary>
    public ReadState Read(ReadOnlySpan<byte> buffer, ref int offset, out DecodeFault fault, bool isCut = false)
    {
        int position = offset;
        while (true)
        {
            ReadOnlySpan<byte> rest = buffer[position..];
            int end = rest.IndexOf((byte)'\n');
            if (end < 0) return NeedMoreOrTooLong(buffer, out fault);
            if (end == 0 || (end == 1 && rest[0] == (byte)'\r'))
            {
                offset = position + end + 1;
                fault = offset > MaxHeadLength ? DecodeFault.HttpHeadTooLong : DecodeFault.None;
                return fault == DecodeFault.None ? ReadState.Complete : ReadState.Invalid;
            }
            // RFC 9112 5.2, obs-fold: a line that begins with white space goes on with the value above it.
            while (end + 1 < rest.Length && rest[end + 1] is (byte)' ' or (byte)'\t')
            {
                int more = rest[(end + 1)..].IndexOf((byte)'\n');
                if (more < 0) return NeedMoreOrTooLong(buffer, out fault);
                end += more + 1;
            }
            if (end + 1 == rest.Length && !isCut) return NeedMoreOrTooLong(buffer, out fault);
            fault = ReadField(rest[..end]);
            if (fault != DecodeFault.None) return ReadState.Invalid;
            position += end + 1;
        }
    }

    DecodeFault ReadField(ReadOnlySpan<byte> line)
    {
        int colon = line.IndexOf((byte)':');
        ReadOnlySpan<byte> name = colon > 0 ? Trim(line[..colon]) : default;
        if (name.IsEmpty || name.ContainsAnyExcept(TokenBytes))
        {
            HasInvalidLine = true;
            return DecodeFault.None;
        }
        ReadOnlySpan<byte> value = Trim(line[(colon + 1)..]);
        // The length picks the candidates, so that most fields cost one comparison.
        switch (name.Length)
        {
            case 4: Keep(ref Host, name, "host"u8, value); break;
            case 6:
                Keep(ref Server, name, "server"u8, value);
                if (Ascii.EqualsIgnoreCase(name, "expect"u8)) ExpectContinue |= Ascii.EqualsIgnoreCase(value, "100-continue"u8);
                break;
            case 7:
                Keep(ref Referer, name, "referer"u8, value);
                Keep(ref Upgrade, name, "upgrade"u8, value);
                break;
            case 8: Keep(ref Location, name, "location"u8, value); break;
            case 10:
                Keep(ref UserAgent, name, "user-agent"u8, value);
                if (Ascii.EqualsIgnoreCase(name, "connection"u8)) ReadConnection(value);
                break;
            case 12: Keep(ref ContentType, name, "content-type"u8, value); break;
            case 13: Keep(ref Authorization, name, "authorization"u8, value); break;
            case 14:
                if (Ascii.EqualsIgnoreCase(name, "content-length"u8)) return ReadContentLength(value);
                break;
            case 17: Keep(ref TransferEncoding, name, "transfer-encoding"u8, value); break;
            case 19: Keep(ref ProxyAuthorization, name, "proxy-authorization"u8, value); break;
        }
        return DecodeFault.None;
    }

    static void Keep(ref ReadOnlySpan<byte> field, ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted, ReadOnlySpan<byte> value)
    {
        if (field.IsEmpty && Ascii.EqualsIgnoreCase(name, wanted)) field = value;
    }

    void ReadConnection(ReadOnlySpan<byte> value)
    {
        while (!value.IsEmpty)
        {
            ReadOnlySpan<byte> option = TakeListItem(ref value);
            if (Ascii.EqualsIgnoreCase(option, "close"u8)) Close = true;
            else if (Ascii.EqualsIgnoreCase(option, "keep-alive"u8)) KeepAlive = true;
            else if (Ascii.EqualsIgnoreCase(option, "upgrade"u8)) ConnectionUpgrade = true;
        }
    }

    /// <summary>RFC 9110 8.6: equal values, in a list or in several fields, are one value; differing ones make the body's end unknowable.</summary>
    DecodeFault ReadContentLength(ReadOnlySpan<byte> value)
    {
        do
        {
            ReadOnlySpan<byte> item = TakeListItem(ref value);
            if (item.IsEmpty || item.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return DecodeFault.HttpContentLengthInvalid;
            if (!Utf8Parser.TryParse(item, out long length, out _)) return DecodeFault.HttpContentLengthInvalid;
            if (ContentLength >= 0 && ContentLength != length) return DecodeFault.HttpContentLengthInvalid;
            ContentLength = length;
        }
        while (!value.IsEmpty);
        return DecodeFault.None;
    }

    static ReadOnlySpan<byte> TakeListItem(ref ReadOnlySpan<byte> list)
    {
        int comma = list.IndexOf((byte)',');
        ReadOnlySpan<byte> item = comma < 0 ? list : list[..comma];
        list = comma < 0 ? default : list[(comma + 1)..];
        return Trim(item);
    }

    /// <summary>Without white space (RFC 9110 5.6.3, and line ends) at both ends.</summary>
    internal static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value)
    {
        int start = 0;
        while (start < value.Length && IsSpace(value[start])) start++;
        return TrimEnd(value[start..]);
    }

    internal static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> value)
    {
        int end = value.Length;
        while (end > 0 && IsSpace(value[end - 1])) end--;
        return value[..end];
    }

    static bool IsSpace(byte b) => b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    static ReadState NeedMoreOrTooLong(ReadOnlySpan<byte> buffer, out DecodeFault fault)
    {
        fault = buffer.Length >= MaxHeadLength ? DecodeFault.HttpHeadTooLong : DecodeFault.None;
        return fault == DecodeFault.None ? ReadState.NeedMore : ReadState.Invalid;
    }

    /// <summary>
    /// "HTTP/1." and one digit, RFC 9112 2.3; later majors are other protocols on the wire. The name is in capitals there, but browsers take small letters too,
    /// and what they take is to be seen.
    /// </summary>
    internal static bool IsVersion(ReadOnlySpan<byte> text) => text.Length == 8 && BeginsVersion(text) && char.IsAsciiDigit((char)text[7]);

    internal static bool BeginsVersion(ReadOnlySpan<byte> text) => text.Length >= 7 && Ascii.EqualsIgnoreCase(text[..7], "HTTP/1."u8);
}
