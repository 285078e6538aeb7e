namespace Nfr.Logs;

/// <summary>
/// Names as resolvers write them, to the model's form, so that detectors see what packets would have shown: no last dot, '.' and '\' within a label
/// behind a backslash, what is no printable ASCII as \DDD, and nothing else escaped.
/// </summary>
static class LoggedName
{
    /// <summary>Of the model's form; a room of this length always suffices.</summary>
    public const int MaximumLength = Nfr.Wire.DnsName.MaxTextLength;
    const int MaximumWireLength = Nfr.Wire.DnsName.MaxWireLength;

    /// <param name="text">With RFC 1035 5.1's escapes, or none; the last dot may be missed.</param>
    /// <param name="room">Used for what has to be written anew; <see cref="MaximumLength"/> bytes.</param>
    /// <param name="name">In the text or in the room.</param>
    /// <param name="wireLength">Bytes of the name in a message.</param>
    /// <returns>False for no name, and for one that is longer than any.</returns>
    public static bool TryRead(ReadOnlySpan<byte> text, Span<byte> room, out ReadOnlySpan<byte> name, out int wireLength)
    {
        name = default;
        wireLength = 1;
        if (text.IsEmpty) return false;
        if (text is [(byte)'.'])
        {
            name = text;
            return true;
        }
        if (!text.ContainsAnyExceptInRange((byte)'!', (byte)'~') && !text.Contains((byte)'\\'))
        {
            name = text[^1] == '.' ? text[..^1] : text;
            wireLength = name.Length + 2;
            return wireLength <= MaximumWireLength;
        }

        int n = 0, bytes = 0;
        bool dot = false;
        for (int i = 0; i < text.Length; i++)
        {
            byte b = text[i];
            bool escaped = b == '\\' && i + 1 < text.Length;
            if (escaped) b = Escape(text, ref i);
            // Neither do that many bytes make a name, nor would they fit.
            if (++bytes >= MaximumWireLength || n + 4 > room.Length) return false;
            dot = b == '.' && !escaped;
            if (dot || (b is > (byte)' ' and <= (byte)'~' && b is not ((byte)'.' or (byte)'\\')))
            {
                room[n++] = b;
                continue;
            }
            room[n++] = (byte)'\\';
            if (b is (byte)'.' or (byte)'\\')
            {
                room[n++] = b;
                continue;
            }
            room[n++] = (byte)('0' + (b / 100));
            room[n++] = (byte)('0' + (b / 10 % 10));
            room[n++] = (byte)('0' + (b % 10));
        }
        if (dot) (n, bytes) = (n - 1, bytes - 1);
        name = room[..n];
        wireLength = bytes + 2;
        return wireLength <= MaximumWireLength;
    }

    /// <summary>What stands behind the backslash at <paramref name="i"/>: three digits of a byte, or a character that means itself.</summary>
    static byte Escape(ReadOnlySpan<byte> text, ref int i)
    {
        if (i + 3 < text.Length && char.IsAsciiDigit((char)text[i + 1]) && char.IsAsciiDigit((char)text[i + 2]) && char.IsAsciiDigit((char)text[i + 3]))
        {
            int value = ((text[i + 1] - '0') * 100) + ((text[i + 2] - '0') * 10) + text[i + 3] - '0';
            if (value <= byte.MaxValue)
            {
                i += 3;
                return (byte)value;
            }
        }
        return text[++i];
    }
}
