namespace Nfr.Logs;

/// <summary>
/// A name as a Windows server logs it: "(3)www(7)example(3)com(0)", each label behind its length; or, as some tools write it anew, with dots.
/// </summary>
static class MsdnsName
{
    /// <summary>Of a name in the model's form, which is that of <see cref="Nfr.Wire.DnsName"/>.</summary>
    public const int MaximumLength = 1024;

    /// <param name="text">Without spaces around it; any bytes.</param>
    /// <param name="name"><see cref="MaximumLength"/> bytes.</param>
    /// <param name="written">Of these.</param>
    /// <param name="wireLength">Bytes of the name in a message.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, Span<byte> name, out int written, out int wireLength)
    {
        (written, wireLength) = (0, 1);
        if (text.IsEmpty) return false;
        if (text[0] != '(') return TryReadDotted(text, name, out written, out wireLength);
        while (true)
        {
            if (!Length(text, out int length, out int used)) return false;
            text = text[used..];
            if (length == 0) break;
            // A length counts the bytes of the message; a log that was converted to another code page may have more or fewer.
            if (length > text.Length || (length < text.Length && text[length] != '(') || (length == text.Length))
            {
                length = 0;
                while (length < text.Length && !(text[length] == '(' && Length(text[length..], out _, out _))) length++;
                if (length == text.Length || length == 0) return false;
            }
            if (written > 0 && !Put(name, ref written, (byte)'.')) return false;
            foreach (byte c in text[..length])
            {
                if (c is (byte)'.' or (byte)'\\' && !Put(name, ref written, (byte)'\\')) return false;
                if (!Escaped(name, ref written, c)) return false;
            }
            wireLength += length + 1;
            text = text[length..];
        }
        return written > 0 || Put(name, ref written, (byte)'.');
    }

    static bool TryReadDotted(ReadOnlySpan<byte> text, Span<byte> name, out int written, out int wireLength)
    {
        (written, wireLength) = (0, 1);
        if (text[0] == '.') text = text[1..];
        if (text is [.., not (byte)'\\', (byte)'.']) text = text[..^1];
        if (text.IsEmpty) return Put(name, ref written, (byte)'.');
        if (text.ContainsAny(" ()[]"u8)) return false;
        foreach (byte c in text)
        {
            if (!Escaped(name, ref written, c)) return false;
        }
        wireLength = text.Length + 2;
        return true;
    }

    /// <summary>"(12)"</summary>
    static bool Length(ReadOnlySpan<byte> text, out int length, out int used)
    {
        (length, used) = (0, 1);
        if (text.IsEmpty || text[0] != '(') return false;
        for (; used < text.Length && used <= 3 && char.IsAsciiDigit((char)text[used]); used++) length = (length * 10) + text[used] - '0';
        return used > 1 && used < text.Length && text[used++] == ')';
    }

    static bool Escaped(Span<byte> name, ref int written, byte c)
    {
        if (c is > 0x20 and < 0x7F) return Put(name, ref written, c);
        return Put(name, ref written, (byte)'\\') && Put(name, ref written, (byte)('0' + (c / 100))) && Put(name, ref written, (byte)('0' + (c / 10 % 10)))
            && Put(name, ref written, (byte)('0' + (c % 10)));
    }

    static bool Put(Span<byte> name, ref int written, byte c)
    {
        if (written >= Math.Min(name.Length, MaximumLength)) return false;
        name[written++] = c;
        return true;
    }
}
