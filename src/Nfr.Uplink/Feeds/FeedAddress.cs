using System.Security.Cryptography;
using System.Text;

namespace Nfr.Uplink;

/// <summary>The address of a fetched list where others can read it. Many lists want a key in it, as a query or as a part of the path, and that is nobody's business.</summary>
public static class FeedAddress
{
    /// <summary>A part of a path with so many letters and digits, which change from one kind to another so often, is a key: no word does, nor a name with a date.</summary>
    const int LeastKey = 16, LeastChanges = 4;
    /// <summary>Letters alone change their case so often in a key; SoDoesNoNameOfWords.</summary>
    const int LeastCases = 10;
    const string Hidden = "…";

    /// <summary>For logs, status and alerts: "https://host/exports/…/recent.csv?…".</summary>
    public static string Shown(Uri url)
    {
        string[] parts = [.. url.AbsolutePath.Split('/').Select(part => IsKey(part) ? Hidden : part)];
        return $"{url.GetLeftPart(UriPartial.Authority)}{string.Join('/', parts)}{(url.Query.Length > 1 ? "?" + Hidden : "")}";
    }

    /// <summary>The whole address as a digest, for what is kept on the disk.</summary>
    internal static string Digest(Uri url) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url.AbsoluteUri)));

    /// <summary>Whether a part of a path looks like a key, whatever its extension: hex digits, a UUID, base64.</summary>
    public static bool IsKey(string part)
    {
        ArgumentNullException.ThrowIfNull(part);
        string name = Uri.UnescapeDataString(part);
        int dot = name.LastIndexOf('.');
        if (dot > 0 && name.Length - dot <= 6) name = name[..dot];
        int length = 0, changes = 0, last = 0;
        bool digits = false;
        foreach (char c in name)
        {
            int kind = char.IsAsciiDigit(c) ? 1 : char.IsAsciiLetterLower(c) ? 2 : char.IsAsciiLetterUpper(c) ? 3 : 0;
            if (kind == 0) continue;
            length++;
            digits |= kind == 1;
            if (last != 0 && kind != last) changes++;
            last = kind;
        }
        return length >= LeastKey && changes >= (digits ? LeastChanges : LeastCases);
    }
}
