using Nfr.Events;

namespace Nfr.Logs;

/// <summary>Gives the lines of one file to its parser and what becomes of them to the outlet. A parser's own mistake costs its line and no more.</summary>
sealed class LineFeed(LogOutlet outlet, LogCounters counters, Action<LogNotice> tell, TimeProvider time)
{
    readonly SkipNotice _skips = new(time);
    long _header = -1;

    /// <summary>How the file is called in sentences.</summary>
    public required string File { get; set; }

    /// <summary>Told of a line behind which another header holds, before its mark goes out: the end of the line, and where the header begins.</summary>
    public Action<long, long>? HeaderMoved { get; init; }

    /// <summary>Lines read; null when reading did not begin at the file's beginning.</summary>
    public long? Number { get; set; } = 0;

    /// <summary>One line through the parser. False when the outlet takes nothing more.</summary>
    /// <param name="parser">Of this file.</param>
    /// <param name="found">A line, or one that is too long.</param>
    /// <param name="line">Its bytes without the end.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="length">With its end.</param>
    /// <param name="input">Number of the input, for the mark.</param>
    /// <param name="part">Number of the file, for the mark.</param>
    public bool Give(LineParser parser, LineFound found, ReadOnlySpan<byte> line, long at, long length, int input = InputMark.None, int part = 0)
    {
        Number++;
        parser.At = at;
        LineVerdict verdict = found == LineFound.TooLong ? LineVerdict.TooLong : Read(parser, line);
        return Tell(parser, verdict, line, at, length, input, part);
    }

    /// <summary>A line that no parser sees: its end never came.</summary>
    public bool CutOff(LineParser parser, ReadOnlySpan<byte> line, long at, long length, int input, int part)
    {
        Number++;
        return Tell(parser, LineVerdict.CutOff, line, at, length, input, part);
    }

    /// <summary>What is held back goes out as it is.</summary>
    public bool Release(LineParser parser, long at, int input = InputMark.None, int part = 0)
    {
        try
        {
            parser.Release(outlet);
        }
        catch (Exception)
        {
            outlet.Rollback();
            counters.Mistakes++;
        }
        return outlet.Commit(counters, new InputMark(input, part, at, Math.Min(at, parser.OldestHeld)), null, 0);
    }

    LineVerdict Read(LineParser parser, ReadOnlySpan<byte> line)
    {
        try
        {
            return parser.Read(line, outlet);
        }
        catch (Exception)
        {
            outlet.Rollback();
            counters.Mistakes++;
            return LineVerdict.Syntax;
        }
    }

    bool Tell(LineParser parser, LineVerdict verdict, ReadOnlySpan<byte> line, long at, long length, int input, int part)
    {
        long end = at + length;
        if (parser.HeaderAt != _header) HeaderMoved?.Invoke(end, _header = parser.HeaderAt);
        var mark = new InputMark(input, part, end, Math.Min(end, parser.OldestHeld));
        if (!outlet.Commit(counters, mark, verdict, (int)Math.Min(length, int.MaxValue))) return false;
        if (verdict.IsSkip() && _skips.Of(File, Number, at, verdict, line) is { } notice) tell(notice);
        return true;
    }
}
