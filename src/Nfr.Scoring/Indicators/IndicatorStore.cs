using Nfr.Scoring.Names;

namespace Nfr.Scoring.Indicators;

/// <summary>What is known of one list, for the panel, the console and the log.</summary>
/// <remarks>Bytes = memory of its table; FaultCount = lines that could not be used; Problem = why it could not be read the last time (its last good copy serves on).</remarks>
public sealed record ListStatus(string Path, string Name, string ThreatId, DateTimeOffset Date, int Count, long Bytes, long FaultCount, string? Problem)
{
    /// <summary>It names what is so common that a line of another list that holds it is a mistake.</summary>
    public bool IsTrusted { get; init; }
}

/// <summary>
/// Keeps the indicator tables in step with the list folders. A changed file (by time and size) is read into a new table beside the old
/// one, file by file, and the set is swapped by one reference: at most one file is held twice, and the scoring thread never waits. Also
/// a file that cannot be read keeps its last good table; one that is gone is dropped. Files named trusted*, allow* or whitelist* are no lists of bad
/// things: they keep the lines of the others in bounds (<see cref="Breadth"/>), and the others are read again when one of them changes.
/// </summary>
public sealed class IndicatorStore : IDisposable
{
    /// <summary>Files taken, in the order of their paths; further ones are counted and left out.</summary>
    const int MaxFiles = 256;

    sealed class Loaded
    {
        public required IndicatorTable? Table;
        public required (DateTimeOffset Date, long Size) Stamp;
        public IReadOnlyList<ListFault> Faults = [];
        public long FaultCount;
        public string? Problem;
        public bool IsTrusted;
    }

    /// <summary>From this size on what a swap has left is given back at once: the runtime may keep it for hours.</summary>
    const long WorthCollecting = 1 << 20;

    readonly IReadOnlyList<string> _folders;
    readonly IReadOnlyDictionary<string, ListAbout> _about;
    readonly PublicSuffixList _suffixes;
    Breadth _breadth;
    long _left;
    readonly Lock _loading = new();
    readonly SortedDictionary<string, Loaded> _files = new(StringComparer.Ordinal);
    readonly ITimer? _timer;
    volatile IndicatorSet _current = IndicatorSet.Empty;
    long _generation;
    int _ignored;

    /// <summary>Loads what the folders hold now, then looks again every <paramref name="interval"/> on a pool thread (zero = never by itself).</summary>
    /// <param name="folders">Looked at without their sub-folders.</param>
    /// <param name="interval">Between two looks.</param>
    /// <param name="time">Of the sensor.</param>
    /// <param name="suffixes">Names that no list may hold whole; null = the short list inside.</param>
    /// <param name="about">What the config says of a list, by its file's full path.</param>
    public IndicatorStore(
        IReadOnlyList<string> folders, TimeSpan interval, TimeProvider time, PublicSuffixList? suffixes = null, IReadOnlyDictionary<string, ListAbout>? about = null)
    {
        _folders = folders;
        _about = about ?? new Dictionary<string, ListAbout>();
        _suffixes = suffixes ?? PublicSuffixList.Shipped;
        _breadth = new Breadth(_suffixes, IndicatorSet.Empty);
        Poll();
        if (interval > TimeSpan.Zero) _timer = time.CreateTimer(static store => ((IndicatorStore)store!).PollOnTimer(), this, interval, interval);
    }

    internal IndicatorSet Current => _current;

    /// <summary>Files left out because there are more than 256.</summary>
    public int Ignored => _ignored;
    /// <summary>Why looking at the folders failed unexpectedly the last time; null when it never did.</summary>
    public string? LastFailure { get; private set; }

    public long Count => _current.Count;
    /// <summary>Bytes of all tables and the filter.</summary>
    public long Bytes => _current.Bytes;
    /// <summary>How many times the set was swapped.</summary>
    public long Generation => Interlocked.Read(ref _generation);

    public IReadOnlyList<ListStatus> Lists
    {
        get
        {
            lock (_loading)
            {
                return [.. _files.Select(f => new ListStatus(
                    f.Key, f.Value.Table?.Name ?? Path.GetFileName(f.Key), f.Value.Table?.Threat.Id ?? "", f.Value.Stamp.Date, f.Value.Table?.Count ?? 0,
                    f.Value.Table?.Bytes ?? 0, f.Value.FaultCount, f.Value.Problem) { IsTrusted = f.Value.IsTrusted })];
            }
        }
    }

    /// <summary>Lines that could not be used, at most 100 a file.</summary>
    public IReadOnlyList<ListFault> Faults
    {
        get
        {
            lock (_loading) return [.. _files.Values.SelectMany(f => f.Faults)];
        }
    }

    public long FaultCount
    {
        get
        {
            lock (_loading) return _files.Values.Sum(f => f.FaultCount);
        }
    }

    /// <summary>Looks at the folders once and takes in what changed; a look that comes while another is at work returns at once.</summary>
    /// <returns>Whether the set was swapped.</returns>
    public bool Poll()
    {
        if (!_loading.TryEnter()) return false;
        try
        {
            return Look();
        }
        finally
        {
            _loading.Exit();
        }
    }

    void PollOnTimer()
    {
        try
        {
            Poll();
        }
        catch (Exception e)
        {
            // Our own mistake must not end the process from a timer: the tables in use serve on, and the status says so.
            LastFailure = e.Message;
        }
    }

    /// <summary>What a file holds, before it is put into a folder of lists: nothing of it is kept.</summary>
    public static ListCount Probe(string path, ListAbout about) => IndicatorFile.Count(path, about);

    bool Look()
    {
        bool changed = false;
        _ignored = 0;
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (string folder in _folders) Present(folder, present);
        string[] found = [.. present.Order(StringComparer.Ordinal)];
        // What is trusted first: the others are held against it.
        bool trust = false;
        foreach (string path in found.Where(IsTrusted)) trust |= Take(path);
        foreach (string gone in _files.Keys.Where(path => !present.Contains(path)).ToArray())
        {
            _left += _files[gone].Table?.Bytes ?? 0;
            trust |= _files[gone].IsTrusted;
            _files.Remove(gone);
            changed = true;
        }
        if (trust)
        {
            _breadth = new Breadth(_suffixes, new IndicatorSet([.. _files.Values.Where(f => f is { IsTrusted: true, Table: not null }).Select(f => f.Table!)]));
            foreach (Loaded list in _files.Values.Where(f => !f.IsTrusted)) list.Stamp = default;
            changed = true;
        }
        foreach (string path in found.Where(p => !IsTrusted(p))) changed |= Take(path);
        if (changed) Swap();
        if (_left > WorthCollecting)
        {
            _left = 0;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
        return changed;
    }

    bool IsTrusted(string path)
    {
        if (_about.TryGetValue(path, out ListAbout? about)) return about.Trusted;
        string name = Path.GetFileName(path);
        return name.StartsWith("trusted", StringComparison.OrdinalIgnoreCase) || name.StartsWith("allow", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("whitelist", StringComparison.OrdinalIgnoreCase);
    }

    void Present(string folder, HashSet<string> present)
    {
        try
        {
            foreach (string path in Directory.GetFiles(folder))
            {
                string name = Path.GetFileName(path);
                if (name[0] == '.' || name[^1] == '~' || name.EndsWith(".tmp", StringComparison.Ordinal) || name.EndsWith(".md", StringComparison.Ordinal)) continue;
                present.Add(Path.GetFullPath(path));
            }
        }
        catch (DirectoryNotFoundException)
        {
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be listed now keeps what it gave before.
            present.UnionWith(_files.Keys.Where(path => Path.GetDirectoryName(path) == Path.GetFullPath(folder)));
        }
    }

    bool Take(string path)
    {
        bool known = _files.TryGetValue(path, out Loaded? before);
        try
        {
            var info = new FileInfo(path);
            (DateTimeOffset, long) stamp = (info.LastWriteTimeUtc, info.Length);
            if (known && before!.Stamp == stamp && before.Problem is null) return false;
            if (!known && _files.Count >= MaxFiles)
            {
                _ignored++;
                return false;
            }
            bool trusted = IsTrusted(path);
            ListAbout about = _about.GetValueOrDefault(path) ?? (trusted ? ListAbout.Nothing with { Trusted = true } : ListAbout.Nothing);
            IndicatorTable table = IndicatorFile.Load(path, about, trusted ? null : _breadth, info.LastWriteTimeUtc, out IReadOnlyList<ListFault> faults, out long faultCount);
            _left += before?.Table?.Bytes ?? 0;
            _files[path] = new Loaded { Table = table, Stamp = stamp, Faults = faults, FaultCount = faultCount, IsTrusted = trusted };
            // Swapped file by file: the old table can go before the next file is read.
            if (known && !trusted) Swap();
            return true;
        }
        catch (Exception e)
        {
            // Also a mistake of our own: one list that cannot be read must not keep the others out.
            if (!known) _files[path] = before = new Loaded { Table = null, Stamp = default, IsTrusted = IsTrusted(path) };
            before!.Problem = e is IOException or UnauthorizedAccessException ? e.Message : $"a mistake in nfr itself while it was read ({e.GetType().Name}: {e.Message})";
            return false;
        }
    }

    void Swap()
    {
        _current = new IndicatorSet([.. _files.Values.Where(f => f is { Table: not null, IsTrusted: false }).Select(f => f.Table!)]);
        Interlocked.Increment(ref _generation);
    }

    public void Dispose() => _timer?.Dispose();
}
