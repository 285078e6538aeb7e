namespace Nfr.Faults.Clock;

/// <summary>What happens to a wall clock in an hour.</summary>
/// <param name="Name">As the report has it.</param>
/// <param name="Boot">What it says at first, as a distance from the truth.</param>
/// <param name="Steps">By seconds since the start: how far from the truth it is from then on.</param>
sealed record ClockScript(string Name, TimeSpan Boot, IReadOnlyDictionary<int, TimeSpan> Steps)
{
    /// <summary>While events lie between their acceptance and their commit, each second.</summary>
    public Func<int, TimeSpan>? WithinFlush { get; init; }
    /// <summary>Local time goes back by an hour in the middle of it.</summary>
    public bool DaylightSaving { get; init; }

    static readonly TimeSpan s_hour = TimeSpan.FromHours(1);
    static readonly TimeSpan s_year = TimeSpan.FromDays(365);
    /// <summary>From the truth (the virtual time's beginning) to 1970.</summary>
    static readonly TimeSpan s_1970 = DateTimeOffset.UnixEpoch - new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    static ClockScript Of(string name, params (int At, TimeSpan To)[] steps) => new(name, TimeSpan.Zero, steps.ToDictionary(s => s.At, s => s.To));

    public static ClockScript Truth { get; } = Of("a clock that is right");

    public static IReadOnlyList<ClockScript> All { get; } =
    [
        Of("an hour ahead", (300, s_hour)),
        Of("an hour back", (300, -s_hour)),
        Of("ten years back", (300, -10 * s_year)),
        Of("fifty years ahead", (300, 50 * s_year)),
        Of("1970 at boot, then NTP") with { Boot = s_1970, Steps = new Dictionary<int, TimeSpan> { [180] = TimeSpan.Zero } },
        Of("1970 all the time") with { Boot = s_1970 },
        Of("daylight saving ends, by the zone and by hand", (1500, s_hour), (1600, TimeSpan.Zero)) with { DaylightSaving = true },
        Of("fifty years ahead and back during a back-off", (1000, 50 * s_year), (1120, TimeSpan.Zero)),
        Of("to and fro during each flush") with { WithinFlush = second => second % 2 == 0 ? s_hour : -s_hour },
        Of("ten years back across a restart", (1799, -10 * s_year), (1805, TimeSpan.Zero)),
        Of("1970 across a restart, never set again", (1799, s_1970)),
        Of("another year each second", [.. Enumerable.Range(1, 3500).Select(s => (s, ((s * 7919 % 41) - 20) * s_year))]),
        Of("stands still", [.. Enumerable.Range(1, 3500).Select(s => (s, TimeSpan.FromSeconds(-s)))]),
    ];

    public override string ToString() => Name;
}
