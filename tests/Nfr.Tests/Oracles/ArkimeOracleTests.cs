using System.Globalization;
using System.Net;
using System.Text.Json;
using Nfr.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>
/// All sessions of arkime's own tests, encrypted or not: ends, Community ID, packets, bytes, protocol, DNS and HTTP. Sessions between the same ends are compared as
/// one, since where an idle connection is cut is a setting. (Fingerprints and certificates are in <see cref="FingerprintOracleTests"/>.)
/// </summary>
public sealed class ArkimeOracleTests(ITestOutputHelper output)
{
    /// <summary>arkime's names and those of ours that mean the same. Names that are not here are of rules, of layers, or of protocols that have no name here.</summary>
    static readonly Dictionary<string, string[]> s_names = new(StringComparer.Ordinal)
    {
        ["http"] = ["http", "http-proxy", "websocket", "elasticsearch"], ["dns"] = ["dns"], ["icmp"] = ["icmp"], ["esp"] = ["esp"], ["tls"] = ["tls", "dot", "doh"], ["smtp"] = ["smtp"], ["bacnet"] = ["bacnet"], ["smb"] = ["smb"],
        ["ssh"] = ["ssh"], ["snmp"] = ["snmp"], ["ldap"] = ["ldap"], ["quic"] = ["quic", "doq", "doh"], ["radius"] = ["radius"], ["socks"] = ["socks"], ["bgp"] = ["bgp"], ["ntp"] = ["ntp"], ["stun"] = ["stun"],
        ["netflow"] = ["netflow"], ["ipfix"] = ["netflow"], ["irc"] = ["irc"], ["mqtt"] = ["mqtt"], ["mongo"] = ["mongodb"], ["imap"] = ["imap"], ["krb5"] = ["kerberos"], ["modbus"] = ["modbus"], ["dhcpv6"] = ["dhcpv6"],
        ["dcerpc"] = ["dcerpc"], ["bittorrent"] = ["bittorrent"], ["s7comm"] = ["s7comm"], ["s7comm-plus"] = ["s7comm"], ["nbns"] = ["nbns"], ["mdns"] = ["mdns"], ["llmnr"] = ["llmnr"], ["postgresql"] = ["postgresql"],
        ["mysql"] = ["mysql"], ["tftp"] = ["tftp"], ["dtls"] = ["dtls"], ["rdp"] = ["rdp"], ["isakmp"] = ["ike"], ["sip"] = ["sip"], ["igmp"] = ["igmp"], ["tds"] = ["tds"], ["gtp"] = ["gtp"], ["dhcp"] = ["dhcp"],
        ["syslog"] = ["syslog"], ["http2"] = ["http2"], ["bitcoin"] = ["bitcoin"], ["ftp"] = ["ftp"], ["dnp3"] = ["dnp3"], ["cassandra"] = ["cassandra"], ["pop3"] = ["pop3"], ["websocket"] = ["websocket"],
        ["geneve"] = ["geneve"], ["vxlan"] = ["vxlan"],
    };

    [Fact]
    public void All_sessions_are_as_arkime_expects()
    {
        if (!Corpus.TryFind("1b-arkime-ipfixprobe/arkime", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("arkime-sessions", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string name = Path.GetFileNameWithoutExtension(file);
            DecodedCapture capture = DecodedCapture.Read(Path.Combine(folder, "pcaps", name));
            ILookup<string, JsonElement> ours = capture.Events.Where(e => Has(e, "srcIP") && Has(e, "destIP")).ToLookup(KeyOfOurs, StringComparer.Ordinal);
            foreach (IGrouping<string, JsonElement> session in document.RootElement.GetProperty("expect").EnumerateArray().Select(r => r.GetProperty("match")).GroupBy(KeyOfTheirs, StringComparer.Ordinal))
                Compare(tally, name, capture, [.. session], [.. ours[session.Key]]);
        }
        tally.Finish(90);
    }

    static void Compare(Tally tally, string name, DecodedCapture capture, JsonElement[] rows, JsonElement[] events)
    {
        JsonElement row = rows[0];
        if (!Has(row, "src_ip") || row.GetProperty("ip_protocol").GetInt32() == 0 || (!events.Any(e => Text(e, "type") == "ip") && Protocols(rows).Contains("arp")))
        {
            tally.LeaveOut(name, "session", "no IP: arkime keeps sessions of ARP, LLDP and the like");
            return;
        }
        JsonElement[] flows = [.. events.Where(e => Text(e, "type") == "ip")];
        string ends = $"{row.GetProperty("ip_protocol")} {Text(row, "src_ip")}:{Text(row, "src_port")} {Text(row, "dest_ip")}:{Text(row, "dest_port")} [{string.Join(' ', Protocols(rows))}]";
        if (flows.Length == 0)
        {
            tally.Differ(name, "session", ends, WhyNoFlow(capture, rows));
            return;
        }
        tally.Agree(name, "session");
        foreach (string id in rows.Select(r => Text(r, "community_id")).Where(i => i.Length > 0).Distinct())
            Hold("communityId", id, flows.Select(f => Text(f, "communityId")), Text(row, "ip_protocol") is "6" or "17" or "132" or "1" or "58" ? WhyCommunityId(row) : "the specification leaves ports out where there are none; arkime hashes two zeros");
        (long packetsOut, long packetsIn) = Both(rows, row, "pkts_toserver", "pkts_toclient");
        (long ourPacketsOut, long ourPacketsIn) = Both(flows, row, "packetsOut", "packetsIn");
        bool samePackets = packetsOut == ourPacketsOut && packetsIn == ourPacketsIn;
        Hold("packets", $"{packetsOut}+{packetsIn}", [$"{ourPacketsOut}+{ourPacketsIn}"], WhyPackets(capture, rows, packetsOut + packetsIn, ourPacketsOut + ourPacketsIn));
        // Bytes that only differ because packets do are not counted against us twice.
        if (samePackets) Bytes();
        Names();
        foreach (JsonElement question in rows.SelectMany(Questions)) Dns(question);
        Http();

        void Hold(string category, string expected, IEnumerable<string> values, string? reason)
        {
            string[] list = [.. values.Distinct()];
            if (list.Contains(expected, StringComparer.OrdinalIgnoreCase)) tally.Agree(name, category);
            else tally.Differ(name, category, $"{expected}, ours: {string.Join(' ', list)}; {ends}", reason);
        }

        // arkime counts the link layer too, padding with it: as many bytes for each packet, the same both ways.
        void Bytes()
        {
            (long bytesOut, long bytesIn) = Both(rows, row, "bytes_toserver", "bytes_toclient");
            (long ourOut, long ourIn) = Both(flows, row, "bytesOut", "bytesIn");
            long header = packetsOut > 0 ? (bytesOut - ourOut) / packetsOut : (bytesIn - ourIn) / packetsIn;
            string[] agreed = bytesOut - ourOut == header * packetsOut && bytesIn - ourIn == header * packetsIn && header is >= 0 and < 128 ? [$"{bytesOut}+{bytesIn}"] : [$"{ourOut}+{ourIn}"];
            Hold("bytes", $"{bytesOut}+{bytesIn}", agreed, WhyBytes(bytesOut - ourOut, packetsOut, bytesIn - ourIn, packetsIn));
            if (Text(row, "ip_protocol") is not ("6" or "17")) return;
            (long payloadOut, long payloadIn) = Both(rows, row, "payload_bytes_toserver", "payload_bytes_toclient");
            (long ourPayloadOut, long ourPayloadIn) = Both(flows, row, DecodedCapture.PayloadOut, DecodedCapture.PayloadIn);
            Hold("payload bytes", $"{payloadOut}+{payloadIn}", [$"{ourPayloadOut}+{ourPayloadIn}"], WhyPayload(row, payloadOut, payloadIn, ourPayloadOut, ourPayloadIn, flows));
        }

        void Names()
        {
            string[] known = [.. Protocols(rows).Where(s_names.ContainsKey)];
            if (known.Length == 0) return;
            string[] apps = [.. flows.Select(f => Text(f, "app")).Where(a => a.Length > 0).Distinct()];
            if (known.Any(k => s_names[k].Intersect(apps).Any())) tally.Agree(name, "app");
            else tally.Differ(name, "app", $"{string.Join('+', known)}, ours: {string.Join(' ', apps)}; {ends}", WhyNoName(known, apps, rows, flows));
        }

        void Dns(JsonElement question)
        {
            if (!Has(question, "queryHost")) return;
            string host = Text(question, "queryHost"), type = Text(question, "qt");
            JsonElement[] dns = [.. events.Where(e => Text(e, "type") == "dns")];
            JsonElement[] same = [.. dns.Where(e => Plain(Text(e, "query")) == Plain(host) && (type.Length == 0 || Text(e, "qtype") == type))];
            // What a host announces unasked is an event of its own kind.
            if (same.Length > 0 || capture.Of("host").Any(e => Plain(Text(e, "name")) is var known && (known == Plain(host) || known + ".LOCAL" == Plain(host)))) tally.Agree(name, "dns question");
            else tally.Differ(name, "dns question", $"{host} {type}, ours: {string.Join(' ', dns.Select(e => Text(e, "query") + " " + Text(e, "qtype")))}; {ends}", WhyNoQuestion(question, dns));
            if (same.Length == 0) return;
            // RFC 2136 and IANA call them NOTIMP and, of EDNS, BADVERS.
            if (Has(question, "status")) Hold("dns status", Text(question, "status") switch { "NOTIMPL" => "NOTIMP", "BADSIG_VERS" => "BADVERS", var other => other }, same.Select(e => Text(e, "rcode")), null);
            if (!question.TryGetProperty("answers", out JsonElement answers)) return;
            foreach (JsonElement answer in answers.EnumerateArray())
            {
                if (!Has(answer, "ip")) continue;
                string address = Address(Text(answer, "ip"));
                bool found = same.Any(e => e.TryGetProperty("answers", out JsonElement list) && list.EnumerateArray().Any(a => Address(Text(a, "data")) == address));
                if (found) tally.Agree(name, "dns address");
                else if (!IsOfAnswer(answers, answer, question)) tally.LeaveOut(name, "dns address", "of the additional section, which an event does not carry");
                else tally.Differ(name, "dns address", $"{answer} {string.Join(' ', same.Select(e => e.GetRawText()))}", null);
            }
        }

        bool IsLeftOut(string value, string category)
        {
            string? reason = flows.Any(f => Text(f, "app") == "http2") ? "the preface of HTTP/2 has the look of a request, and is none"
                : category == "http statuscode" && value == "100" ? "an interim response (RFC 9110 15.2): an event has the final one" : null;
            if (reason is not null) tally.LeaveOut(name, category, reason);
            return reason is not null;
        }

        void Http()
        {
            JsonElement[] http = [.. events.Where(e => Text(e, "type") == "http")];
            foreach (JsonElement expected in rows.Where(r => Has(r, "http")).Select(r => r.GetProperty("http")))
            {
                foreach ((string theirs, string key) in new[] { ("method", "method"), ("statuscode", "status"), ("useragent", "userAgent") })
                {
                    if (!expected.TryGetProperty(theirs, out JsonElement values)) continue;
                    foreach (JsonElement value in values.EnumerateArray().Where(v => !IsLeftOut(v.ToString(), "http " + theirs))) Hold("http " + theirs, value.ToString(), http.Select(e => Text(e, key)), WhyNoHttp(flows, http));
                }
                if (!expected.TryGetProperty("uri", out JsonElement uris)) continue;
                // A host and its path, in lower case for the host, without a scheme.
                foreach (JsonElement uri in uris.EnumerateArray().Where(u => !IsLeftOut(u.ToString(), "http uri")))
                    Hold("http uri", uri.ToString().Split("//")[^1], http.SelectMany(e => new[] { Text(e, "url").Split("//")[^1], Text(e, "host") + Text(e, "url"), Text(e, "url") }), WhyNoHttp(flows, http));
            }
        }
    }

    /// <summary>The specification orders the two ends, but not of a message that nobody answers.</summary>
    static string? WhyCommunityId(JsonElement row) =>
        row.TryGetProperty("icmp", out JsonElement icmp) && row.GetProperty("pkts_toclient").GetInt64() == 0 && icmp.GetProperty("type").EnumerateArray().All(t => t.GetInt32() is 1 or 2 or 3 or 4 or 5 or 11 or 12)
            ? "a message without a counterpart keeps its direction by the specification; arkime orders its ends" : null;

    static string? WhyNoFlow(DecodedCapture capture, JsonElement[] rows)
    {
        string[] protocols = [.. Protocols(rows)];
        if (protocols.Any(p => p.StartsWith("corrupt", StringComparison.Ordinal))) return "arkime keeps a packet with a fault as a session of its own; here it is counted, or a packet of its flow";
        if (protocols.Contains("vxlan-gpe")) return "VXLAN-GPE, a draft that expired, is not opened";
        return protocols.Contains("icmp") && rows.Sum(r => r.GetProperty("pkts_toserver").GetInt64()) == 1 && capture.Counters.NonIp > 0 ? "one packet in a link layer that is not taken off" : null;
    }

    static string? WhyPackets(DecodedCapture capture, JsonElement[] rows, long theirs, long ours)
    {
        int protocol = rows[0].GetProperty("ip_protocol").GetInt32();
        string[] ports = [Text(rows[0], "src_port"), Text(rows[0], "dest_port")];
        if (theirs == ours) return theirs == 1 ? "one packet: arkime turns the session round by its content, and leaves the counts" : null;
        if (ports.Contains("67") && theirs > ours) return "arkime joins an exchange of DHCP, whatever its addresses";
        if (protocol is not (6 or 17 or 132) && theirs > ours) return protocol is 1 or 58 ? "a packet in a link layer that is not taken off" : "of a protocol without ports arkime joins what several hosts send to one group";
        if (ours > theirs && protocol == 6 && capture.Counters.FragmentsHeld > 0) return "fragments are packets here, and one packet there";
        return ours > theirs && protocol == 17 ? "a packet whose content has a fault, or is a tunnel, is a packet of its own flow here" : null;
    }

    /// <summary>Frames of Ethernet are 60 bytes at least.</summary>
    static string? WhyBytes(long moreOut, long packetsOut, long moreIn, long packetsIn) =>
        moreOut >= 14 * packetsOut && moreIn >= 14 * packetsIn && moreOut + moreIn <= 80 * (packetsOut + packetsIn) ? "padding of short frames, which arkime counts" : null;

    static string? WhyPayload(JsonElement row, long payloadOut, long payloadIn, long ourOut, long ourIn, JsonElement[] flows)
    {
        if (Text(row, "ip_protocol") != "6" || ourOut < payloadOut || ourIn < payloadIn) return null;
        return "arkime counts a stream's bytes once and none before its start, we what was on the wire: retransmissions too";
    }

    static string? WhyNoName(string[] known, string[] apps, JsonElement[] rows, JsonElement[] flows)
    {
        if (apps.Length > 0) return null;
        if (rows[0].GetProperty("ip_protocol").GetInt32() == IPProtocol.Sctp) return "SCTP's chunks are not put together";
        string[] protocols = [.. Protocols(rows)];
        if (protocols.Contains("thrift")) return "Cassandra's older interface (Thrift), which has no name here";
        if (protocols.Contains("fbzero")) return "a private forerunner of QUIC over TCP";
        long payload = flows.Sum(f => f.GetProperty(DecodedCapture.PayloadOut).GetInt64() + f.GetProperty(DecodedCapture.PayloadIn).GetInt64());
        if (known.Contains("http") && payload < 16) return "a method without a target is no request";
        return known.Contains("netflow") || known.Contains("dnp3") ? "malformed: its length or its check sum is not the protocol's" : null;
    }

    static string? WhyNoQuestion(JsonElement question, JsonElement[] dns) =>
        Text(question, "queryHost") == "<root>" && !Has(question, "qt") && dns.Any(e => Text(e, "query").EndsWith("ip6.arpa", StringComparison.Ordinal)) ? "a name in bit labels (RFC 2673), which arkime takes for the root" : null;

    /// <summary>An event has the answer section; the other two say who else could be asked.</summary>
    static bool IsOfAnswer(JsonElement answers, JsonElement answer, JsonElement question)
    {
        HashSet<string> asked = [Plain(Text(question, "queryHost")), .. answers.EnumerateArray().Where(a => Has(a, "cname")).Select(a => Plain(Text(a, "cname")))];
        return asked.Contains(Plain(Text(answer, "name"))) && (Text(question, "qt") is "ANY" or "" || Text(question, "qt") == Text(answer, "type") || Has(answer, "cname"));
    }

    static string? WhyNoHttp(JsonElement[] flows, JsonElement[] http)
    {
        if (Text(flows[0], "proto") is "sctp" or "132") return "SCTP's chunks are not put together";
        if (http.Length > 0) return null;
        if (flows.Any(f => Text(f, "app") == "socks")) return "a relay that calls its users: who asks is the side that was called, and its requests are not read";
        return flows.All(f => f.GetProperty(DecodedCapture.PayloadOut).GetInt64() == 0) ? "a response whose request was not seen makes no event" : null;
    }

    static IEnumerable<JsonElement> Questions(JsonElement row) =>
        !row.TryGetProperty("dns", out JsonElement dns) ? [] : dns.ValueKind == JsonValueKind.Array ? dns.EnumerateArray() : [dns];

    static IEnumerable<string> Protocols(JsonElement[] rows) => rows.SelectMany(r => r.GetProperty("protocols").EnumerateArray()).Select(p => p.GetString()!).Distinct();

    /// <summary>Sums from the row's source and to it, whichever end an event calls its own.</summary>
    static (long Out, long In) Both(JsonElement[] list, JsonElement row, string one, string other)
    {
        (long sent, long received) = (0, 0);
        foreach (JsonElement e in list)
        {
            bool same = Has(e, "src_ip") || (Address(Text(e, "srcIP")) == Address(Text(row, "src_ip")) && (Text(row, "ip_protocol") is not ("6" or "17") || Text(e, "srcPort") == Text(row, "src_port")));
            if (Has(e, "src_ip")) same = Address(Text(e, "src_ip")) == Address(Text(row, "src_ip")) && Text(e, "src_port") == Text(row, "src_port");
            sent += e.GetProperty(same ? one : other).GetInt64();
            received += e.GetProperty(same ? other : one).GetInt64();
        }
        return (sent, received);
    }

    static string KeyOfTheirs(JsonElement row) => !Has(row, "src_ip") ? "" : Key(row.GetProperty("ip_protocol").GetInt32(), Text(row, "src_ip"), Text(row, "src_port"), Text(row, "dest_ip"), Text(row, "dest_port"));

    static string KeyOfOurs(JsonElement e) => Key(Number(Text(e, "type") == "ip" ? Text(e, "proto") : Text(e, "transport")), Text(e, "srcIP"), Text(e, "srcPort"), Text(e, "destIP"), Text(e, "destPort"));

    static int Number(string protocol) => protocol switch
    {
        "" or "tcp" => IPProtocol.Tcp,
        "udp" => IPProtocol.Udp,
        "icmp" => IPProtocol.Icmp,
        "icmp6" => IPProtocol.IcmpV6,
        "sctp" => IPProtocol.Sctp,
        _ => int.TryParse(protocol, CultureInfo.InvariantCulture, out int number) ? number : -1,
    };

    /// <summary>Ports count where there are some.</summary>
    static string Key(int protocol, string a, string aPort, string b, string bPort)
    {
        bool ports = protocol is IPProtocol.Tcp or IPProtocol.Udp or IPProtocol.Sctp;
        string x = Address(a) + (ports ? "|" + aPort : ""), y = Address(b) + (ports ? "|" + bPort : "");
        return string.CompareOrdinal(x, y) <= 0 ? $"{protocol} {x} {y}" : $"{protocol} {y} {x}";
    }

    static string Address(string text) => IPAddress.TryParse(text, out IPAddress? ip) ? ip.ToString() : text;

    /// <summary>As on the wire: in ASCII (RFC 5891), without the root's dot.</summary>
    static string Plain(string host) => host == "<root>" ? "" : (host.Any(c => c > 127) ? new IdnMapping().GetAscii(host) : host).TrimEnd('.').ToUpperInvariant();

    static bool Has(JsonElement e, string key) => e.TryGetProperty(key, out _);

    static string Text(JsonElement e, string key) => e.TryGetProperty(key, out JsonElement value) ? value.ToString() : "";
}
