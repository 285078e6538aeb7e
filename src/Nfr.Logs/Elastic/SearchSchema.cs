using Nfr.Events;
using static Nfr.Logs.SearchField;

namespace Nfr.Logs;

/// <summary>
/// How documents of one make name their fields. ECS's first names are the original's defaults; what stands behind them is looked at where a document
/// has not the first: what Packetbeat and older Filebeat modules write. Graylog's are those of its Information Model (GIM) as Illuminate fills them;
/// Corelight's are Zeek's own, told apart by "_path".
/// </summary>
static class SearchSchema
{
    static readonly SearchField[] s_common =
        [Timestamp, Ingested, SourceIp, SourcePort, DestinationIp, DestinationPort, Protocol, Transport, Vlan, Agent, Dataset];

    /// <summary>What an event of a type can hold.</summary>
    public static SearchField[] FieldsOf(EventType type) => type switch
    {
        EventType.Dns => [.. s_common, Query, QueryType, ResponseCode, QueryId, Answers],
        EventType.Ip => [.. s_common, BytesIn, BytesOut, Ja3, Application, Duration, Seconds, PacketsIn, PacketsOut, State, FlowFinal],
        EventType.Http => [.. s_common, BytesIn, BytesOut, Url, Method, StatusCode, UserAgent, ContentType, Referrer, FullUrl, UrlScheme, UrlDomain, UrlPath, UrlPort, UrlQuery],
        _ => [.. s_common, CertificateHash, Issuer, Subject, ValidFrom, ValidTo, Ja3, Ja3s, ServerName, TlsVersion, Alpn, AlternativeNames],
    };

    /// <summary>Dotted paths, the one that counts first; none where the schema has no such field.</summary>
    public static string[] Paths(string schema, SearchField field) => schema switch
    {
        "ecs" => Ecs(field),
        "graylog" => Graylog(field),
        "corelight" => Corelight(field),
        _ => [],
    };

    /// <summary>The field without which a document is no event of the type.</summary>
    public static SearchField? Essential(EventType type) => type switch
    {
        EventType.Dns => Query,
        EventType.Ip => DestinationIp,
        EventType.Http => Url,
        _ => null,
    };

    /// <summary>JSON of the clause that tells the type's documents from others; null = none.</summary>
    public static string? Term(string schema, EventType type) => schema != "corelight" ? null : type switch
    {
        EventType.Dns => """{"term":{"_path":{"value":"dns"}}}""",
        EventType.Ip => """{"term":{"_path":{"value":"conn"}}}""",
        EventType.Http => """{"term":{"_path":{"value":"http"}}}""",
        _ => """{"term":{"_path":{"value":"ssl"}}}""",
    };

    /// <summary>How times are written in queries, where the mapping's own format would not take RFC 3339.</summary>
    public static string? TimestampFormat(string schema) => schema == "graylog" ? "strict_date_optional_time" : null;

    static string[] Ecs(SearchField field) => field switch
    {
        Timestamp => ["@timestamp"],
        Ingested => ["event.ingested"],
        SourceIp => ["source.ip"],
        SourcePort => ["source.port"],
        Query => ["dns.question.name", "zeek.dns.query"],
        QueryType => ["dns.question.type", "zeek.dns.qtype_name"],
        DestinationIp => ["destination.ip"],
        DestinationPort => ["destination.port"],
        Protocol => ["network.protocol"],
        BytesIn => ["destination.bytes", "http.response.bytes"],
        BytesOut => ["source.bytes", "http.request.bytes"],
        Url => ["url.original"],
        Method => ["http.request.method"],
        StatusCode => ["http.response.status_code"],
        UserAgent => ["user_agent.original"],
        ContentType => ["http.response.mime_type"],
        Referrer => ["http.request.referrer"],
        CertificateHash => ["tls.server.hash.sha1"],
        Issuer => ["tls.server.issuer", "tls.server.x509.issuer.distinguished_name"],
        Subject => ["tls.server.subject", "tls.server.x509.subject.distinguished_name"],
        ValidFrom => ["tls.server.not_before", "tls.server.x509.not_before"],
        ValidTo => ["tls.server.not_after", "tls.server.x509.not_after"],
        Ja3 => ["tls.client.ja3"],
        Ja3s => ["tls.server.ja3s"],
        Transport => ["network.transport", "network.iana_number"],
        Application => ["network.protocol", "network.application"],
        Vlan => ["network.vlan.id"],
        ResponseCode => ["dns.response_code", "zeek.dns.rcode_name"],
        QueryId => ["dns.id", "zeek.dns.trans_id"],
        Answers => ["dns.answers", "zeek.dns.answers"],
        Duration => ["event.duration"],
        PacketsIn => ["destination.packets"],
        PacketsOut => ["source.packets"],
        State => ["zeek.connection.state"],
        FullUrl => ["url.full"],
        UrlScheme => ["url.scheme"],
        UrlDomain => ["url.domain", "destination.domain"],
        UrlPath => ["url.path"],
        UrlPort => ["url.port"],
        UrlQuery => ["url.query"],
        ServerName => ["tls.client.server_name", "destination.domain"],
        TlsVersion => ["tls.version"],
        Alpn => ["tls.next_protocol"],
        AlternativeNames => ["tls.server.x509.alternative_names"],
        Agent => ["agent.type"],
        Dataset => ["event.dataset"],
        FlowFinal => ["flow.final"],
        _ => [],
    };

    static string[] Graylog(SearchField field) => field switch
    {
        Timestamp => ["timestamp"],
        Ingested => ["gl2_receive_timestamp"],
        SourceIp => ["source_ip"],
        SourcePort => ["source_port"],
        Query => ["query_request"],
        QueryType => ["query_record_type"],
        ResponseCode => ["query_result_code", "query_result"],
        DestinationIp => ["destination_ip"],
        DestinationPort => ["destination_port"],
        Protocol => ["network_transport"],
        Transport => ["network_iana_number"],
        Application => ["network_protocol", "network_application"],
        BytesIn => ["destination_bytes_sent", "http_response_bytes"],
        BytesOut => ["source_bytes_sent", "http_request_bytes"],
        PacketsIn => ["destination_packets_sent"],
        PacketsOut => ["source_packets_sent"],
        Url => ["http_uri", "http_url"],
        UrlDomain => ["http_host"],
        Method => ["http_request_method"],
        StatusCode => ["http_response_code"],
        UserAgent => ["http_user_agent"],
        ContentType => ["http_content_type"],
        Referrer => ["http_referrer"],
        _ => [],
    };

    static string[] Corelight(SearchField field) => field switch
    {
        SourceIp => ["id.orig_h"],
        SourcePort => ["id.orig_p"],
        DestinationIp => ["id.resp_h"],
        DestinationPort => ["id.resp_p"],
        Protocol => ["proto"],
        Application => ["service"],
        Query => ["query"],
        QueryType => ["qtype_name"],
        ResponseCode => ["rcode_name"],
        QueryId => ["trans_id"],
        Answers => ["answers"],
        // With the headers of IP, as our own flows count; "orig_bytes" are those above TCP.
        BytesIn => ["resp_ip_bytes", "response_body_len"],
        BytesOut => ["orig_ip_bytes", "request_body_len"],
        PacketsIn => ["resp_pkts"],
        PacketsOut => ["orig_pkts"],
        Seconds => ["duration"],
        State => ["conn_state"],
        Vlan => ["vlan"],
        Timestamp => ["ts", "@timestamp"],
        // When the sensor wrote it; "ts" is when the connection began.
        Ingested => ["_write_ts"],
        Url => ["uri"],
        UrlDomain => ["host"],
        Method => ["method"],
        StatusCode => ["status_code"],
        UserAgent => ["user_agent"],
        ContentType => ["resp_mime_types"],
        Referrer => ["referrer"],
        CertificateHash => ["cert_chain_fps"],
        Issuer => ["issuer"],
        Subject => ["subject"],
        Ja3 => ["ja3"],
        Ja3s => ["ja3s"],
        ServerName => ["server_name"],
        TlsVersion => ["version"],
        Alpn => ["next_protocol"],
        _ => [],
    };
}
