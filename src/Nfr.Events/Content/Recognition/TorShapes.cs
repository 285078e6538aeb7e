using System.Buffers;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Tor's connections between clients and relays (tor-spec 0, "link protocol"): TLS with names made up for each. Nothing but the shape of the names sets
/// them apart, so several signs must meet.
/// </summary>
static class TorShapes
{
    static readonly SearchValues<byte> s_base32 = SearchValues.Create("abcdefghijklmnopqrstuvwxyz234567"u8);
    static readonly SearchValues<byte> s_vowels = SearchValues.Create("aeiou"u8);

    /// <summary>A relay's link certificate: issued by "www.(8 to 20 letters and digits of base32).com" for another such name in ".net", and nothing else in either.</summary>
    public static bool IsCertificate(ReadOnlySpan<byte> issuer, ReadOnlySpan<byte> subject) =>
        TryLabel(issuer, "CN=www."u8, ".com"u8, 8, 20, out ReadOnlySpan<byte> one) && TryLabel(subject, "CN=www."u8, ".net"u8, 8, 20, out ReadOnlySpan<byte> other)
        && !one.SequenceEqual(other) && (IsDrawn(one) || IsDrawn(other));

    /// <summary>
    /// A client's hello names "www.(4 to 25 of base32).com", offers no protocol by ALPN and takes no tickets; nothing that browses the web does without
    /// both. Shorter names than eight could be anybody's.
    /// </summary>
    public static bool IsHello(in TlsClientHello hello)
    {
        if (!hello.FirstAlpn.IsEmpty || !TryLabel(hello.ServerName, "www."u8, ".com"u8, 8, 25, out ReadOnlySpan<byte> label) || !IsDrawn(label)) return false;
        TlsExtensions walk = hello.Extensions;
        while (walk.MoveNext())
        {
            if (walk.Type is TlsExtensionType.SessionTicket) return false;
        }
        return true;
    }

    static bool TryLabel(ReadOnlySpan<byte> name, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int least, int most, out ReadOnlySpan<byte> label)
    {
        label = default;
        if (!name.StartsWith(before) || !name.EndsWith(after) || name.Length - before.Length - after.Length is var length && (length < least || length > most)) return false;
        label = name[before.Length..^after.Length];
        return !label.ContainsAnyExcept(s_base32);
    }

    /// <summary>Drawn by lot and not thought up: a digit between letters, and five in a row that no tongue has (no vowel among them).</summary>
    static bool IsDrawn(ReadOnlySpan<byte> label)
    {
        int digit = label[1..^1].IndexOfAnyInRange((byte)'2', (byte)'7');
        if (digit < 0) return false;
        int run = 0;
        foreach (byte letter in label)
        {
            run = s_vowels.Contains(letter) ? 0 : run + 1;
            if (run >= 5) return true;
        }
        return false;
    }
}
