using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// Searches in a cluster, in turn, on one thread: what others stored in Elasticsearch or OpenSearch becomes events. Each search remembers what it has
/// taken, in the spool (see <see cref="TakenDocuments"/>), and is tried again for itself when something is wrong.
/// </summary>
public sealed class ElasticSearches : ILogInput
{
    /// <summary>Searches of one cluster.</summary>
    public const int MostSearches = 16;

    /// <summary>Pieces of state that all searches' rows may have together.</summary>
    const int MostRows = 40;

    readonly SearchLink _link;
    readonly SearchFollower[] _searches;
    int _turn;

    /// <param name="searches">At most <see cref="MostSearches"/>.</param>
    /// <param name="cluster">Where they look; disposed of with this, if it can be.</param>
    /// <param name="positions">The state of an earlier run by its key, null = none; asked here alone.</param>
    /// <param name="notices">Hears what people should know, on the searches' thread.</param>
    /// <param name="time">Of waits and intervals.</param>
    /// <param name="clocks">Of ticks: each search has its own time.</param>
    /// <param name="firstInput">The number of the first of <see cref="Inputs"/> among the sensor's marked inputs.</param>
    public ElasticSearches(IReadOnlyList<SearchOptions> searches, ISearchCluster cluster, Func<string, string?> positions, Action<LogNotice> notices, TimeProvider time, Func<LogClock> clocks, int firstInput = 0)
    {
        ArgumentNullException.ThrowIfNull(searches);
        ArgumentNullException.ThrowIfNull(positions);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(searches.Count, MostSearches);
        _link = new SearchLink(cluster, time, notices);
        int rows = RowsOf(searches.Count);
        List<IMarkedInput> inputs = [];
        List<SearchFollower> followers = [];
        HashSet<string> keys = [], names = [];
        foreach (SearchOptions search in searches)
        {
            // Two of a name would be one to whoever reads counts.
            SearchOptions options = search;
            for (int n = 2; !names.Add(options.Name); n++) options = search with { Number = n };
            // The same question twice is asked twice.
            string key = options.Key;
            for (int n = 2; !keys.Add(key); n++) key = $"{options.Key}-{n}";
            var taken = new TakenDocuments(rows);
            string?[] stored = [.. Enumerable.Range(0, rows).Select(row => positions(RowKey(key, row)))];
            if (positions(key) is { } head && !taken.Restore(head, stored))
                notices(new LogNotice(true, $"elastic: {options.Name}: what was read before cannot be told from the spool's state; it begins five minutes ago"));
            var follower = new SearchFollower(options, key, taken, firstInput + inputs.Count, _link, clocks(), Random.Shared);
            followers.Add(follower);
            inputs.Add(follower);
            for (int row = 0; row < rows; row++) inputs.Add(new TakenRow(RowKey(key, row), taken, row));
        }
        _searches = [.. followers];
        Inputs = inputs;
    }

    /// <summary>Pieces of state that so many searches keep in the spool.</summary>
    public static int PlacesOf(int searches) => searches * (1 + RowsOf(searches));

    static int RowsOf(int searches) => Math.Clamp(MostRows / Math.Max(1, searches), TakenDocuments.FewestRows, TakenDocuments.MostRows);

    static string RowKey(string key, int row) => FormattableString.Invariant($"{key}.{row}");

    public string Name => "elastic";

    /// <summary>What the pipeline keeps of them, in this order: of each search its head, and then its rows.</summary>
    public IReadOnlyList<IMarkedInput> Inputs { get; }

    public IReadOnlyList<InputReport> Reports => [.. _searches.Select(s => s.Report)];

    public void Open(LogOutlet outlet)
    {
        ArgumentNullException.ThrowIfNull(outlet);
        _link.Outlet = outlet;
        foreach (SearchFollower search in _searches) search.Open(outlet);
    }

    public void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !_link.Outlet.GaveUp)
        {
            _link.Outlet.Between();
            if (!Turn(stop)) stop.WaitHandle.WaitOne(50);
        }
    }

    /// <summary>One page of the next search that is due; false when none is.</summary>
    internal bool Turn(CancellationToken stop)
    {
        for (int i = 0; i < _searches.Length; i++)
        {
            SearchFollower search = _searches[(_turn + i) % _searches.Length];
            if (!search.IsDue) continue;
            _turn = (_turn + i + 1) % _searches.Length;
            try
            {
                search.Step(stop);
            }
            catch (Exception e)
            {
                _link.Outlet.Rollback();
                search.Mistake(e);
            }
            return true;
        }
        return false;
    }

    public void Dispose() => (_link.Cluster as IDisposable)?.Dispose();
}
