using System.Numerics;

namespace Nfr.Scoring.Tables;

/// <summary>Roughly how many different things were seen: linear counting (Whang et al. 1990) in 128 bits, within about 10 % up to 250. 16 bytes.</summary>
struct Distinct
{
    const int Bits = 128;
    /// <summary>Said when every bit is set.</summary>
    const int Many = 700;
    ulong _low;
    ulong _high;

    /// <summary>The bit of a mixed key, 0 to 127.</summary>
    public static int BitOf(ulong hash) => (int)(hash >> 57);

    public void Add(ulong hash) => AddBit(BitOf(hash));

    public void AddBit(int bit)
    {
        if (bit < 64) _low |= 1UL << bit;
        else _high |= 1UL << (bit - 64);
    }

    /// <summary>What is in one or the other.</summary>
    public readonly Distinct With(in Distinct other) => new() { _low = _low | other._low, _high = _high | other._high };

    public readonly int Count
    {
        get
        {
            int set = BitOperations.PopCount(_low) + BitOperations.PopCount(_high);
            return set == Bits ? Many : (int)Math.Round(-Bits * Math.Log((Bits - set) / (double)Bits));
        }
    }
}
