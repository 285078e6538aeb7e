using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Nfr.Events;

namespace Nfr.Tests.Elastic;

/// <summary>What the class Detection Finding of OCSF 1.2.0 requires, written down by hand: names, types and the numbers that an enumeration has.</summary>
public sealed class OcsfFormatTests
{
    /// <summary>Path, kind (n, s, o, a), and the numbers allowed; a path through "[]" holds for each item. Required where the object above it is there.</summary>
    static readonly (string Path, char Kind, int[] Enum)[] s_required =
    [
        ("activity_id", 'n', [0, 1, 2, 3, 99]), ("category_uid", 'n', [2]), ("class_uid", 'n', [2004]), ("type_uid", 'n', [200400, 200401, 200402, 200403, 200499]),
        ("severity_id", 'n', [0, 1, 2, 3, 4, 5, 6, 99]), ("time", 'n', []), ("metadata", 'o', []), ("finding_info", 'o', []),
        ("metadata.version", 's', []), ("metadata.product", 'o', []), ("metadata.product.vendor_name", 's', []),
        ("finding_info.uid", 's', []), ("finding_info.title", 's', []), ("finding_info.analytic.type_id", 'n', [0, 1, 2, 3, 4, 5, 99]),
        ("evidences[].connection_info.direction_id", 'n', [0, 1, 2, 3, 99]), ("evidences[].query.hostname", 's', []),
        ("observables[].name", 's', []), ("observables[].type_id", 'n', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 99]),
        ("evidences[].data.tls.ja3_hash.algorithm_id", 'n', [0, 1, 2, 3, 4, 5, 6, 7, 99]), ("evidences[].data.tls.ja3_hash.value", 's', []),
    ];

    /// <summary>Optional, but of a closed list.</summary>
    static readonly (string Path, int[] Enum)[] s_enums =
        [("status_id", [0, 1, 2, 3, 4, 99]), ("evidences[].connection_info.protocol_ver_id", [0, 4, 6, 99])];

    /// <summary>The attributes that the class and its objects have: nothing else may stand there.</summary>
    static readonly Dictionary<string, string[]> s_known = new()
    {
        [""] = ["activity_id", "activity_name", "category_uid", "category_name", "class_uid", "class_name", "type_uid", "type_name", "time", "severity_id", "severity", "status_id", "status", "message", "count", "metadata", "finding_info", "evidences", "observables", "unmapped"],
        ["metadata"] = ["version", "uid", "log_name", "log_provider", "logged_time", "product"],
        ["metadata.product"] = ["vendor_name", "name", "version", "uid"],
        ["finding_info"] = ["uid", "title", "desc", "types", "created_time", "data_sources", "analytic"],
        ["finding_info.analytic"] = ["type_id", "type", "uid", "name"],
        ["evidences[]"] = ["actor", "api", "connection_info", "container", "data", "database", "databucket", "dst_endpoint", "file", "process", "query", "src_endpoint"],
        ["evidences[].src_endpoint"] = ["ip", "port", "hostname", "mac"],
        ["evidences[].dst_endpoint"] = ["ip", "port", "hostname", "svc_name"],
        ["evidences[].connection_info"] = ["direction_id", "protocol_name", "protocol_num", "protocol_ver_id", "uid"],
        ["evidences[].query"] = ["hostname", "type", "class", "packet_uid"],
        ["observables[]"] = ["name", "type_id", "type", "value"],
    };

    static JsonObject Finding(Alert alert)
    {
        var output = new ArrayBufferWriter<byte>();
        OcsfFormat.Write(alert, EcsDocumentTests.Sensor, output);
        string text = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.DoesNotContain('\n', text);
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>Every node at a path; the last part may be absent (null).</summary>
    static List<JsonNode?> At(JsonNode? node, string path)
    {
        if (path.Length == 0) return [node];
        string[] parts = path.Split('.', 2);
        string name = parts[0].Replace("[]", "", StringComparison.Ordinal);
        JsonNode? child = (node as JsonObject)?[name];
        string rest = parts.Length > 1 ? parts[1] : "";
        if (child is null) return rest.Length == 0 ? [null] : [];
        if (!parts[0].EndsWith("[]", StringComparison.Ordinal)) return At(child, rest);
        return [.. child.AsArray().SelectMany(item => At(item, rest))];
    }

    public static TheoryData<string> Kinds => ["dns", "ip", "http", "tls", "bare"];

    static Alert Of(string kind) => kind switch
    {
        "dns" => EcsDocumentTests.Full,
        "ip" => With(new AlertEvent { Type = EventType.Ip, Ts = "2026-11-21T12:00:00Z", SrcIP = "10.1.2.3", SrcPort = 5000, DestIP = "1.1.1.1", DestPort = 443, Proto = "tcp", BytesIn = 3, BytesOut = 4, Ja3 = "4d7a28d6f2263ed61de88ca66eb011e3" }),
        "http" => With(new AlertEvent { Type = EventType.Http, Ts = "2026-11-21T12:00:00Z", SrcIP = "10.1.2.3", SrcPort = 5000, Url = "http://a.b/c?d", Method = "GET", Status = 200, UserAgent = "curl" }),
        "tls" => With(new AlertEvent { Type = EventType.Tls, Ts = "2026-11-21T12:00:00Z", SrcIP = "2001:db8::3", SrcPort = 5000, DestIP = "2606:2800::1", DestPort = 443, CertHash = "da39a3ee5e6b4b0d3255bfef95601890afd80709", Issuer = "CN=Ca", ValidFrom = "2018-09-03T09:39:47Z", Ja3 = "4d7a28d6f2263ed61de88ca66eb011e3" }),
        _ => With(new AlertEvent { Type = EventType.Ip, Ts = "no time" }),
    };

    static Alert With(AlertEvent e) => new() { Threats = [new AlertThreat("c2_communication", "C2 communication", 4)], Event = e };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_finding_has_what_the_class_requires_and_nothing_it_does_not_know(string kind)
    {
        JsonObject finding = Finding(Of(kind));
        foreach ((string path, char type, int[] numbers) in s_required)
        {
            foreach (JsonNode? node in At(finding, path))
            {
                Assert.True(node is not null, $"{kind}: {path} is missing");
                Assert.Equal(type, node switch { JsonObject => 'o', JsonArray => 'a', _ => node.GetValueKind() == System.Text.Json.JsonValueKind.Number ? 'n' : 's' });
                if (numbers.Length > 0) Assert.Contains(node.GetValue<int>(), numbers);
            }
        }
        foreach ((string path, int[] numbers) in s_enums) Assert.All(At(finding, path).Where(n => n is not null), n => Assert.Contains(n!.GetValue<int>(), numbers));
        foreach ((string path, string[] names) in s_known) Assert.All(At(finding, path), o => Assert.Empty(((o as JsonObject)?.Select(p => p.Key) ?? []).Except(names)));
        Assert.Equal(finding["type_uid"]!.GetValue<int>(), (finding["class_uid"]!.GetValue<int>() * 100) + finding["activity_id"]!.GetValue<int>());
    }

    [Fact]
    public void Names_point_at_what_they_observe()
    {
        foreach (string kind in (string[])["dns", "ip", "http", "tls", "bare"])
        {
            JsonObject finding = Finding(Of(kind));
            foreach (JsonNode? o in finding["observables"]?.AsArray() ?? [])
                Assert.Contains(At(finding, o!["name"]!.GetValue<string>().Replace("[0]", "[]", StringComparison.Ordinal)), n => n?.GetValue<string>() == o["value"]!.GetValue<string>() || (n?.Parent is not null && n.ToString() == o["value"]!.GetValue<string>()));
        }
    }

    [Fact]
    public void Severity_is_the_frameworks_own_number_and_time_is_in_milliseconds()
    {
        JsonObject finding = Finding(EcsDocumentTests.Full);
        Assert.Equal((5, "Critical"), (finding["severity_id"]!.GetValue<int>(), finding["severity"]!.GetValue<string>()));
        Assert.Equal(1_536_242_944_123, finding["time"]!.GetValue<long>());
        Assert.Equal("5e45-00c0ffee00c0ffee", finding["finding_info"]!["uid"]!.GetValue<string>());
        Assert.Equal("virus.example", finding["evidences"]![0]!["query"]!["hostname"]!.GetValue<string>());
        Assert.Equal("10.2.3.1", finding["evidences"]![0]!["dst_endpoint"]!["ip"]!.GetValue<string>());
    }
}
