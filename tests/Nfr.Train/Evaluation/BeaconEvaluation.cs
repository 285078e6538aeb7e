using System.Globalization;
using Nfr.Scoring;
using Nfr.Scoring.Beacons;
using Nfr.Train.Traffic;

namespace Nfr.Train.Evaluation;

/// <summary>Which beacons are found and when, what polls without being one, and RITA's reference scores.</summary>
sealed class BeaconEvaluation : IEvaluation
{
    const int Seeds = 100;

    public string Name => "beacon";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Beacons");
        Recall(o);
        Benign(o);
        Rita(o);
    }

    static void Recall(EvaluationOutput o)
    {
        o.Heading(3, "Found by interval and jitter");
        o.Line($"{Seeds} clients each, every one calling an ordinary name of its own for max(1 h, 12 intervals), or 24 h of one an hour. Shown by a TLS handshake with its flow, a request, a flow alone, or a query alone; the worst of the four, and minutes to the alert.");
        double[] jitters = [0, 0.1, 0.3, 0.5];
        var rows = new List<string[]>();
        var plot = new LinePlot("Beacons: recall over jitter", "jitter", "found in time") { X = (0, 0.5), StepAcross = 0.1 };
        double low = 1, half = 1, soon = 1;
        foreach (double interval in new double[] { 30, 60, 120, 300, 600, 3600 })
        {
            var line = new List<(double X, double Y)>();
            foreach (double jitter in jitters)
            {
                BeaconFound[] found = [.. Enum.GetValues<ContactKind>().Select(kind => BeaconRuns.Measure(Seeds, interval, jitter, kind))];
                double worst = found.Min(f => f.Found);
                if (jitter <= 0.3) low = Math.Min(low, worst);
                else half = Math.Min(half, worst);
                if (interval <= 120 && jitter <= 0.3) soon = Math.Min(soon, found.Min(f => f.InHalfAnHour));
                line.Add((jitter, worst));
                rows.Add([Seconds(interval), $"{100 * jitter:0} %", Text(worst), Text(found.Min(f => f.InHalfAnHour)), Minutes(found.Max(f => f.Median)), Minutes(found.Max(f => f.Last))]);
            }
            plot.Add($"every {Seconds(interval)}", line);
        }
        o.Table(["interval", ">jitter", ">found in time", ">within 30 min", ">median, minutes", ">last, minutes"], rows);
        o.Plot("beacon-jitter", plot);
        string data = $"{Seeds} made clients a cell, 6 intervals, 4 kinds of contact";
        o.Goal("beacon", ".95 with jitter ≤ 30 %, 30 s to 1 h", $"{low:0.00} in the worst cell", low >= 0.95, data);
        o.Goal("beacon", "stretch: .90 with jitter 50 %", $"{half:0.00} in the worst cell", half >= 0.9, data);
        o.Goal("beacon", "stretch: within 30 min", $"{soon:0.00} of those of up to 2 min", null, data);
    }

    static void Benign(EvaluationOutput o)
    {
        o.Heading(3, "What is no beacon");
        var rows = new List<string[]>();
        foreach (double mean in new double[] { 30, 120, 600 })
        {
            (int chance, int browsing) = BeaconRuns.Irregular(Seeds, mean);
            rows.Add([$"{Seeds} days of contacts at random, every {mean:0} s on average", $"{chance}"]);
            rows.Add([$"{Seeds} days of visits at random, every {mean * 10:0} s on average, some pages each", $"{browsing}"]);
        }
        using (var poller = new Poller(Detectors.Beaconing))
        {
            BeaconRuns.Pollers(poller, "little-garden-shop.com");
            poller.Run();
            rows.Add(["one client's clocks, mail, updates, connectivity check, server of the site, for a day", $"{poller.Alerts.Count}"]);
        }
        using var office = new Poller(Detectors.Beaconing | Detectors.FirstSeen);
        const int Clients = 60;
        BeaconRuns.Office(office, Clients);
        office.Run();
        int raised = office.Alerts.Count(a => a.Evidence!.Detector == "beacon");
        rows.Add([$"an office of {Clients} for a day: clocks, mail, updates, chat, agents that all, a third and a tenth of them have", $"{raised}"]);
        o.Table(["traffic", ">alerts"], rows);
        o.Goal("beacon", "≤ 1 alert a day on benign pollers", $"{raised} in an office of {Clients}", raised <= 1, "a made day of clocks, mail, updates, chat, agents");
    }

    static void Rita(EvaluationOutput o)
    {
        o.Heading(3, "RITA's parts");
        double off = 0;
        var rows = new List<string[]>();
        foreach (RitaSeries series in RitaSeries.All)
        {
            double[] got = Of(series);
            for (int i = 0; i < got.Length; i++) off = Math.Max(off, Math.Abs(got[i] - series.Expected[i]));
            rows.Add([series.Name, .. got.Select((g, i) => $"{Text(g)} ({Text(series.Expected[i])})")]);
        }
        o.Line("Worked out apart from our code, in brackets.");
        o.Table(["series", ">times", ">sizes", ">duration", ">histogram", ">score"], rows);
        o.Goal("beacon", "RITA's sub-scores to 1e-3", string.Create(CultureInfo.InvariantCulture, $"off by {off:0.0000} at most"), off <= 1e-3, $"{RitaSeries.All.Count} series");

        static double[] Of(RitaSeries series)
        {
            int[] counts = RitaScore.Counts(series.Seconds, 0, RitaSeries.Day);
            double t = RitaScore.Times(series.Seconds), s = RitaScore.Sizes(series.Bytes), d = RitaScore.Duration(counts, series.Seconds[0], series.Seconds[^1], 0, RitaSeries.Day), h = RitaScore.Histogram(counts);
            return [t, s, d, h, RitaScore.Of(t, s, d, h)];
        }
    }

    static string Seconds(double seconds) => seconds >= 3600 ? "1 h" : seconds >= 120 ? $"{seconds / 60:0} min" : $"{seconds:0} s";

    static string Minutes(double minutes) => double.IsFinite(minutes) ? minutes.ToString("0", CultureInfo.InvariantCulture) : "not half";

    static string Text(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
