namespace Nfr.Config;

/// <summary>Finds the word that somebody probably meant.</summary>
static class Nearest
{
    /// <summary>The known word nearest to <paramref name="word"/>, when it is near enough to be a slip of the fingers; else null.</summary>
    public static string? To(string word, IEnumerable<string> known)
    {
        if (word.Length > 64) return null;
        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string candidate in known)
        {
            int distance = Distance(word.ToLowerInvariant().Replace('-', '_'), candidate.Replace('-', '_'));
            if (distance < bestDistance) (best, bestDistance) = (candidate, distance);
        }
        return best is not null && bestDistance <= (Math.Min(word.Length, best.Length) + 1) / 3 ? best : null;
    }

    // Edits and swaps of neighbours (Damerau-Levenshtein, restricted).
    static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
