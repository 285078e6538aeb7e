using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Faults.Disk;
using Nfr.Storage;
using Nfr.Tests;

namespace Nfr.Faults.Ring;

enum ModelAction { Append, Flush, Deliver, Quarantine, Live, BeginLive, DeliverLive, Bookmark, EngineAlerts, Restart, Kill, ChangeConsumers }

/// <summary>One thing to do; all chance in it comes from its seed, so that it does the same wherever it stands in a sequence.</summary>
readonly record struct ModelStep(ModelAction Action, int Seed);

/// <summary>A sequence of steps, done to the smallest real ring there is and to its model.</summary>
sealed class ModelRun : IDisposable
{
    const int FullCheckEvery = 4;

    readonly FaultDisk _disk;
    readonly ManualTime _time = new();
    readonly RingModel _model;
    readonly SpoolOptions _options;
    Spool _spool;
    string[] _consumers = ["engine"];
    readonly Dictionary<EventType, long> _noted = [];
    long _number;
    int _pendingBytes;

    readonly bool _quotas;
    bool _killed;
    TimeSpan _now, _opened;

    public long Evicted { get; private set; }

    ModelRun(FaultDisk disk, bool quotas, bool wrongModel)
    {
        _disk = disk;
        _quotas = quotas;
        disk.Load(new DiskImage(), record: false);
        _options = new SpoolOptions { Directory = "/spool", MaxBytes = SpoolOptions.LeastBytes, MaxAlerts = 5, Vfs = disk.Name, Files = disk };
        if (quotas) _options = _options with { Quotas = s_quotas, MaxAge = s_maxAge };
        _model = new RingModel(new SpoolLimits(_options, long.MaxValue).Alerts - (wrongModel ? 1 : 0), quotas);
        _model.SetConsumers(_consumers);
        _spool = Spool.Open(_options with { Consumers = _consumers }, _time);
    }

    public static ModelStep[] Draw(int seed)
    {
        var random = new Random(seed);
        var steps = new ModelStep[random.Next(10, 45)];
        ModelAction[] often = [ModelAction.Append, ModelAction.Append, ModelAction.Flush, ModelAction.Flush, ModelAction.Deliver, ModelAction.DeliverLive, ModelAction.BeginLive];
        ModelAction[] all = Enum.GetValues<ModelAction>();
        for (int i = 0; i < steps.Length; i++)
        {
            steps[i] = new ModelStep(random.Next(3) > 0 ? often[random.Next(often.Length)] : all[random.Next(all.Length)], random.Next());
        }
        return steps;
    }

    /// <summary>Null = the same state after each step; otherwise what differed, after which one.</summary>
    public static string? Run(FaultDisk disk, IReadOnlyList<ModelStep> steps, out long evicted, bool quotas = false, bool wrongModel = false)
    {
        evicted = 0;
        using var run = new ModelRun(disk, quotas, wrongModel);
        for (int i = 0; i < steps.Count; i++)
        {
            try
            {
                string? fault = run.Do(steps[i]) ?? run.Compare((i + 1) % FullCheckEvery == 0 || i == steps.Count - 1);
                if (fault is not null) return $"after step {i + 1}, {steps[i].Action}: {fault}";
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                return $"in step {i + 1}, {steps[i].Action}: {e}";
            }
        }
        evicted = run.Evicted;
        return null;
    }

    string? Do(ModelStep step)
    {
        var random = new Random(step.Seed);
        TimeSpan passed = TimeSpan.FromSeconds(_quotas ? random.Next(1, 40) : 1);
        _time.Advance(passed);
        _now += passed;
        string consumer = _consumers[random.Next(_consumers.Length)];
        var type = (EventType)random.Next(EventTypes.UploadedCount);
        switch (step.Action)
        {
            case ModelAction.Append:
                return Append(random);
            case ModelAction.Flush:
                return Flush();
            case ModelAction.Deliver:
                return Settle(random, consumer, type, SpoolEnd.Oldest, aside: false);
            case ModelAction.Quarantine:
                return Settle(random, consumer, type, SpoolEnd.Oldest, aside: true);
            case ModelAction.DeliverLive:
                return Settle(random, consumer, type, SpoolEnd.Live, aside: random.Next(4) == 0);
            case ModelAction.Live:
                return Same(_spool.Consumer(consumer).Peek(type, int.MaxValue, int.MaxValue, SpoolEnd.Live), _model.Peek(consumer, type, live: true));
            case ModelAction.BeginLive:
                // By what was noted at an earlier step or now, as a lane does it before and after a request.
                long from = random.Next(2) == 0 && _noted.TryGetValue(type, out long earlier) ? earlier : _spool.NextSequence(type);
                _noted[type] = _spool.NextSequence(type);
                _model.BeginLive(consumer, type, from);
                return Fault(_spool.Consumer(consumer).BeginLive(type, from));
            case ModelAction.Bookmark:
                string name = RingState.Bookmarks[random.Next(2)];
                _model.SetBookmark(name, _spool.LastAlertSequence);
                return Fault(_spool.SetBookmark(name, _spool.LastAlertSequence));
            case ModelAction.EngineAlerts:
                // The model has one way in for alerts: what waits goes first.
                if (Flush() is { } fault) return fault;
                long[] numbers = [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => ++_number)];
                foreach (long number in numbers) _model.AppendAlert(number);
                return Evicting(() => _spool.StoreEngineAlerts([.. numbers.Select(Traffic.Alert)], "f"));
            case ModelAction.ChangeConsumers:
                string[] known = ["engine", "elastic", "branch"];
                _consumers = [.. known.Where(_ => random.Next(2) == 0)];
                if (_consumers.Length == 0) _consumers = [known[random.Next(3)]];
                return Restart();
            case ModelAction.Restart:
                return Restart();
            default:
                return Kill(random);
        }
    }

    string? Append(Random random)
    {
        int room = new SpoolLimits(_options, long.MaxValue).TransactionBytes;
        // The ring holds some 120 kilobytes: of the large ones it evicts soon.
        int noise = random.Next(2) == 0 ? 60 : 700;
        for (int i = random.Next(1, 40); i > 0; i--)
        {
            (var type, bool scored) = ((EventType)random.Next(EventTypes.UploadedCount), random.Next(3) == 0);
            byte[] line = Traffic.Line(random, ++_number, noise);
            // One transaction a flush: how a larger one is divided is no matter of what the ring promises.
            if (_pendingBytes + line.Length + 1 > room && Flush() is { } fault) return fault;
            _pendingBytes += line.Length + 1;
            _spool.Append(type, scored ? 1 : 0, line);
            _model.Append(type, scored, _number);
        }
        if (random.Next(4) != 0) return null;
        if (_pendingBytes > room / 2 && Flush() is { } full) return full;
        _pendingBytes += 800;
        _spool.AppendAlert(Traffic.Alert(++_number));
        _model.AppendAlert(_number);
        return null;
    }

    string? Flush()
    {
        _pendingBytes = 0;
        return Evicting(_spool.Flush);
    }

    string? Evicting(Func<SpoolFault?> act)
    {
        SpoolCounters before = _spool.Counters;
        SpoolFault? fault = act();
        SpoolCounters after = _spool.Counters;
        var evicted = new long[Lane.Count];
        for (int lane = 0; lane < evicted.Length; lane++) evicted[lane] = after.OfLane(lane).Evicted - before.OfLane(lane).Evicted;
        Evicted += evicted.Sum();
        return Fault(fault) ?? _model.Flush(evicted, after.Alerts.Evicted - before.Alerts.Evicted, _now) ?? (_quotas ? Limits() : null);
    }

    // What the class quotas and the age promise, whatever the eviction did. A kill may take something off the age.
    string? Limits()
    {
        using var rows = new RingRows(_disk);
        for (int type = 0; type < EventTypes.UploadedCount; type++)
        {
            long bytes = rows.Bytes($"class=0 AND type={type}");
            if (bytes > s_quotas[SpoolClass.Dns + type].Bytes) return $"{bytes} bytes of {(EventType)type}";
        }
        if (rows.Bytes("class=1") is var scored && scored > s_quotas[SpoolClass.Scored].Bytes) return $"{scored} bytes of scored events";
        // Looked at once a minute, from a minute after the start on.
        return !_killed && _now - _opened > TimeSpan.FromMinutes(2) && _model.Oldest is { } oldest && _now - oldest > s_maxAge + TimeSpan.FromMinutes(2) ? $"an event of {_now - oldest} is there" : null;
    }

    static readonly TimeSpan s_maxAge = TimeSpan.FromMinutes(4);

    static readonly Dictionary<SpoolClass, SpoolQuota> s_quotas = new()
    {
        [SpoolClass.Scored] = new SpoolQuota(30_000), [SpoolClass.Dns] = new SpoolQuota(20_000), [SpoolClass.Ip] = new SpoolQuota(9_000),
        [SpoolClass.Http] = new SpoolQuota(12_000), [SpoolClass.Tls] = new SpoolQuota(40_000),
    };

    string? Settle(Random random, string consumer, EventType type, SpoolEnd end, bool aside)
    {
        SpoolConsumer real = _spool.Consumer(consumer);
        int most = random.Next(3) == 0 ? int.MaxValue : random.Next(1, 30);
        SpoolBatch? batch = real.Peek(type, most, int.MaxValue, end);
        List<(long Sequence, long Number)> expected = _model.Peek(consumer, type, end == SpoolEnd.Live);
        // Rows are not cut for a limit, so that a batch is a beginning of what the model shows.
        if (batch is not null && batch.Count < expected.Count && most != int.MaxValue) expected = expected[..batch.Count];
        if (Same(batch, expected) is { } different) return different;
        if (batch is null) return null;
        if (aside) batch = batch.Slice(0, Math.Min(batch.Count, 2));
        else if (random.Next(2) == 0) batch = batch.Slice(0, random.Next(1, batch.Count + 1));
        _model.Settle(consumer, type, batch.FirstSequence, batch.LastSequence, aside);
        return Fault(aside ? real.Quarantine(batch, "refused for ever") : real.Delivered(batch));
    }

    string? Restart()
    {
        // A stop flushes.
        if (Flush() is { } fault) return fault;
        _spool.Dispose();
        _spool = Spool.Open(_options with { Consumers = _consumers }, _time);
        _model.SetConsumers(_consumers);
        return Opened();
    }

    string? Kill(Random random)
    {
        DiskImage image = _disk.Image();
        _spool.Dispose();
        _disk.Load(image, record: false);
        _spool = Spool.Open(_options with { Consumers = _consumers }, _time);
        _model.Kill();
        _killed = true;
        _pendingBytes = 0;
        // Numbers skip once after a kill: one event of each type and an alert show how far.
        foreach (EventType type in EventTypes.Uploaded) _spool.Append(type, 1, Traffic.Line(random, ++_number));
        _spool.AppendAlert(Traffic.Alert(++_number));
        string? fault = Opened();
        fault ??= Evicting(() =>
        {
            SpoolFault? flushed = _spool.Flush();
            using var rows = new RingRows(_disk);
            foreach (EventType type in EventTypes.Uploaded)
            {
                fault ??= _model.SkipTo(type, rows.Greatest(type));
                _model.Append(type, true, _number - EventTypes.UploadedCount + (int)type);
            }
            fault ??= _model.SkipAlertsTo(_spool.LastAlertSequence);
            _model.AppendAlert(_number);
            return flushed;
        });
        return fault;
    }

    string? Opened()
    {
        _opened = _now;
        return _spool.OpenReport is { Corrected: 0, Quarantined.Count: 0 } ? null : $"{_spool.OpenReport.Corrected} corrected, {string.Join("; ", _spool.OpenReport.Quarantined)}";
    }

    static string? Fault(SpoolFault? fault) => fault is null ? null : $"a healthy disk, and yet {fault}";

    static string? Same(SpoolBatch? batch, List<(long Sequence, long Number)> expected)
    {
        var shown = new List<(long, long)>();
        IReadOnlyList<ReadOnlyMemory<byte>> lines = batch?.Lines() ?? [];
        for (int i = 0; i < lines.Count; i++)
        {
            using JsonDocument json = JsonDocument.Parse(lines[i]);
            shown.Add((batch!.SequenceOf(i), json.RootElement.GetProperty("n").GetInt64()));
        }
        return shown.SequenceEqual(expected) ? null : $"shown are {string.Join(' ', shown)}\nand the model shows {string.Join(' ', expected)}";
    }

    string? Compare(bool full)
    {
        if (_spool.CountRows() is not { } counters) return "the rows cannot be counted";
        var text = new StringBuilder();
        foreach (EventType type in EventTypes.Uploaded)
        {
            for (int scored = 0; scored < 2; scored++)
            {
                SpoolTally t = counters.Of(type, scored == 1);
                text.Append($"{type} {scored}: spooled {t.Spooled} in {t.InSpool} delivered {t.Delivered} evicted {t.Evicted} aside {t.Quarantined}, pending {t.Pending}\n");
            }
            foreach (SpoolConsumer consumer in _spool.Consumers)
            {
                ConsumerTally t = consumer.Tally(type);
                text.Append($"{consumer.Name} {type}: since {t.Since} delivered {t.Delivered} aside {t.Quarantined} missed {t.Missed} waiting {t.Waiting}\n");
                if (full && Same(consumer.Peek(type, int.MaxValue, int.MaxValue), _model.Peek(consumer.Name, type, live: false)) is { } fault) return $"{consumer.Name} {type}: {fault}";
            }
        }
        text.Append($"alerts: spooled {counters.Alerts.Spooled} in {counters.Alerts.InSpool} evicted {counters.Alerts.Evicted}, pending {counters.Alerts.Pending}\n");
        text.Append($"alerts: {string.Join(' ', _spool.ReadAlerts(0, int.MaxValue).Select(a => $"{a.Sequence}={a.Alert.Threats[0].Id["threat-".Length..]}"))}\n");
        foreach (string name in RingState.Bookmarks) text.Append($"bookmark {name} {_spool.GetBookmark(name)}\n");
        if (counters.BytesOnDisk > _options.MaxBytes) return $"{counters.BytesOnDisk} bytes on the disk, the quota is {_options.MaxBytes}";
        string[] real = text.ToString().Split('\n'), model = _model.Text().Split('\n');
        for (int i = 0; i < Math.Max(real.Length, model.Length); i++)
        {
            if (real.ElementAtOrDefault(i) != model.ElementAtOrDefault(i)) return $"the ring says   {real.ElementAtOrDefault(i)}\nthe model says  {model.ElementAtOrDefault(i)}";
        }
        return null;
    }

    public void Dispose() => _spool.Dispose();
}
