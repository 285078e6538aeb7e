namespace Nfr.Events;

/// <summary>
/// The host of an HTTP event's URL (RFC 3986, 3.2.2), for comparison with trusted domains. Only a host that is wholly letters, digits,
/// hyphens, underscores and dots is returned: anything else (an IPv6 literal, control bytes) cannot be trusted by name, and an event that is
/// not trusted is looked at.
/// </summary>
public static class UrlHost
{
    /// <summary>Accepts "scheme://user@host:port/path?query" with scheme, user, port and path optional; empty when there is no such host.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> url)
    {
        int scheme = url.IndexOf("://"u8);
        // "a.b/?u=http://c.d": the second "://" belongs to the query.
        if (scheme >= 0 && url[..scheme].IndexOfAny("/?#"u8) < 0) url = url[(scheme + 3)..];
        int end = url.IndexOfAny("/?#&"u8);
        ReadOnlySpan<byte> authority = end < 0 ? url : url[..end];
        // What stands before the last "@" is a user's name, however much it looks like a trusted host.
        authority = authority[(authority.LastIndexOf((byte)'@') + 1)..];
        int colon = authority.IndexOf((byte)':');
        ReadOnlySpan<byte> host = colon < 0 ? authority : authority[..colon];
        if (colon >= 0 && authority[(colon + 1)..].ContainsAnyExceptInRange((byte)'0', (byte)'9')) return default;
        foreach (byte b in host)
        {
            if (!(char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.')) return default;
        }
        return host;
    }
}
