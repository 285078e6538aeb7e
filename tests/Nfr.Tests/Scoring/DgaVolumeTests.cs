using Nfr.Events;
using Nfr.Scoring;
using Nfr.Scoring.Names;
using Nfr.Train.Data;
using Nfr.Train.Training;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

public sealed class DgaVolumeTests(ITestOutputHelper output)
{
    static Address Host(int number) => Address.FromV4(0x0A00_0000 + (uint)number);

    [Fact]
    public void A_hundred_seeds_of_the_simulators_module_are_found_by_their_fifteenth_name()
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        for (int seed = 0; seed < 100; seed++) run.RunDga(seed, Host(seed));
        double[] names = [.. run.Alerts.Select(a => a.Evidence!.Facts.First(f => f.Name == "names").Number).Order()];
        output.WriteLine($"{run.Alerts.Count} of 100; at name {names[names.Length / 2]} at the median, {names[^1]} at the latest");
        Assert.Equal(100, run.Alerts.Count);
        Assert.Equal(100, run.Alerts.Select(a => a.Event.SrcIP).Distinct().Count());
    }

    [Fact]
    public void The_score_is_the_sum_of_its_features_and_lies_above_its_limit()
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        run.RunDga(4);
        AlertEvidence evidence = Assert.Single(run.Alerts).Evidence!;
        Assert.Equal(EvidenceScore.Of(evidence.Features), evidence.Score);
        Assert.True(evidence.Score >= evidence.ScoreLimit);
        Assert.Equal(1, evidence.Features.Sum(f => f.Weight), 9);
        Assert.Equal(["nameOdds", "letterOdds", "sameLength"], evidence.Features.Select(f => f.Name));
    }

    [Fact]
    public void Names_under_a_dynamic_dns_suffix_count_each()
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        var random = new Random(8);
        for (int i = 0; i < 15; i++) run.Dns(Simulated.Letters(random, 12) + ".duckdns.org", rcode: 3);
        Assert.Equal(["dga_volume"], run.ThreatIds);
    }

    [Fact]
    public void Nine_names_are_too_few()
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        var random = new Random(8);
        for (int i = 0; i < 9; i++) run.Dns(Simulated.Letters(random, 14) + ".com", rcode: 3);
        Assert.Empty(run.Alerts);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(50)]
    public void Names_of_days_ago_do_not_make_the_few_of_today_many(int days)
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        var random = new Random(8);
        for (int i = 0; i < 9; i++) run.Dns(Simulated.Letters(random, 14) + ".com", rcode: 3);
        run.Wait(days * 86_400L * Simulated.Second);
        for (int i = 0; i < 9; i++) Assert.Equal(0, run.Dns(Simulated.Letters(random, 14) + ".com", rcode: 3));
        Assert.Empty(run.Alerts);
        run.Dns(Simulated.Letters(random, 14) + ".com", rcode: 3);
        Assert.Equal(["dga_volume"], run.ThreatIds);
    }

    [Fact]
    public void Mistyped_names_dead_ad_servers_and_search_lists_raise_few_hosts()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        string[] names = [.. ScoringCorpus.Rows(path).Where(r => r[2].Length == 0 && r[1].Contains("10k", StringComparison.Ordinal)).Select(r => r[0])];
        var random = new Random(21);
        using var run = new Simulated(enabled: Detectors.Dga);
        const int Hosts = 1000;
        string[] dead = [.. Enumerable.Range(0, 8).Select(_ => Simulated.DgaLabel(random, 9) + ".com")];
        for (int host = 0; host < Hosts; host++)
        {
            for (int i = 0; i < 20; i++)
            {
                // Links that are dead, and a mistyped name among them now and then.
                char[] typed = names[random.Next(names.Length)].ToCharArray();
                int dot = Array.IndexOf(typed, '.');
                if (dot > 1 && i % 10 == 0) typed[random.Next(dot)] = (char)('a' + random.Next(26));
                run.Dns(new string(typed), rcode: 3, client: Host(host));
                run.Dns(names[random.Next(names.Length)] + ".office.example.com", rcode: 3, client: Host(host));
                // A few names of servers that are gone, asked again and again.
                run.Dns(dead[(host + (i & 1)) % dead.Length], rcode: 3, client: Host(host));
            }
        }
        output.WriteLine($"{run.Alerts.Count} alerts of {Hosts} hosts with 22 failing names each");
        // Every tenth name is mistyped and two are of odd dead servers: four in the first ten at worst.
        Assert.InRange(run.Alerts.Count, 0, 1);
    }

    [Fact]
    public void One_good_host_in_ten_thousand_is_raised_by_its_fifteenth_failing_name()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        List<DgaRow> rows = DgaRows.Read(Path.Combine(Path.GetDirectoryName(path)!, ".."), PublicSuffixList.Shipped);
        var good = new DgaHosts(DgaModel.Shipped, rows.Where(r => !r.IsBad && (!r.MayTrain || r.Held)).SelectMany(r => Enumerable.Repeat(r, r.MayTrain ? 8 : 1)));
        double[] raised = good.RaisedBy(100_000, 32);
        double[] seen = [.. rows.Where(r => r.IsBad && r.Held).GroupBy(r => r.Family).Where(g => g.Count() >= 5)
            .Select(g => new DgaHosts(DgaModel.Shipped, g).RaisedBy(200, 15)[15])];
        output.WriteLine($"good hosts raised by the 10th name {raised[10]:0.0e-0}, 15th {raised[15]:0.0e-0}, 32nd {raised[32]:0.0e-0}; hosts of families by the 15th {seen.Average():0.000}");
        Assert.InRange(raised[15], 0, 1.5e-4);
        Assert.InRange(raised[32], 0, 3e-4);
        Assert.InRange(seen.Average(), 0.99, 1);
    }

    [Fact]
    public void Random_clients_and_hostile_names_stay_within_the_table()
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        var random = new Random(13);
        for (int i = 0; i < 20_000; i++)
        {
            string name = Simulated.Letters(random, random.Next(1, 64)) + (i % 3 == 0 ? "\u2603" : "") + ".com";
            run.Dns(name, rcode: 3, client: Host(i));
        }
        run.Dns(string.Concat(Enumerable.Repeat("a.", 120)) + "com", rcode: 3);
        run.Dns("", rcode: 3);
        run.Dns("...", rcode: 3);
        Assert.Empty(run.Alerts);
        Assert.Equal(1 << 12, run.Scorer.Stats.Tracked);
    }
}
