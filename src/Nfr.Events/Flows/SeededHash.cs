using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Hashes for tables whose keys come from the wire. Each step multiplies two words of 64 bits, both with a secret of this run in them or behind one, and folds the 128 bits of the
/// product: no difference between two keys survives it in a way that does not depend on the secrets, so nobody can choose keys that meet. A multiplication alone carries
/// differences upwards only, and the top bits of two words then cancel whatever the secret is.
/// </summary>
readonly struct SeededHash
{
    readonly ulong _first, _second, _third;

    SeededHash(ReadOnlySpan<ulong> secrets) => (_first, _second, _third) = (secrets[0], secrets[1], secrets[2]);

    public static SeededHash New()
    {
        Span<ulong> secrets = stackalloc ulong[3];
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(secrets));
        return new SeededHash(secrets);
    }

    /// <summary>Of an address and what else belongs to it, such as a port.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(in Address address, ulong more) => Fold(Fold(address.High ^ _first, address.Low ^ _second) ^ more, _third);

    /// <summary>A hash so far, and the next word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Then(ulong hash, ulong word) => Fold(hash ^ word, _third);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
