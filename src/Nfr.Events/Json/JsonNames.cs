namespace Nfr.Events;

/// <summary>Keys of events, made once.</summary>
static class JsonNames
{
    public static readonly JsonKey
        Type = Key("type"), Ts = Key("ts"), SrcIP = Key("srcIP"), SrcPort = Key("srcPort"), DestIP = Key("destIP"), DestPort = Key("destPort"),
        Query = Key("query"), QType = Key("qtype"), Proto = Key("proto"), BytesIn = Key("bytesIn"), BytesOut = Key("bytesOut"), Ja3 = Key("ja3"),
        Url = Key("url"), Method = Key("method"), Status = Key("status"), Action = Key("action"), ContentType = Key("contentType"),
        Referrer = Key("referrer"), UserAgent = Key("userAgent"), CertHash = Key("certHash"), Issuer = Key("issuer"), Subject = Key("subject"),
        ValidFrom = Key("validFrom"), ValidTo = Key("validTo"), Ja3s = Key("ja3s");

    /// <summary>Ours, beyond the API.</summary>
    public static readonly JsonKey
        CommunityId = Key("communityId"), Vlan = Key("vlan"), Rcode = Key("rcode"), Answers = Key("answers"), Ttl = Key("ttl"), Data = Key("data"),
        Transport = Key("transport"), Duration = Key("duration"), PacketsIn = Key("packetsIn"), PacketsOut = Key("packetsOut"),
        TcpFlags = Key("tcpFlags"), State = Key("state"), App = Key("app"), Notes = Key("notes"), Host = Key("host"), Sni = Key("sni"),
        Version = Key("version"), Ja4 = Key("ja4"), Alpn = Key("alpn"),
        Tunnel = Key("tunnel"), Src = Key("src"), Dest = Key("dest"), Id = Key("id"), Depth = Key("depth"), Flags = Key("flags"), Service = Key("service"),
        Edns = Key("ednsPayloadSize"), MissedIn = Key("missedIn"), MissedOut = Key("missedOut"), Login = Key("login"), Failures = Key("failures"),
        Successes = Key("successes"), User = Key("user"), ClientSoftware = Key("clientSoftware"), ServerSoftware = Key("serverSoftware"),
        Hassh = Key("hassh"), HasshServer = Key("hasshServer"), Echo = Key("echo"), Requests = Key("requests"), Replies = Key("replies"),
        MinimumPayload = Key("minimumPayload"), MaximumPayload = Key("maximumPayload"), Changed = Key("changed"), Mismatched = Key("mismatched"),
        FilledEchoes = Key("filledEchoes"), DataEchoes = Key("dataEchoes"), DataBytes = Key("dataBytes"), IpPackets = Key("ipPackets"),
        ServerAlpn = Key("serverAlpn"), San = Key("san"), Address = Key("address"), Mac = Key("mac"), Name = Key("name"), Source = Key("source"),
        Fault = Key("fault"), Signature = Key("signature"), SignatureId = Key("signatureId"), GeneratorId = Key("generatorId"), Revision = Key("revision"),
        Category = Key("category"), Severity = Key("severity"), Sensor = Key("sensor"), Tags = Key("tags");

    static JsonKey Key(string name) => new(name);
}
