namespace Nfr.Events;

/// <summary>
/// The tunnels that living flows are in, each kept once and counted by its flows, so that a flow holds two bytes of it. When all places are
/// taken, further tunnels share one entry of their kind that has no ends; flows in them are otherwise whole.
/// </summary>
sealed class TunnelTable
{
    /// <summary>4,096 tunnels of 48 bytes.</summary>
    public const int Capacity = 4096;

    const int Buckets = Capacity * 2;

    readonly Tunnel[] _tunnels;
    readonly int[] _uses;
    readonly ushort[] _next;
    readonly ushort[] _buckets = new ushort[Buckets];
    readonly ushort _firstShared;
    readonly SeededHash _hash = SeededHash.New();
    ushort _free;

    public TunnelTable()
    {
        int kinds = Enum.GetValues<TunnelKind>().Length;
        // 0 means no tunnel; behind the places lie the shared entries, one a kind.
        _tunnels = new Tunnel[Capacity + 1 + kinds];
        _uses = new int[_tunnels.Length];
        _next = new ushort[_tunnels.Length];
        for (int i = 1; i <= Capacity; i++) _next[i] = (ushort)(i < Capacity ? i + 1 : 0);
        _free = 1;
        _firstShared = Capacity + 1;
        for (int kind = 0; kind < kinds; kind++) _tunnels[_firstShared + kind] = new Tunnel { Kind = (TunnelKind)kind, Depth = 1 };
    }

    public int InUse { get; private set; }

    /// <summary>Flows that found all places taken.</summary>
    public long Shared { get; private set; }

    public ref readonly Tunnel this[int index] => ref _tunnels[index];

    /// <summary>The index of this tunnel, with one more flow in it; 0 for none.</summary>
    public ushort Take(in Tunnel tunnel)
    {
        if (tunnel.Kind == TunnelKind.None) return 0;
        ref ushort bucket = ref _buckets[Bucket(tunnel)];
        for (ushort i = bucket; i != 0; i = _next[i])
        {
            if (_tunnels[i] != tunnel) continue;
            _uses[i]++;
            return i;
        }
        if (_free == 0)
        {
            Shared++;
            return (ushort)(_firstShared + (int)tunnel.Kind);
        }
        ushort index = _free;
        _free = _next[index];
        _tunnels[index] = tunnel;
        _uses[index] = 1;
        _next[index] = bucket;
        bucket = index;
        InUse++;
        return index;
    }

    /// <summary>One flow less.</summary>
    public void Return(ushort index)
    {
        if (index == 0 || index >= _firstShared || --_uses[index] > 0) return;
        ref ushort link = ref _buckets[Bucket(_tunnels[index])];
        while (link != index) link = ref _next[link];
        link = _next[index];
        _next[index] = _free;
        _free = index;
        InUse--;
    }

    int Bucket(in Tunnel tunnel)
    {
        ulong h = _hash.Then(_hash.Of(tunnel.Source, tunnel.Identifier), tunnel.Destination.High);
        return (int)(_hash.Then(_hash.Then(h, tunnel.Destination.Low), (ulong)tunnel.Kind) >> 40) & (Buckets - 1);
    }
}
