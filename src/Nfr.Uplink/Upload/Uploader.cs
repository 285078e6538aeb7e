using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// Moves spooled events to an engine or a cluster: one loop per event type, one request per batch. What the engine took is noted in the spool before
/// the next request, so a batch is sent twice only when a connection or the process died between its answer and that note.
/// </summary>
public sealed class Uploader
{
    /// <summary>How long a request in flight may go on after the wish to stop, so that a clean stop doubles nothing.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(3);

    readonly UploadLane[] _lanes;
    readonly TroubleReport _report;
    readonly TimeProvider _time;

    /// <param name="client">Of one engine.</param>
    /// <param name="spool">Of this sensor.</param>
    /// <param name="options">Per type, checked when the configuration was read.</param>
    /// <param name="pacer">Shared with everything else that speaks to this engine.</param>
    /// <param name="time">Intervals and stamps.</param>
    /// <param name="notice">Gets few sentences; must not block.</param>
    /// <param name="random">Jitter; a seam of tests.</param>
    /// <param name="body">What goes out of a batch: gzip members of as many lines. Null = as the spool has it.</param>
    public Uploader(
        EngineClient client, Spool spool, UploadOptions options, RequestPacer pacer, TimeProvider time, Action<UplinkNotice> notice,
        Random? random = null, Func<SpoolBatch, ReadOnlyMemory<byte>>? body = null)
        : this(new EngineTarget(client, body), spool, options, pacer, time, notice, random)
    {
    }

    /// <summary>Moves spooled events into a cluster instead.</summary>
    public Uploader(ElasticEvents cluster, Spool spool, UploadOptions options, TimeProvider time, Action<UplinkNotice> notice, Random? random = null)
        : this(cluster, spool, options, new RequestPacer(time), time, notice, random)
    {
    }

    internal Uploader(IEventTarget target, Spool spool, UploadOptions options, RequestPacer pacer, TimeProvider time, Action<UplinkNotice> notice, Random? random)
    {
        _time = time;
        _report = new TroubleReport(time, notice);
        _lanes = [.. EventTypes.Uploaded.Select(type => new UploadLane(type, target, spool, options, pacer, time, _report, notice, random ?? Random.Shared))];
    }

    /// <summary>Runs until cancelled; a request in flight may end within 3 s. Never throws.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using CancellationTokenSource requests = new(Timeout.InfiniteTimeSpan, _time);
        using CancellationTokenRegistration stop = cancel.Register(() => requests.CancelAfter(Grace));
        await Task.WhenAll(_lanes.Where(lane => lane.Enabled).Select(lane => Task.Run(() => lane.RunAsync(cancel, requests.Token), CancellationToken.None)));
    }

    /// <summary>Says that events were spooled, so that a full buffer need not wait for its interval. Cheap; any thread.</summary>
    public void Spooled(EventType type, int events) => _lanes[(int)type].Spooled(events);

    /// <summary>Ends every back-off and tries a refused key again now.</summary>
    public void TryNow()
    {
        foreach (UploadLane lane in _lanes) lane.TryNow();
    }

    public UplinkState State => new([.. _lanes.Select(lane => lane.State)], _report.Trouble);
}
