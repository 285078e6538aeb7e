using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>Handshakes as the tests of Suricata (tls and quic rows) and Zeek (ssl, x509 and quic rows) expect them.</summary>
public sealed class TlsOracleTests(ITestOutputHelper output)
{
    [Fact]
    public void Handshakes_are_as_Suricata_expects()
    {
        if (!Corpus.TryFind("2-suricata-verify", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("suricata-tls", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string name = Path.GetFileNameWithoutExtension(file);
            foreach (JsonElement row in document.RootElement.GetProperty("expect").EnumerateArray())
            {
                JsonElement match = row.GetProperty("match");
                string? type = Get(match, "event_type");
                if (type is not ("tls" or "quic")) continue;
                if (document.RootElement.GetProperty("ips_mode").GetBoolean())
                {
                    tally.LeaveOut(name, type, "inline: packets were dropped before the log");
                    continue;
                }
                bool filtered = !document.RootElement.GetProperty("exact").GetBoolean();
                if (Wants(match).ToList() is not { Count: > 0 } wanted)
                {
                    tally.LeaveOut(name, type, "asks for the number of log lines, or for fields that no event carries");
                    continue;
                }
                List<JsonElement> events = [.. DecodedCapture.Read(Path.Combine(folder, Get(document.RootElement, "pcap")!)).Of("tls")];
                int agreeing = events.Count(e => wanted.All(w => w.Matches(e)));
                int count = row.TryGetProperty("count", out JsonElement exact) ? exact.GetInt32() : row.TryGetProperty("min_count", out JsonElement least) ? least.GetInt32() : 1;
                if (filtered && count == 0)
                {
                    tally.LeaveOut(name, type, "a filter of its own keeps it out of the log");
                    continue;
                }
                if (agreeing >= Math.Min(count, 1) && (count > 0 || agreeing == 0)) tally.Agree(name, type);
                else tally.Differ(name, type, $"{match.GetRawText().ReplaceLineEndings("")}, ours: {string.Join(' ', events.Take(2))}", Reason(wanted, events));
            }
        }
        tally.Finish(95);
    }

    static string? Reason(List<Wanted> wanted, List<JsonElement> events) =>
        wanted.Find(w => w.Key == "ja4") is { } ja4 && events.Any(e => Get(e, "ja4")?[..^13] == ja4.Value[..^13] && wanted.All(w => w == ja4 || w.Matches(e)))
            ? "part c of a JA4 without signature algorithms: the text ends it without an underscore" : null;

    /// <summary>One value of a row, and the key of our event that has it.</summary>
    sealed record Wanted(string Key, string Value)
    {
        public bool Matches(JsonElement e) => Key switch
        {
            "san" => e.TryGetProperty("san", out JsonElement names) && names.EnumerateArray().Any(n => n.GetString() == Value),
            "issuer" or "subject" => Get(e, Key) is { } name && Parts(name).SequenceEqual(Parts(Value), StringComparer.Ordinal),
            _ => string.Equals(Get(e, Key), Value, StringComparison.OrdinalIgnoreCase),
        };

        /// <summary>The parts of a name, in no order: ours stand last first (RFC 4514), theirs as in the certificate, and a part may hold commas of its own.</summary>
        static IEnumerable<string> Parts(string name) =>
            name.Replace("\\", "", StringComparison.Ordinal).Split(',').Select(p => p.Trim()).Order(StringComparer.Ordinal);
    }

    /// <summary>What the row asks of an event; fields that ours do not have by design (serials, the parts of hellos, Suricata's own counters) are passed over.</summary>
    static IEnumerable<Wanted> Wants(JsonElement match)
    {
        foreach (JsonProperty p in match.EnumerateObject())
        {
            string value = p.Value.ToString();
            string? key = p.Name switch
            {
                "src_ip" => "srcIP",
                "dest_ip" => "destIP",
                "src_port" => "srcPort",
                "dest_port" => "destPort",
                "tls.sni" => "sni",
                "tls.version" => "version",
                "tls.subject" => "subject",
                "tls.issuerdn" => "issuer",
                "tls.fingerprint" => "certHash",
                "tls.notbefore" => "validFrom",
                "tls.notafter" => "validTo",
                "tls.ja3.hash" or "quic.ja3.hash" => "ja3",
                "tls.ja3s.hash" => "ja3s",
                "tls.ja4" or "quic.ja4" => "ja4",
                _ when p.Name.StartsWith("tls.subjectaltname[", StringComparison.Ordinal) => "san",
                _ => null,
            };
            if (key is null) continue;
            if (key == "certHash") value = value.Replace(":", "", StringComparison.Ordinal);
            if (key is "validFrom" or "validTo") value += "Z";
            if (key == "version") value = Version(value);
            yield return new Wanted(key, value);
        }
        // Extensions are listed by name; the server's name is the one that has an event's field.
        for (int i = 0; i < 16; i++)
        {
            if (Get(match, $"quic.extensions[{i}].name") == "server_name" && Get(match, $"quic.extensions[{i}].values[0]") is { } name) yield return new Wanted("sni", name);
        }
    }

    /// <summary>Old versions are "TLSv1", and drafts of 1.3 have a name where ours have the number on the wire, 0x7f00 and the draft's (its section 4.2.1.1).</summary>
    static string Version(string suricata)
    {
        const string Draft = "TLS 1.3 draft-";
        if (suricata.StartsWith(Draft, StringComparison.Ordinal)) return "0x7f" + int.Parse(suricata[Draft.Length..], CultureInfo.InvariantCulture).ToString("x2", CultureInfo.InvariantCulture);
        return suricata switch { "TLSv1" => "TLS 1.0", "SSLv3" => "SSL 3.0", "SSLv2" => "SSL 2.0", _ => suricata };
    }

    [Fact]
    public void Handshakes_are_as_Zeek_expects()
    {
        if (!Corpus.TryFind("3-zeek-btest", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("zeek-ssl", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string name = Path.GetFileNameWithoutExtension(file);
            List<JsonElement> rows = [.. document.RootElement.GetProperty("expect").EnumerateArray().Select(r => r.GetProperty("match")).Where(r => Get(r, "_path") is "ssl" or "x509" or "quic")];
            if (rows.Count == 0) continue;
            DecodedCapture capture = DecodedCapture.Read(Path.Combine(folder, Get(document.RootElement, "pcap")!));
            var events = new EventsByEnds(capture);
            string[] leaves = [.. rows.Where(r => r.TryGetProperty("cert_chain_fps", out JsonElement chain) && chain.GetArrayLength() > 0).Select(r => r.GetProperty("cert_chain_fps")[0].GetString()!)];
            foreach (JsonElement row in rows)
            {
                if (Get(row, "_path") == "x509") Certificate(tally, name, row, capture, leaves);
                else Handshake(tally, name, row, events);
            }
        }
        tally.Finish(95);
    }

    static void Handshake(Tally tally, string name, JsonElement row, EventsByEnds events)
    {
        string path = Get(row, "_path")!;
        List<JsonElement> tls = events.Between("tls", Get(row, "id.orig_h")!, row.GetProperty("id.orig_p").GetInt32(), Get(row, "id.resp_h")!, row.GetProperty("id.resp_p").GetInt32());
        string ends = $"{Get(row, "id.orig_h")}:{Get(row, "id.orig_p")} {Get(row, "id.resp_h")}:{Get(row, "id.resp_p")} {Get(row, "history") ?? Get(row, "ssl_history")}";
        if (path == "quic" && Get(row, "server_name") is null && Get(row, "client_protocol") is null)
        {
            tally.LeaveOut(name, path, "a connection whose hello was not seen has no tls event");
            return;
        }
        if (tls.Count == 0 && events.Between("ip", Get(row, "id.orig_h")!, row.GetProperty("id.orig_p").GetInt32(), Get(row, "id.resp_h")!, row.GetProperty("id.resp_p").GetInt32()).Count == 0)
        {
            tally.LeaveOut(name, path, "the test reads several captures, the row is of another one");
            return;
        }
        if (tls.Count > 0) tally.Agree(name, path);
        else tally.Differ(name, path, ends, null);
        Hold(tally, name, path + " server_name", ends, tls.Select(e => Get(e, "sni")), Get(row, "server_name"));
        if (path == "quic") Hold(tally, name, "quic client_protocol", ends, tls.Select(e => Get(e, "alpn")), Get(row, "client_protocol"));
        if (path != "ssl") return;
        string? version = Get(row, "version") switch
        {
            "TLSv10" => "TLS 1.0", "TLSv11" => "TLS 1.1", "TLSv12" => "TLS 1.2", "TLSv13" => "TLS 1.3", "SSLv3" => "SSL 3.0", "SSLv2" => "SSL 2.0",
            "DTLSv10" => "DTLS 1.0", "DTLSv12" => "DTLS 1.2", "DTLSv13" => "DTLS 1.3", var other => other,
        };
        Hold(tally, name, "ssl version", ends, tls.Select(e => Get(e, "version")), version);
        Hold(tally, name, "ssl next_protocol", ends, tls.Select(e => Get(e, "serverAlpn")), Get(row, "next_protocol"));
        Hold(tally, name, "ssl subject", ends, tls.Select(e => Get(e, "subject")), Get(row, "subject"));
        Hold(tally, name, "ssl issuer", ends, tls.Select(e => Get(e, "issuer")), Get(row, "issuer"));
        Hold(tally, name, "ssl certificate SHA-1", ends, tls.Select(e => Get(e, "certHash")), Get(row, "server_cert_sha1"));
        Hold(tally, name, "ssl resumed", ends, tls.Select(e => e.TryGetProperty("notes", out JsonElement n) && n.EnumerateArray().Any(x => x.GetString() == "resumed") ? "True" : "False"), Get(row, "resumed"));
    }

    static void Certificate(Tally tally, string name, JsonElement row, DecodedCapture capture, string[] leaves)
    {
        if (leaves.Length > 0 ? !leaves.Contains(Get(row, "fingerprint")) : Get(row, "host_cert") != "True")
        {
            tally.LeaveOut(name, "x509", "an event carries the server's own certificate only");
            return;
        }
        List<JsonElement> ours = [.. capture.Of("tls").Where(e => Get(e, "subject") == Get(row, "certificate.subject"))];
        string what = Get(row, "certificate.subject")!;
        Hold(tally, name, "x509", what, ours.Select(e => Get(e, "issuer")), Get(row, "certificate.issuer"));
        Hold(tally, name, "x509", what, ours.Select(e => Get(e, "validFrom")), Time(Get(row, "certificate.not_valid_before")));
        Hold(tally, name, "x509", what, ours.Select(e => Get(e, "validTo")), Time(Get(row, "certificate.not_valid_after")));
        if (row.TryGetProperty("san.dns", out JsonElement names))
            Hold(tally, name, "x509 san", what, ours.Select(e => e.TryGetProperty("san", out JsonElement san) ? string.Join(',', san.EnumerateArray()) : null), string.Join(',', names.EnumerateArray()));
    }

    static string? Time(string? seconds) => seconds is null ? null
        : DateTimeOffset.FromUnixTimeSeconds((long)double.Parse(seconds, CultureInfo.InvariantCulture)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    static void Hold(Tally tally, string name, string category, string row, IEnumerable<string?> ours, string? expected)
    {
        if (string.IsNullOrEmpty(expected)) return;
        string?[] values = [.. ours];
        if (values.Contains(expected, StringComparer.OrdinalIgnoreCase)) tally.Agree(name, category);
        else tally.Differ(name, category, $"{expected}, ours: {string.Join(' ', values)}; {row}", null);
    }

    static string? Get(JsonElement row, string key) => EventsByEnds.Text(row, key);
}
