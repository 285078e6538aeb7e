using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>The captures that are labelled benign: nothing in them is worth more than severity 2.</summary>
public sealed class BenignCaptureTests(ITestOutputHelper output)
{
    [Fact]
    public void Nothing_in_a_benign_capture_is_above_severity_two()
    {
        if (!Corpus.TryFind("11-detection-labels/labels.tsv", out string labels)) return;
        string corpus = Path.Combine(Path.GetDirectoryName(labels)!, "..");
        int captures = 0, alerts = 0, events = 0;
        var worse = new List<string>();
        foreach (string[] row in File.ReadLines(labels).Skip(1).Select(line => line.Split('\t')).Where(row => row[1] == "benign"))
        {
            captures++;
            using ScoredTraffic run = new ScoredTraffic().Capture(Path.Combine(corpus, row[0]));
            alerts += run.Alerts.Count;
            events += run.Events;
            foreach (var alert in run.Alerts)
            {
                string line = $"{row[0]}: {alert.Severity} {alert.Threats[0].Id} {alert.Evidence!.Summary}";
                output.WriteLine(line);
                if (alert.Severity > 2) worse.Add(line);
            }
        }
        output.WriteLine($"{captures} captures, {events} events, {alerts} alerts");
        Assert.Empty(worse);
    }
}
