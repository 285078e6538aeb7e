using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class ScorerTests
{
    [Fact]
    public void Evidence_names_detector_key_values_limits_and_five_samples()
    {
        using var run = new Simulated();
        run.RunTunnel();
        AlertEvidence evidence = run.Alerts[0].Evidence!;
        Assert.Equal("dns_tunnel", evidence.Detector);
        Assert.Contains("alphasoc.xyz", evidence.Summary, StringComparison.Ordinal);
        EvidenceFeature bytes = evidence.Features.Single(f => f.Name == "newBytes");
        Assert.Equal(500, bytes.Limit);
        Assert.True(bytes.Value >= bytes.Limit);
        Assert.Equal(1, evidence.Score);
        Assert.Single(evidence.CommunityIds);
        Assert.Equal(5, evidence.Samples.Count);
        Assert.Equal(5, evidence.Samples.Distinct().Count());
        Assert.All(evidence.Samples, s => Assert.Contains("sandbox.alphasoc.xyz", s, StringComparison.Ordinal));
        Assert.Equal(1, evidence.Count);
    }

    [Fact]
    public void The_alert_carries_the_event_and_the_sources_groups()
    {
        using var run = new Simulated();
        run.Tick = 5;
        run.Ip(Simulated.Outside, 3333, ConnectionState.SF, 72, 100, app: App.Stratum);
        Alert alert = run.Alerts[0];
        Assert.Equal(EventType.Ip, alert.Event.Type);
        Assert.Equal("2026-09-21T14:13:19.999999995Z", alert.Event.Ts);
        Assert.Equal("203.0.113.9", alert.Event.DestIP);
        Assert.Equal(3333, alert.Event.DestPort);
        Assert.Equal("tcp", alert.Event.Proto);
        Assert.Equal(132, alert.Event.BytesOut);
        Assert.Null(alert.Event.Ja3);
        Assert.Equal([new AlertGroup("office", "The office")], alert.Groups);
    }

    [Fact]
    public void A_finding_that_goes_on_is_raised_again_after_the_quiet_interval_with_its_count()
    {
        using var run = new Simulated();
        for (int minute = 0; minute <= 125; minute++)
        {
            // Scored each time, raised at 0, 60 and 120 minutes.
            Assert.Equal(4, run.Ip(Simulated.Outside, 3333, ConnectionState.SF, 72, app: App.Stratum));
            run.Wait(60 * Simulated.Second);
        }
        Assert.Equal([1, 61, 121], run.Alerts.Select(a => a.Evidence!.Count));
        Assert.Equal([1, 5, 5], run.Alerts.Select(a => a.Evidence!.Samples.Count));
    }

    [Fact]
    public void A_finding_is_raised_again_when_its_severity_rises_and_not_when_it_falls()
    {
        using var run = new Simulated(lists: ("mining.txt", "pool.example\n"));
        Assert.Equal(4, run.Dns("pool.example"));
        run.WriteList("mining.txt", "# threat: vpn_activity\npool.example\n");
        Assert.True(run.Scorer.Store.Poll());
        Assert.Equal(3, run.Dns("pool.example"));
        Assert.Single(run.Alerts);
        run.WriteList("mining.txt", "# threat: c2_communication\npool.example\n");
        Assert.True(run.Scorer.Store.Poll());
        Assert.Equal(5, run.Dns("pool.example"));
        Assert.Equal([4, 5], run.Alerts.Select(a => a.Severity));
        Assert.Equal(3, run.Alerts[1].Evidence!.Count);
    }

    [Fact]
    public void Intervals_follow_the_tick_and_never_the_stamp()
    {
        // The simulated stamps run backwards while the tick runs on: one finding, raised again after an hour of tick.
        using var run = new Simulated();
        run.RunDga(1);
        Assert.Single(run.Alerts);
        run.Wait(3600 * Simulated.Second);
        run.RunDga(2);
        Assert.Equal(2, run.Alerts.Count);
    }

    [Fact]
    public void A_detector_that_is_switched_off_says_nothing()
    {
        // Without the scan's own detector, its ten hosts on port 25 are spam.
        using var run = new Simulated(enabled: Detectors.All & ~(Detectors.Dga | Detectors.PortScan | Detectors.Spam | Detectors.DnsTunnel | Detectors.Mining | Detectors.Cleartext));
        run.RunDga(1);
        run.RunScan();
        run.RunTunnel();
        run.Ip(Simulated.Outside, 3333, ConnectionState.SF, 72, 100, app: App.Stratum);
        run.Ip(Simulated.Outside, 23, ConnectionState.SF, 72, 100);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Good_traffic_allocates_nothing()
    {
        using var run = new Simulated(lists: ("c2.txt", string.Join('\n', Enumerable.Range(0, 1000).Select(i => $"bad{i}.example\n198.18.{i / 250}.{i % 250}"))));
        Scorer scorer = run.Scorer;
        var raised = new List<Alert>();
        byte[] packed = new byte[128];
        var writer = new DnsAnswerWriter(packed);
        "93.184.216.34"u8.CopyTo(writer.TextSpace);
        writer.Commit(1, 60, 13);
        "2606:2800:220:1:248:1893:25c8:1946"u8.CopyTo(writer.TextSpace);
        writer.Commit(28, 60, 34);
        int answers = writer.Written.Length;
        Burst(1000);
        Assert.Equal(0, Allocation.Least(() => Burst(20_000)));
        Assert.Empty(raised);

        void Burst(int count)
        {
            for (int i = 0; i < count; i++)
            {
                var context = new EventContext { Tick = 1_000_000L * i, Source = Address.FromV4(0x0A000000 + (uint)(i % 300)), Destination = Address.FromV4(0x08080000 + (uint)i), DestinationPort = 443, Protocol = 6, SourcePort = 5 };
                var dns = new DnsEvent { Context = context, Query = (i % 3) switch { 0 => "www.wikipedia.org"u8, 1 => "a-very-long-host-name.assets.cdn.example.com"u8, _ => "missing-thing.example.org"u8 }, QueryType = 1, ResponseCode = (short)(i % 3 == 2 ? 3 : 0), Answers = packed.AsSpan(0, answers) };
                scorer.Score(in dns, raised);
                var ip = new IpEvent { Context = context, State = ConnectionState.SF, PayloadIn = 9000, PayloadOut = 500, Ja3 = "e7d705a3286e19ea42f587b344ee6865"u8 };
                scorer.Score(in ip, raised);
                var http = new HttpEvent { Context = context, Url = "http://www.example.com/path/to?x=y"u8, Host = "www.example.com:80"u8, Method = "GET"u8 };
                scorer.Score(in http, raised);
                var tls = new TlsEvent { Context = context, Sni = "www.example.com"u8, Ja3 = "e7d705a3286e19ea42f587b344ee6865"u8, CertificateHash = "27c2d8e9f11c1a83af9e5e01c8476b1e832ab4c8"u8 };
                scorer.Score(in tls, raised);
            }
        }
    }

    [Fact]
    public void Full_tables_forget_and_go_on()
    {
        using var run = new Simulated();
        var random = new Random(9);
        for (uint i = 0; i < 40_000; i++)
        {
            run.Dns(Simulated.DgaLabel(random, 12) + ".com", rcode: 3, client: Address.FromV4(0x0A100000 + i));
            run.Dns(Simulated.Letters(random, 25) + $".x{i}.com", 16, client: Address.FromV4(0x0A100000 + (i % 50)));
        }
        Assert.True(run.Scorer.Stats.TrackedEvicted > 0);
        run.Alerts.Clear();
        run.RunTunnel();
        run.RunDga(3);
        Assert.Equal(["multiple_long_hostnames", "dga_volume"], run.ThreatIds);
    }

    [Fact]
    public void Hostile_names_do_no_harm()
    {
        using var run = new Simulated(lists: ("c2.txt", "bad.example\n"));
        string[] names = [".", "", "..", "...", "a", "a.", ".a", "a..b", new string('.', 255), string.Join('.', Enumerable.Repeat("a", 127)), "\\", "\\0", "a\\", "\\255\\255.com", "*.com", "com", "co.uk", "www.ck", "\0\0.\0"];
        foreach (string name in names)
        {
            foreach (short rcode in new short[] { -1, 0, 3 })
            {
                run.Dns(name, rcode: rcode, answers: (1, "not an address"));
                run.Dns(name, 16, rcode, answers: [(5, name), (28, "::::"), (28, "1:2:3:4:5:6:7:8:9"), (1, "")]);
                run.Http(name, name);
                run.Http("http://" + name + "/" + name, name + ":99999");
                run.Tls(name, name, name);
            }
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Every_threat_has_a_unique_id_in_snake_case_and_a_severity()
    {
        Assert.Equal(Threats.All.Count, Threats.All.Select(t => t.Id).Distinct().Count());
        Assert.All(Threats.All, t =>
        {
            Assert.Matches("^[a-z0-9]+(_[a-z0-9]+)+$|^cryptomining$", t.Id);
            Assert.InRange(t.Severity, 1, 5);
            Assert.NotEmpty(t.Title);
        });
        Assert.All(Threats.Local, t => Assert.Contains(t, Threats.All));
    }

    [Fact]
    public void A_flood_of_findings_of_one_threat_is_cut_off_counted_and_told_by_the_next_one()
    {
        using var run = new Simulated(thresholds: new Thresholds { AlertStock = 10 });
        // Every destination is a finding of its own.
        for (int i = 0; i < 50; i++) run.Ip(Address.FromV4(0xC6336400 + (uint)i), 3333, ConnectionState.SF, 72, 100, app: App.Stratum);
        Assert.Equal(10, run.ThreatIds.Count(id => id == "cryptomining"));
        Assert.Equal(40, run.Scorer.Stats.AlertsHeld);
        run.Tick += 11 * Simulated.Second;
        run.Ip(Address.FromV4(0xC6336500), 3333, ConnectionState.SF, 72, 100, app: App.Stratum);
        Assert.Equal(40, run.Alerts.Last(a => a.Threats[0].Id == "cryptomining").Evidence!.Facts.Single(f => f.Name == "alertsHeldBack").Number);
    }
}
