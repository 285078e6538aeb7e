using System.Runtime.InteropServices;

namespace Nfr.Scoring.Tables;

/// <summary>
/// Keeps a <see cref="Prevalence"/> across restarts. The file is written whole beside the old one and put in its place; one that is cut,
/// foreign or damaged is not read, and the sensor learns anew. A lost file costs a learning period and nothing else, so it is not synced.
/// </summary>
/// <remarks>
/// <code>
/// 0  "NFRSEEN1"   8  seed   16  seconds since 1970 when saved   24  age of the sensor in ns   32  domains in the newer filter
/// 40  hours with traffic   48  filters   then site bitmap   then rows of domains   then rows of addresses   last 8: checksum of all before
/// </code>
/// All in the byte order of the machine that wrote it (a file of the other order fails its checksum).
/// </remarks>
sealed class PrevalenceFile(string path, Prevalence prevalence, TimeProvider time) : IDisposable
{
    const ulong Magic = 0x314E_4545_5352_464E;
    const int Header = 48;
    const long Second = 1_000_000_000, SaveInterval = 3600 * Second, MaxGap = 3650L * 86400;

    readonly byte[] _buffer = new byte[Length(prevalence)];
    Task _writing = Task.CompletedTask;
    long _savedTick = long.MinValue;

    /// <summary>Why the last file was not read or written; null when it was. Written by the thread that saves.</summary>
    public string? Fault { get; private set; }

    static int Length(Prevalence p) =>
        Header + ((p.Filters.Length + p.Life.Clients.Length) * 8) + ((p.Domains.Length + p.Addresses.Length) * 16) + 8;

    /// <summary>Reads the file into the memory, which must be empty still. False when there is none or it is no good.</summary>
    public bool Load()
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists) return false;
            if (info.Length != _buffer.Length) return Refuse($"{path}: {info.Length} bytes, {_buffer.Length} expected: first-seen memory begins anew");
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
        prevalence.Life.AgeBefore = Math.Clamp((long)words[3], 0, MaxGap * Second) + (away * Second);
        prevalence.Filled = (int)Math.Min(words[4], Prevalence.FilterCapacity);
        prevalence.Life.ActiveHours = (long)Math.Min(words[5], ushort.MaxValue);
        int at = Header;
        foreach (Span<byte> part in Parts())
        {
            _buffer.AsSpan(at, part.Length).CopyTo(part);
            at += part.Length;
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
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(_buffer.AsSpan());
        words[0] = Magic;
        words[1] = prevalence.Seed;
        words[2] = (ulong)time.GetUtcNow().ToUnixTimeSeconds();
        words[3] = (ulong)prevalence.Age;
        words[4] = (ulong)prevalence.Filled;
        words[5] = (ulong)prevalence.Life.ActiveHours;
        int at = Header;
        foreach (Span<byte> part in Parts())
        {
            part.CopyTo(_buffer.AsSpan(at));
            at += part.Length;
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

    PartList Parts() => new(prevalence);

    /// <summary>The tables one after the other, as bytes.</summary>
    ref struct PartList(Prevalence p)
    {
        int _next = -1;

        public readonly PartList GetEnumerator() => this;
        public bool MoveNext() => ++_next < 4;

        public readonly Span<byte> Current => _next switch
        {
            0 => MemoryMarshal.AsBytes(p.Filters.AsSpan()),
            1 => MemoryMarshal.AsBytes(p.Life.Clients.AsSpan()),
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
