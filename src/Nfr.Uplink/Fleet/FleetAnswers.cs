namespace Nfr.Uplink;

/// <summary>
/// Answers until the broker has acknowledged them, oldest first: one that was on its way when the connection broke goes again with the next. Any thread adds, the link's takes.
/// </summary>
sealed class FleetAnswers
{
    /// <summary>Above them the oldest is let go, and counted: one each for all the commands that are held at a time.</summary>
    public const int Most = 96;
    /// <summary>One that was given to so many connections and never acknowledged may be what broke them.</summary>
    const int MostTries = 3;

    readonly Lock _lock = new();
    readonly List<Item> _items = [];
    long _lost;

    sealed class Item(FleetAnswer answer)
    {
        public FleetAnswer Answer => answer;
        /// <summary>By the broker's count; 0 = it waits.</summary>
        public int Id { get; set; }
        public int Tries { get; set; }
    }

    /// <summary>Answers that were let go.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    public int Waiting
    {
        get
        {
            lock (_lock) return _items.Count;
        }
    }

    public void Add(FleetAnswer answer)
    {
        lock (_lock)
        {
            if (_items.Count >= Most) Drop(0);
            _items.Add(new Item(answer));
        }
    }

    void Drop(int place)
    {
        _items.RemoveAt(place);
        _lost++;
    }

    /// <summary>A new connection: what the last one did not acknowledge goes again.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            for (int i = _items.Count - 1; i >= 0; i--)
            {
                _items[i].Id = 0;
                if (_items[i].Tries >= MostTries) Drop(i);
            }
        }
    }

    /// <summary>The oldest that waits; null = none does. It is kept until <see cref="Settled"/>.</summary>
    public FleetAnswer? Next()
    {
        lock (_lock) return _items.Find(i => i.Id == 0)?.Answer;
    }

    /// <summary>It was given to the broker.</summary>
    public void Given(FleetAnswer answer, int id)
    {
        lock (_lock)
        {
            // Too many may have come meanwhile, so that it is gone.
            if (_items.Find(i => ReferenceEquals(i.Answer, answer)) is { } item) (item.Id, item.Tries) = (id, item.Tries + 1);
        }
    }

    /// <summary>It cannot be given to this broker.</summary>
    public void Refused(FleetAnswer answer)
    {
        lock (_lock)
        {
            int place = _items.FindIndex(i => ReferenceEquals(i.Answer, answer));
            if (place >= 0) Drop(place);
        }
    }

    /// <summary>PUBACK came; false when it is no answer's.</summary>
    /// <param name="id">By the broker's count.</param>
    /// <param name="taken">False: it does not take it.</param>
    public bool Settled(int id, bool taken)
    {
        lock (_lock)
        {
            int place = _items.FindIndex(i => i.Id == id);
            if (place < 0) return false;
            if (taken) _items.RemoveAt(place);
            else Drop(place);
            return true;
        }
    }
}
