using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>How far a stamp can be trusted.</summary>
public enum ClockQuality : byte
{
    /// <summary>A time service keeps the clock, or has kept it since the box came up.</summary>
    Synced,
    /// <summary>It runs, from a battery or from where it was switched off; nobody has set it yet.</summary>
    Free,
    /// <summary>It says a time before this program was written.</summary>
    Unset,
}

/// <summary>
/// Puts right the stamps that were made before the clock was set. An epoch begins with a boot: from there on, by type and for alerts, sequence numbers are its own, and its wall clock is the
/// monotonic one (which counts from the boot, over restarts of the program) and a difference. When the clock is set for the first time, the difference jumps: that is what its
/// earlier stamps are wrong by, and it is noted with the last time that the old clock can have said. Lines are corrected on their way out, so the ring's order and limits stay as they
/// are; an epoch that ended before its clock was set keeps its stamps, and its place. Thread-safe.
/// </summary>
public sealed class ClockEpochs
{
    /// <summary>The spool's name for them.</summary>
    const string State = "clock.epochs";
    /// <summary>The oldest go first: their events have left the ring, or never will be right.</summary>
    const int Most = 32;
    /// <summary>Behind the types' lines that of the alerts.</summary>
    const int AlertLine = EventTypes.UploadedCount;
    /// <summary>A smaller step is a correction of a clock that was right.</summary>
    static readonly TimeSpan s_step = TimeSpan.FromMinutes(1);

    readonly record struct Step(long Limit, long Correction);

    sealed record Epoch(string Boot, long[] From, long Difference, IReadOnlyList<Step> Steps);

    readonly Spool _spool;
    readonly TimeProvider _time;
    readonly Func<bool?> _isSynchronised;
    readonly Lock _lock = new();
    readonly List<Epoch> _epochs = [];
    bool _everSynced;
    bool _unsaved;
    volatile int _quality;

    /// <param name="spool">Keeps them.</param>
    /// <param name="time">Both clocks; the monotonic one counts from the boot.</param>
    /// <param name="boot">Another one for each boot (/proc/sys/kernel/random/boot_id).</param>
    /// <param name="isSynchronised">What the kernel says; null = it does not.</param>
    public ClockEpochs(Spool spool, TimeProvider time, string boot, Func<bool?> isSynchronised)
    {
        (_spool, _time, _isSynchronised) = (spool, time, isSynchronised);
        Read(spool.GetState(State));
        // Without an earlier epoch one that is right from the first has nothing to be told apart from.
        if ((_epochs.Count == 0 && !IsSynced()) || (_epochs.Count > 0 && _epochs[^1].Boot != boot))
        {
            _epochs.Add(new Epoch(boot, [.. EventTypes.Uploaded.Select(spool.NextSequence), spool.NextAlertSequence], Difference(), []));
            if (_epochs.Count > Most) _epochs.RemoveAt(0);
            _unsaved = true;
        }
        // Set while the program was not there.
        Look();
    }

    public ClockQuality Quality => (ClockQuality)_quality;

    /// <summary>Looks at the clocks; to be called every few seconds. True when earlier stamps were found to be wrong, and by how much is known now.</summary>
    public bool Look()
    {
        lock (_lock)
        {
            bool synced = IsSynced(), stepped = false;
            if (_epochs.Count > 0 && !_everSynced)
            {
                long difference = Difference();
                Epoch epoch = _epochs[^1];
                long step = difference - epoch.Difference;
                if (step >= s_step.Ticks * 100)
                {
                    // The last that the old clock can have said, and a bit, which is still before the first that the new one says.
                    long limit = Nanoseconds(_time.GetUtcNow()) - step + (s_step.Ticks * 50);
                    _epochs[^1] = epoch with { Difference = difference, Steps = [.. epoch.Steps.TakeLast(7), new Step(limit, step)] };
                    stepped = _unsaved = true;
                }
                else if (step != 0)
                {
                    _epochs[^1] = epoch with { Difference = difference };
                }
            }
            _everSynced |= synced;
            _quality = (int)(ClockFloor.IsUnset(_time.GetUtcNow()) ? ClockQuality.Unset : _everSynced ? ClockQuality.Synced : ClockQuality.Free);
            // What could not be written is tried again at the next look.
            if (_unsaved) _unsaved = _spool.SetState(State, Write()) is not null;
            return stepped;
        }
    }

    /// <summary>Whether a batch may hold stamps that have to be put right.</summary>
    public bool Touches(SpoolBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Touches((int)batch.Type, batch.FirstSequence, batch.LastSequence);
    }

    /// <summary>The stamp that an event has by what is known now; nanoseconds since 1970.</summary>
    public long Corrected(EventType type, long sequence, long stamp) => Corrected((int)type, sequence, stamp);

    /// <summary>
    /// An alert of the spool with the stamps that it and its samples have by what is known now. An engine's alert is of an event that went to it with the right stamp; so only one
    /// is touched that says of itself that the clock was not set, or whose stamp the wrong clock can have said between the boot and its end.
    /// </summary>
    public StoredAlert Corrected(StoredAlert stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        Alert alert = stored.Alert;
        if (!Touches(AlertLine, stored.Sequence, stored.Sequence) || !EventTime.TryParse(Encoding.UTF8.GetBytes(alert.Event.Ts), out long stamp)) return stored;
        if (alert.Clock is null && stamp < FirstOfBoot(stored.Sequence)) return stored;
        long right = Corrected(AlertLine, stored.Sequence, stamp);
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        string ts = right == stamp ? alert.Event.Ts : Encoding.UTF8.GetString(text[..EventTime.Format(right, text)]);
        AlertEvidence? evidence = alert.Evidence is { } e ? e with { Samples = [.. e.Samples.Select(sample => Sample(sample, stored.Sequence))] } : null;
        return stored with { Alert = alert with { Event = alert.Event with { Ts = ts }, Evidence = evidence }, Original = stored.Original };
    }

    /// <summary>What the clock said when the boot began in which an alert was raised, less what it may have been slewed by since.</summary>
    long FirstOfBoot(long sequence)
    {
        lock (_lock)
        {
            Epoch? epoch = _epochs.FindLast(e => e.From[AlertLine] <= sequence);
            return epoch is null ? long.MaxValue : epoch.Difference - epoch.Steps.Sum(s => s.Correction) - (s_step.Ticks * 100);
        }
    }

    string Sample(string sample, long sequence)
    {
        using MemoryStream line = new(sample.Length + EventTime.MaxLength);
        EventLine.WriteRestamped(Encoding.UTF8.GetBytes(sample), stamp => Corrected(AlertLine, sequence, stamp), line);
        return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length);
    }

    bool Touches(int line, long first, long last)
    {
        lock (_lock)
        {
            for (int i = 0; i < _epochs.Count; i++)
            {
                long until = i + 1 < _epochs.Count ? _epochs[i + 1].From[line] : long.MaxValue;
                if (_epochs[i].Steps.Count > 0 && _epochs[i].From[line] <= last && until > first) return true;
            }
            return false;
        }
    }

    long Corrected(int line, long sequence, long stamp)
    {
        lock (_lock)
        {
            for (int i = _epochs.Count - 1; i >= 0; i--)
            {
                if (_epochs[i].From[line] > sequence) continue;
                // In the order in which the clock was set: each puts right what the one before made of it.
                foreach (Step step in _epochs[i].Steps)
                {
                    if (stamp <= step.Limit) stamp += step.Correction;
                }
                return stamp;
            }
            return stamp;
        }
    }

    bool IsSynced() => !ClockFloor.IsUnset(_time.GetUtcNow()) && (_isSynchronised() ?? true);

    static long Nanoseconds(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks * 100;

    long Difference() => Nanoseconds(_time.GetUtcNow()) - ((long)(_time.GetTimestamp() * (decimal)TimeSpan.TicksPerSecond / _time.TimestampFrequency) * 100);

    string Write()
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartArray();
            foreach (Epoch epoch in _epochs)
            {
                json.WriteStartObject();
                json.WriteString("boot", epoch.Boot);
                json.WriteNumber("difference", epoch.Difference);
                Numbers(json, "from", epoch.From);
                Numbers(json, "steps", epoch.Steps.SelectMany(s => new[] { s.Limit, s.Correction }));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }

    static void Numbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    void Read(string? text)
    {
        if (string.IsNullOrEmpty(text)) return;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonElement item in document.RootElement.EnumerateArray())
            {
                long[] from = [.. item.GetProperty("from").EnumerateArray().Select(n => n.GetInt64())], steps = [.. item.GetProperty("steps").EnumerateArray().Select(n => n.GetInt64())];
                // Written before alerts had a line: theirs keep their stamps.
                if (from.Length == AlertLine) from = [.. from, long.MaxValue];
                if (from.Length != AlertLine + 1) continue;
                _epochs.Add(new Epoch(item.GetProperty("boot").GetString() ?? "", from, item.GetProperty("difference").GetInt64(), [.. steps.Chunk(2).Where(p => p.Length == 2).Select(p => new Step(p[0], p[1]))]));
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Of another version: stamps stay as they are.
            _epochs.Clear();
        }
    }
}
