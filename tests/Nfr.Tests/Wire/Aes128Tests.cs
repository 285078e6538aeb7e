using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class Aes128Tests
{
    [Theory]
    [InlineData("000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a")] // FIPS 197 C.1
    [InlineData("2b7e151628aed2a6abf7158809cf4f3c", "3243f6a8885a308d313198a2e0370734", "3925841d02dc09fbdc118597196a0b32")] // FIPS 197 B
    public void A_block_of_the_standard_is_encrypted_as_it_says(string key, string plain, string cipher)
    {
        var aes = new Aes128(Convert.FromHexString(key));
        byte[] block = Convert.FromHexString(plain);
        aes.Encrypt(block, block);
        Assert.Equal(cipher, Convert.ToHexStringLower(block));
    }

    [Fact]
    public void The_counter_mode_is_that_of_GCM()
    {
        byte[] key = [.. Enumerable.Range(7, 16).Select(i => (byte)i)], nonce = [.. Enumerable.Range(50, 12).Select(i => (byte)i)];
        byte[] plain = [.. Enumerable.Range(0, 53).Select(i => (byte)i)], cipher = new byte[plain.Length], tag = new byte[16], back = new byte[plain.Length];
        using (var gcm = new System.Security.Cryptography.AesGcm(key, 16)) gcm.Encrypt(nonce, plain, cipher, tag);
        new Aes128(key).Counter(nonce, cipher, back);
        Assert.Equal(plain, back);
    }
}
