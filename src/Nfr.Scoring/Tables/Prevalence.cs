using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nfr.Wire;

namespace Nfr.Scoring.Tables;

/// <summary>
/// The site's memory of destinations: for each registered domain and each remote address, when it was first seen, on how many days and by
/// how many clients. Without registration data this is what "young" and "rare" can mean. One thread; state is saved by <see cref="PrevalenceFile"/>.
/// </summary>
/// <remarks>
/// <para>How to use it: <c>prevalence.Of(prevalence.KeyOf(domain))</c> or <c>prevalence.Of(prevalence.KeyOf(address))</c> looks something up and changes
/// nothing. <see cref="See"/> records, and is called by the FirstSeen detector alone, which runs before all others: resolved
/// DNS names, HTTP hosts and TLS server names (their registered domains), and the remote address of answered outbound flows. The share of the site is
/// <c>Clients / SiteClients</c>. While <see cref="IsLearning"/> everything is new, and says nothing.</para>
/// <para>Clients are those of the last 15 to 30 days: two generations of them are kept and the older one goes, of rows as of the site. Days and ages are never forgotten.</para>
/// <para>Memory, 1.4 MB in all: 32,768 rows for domains and 16,384 for addresses of 24 bytes, four to a bucket; behind the domains two filters of 128 KB
/// that only know "seen before". A full bucket forgets the row that was seen on the fewest days, the oldest among those. A filter takes 100,000 domains, then
/// the older one is emptied: about one new domain in 130 (60 when both are full) is taken for known, and one that was not seen for
/// 100,000 others is new again.</para>
/// <para>Keys are hashes under a seed of this sensor, kept with its state, so that nobody outside can aim at a bucket. Time is the tick; the wall
/// clock is asked only between two runs.</para>
/// </remarks>
sealed class Prevalence
{
    internal const int DomainRows = 1 << 15, AddressRows = 1 << 14, FilterWords = 1 << 14, FilterCapacity = 100_000;
    const int Ways = 4, FilterProbes = 5, SketchBits = 56;
    const long Hour = 3600L * 1_000_000_000;
    const ulong A = 0x9E37_79B9_7F4A_7C15, B = 0xC2B2_AE3D_27D4_EB4F, AddressBit = 1UL << 63;
    const ushort LostFirst = ushort.MaxValue;

    /// <summary>Tag 0 = empty. Hours count from the sensor's beginning, 1 for the first. Sketch: 8 bits of days, 56 bits of the clients of the last hour's generation; then those of the one before.</summary>
    internal struct Row
    {
        public uint Tag;
        public ushort FirstHour;
        public ushort LastHour;
        public ulong Sketch;
        public ulong Earlier;
    }

    internal const int RowSize = 24;

    internal Row[] Domains { get; } = new Row[DomainRows];
    internal Row[] Addresses { get; } = new Row[AddressRows];
    /// <summary>The filter in use, then the older one.</summary>
    internal ulong[] Filters { get; } = new ulong[FilterWords * 2];
    internal int Filled { get; set; }
    internal ulong Seed { get; set; } = Mix.Secret(2);
    /// <summary>The network at hand: on board always the same one; an engine that takes turns with many puts another in its place.</summary>
    internal SiteLife Life { get; set; } = new();

    readonly long _learning;

    /// <param name="learning">Nanoseconds of the sensor's life in which everything is still new.</param>
    public Prevalence(long learning) => _learning = learning;

    /// <summary>The greatest tick so far; the first one told begins the run.</summary>
    public long Now
    {
        get => Life.Now;
        set => Life.Tell(value);
    }

    /// <summary>How long this network has been watched, in nanoseconds, earlier runs and the time between them included.</summary>
    public long Age => Life.Age;

    /// <summary>
    /// Whether it has not been watched long enough for "first seen" to mean anything: it takes the time, and traffic in a quarter of its hours (captures
    /// laid end to end span months and show minutes).
    /// </summary>
    public bool IsLearning => Age < _learning || Life.ActiveHours < _learning / Hour / 4;

    /// <summary>Different clients seen with any destination lately, estimated; about 11,000 at most.</summary>
    public int SiteClients
    {
        get
        {
            (int used, int cells) = Life.ClientsAt(ThisHour);
            return Count(used, cells);
        }
    }

    ushort ThisHour => (ushort)Math.Min((Age / Hour) + 1, ushort.MaxValue - 1);

    /// <summary>Rows pushed out by others so far.</summary>
    public long Evicted { get; private set; }

    /// <summary>Key of a registered domain, in any case of letters.</summary>
    public ulong KeyOf(ReadOnlySpan<byte> domain)
    {
        const ulong Lower = 0x2020_2020_2020_2020;
        ulong h = Seed ^ Partition.Current ^ (ulong)domain.Length;
        while (domain.Length >= 8)
        {
            h = Fold(h ^ (MemoryMarshal.Read<ulong>(domain) | Lower), Seed ^ A);
            domain = domain[8..];
        }
        ulong last = 0;
        foreach (byte c in domain) last = (last << 8) | c | 0x20;
        return Fold(Fold(h ^ last, Seed ^ A), B) & ~AddressBit;
    }

    /// <summary>Key of a remote address.</summary>
    public ulong KeyOf(in Address address) => HashOf(in address) | AddressBit;

    /// <summary>What is known of a destination; nothing is recorded.</summary>
    public Sighting Of(ulong key)
    {
        Span<Row> bucket = Bucket(key);
        foreach (ref Row row in bucket)
        {
            if (row.Tag == TagOf(key)) return Read(in row, isNew: false);
        }
        return IsFiltered(key) ? new Sighting(false, 1, 1, Sighting.Unknown) : new Sighting(true, 0, 0, 0);
    }

    /// <summary>Records that a client deals with a destination at <see cref="Now"/>, and says what is known of it then.</summary>
    public Sighting See(ulong key, in Address client)
    {
        // A host of IPv6 changes the lower half of its address every day (RFC 8981): its network counts.
        ulong who = client.IsV4 ? HashOf(in client) : HashOf(new Address(client.High, 0));
        ushort hour = ThisHour;
        Life.Visit(hour, who);
        ulong bit = 1UL << (8 + (int)((who >> 6 & 0xFFFF) * SketchBits >> 16));
        Span<Row> bucket = Bucket(key);
        uint tag = TagOf(key);
        int victim = 0, least = int.MaxValue;
        for (int i = 0; i < Ways; i++)
        {
            ref Row row = ref bucket[i];
            if (row.Tag == tag)
            {
                if ((hour - 1) / 24 != (row.LastHour - 1) / 24 && (byte)row.Sketch < byte.MaxValue) row.Sketch++;
                int passed = SiteLife.GenerationOf(hour) - SiteLife.GenerationOf(row.LastHour);
                if (passed > 0)
                {
                    row.Earlier = passed == 1 ? row.Sketch >> 8 : 0;
                    row.Sketch &= byte.MaxValue;
                }
                row.LastHour = hour;
                row.Sketch |= bit;
                return Read(in row, isNew: false);
            }
            int worth = row.Tag == 0 ? -1 : ((byte)row.Sketch << 16) | row.LastHour;
            if (worth >= least) continue;
            (victim, least) = (i, worth);
        }
        bool known = IsFiltered(key);
        ref Row place = ref bucket[victim];
        if (place.Tag != 0) Evicted++;
        place = new Row { Tag = tag, FirstHour = known ? LostFirst : hour, LastHour = hour, Sketch = 1 | bit };
        if ((key & AddressBit) == 0) Filter(key);
        return Read(in place, isNew: !known);
    }

    Sighting Read(in Row row, bool isNew)
    {
        int hour = ThisHour, passed = SiteLife.GenerationOf(hour) - SiteLife.GenerationOf(row.LastHour);
        ulong clients = passed <= 0 ? row.Sketch >> 8 | row.Earlier : passed == 1 ? row.Sketch >> 8 : 0;
        return new Sighting(isNew, Count(BitOperations.PopCount(clients), SketchBits), (byte)row.Sketch,
            row.FirstHour == LostFirst ? Sighting.Unknown : Math.Max(0, hour - row.FirstHour));
    }

    /// <summary>Linear counting (Whang et al. 1990): how many were thrown into n cells when so many are still empty.</summary>
    static int Count(int used, int cells)
    {
        int empty = Math.Max(cells - used, cells / 16);
        return (int)Math.Round(cells * Math.Log((double)cells / empty));
    }

    Span<Row> Bucket(ulong key)
    {
        Row[] rows = (key & AddressBit) == 0 ? Domains : Addresses;
        return rows.AsSpan((int)key & (rows.Length - Ways), Ways);
    }

    static uint TagOf(ulong key) => (uint)(key >> 31) | 1;

    bool IsFiltered(ulong key) => (key & AddressBit) == 0 && (Has(0, key) || Has(FilterWords, key));

    bool Has(int from, ulong key)
    {
        (uint at, uint step) = ((uint)key, (uint)(key >> 32) | 1);
        for (int i = 0; i < FilterProbes; i++, at += step)
        {
            if ((Filters[from + (int)(at >> 6 & (FilterWords - 1))] >> (int)(at & 63) & 1) == 0) return false;
        }
        return true;
    }

    void Filter(ulong key)
    {
        if (Has(0, key)) return;
        if (++Filled > FilterCapacity)
        {
            Filters.AsSpan(0, FilterWords).CopyTo(Filters.AsSpan(FilterWords));
            Filters.AsSpan(0, FilterWords).Clear();
            Filled = 1;
        }
        (uint at, uint step) = ((uint)key, (uint)(key >> 32) | 1);
        for (int i = 0; i < FilterProbes; i++, at += step) Filters[(int)(at >> 6 & (FilterWords - 1))] |= 1UL << (int)(at & 63);
    }

    ulong HashOf(in Address address) => Fold(Fold(Fold(address.High ^ Seed ^ Partition.Current, B) ^ address.Low, Seed ^ A) ^ B, A);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
