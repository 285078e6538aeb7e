using System.Runtime.InteropServices;

namespace Nfr.Scoring.Tables;

/// <summary>
/// Keeps a <see cref="Prevalence"/> across restarts. The file is written whole beside the old one and put in its place; one that is cut,
/// foreign or damaged is not read, and the sensor learns anew. A lost file costs a learning period and nothing else, so it is not synced.
/// </summary>
/// <remarks>
/// <code>
/// 0  "NFRSEEN2"   8  seed   16  seconds since 1970 when saved   24  age of the sensor in ns   32  domains in the newer filter
/// 40  hours with traffic   48  generation of the site's clients   56  filters   then its bitmaps, this generation's and the one before's
/// then rows of domains   then rows of addresses   then for each partition: 8 its seed   8 age   8 hours with traffic   8 generation   1,024 bitmaps
/// last 8: checksum of all before
/// </code>
/// All in the byte order of the machine that wrote it (a file of the other order fails its checksum).
/// </remarks>
sealed class PrevalenceFile(string path, Prevalence prevalence, TimeProvider time) : IDisposable
{
    const ulong Magic = 0x324E_4545_5352_464E;
    const int Header = 56, SiteHeader = 32;
    /// <summary>Partitions whose lives are kept, 1.1 KB each; those that come later learn anew after a restart.</summary>
    const int MaxSites = 16_384;
    const long Second = 1_000_000_000, SaveInterval = 3600 * Second, MaxGap = 3650L * 86400;

    readonly SiteLife _life = prevalence.Life;
    readonly Dictionary<ulong, SiteLife> _sites = [];
    byte[] _buffer = [];
    Task _writing = Task.CompletedTask;
    long _savedTick = long.MinValue;

    /// <summary>Why the last file was not read or written; null when it was. Written by the thread that saves.</summary>
    public string? Fault { get; private set; }

    int LengthOf(int sites) =>
        Header + ((prevalence.Filters.Length + _life.Clients.Length) * 8) + ((prevalence.Domains.Length + prevalence.Addresses.Length) * Prevalence.RowSize) + (sites * SiteLength) + 8;

    int SiteLength => SiteHeader + (_life.Clients.Length * 8);

    /// <summary>The life of a partition as it was when the file was written, or the one given, which is kept from now on.</summary>
    public SiteLife LifeOf(ulong seed, SiteLife life)
    {
        if (_sites.TryGetValue(seed, out SiteLife? known)) return known;
        if (_sites.Count < MaxSites) _sites.Add(seed, life);
        return life;
    }

    /// <summary>Reads the file into the memory, which must be empty still. False when there is none or it is no good.</summary>
    public bool Load()
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists) return false;
            long sites = info.Length - LengthOf(0);
            if (sites < 0 || sites % SiteLength != 0 || sites > (long)SiteLength * MaxSites) return Refuse($"{path}: {info.Length} bytes, {LengthOf(0)} expected: first-seen memory begins anew");
            _buffer = new byte[info.Length];
            using (FileStream file = info.OpenRead()) file.ReadExactly(_buffer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refuse($"{path}: {e.Message}");
        }
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(_buffer);
        if (words[0] != Magic || words[^1] != Checksum(words[..^1])) return Refuse($"{path}: damaged or not ours: first-seen memory begins anew");
        prevalence.Seed = words[1] | 1;
        long away = Math.Clamp(time.GetUtcNow().ToUnixTimeSeconds() - (long)words[2], 0, MaxGap);
        _life.AgeBefore = Math.Clamp((long)words[3], 0, MaxGap * Second) + (away * Second);
        prevalence.Filled = (int)Math.Min(words[4], Prevalence.FilterCapacity);
        _life.ActiveHours = (long)Math.Min(words[5], ushort.MaxValue);
        _life.Generation = (long)Math.Min(words[6], ushort.MaxValue);
        int at = Header;
        foreach (Span<byte> part in Parts())
        {
            _buffer.AsSpan(at, part.Length).CopyTo(part);
            at += part.Length;
        }
        for (ReadOnlySpan<ulong> site = words[(at / 8)..^1]; !site.IsEmpty; site = site[(SiteLength / 8)..])
        {
            var life = new SiteLife
            {
                AgeBefore = Math.Clamp((long)site[1], 0, MaxGap * Second) + (away * Second), ActiveHours = (long)Math.Min(site[2], ushort.MaxValue),
                Generation = (long)Math.Min(site[3], ushort.MaxValue),
            };
            site.Slice(SiteHeader / 8, life.Clients.Length).CopyTo(life.Clients);
            _sites[site[0]] = life;
        }
        return true;
    }

    bool Refuse(string why)
    {
        Fault = why;
        return false;
    }

    /// <summary>Saves once an hour of tick: a copy is taken here and written elsewhere, so that a slow disk holds nobody up.</summary>
    public void SaveDue(long tick)
    {
        if (_savedTick == long.MinValue) _savedTick = tick;
        if (tick - _savedTick < SaveInterval || !_writing.IsCompleted) return;
        _savedTick = tick;
        Snapshot();
        _writing = Task.Run(Write);
    }

    void Snapshot()
    {
        if (_buffer.Length != LengthOf(_sites.Count)) _buffer = new byte[LengthOf(_sites.Count)];
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(_buffer.AsSpan());
        words[0] = Magic;
        words[1] = prevalence.Seed;
        words[2] = (ulong)time.GetUtcNow().ToUnixTimeSeconds();
        words[3] = (ulong)_life.Age;
        words[4] = (ulong)prevalence.Filled;
        words[5] = (ulong)_life.ActiveHours;
        words[6] = (ulong)_life.Generation;
        int at = Header;
        foreach (Span<byte> part in Parts())
        {
            part.CopyTo(_buffer.AsSpan(at));
            at += part.Length;
        }
        Span<ulong> place = words[(at / 8)..^1];
        foreach ((ulong seed, SiteLife life) in _sites)
        {
            (place[0], place[1], place[2], place[3]) = (seed, (ulong)life.Age, (ulong)life.ActiveHours, (ulong)life.Generation);
            life.Clients.CopyTo(place[(SiteHeader / 8)..]);
            place = place[(SiteLength / 8)..];
        }
        words[^1] = Checksum(words[..^1]);
    }

    void Write()
    {
        try
        {
            string beside = path + ".new";
            File.WriteAllBytes(beside, _buffer);
            File.Move(beside, path, overwrite: true);
            Fault = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fault = $"{path}: {e.Message}: first-seen memory is not kept";
        }
    }

    static ulong Checksum(ReadOnlySpan<ulong> words)
    {
        ulong sum = Magic;
        foreach (ulong word in words) sum = ((sum << 7 | sum >> 57) ^ word) * 0x9E37_79B9_7F4A_7C15;
        return sum;
    }

    PartList Parts() => new(prevalence, _life);

    /// <summary>The tables one after the other, as bytes.</summary>
    ref struct PartList(Prevalence p, SiteLife life)
    {
        int _next = -1;

        public readonly PartList GetEnumerator() => this;
        public bool MoveNext() => ++_next < 4;

        public readonly Span<byte> Current => _next switch
        {
            0 => MemoryMarshal.AsBytes(p.Filters.AsSpan()),
            1 => MemoryMarshal.AsBytes(life.Clients.AsSpan()),
            2 => MemoryMarshal.AsBytes(p.Domains.AsSpan()),
            _ => MemoryMarshal.AsBytes(p.Addresses.AsSpan()),
        };
    }

    public void Dispose()
    {
        _writing.Wait();
        Snapshot();
        Write();
    }
}
