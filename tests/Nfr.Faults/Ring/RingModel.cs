using System.Text;
using Nfr.Events;

namespace Nfr.Faults.Ring;

/// <summary>
/// What a spool is, without files, rows' bytes or transactions: a queue of events, each with those who wait for it. It is told how much was evicted,
/// which only the real one's pages decide, and says what that must have been.
/// </summary>
sealed class RingModel(int mostAlerts, bool quotas)
{
    sealed record Event(EventType Type, bool Scored, long Sequence, long Number, long Row, TimeSpan Born)
    {
        public HashSet<string> Waiting { get; } = new(StringComparer.Ordinal);
    }

    struct Tally
    {
        public long Since, Delivered, Aside, Evicted;
    }

    readonly List<Event> _ring = [];
    readonly List<(EventType Type, bool Scored, long Number)> _pending = [];
    readonly List<long> _pendingAlerts = [];
    readonly List<(long Sequence, long Number)> _alerts = [];
    readonly Dictionary<(EventType, bool), Tally> _lanes = [];
    readonly Dictionary<(string, EventType), Tally> _accounts = [];
    /// <summary>For a consumer at two places: the first number of the live end.</summary>
    readonly Dictionary<(string, EventType), long> _liveFrom = [];
    /// <summary>Those who have settled something at their live end: it stays where it is.</summary>
    readonly HashSet<(string, EventType)> _liveTaken = [];
    readonly Dictionary<EventType, long> _next = EventTypes.Uploaded.ToArray().ToDictionary(type => type, _ => 1L);
    readonly Dictionary<string, long> _bookmarks = [];
    long _rows, _nextAlert = 1, _alertsSpooled, _alertsEvicted;
    string[] _consumers = [];

    public IReadOnlyList<string> Consumers => _consumers;

    public void Append(EventType type, bool scored, long number) => _pending.Add((type, scored, number));

    public void AppendAlert(long number) => _pendingAlerts.Add(number);

    public void SetBookmark(string name, long sequence) => _bookmarks[name] = sequence;

    /// <summary>What waited to be flushed is gone, and numbers go on higher than these.</summary>
    public void Kill()
    {
        _pending.Clear();
        _pendingAlerts.Clear();
    }

    /// <summary>After a kill numbers may skip, never go back.</summary>
    public string? SkipTo(EventType type, long next)
    {
        string? fault = next < _next[type] ? $"{type} numbers went back from {_next[type]} to {next}" : null;
        _next[type] = next;
        return fault;
    }

    public string? SkipAlertsTo(long next)
    {
        string? fault = next < _nextAlert ? $"alert numbers went back from {_nextAlert} to {next}" : null;
        _nextAlert = next;
        return fault;
    }

    public void SetConsumers(string[] names)
    {
        foreach (string gone in _consumers.Except(names).ToArray())
        {
            foreach (EventType type in EventTypes.Uploaded)
            {
                _accounts.Remove((gone, type));
                _liveFrom.Remove((gone, type));
                _liveTaken.Remove((gone, type));
            }
            foreach (Event one in _ring.ToArray())
            {
                one.Waiting.Remove(gone);
            }
        }
        foreach (string fresh in names.Except(_consumers).ToArray())
        {
            foreach (Event one in _ring)
            {
                one.Waiting.Add(fresh);
                Count(fresh, one.Type, (ref Tally t) => t.Since++);
            }
        }
        // What nobody waits for any more was settled by whoever stays.
        foreach (Event one in _ring.Where(one => one.Waiting.Count == 0).ToArray()) Leave(one, (ref Tally t) => t.Delivered++);
        _consumers = names;
    }

    /// <summary>All that is pending gets its numbers; then the least valuable goes: so many events of each lane, and alerts.</summary>
    public string? Flush(IReadOnlyList<long> evicted, long evictedAlerts, TimeSpan now)
    {
        foreach (var lane in _pending.GroupBy(p => (p.Type, p.Scored)).OrderBy(g => g.Key.Type).ThenBy(g => g.Key.Scored))
        {
            _rows++;
            foreach ((EventType type, bool scored, long number) in lane)
            {
                var one = new Event(type, scored, _next[type]++, number, _rows, now);
                one.Waiting.UnionWith(_consumers);
                _ring.Add(one);
                Count(type, scored, (ref Tally t) => t.Since++);
                foreach (string consumer in _consumers) Count(consumer, type, (ref Tally t) => t.Since++);
            }
        }
        foreach (long number in _pendingAlerts)
        {
            _alerts.Add((_nextAlert++, number));
            _alertsSpooled++;
        }
        _pending.Clear();
        _pendingAlerts.Clear();
        long beyond = Math.Max(0, _alerts.Count - mostAlerts);
        if (evictedAlerts < beyond) return $"{evictedAlerts} alerts evicted, {_alerts.Count} of {mostAlerts} there";
        string? fault = null;
        if (quotas)
        {
            // Each class has a limit of its own: within a lane the oldest goes.
            for (int lane = 0; lane < evicted.Count; lane++)
            {
                int of = lane;
                fault ??= Evict(one => ((int)one.Type * 2) + (one.Scored ? 1 : 0) == of, evicted[of]);
            }
        }
        else
        {
            long unscored = evicted.Where((_, lane) => lane % 2 == 0).Sum(), scored = evicted.Sum() - unscored;
            fault = Evict(one => !one.Scored, unscored) ?? Evict(one => one.Scored, scored);
            if (scored > 0 && _ring.Exists(one => !one.Scored)) fault ??= "a scored event was evicted before an unscored one";
            if (evictedAlerts > beyond && _ring.Count > 0) fault ??= "an alert was evicted before an event";
        }
        _alerts.RemoveRange(0, (int)evictedAlerts);
        _alertsEvicted += evictedAlerts;
        return fault;
    }

    /// <summary>When the oldest event was spooled; null = there is none.</summary>
    public TimeSpan? Oldest => _ring.Count == 0 ? null : _ring.Min(one => one.Born);

    // Whole rows, the oldest first.
    string? Evict(Predicate<Event> which, long events)
    {
        while (events > 0)
        {
            if (_ring.Find(which) is not { } oldest) return "more was evicted than there was";
            foreach (Event one in _ring.Where(one => one.Row == oldest.Row).ToArray())
            {
                foreach (string consumer in one.Waiting) Count(consumer, one.Type, (ref Tally t) => t.Evicted++);
                Leave(one, (ref Tally t) => t.Evicted++);
                events--;
            }
        }
        return events < 0 ? "a part of a row was evicted" : null;
    }

    /// <summary>What a consumer is shown at an end: numbers and what is in them.</summary>
    public List<(long Sequence, long Number)> Peek(string consumer, EventType type, bool live)
    {
        var waiting = _ring.Where(one => one.Type == type && one.Waiting.Contains(consumer)).OrderBy(one => one.Sequence).ToList();
        if (live && !_liveFrom.ContainsKey((consumer, type)))
        {
            if (waiting.Count == 0) return [];
            _liveFrom[(consumer, type)] = _next[type];
        }
        if (!_liveFrom.TryGetValue((consumer, type), out long from)) from = long.MaxValue;
        List<Event> shown = waiting.FindAll(one => live ? one.Sequence >= from : one.Sequence < from);
        if (!live && shown.Count == 0) shown = waiting;
        return shown.ConvertAll(one => (one.Sequence, one.Number));
    }

    public void BeginLive(string consumer, EventType type, long from)
    {
        if (_liveTaken.Contains((consumer, type)) || _liveFrom.GetValueOrDefault((consumer, type)) >= from) return;
        if (_ring.Exists(one => one.Type == type && one.Waiting.Contains(consumer) && one.Sequence < from)) _liveFrom[(consumer, type)] = from;
    }

    public void Settle(string consumer, EventType type, long first, long last, bool aside)
    {
        foreach (Event one in _ring.Where(one => one.Type == type && one.Sequence >= first && one.Sequence <= last && one.Waiting.Contains(consumer)).ToArray())
        {
            one.Waiting.Remove(consumer);
            Count(consumer, type, (ref Tally t) => _ = aside ? t.Aside++ : t.Delivered++);
            if (one.Waiting.Count == 0) Leave(one, (ref Tally t) => _ = aside ? t.Aside++ : t.Delivered++);
        }
        if (!_liveFrom.TryGetValue((consumer, type), out long from)) return;
        if (first >= from) _liveTaken.Add((consumer, type));
        if (!_ring.Exists(one => one.Type == type && one.Sequence < from && one.Waiting.Contains(consumer)))
        {
            _liveFrom.Remove((consumer, type));
            _liveTaken.Remove((consumer, type));
        }
    }

    delegate void Change(ref Tally tally);

    void Leave(Event one, Change change)
    {
        _ring.Remove(one);
        Count(one.Type, one.Scored, change);
    }

    void Count(EventType type, bool scored, Change change)
    {
        Tally tally = _lanes.GetValueOrDefault((type, scored));
        change(ref tally);
        _lanes[(type, scored)] = tally;
    }

    void Count(string consumer, EventType type, Change change)
    {
        Tally tally = _accounts.GetValueOrDefault((consumer, type));
        change(ref tally);
        _accounts[(consumer, type)] = tally;
    }

    /// <summary>The same words as <see cref="ModelRun"/> has for the real one.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        foreach (EventType type in EventTypes.Uploaded)
        {
            for (int scored = 0; scored < 2; scored++)
            {
                Tally lane = _lanes.GetValueOrDefault((type, scored == 1));
                int there = _ring.Count(one => one.Type == type && one.Scored == (scored == 1));
                text.Append($"{type} {scored}: spooled {lane.Since} in {there} delivered {lane.Delivered} evicted {lane.Evicted} aside {lane.Aside}, pending {_pending.Count(p => p.Type == type && p.Scored == (scored == 1))}\n");
            }
            foreach (string consumer in _consumers)
            {
                Tally account = _accounts.GetValueOrDefault((consumer, type));
                text.Append($"{consumer} {type}: since {account.Since} delivered {account.Delivered} aside {account.Aside} missed {account.Evicted} waiting {_ring.Count(one => one.Type == type && one.Waiting.Contains(consumer))}\n");
            }
        }
        text.Append($"alerts: spooled {_alertsSpooled} in {_alerts.Count} evicted {_alertsEvicted}, pending {_pendingAlerts.Count}\n");
        text.Append($"alerts: {string.Join(' ', _alerts.Select(a => $"{a.Sequence}={a.Number}"))}\n");
        foreach (string name in RingState.Bookmarks) text.Append($"bookmark {name} {_bookmarks.GetValueOrDefault(name)}\n");
        return text.ToString();
    }
}
