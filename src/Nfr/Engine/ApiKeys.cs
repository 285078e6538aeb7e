using System.Security.Cryptography;
using System.Text;

namespace Nfr.Engine;

/// <summary>
/// API keys: 160 random bits as 32 letters and digits. Only the SHA-256 is kept. A slow hash is for secrets that people choose; a key of 160
/// random bits cannot be guessed from its hash however fast that is, and each request must be checked in a microsecond.
/// </summary>
static class ApiKeys
{
    const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    const int Length = 32;
    public const int HashLength = 32;
    /// <summary>Nobody's key is longer; what is, is not hashed.</summary>
    const int MaxLength = 200;

    public static string New() => RandomNumberGenerator.GetString(Alphabet, Length);

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>"abc.....xyz": enough for its owner to know it by, as the original shows keys.</summary>
    public static string Shadow(string key) => $"{key[..3]}.....{key[^3..]}";

    /// <summary>The hash of the user name in "Basic …" (RFC 7617); false when there is none.</summary>
    public static bool TryHash(string? authorization, Span<byte> hash)
    {
        const string scheme = "Basic ";
        if (authorization is null || authorization.Length > MaxLength * 2 || !authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return false;
        Span<byte> text = stackalloc byte[MaxLength * 2];
        ReadOnlySpan<char> encoded = authorization.AsSpan(scheme.Length).Trim();
        if (!Convert.TryFromBase64Chars(encoded, text, out int length)) return false;
        ReadOnlySpan<byte> pair = text[..length];
        int colon = pair.IndexOf((byte)':');
        ReadOnlySpan<byte> user = colon < 0 ? pair : pair[..colon];
        return !user.IsEmpty && SHA256.TryHashData(user, hash, out _);
    }
}
