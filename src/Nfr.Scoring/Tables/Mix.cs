using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Nfr.Wire;

namespace Nfr.Scoring.Tables;

/// <summary>Keys of the tables: 64-bit hashes under a seed of this process, so that nobody outside can aim at a bucket.</summary>
static class Mix
{
    const ulong A = 0x9E37_79B9_7F4A_7C15, B = 0xC2B2_AE3D_27D4_EB4F, C = 0x1656_67B1_9E37_79F9;
    static readonly ulong s_seed = Secret(0), s_step = Secret(1);

    /// <summary>A key of chance. Tests fix it, so that what sketches make of a dozen things is the same in each run of them.</summary>
    internal static ulong Secret(ulong which) => AppContext.GetData("Nfr.Scoring.TestKey") is string text && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong key)
        ? ((key + which) * A) | 1
        : BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;

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

    /// <summary>Bytes without regard to ASCII case, eight a step, each step behind the secret: nobody can choose two names that are one key.</summary>
    public static ulong OfName(ReadOnlySpan<byte> name)
    {
        ulong h = s_seed ^ (ulong)name.Length;
        while (name.Length >= sizeof(ulong))
        {
            h = Fold(h ^ Lower(BinaryPrimitives.ReadUInt64LittleEndian(name)), s_step);
            name = name[sizeof(ulong)..];
        }
        ulong rest = 0;
        for (int i = 0; i < name.Length; i++) rest |= (ulong)Lower(name[i]) << (8 * i);
        return Of(h, rest);
    }

    /// <summary>A to Z of eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Lower(ulong eight)
    {
        const ulong Each = 0x0101_0101_0101_0101;
        ulong sevenBits = eight & (0x7F * Each);
        // The top bit of each byte tells: at least 'A', above 'Z'.
        ulong upper = ((sevenBits + ((0x80 - 'A') * Each)) ^ (sevenBits + ((0x7F - 'Z') * Each))) & ~eight & (0x80 * Each);
        return eight | (upper >> 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Lower(byte c) => (uint)(c - 'A') <= 'Z' - 'A' ? (byte)(c | 0x20) : c;
}
