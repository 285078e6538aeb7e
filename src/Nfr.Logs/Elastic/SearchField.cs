namespace Nfr.Logs;

/// <summary>What a document may say that an event knows. Those up to <see cref="Ja3s"/> can be named by the user.</summary>
public enum SearchField : byte
{
    Timestamp,
    Ingested,
    SourceIp,
    SourcePort,
    Query,
    QueryType,
    DestinationIp,
    DestinationPort,
    Protocol,
    BytesIn,
    BytesOut,
    Url,
    Method,
    StatusCode,
    UserAgent,
    ContentType,
    Referrer,
    CertificateHash,
    Issuer,
    Subject,
    ValidFrom,
    ValidTo,
    Ja3,
    Ja3s,

    // From here on known by the schema alone.
    Transport,
    Application,
    Vlan,
    ResponseCode,
    QueryId,
    Answers,
    Duration,
    /// <summary>As a number of seconds, as Zeek has it.</summary>
    Seconds,
    PacketsIn,
    PacketsOut,
    State,
    FullUrl,
    UrlScheme,
    UrlDomain,
    UrlPath,
    UrlPort,
    UrlQuery,
    ServerName,
    TlsVersion,
    Alpn,
    AlternativeNames,
    Agent,
    Dataset,
    FlowFinal,
}

static class SearchFields
{
    public const int Count = (int)SearchField.FlowFinal + 1;

    /// <summary>The key under field_names; null for what cannot be named there.</summary>
    public static string? Key(this SearchField field) => field switch
    {
        SearchField.Timestamp => "timestamp",
        SearchField.Ingested => "event_ingested",
        SearchField.SourceIp => "src_ip",
        SearchField.SourcePort => "src_port",
        SearchField.Query => "query",
        SearchField.QueryType => "qtype",
        SearchField.DestinationIp => "dest_ip",
        SearchField.DestinationPort => "dest_port",
        SearchField.Protocol => "proto",
        SearchField.BytesIn => "bytes_in",
        SearchField.BytesOut => "bytes_out",
        SearchField.Url => "url",
        SearchField.Method => "method",
        SearchField.StatusCode => "status_code",
        SearchField.UserAgent => "user_agent",
        SearchField.ContentType => "content_type",
        SearchField.Referrer => "referrer",
        SearchField.CertificateHash => "cert_hash",
        SearchField.Issuer => "issuer",
        SearchField.Subject => "subject",
        SearchField.ValidFrom => "valid_from",
        SearchField.ValidTo => "valid_to",
        SearchField.Ja3 => "ja3",
        SearchField.Ja3s => "ja3s",
        _ => null,
    };
}
