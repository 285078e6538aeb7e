using System.Numerics;
using System.Text;

namespace Nfr.Events;

/// <summary>
/// A domain name to the bits of every pattern that matches it. Built once, then only read; a look-up walks the name once from its end,
/// folding case as it goes, and asks the table at each label boundary.
/// </summary>
/// <remarks>
/// Each entry's sets include those of the subtree patterns above it, so the longest entry found is the whole answer. A dot that is part
/// of a label (written <c>\.</c>) is no boundary: <c>evil\.lan</c> is not below <c>lan</c>.
/// </remarks>
public sealed class DomainTable
{
    const uint HashStart = 2166136261, HashFactor = 16777619;

    struct Entry
    {
        public byte[]? Name;
        public uint Hash;
        /// <summary>Set for the name itself: own exact patterns and the subtree patterns of it and above it.</summary>
        public int Exact;
        /// <summary>Set for names below it.</summary>
        public int Below;
    }

    readonly Entry[] _entries;
    readonly ulong[] _words;
    readonly int _wordsPerSet;
    readonly int _longest;

    /// <param name="patterns">Patterns with the bit that each sets; a pattern may come several times.</param>
    /// <param name="bits">One more than the greatest bit.</param>
    public DomainTable(IEnumerable<(DomainPattern Pattern, int Bit)> patterns, int bits)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        _wordsPerSet = Math.Max(1, (bits + 63) / 64);
        var names = new Dictionary<string, List<(bool Subtree, int Bit)>>(StringComparer.Ordinal);
        foreach ((DomainPattern pattern, int bit) in patterns)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(bit, bits);
            if (!names.TryGetValue(pattern.Name, out List<(bool, int)>? list)) names[pattern.Name] = list = [];
            list.Add((pattern.Subtree, bit));
        }

        _entries = new Entry[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, names.Count * 2))];
        _words = new ulong[(1 + (names.Count * 2)) * _wordsPerSet];
        int set = 1;
        // Shorter names first: an entry finds what is above it already in the table.
        foreach ((string name, List<(bool Subtree, int Bit)> list) in names.OrderBy(n => n.Key.Length))
        {
            byte[] bytes = Encoding.ASCII.GetBytes(name);
            var entry = new Entry { Name = bytes, Hash = HashOf(bytes), Exact = set++, Below = set++ };
            ReadOnlySpan<ulong> above = Find(bytes);
            Span<ulong> exact = Words(entry.Exact), below = Words(entry.Below);
            above.CopyTo(exact);
            above.CopyTo(below);
            foreach ((bool subtree, int bit) in list)
            {
                exact[bit >> 6] |= 1UL << (bit & 63);
                if (subtree) below[bit >> 6] |= 1UL << (bit & 63);
            }
            uint slot = entry.Hash & (uint)(_entries.Length - 1);
            while (_entries[slot].Name is not null) slot = (slot + 1) & (uint)(_entries.Length - 1);
            _entries[slot] = entry;
            _longest = Math.Max(_longest, bytes.Length);
        }
    }

    /// <summary>Bits of all patterns that match; all zero when none does. A trailing dot is ignored, ASCII case is folded.</summary>
    public ReadOnlySpan<ulong> Find(ReadOnlySpan<byte> name)
    {
        if (name.Length > 1 && name[^1] == (byte)'.' && !IsEscaped(name, name.Length - 1)) name = name[..^1];
        int found = 0;
        uint hash = HashStart;
        int stop = Math.Max(0, name.Length - _longest);
        for (int i = name.Length - 1; i >= stop; i--)
        {
            hash = (hash ^ Lower(name[i])) * HashFactor;
            if (i > 0 && (name[i - 1] != (byte)'.' || IsEscaped(name, i - 1))) continue;
            int entry = IndexOf(name[i..], hash);
            if (entry >= 0) found = i == 0 ? _entries[entry].Exact : _entries[entry].Below;
        }
        return Words(found);
    }

    int IndexOf(ReadOnlySpan<byte> suffix, uint hash)
    {
        uint mask = (uint)(_entries.Length - 1);
        for (uint slot = hash & mask; _entries[slot].Name is { } name; slot = (slot + 1) & mask)
        {
            if (_entries[slot].Hash == hash && Ascii.EqualsIgnoreCase(suffix, name)) return (int)slot;
        }
        return -1;
    }

    static uint HashOf(ReadOnlySpan<byte> name)
    {
        uint hash = HashStart;
        for (int i = name.Length - 1; i >= 0; i--) hash = (hash ^ Lower(name[i])) * HashFactor;
        return hash;
    }

    static byte Lower(byte b) => b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;

    /// <summary>An odd number of backslashes stands before it.</summary>
    static bool IsEscaped(ReadOnlySpan<byte> name, int index)
    {
        int slashes = 0;
        while (index - slashes > 0 && name[index - slashes - 1] == (byte)'\\') slashes++;
        return (slashes & 1) != 0;
    }

    Span<ulong> Words(int set) => _words.AsSpan(set * _wordsPerSet, _wordsPerSet);
}
