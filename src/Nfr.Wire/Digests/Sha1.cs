using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Nfr.Wire.Digests;

/// <summary>
/// SHA-1 (FIPS 180-4 6.1) of short texts, for marks such as the Community ID; nothing here is a secret. The platform's own takes 2 µs a call before it hashes anything
/// (decisions/004), which is more than a packet costs in all.
/// </summary>
public static class Sha1
{
    public const int Length = 20;
    const int BlockLength = 64;

    /// <summary>Of all of <paramref name="data"/>; <paramref name="digest"/> holds at least <see cref="Length"/> bytes.</summary>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> digest)
    {
        Span<uint> state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0];
        ulong bits = (ulong)data.Length * 8;
        for (; data.Length >= BlockLength; data = data[BlockLength..]) Block(data[..BlockLength], state);
        Span<byte> end = stackalloc byte[BlockLength * 2];
        end.Clear();
        int length = Padding.Write(data, end);
        BinaryPrimitives.WriteUInt64BigEndian(end[(length - sizeof(ulong))..], bits);
        Block(end[..BlockLength], state);
        if (length > BlockLength) Block(end[BlockLength..], state);
        for (int i = 0; i < state.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(digest[(4 * i)..], state[i]);
    }

    static void Block(ReadOnlySpan<byte> block, Span<uint> state)
    {
        Span<uint> w = stackalloc uint[80];
        for (int i = 0; i < 16; i++) w[i] = BinaryPrimitives.ReadUInt32BigEndian(block[(4 * i)..]);
        for (int i = 16; i < w.Length; i++) w[i] = BitOperations.RotateLeft(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        // Five steps at a time, so that no value has to change its place.
        for (int i = 0; i < 20; i += 5)
        {
            Step(a, ref b, ref e, Choose(b, c, d) + 0x5A827999 + w[i]);
            Step(e, ref a, ref d, Choose(a, b, c) + 0x5A827999 + w[i + 1]);
            Step(d, ref e, ref c, Choose(e, a, b) + 0x5A827999 + w[i + 2]);
            Step(c, ref d, ref b, Choose(d, e, a) + 0x5A827999 + w[i + 3]);
            Step(b, ref c, ref a, Choose(c, d, e) + 0x5A827999 + w[i + 4]);
        }
        for (int i = 20; i < 40; i += 5)
        {
            Step(a, ref b, ref e, (b ^ c ^ d) + 0x6ED9EBA1 + w[i]);
            Step(e, ref a, ref d, (a ^ b ^ c) + 0x6ED9EBA1 + w[i + 1]);
            Step(d, ref e, ref c, (e ^ a ^ b) + 0x6ED9EBA1 + w[i + 2]);
            Step(c, ref d, ref b, (d ^ e ^ a) + 0x6ED9EBA1 + w[i + 3]);
            Step(b, ref c, ref a, (c ^ d ^ e) + 0x6ED9EBA1 + w[i + 4]);
        }
        for (int i = 40; i < 60; i += 5)
        {
            Step(a, ref b, ref e, Majority(b, c, d) + 0x8F1BBCDC + w[i]);
            Step(e, ref a, ref d, Majority(a, b, c) + 0x8F1BBCDC + w[i + 1]);
            Step(d, ref e, ref c, Majority(e, a, b) + 0x8F1BBCDC + w[i + 2]);
            Step(c, ref d, ref b, Majority(d, e, a) + 0x8F1BBCDC + w[i + 3]);
            Step(b, ref c, ref a, Majority(c, d, e) + 0x8F1BBCDC + w[i + 4]);
        }
        for (int i = 60; i < 80; i += 5)
        {
            Step(a, ref b, ref e, (b ^ c ^ d) + 0xCA62C1D6 + w[i]);
            Step(e, ref a, ref d, (a ^ b ^ c) + 0xCA62C1D6 + w[i + 1]);
            Step(d, ref e, ref c, (e ^ a ^ b) + 0xCA62C1D6 + w[i + 2]);
            Step(c, ref d, ref b, (d ^ e ^ a) + 0xCA62C1D6 + w[i + 3]);
            Step(b, ref c, ref a, (c ^ d ^ e) + 0xCA62C1D6 + w[i + 4]);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Step(uint a, ref uint b, ref uint e, uint sum)
    {
        e += BitOperations.RotateLeft(a, 5) + sum;
        b = BitOperations.RotateLeft(b, 30);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static uint Choose(uint x, uint y, uint z) => z ^ (x & (y ^ z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static uint Majority(uint x, uint y, uint z) => (x & y) | (z & (x | y));
}
