using System.Security.Cryptography;
using Nfr.Wire.Digests;

namespace Nfr.Tests.Wire;

public sealed class DigestTests
{
    [Fact]
    public void Sha1_of_every_length_is_the_platforms()
    {
        var random = new Random(1);
        byte[] digest = new byte[Sha1.Length];
        for (int length = 0; length <= 300; length++)
        {
            byte[] data = new byte[length];
            random.NextBytes(data);
            Sha1.Hash(data, digest);
            Assert.Equal(SHA1.HashData(data), digest);
        }
    }

    [Fact]
    public void A_text_that_comes_again_has_its_digest_without_hashing()
    {
        var recent = new RecentDigests(16, 64);
        byte[] first = new byte[16], again = new byte[16];
        recent.Md5("771,4865-4866,0-23,29,0"u8, first);
        recent.Md5("771,4865-4866,0-23,29,0"u8, again);
        Assert.Equal(MD5.HashData("771,4865-4866,0-23,29,0"u8), first);
        Assert.Equal(first, again);
        Assert.Equal(1, recent.Misses);
    }

    [Fact]
    public void Texts_that_share_a_slot_a_length_or_an_end_are_told_apart()
    {
        // Two slots and only the last bytes choose between them: nearly every text meets another one's.
        var recent = new RecentDigests(2, 128);
        var random = new Random(2);
        byte[][] texts = [.. Enumerable.Range(0, 40).Select(i => new byte[i % 4 == 0 ? 100 : 1 + random.Next(200)])];
        foreach (byte[] text in texts)
        {
            random.NextBytes(text.AsSpan(0, Math.Min(text.Length, 40)));
        }
        for (int i = 0; i < 2000; i++)
        {
            byte[] text = texts[random.Next(texts.Length)];
            byte[] digest = new byte[32];
            switch (random.Next(3))
            {
                case 0:
                    recent.Md5(text, digest);
                    Assert.Equal(MD5.HashData(text), digest[..16]);
                    break;
                case 1:
                    recent.Sha1(text, digest);
                    Assert.Equal(SHA1.HashData(text), digest[..20]);
                    break;
                default:
                    recent.Sha256(text, digest);
                    Assert.Equal(SHA256.HashData(text), digest);
                    break;
            }
        }
    }

    [Fact]
    public void Nothing_at_all_has_a_digest_too()
    {
        byte[] digest = new byte[32];
        new RecentDigests(2, 8).Sha256([], digest);
        Assert.Equal(SHA256.HashData([]), digest);
    }
}
