namespace Nfr.Health;

/// <summary>
/// Writes into the log what is wrong with clock, disk and board, so that it can be read there when it is over: each trouble once when it begins, once when it ends,
/// and again after an hour. What is no trouble for a person (no remedy), what a container always says of its clock, and what is logged where it happens
/// (settings, updates) is left out.
/// </summary>
/// <param name="tell">Whether it is bad, and a sentence.</param>
/// <param name="time">Intervals.</param>
sealed class BoxObserver(Action<bool, string> tell, TimeProvider time)
{
    static readonly TimeSpan s_again = TimeSpan.FromHours(1);

    // By place and remedy: numbers in the words change from look to look. There are as many as there are remedies.
    readonly Dictionary<(string Place, string Do), (long At, string What)> _told = [];

    /// <param name="troubles">All that there are now.</param>
    public void Look(IEnumerable<Trouble> troubles)
    {
        HashSet<(string, string)> now = [];
        foreach (Trouble trouble in troubles)
        {
            if (trouble.Do.Length == 0 || !(trouble.Place is "disk" or "box" || (trouble.Place == "clock" && trouble.Gravity > Gravity.Notice))) continue;
            (string, string) key = (trouble.Place, trouble.Do);
            if (!now.Add(key) || (_told.TryGetValue(key, out (long At, string What) told) && time.GetElapsedTime(told.At) < s_again)) continue;
            _told[key] = (time.GetTimestamp(), trouble.What);
            tell(true, $"{trouble.Place}: {trouble}");
        }
        foreach (((string place, string remedy), (_, string what)) in _told.Where(t => !now.Contains(t.Key)).ToArray())
        {
            _told.Remove((place, remedy));
            tell(false, $"{place}: no more: {what}");
        }
    }
}
