using Nfr.Scoring;
using Nfr.Scoring.Detection;
using Nfr.Scoring.Names;
using Nfr.Train.Data;

namespace Nfr.Train.Training;

/// <summary>Hosts that ask for names that do not exist, drawn at random (fixed seed) from good names or from one family, and what the detector thinks of them.</summary>
sealed class DgaHosts
{
    readonly record struct Scored(short Name, short Letters, int Length);

    static readonly Thresholds s_thresholds = new();
    readonly Scored[] _names;

    /// <param name="model">Scores the names.</param>
    /// <param name="rows">What hosts draw from; a row that stands for eight is there eight times.</param>
    public DgaHosts(DgaModel model, IEnumerable<DgaRow> rows) =>
        _names = [.. rows.Where(Judged).Select(row =>
        {
            DgaScore score = model.Score(row.Label, row.Suffix);
            return new Scored(DgaVolume.Whole(score.Name), DgaVolume.Whole(score.Letters), row.Label.Length);
        })];

    public int Names => _names.Length;

    /// <summary>Whether the detector looks at such a name at all.</summary>
    public static bool Judged(DgaRow row) => row.Label.Length >= s_thresholds.DgaLength && !row.Label.AsSpan().StartsWith("xn--"u8);

    /// <summary>Scores of hosts that asked for so many names.</summary>
    public double[] Scores(int hosts, int names, int seed = 77)
    {
        var random = new Random(seed);
        double[] scores = new double[hosts];
        for (int h = 0; h < hosts; h++)
        {
            var burst = default(DgaBurst);
            for (int i = 0; i < names; i++) Draw(random, ref burst);
            scores[h] = burst.Score(s_thresholds);
        }
        Array.Sort(scores);
        return scores;
    }

    /// <summary>
    /// How far hosts come above the detector's limit at best by their name <paramref name="last"/>, rising. The limits are made for the model
    /// that ships; where one good host in 10,000 lies here is by how much another model's would have to be moved.
    /// </summary>
    public double[] Excess(int hosts, int last, int seed = 78)
    {
        double[] best = new double[hosts];
        Array.Fill(best, double.MinValue);
        Walk(hosts, last, seed, (host, _, excess) =>
        {
            best[host] = Math.Max(best[host], excess);
            return true;
        });
        Array.Sort(best);
        return best;
    }

    /// <summary>The share of hosts that the detector raises by their n-th name, for n up to <paramref name="last"/>; it looks at each name from <see cref="Thresholds.DgaNames"/> on.</summary>
    /// <param name="moved">By how much the limits are moved.</param>
    public double[] RaisedBy(int hosts, int last, double moved = 0, int seed = 78)
    {
        double[] raised = new double[last + 1];
        Walk(hosts, last, seed, (_, n, excess) =>
        {
            if (excess < moved) return true;
            for (int i = n; i <= last; i++) raised[i] += 1.0 / hosts;
            return false;
        });
        return raised;
    }

    /// <param name="look">Is told the host, its names and how far it lies above the limit, and says whether to go on with that host.</param>
    void Walk(int hosts, int last, int seed, Func<int, int, double, bool> look)
    {
        var random = new Random(seed);
        for (int h = 0; h < hosts; h++)
        {
            var burst = default(DgaBurst);
            for (int n = 1; n <= last; n++)
            {
                Draw(random, ref burst);
                if (n >= s_thresholds.DgaNames && !look(h, n, burst.Score(s_thresholds) - DgaBurst.Limit(s_thresholds, n))) break;
            }
        }
    }

    void Draw(Random random, ref DgaBurst burst)
    {
        Scored name = _names[random.Next(_names.Length)];
        burst.Add(name.Name, name.Letters, name.Length);
    }
}
