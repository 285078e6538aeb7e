using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Scoring.Tables;

/// <summary>Keys of the tables: 64-bit hashes under a seed of this process, so that nobody outside can aim at a bucket.</summary>
static class Mix
{
    const ulong A = 0x9E37_79B9_7F4A_7C15, B = 0xC2B2_AE3D_27D4_EB4F, C = 0x1656_67B1_9E37_79F9;
    static readonly ulong s_seed = (ulong)Random.Shared.NextInt64() | 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ulong a, ulong b = 0) => Fold(Fold(a ^ s_seed ^ A, (b + s_seed) ^ B) ^ C, b ^ s_seed ^ A);

    public static ulong Of(in Address address) => Of(address.High, address.Low);

    public static ulong Of(in Address address, ulong more) => Of(Of(address.High, address.Low), more);

    /// <summary>Bytes without regard to ASCII case.</summary>
    public static ulong OfName(ReadOnlySpan<byte> name)
    {
        ulong h = A;
        foreach (byte c in name) h = (h ^ Lower(c)) * 0x0000_0100_0000_01B3;
        return Of(h, (ulong)name.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Lower(byte c) => (uint)(c - 'A') <= 'Z' - 'A' ? (byte)(c | 0x20) : c;
}
