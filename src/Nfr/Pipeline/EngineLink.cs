using Nfr.Config;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Nfr.Wire;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>Everything that speaks to one engine: client, uploader and alert poller over one spool. On the thread pool; never waited for by capture.</summary>
sealed class EngineLink : IDisposable
{
    readonly EngineClient _client;
    /// <summary>The spool's note of the engine that last said it reads all fields; uploads made before it answers again have them. With a name for all but the first.</summary>
    const string FieldsState = "engine.fields";

    readonly EngineConfig _engine;

    readonly UploadFields _fields;
    readonly bool _tookAllFields;
    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _loops = [];

    /// <param name="engine">Address, key, intervals.</param>
    /// <param name="config">The rest of the file.</param>
    /// <param name="spool">What is uploaded, and where alerts go.</param>
    /// <param name="scope">Whose groups an alert's source is in.</param>
    /// <param name="takesAllFields">What the engine said when the key was tried; null when it did not answer.</param>
    /// <param name="log">Hears what goes wrong.</param>
    /// <param name="time">Of intervals and time-outs.</param>
    /// <param name="merger">Of all engines' alerts; null = there is this one alone.</param>
    /// <param name="spooled">Which events have more than the API's fields, because another wants or wanted all; null = none that this engine is not to have.</param>
    /// <param name="epochs">Put stamps right; null = they are.</param>
    /// <param name="always">Sends outside of its window too.</param>
    public EngineLink(
        EngineConfig engine, NfrConfig config, Spool spool, Scope scope, bool? takesAllFields, ILogger log, TimeProvider time, AlertMerger? merger = null, SpooledFields? spooled = null, bool always = false, ClockEpochs? epochs = null)
    {
        _engine = engine;
        _fields = engine.Fields;
        string state = engine.Name == EngineConfig.Main ? FieldsState : FieldsState + ":" + engine.Name;
        string note = spool.GetState(state) ?? "";
        _tookAllFields = takesAllFields ?? note == engine.Host;
        string noted = note;
        // The first answer may come long after the start: a box and its router come up together.
        _client = new EngineClient(SensorParts.EngineOf(engine, spool.SensorId), time, takesAllFields: Note);
        if (takesAllFields is { } said) Note(said);
        if (engine.Name == EngineConfig.Main) TakeOver(config.Data.LegacyFollowFile, spool, log);
        var pacer = new RequestPacer(time);
        // With several, a sentence says whose it is by its address.
        Action<UplinkNotice> notice = n => Notices.Log(log, n);
        Consumer = spool.Consumer(SensorParts.ConsumerOf(engine));
        UploadOptions upload = SensorParts.UploadOf(config, engine);
        Uploader = new Uploader(_client, spool, always ? upload with { Window = UploadWindow.Always } : upload, pacer, time, notice, body: batch => OutgoingLines.Of(batch, !SendsAllFields && (spooled?.MayExceedApi(batch) ?? false), epochs));
        Poller = new AlertPoller(
            _client, spool, new AlertPollerOptions { PollInterval = engine.AlertPollInterval, Engine = engine.Name },
            source => Address.TryParse(source, out Address address) ? scope.GroupsOf(address) : [], pacer, time, notice, merger: merger);

        void Note(bool all)
        {
            string now = all ? engine.Host : "";
            if (Interlocked.Exchange(ref noted, now) != now && spool.SetState(state, now) is { } fault) log.Warning("engine: {Fault}", fault);
        }
    }

    public string Name => _engine.Name;
    public string Host => _engine.Host;
    public SpoolConsumer Consumer { get; }
    public Uploader Uploader { get; }
    public AlertPoller Poller { get; }

    /// <summary>It fetches alerts too: so it asks the engine at once when it starts, whether there are events or not.</summary>
    public bool Polls { get; private set; }

    /// <summary>Whether an event is spooled with all that is known of it; may change from one answer of the engine to the next.</summary>
    public bool SendsAllFields => Sends(_fields, _client.TakesAllFields ?? _tookAllFields);

    /// <param name="fields">By the config.</param>
    /// <param name="takesAll">By the engine.</param>
    public static bool Sends(UploadFields fields, bool takesAll) => fields == UploadFields.All || (fields == UploadFields.Auto && takesAll);

    /// <summary>The original kept its "follow" mark in a file (data.file); a sensor that takes its place goes on from there.</summary>
    static void TakeOver(string file, Spool spool, ILogger log)
    {
        if (spool.GetState(AlertPoller.FollowState) is not null || !File.Exists(file)) return;
        try
        {
            string follow = File.ReadAllText(file).Trim();
            if (follow.Length is 0 or > 256 || follow.Any(char.IsControl)) return;
            if (spool.SetState(AlertPoller.FollowState, follow) is null) log.Information("engine: alerts go on from the mark in {File}", file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            log.Warning("engine: {File} could not be read ({Fault}); alerts are fetched from the beginning", file, fault.Message);
        }
    }

    /// <param name="poll">Whether this sensor fetches alerts too (outputs.enabled).</param>
    public void Start(bool poll)
    {
        Polls = poll;
        _loops.Add(Task.Run(() => Uploader.RunAsync(_stop.Token)));
        if (poll) _loops.Add(Task.Run(() => Poller.RunAsync(_stop.Token)));
    }

    /// <summary>No more is sent from now on; ends when the request in flight has, within <see cref="Nfr.Uplink.Uploader.Grace"/>.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
    }

    public void Dispose()
    {
        _client.Dispose();
        _stop.Dispose();
    }
}

/// <summary>The uplink's sentences into the log.</summary>
static class Notices
{
    public static void Log(ILogger log, UplinkNotice notice)
    {
        switch (notice.Level)
        {
            case NoticeLevel.Error:
                log.Error("{Notice}", notice.Sentence);
                break;
            case NoticeLevel.Warning:
                log.Warning("{Notice}", notice.Sentence);
                break;
            default:
                log.Information("{Notice}", notice.Sentence);
                break;
        }
    }
}
