using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// The upload of one event type. A batch is a stack of ranges of its lines, the oldest on top: accepted → noted as delivered and popped;
/// too large or refused → replaced by its halves, down to the one event that is put aside; anything else → the same range again after a
/// wait, if nothing of it was evicted meanwhile. The stack is worked from the oldest on, as the spool wants it. After an outage batches of what is new go by turns with those of the
/// backlog; new is what came since the last try that failed was begun.
/// </summary>
sealed class UploadLane
{
    /// <summary>A batch this large means that more is waiting: send on without a pause.</summary>
    const int BacklogEvents = 500;
    /// <summary>Bodies do not shrink below this, whatever the engine or the line say; single events may still be smaller.</summary>
    const int MinBytes = 64 << 10;
    /// <summary>A shrunken limit is doubled after so many batches without trouble.</summary>
    const int GrowAfter = 32;
    /// <summary>
    /// So many events refused one after the other with none accepted between: then it is not the events. From there on each refusal is
    /// followed by the growing wait, so that an engine that refuses everything costs a few events an hour and not the spool.
    /// </summary>
    const int RefusedInRow = 16;
    /// <summary>Statuses counted by themselves; HTTP has about so many that a server may say.</summary>
    const int MostStatuses = 32;

    readonly record struct LineRange(int Start, int Count);

    readonly EventType _type;
    readonly string _name;
    readonly IEventTarget _target;
    readonly Spool _spool;
    readonly SpoolConsumer _consumer;
    readonly UploadTypeOptions _options;
    readonly UploadOptions _all;
    readonly RequestPacer _pacer;
    readonly TimeProvider _time;
    readonly TroubleReport _report;
    readonly Action<UplinkNotice> _notice;
    readonly Backoff _backoff;
    readonly TimeSpan _backlogAge;
    readonly long _started;
    readonly ClockWait _clock;
    readonly Signal _work = new();
    readonly Signal _retry = new();

    long _spooled;
    int _maxBytes;
    int _goodBatches;
    int _refusedInRow;
    bool _failing;
    long _quarantineSaidAt;
    long _quarantinedUnsaid;
    UplinkTypeState _state;

    public UploadLane(
        EventType type, IEventTarget target, Spool spool, UploadOptions options, RequestPacer pacer, TimeProvider time, TroubleReport report,
        Action<UplinkNotice> notice, Random random)
    {
        _type = type;
        _name = type.Name();
        _target = target;
        _spool = spool;
        _consumer = spool.Consumer(options.Consumer);
        _all = options;
        _options = options.For(type);
        _pacer = pacer;
        _time = time;
        _report = report;
        _notice = notice;
        _backoff = new Backoff(options.BackoffBase, options.BackoffCap, random);
        _backlogAge = _options.FlushInterval * 2 > options.BacklogAge ? _options.FlushInterval * 2 : options.BacklogAge;
        _clock = new ClockWait(time);
        _started = time.GetTimestamp();
        _maxBytes = options.MaxBytes;
        _state = new UplinkTypeState { Type = type, Phase = _options.Enabled ? UplinkPhase.Idle : UplinkPhase.Off };
    }

    public bool Enabled => _options.Enabled;

    public UplinkTypeState State => Volatile.Read(ref _state);

    public void Spooled(int events)
    {
        if (Interlocked.Add(ref _spooled, events) >= _options.BufferSize) _work.Set();
    }

    public void TryNow()
    {
        _retry.Set();
        _work.Set();
    }

    public async Task RunAsync(CancellationToken stop, CancellationToken request)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Interlocked.Exchange(ref _spooled, 0);
                // The first that an engine gets after an outage is what happens now.
                if (_failing && IsOld() && _consumer.Peek(_type, _options.BufferSize, _maxBytes, SpoolEnd.Live) is { } now && !await DeliverAsync(now, SpoolEnd.Live, stop, request)) continue;
                SpoolBatch? batch = _consumer.Peek(_type, _options.BufferSize, _maxBytes);
                if (batch is not null && !await DeliverAsync(batch, SpoolEnd.Oldest, stop, request)) continue;
                if (batch is null || !IsBacklog(batch)) await _work.WaitAsync(_options.FlushInterval, _time, stop);
                else if (IsOld() && _consumer.Peek(_type, _options.BufferSize, _maxBytes, SpoolEnd.Live) is { } live) await DeliverAsync(live, SpoolEnd.Live, stop, request);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The head of the loop: our own mistake must not end the uploads.
                await MistakeAsync(e, stop);
            }
        }
    }

    bool IsBacklog(SpoolBatch batch) =>
        batch.Count >= Math.Min(BacklogEvents, _options.BufferSize) || batch.Body.Length >= _maxBytes / 2;

    /// <summary>What waits is of an outage: who looks at the engine now wants to see what happens now, and not the days before it first.</summary>
    bool IsOld() => _consumer.OldestAge(_type) > _backlogAge;

    async Task WindowAsync(CancellationToken stop)
    {
        while (ClockFloor.IsUnset(_time.GetUtcNow()) && _time.GetElapsedTime(_started) < _all.ClockPatience) await Task.Delay(TimeSpan.FromSeconds(1), _time, stop);
        while (!_all.Window.IsOpen(_time.GetLocalNow().DateTime))
        {
            Update(_state with { Phase = UplinkPhase.OutsideWindow });
            // A clock that is set and the summer's hour are seen within the minute.
            await Task.Delay(TimeSpan.FromMinutes(1), _time, stop);
        }
    }

    /// <summary>False when the batch has to be peeked anew, since it had to wait.</summary>
    async Task<bool> DeliverAsync(SpoolBatch batch, SpoolEnd end, CancellationToken stop, CancellationToken request)
    {
        Stack<LineRange> pending = new();
        pending.Push(new LineRange(0, batch.Count));
        while (pending.TryPeek(out LineRange range))
        {
            SpoolBatch part = range.Count == batch.Count ? batch : batch.Slice(range.Start, range.Count);
            await WindowAsync(stop);
            // Each time anew: what is known of stamps may have changed since the last try.
            ReadOnlyMemory<byte> body = _target.BodyOf(part);
            await _pacer.EnterAsync(_failing, stop);
            Update(_state with { Phase = UplinkPhase.Sending, BackingOffUntil = null });
            _clock.Mark();
            long next = _spool.NextSequence(_type);
            EngineReply reply = await _target.SendAsync(part, body, request);
            _failing = !reply.IsAccepted;
            _pacer.Leave(_failing);
            Count(reply);
            // Should the next try succeed, what came since this one need not stand behind the backlog. That it could not be noted costs that alone.
            if (_failing && (reply.Kind is not (EngineReplyKind.TooLarge or EngineReplyKind.Refused) || _refusedInRow >= RefusedInRow)) _consumer.BeginLive(_type, next);

            switch (reply.Kind)
            {
                case EngineReplyKind.Accepted:
                    pending.Pop();
                    await AcceptedAsync(reply, part, body.Length, stop);
                    break;
                case EngineReplyKind.TooLarge or EngineReplyKind.Refused:
                    if (reply.Kind == EngineReplyKind.TooLarge) Shrink(body.Length);
                    Failure(reply.Message);
                    if (_refusedInRow >= RefusedInRow)
                    {
                        await RefusesEverythingAsync(reply, batch, stop);
                        if (!IsThere(batch, range.Start, end)) return Anew();
                    }
                    if (range.Count > 1) Split(pending);
                    else await QuarantineAsync(pending, reply, part, stop);
                    break;
                case EngineReplyKind.Unauthorized:
                    await KeyRefusedAsync(reply, stop);
                    if (range.Count == batch.Count || !IsThere(batch, range.Start, end)) return Anew();
                    break;
                default:
                    if (reply.TimedOut && body.Length > MinBytes && range.Count > 1)
                    {
                        Shrink(body.Length);
                        Split(pending);
                    }
                    await UnavailableAsync(reply, batch, stop);
                    // Halves are kept, or an engine that refuses and fails by turns would never be done with them.
                    if ((range.Count == batch.Count && pending.Count == 1) || !IsThere(batch, range.Start, end)) return Anew();
                    break;
            }
            stop.ThrowIfCancellationRequested();
        }
        Update(_state with { Phase = UplinkPhase.Idle });
        return true;
    }

    bool Anew()
    {
        Update(_state with { Phase = UplinkPhase.Idle });
        return false;
    }

    /// <summary>Whether all that a batch has left is in the ring yet: what was evicted during a long wait is counted as that and must not go.</summary>
    bool IsThere(SpoolBatch batch, int start, SpoolEnd end)
    {
        int left = batch.Count - start;
        if (_consumer.Peek(_type, left, int.MaxValue, end) is not { } now || now.Count != left) return false;
        for (int i = 0; i < left; i++)
        {
            if (now.SequenceOf(i) != batch.SequenceOf(start + i)) return false;
        }
        return true;
    }

    void Count(EngineReply reply)
    {
        // Accepted without a status: nothing had to be sent.
        if (reply is { IsAccepted: true, Status: 0 }) return;
        int status = reply.Kind == EngineReplyKind.Unreachable ? UplinkTypeState.NoAnswer : reply.Status;
        Dictionary<int, long> requests = new(_state.Requests);
        int key = requests.ContainsKey(status) || requests.Count < MostStatuses ? status : UplinkTypeState.OtherStatus;
        requests[key] = requests.GetValueOrDefault(key) + 1;
        Update(_state with { Requests = requests });
    }

    static void Split(Stack<LineRange> pending)
    {
        LineRange range = pending.Pop();
        int left = range.Count / 2;
        pending.Push(new LineRange(range.Start + left, range.Count - left));
        pending.Push(new LineRange(range.Start, left));
    }

    void Shrink(int refusedLength)
    {
        _maxBytes = Math.Max(MinBytes, Math.Min(_maxBytes, refusedLength) / 2);
        _goodBatches = 0;
    }

    async Task AcceptedAsync(EngineReply reply, SpoolBatch part, int bytes, CancellationToken stop)
    {
        // An answer that takes none of the events is no sign that things are well.
        bool any = reply.RefusedEvents.Count < part.Count;
        if (any)
        {
            _backoff.Reset();
            _refusedInRow = 0;
        }
        if (_maxBytes < _all.MaxBytes && ++_goodBatches >= GrowAfter)
        {
            _goodBatches = 0;
            _maxBytes = Math.Min(_all.MaxBytes, _maxBytes * 2);
        }
        UplinkTypeState state = _state;
        Update(state with
        {
            LastSuccess = any ? _time.GetUtcNow() : state.LastSuccess,
            DeliveredEvents = state.DeliveredEvents + part.Count - reply.RefusedEvents.Count,
            DeliveredBatches = state.DeliveredBatches + (any ? 1 : 0),
            DeliveredBytes = state.DeliveredBytes + (any ? bytes : 0),
            RejectedEvents = state.RejectedEvents + reply.Rejected.Values.Sum(),
            Rejected = reply.Rejected.Count == 0 ? state.Rejected : Sum(state.Rejected, reply.Rejected),
        });
        // Before the note is written the batch must not be sent again: not noting it would double it.
        if (reply.RefusedEvents.Count == 0) await NoteAsync(() => _consumer.Delivered(part), stop);
        else await NotePartsAsync(reply.RefusedEvents, part, stop);
        if (any) _report.Succeeded(_name, lasted => $"uplink: {_target.Who} takes events again after {Spoken.Duration(lasted)}{WaitText()}");
    }

    /// <summary>Adds up reasons; a hostile engine's endless new ones end up under "other".</summary>
    static Dictionary<string, long> Sum(IReadOnlyDictionary<string, long> before, IReadOnlyDictionary<string, long> more)
    {
        Dictionary<string, long> sum = new(before);
        foreach ((string reason, long count) in more)
        {
            string key = sum.ContainsKey(reason) || sum.Count < 64 ? reason : "other";
            sum[key] = sum.GetValueOrDefault(key) + count;
        }
        return sum;
    }

    /// <summary>Of a batch that was taken but for some events: those are put aside, what lies between them was delivered.</summary>
    async Task NotePartsAsync(IReadOnlyList<RefusedEvent> refused, SpoolBatch part, CancellationToken stop)
    {
        int at = 0;
        for (int i = 0; i < refused.Count;)
        {
            // Neighbours go in one transaction, under the first one's reason.
            RefusedEvent one = refused[i];
            int count = 1;
            while (i + count < refused.Count && refused[i + count].Index == one.Index + count) count++;
            if (one.Index > at) await NoteSliceAsync(part.Numbers(at, one.Index - at), stop);
            SpoolBatch bad = part.Numbers(one.Index, count);
            await NoteAsync(() => _consumer.Quarantine(bad, one.Reason), stop);
            Quarantined(one.Reason, bad.LastSequence, count);
            at = one.Index + count;
            i += count;
        }
        if (at < part.Count) await NoteSliceAsync(part.Numbers(at, part.Count - at), stop);
    }

    Task NoteSliceAsync(SpoolBatch slice, CancellationToken stop) => NoteAsync(() => _consumer.Delivered(slice), stop);

    async Task QuarantineAsync(Stack<LineRange> pending, EngineReply reply, SpoolBatch part, CancellationToken stop)
    {
        _refusedInRow++;
        await NoteAsync(() => _consumer.Quarantine(part, reply.Message), stop);
        pending.Pop();
        Quarantined(reply.Message, part.LastSequence);
    }

    void Quarantined(string reason, long sequence, int count = 1)
    {
        Update(_state with { QuarantinedEvents = _state.QuarantinedEvents + count });
        _quarantinedUnsaid += count;
        if (_quarantineSaidAt != 0 && _time.GetElapsedTime(_quarantineSaidAt) < TimeSpan.FromMinutes(10)) return;
        _quarantineSaidAt = _time.GetTimestamp();
        _notice(new UplinkNotice(
            NoticeLevel.Warning,
            $"uplink: {_target.Who} cannot take {_quarantinedUnsaid:N0} {_name} event(s), the last has sequence {sequence} ({reason}); put aside, the others go on"));
        _quarantinedUnsaid = 0;
    }

    /// <summary>Notes progress in the spool, as often as it takes.</summary>
    async Task NoteAsync(Func<SpoolFault?> note, CancellationToken stop)
    {
        while (note() is { } fault)
        {
            TimeSpan wait = _backoff.Next();
            _report.Failed(
                _name, "spool", NoticeLevel.Warning, $"uplink: the spool cannot note what was delivered ({fault.Message}); next try in {Spoken.Duration(wait)}",
                $"the spool cannot note what was delivered ({fault.Message})");
            await BackOffAsync(fault.Message, wait, UplinkPhase.BackingOff, stop);
        }
    }

    async Task KeyRefusedAsync(EngineReply reply, CancellationToken stop)
    {
        string trouble = _target.KeyRefused(reply.Message);
        Failure(trouble);
        _report.Failed(_name, "key", NoticeLevel.Error, $"uplink: {trouble}; uploads stop, next try in {Spoken.Duration(_all.KeyRecheck)}", trouble);
        await BackOffAsync(trouble, _all.KeyRecheck, UplinkPhase.KeyRefused, stop);
    }

    async Task UnavailableAsync(EngineReply reply, SpoolBatch batch, CancellationToken stop)
    {
        // The engine's own wish goes first; without one the wait grows.
        TimeSpan wait = reply.RetryAfter ?? _backoff.Next();
        string what = reply.Kind switch
        {
            EngineReplyKind.Unreachable => $"{_target.Who} unreachable ({reply.Message})",
            EngineReplyKind.Throttled => $"{_target.Who} asks to send later ({reply.Message})",
            _ => $"{_target.Who} fails ({reply.Message})",
        };
        Failure(what);
        _report.Failed(_name, reply.Kind.ToString(), NoticeLevel.Warning, $"uplink: {what}{WaitText(batch.Count)}; next try {(reply.ClockUnset ? "as soon as the clock is set" : "in " + Spoken.Duration(wait))}", what);
        await BackOffAsync(what, wait, UplinkPhase.BackingOff, stop, reply.ClockUnset);
    }

    async Task RefusesEverythingAsync(EngineReply reply, SpoolBatch batch, CancellationToken stop)
    {
        TimeSpan wait = _backoff.Next();
        string what = $"{_target.Who} refuses every {_name} event ({reply.Message})";
        _report.Failed(_name, "refused", NoticeLevel.Error, $"uplink: {what}{WaitText(batch.Count)}; next try in {Spoken.Duration(wait)}", what);
        await BackOffAsync(what, wait, UplinkPhase.BackingOff, stop);
    }

    async Task MistakeAsync(Exception mistake, CancellationToken stop)
    {
        TimeSpan wait = _backoff.Next();
        string what = $"the upload of {_name} events failed inside ({mistake.GetType().Name}: {mistake.Message})";
        Failure(what);
        _report.Failed(_name, "mistake", NoticeLevel.Error, $"uplink: {what}; next try in {Spoken.Duration(wait)}", what);
        try
        {
            await BackOffAsync(what, wait, UplinkPhase.BackingOff, stop);
        }
        catch (OperationCanceledException)
        {
            // The loop's condition ends it.
        }
    }

    async Task BackOffAsync(string error, TimeSpan wait, UplinkPhase phase, CancellationToken stop, bool clockUnset = false)
    {
        DateTimeOffset now = _time.GetUtcNow();
        Update(_state with { Phase = phase, LastError = error, LastErrorAt = now, BackingOffUntil = now + wait });
        if (clockUnset) await _clock.DelayAsync(wait, span => _retry.WaitAsync(span, _time, stop));
        else await _retry.WaitAsync(wait, _time, stop);
    }

    void Failure(string error) =>
        Update(_state with { LastError = error, LastErrorAt = _time.GetUtcNow(), FailedRequests = _state.FailedRequests + 1 });

    string WaitText(long atLeast = 0)
    {
        long waiting = Math.Max(atLeast, EventTypes.Uploaded.Sum(type => _consumer.Tally(type).Waiting));
        return waiting == 0 ? "" : $"; {Spoken.Events(waiting)} wait";
    }

    void Update(UplinkTypeState state) => Volatile.Write(ref _state, state);
}
