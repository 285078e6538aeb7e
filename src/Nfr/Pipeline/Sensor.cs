using Nfr.Capture;
using Nfr.Config;
using Nfr.Events;
using Nfr.Health;
using Nfr.Logs;
using Nfr.Panel;
using Nfr.Scoring;
using Nfr.Service;
using Nfr.Storage;
using Nfr.Uplink;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>
/// The running sensor: capture workers → rings → pipeline thread (scope, scoring, spool) → engine and outputs. <see cref="Start"/> brings it
/// up, <see cref="Stop"/> drains it from the front to the back, so that what was captured is spooled when it returns.
/// </summary>
sealed class Sensor : IDisposable
{
    /// <summary>The whole stop takes at most five seconds: capture, then the pipeline, then the outputs; beside all of them requests in flight end.</summary>
    static readonly TimeSpan s_captureStop = TimeSpan.FromSeconds(2.5);
    /// <summary>A stage that has not told its counts by then is busy with one step for longer than any takes.</summary>
    static readonly TimeSpan s_balance = TimeSpan.FromSeconds(1);

    static readonly TimeSpan s_pipelineStop = TimeSpan.FromSeconds(1.5);
    static readonly TimeSpan s_outputStop = TimeSpan.FromSeconds(1);
    /// <summary>From the beginning of the stop on: a request that is let end has its answer noted, or it would be sent again.</summary>
    static readonly TimeSpan s_uplinkStop = Uploader.Grace + TimeSpan.FromSeconds(0.25);

    readonly NfrConfig _config;
    readonly ILogger _log;
    readonly TimeProvider _time;
    readonly Spool _spool;
    readonly SpoolCounters _spoolAtStart;
    readonly Scorer? _scorer;
    readonly EventStage _stage;
    readonly List<CaptureWorker> _workers;
    readonly List<LogWorker> _inputs;
    readonly PipelineThread _pipeline;
    readonly List<EngineLink> _engines = [];
    readonly ElasticLink? _cluster;
    readonly FeedFetcher? _fetcher;
    readonly List<AlertOutput> _outputs = [];
    readonly List<Task> _outputLoops = [];
    readonly Lock _balancing = new();
    readonly object _turning = new();
    readonly CancellationTokenSource _outputStop = new();
    readonly List<(string Interface, Observer Observer, PortRates Rates)> _observers = [];
    readonly List<InputObserver> _inputObservers = [];
    readonly ClockWatch _clock;
    readonly ClockEpochs _epochs;
    readonly SpooledFields _spooledFields;
    readonly BoxObserver _boxObserver;
    readonly Timer _observing;
    readonly LedgerClock _ledgerClock;
    readonly Timer _balancer;
    readonly DateTimeOffset _started;
    readonly long _startedAt;
    StatusSocket? _status;
    ShortTalk? _metrics;
    PanelFeed? _panel;
    readonly FleetParts? _fleet;
    string? _feedTrouble;
    volatile bool _stopped;

    Sensor(NfrConfig config, Scope scope, Spool spool, Scorer? scorer, List<CaptureWorker> workers, LogParts logs, ILogger log, TimeProvider time, bool? takesAllFields, Action<Alert>? onAlert)
    {
        _config = config;
        _log = log;
        _time = time;
        _spool = spool;
        _spoolAtStart = spool.Counters;
        _scorer = scorer;
        _workers = workers;
        _inputs = [.. logs.Inputs.Select(i => new LogWorker(i, log))];
        _epochs = SensorParts.EpochsOf(spool, time);
        _spooledFields = new SpooledFields(spool, time);
        List<EngineConfig> uplinks = [.. config.Uplinks];
        AlertMerger? merger = uplinks.Count > 1 ? new AlertMerger(spool, several: true) : null;
        foreach (EngineConfig engine in uplinks)
            _engines.Add(new EngineLink(engine, config, spool, scope, engine.Name == EngineConfig.Main ? takesAllFields : null, log, time, merger, spooled: _spooledFields, epochs: _epochs));
        if (config.Outputs.ShipsEvents) _cluster = new ElasticLink(config, spool, log, time, _epochs);
        _stage = new EventStage(scope, scorer, spool, alert: onAlert, wanted: SensorParts.Wanted(config.Engine.Analyze), allFields: AnyTakesAllFields, quality: () => _epochs.Quality);
        _pipeline = new PipelineThread([.. workers.Select(w => w.Ring), .. _inputs.Select(i => i.Ring)], _stage, spool, log, _engines.Count == 0 && _cluster is null ? null : Spooled, logs.Marked);
        if (SensorParts.FeedCacheOf(config) is { } cache) _fetcher = SensorParts.FetcherOf(config.Scoring.FeedUrls, cache, time, n => Notices.Log(log, n));
        foreach (OutputOptions options in SensorParts.OutputsOf(config.Outputs))
            _outputs.Add(new AlertOutput(spool, options, SensorParts.IdentityOf(spool.SensorId), time, n => Notices.Log(log, n), epochs: _epochs));
        _fleet = FleetParts.Of(config, spool, [.. workers.Select(w => w.Interface).Distinct()], Report, span => _panel?.Identify(span) ?? false, () => _panel?.Unacknowledged, () => Reload is { } reload ? reload() : "this sensor cannot begin anew by itself; restart it", _epochs, log, time);
        if (_fleet is not null) _outputs.Add(_fleet.Output);
        foreach (string name in workers.Select(w => w.Interface).Distinct())
            _observers.Add((name, new Observer(name, Tell, time), new PortRates(time)));
        _inputObservers.AddRange(Entries().SelectMany(e => e.Sources).Select(s => new InputObserver(s.Name, Tell, time)));
        _clock = new ClockWatch(time);
        _boxObserver = new BoxObserver(Tell, time);
        _observing = new Timer(_ => Observe());
        _balancer = new Timer(_ => TurnLedger());
        _started = time.GetUtcNow();
        _startedAt = time.GetTimestamp();
        _ledgerClock = new LedgerClock(Ledger() with { IsExact = true }, time);
    }

    /// <summary>An event is spooled once for all engines: with all that is known of it when one wants that. The others' copies are cut on their way out.</summary>
    bool AnyTakesAllFields()
    {
        bool any = _cluster is not null;
        foreach (EngineLink engine in _engines) any |= engine.SendsAllFields;
        if (any) _spooledFields.SpoolsAll();
        return any;
    }

    void Spooled(EventType type, int events)
    {
        foreach (EngineLink engine in _engines) engine.Uploader.Spooled(type, events);
        _cluster?.Uploader.Spooled(type, events);
    }

    public Spool Spool => _spool;

    /// <summary>Begins anew with the files as they are now: null, or why not. Set by who runs the sensor; any thread.</summary>
    public Func<string?>? Reload { get; set; }

    public Scorer? Scorer => _scorer;

    /// <summary>Of the loops without which nothing is recorded.</summary>
    public IReadOnlyList<Pulse> Pulses => [.. _workers.Select(w => w.Pulse), _pipeline.Pulse];

    /// <summary>Brings the sensor up; null and one sentence when the world says no.</summary>
    /// <param name="run">Config, scope, log.</param>
    /// <param name="error">What is wrong and what to do.</param>
    /// <param name="moreFeeds">A folder of lists read in addition.</param>
    /// <param name="onAlert">Told of alerts raised on board, on the pipeline thread; must be quick.</param>
    /// <param name="takesAllFields">What the engine said of its fields when the key was tried; null when nobody asked or it did not answer.</param>
    public static Sensor? Start(Commands.RunContext run, out string? error, string? moreFeeds = null, Action<Alert>? onAlert = null, bool? takesAllFields = null)
    {
        TimeProvider time = TimeProvider.System;
        NfrConfig config = run.Config;
        Scope scope = SensorParts.ScopeOf(run.Scope);
        error = null;
        // What reads logs alone needs neither an interface nor a right to packets.
        IReadOnlyList<string> interfaces = [];
        if (config.Inputs.Sniffer.Enabled && !CaptureInterfaces.Choose(CaptureInterfaces.List(), config.Inputs.Sniffer.Interfaces, out interfaces, out error)) return null;
        Spool spool;
        try
        {
            spool = Spool.Open(SensorParts.SpoolOf(config.Spool) with { Consumers = SensorParts.ConsumersOf(config), ConsumerTypes = SensorParts.ConsumerTypesOf(config) }, time);
        }
        catch (SpoolException fault)
        {
            error = fault.Message;
            return null;
        }
        foreach (string moved in spool.OpenReport.Quarantined) run.Log.Warning("spool: {Moved} could not be read and lies in quarantine now; a new spool was begun", moved);
        if (spool.OpenReport is { Created: true, Quarantined.Count: > 0 } && LogParts.ReadAgain(config.Inputs) is { } again) run.Log.Warning("inputs: {Again}", again);
        Scorer? scorer = SensorParts.ScorerOf(config.Scoring, scope, moreFeeds, time, config.Data.Dir, SensorParts.FeedCacheOf(config));
        foreach (string fault in scorer?.Faults ?? []) run.Log.Warning("scoring: {Fault}", fault);
        // Last: while a spool is checked or lists are read nobody empties a ring, and it holds a quarter of a second.
        List<(LiveCapture Capture, LiveCaptureOptions Options)> captures = [];
        if (!TryCapture(config.Inputs.Sniffer, interfaces, captures, out error))
        {
            scorer?.Dispose();
            spool.Dispose();
            return null;
        }
        // flows.max is the sensor's, whatever the number of workers: the memory of a box does not grow with them.
        DecoderOptions decoding = SensorParts.DecoderOf(config.Flows, scope);
        decoding = decoding with { MaximumFlows = Math.Max(1024, decoding.MaximumFlows / Math.Max(1, captures.Count)) };
        List<CaptureWorker> workers = [.. captures.Select(c => new CaptureWorker(c.Capture, c.Options, decoding, run.Log))];
        var sensor = new Sensor(config, scope, spool, scorer, workers, LogParts.Of(config.Inputs, spool, run.Log, time), run.Log, time, takesAllFields, onAlert);
        sensor.Run();
        return sensor;
    }

    static bool TryCapture(SnifferConfig sniffer, IReadOnlyList<string> interfaces, List<(LiveCapture, LiveCaptureOptions)> captures, out string? error)
    {
        error = null;
        int group = Environment.ProcessId;
        foreach (string name in interfaces)
        {
            for (int i = 0; i < sniffer.Workers; i++)
            {
                var options = new LiveCaptureOptions
                {
                    Interface = name,
                    Filter = sniffer.Filter,
                    BlockCount = SensorParts.RingBlocks(sniffer),
                    FanoutGroup = sniffer.Workers > 1 ? (ushort)group : null,
                };
                LiveCapture? capture = LiveCapture.Open(options, out CaptureFault? fault);
                if (capture is null)
                {
                    foreach ((LiveCapture opened, _) in captures) opened.Dispose();
                    error = fault!.Message;
                    return false;
                }
                captures.Add((capture, options));
            }
            group++;
        }
        return true;
    }

    void Run()
    {
        _pipeline.Start();
        foreach (CaptureWorker worker in _workers) worker.Start();
        foreach (LogWorker input in _inputs) input.Start();
        foreach (EngineLink engine in _engines) engine.Start(poll: _config.Outputs.Enabled);
        _cluster?.Start();
        foreach (AlertOutput output in _outputs) _outputLoops.Add(Task.Run(() => output.RunAsync(_outputStop.Token)));
        if (_fetcher is not null) _outputLoops.Add(Task.Run(() => _fetcher.RunAsync(_outputStop.Token)));
        _observing.Change(Observer.Interval, Observer.Interval);
        _balancer.Change(_config.Status.Interval, _config.Status.Interval);
        _status = StatusSocket.Open(_config, () => Report().ToJson(), _log);
        _metrics = MetricsServer.Open(_config.Metrics.Listen, Report, _log);
        _panel = PanelFeed.Open(_config.Panel, _spool, _epochs, Report, _log, _time);
        if (_panel is not null && _fleet is not null) (_panel.Fleet, _panel.Site, _panel.Address, _panel.CommandKeys) = (() => FleetParts.PanelOf(_fleet.Link.State), _config.Fleet.Site, _fleet.Address, _fleet.CommandKeys);
        _fleet?.Link.Start();
        if (_workers.Count > 0) _log.Information("capture: listening on {Interfaces} with {Workers} worker(s) each{Filter}",
            string.Join(", ", _workers.Select(w => w.Interface).Distinct()), _config.Inputs.Sniffer.Workers,
            _config.Inputs.Sniffer.Filter is { } filter ? $", filter \"{filter}\"" : "");
        foreach (InputEntry input in Entries()) _log.Information("inputs: {Name} reads {Sources}", input.Name, string.Join(", ", input.Sources.Select(s => s.Name)));
        _log.Information("engine: {Engine}", _engines.Count == 0 ? "embedded, events are scored on board alone" : string.Join(", ", _engines.Select(e => e.Host)) + ", and on board");
        if (_scorer is not null) _log.Information("scoring: {Count} indicators from {Lists} lists in {Folder}; {Feeds} lists are fetched", _scorer.Store.Count, _scorer.Store.Lists.Count,
            string.Join(", ", _config.Scoring.FeedFolders), _config.Scoring.FeedUrls.Count);
        _log.Information("spool: {Folder}, {InSpool} events wait in it", _config.Spool.Dir, _spoolAtStart.Total.InSpool);
    }

    /// <summary>The ledger of this moment; <paramref name="closing"/> when nothing moves any more: then the spool's rows are counted too.</summary>
    public Ledger Ledger(bool closing = false) => new()
    {
        Captures = [.. _workers.Select(Entry)],
        Inputs = Entries(),
        Stage = _stage.Counters.Copy(),
        SpoolAtStart = _spoolAtStart,
        Spool = (closing ? _spool.CountRows() : null) ?? _spool.Counters,
        PipelineMistakes = _pipeline.Mistakes,
        IsClosing = closing,
    };

    /// <summary>
    /// The ledger while everything moves, whose sums come out: the pipeline first, then the workers, each asked for its counts between two steps. Takes
    /// up to a tenth of a second, in which nobody but the caller waits; where a stage does not answer the ledger is not exact and says so.
    /// </summary>
    public Ledger Balance()
    {
        lock (_balancing)
        {
            if (_stopped) return Ledger();
            var pipeline = new PipelineShot();
            _pipeline.Ask(pipeline);
            long start = _time.GetTimestamp();
            Await(start, () => pipeline.IsFilled);
            CaptureShot[] shots = [.. _workers.Select(_ => new CaptureShot())];
            for (int i = 0; i < shots.Length; i++) _workers[i].Ask(shots[i]);
            LogShot[] lines = AskInputs();
            bool All() => shots.All(s => s.IsFilled) && lines.All(s => s.IsFilled);
            Await(start, All);
            if (!pipeline.IsFilled || !All()) return Ledger();
            return new Ledger
            {
                Captures = [.. shots.Select((s, i) => Entry(_workers[i], s))],
                Inputs = [.. lines.Select((s, i) => new InputEntry(_inputs[i].Name, s.Counters, _inputs[i].Mistakes))],
                Stage = pipeline.Stage,
                SpoolAtStart = _spoolAtStart,
                Spool = pipeline.Spool,
                PipelineMistakes = pipeline.Mistakes,
                IsExact = true,
            };
        }
    }

    LogShot[] AskInputs()
    {
        LogShot[] shots = [.. _inputs.Select(_ => new LogShot())];
        for (int i = 0; i < shots.Length; i++) _inputs[i].Ask(shots[i]);
        return shots;
    }

    /// <summary>Each input's counts between two lines; of one that is too busy to tell, the last it told.</summary>
    InputEntry[] Entries()
    {
        // An outlet answers one who asks at a time.
        lock (_balancing)
        {
            LogShot[] shots = AskInputs();
            Await(_time.GetTimestamp(), () => shots.All(s => s.IsFilled));
            return [.. _inputs.Select((input, i) => new InputEntry(input.Name, input.Known(shots[i]), input.Mistakes))];
        }
    }

    void Await(long start, Func<bool> done)
    {
        while (!done() && _time.GetElapsedTime(start) < s_balance) Thread.Sleep(2);
    }

    CaptureEntry Entry(CaptureWorker w) =>
        new(w.Interface, w.Statistics, w.Nic, DecodeCounters.Sum([w.Counters]), [.. w.Events], [.. w.DroppedEvents], w.ActiveFlows, w.Mistakes) { MistakenFrames = w.MistakenFrames };

    CaptureEntry Entry(CaptureWorker w, CaptureShot s) =>
        new(w.Interface, s.Kernel, w.Nic, s.Decoded, s.Events, s.Dropped, s.ActiveFlows, s.Mistakes) { MistakenFrames = s.MistakenFrames };

    /// <summary>Drains: no further frame, flows exported, events spooled, alerts written. Returns the closing ledger.</summary>
    public Ledger Stop()
    {
        if (_stopped) return Ledger(closing: true);
        _stopped = true;
        _panel?.Dispose();
        _metrics?.Dispose();
        _status?.Dispose();
        _balancer.Change(Timeout.Infinite, Timeout.Infinite);
        _observing.Change(Timeout.Infinite, Timeout.Infinite);
        // First: what is in flight ends while the rest drains, and what is spooled from now on waits for the next start.
        long begin = _time.GetTimestamp();
        Task uplinks = Task.WhenAll([.. _engines.Select(e => e.StopAsync()), _cluster?.StopAsync() ?? Task.CompletedTask]);
        foreach (LogWorker input in _inputs) input.RequestStop();
        foreach (CaptureWorker worker in _workers) worker.RequestStop();
        foreach (LogWorker input in _inputs)
        {
            if (!input.Join(Left(begin))) _log.Error("stop: the input {Name} did not end in time; the next start reads its last lines again", input.Name);
        }
        foreach (CaptureWorker worker in _workers)
        {
            if (!worker.Join(Left(begin))) _log.Error("stop: the capture of {Interface} did not end in time; its last events are lost", worker.Interface);
        }
        if (!_pipeline.Finish(s_pipelineStop)) _log.Error("stop: the spool did not take everything in time; what is left is lost");
        using (var limit = new CancellationTokenSource(s_outputStop))
        {
            try
            {
                Task.WhenAll(_outputs.Select(o => o.DrainAsync(limit.Token))).Wait(limit.Token);
            }
            catch (Exception late) when (late is OperationCanceledException or AggregateException)
            {
                // The bookmark knows what is missing; the next start goes on from there.
            }
        }
        _outputStop.Cancel();
        // After the outputs: its last alerts went this way.
        _fleet?.Stop();
        // They look at their stop sign at once; what they hold is disposed of next.
        TimeSpan left = s_uplinkStop - _time.GetElapsedTime(begin);
        Task.WaitAny([Task.WhenAll([uplinks, .. _outputLoops])], left > s_outputStop ? left : s_outputStop);
        Ledger ledger = Ledger(closing: true);
        lock (_ledgerClock) Tell(_ledgerClock.Turn(ledger));
        return ledger;
    }

    /// <summary>Of the time that all workers have together, however many hang.</summary>
    TimeSpan Left(long begin)
    {
        TimeSpan left = s_captureStop - _time.GetElapsedTime(begin);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>The newest interval; null before the first.</summary>
    public LedgerInterval? Interval
    {
        get
        {
            lock (_ledgerClock) return _ledgerClock.Newest;
        }
    }

    /// <summary>What "nfr status" and metrics tell. For threads of the pool: it waits a moment for the stages.</summary>
    public StatusReport Report() => new()
    {
        SensorId = _spool.SensorId,
        Now = _time.GetUtcNow(),
        Started = _started,
        Uptime = _time.GetElapsedTime(_startedAt),
        Ports = [.. _observers.Select(o => new PortReport(o.Interface, _workers.Where(w => w.Interface == o.Interface).All(w => w.IsOpen)) { Rate = o.Rates.Rate, Conditions = o.Observer.Troubles })],
        Inputs = [.. _inputs.SelectMany(i => i.Reports.Select(r => new SourceReport(i.Name, r) { Conditions = _inputObservers.FirstOrDefault(o => o.Name == r.Name)?.Troubles ?? [] }))],
        Run = Balance(),
        Interval = Interval,
        SpoolFolder = _config.Spool.Dir,
        SpoolMost = _config.Spool.MaxSize,
        Uplinks = [.. _engines.Select(e => new UplinkReport(e.Consumer.Name, e.Host, e.Uploader.State) { Alerts = e.Polls ? e.Poller.State : null }), .. _cluster is null ? Array.Empty<UplinkReport>() : [new UplinkReport(_cluster.Consumer.Name, _cluster.Host, _cluster.Uploader.State)]],
        // Without an engine the spool has its place all the same, which nobody takes.
        Consumers = [.. _spool.Consumers.Where(c => _engines.Count > 0 || c.Name != EngineConfig.Main).Select(ConsumerReport.Of)],
        Outputs = [.. _outputs.Select(o => o.State)],
        Lists = _scorer is null ? [] : ListReport.Of(_scorer.Store.Lists, _fetcher?.States ?? [], SensorParts.FeedCacheOf(_config)),
        Fleet = _fleet?.Link.State,
        Box = BoxFacts.Read(_config.Spool.Dir, _clock, _time),
    };

    void TurnLedger()
    {
        // The one before is still at it.
        if (!Monitor.TryEnter(_turning)) return;
        try
        {
            _boxObserver.Look(Troubles.OfBox(BoxFacts.Read(_config.Spool.Dir, _clock, _time), _time.GetUtcNow()));
            Ledger now = Balance();
            // Without an exact end there is no interval: the next one is longer.
            if (!now.IsExact || _stopped) return;
            lock (_ledgerClock)
            {
                // The closing one comes last.
                if (!_stopped) Tell(_ledgerClock.Turn(now));
            }
        }
        catch (Exception mistake)
        {
            _log.Error(mistake, "ledger: a mistake in nfr itself; the sensor goes on");
        }
        finally
        {
            Monitor.Exit(_turning);
        }
    }

    void Tell(LedgerInterval interval)
    {
        if (interval.HasMoved) Tell(interval.Lost > 0 || !interval.Moved.Closes, interval.Sentence());
    }

    void Observe()
    {
        try
        {
            _clock.Look();
            if (_epochs.Look()) _log.Information("clock: it was set; the stamps of events and alerts that wait are put right on their way out");
            foreach ((string name, Observer observer, PortRates rates) in _observers)
            {
                DecodeCounters sum = DecodeCounters.Sum(_workers.Where(w => w.Interface == name).Select(w => w.Counters));
                observer.Look(sum, _workers.Where(w => w.Interface == name).Sum(w => w.Statistics.Dropped));
                rates.Look(sum.Frames, sum.Bytes);
            }
            ObserveInputs();
            ReportLists();
        }
        catch (Exception mistake)
        {
            _log.Error(mistake, "observer: a mistake in nfr itself; the sensor goes on");
        }
    }

    void ObserveInputs()
    {
        if (_inputs.Count == 0) return;
        List<InputReport> reports = [.. _inputs.SelectMany(i => i.Reports)];
        foreach (LogCounters source in Entries().SelectMany(e => e.Sources))
            _inputObservers.FirstOrDefault(o => o.Name == source.Name)?.Look(source, reports.FirstOrDefault(r => r.Name == source.Name));
    }

    /// <summary>A list with lines that cannot be read is named once for each change.</summary>
    void ReportLists()
    {
        if (_scorer is null || _scorer.Store.FaultCount == 0) return;
        string trouble = $"{_scorer.Store.FaultCount} lines of lists could not be read, the first: {_scorer.Store.Faults[0]}";
        if (trouble == _feedTrouble) return;
        _feedTrouble = trouble;
        _log.Warning("scoring: {Trouble}", trouble);
    }

    void Tell(bool bad, string sentence)
    {
        if (bad) _log.Warning("{Sentence}", sentence);
        else _log.Information("{Sentence}", sentence);
    }

    public void Dispose()
    {
        if (!_stopped) Stop();
        _observing.Dispose();
        _balancer.Dispose();
        foreach (LogWorker input in _inputs) input.Dispose();
        foreach (AlertOutput output in _outputs) output.Dispose();
        _fleet?.Dispose();
        foreach (EngineLink engine in _engines) engine.Dispose();
        _cluster?.Dispose();
        _fetcher?.Dispose();
        _scorer?.Dispose();
        _spool.Dispose();
        _outputStop.Dispose();
    }
}
