using System.Text;

namespace Nfr.Logs;

/// <summary>The sentence about a line that was skipped: the first of each reason and file is told, and then one an hour.</summary>
sealed class SkipNotice(TimeProvider time)
{
    static readonly TimeSpan s_patience = TimeSpan.FromHours(1);
    /// <summary>Characters of the line that are shown.</summary>
    const int ShownLength = 80;

    readonly long[] _told = new long[LineVerdicts.Count];

    /// <summary>Null when this reason was told lately.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="number">Of the line, from 1; null when reading did not begin at the file's beginning.</param>
    /// <param name="at">Where the line begins.</param>
    /// <param name="verdict">Why it was skipped.</param>
    /// <param name="line">Its bytes.</param>
    public LogNotice? Of(string file, long? number, long at, LineVerdict verdict, ReadOnlySpan<byte> line)
    {
        long now = time.GetTimestamp();
        ref long told = ref _told[(int)verdict];
        if (told != 0 && time.GetElapsedTime(told, now) < s_patience) return null;
        told = now == 0 ? 1 : now;
        string where = number is { } n ? $"{file}:{n}" : $"{file}, at byte {at}";
        return new LogNotice(true, $"{where}: the line is left out: {verdict.Sentence()}; further ones are counted. It begins: {Shown(line)}");
    }

    // Invalid UTF-8 and controls as a dot: the log must stay readable, and nobody may write into it.
    static string Shown(ReadOnlySpan<byte> line)
    {
        string text = Encoding.UTF8.GetString(line[..Math.Min(line.Length, 4 * ShownLength)]);
        var shown = new StringBuilder(ShownLength);
        foreach (char c in text)
        {
            if (shown.Length == ShownLength) break;
            shown.Append(char.IsControl(c) || c == '\uFFFD' || char.IsSurrogate(c) || char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.Format ? '.' : c);
        }
        return shown.ToString();
    }
}
