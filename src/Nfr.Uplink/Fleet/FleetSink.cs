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
    readonly TaskCompletionSource<SinkAnswer> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Dictionary<int, int> _places = [];
    readonly bool[] _settled = new bool[page.Count];
    int _refused;

    public AlertPage Page => page;
    public Task<SinkAnswer> Task => _done.Task;
    /// <summary>Timestamp of the latest progress.</summary>
    public long Since { get; set; } = since;
    public bool IsDone => _done.Task.IsCompleted;
    /// <summary>Of the page, the first that was not given to the broker yet.</summary>
    public int Next { get; set; }

    public void Given(int id) => _places[id] = Next++;

    public void Refuse(int place)
    {
        _settled[place] = true;
        _refused++;
        Next = Math.Max(Next, place + 1);
        Look();
    }

    public bool Has(int id) => _places.ContainsKey(id);

    public void Acknowledged(int id)
    {
        if (!_places.Remove(id, out int place)) return;
        _settled[place] = true;
        Look();
    }

    void Look()
    {
        if (_places.Count == 0 && Next == page.Count) _done.TrySetResult(new SinkAnswer(page.Count, _refused, null));
    }

    /// <summary>The rest comes again: at once where nothing is wrong with it but the connection.</summary>
    public void Break(string? fault, string waits)
    {
        int first = 0;
        while (first < _settled.Length && _settled[first]) first++;
        // Those behind the first gap that arrived come twice: a connection that died may double what was in flight.
        _done.TrySetResult(fault is null ? new SinkAnswer(first, Math.Min(_refused, first), null, TimeSpan.FromSeconds(1), waits) : new SinkAnswer(first, Math.Min(_refused, first), fault));
    }
}
