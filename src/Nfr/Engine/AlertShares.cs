namespace Nfr.Engine;

/// <summary>
/// How many alerts each site has stored, and whose go when there are too many: those of the sites that have the most, so that a noisy site pays for its
/// own noise. A site that stays below an equal share never loses any. Guests, whose keys nobody gave them by hand or took back, have one share together: taking many keys
/// makes it no greater. One thread.
/// </summary>
sealed class AlertShares
{
    readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    public long Total { get; private set; }

    public void Add(string site, long alerts)
    {
        long count = _counts.GetValueOrDefault(site) + alerts;
        if (count > 0) _counts[site] = count;
        else _counts.Remove(site);
        Total += alerts;
    }

    /// <summary>How many of each site have to go so that no more than this many stay: the largest are cut down to one level.</summary>
    /// <param name="kept">Of all sites together.</param>
    /// <param name="guests">Names the sites that are guests; asked when something has to go.</param>
    public List<(string Site, long Alerts)> Surplus(long kept, Func<IReadOnlySet<string>> guests)
    {
        if (Total <= kept) return [];
        IReadOnlySet<string> names = guests();
        // No site's name is empty.
        const string together = "";
        Dictionary<string, long> known = new(StringComparer.Ordinal), strange = new(StringComparer.Ordinal);
        foreach ((string site, long count) in _counts) (names.Contains(site) ? strange : known)[site] = count;
        long all = strange.Values.Sum();
        if (all > 0) known[together] = all;
        List<(string Site, long Alerts)> surplus = Cut(known, kept);
        int at = surplus.FindIndex(static s => s.Site.Length == 0);
        if (at < 0) return surplus;
        long stays = all - surplus[at].Alerts;
        surplus.RemoveAt(at);
        surplus.AddRange(Cut(strange, stays));
        return surplus;
    }

    static List<(string Site, long Alerts)> Cut(Dictionary<string, long> counts, long kept)
    {
        List<(string, long)> surplus = [];
        long total = counts.Values.Sum();
        if (total <= kept) return surplus;
        KeyValuePair<string, long>[] largest = [.. counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal)];
        // The level at which the first so many sites, cut down to it, and all others as they are come to what may stay.
        long others = total;
        int sites = 0;
        long level;
        do
        {
            others -= largest[sites++].Value;
            level = Math.Max(0, (kept - others) / sites);
        }
        while (sites < largest.Length && largest[sites].Value > level);
        // What the division leaves stays with the first of them.
        long spare = Math.Max(0, kept - others - (level * sites));
        for (int i = 0; i < sites; i++)
        {
            long stays = level + (i < spare ? 1 : 0);
            if (largest[i].Value > stays) surplus.Add((largest[i].Key, largest[i].Value - stays));
        }
        return surplus;
    }
}
