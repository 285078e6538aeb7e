using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
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

    /// <summary>Of an address and what else belongs to it, such as a port. One step for IPv4, two for IPv6.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(in Address address, ulong more) =>
        address.IsV4 ? Of(address.V4, more) : Fold(Fold(address.High ^ _first, address.Low ^ _second) ^ more, _third);

    /// <summary>The same of an IPv4 address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(uint address, ulong more) => Fold(address ^ _first, more ^ _second);

    /// <summary>A hash so far, and the next word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Then(ulong hash, ulong word) => Fold(hash ^ word, _third);

    /// <summary>Both halves of the product, without a trip to memory for the second one, as <see cref="Math.BigMul(ulong, ulong, out ulong)"/> makes on x86-64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Fold(ulong a, ulong b) => (Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _)) ^ (a * b);
}
