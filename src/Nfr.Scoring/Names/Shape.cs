namespace Nfr.Scoring.Names;

/// <summary>
/// How a word looks from some way off, so that words that are read for each other become one: letters that share their outline are one letter, pairs that
/// close up to a letter are that letter. Two forms: what nobody can tell at a glance (fine), and what small or unusual print blurs (coarse).
/// </summary>
static class Shape
{
    /// <summary>Digits for letters, 1 i l, rn m, vv w, cl d.</summary>
    /// <returns>Bytes written; never more than there were.</returns>
    public static int Fine(ReadOnlySpan<byte> word, Span<byte> shape)
    {
        int length = 0;
        for (int i = 0; i < word.Length; i++)
        {
            byte next = i + 1 < word.Length ? word[i + 1] : (byte)0;
            byte c = (word[i], next) switch
            {
                ((byte)'r', (byte)'n') => (byte)'m',
                ((byte)'v', (byte)'v') => (byte)'w',
                ((byte)'c', (byte)'l') => (byte)'d',
                _ => 0,
            };
            if (c != 0) i++;
            else c = Letter(word[i]);
            shape[length++] = c;
        }
        return length;
    }

    /// <summary>Besides: e c, q g, u v, b d, runs of m n r, a letter with a stroke before it (lh h, lk k, lb b, …); hyphens go.</summary>
    /// <returns>Bytes written; never more than there were.</returns>
    public static int Coarse(ReadOnlySpan<byte> word, Span<byte> shape)
    {
        int length = 0;
        for (int i = 0; i < word.Length; i++)
        {
            if (word[i] == '-') continue;
            byte next = i + 1 < word.Length ? word[i + 1] : (byte)0;
            byte c = (word[i], next) switch
            {
                ((byte)'v', (byte)'v') => (byte)'w',
                ((byte)'c', (byte)'l') or ((byte)'l' or (byte)'i', (byte)'b') or ((byte)'d', (byte)'l' or (byte)'i') => (byte)'d',
                ((byte)'l' or (byte)'i', (byte)'k' or (byte)'c') => (byte)'k',
                ((byte)'l' or (byte)'i', (byte)'h') => (byte)'h',
                _ => 0,
            };
            if (c != 0) i++;
            else
            {
                c = Letter(word[i]) switch
                {
                    (byte)'e' => (byte)'c',
                    (byte)'q' => (byte)'g',
                    (byte)'v' => (byte)'u',
                    (byte)'b' => (byte)'d',
                    (byte)'m' or (byte)'r' => (byte)'n',
                    byte other => other,
                };
            }
            if (c == 'n' && length > 0 && shape[length - 1] == 'n') continue;
            shape[length++] = c;
        }
        return length;
    }

    static byte Letter(byte c) => c switch
    {
        (byte)'0' => (byte)'o',
        (byte)'1' or (byte)'i' => (byte)'l',
        (byte)'2' => (byte)'z',
        (byte)'3' => (byte)'e',
        (byte)'4' => (byte)'a',
        (byte)'5' => (byte)'s',
        (byte)'6' or (byte)'8' => (byte)'b',
        (byte)'7' => (byte)'t',
        (byte)'9' => (byte)'g',
        _ => c,
    };
}
