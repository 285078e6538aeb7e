using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Nfr.Wire;

namespace Nfr.Scoring.Indicators;

/// <summary>One indicator found: its table and place, and the bytes of the event that it was found by. Borrows them for the call.</summary>
ref struct IndicatorHit
{
    public IndicatorTable? Table;
    public int Place;
    public IndicatorKind Kind;
    public ulong Hash;
    /// <summary>Of equal severities the narrower indicator counts: a URL before a host, an address with a port before one without, a long name before a short one.</summary>
    public int Rank;
    /// <summary>Of names, URLs, paths and fingerprints: the part of the event that is listed.</summary>
    public ReadOnlySpan<byte> Name;
    public Address Address;
    public ushort Port;
    public byte Prefix;

    public readonly bool IsNone => Table is null;

    /// <summary>The indicator as people write it.</summary>
    public readonly string Text => Kind switch
    {
        IndicatorKind.Address => Address.ToString(),
        IndicatorKind.AddressPort => Address.IsV4
            ? string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"[{Address}]:{Port}"),
        IndicatorKind.Network => string.Create(CultureInfo.InvariantCulture, $"{IndicatorText.Mask(Address, Prefix)}/{(Address.IsV4 ? Prefix - 96 : Prefix)}"),
        IndicatorKind.Url or IndicatorKind.Path => Encoding.UTF8.GetString(Name),
        _ => Encoding.UTF8.GetString(Name).ToLowerInvariant(),
    };
}

/// <summary>
/// All tables at one moment, immutable. Before them lies one filter (a Bloom filter of one word a key, 12 bits an indicator): nearly every
/// lookup of good traffic ends at its first word, however many lists there are. No lookup allocates.
/// </summary>
sealed class IndicatorSet
{
    public static readonly IndicatorSet Empty = new([]);
    const int BitsPerIndicator = 12;
    /// <summary>Levels of a URL's path that are looked up; deeper ones are not.</summary>
    const int MaxPathLevels = 12;
    const int FingerprintRank = 10, AddressRank = 200, AddressPortRank = 300, DomainRank = 400, PathRank = 1000, HostRank = 800, CertificateRank = 900, UrlRank = 2000;

    readonly IndicatorTable[] _tables;
    readonly ulong[] _filter;
    readonly byte[] _prefixes;
    readonly uint _kinds;

    public IndicatorSet(IndicatorTable[] tables)
    {
        _tables = tables;
        var prefixes = new SortedSet<byte>();
        foreach (IndicatorTable table in tables)
        {
            Count += table.Count;
            Bytes += table.Bytes;
            _kinds |= table.Kinds;
            prefixes.UnionWith(table.Prefixes);
        }
        _prefixes = [.. prefixes];
        _filter = new ulong[Math.Max(1, (Count * BitsPerIndicator / 64) + 1)];
        Bytes += _filter.Length * 8L;
        foreach (IndicatorTable table in tables)
        {
            foreach (ulong hash in table.Hashes) _filter[Word(_filter, hash)] |= Mask(hash);
        }
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

    /// <summary>Whether a list of this kind of indicator is there at all.</summary>
    public bool Has(IndicatorKind kind) => (_kinds & (1u << (int)kind)) != 0;

    /// <summary>Of two lists the graver threat counts; of equal ones the narrower indicator, then the list that comes first.</summary>
    bool Find(IndicatorKind kind, ulong hash, int rank, scoped ref IndicatorHit best)
    {
        if (!MayHold(hash)) return false;
        bool found = false;
        foreach (IndicatorTable table in _tables)
        {
            int severity = table.Threat.Severity, before = best.Table?.Threat.Severity ?? 0;
            if (severity < before || (severity == before && rank <= best.Rank)) continue;
            int place = table.Find(hash);
            if (place < 0) continue;
            (best.Table, best.Place, best.Kind, best.Hash, best.Rank) = (table, place, kind, hash, rank);
            found = true;
        }
        return found;
    }

    /// <summary>Other lists that name the same indicator, in their order.</summary>
    public IEnumerable<IndicatorTable> Others(ulong hash, IndicatorTable than) => _tables.Where(t => t != than && t.Find(hash) >= 0);

    /// <summary>Whether exactly this indicator is in a list; its form as <see cref="IndicatorText"/> gives it.</summary>
    public bool Holds(IndicatorKind kind, ReadOnlySpan<byte> form)
    {
        ulong hash = IndicatorHash.Of(kind, form);
        if (Count == 0 || !MayHold(hash)) return false;
        foreach (IndicatorTable table in _tables)
        {
            if (table.Find(hash) >= 0) return true;
        }
        return false;
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
                if (inner && Find(IndicatorKind.Domain, IndicatorHash.End(h), DomainRank + name.Length - i, ref best)) best.Name = name[(i + 1)..];
                inner = true;
            }
            h = IndicatorHash.Step(h, name[i]);
        }
        if (inner && Find(IndicatorKind.Domain, IndicatorHash.End(h), DomainRank + name.Length + 1, ref best)) best.Name = name;
        if (Has(IndicatorKind.Host) && Find(IndicatorKind.Host, IndicatorHash.Of(IndicatorKind.Host, name), HostRank, ref best)) best.Name = name;
    }

    /// <summary>An address alone, with a port when it is not 0, and the networks that hold it.</summary>
    public void FindAddress(in Address address, ushort port, scoped ref IndicatorHit best)
    {
        if (Count == 0) return;
        Span<byte> form = stackalloc byte[18];
        int length = address.WriteBytes(form);
        if (Has(IndicatorKind.Address) && Find(IndicatorKind.Address, IndicatorHash.Of(IndicatorKind.Address, form[..length]), AddressRank, ref best)) best.Address = address;
        if (port != 0 && Has(IndicatorKind.AddressPort))
        {
            BinaryPrimitives.WriteUInt16BigEndian(form[length..], port);
            if (Find(IndicatorKind.AddressPort, IndicatorHash.Of(IndicatorKind.AddressPort, form[..(length + 2)]), AddressPortRank, ref best)) (best.Address, best.Port) = (address, port);
        }
        foreach (byte prefix in _prefixes)
        {
            // A prefix of 96 or less would be all of IPv4; the reader of lists has refused those.
            if (address.IsV4 && prefix < 96) continue;
            IndicatorText.Mask(address, prefix).WriteBytes(form);
            form[length] = prefix;
            if (Find(IndicatorKind.Network, IndicatorHash.Of(IndicatorKind.Network, form[..(length + 1)]), prefix, ref best)) (best.Address, best.Prefix) = (address, prefix);
        }
    }

    /// <summary>A page: as it is, without its query, and every folder above it; the same for its path alone.</summary>
    /// <param name="url">From the host on, without scheme.</param>
    /// <param name="host">Where its host ends; what lies between that and the path is the scheme's own port.</param>
    /// <param name="path">Where its path or query begins in it.</param>
    /// <param name="best">Taken over where something graver or narrower is found.</param>
    public void FindUrl(ReadOnlySpan<byte> url, int host, int path, ref IndicatorHit best)
    {
        if (!Has(IndicatorKind.Url) && !Has(IndicatorKind.Path)) return;
        ulong whole = IndicatorHash.Begin(IndicatorKind.Url), only = IndicatorHash.Begin(IndicatorKind.Path);
        for (int i = 0; i < host; i++) whole = IndicatorHash.Step(whole, url[i]);
        int levels = 0, end = Math.Min(url.Length, IndicatorText.MaxLength);
        bool query = false;
        for (int i = path; i < end; i++)
        {
            if (url[i] == '?' && !query)
            {
                Candidate(url, path, i, whole, only, ref best);
                query = true;
            }
            whole = IndicatorHash.Step(whole, url[i]);
            only = IndicatorHash.Step(only, url[i]);
            if (url[i] == '/' && i > path && !query && i < url.Length - 1 && ++levels <= MaxPathLevels) Candidate(url, path, i + 1, whole, only, ref best);
        }
        if (end == url.Length) Candidate(url, path, end, whole, only, ref best);
    }

    void Candidate(ReadOnlySpan<byte> url, int path, int end, ulong whole, ulong only, ref IndicatorHit best)
    {
        if (Find(IndicatorKind.Url, IndicatorHash.End(whole), UrlRank + end, ref best)) best.Name = url[..end];
        if (Find(IndicatorKind.Path, IndicatorHash.End(only), PathRank + end, ref best)) best.Name = url[path..end];
    }

    /// <summary>By hex digits: 32 for a JA3, 40 for a certificate; a JA4 by its 36 characters. Anything else is not found.</summary>
    public void FindFingerprint(IndicatorKind kind, ReadOnlySpan<byte> text, ref IndicatorHit best)
    {
        if (!Has(kind)) return;
        ulong hash;
        if (kind == IndicatorKind.Ja4)
        {
            if (text.Length != IndicatorText.Ja4Length) return;
            hash = IndicatorHash.Of(kind, text);
        }
        else
        {
            if (text.Length != (kind == IndicatorKind.Ja3 ? 32 : 40)) return;
            Span<byte> form = stackalloc byte[20];
            if (Convert.FromHexString(text, form, out _, out int written) != System.Buffers.OperationStatus.Done) return;
            hash = IndicatorHash.Of(kind, form[..written]);
        }
        if (Find(kind, hash, kind == IndicatorKind.Certificate ? CertificateRank : FingerprintRank, ref best)) best.Name = text;
    }
}
