using System.Text;
using Nfr.Commands;

namespace Nfr.Fleet;

/// <summary>Texts of other people's making: cut, made fit for a terminal, and held once however many sensors say the same. Not for two threads at a time.</summary>
sealed class TextPool(int most = FleetBounds.MostShared)
{
    readonly HashSet<string> _texts = new(StringComparer.Ordinal);

    public int Count => _texts.Count;

    /// <summary>The text of at most <paramref name="longest"/> characters; one that was cut ends in an ellipsis.</summary>
    public string Of(string text, int longest)
    {
        // A hostile text may grow sixfold when it is made printable: what is far too long is cut before too.
        string fit = Printable.Of(text.Length > longest * 2 ? Cut(text, longest * 2) : text);
        return Share(fit.Length > longest ? Cut(fit, longest) : fit);
    }

    string Share(string text)
    {
        if (_texts.TryGetValue(text, out string? known)) return known;
        if (_texts.Count < most) _texts.Add(text);
        return text;
    }

    static string Cut(string text, int length)
    {
        int end = length - 1;
        // Never half a pair.
        if (end > 0 && char.IsHighSurrogate(text[end - 1])) end--;
        return string.Concat(text.AsSpan(0, end), "…");
    }
}
