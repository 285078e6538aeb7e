using Nfr.Scoring;
using Nfr.Scoring.Detection;
using Nfr.Scoring.Names;
using Nfr.Train.Data;

namespace Nfr.Train.Training;

/// <summary>Hosts that ask for names that do not exist, drawn at random (fixed seed) from good names or from one family, and what the detector thinks of them.</summary>
sealed class DgaHosts
{
    readonly record struct Scored(short Name, short Letters, int Length);

    readonly Thresholds _thresholds = new();
    readonly Scored[] _names;

    /// <param name="model">Scores the names.</param>
    /// <param name="rows">What hosts draw from; a row that stands for eight is there eight times.</param>
    public DgaHosts(DgaModel model, IEnumerable<DgaRow> rows) =>
        _names = [.. rows.Where(r => r.Label.Length >= _thresholds.DgaLength && !r.Label.AsSpan().StartsWith("xn--"u8)).Select(row =>
        {
            DgaScore score = model.Score(row.Label, row.Suffix);
            return new Scored(DgaVolume.Whole(score.Name), DgaVolume.Whole(score.Letters), row.Label.Length);
        })];

    public int Names => _names.Length;

    /// <summary>Scores of hosts that asked for so many names.</summary>
    public double[] Scores(int hosts, int names, int seed = 77)
    {
        var random = new Random(seed);
        double[] scores = new double[hosts];
        for (int h = 0; h < hosts; h++)
        {
            var burst = default(DgaBurst);
            for (int i = 0; i < names; i++) Draw(random, ref burst);
            scores[h] = burst.Score(_thresholds);
        }
        Array.Sort(scores);
        return scores;
    }

    /// <summary>The share of hosts that the detector raises by their n-th name, for n up to <paramref name="last"/>; it looks at each name from its tenth on.</summary>
    public double[] RaisedBy(int hosts, int last, int seed = 78)
    {
        var random = new Random(seed);
        double[] raised = new double[last + 1];
        for (int h = 0; h < hosts; h++)
        {
            var burst = default(DgaBurst);
            for (int n = 1; n <= last; n++)
            {
                Draw(random, ref burst);
                if (n < _thresholds.DgaNames || burst.Score(_thresholds) < DgaBurst.Limit(_thresholds, n)) continue;
                for (int i = n; i <= last; i++) raised[i] += 1.0 / hosts;
                break;
            }
        }
        return raised;
    }

    void Draw(Random random, ref DgaBurst burst)
    {
        Scored name = _names[random.Next(_names.Length)];
        burst.Add(name.Name, name.Letters, name.Length);
    }
}
