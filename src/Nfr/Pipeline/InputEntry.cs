using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Pipeline;

/// <summary>One log worker's numbers for the ledger.</summary>
/// <param name="Name">Of its input: logs, syslog, elastic, files.</param>
/// <param name="Sources">Each file pattern, listener or search by itself; the same ones in the same order as long as the sensor runs.</param>
/// <param name="Mistakes">Our own, that ended the input's loop; it was begun anew.</param>
sealed record InputEntry(string Name, IReadOnlyList<LogCounters> Sources, long Mistakes)
{
    public long Lines => Sources.Sum(s => s.Lines);

    public long EventsOf(EventType type) => Sources.Sum(s => s.Events[(int)type]);

    public InputEntry Since(InputEntry earlier) => this with
    {
        Sources = [.. Sources.Select((s, i) => s.Since(earlier.Sources[i]))],
        Mistakes = Mistakes - earlier.Mistakes,
    };

    /// <summary>What became of lines that are neither events nor skipped, for people.</summary>
    public static string Spell(LineVerdict verdict) => verdict switch
    {
        LineVerdict.Event => "made events",
        LineVerdict.Held => "queries held for their answers",
        LineVerdict.Answer => "answers to those",
        LineVerdict.Header => "headers, comments and blank lines",
        LineVerdict.Other => "of kinds that are no events",
        LineVerdict.Unwanted => "of a type that is not wanted",
        _ => "skipped: " + verdict.Sentence().Replace(" or cannot be read", "", StringComparison.Ordinal),
    };
}
