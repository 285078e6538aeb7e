using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nfr.Scoring;
using Nfr.Scoring.Indicators;
using Nfr.Train.Data;
using Nfr.Train.Traffic;

namespace Nfr.Train.Evaluation;

/// <summary>Whether each public format is read and each of its lines found by an event, what popular names are listed, and what a million indicators cost.</summary>
sealed class IndicatorEvaluation : IEvaluation
{
    public string Name => "indicator";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Indicator lists");
        if (o.TryData("feeds", out string folder)) Lists(o, folder);
        Million(o);
    }

    static void Lists(EvaluationOutput o, string folder)
    {
        var rows = new List<string[]>();
        int all = 0, found = 0, operators = 0, sinkholes = 0, unread = 0;
        var examples = new List<string>();
        uint client = 0;
        foreach (string file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(file);
            using var run = new Simulated(new Thresholds { AlertStock = int.MaxValue }, Detectors.ListedDestination, (name, File.ReadAllText(file)));
            ListStatus list = run.Scorer.Store.Lists.Single();
            string[] indicators = [.. File.ReadLines(file).Select(ListLine.IndicatorOf).OfType<string>()];
            int hits = 0;
            var missed = new List<string>();
            foreach (string indicator in indicators)
            {
                run.Alerts.Clear();
                if (ListLine.Meet(run, indicator, ++client) > 0) hits++;
                else missed.Add(indicator);
                if (list.ThreatId != "sinkholed_destination") continue;
                sinkholes++;
                if (run.Alerts.Count > 0 && (name.EndsWith(".txt", StringComparison.Ordinal) || run.Alerts[0].Evidence!.Facts.Any(f => f.Name == "operator" && f.Text?.Length > 0))) operators++;
            }
            // A fault is a line that is refused on purpose: it must not be found.
            int wanted = indicators.Length - (int)list.FaultCount;
            all += wanted;
            found += Math.Min(hits, wanted);
            if (list.Count == 0) unread++;
            if (missed.Count > list.FaultCount) examples.Add($"{name}: {string.Join(", ", missed.Take(5))}");
            rows.Add([name, list.ThreatId, $"{indicators.Length}", $"{list.Count}", $"{list.FaultCount}", $"{hits}", run.Scorer.Store.Faults.Select(f => f.Message).GroupBy(r => r.Split(':')[0]).OrderByDescending(g => g.Count()).Select(g => $"{g.First()}").FirstOrDefault("")]);
        }
        o.Line("Each file as it is published. Taken: different indicators in the table. Faults: lines that are refused, such as a public suffix or a popular domain. Found: lines that an event of the right kind meets.");
        o.Table(["list", "threat", ">lines", ">taken", ">faults", ">found", "such as"], rows);
        foreach (string example in examples) o.Line("Not found though taken: " + example);
        o.Goal("indicators", "each format loads, junk lines are counted", $"{rows.Count - unread} of {rows.Count} files", unread == 0, "feeds");
        o.Goal("indicators", "every listed value is found", string.Create(CultureInfo.InvariantCulture, $"{found:N0} of {all:N0} lines"), found == all, "feeds, an event a line");
        o.Goal("sinkhole", "any listed address or name, with its operator", $"{operators} of {sinkholes}", null, "feeds/sinkholes.tsv, feeds/sinkholes_misp.txt (which names none)");
        if (o.TryData("benign/umbrella_fqdn.tsv", out string popular)) Popular(o, folder, popular);
    }

    /// <summary>What good names all lists together tell.</summary>
    static void Popular(EvaluationOutput o, string folder, string popular)
    {
        (string, string)[] lists = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), File.ReadAllText(f)))];
        using var run = new Simulated(new Thresholds { AlertStock = int.MaxValue }, Detectors.ListedDestination, lists);
        uint client = 0;
        int names = 0;
        foreach (string[] row in ScoringData.Rows(popular))
        {
            names++;
            run.Dns(row[0], client: Nfr.Wire.Address.FromV4(0x0A00_0000 + ++client));
        }
        string told = string.Join(", ", run.Alerts.GroupBy(a => (a.Threats[0].Id, a.Severity)).OrderByDescending(g => g.Count()).Select(g => $"{g.Count()} {g.Key.Id} (severity {g.Key.Severity}, such as {g.First().Evidence!.Facts.First(f => f.Name == "indicator").Text})"));
        o.Line(string.Create(CultureInfo.InvariantCulture, $"Of {names:N0} popular names {run.Alerts.Count} are on a list or below a listed name: {told}."));
    }

    static void Million(EvaluationOutput o)
    {
        const int Count = 1_000_000;
        string folder = Directory.CreateTempSubdirectory("nfr-lists").FullName;
        try
        {
            MadeUpIndicators.Write(Path.Combine(folder, "c2.csv"), Count, 1);
            long start = Stopwatch.GetTimestamp();
            using var store = new IndicatorStore([folder], TimeSpan.Zero, TimeProvider.System);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, million = store.Bytes * 1e6 / store.Count / 1e6;
            var random = new Random(5);
            byte[][] absent = [.. Enumerable.Range(0, 50_000).Select(i => Encoding.ASCII.GetBytes($"www.{MadeUpIndicators.Name(random, i)}.example.org"))];
            byte[][] listed = [.. MadeUpIndicators.Lines(50_000, 1).Where((_, i) => i % 10 < 7).Select(line => Encoding.ASCII.GetBytes("cdn." + line.Split(',')[1]))];
            double slow = Nanoseconds(store.Current, listed, out int hits), quick = Nanoseconds(store.Current, absent, out int wrong);
            o.Line(string.Create(CultureInfo.InvariantCulture,
                $"A million made-up ones, loaded in {seconds:0.0} s: {million:0.0} MB a million; a name that is not listed takes {quick:0} ns ({wrong} of {absent.Length:N0} found), one below a listed name {slow:0} ns ({hits} of {listed.Length:N0} found). Resident memory and the pause of a swap: `Nfr.Bench indicators`."));
            o.Goal("indicators", "1 M resident in ≤ 24 MB", string.Create(CultureInfo.InvariantCulture, $"{million:0.0} MB of tables"), million <= 24, "a made list of a million");
            o.Goal("indicators", "lookup ≤ 1 µs", string.Create(CultureInfo.InvariantCulture, $"{Math.Max(slow, quick):0} ns"), Math.Max(slow, quick) <= 1000, "names listed and not, of a made list of a million");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static double Nanoseconds(IndicatorSet set, byte[][] names, out int found)
    {
        double best = double.MaxValue;
        found = 0;
        for (int round = 0; round < 5; round++)
        {
            found = 0;
            long start = Stopwatch.GetTimestamp();
            foreach (byte[] name in names)
            {
                IndicatorHit hit = default;
                set.FindDomain(name, ref hit);
                if (!hit.IsNone) found++;
            }
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / names.Length);
        }
        return best;
    }
}
