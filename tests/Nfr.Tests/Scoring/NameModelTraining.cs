using System.Text;
using Nfr.Scoring.Names;

namespace Nfr.Tests.Scoring;

/// <summary>Makes the table of <see cref="NameModel"/> from a set of labels; the one that ships is this one's output.</summary>
static class NameModelTraining
{
    /// <summary>Lists whose licence lets a model made from them ship: MIT and public domain.</summary>
    static readonly string[] s_lists = ["alexa100k_2013", "opendns_top10k", "opendns_random10k"];

    public static bool MayTrain(string lists)
    {
        foreach (string list in lists.Split(','))
        {
            if (s_lists.Contains(list)) return true;
        }
        return false;
    }

    public static byte[] Train(IEnumerable<string> labels)
    {
        const int N = NameModel.Symbols;
        var three = new double[N * N * N];
        var two = new double[N * N];
        var one = new double[N];
        foreach (string label in labels)
        {
            int a = 0, b = 0;
            foreach (byte octet in Encoding.ASCII.GetBytes(label)) Count(NameModel.SymbolOf(octet));
            Count(0);

            void Count(int c)
            {
                three[(((a * N) + b) * N) + c]++;
                two[(b * N) + c]++;
                one[c]++;
                (a, b) = (b, c);
            }
        }
        var cells = new byte[NameModel.TableLength];
        double[] p1 = Smooth(one, Enumerable.Repeat(1.0 / N, N).ToArray());
        for (int b = 0; b < N; b++)
        {
            double[] p2 = Smooth(two.AsSpan(b * N, N), p1);
            for (int a = 0; a < N; a++)
            {
                double[] p3 = Smooth(three.AsSpan(((a * N) + b) * N, N), p2);
                for (int c = 0; c < N; c++)
                {
                    double bits = -Math.Log2(p3[c]) * NameModel.Scale;
                    cells[(((a * N) + b) * N) + c] = (byte)Math.Clamp((int)Math.Round(bits), 0, 255);
                }
            }
        }
        return cells;
    }

    /// <summary>Witten and Bell 1991: what was never seen here gets the weight of the kinds seen here, shared out as the shorter context says.</summary>
    static double[] Smooth(ReadOnlySpan<double> counts, double[] shorter)
    {
        double total = 0, kinds = 0;
        foreach (double count in counts)
        {
            total += count;
            if (count > 0) kinds++;
        }
        var p = new double[counts.Length];
        for (int i = 0; i < p.Length; i++) p[i] = total == 0 ? shorter[i] : (counts[i] + (kinds * shorter[i])) / (total + kinds);
        return p;
    }
}
