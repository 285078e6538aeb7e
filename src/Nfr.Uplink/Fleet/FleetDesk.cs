using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>
/// Decides about commands: believed, for us, new, young and known, in this order; and what is refused is counted, told now and then, and answered. What is believed is noted on disk
/// before it is acted on. Where the numbers cannot be read or written, nothing is obeyed. One thread.
/// </summary>
sealed class FleetDesk(FleetOptions options, FleetSequences sequences, Func<FleetCommand, Action<FleetAnswer>, FleetAnswer?> act, TimeProvider time, Action<UplinkNotice> notice)
{
    static readonly TimeSpan s_age = TimeSpan.FromMinutes(5);
    /// <summary>Between two lines of the log about refusals, and answers to those whom nobody knows.</summary>
    static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(10);

    readonly long[] _refused = new long[Enum.GetValues<FleetRefusal>().Length];
    long _taken;
    long? _told;
    long _untold;

    public long Taken => Interlocked.Read(ref _taken);

    public IReadOnlyList<long> Refused => [.. _refused];

    /// <param name="message">As it came.</param>
    /// <param name="answer">Where answers go that take longer; from any thread.</param>
    /// <returns>Null when there is nothing to answer (yet).</returns>
    public FleetAnswer? Take(ReadOnlySpan<byte> message, Action<FleetAnswer> answer)
    {
        FleetCommand? command = FleetCommand.Verify(message, options.Keys, out string key, out FleetRefusal refusal);
        if (command is null) return Refuse(refusal, key.Length == 0 ? null : key, null, WhyOf(refusal));
        if (command.To != options.Topics.Address) return Refuse(FleetRefusal.NotForUs, key, command, $"it is for {Short(command.To)}, this is {options.Topics.Address}");
        if (!sequences.TryMend()) return Refuse(FleetRefusal.NotNoted, key, command, sequences.Fault!);
        long last = sequences.LastOf(key);
        if (command.Sequence <= last) return Refuse(FleetRefusal.Replayed, key, command, $"sequence number {command.Sequence} is not above {last}, the last one of this key: it came before, or the sender's count is behind");
        DateTimeOffset now = time.GetUtcNow();
        // A clock that is not set knows no age: the number alone counts then, and without one to compare with a command of any age could be played again.
        if (ClockFloor.IsUnset(now) && last < 0)
            return Refuse(FleetRefusal.Old, key, command, "this sensor's clock is not set and it knows no earlier number of this key, so it cannot tell a new command from an old one; send it again when the clock is set");
        if (!ClockFloor.IsUnset(now) && (now - command.Time).Duration() > s_age)
            return Refuse(FleetRefusal.Old, key, command, $"it was made at {command.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC and this sensor's clock says {now.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: more than five minutes lie between");
        if (sequences.Advance(key, command.Sequence) is { } unnoted) return Refuse(FleetRefusal.NotNoted, key, command, $"its sequence number cannot be written down, so that it could be repeated: {unnoted}");
        FleetAnswer Complete(FleetAnswer said) => said with { Time = time.GetUtcNow(), Key = key, Sequence = command.Sequence, Command = command.Command };
        FleetAnswer? done;
        try
        {
            done = act(command, later => answer(Complete(later)));
        }
        catch (Exception mistake)
        {
            notice(new UplinkNotice(NoticeLevel.Error, $"fleet: a mistake in nfr itself at the command {Short(command.Command)}: {mistake.GetType().Name}: {mistake.Message}"));
            done = new FleetAnswer { Ok = false, Why = "a mistake in nfr itself, see the sensor's log" };
        }
        if (done is { Ok: false, Result: FleetAnswer.UnknownMark }) return Refuse(FleetRefusal.Unknown, key, command, done.Why);
        Interlocked.Increment(ref _taken);
        notice(new UplinkNotice(NoticeLevel.Information, $"fleet: the command {Short(command.Command)} of key {key}, number {command.Sequence}, is obeyed"));
        return done is null ? null : Complete(done);
    }

    /// <summary>One that came while too many others wait: not obeyed, and its sender is told so. Its number is as good afterwards as before.</summary>
    public FleetAnswer? TurnAway(ReadOnlySpan<byte> message)
    {
        FleetCommand? command = FleetCommand.Verify(message, options.Keys, out string key, out FleetRefusal refusal);
        if (command is null) return Refuse(refusal, key.Length == 0 ? null : key, null, WhyOf(refusal));
        if (command.To != options.Topics.Address) return Refuse(FleetRefusal.NotForUs, key, command, $"it is for {Short(command.To)}, this is {options.Topics.Address}");
        return Refuse(FleetRefusal.Busy, key, command, "too many commands came at once; send it again in a moment");
    }

    /// <summary>Those for which there was no room even to look at them: counted and told in the log; nobody is answered, since nobody knows who sent them.</summary>
    public void Dropped(int count)
    {
        // The last of them is counted with the line itself.
        _refused[(int)FleetRefusal.Busy] += count - 1;
        _untold += count - 1;
        Refuse(FleetRefusal.Busy, null, null, "more came at once than can be looked at");
    }

    FleetAnswer? Refuse(FleetRefusal refusal, string? key, FleetCommand? command, string why)
    {
        _refused[(int)refusal]++;
        _untold++;
        bool quiet = _told is { } told && time.GetElapsedTime(told) < s_quiet;
        if (!quiet)
        {
            _told = time.GetTimestamp();
            notice(new UplinkNotice(NoticeLevel.Warning, $"fleet: a command{(command is null ? "" : $" {Short(command.Command)}")} is refused: {why}{(_untold > 1 ? $" ({_untold} since the last such line)" : "")}"));
            _untold = 0;
        }
        // Whom nobody knows could otherwise make this sensor talk as much as it likes.
        return command is null && quiet ? null : new FleetAnswer { Time = time.GetUtcNow(), Key = key, Sequence = command?.Sequence, Command = command is null ? null : Short(command.Command), Ok = false, Why = why };
    }

    static string WhyOf(FleetRefusal refusal) => refusal switch
    {
        FleetRefusal.TooLong => $"it is longer than {FleetCommand.MostBytes} bytes",
        FleetRefusal.Forged => "none of the keys in fleet.command_keys signed it",
        _ => "it is no signed command (a compact JWS with ES256)",
    };

    static string Short(string text) => string.Concat(text.Take(40).Select(c => char.IsControl(c) ? '?' : c));
}
