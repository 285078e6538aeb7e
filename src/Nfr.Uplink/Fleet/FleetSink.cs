namespace Nfr.Uplink;

/// <summary>Alerts over the fleet link: a page is taken as far as PUBACKs came for it, and waits while there is no connection, which the link itself tells of.</summary>
sealed class FleetSink(FleetLink link) : AlertSink
{
    public override string Target => link.Options.Where;

    public override string? LastRefusal => link.LastAlertRefusal;

    public override Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel) => link.SendAsync(page);
}

/// <summary>A page on its way: what is published, by the broker's ids, and what has come of each.</summary>
sealed class FleetFlight(AlertPage page, long since)
{
    enum State : byte
    {
        Waits,
        Given,
        Taken,
        Refused,
    }

    readonly TaskCompletionSource<SinkAnswer> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Dictionary<int, int> _places = [];
    readonly State[] _states = new State[page.Count];

    public AlertPage Page => page;
    public Task<SinkAnswer> Task => _done.Task;
    /// <summary>Timestamp of the latest progress.</summary>
    public long Since { get; set; } = since;
    public bool IsDone => _done.Task.IsCompleted;
    public int InFlight => _places.Count;

    /// <summary>The sequence of the first alert on its way; null = none is.</summary>
    public long? FirstGiven
    {
        get
        {
            int place = Array.IndexOf(_states, State.Given);
            return place < 0 ? null : page.Alerts[place].Sequence;
        }
    }

    /// <summary>The place whose turn it is; below 0 = all have had theirs.</summary>
    /// <param name="last">This alert comes behind another one, where there is one.</param>
    public int Next(long? last)
    {
        int place = Array.IndexOf(_states, State.Waits);
        if (place < 0 || last is not { } sequence || page.Alerts[place].Sequence != sequence) return place;
        int other = Array.IndexOf(_states, State.Waits, place + 1);
        return other < 0 ? place : other;
    }

    public void Given(int place, int id)
    {
        _places[id] = place;
        _states[place] = State.Given;
    }

    /// <summary>PUBACK came for one of them, whose place it gives.</summary>
    public bool TrySettle(int id, out int place)
    {
        if (!_places.Remove(id, out place)) return false;
        _states[place] = State.Taken;
        return true;
    }

    /// <summary>It is not taken now: its turn comes again, on another page.</summary>
    public void Reopen(int place) => _states[place] = State.Waits;

    /// <summary>It is passed by for good.</summary>
    public void Refuse(int place) => _states[place] = State.Refused;

    /// <summary>As <see cref="Refuse(int)"/>, by the alert's own number.</summary>
    public void Refuse(long sequence)
    {
        for (int place = 0; place < page.Count; place++)
        {
            if (page.Alerts[place].Sequence == sequence) Refuse(place);
        }
    }

    /// <summary>Answers when nothing of it is open any more.</summary>
    public void Look()
    {
        if (Array.TrueForAll(_states, s => s is State.Taken or State.Refused)) _done.TrySetResult(new SinkAnswer(page.Count, _states.Count(s => s == State.Refused), null));
    }

    /// <summary>The rest comes again: at once where nothing is wrong with it but the connection.</summary>
    public void Break(string? fault, string waits)
    {
        int first = 0;
        while (first < _states.Length && _states[first] is State.Taken or State.Refused) first++;
        int refused = _states.Take(first).Count(s => s == State.Refused);
        // Those behind the first gap that arrived come twice: a connection that died may double what was in flight. Those that were refused are so again, and counted then.
        _done.TrySetResult(fault is null && first < _states.Length ? new SinkAnswer(first, refused, null, TimeSpan.FromSeconds(1), waits) : new SinkAnswer(first, refused, fault));
    }
}
