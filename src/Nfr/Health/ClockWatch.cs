using Nfr.Events;
using Nfr.Native;

namespace Nfr.Health;

/// <summary>What is known of the wall clock.</summary>
/// <param name="Kernel">How it is kept; null where nobody tells.</param>
/// <param name="Set">By how much it was set since the start, all jumps together; slewing does not count, the monotonic clock is slewed with it.</param>
/// <param name="Jumps">How often it was set since the start.</param>
/// <param name="LastJump">The latest one's length, forward above zero.</param>
/// <param name="LastJumpAt">When, by the clock as it was then set; null before the first.</param>
readonly record struct ClockFacts(ClockStatus? Kernel, TimeSpan Set, long Jumps, TimeSpan LastJump, DateTimeOffset? LastJumpAt)
{
    /// <summary>The time is the guess that the start of the box made (when it last ran, or was built), going on since.</summary>
    public bool IsGuess { get; init; }

    /// <summary>Nobody has set the clock since the box came up, so that what it says is wrong by as long as the box was off.</summary>
    public bool IsUnset(DateTimeOffset now) => ClockFloor.IsUnset(now) || (IsGuess && Kernel is not { IsSynchronised: true });
}

/// <summary>Holds the wall clock against the monotonic one, to see when somebody sets it. Any thread.</summary>
sealed class ClockWatch(TimeProvider time, Func<ClockStatus?>? kernel = null, TimeKeepingPlaces? places = null)
{
    /// <summary>Less than this is the time that passes between reading two clocks on a busy box.</summary>
    public static readonly TimeSpan LeastJump = TimeSpan.FromSeconds(0.25);

    readonly Lock _lock = new();
    readonly Func<ClockStatus?> _kernel = kernel ?? (() => TimeKeeping.Read(TimeKeepingPlaces.Default, time));
    readonly TimeKeepingPlaces _places = places ?? TimeKeepingPlaces.Default;
    DateTimeOffset _wall = time.GetUtcNow();
    long _mark = time.GetTimestamp();
    TimeSpan _set;
    long _jumps;
    TimeSpan _lastJump;
    DateTimeOffset? _lastJumpAt;

    /// <summary>Now. Two jumps between two looks count as one, or as none if they undo each other.</summary>
    public ClockFacts Look()
    {
        lock (_lock)
        {
            DateTimeOffset wall = time.GetUtcNow();
            long mark = time.GetTimestamp();
            TimeSpan jump = wall - _wall - time.GetElapsedTime(_mark, mark);
            // The reference stays while nothing jumps: many small steps add up and are found.
            if (jump.Duration() >= LeastJump)
            {
                (_wall, _mark) = (wall, mark);
                _set += jump;
                _jumps++;
                (_lastJump, _lastJumpAt) = (jump, wall);
            }
            return new ClockFacts(_kernel(), _set, _jumps, _lastJump, _lastJumpAt) { IsGuess = TimeKeeping.IsGuess(_places.Guess, time) };
        }
    }
}
