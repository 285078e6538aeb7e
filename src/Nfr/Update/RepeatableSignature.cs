using System.Numerics;
using System.Security.Cryptography;

namespace Nfr.Update;

/// <summary>
/// RFC 6979: ECDSA over P-256 with SHA-256 whose nonce comes from key and message, so that one input makes one bundle, byte for byte. For the machine that makes releases: the arithmetic on the key is not of constant time.
/// </summary>
static class RepeatableSignature
{
    const int Length = 32;
    // FIPS 186-4, D.1.2.3: the order of the base point.
    static readonly BigInteger s_order = new(Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), isUnsigned: true, isBigEndian: true);

    /// <summary>r and s, 32 bytes each, of the SHA-256 of <paramref name="message"/>.</summary>
    public static byte[] Sign(ECDsa key, ReadOnlySpan<byte> message)
    {
        byte[] secret = Padded(new BigInteger(key.ExportParameters(true).D!, isUnsigned: true, isBigEndian: true));
        byte[] hash = SHA256.HashData(message);
        BigInteger d = Number(secret), z = Number(hash);
        // Section 3.2, steps b to g. bits2octets is the hash modulo the order, since both have 256 bits.
        byte[] seed = [.. secret, .. Padded(z % s_order)];
        byte[] v = new byte[Length], k = new byte[Length];
        Array.Fill(v, (byte)1);
        k = HMACSHA256.HashData(k, (byte[])[.. v, 0, .. seed]);
        v = HMACSHA256.HashData(k, v);
        k = HMACSHA256.HashData(k, (byte[])[.. v, 1, .. seed]);
        v = HMACSHA256.HashData(k, v);
        while (true)
        {
            v = HMACSHA256.HashData(k, v);
            BigInteger nonce = Number(v);
            if (!nonce.IsZero && nonce < s_order)
            {
                BigInteger r = Number(Point(v)) % s_order;
                // By Fermat: the order is a prime.
                BigInteger s = BigInteger.ModPow(nonce, s_order - 2, s_order) * (z + (r * d)) % s_order;
                if (!r.IsZero && !s.IsZero) return [.. Padded(r), .. Padded(s)];
            }
            k = HMACSHA256.HashData(k, (byte[])[.. v, 0]);
            v = HMACSHA256.HashData(k, v);
        }
    }

    /// <summary>The x of nonce × base point: the public key that belongs to the nonce as a private one.</summary>
    static byte[] Point(byte[] nonce)
    {
        using ECDsa pair = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = nonce });
        return pair.ExportParameters(false).Q.X!;
    }

    static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    static byte[] Padded(BigInteger number)
    {
        byte[] bytes = new byte[Length];
        byte[] raw = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        raw.CopyTo(bytes, Length - raw.Length);
        return bytes;
    }
}
