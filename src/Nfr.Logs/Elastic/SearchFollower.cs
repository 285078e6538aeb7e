using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// One search, again and again: opens a point in time, looks whether documents came late, takes what is new page by page, closes it. Its thread is that of
/// <see cref="ElasticSearches"/>, which gives it a turn of one page at a time, so that one search's backlog does not keep the others waiting.
/// </summary>
/// <remarks>
/// <para>Which documents are new. Pages are ordered by the ingested stamp; a look begins at the newest stamp that was taken, inclusive, and leaves out what
/// <see cref="TakenDocuments"/> knows. What becomes visible later with an older stamp is found by counting: when the server has as many documents
/// within <see cref="SearchOptions.LateWindow"/> of the newest as were taken, none came late; else the whole window is looked through once more.</para>
/// <para>What the state says is committed with the documents' events, so a restart goes on exactly behind what was spooled.</para>
/// </remarks>
sealed class SearchFollower : IMarkedInput
{
    /// <summary>As the original: what is older is not worth the load, and said to be left out.</summary>
    static readonly TimeSpan s_oldest = TimeSpan.FromHours(24);
    static readonly TimeSpan s_begin = TimeSpan.FromMinutes(5);
    /// <summary>Waits after faults: uniform in (0, 1 s × 2ⁿ], at most five minutes.</summary>
    static readonly TimeSpan s_firstWait = TimeSpan.FromSeconds(1), s_longestWait = TimeSpan.FromMinutes(5);
    static readonly TimeSpan s_sayAgain = TimeSpan.FromHours(1);
    /// <summary>A clock before this was never set.</summary>
    static readonly DateTimeOffset s_clockIsSet = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly SearchOptions _options;
    readonly SearchQuery _query;
    readonly SearchCursor _cursor;
    readonly DocumentParser _parser;
    readonly TakenDocuments _taken;
    readonly SearchLink _link;
    readonly TimeProvider _time;
    readonly Random _random;
    readonly int _number;
    readonly long[] _saidSkip = new long[LineVerdicts.Count];
    readonly bool[] _skips = new bool[LineVerdicts.Count];

    LogCounters _counters = new("");
    SearchRange? _range;
    long _lookedFrom, _lastStamp, _passed, _due, _lastGood, _diagnosed;
    bool _hasDue, _everGood, _everDiagnosed, _saidFull, _stuck, _looking;
    int _size, _most, _failures, _takenInLook;
    string? _trouble;
    DateTimeOffset? _lastDocument;
    volatile InputReport _report;

    /// <param name="options">What is looked for.</param>
    /// <param name="key">Of its state.</param>
    /// <param name="taken">What earlier runs took.</param>
    /// <param name="number">Of its marks.</param>
    /// <param name="link">To the cluster, the pipeline and people.</param>
    /// <param name="clock">Of ticks.</param>
    /// <param name="random">Of waits.</param>
    public SearchFollower(SearchOptions options, string key, TakenDocuments taken, int number, SearchLink link, LogClock clock, Random random)
    {
        (_options, Key, _taken, _number, _link, _time, _random) = (options, key, taken, number, link, link.Time, random);
        _query = new SearchQuery(options);
        _cursor = new SearchCursor(options, _query);
        _parser = new DocumentParser(options, clock);
        _size = _most = options.BatchSize;
        _report = new InputReport(options.Name, link.Cluster.Target, null, null, null);
    }

    public string Key { get; }
    public TakenDocuments Taken => _taken;
    public InputReport Report => _report;
    string Where => $"{_link.Cluster.Target}, search {_options.Name}";

    public void Open(LogOutlet outlet) => _counters = outlet.Open(_options.Name);

    public void Accept(in InputMark mark) => _taken.Accept(mark.Offset);

    public string? Position() => _taken.Head();

    /// <summary>It has its turn to come.</summary>
    public bool IsDue => !_hasDue || _time.GetTimestamp() >= _due;

    /// <summary>One page, or what has to be done before it.</summary>
    public void Step(CancellationToken stop)
    {
        if (!_looking) _lookedFrom = _time.GetTimestamp();
        _looking = true;
        if (!_cursor.IsOpen && !OpenCursor(stop)) return;
        if (_range is null && !Choose(stop)) return;
        Page(stop);
    }

    /// <summary>A mistake of ours in <see cref="Step"/>: it goes on after a wait.</summary>
    public void Mistake(Exception e)
    {
        _counters.Mistakes++;
        Fail($"a mistake in nfr itself: {e.Message}", null);
    }

    bool OpenCursor(CancellationToken stop)
    {
        if (_link.Send(_cursor.Open(), stop) is not { } answer) return false;
        switch (_cursor.Opened(answer, out string fault))
        {
            case SearchOutcome.Good: return true;
            case SearchOutcome.AskOtherwise: return _cursor.IsOpen;
            default:
                Fail(ClusterError.IsNoIndex(answer.Body.Span) ? $"there is no index {string.Join(", ", _options.Indices)}; name those that there are in indices" : fault, answer);
                return false;
        }
    }

    /// <summary>From where on: what is new, or the late window too.</summary>
    bool Choose(CancellationToken stop)
    {
        DateTimeOffset clock = _time.GetUtcNow();
        bool isSet = clock >= s_clockIsSet;
        long now = (clock - DateTimeOffset.UnixEpoch).Ticks * 100, oldest = isSet ? now - (s_oldest.Ticks * 100) : long.MinValue;
        if (_taken.Newest == long.MinValue)
        {
            // The first time by the server's clock; from then on at a fixed place, so that no pause loses what came meanwhile.
            _range = new SearchRange(_taken.Start == long.MinValue ? long.MinValue : Math.Max(_taken.Start, oldest), long.MaxValue);
            if (_taken.Start == long.MinValue && isSet) _taken.Start = now - (s_begin.Ticks * 100);
            return Begin();
        }
        long newest = _taken.Newest;
        if (newest < oldest)
        {
            if (!_everGood || _time.GetElapsedTime(_lastGood) > s_oldest)
                _link.Say(false, $"elastic: {Where}: the last document read was ingested at {DocumentTime.ForQuery(newest, null)}; what is more than 24 hours old is left out");
            _range = new SearchRange(oldest, long.MaxValue);
            return Begin();
        }
        long late = _options.LateWindow.Ticks * 100, lower = Math.Min(newest, Math.Max(Math.Max(_taken.Floor, newest - late), oldest));
        if (late > 0 && _taken.Floor > newest - late && !_saidFull)
        {
            _saidFull = true;
            _link.Say(false, $"elastic: {Where}: more documents come within late_window ({_options.LateWindow}) than are remembered ({_taken.Rows * TakenDocuments.PerRow:N0}); those that come late are looked for within {TimeSpan.FromTicks((newest - lower) / 100).TotalSeconds:0.#} s at the moment");
        }
        if (late == 0)
        {
            _range = new SearchRange(newest, long.MaxValue);
            return Begin();
        }
        if (_link.Send(_cursor.Count(new SearchRange(lower, newest)), stop) is not { } answer) return false;
        SearchOutcome outcome = _cursor.Answered(answer, out SearchPage? page, out string fault);
        if (outcome != SearchOutcome.Good) return Handle(outcome, fault, answer, stop);
        _range = new SearchRange(page!.Total == _taken.Count(lower, newest) ? newest : lower, long.MaxValue);
        return Begin();
    }

    bool Begin()
    {
        _lastStamp = _range!.Value.From;
        _passed = _taken.Passed;
        _takenInLook = 0;
        return true;
    }

    void Page(CancellationToken stop)
    {
        int size = _size;
        if (_link.Send(_cursor.Page(_range!.Value, size), stop) is not { } answer) return;
        SearchOutcome outcome = _cursor.Answered(answer, out SearchPage? page, out string fault);
        if (outcome != SearchOutcome.Good)
        {
            if (_cursor.Left is { } left) _link.Send(left, stop);
            Handle(outcome, fault, answer, stop);
            return;
        }
        Good();
        if (!Take(page!, stop)) return;
        bool last = _cursor.Dialect == SearchDialect.Scroll ? page!.Hits.Count == 0 : page!.Hits.Count < size;
        _cursor.Advance(page);
        // Smaller only as long as it has to be.
        if (_size < _most) _size = Math.Min(_most, _size + Math.Max(1, _size / 4));
        Tell(last ? 0 : null);
        if (last) End(stop);
    }

    /// <summary>Gives what is new on this page to the pipeline; false when told to stop in the middle, and then it is read again at the next start.</summary>
    bool Take(SearchPage page, CancellationToken stop)
    {
        ReadOnlySpan<byte> json = page.Json;
        foreach (SearchHit hit in page.Hits)
        {
            _lastStamp = Math.Max(_lastStamp, hit.Ingested);
            if (hit.Ingested < _passed || _taken.Has(hit.Ingested, hit.Identity)) continue;
            if (!_taken.HasRoom && !_link.WaitFor(() => _taken.HasRoom, stop)) return false;
            LineVerdict verdict;
            try
            {
                verdict = _parser.Read(hit.Source.In(json), hit.Fields.In(json), _link.Outlet);
            }
            catch (Exception e)
            {
                _link.Outlet.Rollback();
                _counters.Mistakes++;
                _link.Say(true, $"elastic: {Where}: a mistake in nfr itself at document {page.NameOf(hit)}, which is left out: {e.Message}");
                verdict = LineVerdict.Syntax;
            }
            _taken.Take(hit.Ingested, hit.Identity);
            if (!_link.Outlet.Commit(_counters, new InputMark(_number, 0, _taken.Next, _taken.Next), verdict, hit.Whole.Length)) return false;
            _takenInLook++;
            _stuck = false;
            if (verdict.IsSkip()) Skipped(page, hit, verdict);
            if (stop.IsCancellationRequested) return false;
        }
        if (_takenInLook > 0) _lastDocument = _time.GetUtcNow();
        return true;
    }

    void Skipped(SearchPage page, SearchHit hit, LineVerdict verdict)
    {
        int at = (int)verdict;
        if (_skips[at] && _time.GetElapsedTime(_saidSkip[at]) < s_sayAgain) return;
        _skips[at] = true;
        _saidSkip[at] = _time.GetTimestamp();
        string what = verdict == LineVerdict.NotJson ? "it has no _source that can be read" : verdict.Sentence();
        _link.Say(true, $"elastic: {Where}: document {page.NameOf(hit)} is left out: {what}; {_counters.Verdicts[at]:N0} such so far");
    }

    /// <summary>All was read that there is: until the next look.</summary>
    void End(CancellationToken stop)
    {
        _everGood = true;
        _lastGood = _time.GetTimestamp();
        _taken.Looked();
        if (_taken.Newest == long.MinValue && (!_everDiagnosed || _time.GetElapsedTime(_diagnosed) > s_sayAgain)) Diagnose(stop);
        if (_cursor.Close() is { } close) _link.Send(close, stop);
        _cursor.Forget();
        _range = null;
        _looking = false;
        Wait(_options.PollInterval - _time.GetElapsedTime(_lookedFrom));
    }

    /// <summary>Nothing was ever found: says why, as far as counting tells.</summary>
    void Diagnose(CancellationToken stop)
    {
        _everDiagnosed = true;
        _diagnosed = _time.GetTimestamp();
        // Whoever has no Packetbeat has no flows of it.
        if (_options.Flows == FlowReports.Alone || Total(stamped: false) is not { } all || (all > 0 ? Total(stamped: true) : 0) is not { } stamped) return;
        if (all == 0 && _options.Flows == FlowReports.Left && Total(stamped: false, withFlows: true) is not 0) return;
        if (all == 0)
        {
            string fields = string.Join(", ", _query.MustHave.Where(f => f != _query.Ingested));
            _link.Say(false, $"elastic: {Where}: no document has all of {fields} yet{(_options.SearchTerm is null ? "" : " and matches search_term")}; if there should be some, look at indices, must_have_fields and field_names");
        }
        else if (stamped == 0)
        {
            _trouble = $"none of {all:N0} documents has {_query.Ingested}, by which they are read; let Packetbeat copy event.start to it (processor convert), an ingest pipeline set it to _ingest.timestamp, or name another field in field_names.event_ingested";
            _link.Say(true, $"elastic: {Where}: {_trouble}");
            Tell(null);
        }

        long? Total(bool stamped, bool withFlows = false)
        {
            if (_link.Send(_cursor.CountAll(!stamped, withFlows), stop) is not { Fault: null } answer) return null;
            return SearchPage.TryRead(answer.Body, out _)?.Total;
        }
    }

    bool Handle(SearchOutcome outcome, string fault, SearchAnswer answer, CancellationToken stop)
    {
        bool inScroll = _cursor is { Dialect: SearchDialect.Scroll, HasBegun: true };
        switch (outcome)
        {
            case SearchOutcome.AskOtherwise:
                return false;
            case SearchOutcome.ContextGone when !_stuck:
                // Expired, or its node is gone: another one behind the last document. Twice without one in between is a fault.
                _stuck = true;
                Resume();
                return false;
            case SearchOutcome.ContextGone:
                Resume();
                break;
            case SearchOutcome.TooMuch when _size > 1:
                _size /= 2;
                // Documents of this search are as long as they are; a server that is slow may be quicker later.
                if (answer.TooLong || answer.Status is 400 or 413) _most = _size;
                if (inScroll) Resume();
                if (!answer.TooLong) break;
                return false;
            case SearchOutcome.Fault when answer.Status is not (0 or 401 or 403 or 429):
                // A point in time is for good without the shards that went after it was opened, such as those of an index that was deleted, and each
                // question keeps it alive: the next try has a new one.
                if (!inScroll && _cursor.Close() is { } close) _link.Send(close, stop);
                Resume();
                break;
        }
        // A scroll has moved on, whatever came of it.
        if (inScroll) Resume();
        Fail(fault, answer);
        return false;
    }

    /// <summary>Another point in time or scroll, from the last stamp on: what was taken at it is known.</summary>
    void Resume()
    {
        _cursor.Forget();
        if (_range is { } range) _range = range with { From = _lastStamp };
    }

    void Good()
    {
        _failures = 0;
        if (_trouble is null) return;
        _trouble = null;
        _link.Say(false, $"elastic: {Where}: it is read again");
    }

    void Fail(string fault, SearchAnswer? answer)
    {
        double ceiling = Math.Min(s_longestWait.TotalSeconds, s_firstWait.TotalSeconds * Math.Pow(2, Math.Min(_failures, 20)));
        TimeSpan wait = TimeSpan.FromSeconds(ceiling * (1 - _random.NextDouble()));
        if (answer?.RetryAfter is { } asked && asked > wait) wait = asked;
        _failures++;
        string advice = answer?.Status switch
        {
            401 => "; look at api_key, or username and password",
            403 => $"; the user or key needs the privileges read and view_index_metadata on {string.Join(", ", _options.Indices)}",
            400 => "; look at search_term, must_have_fields, field_names and timestamp_format",
            _ => "",
        };
        string sentence = fault + advice;
        if (_trouble != sentence && (_trouble is null || answer?.Status != 0)) _link.Say(true, $"elastic: {Where}: {sentence}; it is tried again");
        _trouble = sentence;
        Tell(null);
        Wait(wait);
    }

    void Wait(TimeSpan wait)
    {
        _hasDue = true;
        _due = _time.GetTimestamp() + (long)(Math.Max(0, wait.TotalSeconds) * _time.TimestampFrequency);
    }

    void Tell(long? behind) => _report = new InputReport(_options.Name, _link.Cluster.Target, _trouble, behind, _lastDocument);
}

/// <summary>A row of a search's state; its head tells when it changes.</summary>
sealed class TakenRow(string key, TakenDocuments taken, int row) : IMarkedInput
{
    public string Key { get; } = key;

    public void Accept(in InputMark mark)
    {
    }

    public string? Position() => taken.Row(row);
}
