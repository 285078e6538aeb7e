using Nfr.Uplink;

namespace Nfr.Fleet;

/// <summary>nfr/SITE/ID/WORD. What cannot be read is nobody's of ours.</summary>
static class FleetAddress
{
    /// <param name="topic">As the broker wrote it.</param>
    /// <param name="key">SITE/ID, a part of the topic.</param>
    /// <param name="word">Its last level.</param>
    public static bool TryRead(ReadOnlySpan<char> topic, out ReadOnlySpan<char> key, out FleetTopic word)
    {
        key = default;
        word = default;
        if (topic.Length > FleetBounds.LongestTopic || !topic.StartsWith("nfr/")) return false;
        ReadOnlySpan<char> rest = topic["nfr/".Length..];
        int site = rest.IndexOf('/'), last = rest.LastIndexOf('/');
        if (site <= 0 || last <= site + 1) return false;
        ReadOnlySpan<char> id = rest[(site + 1)..last];
        if (site > FleetTopics.LongestPart || id.Length > FleetTopics.LongestPart || !IsId(rest[..site]) || !IsId(id)) return false;
        switch (rest[(last + 1)..])
        {
            case "status": word = FleetTopic.Status; break;
            case "info": word = FleetTopic.Info; break;
            case "health": word = FleetTopic.Health; break;
            case "alert": word = FleetTopic.Alert; break;
            case "answer": word = FleetTopic.Answer; break;
            case "command": word = FleetTopic.Command; break;
            default: return false;
        }
        key = rest[..last];
        return true;
    }

    /// <summary>As <see cref="FleetTopics.CheckPart"/>, without a string of it.</summary>
    static bool IsId(ReadOnlySpan<char> id)
    {
        foreach (char c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return false;
        }
        return true;
    }

    /// <summary>Whether a text fits a pattern of * (any characters) and ? (one); letters in either case.</summary>
    public static bool Fits(ReadOnlySpan<char> text, ReadOnlySpan<char> pattern)
    {
        int at = 0, p = 0, star = -1, from = 0;
        while (at < text.Length)
        {
            if (p < pattern.Length && (pattern[p] == '?' || (pattern[p] != '*' && char.ToUpperInvariant(pattern[p]) == char.ToUpperInvariant(text[at])))) (at, p) = (at + 1, p + 1);
            else if (p < pattern.Length && pattern[p] == '*') (star, from, p) = (p, at, p + 1);
            else if (star >= 0) (p, at, from) = (star + 1, from + 1, from + 1);
            else return false;
        }
        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }

    public static bool IsPattern(string text) => text.AsSpan().ContainsAny('*', '?');
}
