using System.Text.Json;
using Nfr.Scoring;
using Nfr.Train.Traffic;

namespace Nfr.Train.Evaluation;

/// <summary>Whether fingerprints have the values that others publish, and what a listed one raises.</summary>
sealed class FingerprintEvaluation : IEvaluation
{
    public string Name => "fingerprint";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "JA3, JA4, certificates");
        if (o.TryData("pcap/tls_ja4/tls-sni.pcapng.json", out string truth)) Values(o, truth);
        if (o.TryData("feeds/ja3_fingerprints.csv", out string ja3)) Listed(o, ja3, "JA3", wanted: 3);
        if (o.TryData("feeds/sslblacklist.csv", out string certificates)) Listed(o, certificates, "certificate", wanted: 5);
        Ja4(o);
    }

    static void Values(EvaluationOutput o, string truth)
    {
        int equal = 0, all = 0, byTheText = 0;
        Check(truth[..^".json".Length], Streams(truth));
        string corpus = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(truth)!, "..", "..", "..", "corpus", "1-ja3-ja4"));
        if (Directory.Exists(corpus))
        {
            foreach (string file in Directory.EnumerateFiles(corpus, "*.expect.json").Order(StringComparer.Ordinal)) Check(file[..^".expect.json".Length], Expected(file));
        }
        o.Line($"JA4 values as the authors of the format publish them for their captures: {equal} of {all} equal, {byTheText} follow the format's text where its tool does not. Oracles of other tools (JA3, JA3S, JA4, certificates of nDPI, arkime, ipfixprobe) are held in `Tests/Oracles`.");
        o.Goal("JA4", "exact values", $"{equal + byTheText} of {all} handshakes", equal + byTheText == all, "pcap/tls_ja4, corpus/1-ja3-ja4");

        void Check(string capture, List<(string Client, ushort Port, string Ja4)> expected)
        {
            if (expected.Count == 0) return;
            var seen = new HashSet<(string, ushort, string)>();
            using var run = new ScoredTraffic { Hello = (client, port, _, ja4) => seen.Add((client, port, ja4)) };
            run.Capture(capture);
            foreach ((string Client, ushort Port, string Ja4) row in expected)
            {
                all++;
                if (seen.Contains(row)) equal++;
                // The tool writes 99 for an application protocol that is no text; the format's text takes the hexadecimal digits.
                else if (row.Ja4[8..10] == "99" && seen.Any(s => s.Item1 == row.Client && s.Item2 == row.Port && s.Item3[..8] == row.Ja4[..8] && s.Item3[10..] == row.Ja4[10..])) byTheText++;
                else o.Line($"{Path.GetFileName(capture)} {row.Client}:{row.Port}: {row.Ja4} is not {string.Join(", ", seen.Where(s => s.Item1 == row.Client && s.Item2 == row.Port).Select(s => s.Item3).DefaultIfEmpty("there"))}.");
            }
        }
    }

    static List<(string Client, ushort Port, string Ja4)> Streams(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. document.RootElement.EnumerateArray().Where(s => s.TryGetProperty("JA4.1", out _))
            .Select(s => (s.GetProperty("src").GetString()!, ushort.Parse(s.GetProperty("srcport").GetString()!), s.GetProperty("JA4.1").GetString()!))];
    }

    static List<(string Client, ushort Port, string Ja4)> Expected(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        return [.. document.RootElement.GetProperty("expect").EnumerateArray().Select(r => r.GetProperty("match")).Where(m => m.TryGetProperty("tls.ja4", out _))
            .Select(m => (m.GetProperty("src_ip").GetString()!, (ushort)m.GetProperty("src_port").GetInt32(), m.GetProperty("tls.ja4").GetString()!))];
    }

    static void Listed(EvaluationOutput o, string file, string what, int wanted)
    {
        string[] values = [.. File.ReadLines(file).Select(ListLine.IndicatorOf).OfType<string>()];
        using var run = new Simulated(new Thresholds { AlertStock = int.MaxValue }, Detectors.ListedDestination, (Path.GetFileName(file), File.ReadAllText(file)));
        int[] scores = [.. values.Select((v, i) => ListLine.Meet(run, v, (uint)i))];
        int found = scores.Count(s => s > 0), highest = scores.Max();
        o.Line($"{what}: {found} of {values.Length} listed ones are found, at severity {scores.Where(s => s > 0).Min()} to {highest}.");
        o.Goal(what, what == "JA3" ? "every listed one found, none above medium" : "every listed one found", $"{found} of {values.Length}, severity {highest} at most", found == values.Length && highest <= wanted, $"feeds/{Path.GetFileName(file)}");
    }

    static void Ja4(EvaluationOutput o)
    {
        const string Listed = "t13d1516h2_8daaf6152771_e5627efa2ab1";
        using var run = new Simulated(enabled: Detectors.ListedDestination, lists: ("c2_ja4.txt", Listed + "\n"));
        int hit = run.Tls("met.example", ja4: Listed), other = run.Tls("met.example", ja4: "t13d1516h2_8daaf6152771_e5627efa2ab2");
        o.Line($"JA4: a listed one scores {hit}, its neighbour {other}.");
        o.Goal("JA4", "a listed one found, not above medium", $"severity {hit}", hit is > 0 and <= 3 && other == 0, "a made list of one");
    }
}
