using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

// The side of those who take events out of the ring.
public sealed partial class Spool
{
    const string TrimState = "trim";

    SpoolConsumer[] _consumers = [];
    IReadOnlyList<string> _names = [];
    SpoolProgress.Line[] _publishedProgress = [];

    // Before anything asks for one: once the file is open, for it may be the file's own that are meant.
    void NameConsumers(SpoolFile file)
    {
        _names = _options.KeepConsumers ? [.. file.Progress.Names] : _options.Consumers;
        _consumers = [.. _names.Select((name, index) => new SpoolConsumer(this, index, name))];
    }

    /// <summary>Those who take events, in the order of <see cref="SpoolOptions.Consumers"/>.</summary>
    public IReadOnlyList<SpoolConsumer> Consumers => _consumers;

    /// <summary>One of those whom <see cref="SpoolOptions.Consumers"/> names.</summary>
    public SpoolConsumer Consumer(string name) =>
        Array.Find(_consumers, consumer => consumer.Name == name) ?? throw new ArgumentException($"The spool has no consumer {name}.", nameof(name));

    /// <summary>The sequence number that the next event of a type gets.</summary>
    public long NextSequence(EventType type)
    {
        lock (_writeLock) return _file?.Ledger.NextOfType(Lane.Of(type, false)) ?? 1;
    }

    /// <summary>The sequence number that the next alert gets.</summary>
    public long NextAlertSequence
    {
        get
        {
            lock (_writeLock) return _file?.Ledger.NextAlert ?? 1;
        }
    }

    internal SpoolBatch? Peek(int consumer, EventType type, int maxEvents, int maxBytes, SpoolEnd end)
    {
        if (end == SpoolEnd.Live && !BeginLive(consumer, type)) return null;
        // Each round with a bad row takes it out of the ring, so that this ends.
        while (true)
        {
            SpoolProgress.Line line = Progress(consumer, type);
            if (line.IsOff) return null;
            var bad = new List<SpoolReader.BadRow>();
            SpoolBatch? batch = null;
            SqliteError error = Read(r =>
            {
                if (end == SpoolEnd.Oldest)
                {
                    SqliteError first = r.Peek(Name(consumer), type, line.Through + 1, line.Before, maxEvents, maxBytes, out batch, bad);
                    // A backlog that was evicted to its end: what follows is the oldest.
                    if (first.IsError || batch is not null || bad.Count > 0 || line.LiveFrom == 0) return first;
                }
                return r.Peek(Name(consumer), type, line.Next(long.MaxValue), long.MaxValue, maxEvents, maxBytes, out batch, bad);
            }, out SpoolReader? reader);
            if (error.IsError)
            {
                MeetReadError(error, reader);
                return null;
            }
            if (bad.Count == 0) return batch;
            lock (_writeLock)
            {
                if (_disposed) return null;
                long stamp = Stamp();
                SpoolFault? fault = Write(file =>
                {
                    foreach (SpoolReader.BadRow row in bad) file.MoveRowAside(row.Lane, row.Id, row.First, row.Last, row.Owner, stamp);
                });
                if (fault is not null) return null;
            }
        }
    }

    // What waits now becomes the backlog; false when nothing waits, or this cannot be noted.
    bool BeginLive(int consumer, EventType type)
    {
        lock (_writeLock)
        {
            if (_disposed || _file is null) return false;
            if (_file.Progress[consumer, type].LiveFrom > 0) return true;
            if (_file.Progress[consumer, type].Tally(_file.Ledger.SpooledOfType((int)type)).Waiting == 0) return false;
            return Write(file =>
            {
                long next = file.Ledger.NextOfType(Lane.Of(type, false));
                ref SpoolProgress.Line line = ref file.Progress[consumer, type];
                (line.LiveFrom, line.LiveThrough) = (next, next - 1);
            }) is null;
        }
    }

    internal SpoolFault? BeginLive(int consumer, EventType type, long from)
    {
        lock (_writeLock)
        {
            if (_disposed) return Closed();
            if (_file is null || from > _file.Ledger.NextOfType(Lane.Of(type, false))) return null;
            SpoolProgress.Line now = _file.Progress[consumer, type];
            // What was delivered at the live end stays there: there is one hole, not two.
            if (now.IsOff || from <= now.LiveFrom || from <= now.Through + 1 || (now.LiveFrom > 0 && now.LiveThrough >= now.LiveFrom)) return null;
            return Write(file =>
            {
                ref SpoolProgress.Line line = ref file.Progress[consumer, type];
                if (file.AnyRow(consumer, type, line.Through + 1, from - 1)) (line.LiveFrom, line.LiveThrough) = (from, from - 1);
            });
        }
    }

    internal SpoolFault? Settle(int consumer, SpoolBatch batch, string? reason)
    {
        ArgumentNullException.ThrowIfNull(batch);
        lock (_writeLock)
        {
            if (_disposed) return Closed();
            long stamp = Stamp();
            return Write(file => file.Settle(consumer, batch.Type, batch.FirstSequence, batch.LastSequence, reason, stamp));
        }
    }

    /// <summary>How long the oldest events that wait for a consumer have waited while the spool was open; null when none wait.</summary>
    internal TimeSpan? OldestAge(int consumer, EventType type) =>
        Oldest(consumer, type, Progress(consumer, type)).Born is { } born ? TimeSpan.FromMilliseconds(Math.Clamp(Running - born, 0, int.MaxValue * 1000L)) : null;

    (long? Stamp, long? Born) Oldest(int consumer, EventType type, SpoolProgress.Line line)
    {
        long? stamp = null, born = null;
        SqliteError error = Read(r =>
        {
            SqliteError first = r.OldestStamp(Name(consumer), type, line.Through + 1, line.Before, out stamp, out born);
            return first.IsError || stamp is not null || line.LiveFrom == 0 ? first : r.OldestStamp(Name(consumer), type, line.LiveThrough + 1, long.MaxValue, out stamp, out born);
        }, out SpoolReader? reader);
        if (error.IsError) MeetReadError(error, reader);
        return (stamp, born);
    }

    internal ConsumerTally Tally(int consumer, EventType type)
    {
        SpoolProgress.Line line;
        long spooled;
        lock (_tallyLock)
        {
            line = _publishedProgress[SpoolProgress.Index(consumer, type)];
            spooled = _published[Lane.Of(type, false)].Spooled + _published[Lane.Of(type, true)].Spooled;
        }
        ConsumerTally tally = line.Tally(spooled);
        if (tally.Waiting == 0) return tally;
        (long? stamp, _) = Oldest(consumer, type, line);
        return tally with { OldestWaiting = stamp is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, 0, 253_402_300_799_999)) : null };
    }

    string Name(int consumer) => _consumers[consumer].Name;

    SpoolProgress.Line Progress(int consumer, EventType type)
    {
        lock (_tallyLock) return _publishedProgress[SpoolProgress.Index(consumer, type)];
    }

    Func<string, EventType, bool>? Takes => _options.KeepConsumers ? null : (name, type) => !_options.ConsumerTypes.TryGetValue(name, out IReadOnlyList<EventType>? types) || types.Contains(type);

    // In the start's transaction. Who is named no more is gone, and what waited for it alone goes next: the mark for that outlives a kill.
    void SetConsumers(SpoolFile file)
    {
        bool gone = false;
        foreach (string name in file.Progress.Names) gone |= !_names.Contains(name);
        for (int i = 0; i < file.Progress.Names.Count; i++)
        {
            foreach (EventType type in EventTypes.Uploaded) gone |= Takes?.Invoke(file.Progress.Names[i], type) == false && !file.Progress[i, type].IsOff;
        }
        file.Progress.Set(_names, file.Ledger, Takes, file.OthersOf);
        if (gone && _names.Count > 0) file.SetState(TrimState, "1");
    }

    // In small transactions, so that the log keeps within its limits.
    void TrimSettled()
    {
        const int rowsAtOnce = 256;
        if (_names.Count == 0) return;
        _reader!.GetState(TrimState, out string? mark);
        if (mark != "1") return;
        long stamp = Stamp();
        for (int lane = 0; lane < Lane.Count; lane++)
        {
            for (long from = 1; from > 0;)
            {
                long next = 0;
                if (Write(file => next = file.TrimSettled(lane, from, rowsAtOnce, stamp)) is not null) return;
                from = next;
            }
        }
        Write(file => file.SetState(TrimState, "0"));
    }
}
