using System.Globalization;
using Nfr.Events;
using Nfr.Health;
using Nfr.Logs;

namespace Nfr.Pipeline;

/// <summary>
/// Promise 12 for one source of lines: says in plain words what it does not give, and what to do about it. Looked at as often as a port is; each condition
/// is told once when it begins, once when it ends, and again after an hour.
/// </summary>
sealed class InputObserver(string name, Action<bool, string> tell, TimeProvider time)
{
    /// <summary>No event for so long since the start is worth a word.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(50);

    static readonly TimeSpan s_again = TimeSpan.FromHours(1);

    /// <summary>Fewer lines prove nothing of what a log holds.</summary>
    const long Enough = 20;

    readonly Dictionary<string, long> _told = [];
    readonly Dictionary<string, Trouble> _holding = [];
    readonly long _start = time.GetTimestamp();
    Trouble[] _troubles = [];
    LogCounters _window = new(name);
    long _lastLines;
    long _lastMoved = time.GetTimestamp();

    public string Name => name;

    /// <summary>What holds now. Any thread.</summary>
    public IReadOnlyList<Trouble> Troubles => Volatile.Read(ref _troubles);

    public void Look(LogCounters counters, InputReport? report)
    {
        long instant = time.GetTimestamp();
        if (counters.Lines != _lastLines) _lastMoved = instant;
        _lastLines = counters.Lines;
        bool late = time.GetElapsedTime(_start, instant) >= s_patience;
        // Its own trouble explains all else, and the input itself has told the log of it.
        string? own = report?.Trouble;
        if (own is not null) _holding["own"] = Parted(Gravity.Fault, $"{name}: {own}");
        else _holding.Remove("own");
        Condition("stuck", own is null && report?.Behind > 0 && time.GetElapsedTime(_lastMoved, instant) >= s_patience, Gravity.Fault,
            () => string.Create(CultureInfo.InvariantCulture, $"{name} is not read though {report!.Behind:N0} more of it wait; see whether the spool can be written, and report it if it can"),
            $"{name} is read again");
        Condition("nothing", own is null && late && counters.Lines == 0, Gravity.Notice,
            () => $"{name} has given no line since the start; see that what should write it does, and writes there",
            $"{name} gives lines now");
        LogCounters window = counters.Since(_window);
        if (window.Lines >= Enough || (late && window.Lines > 0))
        {
            _window = counters.Copy();
            Judge(window);
        }
        Volatile.Write(ref _troubles, [.. _holding.Values]);
    }

    void Judge(LogCounters window)
    {
        bool events = window.Events.Sum() + window.Verdicts[(int)LineVerdict.Held] + window.Verdicts[(int)LineVerdict.Answer] > 0;
        long headers = window.Verdicts[(int)LineVerdict.Header], worth = window.Lines - headers;
        Condition("unreadable", !events && worth > 0 && window.Skipped == worth, Gravity.Fault,
            () =>
            {
                LineVerdict most = LineVerdicts.Skips.MaxBy(v => window.Verdicts[(int)v]);
                return string.Create(CultureInfo.InvariantCulture, $"none of the last {window.Lines:N0} lines of {name} could be read: {most.Sentence()}; see the log for one of them, and set format: to what writes it");
            },
            $"{name} can be read now");
        Condition("other", !events && worth > 0 && window.Skipped < worth, Gravity.Notice,
            () => window.Verdicts[(int)LineVerdict.Unwanted] > 0
                ? string.Create(CultureInfo.InvariantCulture, $"{name} gives no events of the wanted type: {window.Lines:N0} lines came; set type: to what it holds, or leave it out for all")
                : string.Create(CultureInfo.InvariantCulture, $"{name} gives no events: {window.Lines:N0} lines came, of kinds that are none; follow the log of queries, flows or requests, and see that it is switched on where it is written"),
            $"{name} gives events now");
    }

    /// <param name="condition">Its name.</param>
    /// <param name="holds">Whether it holds now.</param>
    /// <param name="gravity">While it holds.</param>
    /// <param name="sentence">What there is, a semicolon, what to do.</param>
    /// <param name="over">For the log.</param>
    void Condition(string condition, bool holds, Gravity gravity, Func<string> sentence, string over)
    {
        long now = time.GetTimestamp();
        if (holds)
        {
            string text = sentence();
            _holding[condition] = Parted(gravity, text);
            if (_told.TryGetValue(condition, out long told) && time.GetElapsedTime(told, now) < s_again) return;
            _told[condition] = now;
            tell(true, "input: " + text);
        }
        else if (_told.Remove(condition))
        {
            _holding.Remove(condition);
            tell(false, "input: " + over);
        }
    }

    static Trouble Parted(Gravity gravity, string text)
    {
        int mark = text.IndexOf("; ", StringComparison.Ordinal);
        return mark < 0 ? new Trouble(gravity, "input", text, "") : new Trouble(gravity, "input", text[..mark], text[(mark + 2)..]);
    }
}
