using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// "format: auto": the first line that tells what wrote it (<see cref="FormatGuess"/>) chooses the parser. A resolver's log may be the system's, where lines of
/// several stand together: a line that the parser in hand cannot read, or has no use for, is asked again.
/// </summary>
public sealed class AutoParser(LineOptions options) : LineParser(options)
{
    readonly LineParser?[] _parsers = new LineParser?[Enum.GetValues<LogFormat>().Length];
    LogFormat _format;
    LineParser? _chosen;

    /// <summary>What was told by the lines so far; <see cref="LogFormat.Auto"/> before.</summary>
    public LogFormat Format => _format;

    /// <summary>
    /// Whether it may be BlueCat Edge. A file that is followed may not: its array has no lines to go on from.
    /// </summary>
    internal bool TakesRecords { get; set; } = true;

    /// <summary>The file is BlueCat Edge and may not be.</summary>
    internal bool IsRefused { get; private set; }

    public override long OldestHeld
    {
        get
        {
            long oldest = long.MaxValue;
            foreach (LineParser? parser in _parsers)
            {
                if (parser is not null) oldest = Math.Min(oldest, parser.OldestHeld);
            }
            return oldest;
        }
    }

    public override long HeaderAt => _chosen?.HeaderAt ?? -1;

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        if (_chosen is null)
        {
            if (line.Trim(" \t\r"u8).IsEmpty) return LineVerdict.Header;
            LogFormat? guess = FormatGuess.Of(line);
            if (guess == LogFormat.Edge && !TakesRecords)
            {
                // A bracket alone is not enough to say so.
                IsRefused |= FormatGuess.Object(line) == LogFormat.Edge;
                return LineVerdict.Syntax;
            }
            if (guess is not { } format || !Choose(format)) return line[0] == '#' ? LineVerdict.Header : LineVerdict.Syntax;
        }
        _chosen!.At = At;
        LineVerdict verdict = _chosen.Read(line, sink);
        // A log of Zeek's or Suricata's is nobody else's.
        if (verdict is not (LineVerdict.Other or LineVerdict.Syntax) || _format is LogFormat.Zeek or LogFormat.Suricata) return verdict;
        if (FormatGuess.Of(line) is not { } other || other == _format || (other == LogFormat.Edge && !TakesRecords) || !Choose(other)) return verdict;
        _chosen.At = At;
        return _chosen.Read(line, sink);
    }

    public override void Release(IEventSink sink)
    {
        foreach (LineParser? parser in _parsers) parser?.Release(sink);
    }

    public override void Restart()
    {
        foreach (LineParser? parser in _parsers) parser?.Restart();
        (_chosen, _format, IsRefused) = (null, LogFormat.Auto, false);
    }

    internal override void Inherit(LineParser before)
    {
        if (before is not AutoParser auto) return;
        // Those that are not made yet: what they say is the log's, and depends on no line of this file.
        for (int i = 0; i < _parsers.Length; i++)
        {
            if (auto._parsers[i] is { } its) (_parsers[i] ??= LogFormats.Parser((LogFormat)i, Options))?.Inherit(its);
        }
    }

    bool Choose(LogFormat format)
    {
        if ((_parsers[(int)format] ??= LogFormats.Parser(format, Options)) is not { } parser) return false;
        (_chosen, _format) = (parser, format);
        return true;
    }
}
