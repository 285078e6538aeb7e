using Nfr.Events;

namespace Nfr.Engine;

/// <summary>What the engine has done since it started; any thread.</summary>
sealed class EngineCounts
{
    readonly Lock _lock = new();
    readonly long[] _received = new long[EventTypes.UploadedCount];
    readonly long[] _accepted = new long[EventTypes.UploadedCount];
    readonly long[] _repeated = new long[EventTypes.UploadedCount];
    readonly Dictionary<string, long> _rejected = new(StringComparer.Ordinal);
    readonly SortedDictionary<int, long> _answers = [];
    long _throttled, _broken;

    public void Taken(EventType type, IntakeResult result)
    {
        lock (_lock)
        {
            _received[(int)type] += result.Received;
            _accepted[(int)type] += result.Accepted;
            _repeated[(int)type] += result.Repeated;
            foreach ((string reason, long count) in result.Reasons()) _rejected[reason] = _rejected.GetValueOrDefault(reason) + count;
        }
    }

    public void Answered(int status)
    {
        lock (_lock) _answers[status] = _answers.GetValueOrDefault(status) + 1;
    }

    public void Throttled() => Interlocked.Increment(ref _throttled);

    /// <summary>A request that its sender left.</summary>
    public void Broken() => Interlocked.Increment(ref _broken);

    public void Write(MetricLines lines)
    {
        lock (_lock)
        {
            lines.Each("nfr_engine_events_received_total", "Lines of uploads.", "counter", "type", EventTypes.Uploaded.Select(t => (t.Name(), _received[(int)t])));
            lines.Each("nfr_engine_events_accepted_total", "Events taken and scored.", "counter", "type", EventTypes.Uploaded.Select(t => (t.Name(), _accepted[(int)t])));
            lines.Each("nfr_engine_events_repeated_total", "Events that came again because their answer was lost, and were not scored again.", "counter", "type", EventTypes.Uploaded.Select(t => (t.Name(), _repeated[(int)t])));
            IEnumerable<string> reasons = Enumerable.Range(1, (int)EventLineFault.Count - 1).Select(f => ((EventLineFault)f).Name()).Append(IntakeResult.LineTooLong).Append(IntakeResult.Mistake);
            lines.Each("nfr_engine_events_rejected_total", "Lines that are no events, by reason.", "counter", "reason", reasons.Select(r => (r, _rejected.GetValueOrDefault(r))));
            lines.Each("nfr_engine_requests_total", "Answers, by HTTP status.", "counter", "code", _answers.Select(a => (a.Key.ToString(System.Globalization.CultureInfo.InvariantCulture), a.Value)));
        }
        lines.One("nfr_engine_requests_throttled_total", "Requests told to come later, because of their key's rate.", "counter", Volatile.Read(ref _throttled));
        lines.One("nfr_engine_requests_broken_total", "Requests whose sender hung up.", "counter", Volatile.Read(ref _broken));
    }
}
