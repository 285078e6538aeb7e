using System.Text.Json;
using Nfr.Commands;
using Nfr.Events;
using Nfr.Health;
using Nfr.Logs;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Uplink;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>What "nfr status" and /metrics make of a report.</summary>
public sealed class StatusScreenTests
{
    static string[] Lines(StatusReport report)
    {
        using JsonDocument json = JsonDocument.Parse(report.ToJson());
        return [.. StatusScreen.Lines(json.RootElement).Select(l => l.Text.TrimEnd())];
    }

    static StatusReport Full() => StatusBed.Well() with
    {
        Run = new Ledger { Captures = [StatusBed.Port("eth1")], Spool = new SpoolCounters(new SpoolTally[Lane.Count], new SpoolTally(3, 3, 3, 0, 0, 0, 0, Bytes: 2048)) { BytesWritten = 5 << 20, Outlook = new SpoolOutlook(400 << 20, 9.2, 11.4, 32_000_000_000) }, SpoolAtStart = new SpoolCounters(new SpoolTally[Lane.Count], default), Stage = new StageCounters() },
        Interval = StatusBed.Interval(StatusBed.Port("eth1")),
    };

    [Fact]
    public void A_sensor_from_before_an_upgrade_of_the_package_is_shown_too()
    {
        System.Text.Json.Nodes.JsonNode report = System.Text.Json.Nodes.JsonNode.Parse(Full().ToJson())!;
        Assert.True(report["box"]!["process"]!.AsObject().Remove("uptimeSeconds"));
        using JsonDocument json = JsonDocument.Parse(report.ToJsonString());
        Assert.Contains(StatusScreen.Lines(json.RootElement), l => l.Text.Contains("processor 1.4 % since the start", StringComparison.Ordinal));
    }

    [Fact]
    public void A_sensor_in_order_fits_one_screen_and_says_so_on_top()
    {
        string[] lines = Lines(Full());
        Assert.Equal("All is well.", lines[1]);
        Assert.InRange(lines.Length, 24, 40);
        Assert.All(lines, l => Assert.InRange(l.Length, 0, 80));
        string all = string.Join('\n', lines);
        Assert.Contains("up 3 d 00:00", lines[0], StringComparison.Ordinal);
        // An hour of processor in the four that the process is old, however often the sensor in it began anew.
        Assert.Contains("processor 25.0 % since the start", all, StringComparison.Ordinal);
        Assert.Contains("1.2 k", all, StringComparison.Ordinal);
        Assert.Contains("9.9 M", all, StringComparison.Ordinal);
        Assert.Contains("waiting    dns 5, the oldest 3 h ago, 2 missed", all, StringComparison.Ordinal);
        Assert.Contains("holds      alerts 3 (2.0 KiB)", all, StringComparison.Ordinal);
        Assert.Contains("at today's rate the ring holds 9 days", all, StringComparison.Ordinal);
        Assert.Contains("written    400 MiB a day, 5.0 MiB so far: a 32 GB card lasts 11 years", all, StringComparison.Ordinal);
        Assert.Matches(@"\n  file  /var/log/nfr/file\.json +45 +0 +0 +3 min\n", all);
        Assert.Contains("synchronised, off by about 1 ms, 31 ms at most; no jumps", all, StringComparison.Ordinal);
        Assert.Contains("20.0 GiB of 29.0 GiB free (69 %) on /var/lib (ext4)", all, StringComparison.Ordinal);
        Assert.Contains("cpu-thermal 52 °C", all, StringComparison.Ordinal);
    }

    [Fact]
    public void Logs_stand_where_ports_do_and_a_sensor_without_ports_shows_none()
    {
        var counters = new LogCounters("/opt/zeek/logs/current/dns.log") { LostBytes = 4096 };
        (counters.Verdicts[(int)LineVerdict.Event], counters.Verdicts[(int)LineVerdict.Columns], counters.Events[0]) = (12_345, 3, 12_345);
        var other = new LogCounters("/var/log/a/folder/with/quite/a/long/name/eve*.json");
        StatusReport report = Full() with
        {
            Ports = [],
            Run = Full().Run with { Captures = [], Inputs = [new InputEntry("logs", [counters, other], 0)] },
            Interval = null,
            Inputs =
            [
                new SourceReport("logs", new InputReport(counters.Name, counters.Name, null, 2 << 20, StatusBed.Now.AddSeconds(-4))),
                new SourceReport("logs", new InputReport(other.Name, "", "no permission to read it; let the sensor's user read it", null, null)) { Conditions = [new Trouble(Gravity.Fault, "input", other.Name + ": no permission to read it", "let the sensor's user read it")] },
            ],
        };
        string[] lines = Lines(report);
        string all = string.Join('\n', lines);
        Assert.All(lines, l => Assert.InRange(l.Length, 0, 80));
        Assert.Matches(@"\nInputs +lines +events +skipped  last ago\n  /opt/zeek/logs/current/dns\.log +12,348 +12,345 +3 +4 s\n    2\.0 MiB behind, 4\.0 KiB gone unread\n  \.\.\..*eve\*\.json FAILING +0 +0 +0 +never\n    no permission", all);
        Assert.Matches(@"\n  lines read +12,348\n", all);
        Assert.DoesNotContain("packets", all, StringComparison.Ordinal);
        Assert.Equal("1 TROUBLE:", lines[1]);
        string ledger = string.Join('\n', LedgerLines(report));
        Assert.Matches(@"\nInput /opt/zeek/logs/current/dns\.log +whole run *\n  lines read +12,348 *\n    made events +12,345 *\n    skipped: it has not as many columns a\.\.\. +3 *\n", ledger);
        Assert.Contains("nfr_log_behind{input=\"/opt/zeek/logs/current/dns.log\"} 2097152\n", MetricsText.Write(report), StringComparison.Ordinal);
        Assert.Equal(1, ExpositionText.Parse(MetricsText.Write(report)).Where(s => s.Name == "nfr_log_trouble").Sum(s => s.Value));
    }

    static IEnumerable<string> LedgerLines(StatusReport report)
    {
        using JsonDocument json = JsonDocument.Parse(report.ToJson());
        return [.. LedgerScreen.Lines(json.RootElement).Select(l => l.Text)];
    }

    [Fact]
    public void Troubles_stand_on_top_with_what_to_do()
    {
        string[] lines = Lines(Full() with { Ports = [new PortReport("eth1", false)], Box = StatusBed.Box() with { Temperatures = [new("cpu", 90)] } });
        Assert.Equal("1 TROUBLE, 1 thing to look at:", lines[1]);
        Assert.Equal("  FAULT  interface eth1 is gone or down", lines[2]);
        Assert.StartsWith("         -> plug it in", lines[3], StringComparison.Ordinal);
        Assert.Contains("  look   cpu is at 90 °C", lines);
        Assert.Contains(lines, l => l.StartsWith("  eth1 GONE", StringComparison.Ordinal));
    }

    [Fact]
    public void An_output_that_fails_or_refuses_says_since_when_and_why()
    {
        string[] lines = Lines(Full() with { Outputs = [StatusBed.Output("siem", "time-out") with { FailedWrites = 3, Refused = 2, LastRefusal = "400 no such index" }] });
        int at = Array.FindIndex(lines, l => l.StartsWith("  siem", StringComparison.Ordinal));
        Assert.Matches(@"FAILING +45 +2 +7 +3 min$", lines[at]);
        Assert.Equal("  failed     3 x, the last 20 s ago; next try in 40 s: time-out", lines[at + 1]);
        Assert.Equal("  refused    the last: 400 no such index", lines[at + 2]);
        lines = Lines(Full() with { Outputs = [StatusBed.Output("mail") with { Holding = "gathering until 14:05", Remark = "1 of 2 recipients refused" }] });
        at = Array.FindIndex(lines, l => l.StartsWith("  mail", StringComparison.Ordinal));
        Assert.Equal(["  waits      gathering until 14:05", "  note       1 of 2 recipients refused"], lines[(at + 1)..(at + 3)]);
    }

    [Fact]
    public void A_screen_is_80_columns_wide_whatever_things_are_called_and_however_much_is_wrong()
    {
        string longName = new('x', 300);
        Trouble trouble = new(Gravity.Loss, "capture", longName + " " + longName, longName);
        StatusReport report = Full() with
        {
            Ports = [.. Enumerable.Range(0, 9).Select(i => new PortReport($"eth{i}", true) { Conditions = [trouble] })],
            Uplinks = [StatusBed.Uplink(longName, longName)], Outputs = [StatusBed.Output(longName, longName)],
            Box = StatusBed.Box() with { Disk = new DiskFacts("/" + longName, longName, true, 1, 2), Temperatures = [new(longName, 1e2)], Throttling = (Throttling)0xF000F },
        };
        string[] lines = Lines(report);
        Assert.All(lines, l => Assert.InRange(l.Length, 0, 80));
        Assert.Contains(lines, l => l.Contains(" more: nfr status --json", StringComparison.Ordinal));
    }

    [Fact]
    public void Another_machines_words_do_nothing_to_the_terminal()
    {
        string evil = "\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n\u202e";
        StatusReport report = Full() with
        {
            Uplinks = [StatusBed.Uplink("engine", evil)], Outputs = [StatusBed.Output("file", evil) with { Refused = 1, LastRefusal = evil, Holding = evil, Remark = evil }], Box = StatusBed.Box() with { Temperatures = [new(evil, 90)] },
        };
        Assert.All(Lines(report), l => Assert.DoesNotContain(l, char.IsControl));
        using JsonDocument json = JsonDocument.Parse(report.ToJson());
        Assert.All(LedgerScreen.Lines(json.RootElement), l => Assert.DoesNotContain(l.Text, char.IsControl));
    }

    [Fact]
    public void The_fleet_s_line_says_which_MQTT_is_spoken_and_its_remark_stands_among_the_troubles()
    {
        string[] lines = Lines(Full() with { Fleet = new FleetState { Broker = "mqtts://b:8883", IsConnected = true, Since = StatusBed.Now.AddMinutes(-3), Version = "3.1.1", Heartbeats = 7, Remark = "mqtts://b:8883 speaks MQTT 3.1.1 only" } });
        Assert.Contains(lines, l => l.Contains("7 heartbeats by MQTT 3.1.1, connected", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("speaks MQTT 3.1.1 only", StringComparison.Ordinal));
        Assert.Contains(Lines(Full() with { Fleet = new FleetState { Broker = "mqtts://b:8883" } }), l => l.Contains("0 heartbeats; commands", StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_box_does_not_have_is_left_out_or_said()
    {
        string all = string.Join('\n', Lines(Full() with { Box = new BoxFacts(), Uplinks = [], Consumers = [], Outputs = [] }));
        Assert.Contains("no thermometer", all, StringComparison.Ordinal);
        Assert.Contains("nobody says whether it is kept", all, StringComparison.Ordinal);
        Assert.Contains("all is scored on board", all, StringComparison.Ordinal);
        Assert.DoesNotContain("disk  ", all, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_takes_events_and_is_no_engine_has_lines_of_its_own() => Assert.Contains("Events to elastic:lake", Lines(Full() with
    {
        Consumers = [.. Full().Consumers, new ConsumerReport("elastic:lake", [new(3, 1, 0, 0, 2), default, default, default])],
    }));

    [Fact]
    public void Json_tells_who_reads_it_whether_all_is_well_and_what_is_not()
    {
        using JsonDocument json = JsonDocument.Parse((Full() with { Outputs = [StatusBed.Output("siem", "it takes no alerts (time-out)")] }).ToJson());
        JsonElement root = json.RootElement;
        Assert.False(root.GetProperty("well").GetBoolean());
        JsonElement trouble = root.GetProperty("troubles")[0];
        Assert.Equal(("fault", "output", "siem: it takes no alerts (time-out)"), (trouble.GetProperty("gravity").GetString(), trouble.GetProperty("place").GetString(), trouble.GetProperty("what").GetString()));
        Assert.Equal(7, root.GetProperty("outputs")[0].GetProperty("waiting").GetInt32());
        Assert.Equal(StatusBed.Now.AddSeconds(40).UtcDateTime, root.GetProperty("outputs")[0].GetProperty("nextTry").GetDateTime());
        Assert.Equal(5, root.GetProperty("consumers")[0].GetProperty("waiting").GetInt32());
        Assert.Equal(52.3, root.GetProperty("box").GetProperty("temperatures")[0].GetProperty("celsius").GetDouble());
        Assert.Equal(0.031, root.GetProperty("clock").GetProperty("maximumErrorSeconds").GetDouble());
    }

    [Fact]
    public void Metrics_of_everything_are_what_the_format_wants()
    {
        IReadOnlyList<ExpositionText.Sample> samples = ExpositionText.Parse(MetricsText.Write(Full() with
        {
            Uplinks = [StatusBed.Uplink("engine"), StatusBed.Uplink("far \"one\"", "unreachable")], Box = StatusBed.Box() with { Throttling = Throttling.UnderVoltage },
        }));
        double Of(string name, params (string, string)[] labels) => Assert.Single(samples, s => s.Name == name && labels.All(l => s.Labels[l.Item1] == l.Item2)).Value;
        Assert.Equal(1, Of("nfr_build_info"));
        Assert.Equal((1, 0), (Of("nfr_uplink_up", ("engine", "engine")), Of("nfr_uplink_up", ("engine", "far \"one\""))));
        Assert.Equal(12, Of("nfr_uplink_delivered_events_total", ("engine", "engine"), ("type", "tls")));
        Assert.Equal((48, 4, 4, 8), (Requests("200"), Requests("503"), Requests("none"), Requests("other")));
        double Requests(string code) => Of("nfr_upload_requests_total", ("engine", "engine"), ("code", code));
        Assert.Equal(StatusBed.Now.ToUnixTimeSeconds() - 3, Of("nfr_uplink_last_success_timestamp_seconds", ("engine", "engine"), ("type", "dns")));
        Assert.Equal((5, 2), (Of("nfr_consumer_waiting_events", ("type", "dns")), Of("nfr_consumer_missed_events_total", ("type", "dns"))));
        Assert.Equal((3, 2048), (Of("nfr_spool_class_held", ("class", "alerts")), Of("nfr_spool_class_bytes", ("class", "alerts"))));
        Assert.Equal((794_880, 400 << 20), (Of("nfr_spool_ring_seconds"), Of("nfr_spool_written_bytes_per_day")));
        Assert.Equal(11.4 * 365.25 * 86_400, Of("nfr_spool_card_life_seconds"), 1.0);
        Assert.Equal((45, 0), (Of("nfr_output_delivered_alerts_total", ("output", "file")), Of("nfr_output_cut_alerts_total", ("output", "file"))));
        Assert.Equal((1, 0.031, -0.00025), (Of("nfr_clock_synchronised"), Of("nfr_clock_maximum_error_seconds"), Of("nfr_time_offset_seconds")));
        Assert.Equal((20L << 30, 0), (Of("nfr_disk_free_bytes"), Of("nfr_disk_read_only")));
        Assert.Equal(52.3, Of("nfr_temperature_celsius", ("sensor", "cpu-thermal")));
        Assert.Equal((1, 0), (Of("nfr_throttling", ("reason", "under_voltage")), Of("nfr_throttling", ("reason", "temperature"))));
        Assert.Equal(3600, Of("process_cpu_seconds_total"));
        Assert.Equal((1, 1), (Of("nfr_troubles"), Of("nfr_notices")));
        Assert.DoesNotContain(samples, s => s.Labels.Values.Any(v => v.Contains("example", StringComparison.Ordinal)));
    }
}
