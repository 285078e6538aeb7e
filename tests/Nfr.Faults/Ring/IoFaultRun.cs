using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Faults.Disk;
using Nfr.Storage;
using Nfr.Tests;

namespace Nfr.Faults.Ring;

/// <summary>What a sensor does while its disk refuses calls.</summary>
enum IoWorkload
{
    /// <summary>A new ring is made.</summary>
    Create,
    /// <summary>A full ring of an orderly stop: each flush evicts, and it is taken out of.</summary>
    Drain,
    /// <summary>A ring of a power cut is opened, with all its commits in the log.</summary>
    Recover,
}

/// <summary>
/// One life of a spool on a disk that refuses some calls. Every event has a number, so that at the end it can be told what became of each.
/// </summary>
sealed class IoFaultRun(FaultDisk disk, IoWorkload workload)
{
    readonly ManualTime _time = new();
    readonly Random _random = new((int)workload + 1);
    readonly SpoolOptions _options = new() { Directory = "/spool", MaxBytes = SpoolOptions.LeastBytes, Vfs = disk.Name, Files = disk };
    Spool? _spool;
    long _events, _alerts, _delivered, _aside;

    SpoolConsumer Engine => _spool!.Consumer("engine");

    /// <summary>Calls that came back with a fault, and opens that were refused.</summary>
    public int Faults { get; private set; }
    public int RefusedOpens { get; private set; }
    public string Id { get; private set; } = "";

    /// <summary>What lies on the disk before the run, and what is in it.</summary>
    public sealed record Start(DiskImage Image, long Events, long Alerts, long Delivered, long Aside, string Id);

    /// <summary>The disk that a workload begins with, made on a healthy one.</summary>
    public static Start Prepare(FaultDisk disk, IoWorkload workload)
    {
        disk.Load(new DiskImage(), record: false);
        if (workload == IoWorkload.Create) return new Start(new DiskImage(), 0, 0, 0, 0, "");
        var run = new IoFaultRun(disk, workload);
        run.Open();
        for (int i = 0; i < (workload == IoWorkload.Drain ? 40 : 6); i++) run.Append(10);
        run.Settle(EventType.Dns, aside: false);
        run.Append(10);
        // A power cut that lost nothing: what is on the disk while the spool is open.
        DiskImage image = disk.Image();
        run._spool!.Dispose();
        if (workload == IoWorkload.Drain) image = disk.Image();
        return new Start(image, run._events, run._alerts, run._delivered, run._aside, run.Id);
    }

    public void Run(Start start, Action fail)
    {
        disk.Load(start.Image.Copy(), record: false);
        (_events, _alerts, _delivered, _aside, Id) = (start.Events, start.Alerts, start.Delivered, start.Aside, start.Id);
        fail();
        Open();
        for (int i = 0; i < 4; i++)
        {
            Append(10);
            if (i % 2 == 1) Settle((EventType)(i % EventTypes.UploadedCount), aside: i == 3);
            _spool!.SetBookmark("file", _spool.LastAlertSequence);
            _spool.ReadAlerts(0, 100);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Require(s => s.SetState("mark", "there"));
        long alert = ++_alerts;
        Require(s => s.StoreEngineAlerts([Traffic.Alert(alert)], "f"));
        disk.Heal();
        _time.Advance(TimeSpan.FromSeconds(5));
        // Resumes by itself: the next flush after the fault has gone.
        Append(1);
        if (_spool!.Flush() is { } fault) throw new InvalidOperationException($"the disk is well again, and yet: {fault}");
        if (_spool.Counters.Failing || _spool.Counters.DiskFull) throw new InvalidOperationException("the disk is well again, and the spool does not say so");
        Judge("before the stop");
        _spool.Dispose();
        Open();
        Judge("after a restart");
        if (_spool.GetState("mark") != "there" || _spool.GetState("follow") != "f") throw new InvalidOperationException("a text that was acknowledged is gone");
        _spool.Dispose();
    }

    /// <summary>As a service does it: a start that is refused is tried again.</summary>
    void Open()
    {
        for (int i = 0; i < 100; i++)
        {
            try
            {
                _spool = Spool.Open(_options, _time);
                if (Id.Length == 0) Id = _spool.SensorId;
                if (_spool.SensorId != Id) throw new InvalidOperationException($"the sensor was {Id} and is {_spool.SensorId}");
                return;
            }
            catch (SpoolException)
            {
                RefusedOpens++;
            }
        }
        throw new InvalidOperationException("a hundred starts were refused");
    }

    void Append(int count)
    {
        for (int i = 0; i < count; i++) _spool!.Append((EventType)_random.Next(EventTypes.UploadedCount), _random.Next(4) == 0 ? 1 : 0, Traffic.Line(_random, ++_events, random: 200));
        _spool!.AppendAlert(Traffic.Alert(++_alerts));
        if (_spool.Flush() is not null) Faults++;
    }

    // What an engine has taken is told to the spool until the spool knows it.
    void Settle(EventType type, bool aside)
    {
        if (Engine.Peek(type, 20, int.MaxValue) is not { } batch) return;
        if (aside) batch = batch.Slice(0, 1);
        SpoolTally before = _spool!.Counters.Of(type);
        Require(_ => aside ? Engine.Quarantine(batch, "refused for ever") : Engine.Delivered(batch));
        SpoolTally after = _spool.Counters.Of(type);
        (long delivered, long moved) = (after.Delivered - before.Delivered, after.Quarantined - before.Quarantined);
        // A full disk may have evicted some of them first, and then they are counted as that.
        long settled = aside ? moved : delivered;
        if (settled > batch.Count || settled + after.Evicted - before.Evicted < batch.Count) throw new InvalidOperationException($"{batch.Count} settled: {before} {after}");
        _delivered += delivered;
        _aside += moved;
    }

    void Require(Func<Spool, SpoolFault?> call)
    {
        for (int i = 0; i < 100; i++)
        {
            if (call(_spool!) is null) return;
            Faults++;
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        throw new InvalidOperationException("a hundred tries were refused");
    }

    void Judge(string when)
    {
        SpoolCounters counters = _spool!.CountRows() ?? throw new InvalidOperationException($"{when}: the rows cannot be counted");
        SpoolTally total = counters.Total;
        var there = new HashSet<long>();
        foreach (EventType type in EventTypes.Uploaded)
        {
            if (Engine.Peek(type, int.MaxValue, int.MaxValue) is not { } batch) continue;
            foreach (ReadOnlyMemory<byte> line in batch.Lines())
            {
                using JsonDocument json = JsonDocument.Parse(line);
                if (!there.Add(json.RootElement.GetProperty("n").GetInt64())) throw new InvalidOperationException($"{when}: {Encoding.UTF8.GetString(line.Span)} twice");
            }
        }
        string numbers = $"{when}: {string.Join("; ", _spool.OpenReport.Quarantined)} {counters.LastFault} {total}, {there.Count} to be read; appended {_events}, taken {_delivered}, aside {_aside}; alerts {counters.Alerts} of {_alerts}";
        bool closes = total.Spooled == _events && total.LostBeforeSpool == 0 && total.Delivered == _delivered && total.Quarantined == _aside
            && total.InSpool == there.Count && total.Spooled == total.InSpool + total.Delivered + total.Evicted + total.Quarantined
            && counters.Alerts.Spooled == _alerts && counters.Alerts.Quarantined == 0 && counters.Alerts.Spooled == counters.Alerts.InSpool + counters.Alerts.Evicted;
        if (!closes) throw new InvalidOperationException(numbers);
        if (counters.QuarantinedFiles > 0) throw new InvalidOperationException($"{when}: {counters.QuarantinedFiles} files were thrown aside");
    }

    public void Abandon()
    {
        disk.Heal();
        _spool?.Dispose();
    }
}
