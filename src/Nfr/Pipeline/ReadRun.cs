using System.Diagnostics;
using System.Globalization;
using Nfr.Capture;
using Nfr.Commands;
using Nfr.Config;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Scoring;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>
/// "nfr read": capture files and logs through the same decode loop as live frames. With --print the events or alerts go to stdout; with --stats alone
/// they are only counted; otherwise they are scored, spooled, uploaded and put out as the config says.
/// </summary>
sealed class ReadRun
{
    /// <summary>How long the end of a read waits for an engine that does not answer before it gives up.</summary>
    static readonly TimeSpan s_uploadPatience = TimeSpan.FromMinutes(2);

    /// <summary>
    /// What is read of each file before bytes allocated are counted: while code is compiled and types are loaded the runtime allocates
    /// on this thread for itself, at most a few thousand bytes in all. Packets and seconds are counted from the first on.
    /// </summary>
    const long WarmUpBytes = 8 << 20;

    readonly RunContext _run;
    readonly ReadOptions _options;
    readonly CancellationToken _stop;
    PrintedLines? _printed;
    readonly List<string> _faults = [];
    readonly Stopwatch _watch = new();
    long _allocated;
    Ledger? _ledger;
    LogRead? _logs;
    bool _hasCaptures;

    ReadRun(RunContext run, ReadOptions options, CancellationToken stop)
    {
        _run = run;
        _options = options;
        _stop = stop;
    }

    public static int Run(RunContext run, ReadOptions options, CancellationToken stop)
    {
        var read = new ReadRun(run, options, stop);
        if (options.Print == PrintMode.Events) return read.PrintEvents();
        if (options.Print == PrintMode.Alerts) return read.PrintAlerts();
        return options.Stats ? read.Count() : read.Send();
    }

    bool[] Wanted
    {
        get
        {
            if (_options.Type != "all") return [.. EventTypes.All.Select(t => t.Name() == _options.Type)];
            return SensorParts.Wanted(_run.Config.Engine.Analyze);
        }
    }

    Scope Scope => SensorParts.ScopeOf(_run.Scope);

    /// <summary>--stats alone: the decode loop, and nothing behind it; of logs, the parsers.</summary>
    int Count()
    {
        if (_options.Format != ReadOptions.Pcap) return Through(new EventStage(null, null, null, wanted: Wanted), null);
        var decoder = new FrameDecoder<NullSink>(SensorParts.DecoderOf(_run.Config.Flows, Scope), default);
        ReadFiles(decoder);
        return End(new Ledger { Captures = [EntryOf(decoder, new long[EventTypes.Count])], IsClosing = true });
    }

    int PrintEvents()
    {
        using PrintedLines output = _printed = new PrintedLines(_stop);
        // Without a scope file everything is shown: whoever looks into a capture wants to see what is in it.
        Scope? scope = _run.Config.Scope.File is null ? null : Scope;
        return Through(new EventStage(scope, null, null, output, wanted: Wanted), null);
    }

    int PrintAlerts()
    {
        using PrintedLines output = _printed = new PrintedLines(_stop);
        using Scorer? scorer = SensorParts.ScorerOf(_run.Config.Scoring, Scope, null, TimeProvider.System, cache: SensorParts.FeedCacheOf(_run.Config));
        var line = new System.Buffers.ArrayBufferWriter<byte>(4096);
        void Print(Alert alert)
        {
            AlertJson.Write(alert, line);
            output.Write(line.WrittenSpan);
            output.Write("\n"u8);
            line.ResetWrittenCount();
        }
        int code = Through(new EventStage(Scope, scorer, null, null, Print, Wanted), null);
        Sum(null, printed: true);
        return code;
    }

    /// <summary>Told to whoever sits before the terminal.</summary>
    void Sum(long? delivered, bool printed = false)
    {
        if (ReadProgress.IsWatched(_run.Terminal) && _ledger is { } ledger) _run.Terminal.Error.WriteLine(ReadSummary.Of(ledger, delivered, _run.Config, printed));
    }

    /// <summary>As the sensor does it, over a spool of its own that is gone when everything was delivered.</summary>
    int Send()
    {
        NfrConfig config = _run.Config;
        bool? takesAll = null;
        if (!config.Engine.IsEmbedded && AccountCheck.Refused(config.Engine, out takesAll) is { } refused) return _run.Terminal.Fail(ExitCode.Failed, refused);
        if (ReadSummary.NotUploaded(config) is { } remark) _run.Terminal.Error.WriteLine("nfr: " + remark);
        string folder = Directory.CreateTempSubdirectory("nfr-read-").FullName;
        try
        {
            using Spool spool = Spool.Open(new SpoolOptions { Directory = folder, MaxBytes = config.Spool.MaxSize }, TimeProvider.System);
            SpoolCounters start = spool.Counters;
            using Scorer? scorer = SensorParts.ScorerOf(config.Scoring, Scope, null, TimeProvider.System, cache: SensorParts.FeedCacheOf(config));
            bool allFields = EngineLink.Sends(config.Engine.Fields, takesAll ?? false);
            var stage = new EventStage(Scope, scorer, spool, wanted: Wanted, allFields: () => allFields);
            int code = Through(stage, spool, start);
            // What was whole in a damaged file is delivered too.
            if (!config.Engine.IsEmbedded && Upload(config, spool, takesAll) is not ExitCode.Good and var failed) code = failed;
            foreach (OutputOptions options in SensorParts.OutputsOf(config.Outputs))
            {
                using var output = new AlertOutput(spool, options, SensorParts.IdentityOf(spool.SensorId), TimeProvider.System, n => Notices.Log(_run.Log, n));
                if (!Task.Run(() => output.DrainAsync(_stop, last: true)).GetAwaiter().GetResult())
                    code = _run.Terminal.Fail(ExitCode.Failed, $"output {output.State.Target}: {output.State.LastError}");
            }
            Sum(config.Engine.IsEmbedded ? null : spool.Counters.Total.Delivered);
            return code;
        }
        catch (SpoolException fault)
        {
            return _run.Terminal.Fail(ExitCode.Failed, fault.Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    int Upload(NfrConfig config, Spool spool, bool? takesAll)
    {
        using var engine = new EngineLink(config.Engine, config, spool, Scope, takesAll, _run.Log, TimeProvider.System, always: true);
        engine.Start(poll: false);
        long start = Stopwatch.GetTimestamp();
        while (spool.Counters.Total.InSpool > 0 && !_stop.IsCancellationRequested)
        {
            // While there is trouble the uploader's own back-off and the engine's Retry-After hold; patience is for trouble that lasts.
            if (engine.Uploader.State.Trouble is not { } trouble)
            {
                start = Stopwatch.GetTimestamp();
                engine.Uploader.TryNow();
            }
            else if (Stopwatch.GetElapsedTime(start) > s_uploadPatience)
            {
                engine.StopAsync().Wait(TimeSpan.FromSeconds(1));
                return _run.Terminal.Fail(ExitCode.Failed, $"{trouble}; {spool.Counters.Total.InSpool} events were not delivered: read the files again later");
            }
            Thread.Sleep(200);
        }
        engine.StopAsync().Wait(TimeSpan.FromSeconds(3));
        long left = spool.Counters.Total.InSpool;
        return left == 0 ? ExitCode.Good : _run.Terminal.Fail(ExitCode.Failed, $"stopped: {left} events were not delivered");
    }

    /// <summary>Decoding here, everything behind the ring on the pipeline thread.</summary>
    int Through(EventStage stage, Spool? spool, SpoolCounters? spoolAtStart = null)
    {
        var ring = new EventRing();
        var dropped = new long[EventTypes.Count];
        var decoder = new FrameDecoder<RingSink>(SensorParts.DecoderOf(_run.Config.Flows, Scope), new RingSink(ring, dropped, RingPatience.Endless));
        _logs = LogFormats.Of(_options.Format) is { } format ? new LogRead(_options, _run.Config.Inputs, format, _run.Terminal, _printed?.Ended ?? _stop) : null;
        var pipeline = new PipelineThread(_logs is null ? [ring] : [ring, _logs.Ring], stage, spool, _run.Log);
        pipeline.Start();
        ReadFiles(decoder);
        // A reader of stdout may be slow; a file's events wait for it.
        pipeline.Finish(Timeout.InfiniteTimeSpan);
        _printed?.Flush();
        if (_printed?.Fault is { } fault) _faults.Add(fault);
        return End(new Ledger { Captures = _logs is null || _hasCaptures ? [EntryOf(decoder, dropped)] : [], Inputs = _logs is null ? [] : [_logs.Entry], Stage = stage.Counters, SpoolAtStart = spoolAtStart, Spool = spool?.CountRows() ?? spool?.Counters, PipelineMistakes = pipeline.Mistakes, IsClosing = true });
    }

    static CaptureEntry EntryOf<TSink>(FrameDecoder<TSink> decoder, long[] dropped)
        where TSink : struct, IEventSink =>
        new("files", null, null, decoder.Counters, decoder.Events, dropped, decoder.ActiveFlows, 0);

    void ReadFiles<TSink>(FrameDecoder<TSink> decoder)
        where TSink : struct, IEventSink
    {
        using var progress = new ReadProgress(_run.Terminal, _options.Files, beside: _printed is not null) { Lines = _logs is { } read ? () => read.Lines : null };
        var inlet = new DecoderInlet<TSink>(decoder);
        CancellationToken enough = _printed?.Ended ?? _stop;
        foreach (string path in _logs is null ? _options.Files : FileRead.InOrder(_options.Files))
        {
            if (enough.IsCancellationRequested) break;
            GlimpsedInput? input = _options.Format == ReadOptions.Auto && path == "-" ? new GlimpsedInput(Console.OpenStandardInput()) : null;
            if (_logs is not null && !IsCapture(path, input))
            {
                ReadLog(_logs, path, input, progress);
                continue;
            }
            using CaptureFile? file = CaptureFile.Open(path, out string? error, input);
            if (file is null)
            {
                _faults.Add(error! + Advice(path));
                continue;
            }
            _hasCaptures = true;
            progress.Open(() => file.Position, () => file.Length ?? file.Position);
            _watch.Start();
            long warm = decoder.Counters.Bytes + WarmUpBytes;
            bool more = true;
            while (more && decoder.Counters.Bytes < warm) more = !enough.IsCancellationRequested && file.Read(ref inlet);
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (more && !enough.IsCancellationRequested && file.Read(ref inlet))
            {
            }
            _allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            _watch.Stop();
            progress.Close();
            if (file.Fault is { } fault) _faults.Add(fault.Message);
        }
        _faults.AddRange(_logs?.Faults ?? []);
        if (_stop.IsCancellationRequested) _faults.Add("stopped before the end of the files");
        _watch.Start();
        decoder.Drain();
        _watch.Stop();
    }

    bool IsCapture(string path, GlimpsedInput? input) => _options.Format == ReadOptions.Auto && (input is null ? FirstBytes.Of(path) : FirstBytes.Of(input.Begin)).IsCapture;

    /// <summary>For who has forgotten --format.</summary>
    static string Advice(string path) => path != "-" && FirstBytes.Of(path).Log is { } log ? $"; this looks like a log of {NameOf(log)}: use --format {WordOf(log)} (or auto)" : "";

    static string NameOf(LogFormat format) => format switch { LogFormat.Zeek => "Zeek", LogFormat.Suricata => "Suricata", LogFormat.Msdns => "Microsoft DNS", LogFormat.Bind => "BIND", LogFormat.CoreDns => "CoreDNS", LogFormat.Edge => "BlueCat Edge", _ => WordOf(format) };

    static string WordOf(LogFormat format) => LogFormats.Words.First(w => LogFormats.Of(w) == format);

    void ReadLog(LogRead logs, string path, Stream? input, ReadProgress progress)
    {
        long before = logs.Position, bytes = logs.Bytes, allocated = GC.GetAllocatedBytesForCurrentThread();
        // Of a pipe nothing but its lines is known.
        if (path == "-") progress.Open(() => logs.Bytes - bytes, () => logs.Bytes - bytes);
        else progress.Open(() => logs.Position - before, () => logs.Position - before);
        _watch.Start();
        logs.Read(path, input);
        _watch.Stop();
        _allocated += GC.GetAllocatedBytesForCurrentThread() - allocated;
        progress.Close();
    }

    int End(Ledger ledger)
    {
        if (ReadSummary.NothingRead(ledger, _options) is { } nothing) _faults.Add(nothing);
        _ledger = ledger;
        if (_options.Stats)
        {
            double seconds = _watch.Elapsed.TotalSeconds;
            if (_options.Json) ReadStats.WriteJson(ledger, seconds, _allocated, _run.Terminal.Out);
            else
            {
                // Where stdout carries events, the ledger goes beside it.
                TextWriter to = _options.Print == PrintMode.None ? _run.Terminal.Out : _run.Terminal.Error;
                to.WriteLine(LedgerText.Write(ledger));
                if (ledger.Inputs.Count > 0)
                {
                    to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ledger.Lines:N0} lines and {ledger.LineBytes:N0} bytes in {seconds:F3} s:"));
                    to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ledger.Lines / Math.Max(seconds, 1e-9):N0} lines/s, {(double)_allocated / Math.Max(1, ledger.Lines):0.###} bytes allocated per line."));
                }
                if (ledger.Captures.Count > 0) to.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{ledger.Frames:N0} packets and {ledger.Bytes:N0} bytes in {seconds:F3} s:"));
                if (ledger.Captures.Count > 0) to.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{ledger.Frames / Math.Max(seconds, 1e-9):N0} packets/s, {(double)_allocated / Math.Max(1, ledger.Frames):0.###} bytes allocated per packet."));
            }
        }
        foreach (string fault in _faults) _run.Terminal.Fail(ExitCode.Failed, fault);
        return _faults.Count > 0 ? ExitCode.Failed : ExitCode.Good;
    }
}
