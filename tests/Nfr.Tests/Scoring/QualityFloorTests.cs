using Nfr.Events;
using Nfr.Train.Data;
using Nfr.Train.Evaluation;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>The figures of the quality report that are quick to measure: what meets its goal keeps meeting it.</summary>
[Collection(AloneCollection.Name)]
public sealed class QualityFloorTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("brand")]
    [InlineData("scan")]
    [InlineData("echo")]
    [InlineData("1998")]
    [InlineData("fingerprint")]
    public void Every_goal_of_a_quick_section_is_met(string section)
    {
        if (!Directory.Exists(ScoringData.DefaultFolder))
        {
            output.WriteLine($"left out: {ScoringData.DefaultFolder} is not there");
            return;
        }
        string plots = Directory.CreateTempSubdirectory("nfr-plots").FullName;
        try
        {
            var report = new EvaluationOutput(ScoringData.DefaultFolder, plots, "plots", section);
            Evaluations.All.Single(e => e.Name == section).Run(report);
            foreach (Goal goal in report.Goals) output.WriteLine($"{goal.Detector}: {goal.Wanted}: {goal.Figure} ({goal.Data})");
            Assert.NotEmpty(report.Goals);
            Assert.DoesNotContain(report.Goals, g => g.Met == false);
        }
        finally
        {
            Directory.Delete(plots, recursive: true);
        }
    }

    [Fact]
    public void A_day_of_a_site_raises_nothing_high()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        using var site = new SiteDay(new SiteNames(Path.Combine(Path.GetDirectoryName(path)!, "..")), hosts: 80, seed: 3);
        site.RunUntil(1);
        foreach (Alert alert in site.Alerts) output.WriteLine($"{alert.Severity} {alert.Threats[0].Id}: {alert.Evidence!.Summary}");
        output.WriteLine($"{site.Events} events");
        string?[] administration = [SiteDay.Admin.ToString(), SiteDay.Deployer.ToString(), SiteDay.Monitor.ToString()];
        Assert.DoesNotContain(site.Alerts, a => a.Severity > 3 && !administration.Contains(a.Event.SrcIP));
        Assert.DoesNotContain(site.Alerts, a => a.Evidence!.Detector is "dns_tunnel" or "dga_volume" or "dga" || (a.Evidence.Detector == "port_scan" && !administration.Contains(a.Event.SrcIP)));
    }
}
