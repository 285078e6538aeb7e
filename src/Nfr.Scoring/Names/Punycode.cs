namespace Nfr.Scoring.Names;

/// <summary>RFC 3492, decoding only, into memory of the caller. What it makes is not checked against IDNA: a browser may refuse such a name, a resolver does not.</summary>
static class Punycode
{
    const int Base = 36, TMin = 1, TMax = 26, Skew = 38, Damp = 700, InitialBias = 72, InitialN = 128;

    /// <param name="text">A label without its <c>xn--</c>.</param>
    /// <param name="codePoints">Room for the result; 63 is enough for any label of DNS.</param>
    /// <returns>How many code points were written; -1 when the text is no Punycode or does not fit.</returns>
    public static int Decode(ReadOnlySpan<byte> text, Span<int> codePoints)
    {
        int length = 0, delimiter = text.LastIndexOf((byte)'-');
        foreach (byte c in delimiter > 0 ? text[..delimiter] : [])
        {
            if (c >= 0x80 || length == codePoints.Length) return -1;
            codePoints[length++] = c;
        }
        int n = InitialN, bias = InitialBias;
        long i = 0;
        for (int at = delimiter > 0 ? delimiter + 1 : 0; at < text.Length;)
        {
            long before = i, weight = 1;
            for (int k = Base; ; k += Base)
            {
                if (at == text.Length) return -1;
                int digit = DigitOf(text[at++]);
                if (digit < 0) return -1;
                i += digit * weight;
                int t = Math.Clamp(k - bias, TMin, TMax);
                if (digit < t) break;
                weight *= Base - t;
                // Both stay far inside 63 bits until here; a code point never needs more.
                if (i > int.MaxValue || weight > int.MaxValue) return -1;
            }
            if (i > int.MaxValue || length == codePoints.Length) return -1;
            bias = Adapt(i - before, length + 1, before == 0);
            long next = n + (i / (length + 1));
            if (next > 0x10FFFF || next is >= 0xD800 and < 0xE000) return -1;
            n = (int)next;
            int place = (int)(i % (length + 1));
            codePoints[place..length].CopyTo(codePoints[(place + 1)..]);
            codePoints[place] = n;
            length++;
            i = place + 1;
        }
        return length;
    }

    static int Adapt(long delta, int points, bool first)
    {
        delta = first ? delta / Damp : delta / 2;
        delta += delta / points;
        int k = 0;
        for (; delta > (Base - TMin) * TMax / 2; k += Base) delta /= Base - TMin;
        return k + (int)((Base - TMin + 1) * delta / (delta + Skew));
    }

    static int DigitOf(byte c) => c switch
    {
        >= (byte)'a' and <= (byte)'z' => c - 'a',
        >= (byte)'A' and <= (byte)'Z' => c - 'A',
        >= (byte)'0' and <= (byte)'9' => c - '0' + 26,
        _ => -1,
    };
}
