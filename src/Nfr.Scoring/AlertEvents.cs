using System.Globalization;
using System.Text;
using Nfr.Events;

namespace Nfr.Scoring;

/// <summary>The alert's copy of an event: the API's own fields, what was not seen left out.</summary>
static class AlertEvents
{
    public static AlertEvent From(scoped in DnsEvent e) => new()
    {
        Type = EventType.Dns,
        Ts = Stamp(e.Context.Timestamp),
        SrcIP = e.Context.Source.ToString(),
        Query = Encoding.UTF8.GetString(e.Query),
        QType = QueryTypeName(e.QueryType),
    };

    public static AlertEvent From(scoped in IpEvent e) => new()
    {
        Type = EventType.Ip,
        Ts = Stamp(e.Context.Timestamp),
        SrcIP = e.Context.Source.ToString(),
        SrcPort = e.Context.SourcePort,
        DestIP = e.Context.Destination.ToString(),
        DestPort = e.Context.DestinationPort,
        Proto = ProtocolName(e.Context.Protocol),
        BytesIn = e.BytesIn,
        BytesOut = e.BytesOut,
        Ja3 = Text(e.Ja3),
    };

    public static AlertEvent From(scoped in HttpEvent e) => new()
    {
        Type = EventType.Http,
        Ts = Stamp(e.Context.Timestamp),
        SrcIP = e.Context.Source.ToString(),
        SrcPort = e.Context.SourcePort,
        Url = Encoding.UTF8.GetString(e.Url),
        Method = Text(e.Method),
        Status = e.Status == 0 ? null : e.Status,
        BytesIn = e.BytesIn,
        BytesOut = e.BytesOut,
        ContentType = Text(e.ContentType),
        Referrer = Text(e.Referrer),
        UserAgent = Text(e.UserAgent),
    };

    public static AlertEvent From(scoped in TlsEvent e) => new()
    {
        Type = EventType.Tls,
        Ts = Stamp(e.Context.Timestamp),
        SrcIP = e.Context.Source.ToString(),
        SrcPort = e.Context.SourcePort,
        DestIP = e.Context.Destination.ToString(),
        DestPort = e.Context.DestinationPort,
        CertHash = Text(e.CertificateHash),
        Issuer = Text(e.Issuer),
        Subject = Text(e.Subject),
        ValidFrom = e.CertificateHash.IsEmpty ? null : Seconds(e.ValidFrom),
        ValidTo = e.CertificateHash.IsEmpty ? null : Seconds(e.ValidTo),
        Ja3 = Text(e.Ja3),
        Ja3s = Text(e.Ja3s),
    };

    static string? Text(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : Encoding.UTF8.GetString(utf8);

    /// <summary>RFC 3339 with nine digits of fraction, UTC.</summary>
    internal static string Stamp(long nanoseconds)
    {
        const long PerSecond = 1_000_000_000;
        long second = Math.DivRem(nanoseconds, PerSecond, out long rest);
        if (rest < 0) (second, rest) = (second - 1, rest + PerSecond);
        return string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.FromUnixTimeSeconds(second):yyyy-MM-dd'T'HH:mm:ss}.{rest:d9}Z");
    }

    static string? Seconds(long seconds)
    {
        // A certificate may claim any year; what a date cannot hold is left out.
        if (seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return null;
        return DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    static string ProtocolName(byte protocol) => protocol switch
    {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        58 => "icmp6",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The mnemonic of IANA's DNS resource record types, else TYPEn (RFC 3597).</summary>
    internal static string QueryTypeName(ushort type) => type switch
    {
        1 => "A", 2 => "NS", 5 => "CNAME", 6 => "SOA", 10 => "NULL", 12 => "PTR", 13 => "HINFO", 15 => "MX", 16 => "TXT", 17 => "RP",
        24 => "SIG", 25 => "KEY", 28 => "AAAA", 29 => "LOC", 33 => "SRV", 35 => "NAPTR", 36 => "KX", 37 => "CERT", 39 => "DNAME", 43 => "DS",
        46 => "RRSIG", 47 => "NSEC", 48 => "DNSKEY", 50 => "NSEC3", 52 => "TLSA", 59 => "CDS", 61 => "OPENPGPKEY", 64 => "SVCB", 65 => "HTTPS",
        99 => "SPF", 249 => "TKEY", 250 => "TSIG", 251 => "IXFR", 252 => "AXFR", 255 => "ANY", 256 => "URI", 257 => "CAA",
        _ => string.Create(CultureInfo.InvariantCulture, $"TYPE{type}"),
    };
}
