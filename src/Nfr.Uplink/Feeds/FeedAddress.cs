using System.Security.Cryptography;
using System.Text;

namespace Nfr.Uplink;

/// <summary>The address of a fetched list where others can read it. Many lists want a key in it, as a query or as a part of the path, and that is nobody's business.</summary>
public static class FeedAddress
{
    /// <summary>A part of a path of so many letters and digits, with no dot, dash or underscore and not letters alone, is a key.</summary>
    const int LeastKey = 16;
    const string Hidden = "…";

    /// <summary>For logs, status and alerts: "https://host/exports/…/recent.csv?…".</summary>
    public static string Shown(Uri url)
    {
        string[] parts = [.. url.AbsolutePath.Split('/').Select(part => IsKey(part) ? Hidden : part)];
        return $"{url.GetLeftPart(UriPartial.Authority)}{string.Join('/', parts)}{(url.Query.Length > 1 ? "?" + Hidden : "")}";
    }

    /// <summary>The whole address as a digest, for what is kept on the disk.</summary>
    internal static string Digest(Uri url) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)));

    static bool IsKey(string part) => part.Length >= LeastKey && part.All(char.IsAsciiLetterOrDigit) && part.Any(char.IsAsciiDigit);
}
