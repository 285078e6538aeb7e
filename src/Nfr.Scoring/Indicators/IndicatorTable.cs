using System.Numerics;
using Nfr.Events;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// The indicators of one list file, immutable once built. Texts are not kept: what was listed stands in the event that meets it. Drawing of the memory:
/// <code>
/// hashes  u64[count]        of the indicators, in order
/// facts   u64[count]        8 bits free, line u24, label u16 (0 = none), first seen u16 (days since 2000, 0 = none)
/// starts  u32[count / 8]    where the hashes with the same first bits begin
/// </code>
/// That is 16.5 bytes an indicator, however long its text. Two texts are taken for one when all 64 bits of their hashes agree: with a million indicators
/// once in 2 × 10¹³ lookups of names that are not listed, which is once in 3,000 years at 200 lookups a second; nobody can aim at it (see <see cref="IndicatorHash"/>).
/// </summary>
public sealed class IndicatorTable
{
    /// <summary>Different labels of one file; the indicators of further ones have none.</summary>
    internal const int MaxLabels = ushort.MaxValue;
    /// <summary>Lines beyond are told as this one.</summary>
    internal const int MaxLine = (1 << 24) - 1;
    static readonly DateOnly s_dayZero = new(2000, 1, 1);

    readonly ulong[] _hashes;
    readonly ulong[] _facts;
    readonly int[] _starts;
    readonly int _shift;
    readonly string[] _labels;
    readonly ListHeader _header;

    /// <param name="hashes">In any order, with repeats; taken over.</param>
    /// <param name="facts">Of the same places; taken over.</param>
    /// <param name="count">How many of them are used.</param>
    /// <param name="labels">By number minus one.</param>
    /// <param name="prefixes">Prefix lengths of the networks in it, each once.</param>
    /// <param name="kinds">A bit a kind.</param>
    /// <param name="header">What the list says of itself.</param>
    internal IndicatorTable(ulong[] hashes, ulong[] facts, int count, string[] labels, IReadOnlyList<byte> prefixes, uint kinds, ListHeader header)
    {
        Array.Sort(hashes, facts, 0, count);
        Count = Distinct(hashes, facts, count);
        if (hashes.Length > Count + (Count / 8) + 64)
        {
            Array.Resize(ref hashes, Count);
            Array.Resize(ref facts, Count);
        }
        (_hashes, _facts, _labels, Prefixes, Kinds, _header) = (hashes, facts, labels, prefixes, kinds, header);
        int bits = Math.Max(1, BitOperations.Log2((uint)Count / 8 | 1));
        _shift = 64 - bits;
        _starts = new int[(1 << bits) + 1];
        int at = 0;
        for (int bucket = 0; bucket < 1 << bits; bucket++)
        {
            _starts[bucket] = at;
            while (at < Count && (int)(_hashes[at] >> _shift) == bucket) at++;
        }
        _starts[^1] = Count;
    }

    /// <summary>Of repeats the first line stays.</summary>
    static int Distinct(ulong[] hashes, ulong[] facts, int count)
    {
        int used = 0;
        for (int i = 0; i < count; i++)
        {
            if (used > 0 && hashes[used - 1] == hashes[i])
            {
                facts[used - 1] = Math.Min(facts[used - 1], facts[i]);
                continue;
            }
            (hashes[used], facts[used]) = (hashes[i], facts[i]);
            used++;
        }
        return used;
    }

    public string Name => _header.Name;
    public string Path => _header.Path;
    /// <summary>Where it was fetched; null for a file that somebody put there.</summary>
    public string? Url => _header.Url;
    /// <summary>The date that the list gives itself, else when the file was last written.</summary>
    public DateTimeOffset Date => _header.Date;
    public AlertThreat Threat => _header.Threat;
    public IReadOnlyList<string> Flags => _header.Flags;
    public int Count { get; }
    /// <summary>Bytes held by the tables.</summary>
    public long Bytes => (_hashes.Length * 16L) + (_starts.Length * 4L);
    internal IReadOnlyList<byte> Prefixes { get; }
    internal uint Kinds { get; }
    internal ReadOnlySpan<ulong> Hashes => _hashes.AsSpan(0, Count);

    /// <returns>The indicator's place, -1 when absent.</returns>
    internal int Find(ulong hash)
    {
        int bucket = (int)(hash >> _shift);
        int end = _starts[bucket + 1];
        for (int i = _starts[bucket]; i < end; i++)
        {
            if (_hashes[i] >= hash) return _hashes[i] == hash ? i : -1;
        }
        return -1;
    }

    internal static ulong Facts(int line, int label, int day) => ((ulong)(uint)Math.Min(line, MaxLine) << 32) | ((ulong)(uint)label << 16) | (uint)day;

    internal static int DayOf(DateOnly date) => Math.Clamp(date.DayNumber - s_dayZero.DayNumber, 0, ushort.MaxValue);

    internal int LineOf(int place) => (int)(_facts[place] >> 32);

    /// <summary>What the line says beside the indicator (a malware family, a sinkhole's operator); null when nothing.</summary>
    internal string? LabelOf(int place) => (ushort)(_facts[place] >> 16) is > 0 and var label ? _labels[label - 1] : null;

    /// <summary>When it was first seen or listed, by its line; null when the line does not say.</summary>
    internal DateOnly? FirstSeenOf(int place) => (ushort)_facts[place] is > 0 and var day ? s_dayZero.AddDays(day) : null;
}
