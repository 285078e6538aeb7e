namespace Nfr.Logs;

/// <summary>What became of a line (or document) of an input. Every line has exactly one, so that their counts add up to the lines read.</summary>
public enum LineVerdict : byte
{
    /// <summary>It made an event, or several.</summary>
    Event,
    /// <summary>A query that waits for its answer; its event comes with that, or without it when that is late.</summary>
    Held,
    /// <summary>An answer that went into the event of its query.</summary>
    Answer,
    /// <summary>Blank, a comment, or a header.</summary>
    Header,
    /// <summary>A record of a kind that is no event: statistics, a server's own news.</summary>
    Other,
    /// <summary>An event of a type that was not asked for.</summary>
    Unwanted,

    // From here on: skipped, and why.

    /// <summary>Longer than a line may be.</summary>
    TooLong,
    /// <summary>Cut off by the end of its file.</summary>
    CutOff,
    /// <summary>No JSON object, or more than one.</summary>
    NotJson,
    /// <summary>A line of columns before a header said what they are.</summary>
    NoHeader,
    /// <summary>More or fewer columns than the header names.</summary>
    Columns,
    /// <summary>Not how this format writes a line.</summary>
    Syntax,
    /// <summary>No time, or none that can be read.</summary>
    Timestamp,
    /// <summary>No source address, or none that can be read.</summary>
    Source,
    /// <summary>A destination that is missed or that cannot be read.</summary>
    Destination,
    /// <summary>A DNS record without a name, or with one longer than any.</summary>
    Query,
    /// <summary>An HTTP record that no URL can be made of.</summary>
    Url,
}

public static class LineVerdicts
{
    public const int Count = (int)LineVerdict.Url + 1;

    /// <summary>Every reason for which a line is skipped.</summary>
    public static readonly LineVerdict[] Skips = [.. Enum.GetValues<LineVerdict>().Where(v => v.IsSkip())];

    /// <summary>The line should have been an event and could not be read.</summary>
    public static bool IsSkip(this LineVerdict verdict) => verdict >= LineVerdict.TooLong;

    /// <summary>In metrics and in JSON.</summary>
    public static string Name(this LineVerdict verdict) => verdict switch
    {
        LineVerdict.Event => "event",
        LineVerdict.Held => "held",
        LineVerdict.Answer => "answer",
        LineVerdict.Header => "header",
        LineVerdict.Other => "other",
        LineVerdict.Unwanted => "unwanted",
        LineVerdict.TooLong => "too_long",
        LineVerdict.CutOff => "cut_off",
        LineVerdict.NotJson => "not_json",
        LineVerdict.NoHeader => "no_header",
        LineVerdict.Columns => "columns",
        LineVerdict.Syntax => "syntax",
        LineVerdict.Timestamp => "timestamp",
        LineVerdict.Source => "source",
        LineVerdict.Destination => "destination",
        LineVerdict.Query => "query",
        _ => "url",
    };

    /// <summary>For people: what is the matter with a line that was skipped.</summary>
    public static string Sentence(this LineVerdict verdict) => verdict switch
    {
        LineVerdict.TooLong => "it is longer than 1 MiB",
        LineVerdict.CutOff => "the file ends within it",
        LineVerdict.NotJson => "it is no JSON object",
        LineVerdict.NoHeader => "no header before it says what its columns are",
        LineVerdict.Columns => "it has not as many columns as its header",
        LineVerdict.Syntax => "it is not how this format writes a line",
        LineVerdict.Timestamp => "its time is missing or cannot be read",
        LineVerdict.Source => "its source address is missing or cannot be read",
        LineVerdict.Destination => "its destination address is missing or cannot be read",
        LineVerdict.Query => "it has no name that was asked for",
        LineVerdict.Url => "it has no host or URL",
        _ => "",
    };
}
