using System.Security.Cryptography;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// What the runtime and our tables set up at their first use, used once before any packet comes: else the first hello, certificate or request
/// of a run would pay for it, in bytes of the heap and in time, inside the loop.
/// </summary>
static class FirstUse
{
    public static void Make()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        // Fingerprints and certificates; MD5 and SHA-1 are theirs by definition (JA3, certificate hashes), not ours.
#pragma warning disable CA5350, CA5351
        MD5.HashData([], hash);
        SHA1.HashData([], hash);
#pragma warning restore CA5350, CA5351
        SHA256.HashData([], hash);
        // QUIC.
        HMACSHA256.HashData(hash, hash, hash);
        _ = new Aes128(hash[..Aes128.KeyLength]);
        HttpRequestHead.TryRead("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8, out _, out _, out _);
        HttpResponseHead.TryRead("HTTP/1.1 200 OK\r\nContent-Type: a\r\n\r\n"u8, out _, out _, out _);
        _ = EncryptedDns.Of(App.Tls, "a"u8, default, 443);
        // JA4 sorts.
        Span<ushort> values = [2, 1];
        values.Sort();
        new Hash128(1, 2).Write(hash);
        _ = Hash128.TryParse(hash[..Hash128.TextLength], out _);
    }
}
