namespace Nfr.Scoring.Tables;

/// <summary>How long one network has been watched, and how many clients it has had lately: 1.1 KB.</summary>
sealed class SiteLife
{
    const int ClientWords = 64;
    const int GenerationHours = 15 * 24;

    long _start = long.MinValue;
    int _lastHour;

    /// <summary>The greatest tick of this run.</summary>
    public long Now { get; private set; }

    /// <summary>Nanoseconds before this run.</summary>
    public long AgeBefore { get; set; }

    /// <summary>Hours in which something was recorded.</summary>
    public long ActiveHours { get; set; }

    /// <summary>Linear counting of clients, in two generations: that of <see cref="Generation"/>, then the one before.</summary>
    public ulong[] Clients { get; } = new ulong[ClientWords * 2];

    /// <summary>That of the last client recorded.</summary>
    public long Generation { get; set; }

    public long Age => AgeBefore + (_start == long.MinValue ? 0 : Math.Max(0, Now - _start));

    /// <summary>Which half of a month an hour of a network's life lies in: what was seen in this one or the one before is recent, 15 to 30 days.</summary>
    public static int GenerationOf(int hour) => hour / GenerationHours;

    public void Tell(long tick)
    {
        if (_start == long.MinValue) (_start, Now) = (tick, tick);
        Now = Math.Max(Now, tick);
    }

    /// <summary>The clock was ahead: its life goes on from here, as old as it was before the clock was wrong by at least so much.</summary>
    public void PutBack(long tick)
    {
        if (_start > tick) _start = tick;
        Now = Math.Min(Now, tick);
    }

    /// <summary>Records a client at an hour of the network's life.</summary>
    public void Visit(int hour, ulong client)
    {
        if (hour != _lastHour)
        {
            _lastHour = hour;
            ActiveHours++;
            Turn(GenerationOf(hour));
        }
        Clients[(int)(client >> 32) & (ClientWords - 1)] |= 1UL << (int)(client & 63);
    }

    void Turn(long generation)
    {
        if (generation == Generation) return;
        Span<ulong> current = Clients.AsSpan(0, ClientWords), earlier = Clients.AsSpan(ClientWords);
        if (generation == Generation + 1) current.CopyTo(earlier);
        else earlier.Clear();
        current.Clear();
        Generation = generation;
    }

    /// <summary>Cells that hold a client, and all cells, as linear counting wants them.</summary>
    /// <param name="hour">Of the network's life.</param>
    public (int Used, int Cells) ClientsAt(int hour)
    {
        long passed = GenerationOf(hour) - Generation;
        int used = 0;
        for (int i = 0; i < ClientWords; i++)
        {
            // The generation turns with the next client; until then it is read as if it had.
            ulong word = passed <= 0 ? Clients[i] | Clients[ClientWords + i] : passed == 1 ? Clients[i] : 0;
            used += System.Numerics.BitOperations.PopCount(word);
        }
        return (used, ClientWords * 64);
    }
}
