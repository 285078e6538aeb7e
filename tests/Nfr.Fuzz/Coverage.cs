using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nfr.Fuzz;

/// <summary>
/// Where the instrumented code says which way it went: one counter for each pair of basic blocks that followed each other, hashed to 16 KiB: the whole decoder
/// shows some 7,000 of them, and a larger map is slower, since it is looked through after each run.
/// </summary>
public static class Coverage
{
    public const int Size = 16 * 1024;

    static readonly byte[] s_map = GC.AllocateArray<byte>(Size, pinned: true);
    static int s_previous;

    /// <summary>Called at the head of every basic block; <paramref name="block"/> is a random number that the instrumenter gave it.</summary>
    public static void Hit(int block)
    {
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(s_map), (block ^ s_previous) & (Size - 1))++;
        s_previous = block >> 1;
    }

    internal static void Begin() => s_previous = 0;

    /// <summary>
    /// Takes what the run has hit into <paramref name="seen"/> (a set of count classes per edge: 1, 2, 3, 4 and more) and clears the map; true when
    /// something in it is new.
    /// </summary>
    internal static bool Collect(Span<byte> seen)
    {
        bool isNew = false;
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(s_map.AsSpan());
        for (int w = 0; w < words.Length; w++)
        {
            if (words[w] == 0) continue;
            for (int i = w * 8; i < (w * 8) + 8; i++)
            {
                if (s_map[i] == 0) continue;
                byte bucket = s_map[i] switch { 1 => 1, 2 => 2, 3 => 4, < 16 => 8, < 128 => 16, _ => 32 };
                isNew |= (seen[i] & bucket) == 0;
                seen[i] |= bucket;
            }
            words[w] = 0;
        }
        return isNew;
    }
}
