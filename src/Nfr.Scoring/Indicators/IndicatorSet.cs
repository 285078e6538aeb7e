using System.Buffers.Binary;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Indicators;

/// <summary>One indicator found: its table and place.</summary>
readonly record struct IndicatorHit(IndicatorTable? Table, int Offset, IndicatorKind Kind, ulong Hash)
{
    public bool IsNone => Table is null;
    public string Text => Table!.TextOf(Offset);
    public string? Label => Table!.LabelOf(Offset);

    /// <summary>Of two lists the graver threat counts; of equal ones the list that comes first.</summary>
    public bool IsBelow(IndicatorTable other) => Table is null || other.Threat.Severity > Table.Threat.Severity;
}

/// <summary>
/// All tables at one moment, immutable. Before them lies one filter (a Bloom filter of one word a key, 12 bits an indicator): nearly every
/// lookup of good traffic ends at its first word, however many lists there are. No lookup allocates.
/// </summary>
sealed class IndicatorSet
{
    public static readonly IndicatorSet Empty = new([]);
    const int BitsPerIndicator = 12;

    readonly IndicatorTable[] _tables;
    readonly ulong[] _filter;
    readonly byte[] _prefixes;

    public IndicatorSet(IndicatorTable[] tables)
    {
        _tables = tables;
        var prefixes = new SortedSet<byte>();
        foreach (IndicatorTable table in tables)
        {
            Count += table.Count;
            Bytes += table.Bytes;
            prefixes.UnionWith(table.Prefixes);
        }
        _prefixes = [.. prefixes];
        _filter = new ulong[Math.Max(1, (Count * BitsPerIndicator / 64) + 1)];
        Bytes += _filter.Length * 8L;
        ulong[] filter = _filter;
        foreach (IndicatorTable table in tables) table.ForEachHash(ref filter, static (ref ulong[] words, ulong hash) => words[Word(words, hash)] |= Mask(hash));
    }

    public IReadOnlyList<IndicatorTable> Tables => _tables;
    public long Count { get; }
    public long Bytes { get; }

    static int Word(ulong[] words, ulong hash) => (int)(((hash >> 32) * (ulong)words.Length) >> 32);

    /// <summary>Four bits of one word; the word is chosen by the high half of the hash, the bits by the low half.</summary>
    static ulong Mask(ulong hash) => (1UL << (int)hash) | (1UL << (int)(hash >> 6)) | (1UL << (int)(hash >> 12)) | (1UL << (int)(hash >> 18));

    bool MayHold(ulong hash)
    {
        ulong mask = Mask(hash);
        return (_filter[Word(_filter, hash)] & mask) == mask;
    }

    void Find(IndicatorKind kind, ulong hash, ReadOnlySpan<byte> form, ref IndicatorHit best)
    {
        if (!MayHold(hash)) return;
        foreach (IndicatorTable table in _tables)
        {
            if (!best.IsBelow(table)) continue;
            int offset = table.Find(kind, hash, form);
            if (offset >= 0) best = new IndicatorHit(table, offset, kind, hash);
        }
    }

    /// <summary>A name without its last dot: itself and every name above it that has two labels or more.</summary>
    public void FindDomain(ReadOnlySpan<byte> name, ref IndicatorHit best)
    {
        if (Count == 0) return;
        ulong h = IndicatorHash.Begin(IndicatorKind.Domain);
        bool inner = false;
        for (int i = name.Length - 1; i >= 0; i--)
        {
            if (name[i] == '.')
            {
                if (inner) Find(IndicatorKind.Domain, IndicatorHash.End(h), name[(i + 1)..], ref best);
                inner = true;
            }
            h = IndicatorHash.Step(h, name[i]);
        }
        if (inner) Find(IndicatorKind.Domain, IndicatorHash.End(h), name, ref best);
    }

    /// <summary>An address alone, with a port when it is not 0, and the networks that hold it.</summary>
    public void FindAddress(in Address address, ushort port, ref IndicatorHit best)
    {
        if (Count == 0) return;
        Span<byte> form = stackalloc byte[18];
        int length = address.WriteBytes(form);
        Find(IndicatorKind.Address, IndicatorHash.OfBinary(IndicatorKind.Address, form[..length]), form[..length], ref best);
        if (port != 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(form[length..], port);
            ReadOnlySpan<byte> withPort = form[..(length + 2)];
            Find(IndicatorKind.AddressPort, IndicatorHash.OfBinary(IndicatorKind.AddressPort, withPort), withPort, ref best);
        }
        foreach (byte prefix in _prefixes)
        {
            // A prefix of 96 or less would be all of IPv4; the reader of lists has refused those.
            if (address.IsV4 && prefix < 96) continue;
            IndicatorText.Mask(address, prefix).WriteBytes(form);
            form[length] = prefix;
            ReadOnlySpan<byte> network = form[..(length + 1)];
            Find(IndicatorKind.Network, IndicatorHash.OfBinary(IndicatorKind.Network, network), network, ref best);
        }
    }

    public void FindText(IndicatorKind kind, ReadOnlySpan<byte> text, ref IndicatorHit best)
    {
        if (Count == 0 || text.IsEmpty || text.Length > IndicatorText.MaxLength) return;
        Find(kind, IndicatorHash.Of(kind, text), text, ref best);
    }

    /// <summary>By hex digits: 32 for a JA3, 40 for a certificate; anything else is not found.</summary>
    public void FindFingerprint(IndicatorKind kind, ReadOnlySpan<byte> hex, ref IndicatorHit best)
    {
        if (Count == 0 || hex.Length != (kind == IndicatorKind.Ja3 ? 32 : 40)) return;
        Span<byte> form = stackalloc byte[20];
        if (Convert.FromHexString(hex, form, out _, out int written) != System.Buffers.OperationStatus.Done) return;
        Find(kind, IndicatorHash.OfBinary(kind, form[..written]), form[..written], ref best);
    }
}
