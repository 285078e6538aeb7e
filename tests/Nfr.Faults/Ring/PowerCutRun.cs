using Nfr.Events;
using Nfr.Faults.Disk;
using Nfr.Storage;
using Nfr.Tests;

namespace Nfr.Faults.Ring;

/// <summary>What the states of a run of power cuts were found to be.</summary>
sealed record PowerCutFigures
{
    public long States { get; set; }
    public long Operations { get; set; }

    /// <summary>Cuts inside a call, by its name, and between two.</summary>
    public SortedDictionary<string, long> Within { get; } = new(StringComparer.Ordinal);

    /// <summary>The ring was sound, and something acknowledged was not in it.</summary>
    public long Lost { get; set; }

    /// <summary>Something could not be read, had to be corrected or did not close.</summary>
    public long Corrupt { get; set; }

    /// <summary>A sequence number came twice, or the sensor forgot who it is.</summary>
    public long Repeated { get; set; }

    /// <summary>The spool did not open or did not work (promise 5).</summary>
    public long Dead { get; set; }

    public List<string> Examples { get; } = [];

    public void Add(PowerCutFigures other)
    {
        (States, Operations, Lost, Corrupt) = (States + other.States, Operations + other.Operations, Lost + other.Lost, Corrupt + other.Corrupt);
        (Repeated, Dead) = (Repeated + other.Repeated, Dead + other.Dead);
        foreach ((string what, long count) in other.Within) Within[what] = Within.GetValueOrDefault(what) + count;
        Examples.AddRange(other.Examples.Take(5 - Examples.Count));
    }

    public override string ToString() =>
        $"{States} power cuts in {Operations} recorded operations: {Lost} lost something acknowledged, {Corrupt} corrupt, {Repeated} with a number twice, {Dead} that did not work; "
        + "cut within " + string.Join(", ", Within.Select(w => $"{w.Key} {w.Value}"));
}

/// <summary>
/// One recorded life of a spool over several power cuts: a script runs, the power is cut after each of its operations, every state that this leaves
/// is opened and judged, and one of the states is what the next script begins with.
/// </summary>
sealed class PowerCutRun(int seed, string synchronous = "FULL", string? liesAboutSyncing = null) : IDisposable
{
    const int Generations = 3;

    readonly Random _random = new(seed);
    readonly FaultDisk _recorder = new() { LiesAboutSyncing = liesAboutSyncing };
    readonly FaultDisk _judge = new();
    readonly long _maxBytes = (256L << 10) << (seed % 3);
    readonly int _sectorBytes = seed % 4 == 3 ? 4096 : 512;
    DiskImage _start = new();
    RingState? _found;
    string _id = "";

    public PowerCutFigures Figures { get; } = new();

    SpoolOptions Options(FaultDisk disk) => new()
    {
        Directory = "/spool", Consumers = RingState.Consumers, MaxBytes = _maxBytes, Vfs = disk.Name, Files = disk, Synchronous = disk == _recorder ? synchronous : "FULL",
    };

    public void Run(int actions)
    {
        for (int generation = 0; generation < Generations; generation++)
        {
            _recorder.Load(_start.Copy(), record: true);
            var script = new RingScript(_random, _recorder, new ManualTime(), Options(_recorder));
            script.Run(actions);
            Figures.Operations += _recorder.Log!.Count;
            // With a setting that is meant to fail, the next generation would begin with nothing.
            if (!CutEverywhere(script, generation)) return;
        }
    }

    bool CutEverywhere(RingScript script, int generation)
    {
        List<DiskOp> log = _recorder.Log!;
        var cutter = new PowerCut(_start, log);
        int next = _random.Next(log.Count / 2, log.Count);
        (DiskImage Image, RingState Found, string Id)? chosen = null;
        int step = -1;
        for (int cut = 1; cut <= log.Count; cut++)
        {
            while (step + 1 < script.Steps.Count && script.Steps[step + 1].To <= cut) step++;
            cutter.AdvanceTo(cut);
            DiskImage image = cutter.Image(_random, _sectorBytes);
            DiskImage? kept = chosen is null && cut >= next ? image.Copy() : null;
            // Within a step the world may be as before it or as behind it; between two steps there is no choice.
            RingState? before = step >= 0 ? script.Steps[step].After : _found;
            bool within = step + 1 < script.Steps.Count && script.Steps[step + 1].From < cut;
            RingState? after = within ? script.Steps[step + 1].After : null;
            string what = within ? script.Steps[step + 1].What : "between";
            Figures.Within[what] = Figures.Within.GetValueOrDefault(what) + 1;
            string id = step >= 0 ? script.SensorId : _id;
            RingState? found = Judge(image, before, after, id, $"seed {seed}, generation {generation}, cut {cut} of {log.Count} within {what}", out string foundId);
            if (kept is not null && found is not null) chosen = (kept, found, foundId);
        }
        if (chosen is null) return false;
        (_start, _found, _id) = chosen.Value;
        return true;
    }

    // Null = it was not as it must be.
    RingState? Judge(DiskImage image, RingState? before, RingState? after, string id, string where, out string foundId)
    {
        Figures.States++;
        foundId = "";
        _judge.Load(image, record: false);
        Spool? spool = null;
        try
        {
            spool = Spool.Open(Options(_judge), new ManualTime());
            foundId = spool.SensorId;
            using var rows = new RingRows(_judge);
            RingState? found = RingState.Read(spool, rows, out string? fault);
            SpoolOpenReport report = spool.OpenReport;
            if (report.Quarantined.Count > 0) fault ??= report.Quarantined[0];
            if (report.Corrected > 0) fault ??= $"{report.Corrected} events had to be corrected";
            bool asBefore = before is null ? found is { Spooled: 0, Alerts: 0 } : found?.Text == before.Text;
            if (fault is not null)
            {
                Figures.Corrupt++;
                Tell($"{where}: {fault}");
                found = null;
            }
            else if (!asBefore && found!.Text != after?.Text)
            {
                Figures.Lost++;
                Tell($"{where}: found\n{found.Text}\nacknowledged was\n{before?.Text}\nunder way to\n{after?.Text}");
                found = null;
            }
            if (!WorksOn(spool, rows, before, id, where)) found = null;
            return found;
        }
        catch (SpoolException e)
        {
            Figures.Dead++;
            Tell($"{where}: {e.Message}");
            return null;
        }
        finally
        {
            spool?.Dispose();
        }
    }

    bool WorksOn(Spool spool, RingRows rows, RingState? before, string id, string where)
    {
        if (id.Length > 0 && spool.SensorId != id)
        {
            Figures.Repeated++;
            Tell($"{where}: the sensor was {id} and is {spool.SensorId}");
            return false;
        }
        var type = (EventType)_random.Next(EventTypes.UploadedCount);
        spool.Append(type, 1, Traffic.Line(_random, -1));
        spool.AppendAlert(Traffic.Alert(-1));
        if (spool.Flush() is { } fault)
        {
            Figures.Dead++;
            Tell($"{where}: {fault}");
            return false;
        }
        long given = rows.Greatest(type);
        if (before is null || (given > before.Greatest[(int)type] && spool.LastAlertSequence > before.Greatest[^1])) return true;
        Figures.Repeated++;
        Tell($"{where}: {type} {given} after {before.Greatest[(int)type]}, alert {spool.LastAlertSequence} after {before.Greatest[^1]}");
        return false;
    }

    void Tell(string example)
    {
        if (Figures.Examples.Count < 3) Figures.Examples.Add(example);
    }

    public void Dispose()
    {
        _recorder.Dispose();
        _judge.Dispose();
    }
}
