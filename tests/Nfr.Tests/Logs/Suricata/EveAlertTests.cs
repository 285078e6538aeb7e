using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Logs.Suricata;
using Nfr.Pipeline;
using Nfr.Scoring;
using Nfr.Tests.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Logs.Suricata;

/// <summary>Suricata's alerts, from the line to the alert of ours.</summary>
public class EveAlertTests
{
    const string Rule = "\"action\":\"allowed\",\"gid\":1,\"signature_id\":2018358,\"rev\":10,\"signature\":\"ET MALWARE Bad|Thing = CnC Checkin\",\"category\":\"Malware Command and Control Activity Detected\",\"severity\":1";

    static string Line(int second, string alert = Rule, string source = "10.0.0.5", string destination = "198.51.100.7", string more = "\"app_proto\":\"http\"") =>
        $$$"""{"timestamp":"2026-03-01T10:00:{{{second:00}}}.000000+0000","flow_id":1,"event_type":"alert","src_ip":"{{{source}}}","src_port":40000,"dest_ip":"{{{destination}}}","dest_port":80,"proto":"TCP","tx_id":4,"alert":{ {{{alert}}} },{{{more}}}}""";

    /// <summary>From the lines through ring, scope and scorer, as in the sensor.</summary>
    static (List<Alert> Alerts, StageCounters Counters, string Printed) Run(IEnumerable<string> lines, Scope? scope = null, bool[]? wanted = null)
    {
        var ring = new EventRing(grouped: true);
        var outlet = new LogOutlet(ring, TimeSpan.FromSeconds(1), default);
        LogCounters counters = outlet.Open("eve.json");
        var parser = new EveParser(new LineOptions { Zone = TimeZoneInfo.Utc });
        using var run = new Simulated();
        using var print = new MemoryStream();
        var alerts = new List<Alert>();
        var stage = new EventStage(scope, run.Scorer, null, print, alerts.Add, wanted);
        foreach (string line in lines)
        {
            LineVerdict verdict = parser.Read(Encoding.UTF8.GetBytes(line), outlet);
            Assert.True(outlet.Commit(counters, new InputMark(0, 0, 1, 1), verdict, line.Length));
        }
        var sink = new StageSink(stage);
        ring.Read(ref sink, int.MaxValue);
        Assert.Equal(stage.Counters.Taken.Sum(), counters.Events.Sum());
        return (alerts, stage.Counters, Encoding.UTF8.GetString(print.ToArray()));
    }

    [Fact]
    public void An_alert_is_a_signature_event_and_nothing_else()
    {
        EveBed bed = new EveBed().ReadAll([Line(1, Rule + ",\"metadata\":{\"tag\":[\"Exfil\"],\"malware_family\":[\"Bad_Thing\",\"Other\"],\"former_category\":[\"POLICY\"]}",
            more: "\"http\":{\"hostname\":\"a.example\",\"url\":\"/\"},\"tls\":{\"sni\":\"a\"},\"dns\":{\"query\":[{\"rrname\":\"a\"}]},\"app_proto\":\"http\",\"payload_printable\":\"x\"")]);
        JsonElement e = bed.Only;
        Assert.Equal(("signature", "ET MALWARE Bad|Thing = CnC Checkin", 2018358, 1, 10), (e.GetProperty("type").GetString(), e.GetProperty("signature").GetString(), e.GetProperty("signatureId").GetInt32(), e.GetProperty("generatorId").GetInt32(), e.GetProperty("revision").GetInt32()));
        Assert.Equal(("Malware Command and Control Activity Detected", 1, "allowed", "suricata", "http"), (e.GetProperty("category").GetString(), e.GetProperty("severity").GetInt32(), e.GetProperty("action").GetString(), e.GetProperty("sensor").GetString(), e.GetProperty("app").GetString()));
        Assert.Equal("[\"Exfil\",\"Bad_Thing\",\"Other\"] [\"c2\",\"malware\"]", $"{e.GetProperty("tags").GetRawText()} {e.GetProperty("notes").GetRawText()}");
        Assert.Equal(("10.0.0.5", "198.51.100.7", "tcp"), (e.GetProperty("srcIP").GetString(), e.GetProperty("destIP").GetString(), e.GetProperty("proto").GetString()));
        Assert.StartsWith("1:", e.GetProperty("communityId").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"direction\":\"to_client\"")]
    [InlineData("\"flow\":{\"src_ip\":\"10.0.0.5\",\"src_port\":80,\"dest_ip\":\"198.51.100.7\",\"dest_port\":40000}")]
    public void A_rule_that_matched_the_servers_packet_is_told_of_the_client(string more)
    {
        EveBed bed = new EveBed().ReadAll([Line(1, source: "198.51.100.7", destination: "10.0.0.5", more: more)]);
        Assert.Equal(("10.0.0.5", 80, "198.51.100.7", 40000), (bed.Only.GetProperty("srcIP").GetString(), bed.Only.GetProperty("srcPort").GetInt32(), bed.Only.GetProperty("destIP").GetString(), bed.Only.GetProperty("destPort").GetInt32()));
    }

    [Fact]
    public void A_rule_and_a_client_are_one_alert_however_often_it_matches()
    {
        (List<Alert> alerts, StageCounters counters, _) = Run([.. Enumerable.Range(0, 30).Select(i => Line(i)), Line(31, source: "10.0.0.6"), Line(32, Rule.Replace("2018358", "7", StringComparison.Ordinal))]);
        Assert.Equal(3, alerts.Count);
        Assert.Equal(["10.0.0.5 1:2018358", "10.0.0.6 1:2018358", "10.0.0.5 1:7"], alerts.Select(a => a.Evidence!.Key));
        Alert first = alerts[0];
        AlertThreat threat = Assert.Single(first.Threats);
        Assert.Equal(("signature_match", 4, false, "Suricata: ET MALWARE Bad|Thing = CnC Checkin"), (threat.Id, threat.Severity, threat.Policy, threat.Title));
        Assert.Equal(["c2", "malware"], first.Flags);
        Assert.Equal("A rule of suricata matched traffic between 10.0.0.5 and 198.51.100.7: ET MALWARE Bad|Thing = CnC Checkin.", first.Evidence!.Summary);
        Assert.Equal(EvidenceScore.Of(first.Evidence.Features), first.Evidence.Score);
        Assert.True(first.Evidence.Score >= first.Evidence.ScoreLimit);
        Assert.Contains(first.Evidence.Facts, f => f is { Name: "signatureId", Number: 2018358 });
        Assert.Equal((32, 32, 32), (counters.Taken[(int)EventType.Signature], counters.InScope[(int)EventType.Signature], counters.Scored[(int)EventType.Signature]));
        Assert.Equal(3, counters.AlertsByThreat[ThreatCounts.Of(threat)]);
        Assert.True(AlertJson.TryRead(AlertJson.ToBytes(first), out Alert? read, out _));
        Assert.Equal(first.Evidence.Id, read!.Evidence!.Id);
    }

    [Fact]
    public void A_rule_that_still_matches_a_week_later_is_told_again_with_its_count()
    {
        string[] quiet = [Line(1), Line(2), Line(3, Rule)];
        string late = Line(4).Replace("2026-03-01", "2026-03-09", StringComparison.Ordinal);
        (List<Alert> alerts, _, _) = Run([.. quiet, late]);
        Assert.Equal([1L, 4L], alerts.Select(a => a.Evidence!.Count));
        Assert.Equal(3, alerts[1].Evidence!.Samples.Count);
    }

    [Theory]
    [InlineData("\"severity\":1", 4)]
    [InlineData("\"severity\":2", 3)]
    [InlineData("\"severity\":3", 2)]
    [InlineData("\"severity\":4", 1)]
    [InlineData("\"severity\":255", 1)]
    [InlineData("\"severity\":99999", 1)]
    [InlineData("\"severity\":null", 2)]
    public void Severity_follows_the_rules_own(string severity, int expected) =>
        Assert.Equal(expected, Assert.Single(Run([Line(1, $"\"signature\":\"x\",\"signature_id\":1,\"gid\":1,{severity}")]).Alerts).Severity);

    [Theory]
    [InlineData("\"signature\":\"ET POLICY curl User-Agent Outbound\"", true, "")]
    [InlineData("\"signature\":\"local rule\",\"category\":\"Potential Corporate Privacy Violation\"", true, "")]
    [InlineData("\"signature\":\"ETPRO COINMINER x y\"", false, "cryptomining")]
    [InlineData("\"signature\":\"ET PHISHING x y\"", false, "phishing")]
    [InlineData("\"signature\":\"x\",\"category\":\"Crypto Currency Mining Activity Detected\"", false, "cryptomining")]
    [InlineData("\"signature\":\"x\",\"metadata\":{\"malware_family\":[\"y\"]}", false, "malware")]
    [InlineData("\"signature\":\"POLICY\"", false, "")]
    public void Policy_and_flags_are_what_the_rule_says_of_itself(string alert, bool policy, string flags)
    {
        Alert told = Assert.Single(Run([Line(1, alert)]).Alerts);
        Assert.Equal((policy, policy ? "signature_policy" : "signature_match", flags), (told.Threats[0].Policy, told.Threats[0].Id, string.Join(',', told.Flags)));
    }

    [Theory]
    [InlineData("10.0.0.5", "198.51.100.7", true)]
    [InlineData("198.51.100.7", "10.0.0.5", true)]
    [InlineData("10.0.0.5", "10.0.0.6", true)]
    [InlineData("203.0.113.9", "198.51.100.7", false)]
    public void Either_side_in_scope_is_enough(string source, string destination, bool told)
    {
        (List<Alert> alerts, StageCounters counters, string printed) = Run([Line(1, source: source, destination: destination)], Scope.Default);
        Assert.Equal(told ? 1 : 0, alerts.Count);
        Assert.Equal(told ? 1 : 0, counters.InScope[(int)EventType.Signature]);
        Assert.Equal(1, counters.InScope.Sum() + counters.OutOfScope.Sum());
        Assert.Equal(told, printed.Contains("\"type\":\"signature\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_one_type_alone_signatures_are_not_wanted()
    {
        foreach (string type in (string[])["dns", "ip", "http", "tls"]) Assert.Equal(LineVerdict.Unwanted, new EveBed(new LineOptions { Types = LineOptions.TypesOf(type) }).Read(Line(1)));
        Assert.Equal(LineVerdict.Event, new EveBed(new LineOptions { Types = LineOptions.TypesOf("all") }).Read(Line(1)));
        (List<Alert> alerts, StageCounters counters, _) = Run([Line(1)], wanted: LineOptions.TypesOf("ip"));
        Assert.Empty(alerts);
        Assert.Equal(1, counters.Unwanted[(int)EventType.Signature]);
    }

    [Fact]
    public void Every_output_shows_what_the_rule_says()
    {
        Alert alert = Assert.Single(Run([Line(1)]).Alerts);
        var sensor = new SensorIdentity("host", "id", "2.0.0");
        var ecs = new System.Buffers.ArrayBufferWriter<byte>();
        EcsAlerts.Write(alert, sensor, ecs);
        var ocsf = new System.Buffers.ArrayBufferWriter<byte>();
        OcsfFormat.Write(alert, sensor, ocsf);
        Assert.Contains("|signature_match|Suricata: ET MALWARE Bad\\|Thing = CnC Checkin|8|", Assert.Single(CefFormat.Lines(alert, "2.0.0")), StringComparison.Ordinal);
        foreach (string text in (string[])[Encoding.UTF8.GetString(AlertJson.ToBytes(alert)), Encoding.UTF8.GetString(ecs.WrittenSpan), Encoding.UTF8.GetString(ocsf.WrittenSpan), string.Join('\n', LeefFormat.Lines(alert, "2.0.0")).Replace("\\|", "|", StringComparison.Ordinal)])
        {
            Assert.Contains("Bad|Thing = CnC Checkin", text, StringComparison.Ordinal);
            Assert.Contains("198.51.100.7", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("{}", LineVerdict.Event)]
    [InlineData("null", LineVerdict.Other)]
    [InlineData("[1]", LineVerdict.Other)]
    public void A_rule_that_says_nothing_is_told_all_the_same(string alert, LineVerdict verdict)
    {
        string line = Line(1).Replace("{ " + Rule + " }", alert, StringComparison.Ordinal);
        Assert.Equal(verdict, new EveBed().Read(line));
        if (verdict == LineVerdict.Event) Assert.Equal("Traffic that matches a signature of another sensor", Assert.Single(Run([line]).Alerts).Threats[0].Title);
    }

    [Fact]
    public void Nothing_is_allocated_for_an_alerts_line_nor_for_a_match_that_is_known()
    {
        byte[] line = Encoding.UTF8.GetBytes(Line(1, Rule + ",\"metadata\":{\"tag\":[\"a\"],\"malware_family\":[\"b\"]}"));
        var ring = new EventRing(grouped: true);
        var outlet = new LogOutlet(ring, TimeSpan.FromSeconds(1), default);
        var parser = new EveParser(new LineOptions { Zone = TimeZoneInfo.Utc });
        using var run = new Simulated();
        var sink = new StageSink(new EventStage(Scope.Default, run.Scorer, null));
        LogCounters counters = outlet.Open("eve.json");
        Assert.Equal(0, Allocation.Of(() =>
        {
            outlet.Commit(counters, new InputMark(0, 0, 1, 1), parser.Read(line, outlet), line.Length);
            ring.Read(ref sink, int.MaxValue);
        }));
    }
}
