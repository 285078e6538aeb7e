using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Longest-prefix match: an address to the bits of every prefix that holds it. Built once, then only read.
/// </summary>
/// <remarks>
/// Prefixes nest or are disjoint, so they cut the address space into at most 2n + 1 stretches in which the answer is constant:
/// <code>
/// 10/8        [---------------------)
/// 10.1/16          [----)
/// stretch   0 |  1  | 2 |     1     | 0
/// </code>
/// A look-up is one binary search over the stretches' first addresses. The set of a prefix includes those of the prefixes around it, so
/// the innermost one is the whole answer. ::ffff:0:0/96 inherits nothing: an IPv6 prefix says nothing of IPv4.
/// </remarks>
public sealed class PrefixTable
{
    readonly Address[] _starts;
    readonly int[] _sets;
    readonly ulong[] _words;
    readonly int _wordsPerSet;

    /// <param name="entries">Prefixes with the bit that each sets; a prefix may come several times.</param>
    /// <param name="bits">One more than the greatest bit.</param>
    public PrefixTable(IEnumerable<(IpPrefix Prefix, int Bit)> entries, int bits)
    {
        ArgumentNullException.ThrowIfNull(entries);
        _wordsPerSet = Math.Max(1, (bits + 63) / 64);
        var own = new SortedDictionary<IpPrefix, List<int>>();
        var mapped = IpPrefix.Of(Address.FromV4(0), 0);
        own[mapped] = [];
        foreach ((IpPrefix prefix, int bit) in entries)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(bit, bits);
            if (!own.TryGetValue(prefix, out List<int>? list)) own[prefix] = list = [];
            list.Add(bit);
        }

        // Set 0 is the empty one: what no prefix holds.
        _words = new ulong[(own.Count + 1) * _wordsPerSet];
        var starts = new List<Address> { default };
        var sets = new List<int> { 0 };
        var open = new Stack<(IpPrefix Prefix, int Set)>();
        int next = 1;
        foreach ((IpPrefix prefix, List<int> list) in own)
        {
            Close(prefix.First);
            int set = next++;
            Span<ulong> words = _words.AsSpan(set * _wordsPerSet, _wordsPerSet);
            if (open.Count > 0 && prefix != mapped) Words(open.Peek().Set).CopyTo(words);
            foreach (int bit in list) words[bit >> 6] |= 1UL << (bit & 63);
            Start(prefix.First, set);
            open.Push((prefix, set));
        }
        Close(null);
        _starts = [.. starts];
        _sets = [.. sets];

        void Close(Address? before)
        {
            while (open.Count > 0 && (before is null || open.Peek().Prefix.Last < before))
            {
                Address last = open.Pop().Prefix.Last;
                if (last == new Address(ulong.MaxValue, ulong.MaxValue)) continue;
                Start(new Address(last.Low == ulong.MaxValue ? last.High + 1 : last.High, last.Low + 1), open.Count > 0 ? open.Peek().Set : 0);
            }
        }

        void Start(Address address, int set)
        {
            if (starts[^1] == address) sets[^1] = set;
            else
            {
                starts.Add(address);
                sets.Add(set);
            }
        }
    }

    /// <summary>64-bit words of one answer.</summary>
    public int WordsPerSet => _wordsPerSet;

    /// <summary>Bits of all prefixes that hold the address; never empty in length, all zero when none does.</summary>
    public ReadOnlySpan<ulong> Find(Address address) => Words(_sets[Stretch(address)]);

    public bool Contains(Address address, int bit) => (Find(address)[bit >> 6] & (1UL << (bit & 63))) != 0;

    ReadOnlySpan<ulong> Words(int set) => _words.AsSpan(set * _wordsPerSet, _wordsPerSet);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    int Stretch(Address address)
    {
        // The last start that is not above the address; _starts[0] is ::.
        int low = 0, high = _starts.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            ref readonly Address start = ref _starts[middle];
            bool above = start.High > address.High || (start.High == address.High && start.Low > address.Low);
            if (above) high = middle - 1;
            else low = middle;
        }
        return low;
    }
}
