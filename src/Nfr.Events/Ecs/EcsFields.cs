using System.Globalization;
using System.Text.Json;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// What traffic an event tells of, by the names of the Elastic Common Schema 8 (https://www.elastic.co/guide/en/ecs/8.11/): the same for an event's own document and for
/// the alert that it raised. Source is the client, destination the server, as Packetbeat has it. What the schema has no name for is under "nfr".
/// </summary>
static class EcsFields
{
    public const string Version = "8.11.0";

    static readonly (int Bit, string Name, string Letter)[] s_dnsFlags =
        [(0x0400, "authoritative", "AA"), (0x0200, "truncated_response", "TC"), (0x0100, "recursion_desired", "RD"), (0x0080, "recursion_available", "RA"), (0x0020, "authentic_data", "AD"), (0x0010, "checking_disabled", "CD")];

    /// <summary>source, destination, client, server, network, dns, url, http, user_agent, tls, related and nfr.event.</summary>
    public static void Write(DocumentWriter json, EventFields e)
    {
        End(json, "source", e, e.SrcIP, e.Number("srcPort"), e.Number("bytesOut"), e.Number("packetsOut"), isSource: true);
        End(json, "destination", e, e.DestIP, e.Number("destPort"), e.Number("bytesIn"), e.Number("packetsIn"), isSource: false);
        Peer(json, "client", e.SrcIP, e.Number("srcPort"), e.Number("bytesOut"));
        Peer(json, "server", e.DestIP, e.Number("destPort"), e.Number("bytesIn"));
        Network(json, e);
        switch (e.Type)
        {
            case EventType.Dns: Dns(json, e); break;
            case EventType.Http: Http(json, e); break;
            case EventType.Tls: Tls(json, e); break;
            default:
                Client(json, e);
                break;
        }
        json.Open("user");
        json.Text("name", e.Text("srcUser") ?? (e.Object("login") is { } login ? AlertFields.String(login, "user") : null));
        json.Close();
        Related(json, e);
        Own(json, e);
    }

    static void End(DocumentWriter json, string name, EventFields e, string? ip, long? port, long? bytes, long? packets, bool isSource)
    {
        json.Open(name);
        json.Text("address", ip);
        json.Text("ip", Ip(ip));
        json.Number("port", port is > 0 ? port : null);
        // Of HTTP the bytes are those of the bodies, which have fields of their own.
        json.Number("bytes", bytes);
        json.Number("packets", packets);
        if (isSource)
        {
            json.Text("domain", e.Text("srcHost"));
            json.Text("mac", Mac(e.Text("srcMac")));
        }
        else
        {
            json.Text("domain", e.Type == EventType.Dns ? null : e.Name);
        }
        json.Close();
    }

    static void Peer(DocumentWriter json, string name, string? ip, long? port, long? bytes)
    {
        json.Open(name);
        json.Text("ip", Ip(ip));
        json.Number("port", port is > 0 ? port : null);
        json.Number("bytes", bytes);
        json.Close();
    }

    static void Network(DocumentWriter json, EventFields e)
    {
        json.Open("network");
        json.Text("type", e.Family);
        json.Text("transport", Transport(e.Proto));
        json.Text("protocol", e.Type switch
        {
            EventType.Dns => e.Text("service") ?? "dns",
            EventType.Http => "http",
            EventType.Tls => "tls",
            _ => e.Text("app"),
        });
        json.Text("direction", e.Direction);
        json.Text("community_id", e.Text("communityId"));
        json.Number("bytes", Sum(e, "bytesIn", "bytesOut"));
        json.Number("packets", Sum(e, "packetsIn", "packetsOut"));
        json.Open("vlan");
        json.Text("id", e.Positive("vlan")?.ToString(CultureInfo.InvariantCulture));
        json.Close();
        json.Close();
    }

    static void Dns(DocumentWriter json, EventFields e)
    {
        string? rcode = e.Text("rcode");
        json.Open("dns");
        json.Text("type", rcode is not null ? "answer" : e.IsWhole ? "query" : null);
        json.Text("id", e.Positive("id")?.ToString(CultureInfo.InvariantCulture));
        json.Text("response_code", rcode);
        json.Open("question");
        json.Text("name", e.Text("query"));
        json.Text("type", e.Text("qtype"));
        json.Text("class", e.Text("query") is null ? null : "IN");
        json.Close();
        if (e.Number("flags") is { } flags)
        {
            json.Texts("header_flags", s_dnsFlags.Where(f => (flags & f.Bit) != 0).Select(f => f.Letter));
            json.Open("flags");
            foreach ((int bit, string name, _) in s_dnsFlags) json.Flag(name, (flags & bit) != 0);
            json.Close();
        }
        List<JsonElement> answers = [.. e.Objects("answers")];
        if (rcode is not null) json.Number("answers_count", answers.Count);
        json.Texts("resolved_ip", Resolved(answers));
        json.Objects("answers", answers, answer =>
        {
            json.Text("class", "IN");
            json.Text("type", AlertFields.String(answer, "type"));
            json.Number("ttl", AlertFields.Number(answer, "ttl"));
            json.Text("data", AlertFields.String(answer, "data"));
        });
        json.Close();
    }

    static IEnumerable<string?> Resolved(IEnumerable<JsonElement> answers) =>
        answers.Where(a => AlertFields.String(a, "type") is "A" or "AAAA").Select(a => Ip(AlertFields.String(a, "data")));

    static void Http(DocumentWriter json, EventFields e)
    {
        Uri? url = e.UrlParts;
        json.Open("url");
        json.Text("original", e.Text("url"));
        json.Text("full", url is null ? null : e.Text("url"));
        json.Text("scheme", url?.Scheme);
        json.Text("domain", e.Name);
        json.Number("port", url is { Port: > 0 } ? url.Port : null);
        json.Text("path", url?.AbsolutePath);
        json.Text("query", url is null ? null : e.UrlQuery);
        json.Close();
        json.Open("http");
        json.Open("request");
        json.Text("method", e.Text("method"));
        json.Text("referrer", e.Text("referrer"));
        json.Open("body");
        json.Number("bytes", e.Number("bytesOut"));
        json.Close();
        json.Close();
        json.Open("response");
        json.Number("status_code", e.Positive("status"));
        json.Text("mime_type", e.Text("contentType"));
        json.Open("body");
        json.Number("bytes", e.Positive("status") is null ? null : e.Number("bytesIn"));
        json.Close();
        json.Close();
        json.Close();
        json.Open("user_agent");
        json.Text("original", e.Text("userAgent"));
        json.Close();
    }

    static void Tls(DocumentWriter json, EventFields e)
    {
        (string? protocol, string? version) = TlsVersion(e.Text("version"));
        IReadOnlyList<string> notes = e.Texts("notes");
        json.Open("tls");
        json.Text("version", version);
        json.Text("version_protocol", protocol);
        json.Text("next_protocol", e.Text("serverAlpn"));
        json.Flag("resumed", e.Text("version") is null ? null : notes.Contains("resumed"));
        Client(json, e, open: false);
        json.Open("server");
        json.Text("ja3s", e.Text("ja3s"));
        json.Text("issuer", e.Text("issuer"));
        json.Text("subject", e.Text("subject"));
        json.Text("not_before", e.Text("validFrom"));
        json.Text("not_after", e.Text("validTo"));
        json.Open("hash");
        json.Text("sha1", e.Text("certHash")?.ToUpperInvariant());
        json.Close();
        json.Open("x509");
        json.Texts("alternative_names", e.Texts("san"));
        json.Close();
        json.Close();
        json.Close();
    }

    /// <summary>tls.client, which a flow may have too.</summary>
    static void Client(DocumentWriter json, EventFields e, bool open = true)
    {
        if (open) json.Open("tls");
        json.Open("client");
        json.Text("server_name", e.Text("sni"));
        json.Text("ja3", e.Text("ja3"));
        json.Text("ja4", e.Text("ja4"));
        json.Texts("alpn", [e.Text("alpn")]);
        json.Close();
        if (open) json.Close();
    }

    static void Related(DocumentWriter json, EventFields e)
    {
        json.Open("related");
        json.Texts("ip", [Ip(e.SrcIP), Ip(e.DestIP), .. Resolved(e.Objects("answers"))]);
        json.Texts("hosts", [e.Name, e.Text("srcHost")]);
        json.Texts("user", [e.Text("srcUser"), e.Object("login") is { } login ? AlertFields.String(login, "user") : null]);
        json.Texts("hash", [e.Text("certHash")?.ToUpperInvariant(), e.Text("ja3"), e.Text("ja3s"), e.Text("ja4"), e.Text("hassh"), e.Text("hasshServer")]);
        json.Close();
    }

    /// <summary>What no schema names, with keys that are always the same ones.</summary>
    static void Own(DocumentWriter json, EventFields e)
    {
        json.Open("nfr");
        json.Open("event");
        json.Text("connection_state", e.Text("state"));
        json.Text("tcp_flags", e.Text("tcpFlags"));
        json.Texts("notes", e.Texts("notes"));
        json.Number("missed_bytes", e.Positive("missedIn") is null && e.Positive("missedOut") is null ? null : (e.Number("missedIn") ?? 0) + (e.Number("missedOut") ?? 0));
        json.Text("client_software", e.Text("clientSoftware"));
        json.Text("server_software", e.Text("serverSoftware"));
        json.Text("hassh", e.Text("hassh"));
        json.Text("hassh_server", e.Text("hasshServer"));
        json.Number("edns_payload_size", e.Number("ednsPayloadSize"));
        json.Text("action", e.Text("action"));
        json.Text("connection_id", e.Text("connID"));
        json.Text("source_id", e.Text("srcID"));
        if (e.Object("login") is { } login)
        {
            json.Number("login_failures", AlertFields.Number(login, "failures"));
            json.Number("login_successes", AlertFields.Number(login, "successes"));
        }
        if (e.Object("tunnel") is { } tunnel)
        {
            json.Open("tunnel");
            json.Text("type", AlertFields.String(tunnel, "type"));
            json.Text("source", AlertFields.String(tunnel, "src"));
            json.Text("destination", AlertFields.String(tunnel, "dest"));
            json.Number("id", AlertFields.Number(tunnel, "id"));
            json.Number("depth", AlertFields.Number(tunnel, "depth"));
            json.Close();
        }
        json.Close();
        json.Close();
    }

    /// <summary>A store refuses a whole document for an address that is none, which an engine of others may send.</summary>
    static string? Ip(string? text) => Address.TryParse(text, out _) ? text : null;

    /// <summary>The schema's name of ICMP over IPv6 is another one than ours.</summary>
    static string? Transport(string? proto) => proto is "icmp6" or "icmpv6" ? "ipv6-icmp" : proto;

    static long? Sum(EventFields e, string a, string b) => e.Number(a) is null && e.Number(b) is null ? null : (e.Number(a) ?? 0) + (e.Number(b) ?? 0);

    /// <summary>Upper case with hyphens (RFC 7042 2.1), as the schema wants it.</summary>
    static string? Mac(string? mac) => mac?.ToUpperInvariant().Replace(':', '-');

    /// <summary>"TLSv1.2" is ("tls", "1.2").</summary>
    static (string? Protocol, string? Version) TlsVersion(string? word)
    {
        if (word is null) return (null, null);
        int at = word.AsSpan().IndexOfAnyInRange('0', '9');
        if (at <= 0) return (null, word);
        string protocol = word[..at].TrimEnd(' ', 'v', 'V').ToLowerInvariant();
        return protocol is "tls" or "ssl" or "dtls" ? (protocol, word[at..]) : (null, word);
    }
}
