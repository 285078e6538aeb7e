using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Suricata;

/// <summary>What the original posts for the same EVE files, field by field, in both of its scopes.</summary>
public class EveGoldenTests
{
    [Theory]
    [InlineData("all-scope")]
    [InlineData("default-scope")]
    public void Dns_bodies_equal_the_originals_but_for_the_repeats_that_it_drops(string scope)
    {
        foreach ((string name, string[] lines) in Inputs())
        {
            List<string> theirs = Golden(scope, name, "dns");
            var left = Count(Bodies(lines, scope, EventType.Dns));
            foreach (string body in theirs) Assert.True(Take(left, body), $"{name}: not made: {body}");
            // A query equal to one of the last eight is dropped there (the corpus's README).
            HashSet<string> known = [.. theirs.Select(WithoutTime)];
            Assert.All(left.Where(l => l.Value > 0), l => Assert.Contains(WithoutTime(l.Key), known));
        }
    }

    [Theory]
    [InlineData("all-scope")]
    [InlineData("default-scope")]
    public void Http_bodies_equal_the_originals_but_for_how_it_makes_urls_and_for_the_length(string scope)
    {
        foreach ((string name, string[] lines) in Inputs())
        {
            var theirs = Count(Golden(scope, name, "http"));
            foreach (string line in lines)
            {
                if (JsonNode.Parse(line)?["http"] is not { } http || Bodies([line], scope, EventType.Http) is not [var body]) continue;
                // A record without a host has none there; here it is the server's address.
                if (http["hostname"] is not { } host) continue;
                JsonNode ours = JsonNode.Parse(body)!;
                int port = (int)JsonNode.Parse(line)!["dest_port"]!;
                // Host and target are joined as a file's path there, "http_port" is left out, and there is no scheme but for ports 80 and 443 (A9).
                ours["url"] = (port == 80 ? "http://" : port == 443 ? "https://" : "") + Clean($"{host}/{http["url"]}");
                // "length" is not read there (A9).
                Assert.Equal((long?)http["length"] ?? 0, (long)ours["bytesIn"]!);
                ours["bytesIn"] = 0;
                Assert.True(Take(theirs, Sorted(ours)), $"{name}: they have no {body}");
            }
            Assert.All(theirs, t => Assert.True(t.Value == 0, $"{name}: not made: {t.Key}"));
        }
    }

    [SampleFact("12-go-nfr-golden/inputs/suricata", "7-log-samples/suricata-eve", "7-log-samples/nfr")]
    public void Nothing_of_the_golden_inputs_and_of_the_samples_is_skipped()
    {
        foreach (string folder in (string[])["12-go-nfr-golden/inputs/suricata", "7-log-samples/suricata-eve", "7-log-samples/nfr"])
        {
            string path = Corpus.Find(folder);
            foreach (string file in Directory.GetFiles(path).Where(f => Path.GetFileNameWithoutExtension(f).Split('-', '_', '.')[^1] is "eve" or "empty" || Path.GetFileName(f).StartsWith("nfr-test", StringComparison.Ordinal)))
            {
                EveBed bed = new EveBed().ReadAll(File.ReadLines(file));
                Assert.All(LineVerdicts.Skips, v => Assert.True(bed.Verdicts[(int)v] == 0, $"{file}: {bed.Verdicts[(int)v]} {v.Name()}"));
            }
        }
    }

    [SampleFact("7-log-samples/nfr/suricata-eve.json")]
    public void The_originals_own_sample_gives_what_its_test_expects()
    {
        string path = Corpus.Find("7-log-samples/nfr/suricata-eve.json");
        EveBed bed = new EveBed().ReadAll(File.ReadLines(path));
        JsonArray records = JsonNode.Parse(File.ReadAllText(path + ".expect.json"))!["records"]!.AsArray();
        Assert.Equal(records.Count, bed.Lines.Count);
        foreach (JsonNode? record in records)
        {
            Assert.Contains(bed.Lines.Select(l => JsonNode.Parse(l)!), e =>
                (string)e["ts"]! == (string)record!["ts"]! && (string)e["srcIP"]! == (string)record["src_ip"]! && (int)e["destPort"]! == (int)record["dest_port"]!
                && (string)e["transport"]! == (string)record["proto"]! && (string)e["qtype"]! == (string)record["qtype"]! && (string)e["query"]! == (string)record["fqdn"]!);
        }
    }

    /// <summary>The keys of Suricata's own schema that are read, each in its object.</summary>
    [SampleTheory("7-log-samples/suricata-eve/schema.json")]
    [InlineData("", "timestamp flow_id vlan src_ip src_port dest_ip dest_port proto event_type app_proto direction icmp_type icmp_code dns flow tcp http tls quic alert mdns llmnr")]
    [InlineData("dns", "type id rrname rrtype rcode flags version queries answers grouped")]
    [InlineData("dns/queries/[]", "rrname rrtype")]
    [InlineData("dns/answers/[]", "rrtype ttl rdata srv sshfp soa")]
    [InlineData("dns/answers/[]/srv", "priority weight port name")]
    [InlineData("dns/answers/[]/sshfp", "algo type fingerprint")]
    [InlineData("llmnr/answers/[]", "rrtype ttl a aaaa cname mx ns ptr txt soa srv")]
    [InlineData("flow", "bytes_toserver bytes_toclient pkts_toserver pkts_toclient start end age emergency src_ip src_port")]
    [InlineData("tcp", "tcp_flags tcp_flags_ts tcp_flags_tc ts_gap tc_gap")]
    [InlineData("http", "hostname url http_port http_user_agent http_content_type http_refer http_method status length request_headers")]
    [InlineData("tls", "sni version fingerprint issuerdn subject notbefore notafter ja3 ja3s ja4 subjectaltname client_alpns server_alpns session_resumed from_proto")]
    [InlineData("quic", "sni version ja3 ja3s ja4 extensions")]
    [InlineData("quic/extensions/[]", "name values")]
    public void Every_key_that_is_read_is_in_suricatas_schema(string path, string keys)
    {
        string file = Corpus.Find("7-log-samples/suricata-eve/schema.json");
        JsonNode node = JsonNode.Parse(File.ReadAllText(file))!;
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries)) node = part == "[]" ? node["items"]! : node["properties"]![part]!;
        Assert.All(keys.Split(' '), key => Assert.NotNull(node["properties"]![key]));
    }

    static IEnumerable<(string Name, string[] Lines)> Inputs()
    {
        if (!Corpus.TryFind("12-go-nfr-golden/inputs/suricata", out string folder)) yield break;
        foreach (string file in Directory.GetFiles(folder)) yield return (Path.GetFileName(file), [.. File.ReadLines(file).Where(l => l.Length > 0)]);
    }

    static List<string> Bodies(IEnumerable<string> lines, string scope, EventType type) =>
        [.. new EveBed(scope: scope == "default-scope" ? Scope.Default : null).ReadAll(lines).Uploads.Where(u => u.Type == type).Select(u => Sorted(JsonNode.Parse(u.Body)!))];

    static List<string> Golden(string scope, string name, string type) =>
        Corpus.TryFind($"12-go-nfr-golden/{scope}/suricata/{name}.{type}.ndjson", out string path) ? [.. File.ReadLines(path).Select(l => Sorted(JsonNode.Parse(l)!))] : [];

    static string Sorted(JsonNode body) => new JsonObject(body.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))).ToJsonString();

    static string WithoutTime(string body) => body[..body.IndexOf("\"ts\"", StringComparison.Ordinal)];

    static Dictionary<string, int> Count(IEnumerable<string> bodies) => bodies.GroupBy(b => b, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);

    static bool Take(Dictionary<string, int> left, string body) => left.TryGetValue(body, out int n) && n > 0 && (left[body] = n - 1) >= 0;

    /// <summary>A file's path as Go's path.Clean leaves it: no empty parts, none of one dot, and two dots take the part before them away.</summary>
    static string Clean(string path)
    {
        bool rooted = path.StartsWith('/');
        var parts = new List<string>();
        foreach (string part in path.Split('/'))
        {
            if (part.Length == 0 || part == ".") continue;
            if (part == ".." && parts.Count > 0 && parts[^1] != "..") parts.RemoveAt(parts.Count - 1);
            else if (part != ".." || !rooted) parts.Add(part);
        }
        return (rooted ? "/" : "") + string.Join('/', parts);
    }
}
