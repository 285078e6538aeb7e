using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>
/// DNS, LLMNR and DHCP as Suricata's and Zeek's tests expect them, against our dns and host events. Suricata writes a query and its answer as two events and Zeek, as we do, as
/// one: a row agrees when one of our events has every value of it that we carry. A row of which we carry nothing is left out.
/// </summary>
public sealed class DnsOracleTests(ITestOutputHelper output)
{
    const double Demanded = 95;

    [Fact]
    public void Dns_rows_of_suricatas_tests_are_found()
    {
        if (!Corpus.TryFind("2-suricata-verify", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("suricata-dns", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            if (!root.TryGetProperty("expect", out JsonElement expect) || expect.ValueKind != JsonValueKind.Array) continue;
            string name = Path.GetFileNameWithoutExtension(file);
            foreach (JsonElement row in expect.EnumerateArray())
            {
                JsonElement match = row.GetProperty("match");
                string type = Text(match, "event_type");
                if (type is not ("dns" or "llmnr" or "dhcp")) continue;
                if (root.TryGetProperty("exact", out JsonElement exact) && exact.ValueKind == JsonValueKind.False)
                {
                    tally.LeaveOut(name, type, "the case filters its log or drops packets");
                    continue;
                }
                string path = Path.Combine(folder, root.GetProperty("pcap").GetString()!);
                JsonElement[] events = [.. DecodedCapture.Read(path).Of(type == "dhcp" ? "host" : "dns")];
                if (type == "dhcp") Dhcp(tally, name, match, events);
                else Suricata(tally, name, type, row, match, events);
            }
        }
        tally.Finish(Demanded);
    }

    static void Suricata(Tally tally, string name, string type, JsonElement row, JsonElement match, JsonElement[] events)
    {
        bool isAnswer = Text(match, type + ".type") is "answer" or "response";
        bool isQuery = Text(match, type + ".type") is "query" or "request";
        if (row.TryGetProperty("count", out JsonElement count) && count.GetInt32() == 0)
        {
            tally.LeaveOut(name, type, "a row that asks that something is not logged: a matter of its rules");
            return;
        }
        if (isQuery && match.TryGetProperty(type + ".z", out _))
        {
            tally.LeaveOut(name, type, "a header bit of a query that was answered: the event has the answer's header");
            return;
        }
        int keys = 0;
        var found = new List<JsonElement>(events);
        foreach (JsonProperty property in match.EnumerateObject())
        {
            Func<JsonElement, bool>? test = Test(type, property, isAnswer, turned: Text(match, type + ".type") == "response");
            if (test is null) continue;
            keys++;
            found.RemoveAll(e => !test(e));
        }
        if (isAnswer) found.RemoveAll(e => !e.TryGetProperty("rcode", out _));
        if (keys == 0 && !isAnswer && !isQuery) tally.LeaveOut(name, type, "no key that our events carry");
        else if (IsAsMany(row, found, isAnswer || isQuery)) tally.Agree(name, type);
        else tally.Differ(name, type, $"{found.Count} of {row.GetRawText()}", WhySuricata(match));
    }

    /// <summary>
    /// Exactly "count", or at least "min_count". A row that says neither query nor answer counts both, which are one event here; a repeated query is one
    /// event here and several there.
    /// </summary>
    static bool IsAsMany(JsonElement row, List<JsonElement> found, bool isOneDirection)
    {
        if (row.TryGetProperty("min_count", out JsonElement least)) return found.Count > 0 && (found.Count >= least.GetInt32() || found.Any(IsRepeated));
        int count = row.GetProperty("count").GetInt32();
        int most = found.Count + (isOneDirection ? 0 : found.Count(e => e.TryGetProperty("rcode", out _)));
        return found.Count > 0 && count >= found.Count && (count <= most || found.Any(IsRepeated));
    }

    static bool IsRepeated(JsonElement e) => e.TryGetProperty("notes", out JsonElement notes) && notes.EnumerateArray().Any(n => n.GetString() == "repeated");

    static string? WhySuricata(JsonElement match)
    {
        // A row for queries alone, of which we have more.
        if (Text(match, "dns.type") is "query" or "request" && match.EnumerateObject().Count() == 2) return "an answer whose query was not seen is an event too, and a line does not tell the two apart";
        foreach (JsonProperty property in match.EnumerateObject())
        {
            if (property.Name.Contains("queries[1]", StringComparison.Ordinal)) return "a second question: nobody answers more than the first (RFC 9619), and the event has the first";
            if (property.Name.Contains("_truncated", StringComparison.Ordinal)) return "a name longer than RFC 1035 allows is a fault and no event";
        }
        return null;
    }

    /// <summary>What one key of an EVE record asks of our event; null when we do not carry it.</summary>
    /// <param name="turned">The answer of version 3 is written as it was sent, from the server; that of version 2 has the query's ends.</param>
    static Func<JsonElement, bool>? Test(string type, JsonProperty property, bool isAnswer, bool turned)
    {
        string key = property.Name, value = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : property.Value.GetRawText();
        string rest = key.StartsWith(type + ".", StringComparison.Ordinal) ? key[(type.Length + 1)..] : key;
        switch (rest)
        {
            case "src_ip" or "dest_ip":
                return e => Same(Text(e, rest == "src_ip" != turned ? "srcIP" : "destIP"), value);
            case "src_port" or "dest_port":
                return e => Text(e, rest == "src_port" != turned ? "srcPort" : "destPort") == value;
            case "proto":
                return e => string.Equals(Text(e, "transport"), value, StringComparison.OrdinalIgnoreCase);
            case "id":
                return e => (Text(e, "id") is { Length: > 0 } id ? id : "0") == value;
            case "rrname" or "queries[0].rrname":
                return e => string.Equals(Text(e, "query"), value, StringComparison.OrdinalIgnoreCase);
            case "rrtype" or "queries[0].rrtype":
                return e => string.Equals(Text(e, "qtype"), value, StringComparison.OrdinalIgnoreCase);
            case "rcode":
                return e => Text(e, "rcode") == value;
            case "flags" when isAnswer:
                return e => Flags(e) == int.Parse(value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            case "opcode":
                return e => (Flags(e) >> 11 & 15).ToString(CultureInfo.InvariantCulture) == value;
            case "qr" when isAnswer:
                return e => Bit(e, 0x8000) == value;
            case "ra" when isAnswer:
                return e => Bit(e, 0x0080) == value;
            case "rd":
                return e => Bit(e, 0x0100) == value;
            case "aa" when isAnswer:
                return e => Bit(e, 0x0400) == value;
            case "z":
                return e => Bit(e, 0x0040) == value;
        }
        if (rest.StartsWith("answers[", StringComparison.Ordinal) || rest.StartsWith("grouped.", StringComparison.Ordinal))
        {
            // The answer of that number, in the message's order; "grouped.A[1]" is the second of its type.
            int bracket = rest.IndexOf('[', StringComparison.Ordinal);
            int number = int.Parse(rest.AsSpan(bracket + 1, rest.IndexOf(']', StringComparison.Ordinal) - bracket - 1), CultureInfo.InvariantCulture);
            string? group = rest.StartsWith("grouped.", StringComparison.Ordinal) ? rest["grouped.".Length..bracket] : null;
            (string Type, string Ttl, string Data)? Nth(JsonElement e) => Answers(e).Where(a => group is null || a.Type == group).Skip(number).Select(a => ((string, string, string)?)a).FirstOrDefault();
            if (rest.EndsWith(".ttl", StringComparison.Ordinal)) return e => Nth(e)?.Ttl == value;
            if (rest.EndsWith(".rrtype", StringComparison.Ordinal)) return e => Nth(e)?.Type == value;
            if (rest.EndsWith(".rdata", StringComparison.Ordinal) || rest.EndsWith(".a", StringComparison.Ordinal) || group is not null)
                return e => string.Equals(Nth(e)?.Data, value, StringComparison.OrdinalIgnoreCase);
        }
        return null;
    }

    /// <summary>We say who has which address and name once it is acknowledged; the rest of a DHCP message is not ours.</summary>
    static void Dhcp(Tally tally, string name, JsonElement match, JsonElement[] hosts)
    {
        string mac = Text(match, "dhcp.client_mac"), host = Text(match, "dhcp.hostname").TrimEnd('\0');
        string address = Text(match, "dhcp.assigned_ip") is { Length: > 0 } assigned && assigned != "0.0.0.0" ? assigned : Text(match, "dhcp.client_ip");
        if (mac.Length == 0 && host.Length == 0)
        {
            tally.LeaveOut(name, "dhcp", "no key that our events carry");
            return;
        }
        bool agreed = hosts.Any(e => Text(e, "source") == "dhcp" && (mac.Length == 0 || Text(e, "mac") == mac) && (host.Length == 0 || Text(e, "name") == host)
            && (address is "" or "0.0.0.0" || Text(e, "address") == address));
        if (agreed) tally.Agree(name, "dhcp");
        else tally.Differ(name, "dhcp", match.GetRawText(), null);
    }

    [Fact]
    public void Dns_rows_of_zeeks_tests_are_found()
    {
        if (!Corpus.TryFind("3-zeek-btest", out string folder))
        {
            output.WriteLine("skipped: the corpus is not beside the checkout");
            return;
        }
        var tally = new Tally("zeek-dns", output);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement root = document.RootElement;
            string name = Path.GetFileNameWithoutExtension(file);
            foreach (JsonElement expected in root.GetProperty("expect").EnumerateArray())
            {
                JsonElement row = expected.GetProperty("match");
                if (Text(row, "_path") != "dns") continue;
                JsonElement[] events = [.. DecodedCapture.Read(Path.Combine(folder, root.GetProperty("pcap").GetString()!)).Of("dns")];
                Zeek(tally, name, row, events);
            }
        }
        tally.Finish(Demanded);
    }

    static void Zeek(Tally tally, string name, JsonElement row, JsonElement[] events)
    {
        string server = Text(row, "id.resp_p");
        if (!row.TryGetProperty("qtype", out _) && server == "5353")
        {
            tally.LeaveOut(name, "dns", "an mDNS answer without a question: its names are host events");
            return;
        }
        bool agreed = events.Any(e =>
            Same(Text(e, "srcIP"), Text(row, "id.orig_h")) && Same(Text(e, "destIP"), Text(row, "id.resp_h"))
            && Text(e, "srcPort") == Text(row, "id.orig_p") && Text(e, "destPort") == server && Text(e, "transport") == Text(row, "proto")
            && (Text(e, "id") is { Length: > 0 } id ? id : "0") == Text(row, "trans_id")
            && (Text(row, "query").Length == 0 || string.Equals(QueryAsZeek(e), Text(row, "query"), StringComparison.OrdinalIgnoreCase))
            && (Text(row, "qtype").Length == 0 || TypeAsZeek(e) == TypeName(Text(row, "qtype_name")))
            && (Text(row, "rcode_name").Length == 0 || Text(e, "rcode") == Text(row, "rcode_name"))
            && Header(e, row) && Lifetimes(e, row) && Addresses(e, row));
        if (agreed) tally.Agree(name, "dns");
        else tally.Differ(name, "dns", row.GetRawText(), WhyZeek(row));
    }

    /// <summary>Zeek writes ANY as "*", and a type without a name as "query-65534" (RFC 3597 5: TYPE65534).</summary>
    static string TypeName(string zeek) => zeek == "*" ? "ANY" : zeek.Replace("query-", "TYPE", StringComparison.Ordinal);

    /// <summary>Zeek leaves a NetBIOS name's suffix out, and calls its types by DNS's names for their numbers.</summary>
    static string QueryAsZeek(JsonElement e)
    {
        string query = Text(e, "query");
        return Text(e, "service") == "nbns" && query.LastIndexOf('<') is >= 0 and int suffix ? query[..suffix] : query;
    }

    /// <inheritdoc cref="QueryAsZeek"/>
    static string TypeAsZeek(JsonElement e) => Text(e, "qtype") switch { "NB" => "NIMLOC", "NBSTAT" => "SRV", var type => type };

    static string? WhyZeek(JsonElement row) => null;

    /// <summary>Zeek takes AA and RA from an answer that has records, and RD from the query; without them it says false, whatever the wire said (RFC 1035 4.1.1).</summary>
    static bool Header(JsonElement e, JsonElement row) =>
        (!row.TryGetProperty("answers", out _) || (Bit(e, 0x0400) == Text(row, "AA") && Bit(e, 0x0080) == Text(row, "RA")))
        && (!row.TryGetProperty("qtype", out _) || Bit(e, 0x0100) == Text(row, "RD"))
        && Bit(e, 0x0200) == Text(row, "TC") && (Flags(e) >> 11 & 15).ToString(CultureInfo.InvariantCulture) == Text(row, "opcode");

    /// <summary>As many as our answers, and in their order.</summary>
    static bool Lifetimes(JsonElement e, JsonElement row) => !row.TryGetProperty("TTLs", out JsonElement lifetimes)
        || lifetimes.EnumerateArray().Select(t => ((long)t.GetDouble()).ToString(CultureInfo.InvariantCulture)).SequenceEqual(Answers(e).Select(a => a.Ttl), StringComparer.Ordinal);

    /// <summary>Answers that are addresses or names are compared, each with that of its place; Zeek has a form of its own for all others.</summary>
    static bool Addresses(JsonElement e, JsonElement row)
    {
        if (!row.TryGetProperty("answers", out JsonElement answers)) return true;
        string[] theirs = [.. answers.EnumerateArray().Select(a => a.GetString()!)], ours = [.. Answers(e).Select(a => a.Data)];
        return theirs.Length == ours.Length && theirs.Zip(ours).All(p => p.First.AsSpan().IndexOfAny(' ', '<') >= 0 || p.First.AsSpan().IndexOfAny('.', ':') < 0
            || Same(p.Second, p.First) || p.Second.EndsWith(' ' + p.First, StringComparison.OrdinalIgnoreCase));
    }

    static IEnumerable<(string Type, string Ttl, string Data)> Answers(JsonElement e) => e.TryGetProperty("answers", out JsonElement list)
        ? list.EnumerateArray().Select(a => (Text(a, "type"), Text(a, "ttl"), Text(a, "data")))
        : [];

    static int Flags(JsonElement e) => e.TryGetProperty("flags", out JsonElement flags) ? flags.GetInt32() : 0;
    static string Bit(JsonElement e, int mask) => (Flags(e) & mask) != 0 ? "true" : "false";

    static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase)
        || (System.Net.IPAddress.TryParse(a, out System.Net.IPAddress? x) && System.Net.IPAddress.TryParse(b, out System.Net.IPAddress? y) && x.Equals(y));

    /// <summary>A value as text whatever its kind; empty when it is not there.</summary>
    static string Text(JsonElement e, string key) =>
        !e.TryGetProperty(key, out JsonElement value) ? "" : value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
