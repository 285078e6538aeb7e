using System.Globalization;
using System.Text;

namespace Nfr.Uplink;

/// <summary>What mail allows on its lines: RFC 2045 quoted-printable, RFC 2047 encoded words. All of it is ASCII, ended by CR LF.</summary>
static class MimeText
{
    const int MaxLine = 76;

    /// <summary>RFC 5322, 3.3.</summary>
    public static string Date(DateTimeOffset time)
    {
        string offset = (time.Offset < TimeSpan.Zero ? "-" : "+") + time.Offset.ToString("hhmm", CultureInfo.InvariantCulture);
        return time.ToString("ddd, dd MMM yyyy HH:mm:ss ", CultureInfo.InvariantCulture) + offset;
    }

    /// <summary>A header with free text: as it is where it is plain and short, else in encoded words, one a line.</summary>
    public static void Header(StringBuilder output, string name, string text)
    {
        output.Append(name).Append(": ");
        Words(output, text, name.Length + 2);
        output.Append("\r\n");
    }

    /// <summary>A header of mailboxes, one a line.</summary>
    public static void Header(StringBuilder output, string name, IReadOnlyList<Mailbox> mailboxes)
    {
        output.Append(name).Append(": ");
        for (int i = 0; i < mailboxes.Count; i++)
        {
            if (i > 0) output.Append(",\r\n ");
            Mailbox one = mailboxes[i];
            if (one.Name.Length > 0)
            {
                if (IsPlain(one.Name) && one.Name.Length <= 40) output.Append('"').Append(one.Name.Replace("\\", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal)).Append("\" ");
                else
                {
                    Words(output, one.Name, name.Length + 2, always: true);
                    // The address may be long.
                    output.Append("\r\n ");
                }
                output.Append('<').Append(one.Address).Append('>');
            }
            else output.Append(one.Address);
        }
        output.Append("\r\n");
    }

    static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains("=?", StringComparison.Ordinal);

    static void Words(StringBuilder output, string text, int column, bool always = false)
    {
        if (!always && IsPlain(text) && column + text.Length <= MaxLine)
        {
            output.Append(text);
            return;
        }
        // "=?UTF-8?B?" … "?=" is 12; 42 bytes make 56 letters, so a word has 68 and fits behind any name used here.
        const int MaxBytes = 42;
        List<byte> word = [];
        Span<byte> rune = stackalloc byte[4];
        bool first = true;
        foreach (Rune one in text.EnumerateRunes())
        {
            int length = (Rune.IsControl(one) ? new Rune(' ') : one).EncodeToUtf8(rune);
            if (word.Count + length > (first ? Math.Min(MaxBytes, (MaxLine - column - 12) / 4 * 3) : MaxBytes))
            {
                End();
                first = false;
            }
            word.AddRange(rune[..length]);
        }
        End();

        void End()
        {
            if (!first) output.Append("\r\n ");
            output.Append("=?UTF-8?B?").Append(Convert.ToBase64String([.. word])).Append("?=");
            word.Clear();
        }
    }

    /// <summary>RFC 2045, 6.7, of text whose lines end in LF; its last line is ended too.</summary>
    public static void QuotedPrintable(StringBuilder output, string text)
    {
        int column = 0;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte b = bytes[i];
            if (b == '\n')
            {
                output.Append("\r\n");
                column = 0;
                continue;
            }
            bool lineEnds = i + 1 == bytes.Length || bytes[i + 1] == '\n';
            bool literal = b is >= 33 and <= 126 and not (byte)'=' || b == ' ' && !lineEnds;
            int length = literal ? 1 : 3;
            // The last column is for the "=" of a line that goes on.
            if (column + length > (lineEnds ? MaxLine : MaxLine - 1))
            {
                output.Append("=\r\n");
                column = 0;
            }
            if (literal) output.Append((char)b);
            else output.Append(CultureInfo.InvariantCulture, $"={b:X2}");
            column += length;
        }
        if (column > 0) output.Append("\r\n");
    }
}
