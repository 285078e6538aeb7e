namespace Nfr.Logs;

/// <summary>Which of Zeek's logs a line is of.</summary>
enum ZeekKind : byte
{
    /// <summary>One that no event is made of.</summary>
    Other,
    Dns,
    Conn,
    Http,
    Ssl,
    X509,
    /// <summary>files.log: says the SHA-1 of certificates in versions before 4.1.</summary>
    Files,
}

static class ZeekKinds
{
    static readonly UInt128
        s_dnsType = Bits(ZeekField.QType, ZeekField.QTypeName), s_dnsRest = Bits(ZeekField.Query, ZeekField.TransId, ZeekField.RCode),
        s_dnsFlags = Bits(ZeekField.AA, ZeekField.RD, ZeekField.Rejected),
        s_conn = Bits(ZeekField.ConnState, ZeekField.OrigBytes, ZeekField.OrigIPBytes, ZeekField.OrigPkts),
        s_http = Bits(ZeekField.RequestBodyLen, ZeekField.ResponseBodyLen, ZeekField.Uri, ZeekField.StatusCode),
        s_httpStart = Bits(ZeekField.Method, ZeekField.Host, ZeekField.StatusCode, ZeekField.RequestBodyLen),
        s_ssl = Bits(ZeekField.Cipher, ZeekField.Version, ZeekField.Resumed, ZeekField.Ja3),
        s_x509 = Bits(ZeekField.CertSubject, ZeekField.CertIssuer, ZeekField.CertNotBefore);

    static UInt128 Bits(params ZeekField[] fields) => fields.Aggregate(UInt128.Zero, (all, field) => all | Bit(field));

    public static UInt128 Bit(ZeekField field) =>
        (int)field < 64 ? new UInt128(0, 1UL << (int)field) : new UInt128(1UL << ((int)field - 64), 0);

    /// <summary>
    /// By the log's path; without one, or with one that only begins like ours (a second filter's "http-2", Corelight's "dns_red"), by its columns.
    /// "conn_long" is none: it tells of connections ahead of their end, which conn tells again whole.
    /// </summary>
    /// <param name="path">Empty = not said. Folders in front do not count.</param>
    /// <param name="fields">The columns there are, a <see cref="Bit"/> each.</param>
    public static ZeekKind Of(ReadOnlySpan<byte> path, UInt128 fields)
    {
        path = path[(path.LastIndexOf((byte)'/') + 1)..];
        if (path.IsEmpty) return ByFields(fields);
        ZeekKind kind = ByName(path, out int length);
        if (path.Length == length) return kind;
        if (kind == ZeekKind.Other || char.IsAsciiLetter((char)path[length]) || path.SequenceEqual("conn_long"u8)) return ZeekKind.Other;
        return ByFields(fields) == kind ? kind : ZeekKind.Other;
    }

    static ZeekKind ByName(ReadOnlySpan<byte> path, out int length)
    {
        length = path.StartsWith("dns"u8) || path.StartsWith("ssl"u8) ? 3 : path.StartsWith("files"u8) ? 5 : 4;
        return length == 3 ? (path[0] == 'd' ? ZeekKind.Dns : ZeekKind.Ssl)
            : length == 5 ? ZeekKind.Files
            : path.StartsWith("conn"u8) ? ZeekKind.Conn
            : path.StartsWith("http"u8) ? ZeekKind.Http
            : path.StartsWith("x509"u8) ? ZeekKind.X509 : ZeekKind.Other;
    }

    /// <summary>What only one log has. JSON leaves out what is unset, so no rule asks for a column that may be.</summary>
    static ZeekKind ByFields(UInt128 fields)
    {
        bool Any(UInt128 some) => (fields & some) != 0;
        bool Has(ZeekField field) => (fields & Bit(field)) != 0;

        if (Any(s_x509)) return ZeekKind.X509;
        if (Has(ZeekField.Fuid) && Has(ZeekField.Sha1) && Has(ZeekField.Source)) return ZeekKind.Files;
        if (!Has(ZeekField.OrigH)) return ZeekKind.Other;
        if ((Any(s_dnsType) && Any(s_dnsRest)) || (Has(ZeekField.TransId) && Any(s_dnsFlags))) return ZeekKind.Dns;
        // SIP's log has HTTP's columns and some more.
        if (Any(s_http) && Any(s_httpStart) && !Has(ZeekField.CallId)) return ZeekKind.Http;
        if ((Has(ZeekField.Established) || Has(ZeekField.ServerName)) && Any(s_ssl)) return ZeekKind.Ssl;
        return Has(ZeekField.Proto) && Any(s_conn) ? ZeekKind.Conn : ZeekKind.Other;
    }
}
