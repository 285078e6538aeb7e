using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Nfr.Wire.Digests;

/// <summary>
/// Digests of texts that come again and again: the hellos of the same clients, the certificates of the same servers. A text is compared whole before its digest is given
/// again, so what is returned is always its own; one slot for each of a number of marks, the latest text stays. One thread; allocates nothing after construction.
/// </summary>
public sealed class RecentDigests
{
    const int DigestSpace = SHA256.HashSizeInBytes;

    /// <summary>Bytes at the end that choose the slot: of a certificate they are its signature, of a list its rarest values.</summary>
    const int MarkLength = 32;

    readonly int _longest;
    readonly byte[] _texts;
    readonly byte[] _digests;
    /// <summary>Of the text in each slot; length 0 for none.</summary>
    readonly (int Length, HashAlgorithm Algorithm)[] _kept;

    enum HashAlgorithm : byte
    {
        Md5,
        Sha1,
        Sha256,
    }

    /// <summary>Room for <paramref name="slots"/> texts, a power of two, of up to <paramref name="longest"/> bytes; longer ones are hashed each time.</summary>
    public RecentDigests(int slots, int longest)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(int.PopCount(slots), 1, nameof(slots));
        _longest = longest;
        _texts = new byte[slots * longest];
        _digests = new byte[slots * DigestSpace];
        _kept = new (int, HashAlgorithm)[slots];
    }

    /// <summary>Texts whose digest was not known, for tests and measurements.</summary>
    public long Misses { get; private set; }

    /// <summary>16 bytes.</summary>
    public void Md5(ReadOnlySpan<byte> text, Span<byte> digest) => Digest(HashAlgorithm.Md5, text, digest[..MD5.HashSizeInBytes]);

    /// <summary>20 bytes.</summary>
    public void Sha1(ReadOnlySpan<byte> text, Span<byte> digest) => Digest(HashAlgorithm.Sha1, text, digest[..SHA1.HashSizeInBytes]);

    /// <summary>32 bytes.</summary>
    public void Sha256(ReadOnlySpan<byte> text, Span<byte> digest) => Digest(HashAlgorithm.Sha256, text, digest[..SHA256.HashSizeInBytes]);

    void Digest(HashAlgorithm algorithm, ReadOnlySpan<byte> text, Span<byte> digest)
    {
        if (text.IsEmpty || text.Length > _longest)
        {
            Make(algorithm, text, digest);
            return;
        }
        int slot = (int)(Mark(algorithm, text) & (uint)(_kept.Length - 1));
        Span<byte> kept = _texts.AsSpan(slot * _longest, text.Length), known = _digests.AsSpan(slot * DigestSpace, digest.Length);
        if (_kept[slot] == (text.Length, algorithm) && kept.SequenceEqual(text))
        {
            known.CopyTo(digest);
            return;
        }
        Misses++;
        Make(algorithm, text, digest);
        text.CopyTo(kept);
        digest.CopyTo(known);
        _kept[slot] = (text.Length, algorithm);
    }

    static uint Mark(HashAlgorithm algorithm, ReadOnlySpan<byte> text)
    {
        ulong mark = (ulong)text.Length << 8 | (byte)algorithm;
        ReadOnlySpan<byte> end = text[Math.Max(0, text.Length - MarkLength)..];
        for (; end.Length >= sizeof(ulong); end = end[sizeof(ulong)..]) mark = (mark ^ MemoryMarshal.Read<ulong>(end)) * 0x9E3779B97F4A7C15UL;
        foreach (byte b in end) mark = (mark ^ b) * 0x9E3779B97F4A7C15UL;
        return (uint)(mark >> 32);
    }

    static void Make(HashAlgorithm algorithm, ReadOnlySpan<byte> text, Span<byte> digest)
    {
        switch (algorithm)
        {
            case HashAlgorithm.Md5:
                MD5.HashData(text, digest);
                break;
            case HashAlgorithm.Sha1:
                SHA1.HashData(text, digest);
                break;
            default:
                SHA256.HashData(text, digest);
                break;
        }
    }
}
