using System.Globalization;
using System.Text.Json;
using Nfr.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>nDPI's names of its own captures' flows, against our ip event's <c>app</c>, for the protocols that the issue names and those beside them that both know.</summary>
public sealed class NdpiOracleTests(ITestOutputHelper output)
{
    /// <summary>nDPI's master protocol (before the dot) and the names of ours that mean it. A name of a service (TLS.Google) says TLS.</summary>
    static readonly Dictionary<string, string[]> s_names = new(StringComparer.Ordinal)
    {
        ["BitTorrent"] = ["bittorrent"], ["eDonkey"] = ["edonkey"], ["WireGuard"] = ["wireguard"], ["OpenVPN"] = ["openvpn"], ["IPSec"] = ["ike", "esp"], ["Mining"] = ["stratum"],
        ["Tor"] = ["tor"], ["I2P"] = ["i2p"], ["IRC"] = ["irc"], ["SOCKS"] = ["socks"], ["RDP"] = ["rdp"], ["SMBv1"] = ["smb"], ["SMBv23"] = ["smb"],
        ["Kerberos"] = ["kerberos"], ["NTP"] = ["ntp"], ["SNMP"] = ["snmp"], ["SIP"] = ["sip"], ["MQTT"] = ["mqtt"], ["DNS"] = ["dns"], ["MDNS"] = ["mdns"],
        ["LLMNR"] = ["llmnr"], ["NetBIOS"] = ["nbns", "netbios", "smb"], ["DoH_DoT"] = ["dot", "doh", "doq"], ["HTTP"] = ["http"], ["TLS"] = ["tls"], ["QUIC"] = ["quic"],
        ["DTLS"] = ["dtls"], ["SSH"] = ["ssh"], ["SMTP"] = ["smtp"], ["SMTPS"] = ["tls", "smtp"], ["FTP_CONTROL"] = ["ftp"], ["FTPS"] = ["tls", "ftp"], ["Telnet"] = ["telnet"], ["IMAP"] = ["imap"],
        ["IMAPS"] = ["tls", "imap"], ["POP3"] = ["pop3"], ["POPS"] = ["tls", "pop3"], ["DHCP"] = ["dhcp"], ["DHCPV6"] = ["dhcpv6"], ["ICMP"] = ["icmp"], ["ICMPV6"] = ["icmp"],
        ["IGMP"] = ["igmp"], ["STUN"] = ["stun"], ["RTP"] = ["rtp"], ["RTCP"] = ["rtp"], ["SSDP"] = ["ssdp"], ["Radius"] = ["radius"], ["HTTP_Proxy"] = ["http-proxy"],
        ["HTTP_Connect"] = ["http-proxy"], ["HTTP2"] = ["http2"], ["BACnet"] = ["bacnet"], ["TFTP"] = ["tftp"], ["Elasticsearch"] = ["elasticsearch", "http"], ["PostgreSQL"] = ["postgresql"],
        ["COAP"] = ["coap"], ["VNC"] = ["vnc"], ["BITCOIN"] = ["bitcoin"], ["IEC60870"] = ["iec104"], ["DCERPC"] = ["dcerpc"], ["MongoDB"] = ["mongodb"], ["BGP"] = ["bgp"],
        ["Jabber"] = ["xmpp"], ["RTMP"] = ["rtmp"], ["Cassandra"] = ["cassandra"], ["LDAP"] = ["ldap"], ["MsSQL-TDS"] = ["tds"], ["MySQL"] = ["mysql"], ["Git"] = ["git"],
        ["RTSP"] = ["rtsp"], ["Syslog"] = ["syslog"], ["RSYNC"] = ["rsync"], ["AMQP"] = ["amqp"], ["Gnutella"] = ["gnutella"], ["NFS"] = ["nfs"], ["DNP3"] = ["dnp3"],
        ["WebSocket"] = ["websocket"], ["Memcached"] = ["memcached"], ["PPTP"] = ["pptp"], ["RESP"] = ["redis"], ["S7CommPlus"] = ["s7comm"], ["Modbus"] = ["modbus"], ["NetFlow"] = ["netflow"],
    };

    /// <summary>Those of <see cref="s_names"/> that the issue asks for; the rest is counted apart.</summary>
    static readonly HashSet<string> s_named = new(
        ("BitTorrent WireGuard OpenVPN IPSec Mining Tor I2P IRC SOCKS RDP SMBv1 SMBv23 Kerberos NTP SNMP SIP MQTT DNS MDNS LLMNR NetBIOS DoH_DoT HTTP TLS QUIC DTLS SSH SMTP SMTPS "
            + "FTP_CONTROL FTPS Telnet IMAP IMAPS POP3 POPS DHCP DHCPV6 ICMP ICMPV6 HTTP_Proxy HTTP_Connect HTTP2").Split(' '), StringComparer.Ordinal);

    readonly SortedDictionary<string, (int Agreed, int Differs, int Left)> _protocols = new(StringComparer.Ordinal);

    [Fact]
    public void A_flow_has_the_name_that_its_content_has()
    {
        if (!Corpus.TryFind("4-ndpi", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("ndpi", output);
        var confusion = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            ILookup<string, JsonElement> ours = DecodedCapture.Read(Path.Combine(folder, "pcaps", name)).Of("ip").ToLookup(Key);
            foreach (JsonElement row in document.RootElement.GetProperty("flows").EnumerateArray()) Compare(tally, confusion, name, Path.Combine(folder, "pcaps", name), row, ours);
        }
        foreach ((string pair, List<string> cases) in confusion) output.WriteLine($"named differently: {cases.Count,4} {pair} ({string.Join(' ', cases.Distinct().Take(4))})");
        foreach ((string protocol, (int agreed, int differs, int left)) in _protocols) output.WriteLine($"{(s_named.Contains(protocol) ? "*" : " ")} {protocol,-16} {agreed} of {agreed + differs}, {left} left out");
        tally.Finish(95);
    }

    void Compare(Tally tally, SortedDictionary<string, List<string>> confusion, string name, string pcap, JsonElement row, ILookup<string, JsonElement> ours)
    {
        string full = row.GetProperty("app_proto").GetString()!;
        int dot = full.IndexOf('.', StringComparison.Ordinal);
        string master = dot < 0 ? full : full[..dot];
        JsonElement[] flows = [.. ours[ExpectedKey(row)]];
        string[] apps = [.. flows.Select(AppOf).Where(a => a.Length > 0).Distinct()];
        bool guessed = row.GetProperty("Confidence").GetString()!.StartsWith("Match by", StringComparison.Ordinal);
        string[]? wanted = full.EndsWith(".DoH_DoT", StringComparison.Ordinal) ? s_names["DoH_DoT"] : s_names.GetValueOrDefault(master);
        if (wanted is null || !wanted.Intersect(apps).Any())
        {
            string pair = $"{full}{(guessed ? " (guessed)" : "")} is {(flows.Length == 0 ? "no flow" : apps.Length == 0 ? "nothing" : string.Join('+', apps))}";
            if (apps.Length > 0 || (wanted is not null && !guessed)) (confusion.TryGetValue(pair, out List<string>? list) ? list : confusion[pair] = []).Add(name);
        }
        if (wanted is null) return;
        if (wanted == s_names["DoH_DoT"]) master = "DoH_DoT";
        string category = s_named.Contains(master) ? "named in the issue" : "others";
        name = $"{name} {master}";
        (int agreed, int differs, int left) = _protocols.GetValueOrDefault(master);
        bool agrees = wanted.Intersect(apps).Any();
        var facts = Facts.Of(flows, apps);
        string? leave = agrees ? null : LeftOut(guessed, facts, DecodedCapture.Read(pcap));
        _protocols[master] = (agreed + (agrees ? 1 : 0), differs + (agrees || leave is not null ? 0 : 1), left + (leave is not null ? 1 : 0));
        if (agrees) tally.Agree(name, category);
        else if (leave is not null) tally.LeaveOut(name, category, leave);
        else tally.Differ(name, category, row.GetRawText(), Reason(master, full, guessed, facts, DecodedCapture.Read(pcap).Counters));
    }

    /// <summary>What our events say of the flow that a row is about.</summary>
    /// <param name="Payload">Bytes of content that were captured, both ways.</param>
    /// <param name="IsMidstream">Its first bytes were before the capture.</param>
    readonly record struct Facts(int Flows, long Packets, long Payload, bool IsMidstream, bool IsTcp, string App)
    {
        /// <summary>RFC 9293 3.8.4: a probe that keeps a connection alive has no byte, or one that was sent before.</summary>
        public bool IsOnlyProbes => IsTcp && IsMidstream && Payload <= Packets && Packets <= 3;

        public static Facts Of(JsonElement[] flows, string[] apps) => new(
            flows.Length,
            flows.Sum(f => f.GetProperty("packetsOut").GetInt64() + f.GetProperty("packetsIn").GetInt64()),
            flows.Sum(f => f.GetProperty(DecodedCapture.PayloadOut).GetInt64() + f.GetProperty(DecodedCapture.PayloadIn).GetInt64()),
            flows.Any(f => f.TryGetProperty("notes", out JsonElement notes) && notes.EnumerateArray().Any(n => n.GetString() == "midstream")),
            flows.Any(f => f.GetProperty("proto").GetString() == "tcp"),
            apps.FirstOrDefault() ?? "");
    }

    /// <summary>A name that nobody could tell from what was captured: without a byte of content there is nothing to recognise.</summary>
    static string? LeftOut(bool guessed, Facts facts, DecodedCapture capture)
    {
        if (facts.Flows == 0) return !capture.Of("ip").Any() && capture.Counters.Faults[(int)DecodeFault.LinkTypeUnknown] > 0 ? "a link type that is not read" : null;
        if (!guessed || facts.App.Length > 0) return null;
        if (facts.Payload == 0) return "no byte of content was sent; nDPI's own guess by port or address";
        return facts.IsOnlyProbes ? "only a probe that keeps the connection alive was captured; nDPI's own guess by port" : null;
    }

    /// <summary>Why we are right to differ, or what is missing: a rule of the protocol and of what the capture shows.</summary>
    static string? Reason(string master, string full, bool guessed, Facts facts, DecodeCounters counters)
    {
        if (facts.Flows == 0 && counters.FragmentsHeld > 0) return "a first fragment whose rest was never sent: held, and counted when its time is over";
        if (facts.Flows == 0) return "no flow of these addresses: a packet whose headers are faulty, or within a layer that is not opened";
        if (guessed && facts.App.Length > 0) return "nDPI's own guess by port or address; the content says another protocol";
        if (guessed && facts.IsMidstream) return "nDPI's own guess by port; picked up in the middle, and no segment begins like a message of it";
        if (guessed && facts.IsTcp) return "nDPI's own guess by port; seen from its SYN, and the first bytes are not that protocol's";
        if (guessed) return "nDPI's own guess by port; the datagrams have no form of that protocol";
        return (master, facts.App) switch
        {
            ("DTLS" or "SRTP", "stun") => "a flow keeps the first protocol that it carries: STUN opened it",
            ("STUN", "rtp") => "RTP on the ports that STUN opened elsewhere: its own content is RTP",
            ("SOCKS" or "Gnutella", "tls") => "nDPI's heuristic of what is within TLS; the content is TLS",
            ("TLS", "rdp") => "RDP's negotiation comes first, TLS within it",
            ("QUIC", "") => "short headers only: nothing of the handshake was seen",
            ("WebSocket", "") when facts.IsMidstream => "picked up behind the upgrade: frames alone say nothing",
            ("MQTT", "") when facts.IsMidstream => "picked up in the middle, and its first segments are acknowledgments of a few bytes",
            ("Jabber", "") => "binary content at a port of XMPP, no stanza",
            ("Cassandra", "") => "between nodes, not the protocol of clients",
            ("BitTorrent", "") => "nDPI remembers the address; the content is cipher text",
            ("RTP", "") => "over TCP or with gaps in its numbers: two datagrams do not follow each other",
            _ when full.EndsWith("DoH_DoT", StringComparison.Ordinal) => "a resolver's address in a version of QUIC whose hello is not opened",
            _ => null,
        };
    }

    static string AppOf(JsonElement e) => e.TryGetProperty("app", out JsonElement app) ? app.GetString()! : "";

    static string Key(JsonElement e)
    {
        string protocol = e.GetProperty("proto").ToString().ToUpperInvariant() switch { "ICMP6" => "ICMPV6", "2" => "IGMP", "50" => "ESP", "51" => "AH", var other => other };
        bool ports = protocol is "TCP" or "UDP";
        return Key(protocol, e.GetProperty("srcIP").GetString()!, ports ? e.GetProperty("srcPort").GetInt32() : 0, e.GetProperty("destIP").GetString()!, ports ? e.GetProperty("destPort").GetInt32() : 0);
    }

    static string ExpectedKey(JsonElement row) => Key(row.GetProperty("proto").GetString()!, Canonical(row.GetProperty("src_ip").GetString()!), row.GetProperty("src_port").GetInt32(),
        Canonical(row.GetProperty("dest_ip").GetString()!), row.GetProperty("dest_port").GetInt32());

    static string Canonical(string address) => System.Net.IPAddress.TryParse(address, out System.Net.IPAddress? ip) ? ip.ToString() : address;

    /// <summary>Either way round. nDPI counts a flow without ports once; so a key without ports has none.</summary>
    static string Key(string protocol, string a, int aPort, string b, int bPort)
    {
        string x = string.Create(CultureInfo.InvariantCulture, $"{a}|{aPort}"), y = string.Create(CultureInfo.InvariantCulture, $"{b}|{bPort}");
        return string.CompareOrdinal(x, y) <= 0 ? $"{protocol} {x} {y}" : $"{protocol} {y} {x}";
    }
}
