using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>What is too little alone: domains that look a little suspicious, and low findings of several kinds.</summary>
public sealed class SuspiciousDomainsTests(ITestOutputHelper output)
{
    const long Minute = 60 * Simulated.Second, Hour = 60 * Minute;

    static Address Client(int number) => Address.FromV4(0x0A01_0000 + (uint)number);

    /// <summary>Eight days of an office of 20 that goes to the same 30 places.</summary>
    static Simulated Office(Detectors enabled = Detectors.SuspiciousDomains)
    {
        var run = new Simulated(enabled: enabled | Detectors.FirstSeen);
        for (int hour = 0; hour < 8 * 24; hour++)
        {
            for (int i = 0; i < 20; i++) run.Dns($"www.place{(hour + i) % 30}.com", client: Client(i));
            run.Wait(Hour);
        }
        run.Alerts.Clear();
        return run;
    }

    static IEnumerable<Alert> Volumes(Simulated run) => run.Alerts.Where(a => a.Threats[0].Id == "suspicious_domain_volume");

    [Fact]
    public void Several_suspicious_domains_of_one_client_are_found()
    {
        using Simulated run = Office();
        string[] names = ["cheap-meds.top", "loginhere.xyz", "gate.parcelinfo.click", "cdn.panelone.icu", "freshnews.monster", "update.quickfix.sbs", "one.more.rest"];
        int last = 0;
        foreach (string name in names)
        {
            last = run.Dns(name);
            run.Tls(name);
            run.Wait(5 * Minute);
        }
        Alert alert = Assert.Single(Volumes(run));
        Assert.Equal((3, 3, "10.1.2.3"), (last, alert.Severity, alert.Evidence!.Key));
        Assert.Equal(["young_domain", "bad_tld"], alert.Flags);
        Assert.Equal(6, alert.Evidence.Facts.Single(f => f.Name == "young").Number);
        Assert.Equal(5, alert.Evidence.Samples.Count);
        Assert.Equal(1, alert.Evidence.Score);
    }

    [Fact]
    public void Imposters_and_made_up_letters_count_too()
    {
        using Simulated run = Office(Detectors.SuspiciousDomains | Detectors.Imposter);
        foreach (string name in new[] { "papyal.com", "netfilx.com", "paypa1.com", "xq7vjzkwqpt3.com", "wqz0vkjx9qpzt.com", "amaz0n.com" }) run.Dns(name);
        Alert alert = Assert.Single(Volumes(run));
        Assert.Equal(["young_domain", "perplexing_domain", "imposter"], alert.Flags);
    }

    [Fact]
    public void New_domains_domains_of_one_trait_few_domains_and_many_clients_are_no_matter()
    {
        using Simulated run = Office();
        var random = new Random(1);
        for (int i = 0; i < 200; i++) run.Dns($"pleasant{i}.com");
        for (int i = 0; i < 5; i++) run.Dns($"pleasant{i}.top", client: Client(31));
        for (int i = 0; i < 50; i++) run.Dns("same.pleasant0.top", client: Client(31));
        for (int i = 0; i < 60; i++, run.Wait(20 * Minute)) run.Dns($"slow{i}.xyz", client: Client(32));
        for (int i = 0; i < 100; i++) run.Dns($"each{i}.xyz", client: Client(i % 20));
        for (int i = 0; i < 100; i++) run.Dns($"{Simulated.Letters(random, 12)}.xyz", rcode: 3, client: Client(33));
        Assert.Empty(Volumes(run));
    }

    [Fact]
    public void People_who_meet_many_new_domains_are_no_matter()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        string[] names = [.. ScoringCorpus.Rows(path).Where(r => r[2].Length == 0).Select(r => r[0])];
        var random = new Random(2);
        using Simulated run = Office();
        int hours = 0;
        for (int hour = 0; hour < 10; hour++)
        {
            // Twenty domains in an hour with which nobody here was seen before, each of them once.
            for (int client = 0; client < 200; client++, hours++)
            {
                for (int i = 0; i < 20; i++) run.Dns(names[random.Next(names.Length)], client: Client(client));
            }
            run.Wait(Hour + Minute);
        }
        output.WriteLine($"{Volumes(run).Count()} alerts in {hours} hours of 20 new domains");
        Assert.Empty(Volumes(run));
    }

    [Fact]
    public void A_domain_of_which_nothing_is_known_costs_no_memory()
    {
        using Simulated run = Office();
        byte[] name = Encoding.ASCII.GetBytes("www.place3.com");
        void Ask()
        {
            for (int i = 0; i < 2000; i++)
            {
                var e = new DnsEvent { Context = new EventContext { Tick = run.Tick, Source = Client(i), Destination = Simulated.Resolver, DestinationPort = 53 }, Query = name, QueryType = 1 };
                run.Scorer.Score(in e, run.Alerts);
            }
        }
        Ask();
        Assert.Equal(0, Allocation.Least(Ask));
    }

    static IEnumerable<Alert> Clusters(Simulated run) => run.Alerts.Where(a => a.Threats[0].Id == "suspicious_cluster_volume");

    const Detectors Several = Detectors.SuspiciousCluster | Detectors.BadPorts | Detectors.ManyResets | Detectors.DnsFailures | Detectors.HttpFailures | Detectors.Imposter;

    static void Resets(Simulated run)
    {
        for (int i = 0; i < 60; i++) run.Ip(Simulated.Outside, 8080, ConnectionState.REJ, flags: 0x14);
    }

    static void Failures(Simulated run)
    {
        var random = new Random(3);
        run.Dns("www.place3.com");
        for (int i = 0; i < 40; i++) run.Dns(Simulated.Letters(random, 9) + ".com", rcode: 3);
    }

    [Fact]
    public void Low_findings_of_three_kinds_are_a_cluster_that_lists_them()
    {
        using Simulated run = Office(Several);
        Failures(run);
        run.Wait(20 * Minute);
        Assert.Equal(2, run.Ip(Simulated.Outside, 31337, ConnectionState.SF, 100, 100));
        Assert.Empty(Clusters(run));
        run.Wait(20 * Minute);
        Assert.Equal(3, run.Dns("oddly.pleasant.top"));
        Alert alert = Assert.Single(Clusters(run));
        Assert.Equal((3, "10.1.2.3"), (alert.Severity, alert.Evidence!.Key));
        EvidenceValue[] findings = [.. alert.Evidence.Facts.Where(f => f.Name.StartsWith("finding", StringComparison.Ordinal))];
        Assert.Equal([1.0, 2.0, 2.0], findings.Select(f => f.Number).Order());
        foreach (Alert each in run.Alerts.Where(a => a != alert))
        {
            Assert.Contains(findings, f => f.Text!.Contains(each.Evidence!.Id, StringComparison.Ordinal) && f.Text.Contains(each.Threats[0].Id, StringComparison.Ordinal));
        }
        Assert.Equal(EvidenceScore.Of(alert.Evidence.Features), alert.Evidence.Score);
        Assert.True(alert.Evidence.Score >= alert.Evidence.ScoreLimit);
        // It is told once a day.
        run.Wait(Hour);
        run.Dns("newly.pleasanter.top");
        Assert.Single(Clusters(run));
    }

    [Fact]
    public void One_trouble_of_many_faces_is_no_cluster()
    {
        using Simulated run = Office(Several);
        Failures(run);
        Resets(run);
        for (int i = 0; i < 12; i++) run.Dns($"pleasant{i}.top");
        Assert.Contains("many_resets", run.ThreatIds);
        Assert.Contains("excessive_dns_failures", run.ThreatIds);
        Assert.Empty(Clusters(run));
    }

    [Fact]
    public void What_is_hours_apart_or_of_several_clients_is_no_cluster()
    {
        using Simulated run = Office(Several);
        Failures(run);
        run.Wait(5 * Hour);
        run.Ip(Simulated.Outside, 31337, ConnectionState.SF, 100, 100);
        run.Dns("oddly.pleasant.top");
        run.Dns("more.pleasanter.top", client: Client(5));
        Assert.Empty(Clusters(run));
    }

    [Fact]
    public void What_a_rule_of_the_house_forbids_is_no_part_of_a_cluster()
    {
        using var run = new Simulated(lists: [("vpn.txt", "203.0.113.9\n"), ("dynamic_dns.txt", "dyn.example\n"), ("doh.txt", "doh.example\n"), ("ip_lookup.txt", "myip.example\n")]);
        run.Ip(Simulated.Outside, 443, ConnectionState.SF, 100, 100);
        run.Dns("a.dyn.example");
        run.Dns("doh.example");
        run.Dns("myip.example");
        run.Ip(Simulated.Outside, 31337, ConnectionState.SF, 100, 100);
        Assert.Empty(Clusters(run));
    }

    [Fact]
    public void Floods_of_sources_stay_within_the_table()
    {
        using var run = new Simulated(enabled: Detectors.SuspiciousCluster | Detectors.BadPorts);
        for (int i = 0; i < 3000; i++) run.Ip(Simulated.Outside, 31337, ConnectionState.SF, 100, 100, client: Client(i));
        Assert.True(run.Scorer.Stats.TrackedEvicted > 2000);
        Assert.Empty(Clusters(run));
    }
}
