using Nfr.Events;

namespace Nfr.Logs;

/// <summary>What has to be done about an answer.</summary>
enum SearchOutcome : byte
{
    Good,
    /// <summary>What was asked in was not understood; another form is tried at once.</summary>
    AskOtherwise,
    /// <summary>The point in time or scroll is gone; another one goes on behind the last document.</summary>
    ContextGone,
    /// <summary>Too much at once: a smaller page may pass.</summary>
    TooMuch,
    /// <summary>Not now, or not at all: to be tried again later.</summary>
    Fault,
}

/// <summary>
/// The place of a search on the server, in the dialect that it speaks: point in time with search_after, or scroll. Makes the requests and judges the
/// answers; sends nothing itself. A dialect is left for an older one when the server does not know it, and kept as soon as a page came by it.
/// </summary>
sealed class SearchCursor(SearchOptions options, SearchQuery query)
{
    string? _id;
    byte[] _after = [];
    bool _proven;
    bool _plain;

    public SearchDialect Dialect { get; private set; }

    /// <summary>A point in time is open, a scroll is under way, or none is needed yet.</summary>
    public bool IsOpen => _id is not null || Dialect == SearchDialect.Scroll;

    /// <summary>A page was read by it.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Frees what was opened in a dialect that is left; null = nothing was. Once.</summary>
    public SearchRequest? Left
    {
        get
        {
            SearchRequest? left = field;
            field = null;
            return left;
        }
        private set;
    }

    /// <summary>OpenSearch would open one of a part of the shards too, whose other documents nobody would miss.</summary>
    public SearchRequest Open()
    {
        string keep = SearchQuery.KeepAlive(options.KeepAlive);
        return Dialect == SearchDialect.PointInTime
            ? new("POST", $"{query.Indices}/_pit?keep_alive={keep}", default)
            : new("POST", $"{query.Indices}/_search/point_in_time?keep_alive={keep}&allow_partial_pit_creation=false", default);
    }

    public SearchOutcome Opened(SearchAnswer answer, out string fault)
    {
        fault = answer.Fault ?? "";
        if (answer.Fault is null)
        {
            _id = SearchQuery.Said(answer.Body.Span, Dialect == SearchDialect.PointInTime ? "id"u8 : "pit_id"u8);
            if (_id is not null) return SearchOutcome.Good;
            fault = "its answer has no point in time; is this Elasticsearch or OpenSearch, or a proxy's page?";
            return SearchOutcome.Fault;
        }
        bool isUnknown = answer.Status is 400 or 403 or 404 or 405 || (answer.Status == 401 && ClusterError.IsNotAllowed(answer.Body.Span));
        if (!isUnknown || ClusterError.IsNoIndex(answer.Body.Span) || Dialect == SearchDialect.Scroll) return SearchOutcome.Fault;
        // A proxy or a role that lets searches alone through, or a server before points in time.
        Dialect++;
        return SearchOutcome.AskOtherwise;
    }

    public SearchRequest Count(SearchRange range) => Counting(query.Count(range, Dialect == SearchDialect.Scroll ? null : _id));

    /// <summary>Of all documents, with and without a stamp, and with those that are left to another search.</summary>
    public SearchRequest CountAll(bool unstamped, bool withFlows = false) => new("POST", $"{query.Indices}/_search", query.Count(null, null, unstamped, withFlows));

    SearchRequest Counting(byte[] body) => new("POST", Dialect == SearchDialect.Scroll ? $"{query.Indices}/_search" : "_search", body);

    public SearchRequest Page(SearchRange range, int size)
    {
        if (Dialect != SearchDialect.Scroll) return new("POST", "_search", query.Page(Dialect, _plain, range, size, _id, _after));
        string keep = SearchQuery.KeepAlive(options.KeepAlive);
        return _id is null
            ? new("POST", $"{query.Indices}/_search?scroll={keep}", query.Page(Dialect, _plain, range, size, null, []))
            : new("POST", "_search/scroll", SearchQuery.Small(("scroll", keep, false), ("scroll_id", _id, false)), Once: true);
    }

    /// <summary>Judges an answer to <see cref="Page"/> or <see cref="Count"/>.</summary>
    public SearchOutcome Answered(SearchAnswer answer, out SearchPage? page, out string fault)
    {
        page = null;
        fault = answer.Fault ?? "";
        if (answer.TooLong || answer.TimedOut || answer.Status is 413 or 504) return SearchOutcome.TooMuch;
        if (answer.Fault is not null)
        {
            if (ClusterError.IsContextGone(answer.Body.Span)) return SearchOutcome.ContextGone;
            if (ClusterError.IsTooMuch(answer.Body.Span)) return SearchOutcome.TooMuch;
            // It was no point in time alone that was forbidden: once it is not, the newest form is the first to be tried again.
            if (answer.Status is 401 or 403 && !_proven && Dialect == SearchDialect.Scroll) Dialect = SearchDialect.PointInTime;
            if (answer.Status == 400 && !_proven && Older()) return SearchOutcome.AskOtherwise;
            if (answer.Status is >= 400 and < 500) fault = $"it answered {answer.Status}: {ClusterError.Shown(answer.Body.Span)}";
            return SearchOutcome.Fault;
        }
        page = SearchPage.TryRead(answer.Body, out string? bad);
        // The name of a point in time may change with each answer; the latest is the one to go on with.
        if (page?.Cursor is { } cursor) _id = cursor;
        if (page is not null) return SearchOutcome.Good;
        fault = bad ?? "";
        if (ClusterError.IsContextGone(answer.Body.Span)) return SearchOutcome.ContextGone;
        return bad == SearchPage.RanOut ? SearchOutcome.TooMuch : SearchOutcome.Fault;
    }

    /// <summary>The next older form; false when there is none, and then the newest is the next to be tried.</summary>
    bool Older()
    {
        if (!_plain) _plain = true;
        else if (Dialect != SearchDialect.Scroll)
        {
            Left = Close();
            Dialect = SearchDialect.Scroll;
            _plain = false;
            Forget();
        }
        else
        {
            _plain = false;
            Dialect = SearchDialect.PointInTime;
            Forget();
            return false;
        }
        return true;
    }

    /// <summary>The page's documents were taken: the next one begins behind its last.</summary>
    public void Advance(SearchPage page)
    {
        _proven = true;
        HasBegun = true;
        if (page.Hits is [.., var last]) _after = last.Sort.In(page.Json).ToArray();
    }

    /// <summary>The request that frees it on the server; null when there is nothing to free.</summary>
    public SearchRequest? Close() => _id is null ? null : Dialect switch
    {
        SearchDialect.PointInTime => new("DELETE", "_pit", SearchQuery.Small(("id", _id, false))),
        SearchDialect.OpenSearch => new("DELETE", "_search/point_in_time", SearchQuery.Small(("pit_id", _id, true))),
        _ => new("DELETE", "_search/scroll", SearchQuery.Small(("scroll_id", _id, true))),
    };

    /// <summary>It is closed, gone, or not to be gone on with.</summary>
    public void Forget()
    {
        _id = null;
        _after = [];
        HasBegun = false;
    }
}
