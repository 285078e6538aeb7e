using System.Globalization;
using System.IO.Compression;
using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>Clients that ask in vain: for many domains at once, or for the same ones all day.</summary>
public sealed class FailingNamesTests(ITestOutputHelper output)
{
    const long Minute = 60 * Simulated.Second, Hour = 60 * Minute;
    const short Unanswered = -1, ServerFailure = 2, Missing = 3;

    static Address Client(int number) => Address.FromV4(0x0A03_0000 + (uint)number);

    static Simulated Bed(Detectors enabled = Detectors.DnsFailures) => new(enabled: enabled | Detectors.FirstSeen);

    static string Domain(Random random) => Simulated.Letters(random, random.Next(5, 12)) + ".com";

    [Theory]
    [InlineData(Missing)]
    [InlineData(ServerFailure)]
    [InlineData(Unanswered)]
    public void A_client_that_asks_for_many_domains_in_vain_is_found(short rcode)
    {
        using Simulated run = Bed();
        var random = new Random(1);
        for (int i = 0; i < 60; i++, run.Wait(20 * Simulated.Second))
        {
            run.Dns("www.example.org");
            run.Dns(Domain(random), rcode: rcode);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("excessive_dns_failures", 2), (alert.Threats[0].Id, alert.Severity));
        Assert.InRange(alert.Evidence!.Features[0].Value, 30, 45);
        Assert.Equal(1, alert.Evidence.Score, 12);
    }

    [Fact]
    public void One_program_that_asks_for_the_same_names_all_the_time_is_no_matter()
    {
        using Simulated run = Bed();
        for (int i = 0; i < 5000; i++, run.Wait(Simulated.Second)) run.Dns($"host{i}.gone{i % 4}.com", rcode: Missing);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void What_fails_in_every_network_is_no_matter()
    {
        using Simulated run = Bed();
        var random = new Random(2);
        for (int i = 0; i < 1000; i++, run.Wait(Simulated.Second))
        {
            string name = Domain(random);
            run.Dns($"{i}.1.168.192.in-addr.arpa", 12, Missing);
            run.Dns($"machine{i}.lan", rcode: Missing);
            run.Dns($"machine{i}.local", rcode: Missing);
            run.Dns(name + ".corp.example.com", rcode: Missing);
            run.Dns($"www.{name}.corp.example{i % 7}.com", rcode: Missing);
            run.Dns($"_ldap._tcp.{name}", 33, Missing);
            run.Dns($"wpad.{name}", rcode: Missing);
            run.Dns(Simulated.Letters(random, 10), rcode: Missing);
            run.Dns(name, rcode: Missing, service: App.Llmnr);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Domains_that_others_were_answered_for_do_not_count()
    {
        using Simulated run = Bed();
        var random = new Random(3);
        for (int i = 0; i < 200; i++, run.Wait(10 * Simulated.Second))
        {
            string name = Domain(random);
            run.Dns("www." + name, client: Client(7));
            run.Dns("ads." + name, rcode: Missing);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_line_that_is_down_makes_no_client_conspicuous()
    {
        using Simulated run = Bed();
        var random = new Random(4);
        for (int i = 0; i < 20; i++) run.Dns("www.example.org", client: Client(i));
        for (int i = 0; i < 4000; i++, run.Wait(Simulated.Second))
        {
            // The resolver still answers from its cache.
            if (i % 5 == 0) run.Dns("www.example.org", client: Client(random.Next(20)));
            run.Dns(Domain(random), rcode: i % 2 == 0 ? ServerFailure : Unanswered, client: Client(random.Next(20)));
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_mirror_that_shows_no_answers_makes_no_client_conspicuous()
    {
        using Simulated run = Bed();
        var random = new Random(5);
        for (int i = 0; i < 2000; i++, run.Wait(Simulated.Second)) run.Dns(Domain(random), rcode: Unanswered);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void What_a_client_always_did_and_what_all_do_is_usual()
    {
        using Simulated run = Bed();
        var random = new Random(6);
        // A filter answers that advertisers do not exist: everybody meets a dozen and a half in an hour, one reads more than others.
        for (int hour = 0; hour < 48; hour++)
        {
            for (int client = 0; client < 10; client++)
            {
                for (int i = 0; i < 18; i++) run.Dns(Domain(random), rcode: Missing, client: Client(client));
                run.Dns("www.example.org", client: Client(client));
            }
            for (int i = 0; i < (hour < 24 ? 0 : 40); i++) run.Dns(Domain(random), rcode: Missing, client: Client(3));
            run.Wait(Hour + Simulated.Second);
        }
        Assert.Empty(run.Alerts);
        for (int i = 0; i < 150; i++) run.Dns(Domain(random), rcode: Missing, client: Client(4));
        Assert.Single(run.Alerts);
    }

    [Fact]
    public void A_browsing_client_with_dead_links_is_no_matter()
    {
        using Simulated run = Bed();
        var random = new Random(7);
        for (int i = 0; i < 4000; i++, run.Wait(3 * Simulated.Second)) run.Dns(Domain(random), rcode: random.Next(12) == 0 ? Missing : (short)0);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_domain_that_never_resolves_and_is_asked_for_all_day_is_found()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        for (int i = 0; i < 24 * 6 && run.Alerts.Count == 0; i++, run.Wait(10 * Minute))
        {
            for (int again = 0; again < 3; again++) run.Dns("c2.takendown.com", (ushort)(again == 0 ? 28 : 1), Missing);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("unreachable_domain_volume", 2, "10.1.2.3 takendown.com"), (alert.Threats[0].Id, alert.Severity, alert.Evidence!.Key));
        Assert.Equal(["hours", "requests"], alert.Evidence.Features.Select(f => f.Name));
        Assert.InRange(alert.Evidence.Features[0].Value, 8, 11);
        Assert.True(alert.Evidence.Samples.Count > 1);
        int before = run.Alerts.Count;
        for (int i = 0; i < 48 * 6; i++, run.Wait(10 * Minute)) run.Dns("c2.takendown.com", rcode: Missing);
        Assert.Equal(before, run.Alerts.Count);
    }

    [Fact]
    public void Several_domains_that_never_resolve_are_found_sooner()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        for (int i = 0; i < 6 * 6 && run.Alerts.Count == 0; i++, run.Wait(10 * Minute))
        {
            run.Dns("www.example.org");
            // A few more than it takes: their number is estimated.
            for (int k = 0; k < 6; k++) run.Dns($"gate.fallback{k}.net", rcode: k == 0 ? ServerFailure : Missing);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("10.1.2.3", 3.0), (alert.Evidence!.Key, Math.Min(3, alert.Evidence.Features.Single().Value)));
        Assert.True(run.Tick < 5 * Hour);
    }

    [Fact]
    public void A_domain_that_several_ask_for_or_that_was_there_or_that_is_asked_for_now_and_then_is_no_matter()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        run.Dns("other.wentaway.com", client: Client(9));
        for (int i = 0; i < 24 * 12; i++, run.Wait(5 * Minute))
        {
            for (int client = 0; client < 4; client++) run.Dns("update.oldproduct.com", rcode: Missing, client: Client(client));
            run.Dns("www.wentaway.com", rcode: Missing);
            if (i % 24 == 0) run.Dns("rare.deadlink.com", rcode: Missing);
            if (i < 36) run.Dns("www.typedwrong.com", rcode: Missing);
            run.Dns("wpad.corp.example.com", rcode: Missing);
            run.Dns("printer.office.lan", rcode: Missing);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_dead_domain_that_the_whole_site_asks_for_is_no_matter_on_the_next_days_either()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        for (int i = 0; i < 60 * 12; i++, run.Wait(5 * Minute))
        {
            for (int client = 0; client < 6; client++) run.Dns("update.oldproduct.com", rcode: Missing, client: Client(client));
        }
        Assert.Empty(run.Alerts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_a_clients_answers_are_never_seen_none_of_its_domains_is_dead(bool othersAreAnswered)
    {
        using Simulated run = Bed(Detectors.DnsFailures | Detectors.UnreachableDomains);
        for (int i = 0; i < 12 * 6; i++, run.Wait(10 * Minute))
        {
            if (othersAreAnswered) run.Dns("www.example.org", client: Client(1));
            for (int k = 0; k < 50; k++) run.Dns($"www.alive{k}.com", rcode: Unanswered);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void What_alone_is_not_answered_never_resolves()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        for (int i = 0; i < 12 * 6; i++, run.Wait(10 * Minute))
        {
            run.Dns("www.example.org");
            run.Dns("c2.takendown.com", rcode: Unanswered);
        }
        Assert.Single(run.Alerts);
    }

    [Fact]
    public void A_dead_domain_that_a_resolver_asks_for_is_its_clients_matter()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        for (int i = 0; i < 24 * 6; i++, run.Wait(10 * Minute))
        {
            for (uint k = 0; k < 12; k++) run.Dns($"www.alive{k}.com", Simulated.Resolver, Address.FromV4(0xC633_6400 + k), 1, 0, 0x8400);
            run.Dns("c2.takendown.com", Simulated.Resolver, Address.FromV4(0xC633_6401), 1, Missing, 0x8400);
        }
        run.Scorer.Finish(run.Alerts);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_dead_domain_that_is_asked_for_once_an_hour_for_days_is_no_matter()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        for (int i = 0; i < 120; i++, run.Wait(Hour)) run.Dns("telemetry.retired.com", rcode: Missing);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void What_comes_late_counts_in_the_hour_in_which_it_was_asked()
    {
        using Simulated run = Bed(Detectors.DnsFailures | Detectors.UnreachableDomains);
        var random = new Random(9);
        // Another sensor of the site is a day ahead.
        long start = run.Tick;
        run.Tick += 24 * Hour;
        run.Dns("www.example.org", client: Client(1));
        run.Tick = start;
        for (int i = 0; i < 24 * 6; i++, run.Wait(10 * Minute))
        {
            for (int k = 0; k < 2; k++) run.Dns(Domain(random), rcode: Missing);
            run.Dns("c2.takendown.com", rcode: Missing, client: Client(2));
        }
        Assert.Equal(["unreachable_domain_volume"], run.ThreatIds);
    }

    [Fact]
    public void Made_up_domains_behind_a_whole_name_are_no_search_list()
    {
        using Simulated run = Bed();
        var random = new Random(10);
        for (int i = 0; i < 60; i++, run.Wait(20 * Simulated.Second))
        {
            run.Dns("www.example.org");
            string name = $"{Simulated.Letters(random, 6)}.com.{Simulated.Letters(random, 9)}.net";
            run.Dns(name, rcode: Missing);
            run.Dns(name, 28, Missing);
        }
        Assert.Single(run.Alerts);
    }

    [Fact]
    public void What_a_search_list_puts_behind_whole_names_is_no_matter()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        var random = new Random(11);
        for (int i = 0; i < 24 * 6; i++, run.Wait(10 * Minute))
        {
            for (int k = 0; k < 4; k++) run.Dns($"www.{Domain(random)}.office{k}.com", rcode: Missing);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Many_networks_that_take_turns_do_not_forget_each_others_answers()
    {
        using Simulated run = Bed();
        var random = new Random(12);
        ScorerPartition own = new("own");
        ScorerPartition[] others = [.. Enumerable.Range(0, 600).Select(i => new ScorerPartition($"other {i}"))];
        void In(ScorerPartition site, Action what)
        {
            run.Scorer.Enter(site);
            what();
            run.Scorer.Leave(site);
        }
        for (int i = 0; i < 60; i++, run.Wait(20 * Simulated.Second))
        {
            In(own, () => run.Dns("www.example.org"));
            foreach (ScorerPartition other in others) In(other, () => run.Dns("www.example.org"));
            In(own, () => run.Dns(Domain(random), rcode: ServerFailure));
        }
        Assert.Single(run.Alerts);
    }

    [Fact]
    public void Floods_of_failing_names_push_out_nothing_that_went_on_for_hours()
    {
        using Simulated run = Bed(Detectors.UnreachableDomains);
        var random = new Random(8);
        for (int i = 0; i < 24 * 6 && run.Alerts.Count == 0; i++, run.Wait(10 * Minute))
        {
            run.Dns("c2.takendown.com", rcode: Missing);
            for (int k = 0; k < 300; k++) run.Dns(Domain(random), rcode: Missing, client: Client(random.Next(60_000)));
        }
        Assert.Single(run.Alerts);
        Assert.True(run.Scorer.Stats.TrackedEvicted > 5_000);
    }

    [Fact]
    public void Failing_names_of_which_nothing_is_found_allocate_nothing()
    {
        using Simulated run = Bed(Detectors.DnsFailures | Detectors.UnreachableDomains);
        byte[][] names = [.. Enumerable.Range(0, 2000).Select(i => Encoding.ASCII.GetBytes($"www.gone{i}.com"))];
        void Ask()
        {
            for (int i = 0; i < names.Length; i++)
            {
                var e = new DnsEvent { Context = new EventContext { Tick = run.Tick, Source = Client(i), Destination = Simulated.Resolver, DestinationPort = 53 }, Query = names[i], QueryType = 1, ResponseCode = 3 };
                run.Scorer.Score(in e, run.Alerts);
            }
        }
        Ask();
        Assert.Equal(0, Allocation.Least(Ask));
    }

    [Fact]
    public void An_exercise_networks_log_raises_none_of_these_above_severity_two()
    {
        if (!ScoringCorpus.TryPath("benign/zeek_dns_wrccdc.log.gz", output, out string path)) return;
        using var run = new Simulated();
        using var lines = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (lines.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            string[] f = line.Split('\t');
            if (f[9] == "-") continue;
            run.Tick = Math.Max(run.Tick, (long)(decimal.Parse(f[0], CultureInfo.InvariantCulture) * Simulated.Second));
            run.Dns(f[9].Replace("\\x", "\\0", StringComparison.Ordinal), Simulated.Parse(f[2]), Simulated.Parse(f[4]), ushort.TryParse(f[12], out ushort type) ? type : (ushort)1,
                short.TryParse(f[14], out short rcode) ? rcode : Unanswered);
        }
        run.Scorer.Finish(run.Alerts);
        foreach (Alert alert in run.Alerts) output.WriteLine($"{alert.Severity} {alert.Threats[0].Id}: {alert.Evidence!.Summary}");
        string[] volumes = ["suspicious_domain_volume", "suspicious_cluster_volume", "excessive_dns_failures", "unreachable_domain_volume", "dga_volume", "multiple_long_hostnames"];
        Assert.DoesNotContain(run.Alerts, a => volumes.Contains(a.Threats[0].Id));
    }
}
