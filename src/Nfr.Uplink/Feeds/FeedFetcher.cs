namespace Nfr.Uplink;

/// <summary>
/// Fetches lists on their schedules into a folder that the reader of lists watches. A new copy is written beside the old one, looked at, and renamed over it; whatever
/// fails or is no list leaves the last good copy where it is. On the thread pool; one request a feed at a time.
/// </summary>
public sealed class FeedFetcher : IDisposable
{
    /// <summary>A list of fewer indicators may shrink as it likes.</summary>
    const long WorthDoubting = 100;
    const int ShrinkFactor = 10;

    readonly FeedOptions _options;
    readonly FeedClient _client;
    readonly TimeProvider _time;
    readonly Feed[] _feeds;

    /// <param name="options">Folder and times.</param>
    /// <param name="sources">Each with a name of its own.</param>
    /// <param name="probe">Looks at a fetched file (its path) and says what it holds; called on the thread pool.</param>
    /// <param name="time">Intervals and stamps.</param>
    /// <param name="notice">Gets few sentences; must not block.</param>
    /// <param name="random">Jitter; a seam of tests.</param>
    /// <param name="handler">A seam of tests; null = real connections.</param>
    public FeedFetcher(
        FeedOptions options, IReadOnlyList<FeedSource> sources, Func<FeedSource, string, FeedVerdict> probe, TimeProvider time, Action<UplinkNotice> notice, Random? random = null,
        HttpMessageHandler? handler = null)
    {
        (_options, _time) = (options, time);
        _client = new FeedClient(options, time, handler);
        _feeds = [.. sources.Select(s => new Feed(this, s, probe, notice, random ?? Random.Shared))];
        Prepare();
    }

    public IReadOnlyList<FeedState> States => [.. _feeds.Select(f => f.State)];

    /// <summary>Runs until cancelled. Never throws.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(_feeds.Select(f => f.RunAsync(cancel)));

    /// <summary>One fetch now, outside the schedule; gives the wait that it asks for.</summary>
    internal Task<TimeSpan> FetchAsync(string name, CancellationToken cancel) => _feeds.First(f => f.State.Name == name).FetchOrFailAsync(cancel);

    /// <summary>The folder, without the copies of feeds that are no longer asked for.</summary>
    void Prepare()
    {
        try
        {
            Directory.CreateDirectory(_options.Folder);
            foreach (string mark in Directory.GetFiles(_options.Folder, ".*.mark"))
            {
                string name = Path.GetFileName(mark)[1..^".mark".Length];
                if (_feeds.Any(f => f.State.Name == name)) continue;
                File.Delete(Path.Combine(_options.Folder, name));
                File.Delete(mark);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Each fetch will meet it and say so.
        }
        foreach (Feed feed in _feeds) feed.TakeUp();
    }

    public void Dispose() => _client.Dispose();

    sealed class Feed
    {
        readonly FeedFetcher _all;
        readonly FeedSource _source;
        readonly Func<FeedSource, string, FeedVerdict> _probe;
        readonly Action<UplinkNotice> _notice;
        readonly Random _random;
        readonly Backoff _backoff;
        readonly TroubleReport _report;
        readonly string _path, _markPath, _partPath, _digest;
        FeedMark? _mark;
        long? _shrunkSince;
        bool _clockUnset;
        readonly ClockWait _clock;
        FeedState _state;

        public Feed(FeedFetcher all, FeedSource source, Func<FeedSource, string, FeedVerdict> probe, Action<UplinkNotice> notice, Random random)
        {
            (_all, _source, _probe, _notice, _random) = (all, source, probe, notice, random);
            _backoff = new Backoff(all._options.BackoffBase, source.Interval, random);
            _report = new TroubleReport(all._time, notice);
            _clock = new ClockWait(all._time);
            _path = Path.Combine(all._options.Folder, source.Name);
            _markPath = FeedMark.PathOf(all._options.Folder, source.Name);
            _partPath = Path.Combine(all._options.Folder, "." + source.Name + ".part");
            _digest = FeedAddress.Digest(source.Url);
            _state = new FeedState { Name = source.Name, Url = source.Shown };
        }

        public FeedState State => Volatile.Read(ref _state);

        /// <summary>Goes on from the copy that the last run left, if it is of the same address.</summary>
        public void TakeUp()
        {
            _mark = FeedMark.Read(_markPath) is { } mark && mark.Url == _digest && File.Exists(_path) ? mark : null;
            if (_mark is null) return;
            Update(State with { LastSuccess = _mark.Success, LastChange = _mark.Change, Indicators = _mark.Indicators });
        }

        public async Task RunAsync(CancellationToken cancel)
        {
            try
            {
                // A restart is no reason to ask early. A mark of the future was made by a clock that was wrong.
                TimeSpan age = _mark is null ? TimeSpan.MaxValue : _all._time.GetUtcNow() - _mark.Success;
                if (age >= TimeSpan.Zero && age < _source.Interval) await Task.Delay(_source.Interval - age, _all._time, cancel);
                while (true)
                {
                    TimeSpan wait = await FetchOrFailAsync(cancel);
                    if (_clockUnset) await _clock.DelayAsync(wait, cancel);
                    else await Task.Delay(wait, _all._time, cancel);
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                // Told to stop.
            }
        }

        /// <summary>The head of the loop: our own mistake must not end it.</summary>
        public async Task<TimeSpan> FetchOrFailAsync(CancellationToken cancel)
        {
            try
            {
                return await FetchAsync(cancel);
            }
            catch (Exception e) when (!cancel.IsCancellationRequested)
            {
                return Failed($"the fetch failed inside ({e.GetType().Name}: {e.Message})", null);
            }
        }

        async Task<TimeSpan> FetchAsync(CancellationToken cancel)
        {
            // Without its copy a mark is worth nothing: somebody removed the file.
            if (_mark is not null && !File.Exists(_path)) _mark = null;
            _clock.Mark();
            FeedReply reply = await _all._client.GetAsync(_source, _mark, _partPath, cancel);
            _clockUnset = reply.ClockUnset;
            try
            {
                return reply.Kind switch
                {
                    FeedReplyKind.Unchanged => Unchanged(),
                    FeedReplyKind.Fetched => Take(reply),
                    _ => Failed(reply.Message, reply.RetryAfter),
                };
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Failed(e.Message, null);
            }
            finally
            {
                if (File.Exists(_partPath)) File.Delete(_partPath);
            }
        }

        TimeSpan Unchanged()
        {
            DateTimeOffset now = _all._time.GetUtcNow();
            _shrunkSince = null;
            _mark = _mark! with { Success = now };
            _mark.Write(_markPath);
            Update(State with { Unchanged = State.Unchanged + 1, LastSuccess = now, Problem = null });
            return Succeeded();
        }

        TimeSpan Take(FeedReply reply)
        {
            if (IsPage(_partPath)) return Failed("a page of HTML came instead of a list", null);
            FeedVerdict verdict = _probe(_source, _partPath);
            if (verdict.Problem is { } problem) return Failed(problem, null);
            if (_mark is { Indicators: >= WorthDoubting } before && verdict.Indicators * ShrinkFactor < before.Indicators)
            {
                _shrunkSince ??= _all._time.GetTimestamp();
                if (_all._time.GetElapsedTime(_shrunkSince.Value) < _all._options.ShrinkPatience)
                    return Failed($"it shrank from {before.Indicators:N0} indicators to {verdict.Indicators:N0}; believed when it stays so for {Spoken.Duration(_all._options.ShrinkPatience)}", null);
            }
            _shrunkSince = null;
            DateTimeOffset now = _all._time.GetUtcNow();
            // The mark goes first: without it the copy is only fetched once more.
            File.Delete(_markPath);
            File.Move(_partPath, _path, overwrite: true);
            _mark = new FeedMark(_digest, reply.ETag, reply.LastModified, now, now, verdict.Indicators);
            _mark.Write(_markPath);
            Update(State with { Fetched = State.Fetched + 1, LastSuccess = now, LastChange = now, Problem = null, Indicators = verdict.Indicators });
            _notice(new UplinkNotice(NoticeLevel.Information, $"feeds: {_source.Name} was fetched, {verdict.Indicators:N0} indicators"));
            return Succeeded();
        }

        TimeSpan Succeeded()
        {
            _backoff.Reset();
            _report.Succeeded(_source.Name, lasted => $"feeds: {_source.Name} can be fetched again after {Spoken.Duration(lasted)}");
            return _source.Interval * (1 + (_random.NextDouble() / 10));
        }

        TimeSpan Failed(string problem, TimeSpan? retryAfter)
        {
            TimeSpan wait = retryAfter ?? _backoff.Next();
            if (wait < TimeSpan.FromSeconds(1)) wait = TimeSpan.FromSeconds(1);
            Update(State with { Failed = State.Failed + 1, Problem = problem });
            string kept = State.LastSuccess is { } last ? $"the copy of {last.UtcDateTime:yyyy-MM-dd HH:mm} UTC serves on" : "there is no copy yet";
            _report.Failed(_source.Name, problem, NoticeLevel.Warning, $"feeds: {_source.Name} was not taken from {_source.Shown} ({problem}); {kept}; next try in {Spoken.Duration(wait)}", problem);
            return wait;
        }

        /// <summary>Whether the first character that is no blank opens a tag.</summary>
        static bool IsPage(string path)
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> first = stackalloc byte[512];
            first = first[..file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
            if (first.StartsWith("\uFEFF"u8)) first = first[3..];
            return first.TrimStart(" \t\r\n"u8) is [(byte)'<', ..];
        }

        void Update(FeedState state) => Volatile.Write(ref _state, state);
    }
}
