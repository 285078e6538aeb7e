using Nfr.Events;
using Nfr.Faults.Disk;
using Nfr.Storage;
using Nfr.Tests;

namespace Nfr.Faults.Ring;

/// <summary>What a sensor does to its spool, at random, step by step. A step is acknowledged when its call has returned no fault.</summary>
sealed class RingScript(Random random, FaultDisk disk, ManualTime time, SpoolOptions options)
{
    long _number;
    int _consumer;
    EventType _type;

    /// <summary>One acknowledged call: where it began and ended in the disk's log, and the state behind it.</summary>
    public readonly record struct Step(string What, int From, int To, RingState After);

    public List<Step> Steps { get; } = [];
    public string SensorId { get; private set; } = "";

    /// <summary>Opens, does so many things and closes.</summary>
    public void Run(int actions)
    {
        Spool? spool = null;
        Do("open", ref spool, Open);
        for (int i = 0; i < actions; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            switch (random.Next(16))
            {
                case < 8:
                    Do("flush", ref spool, Flush);
                    break;
                case 8 or 9:
                    Do("deliver", ref spool, s => Settle(s, SpoolEnd.Oldest, aside: false));
                    break;
                case 10:
                    Do("quarantine", ref spool, s => Settle(s, SpoolEnd.Oldest, aside: true));
                    break;
                case 15:
                    // An outage is over: what waits becomes the backlog, and what comes now goes before it.
                    _consumer = random.Next(RingState.Consumers.Length);
                    _type = (EventType)random.Next(EventTypes.UploadedCount);
                    Do("live", ref spool, s =>
                    {
                        Live(s!);
                        return s;
                    });
                    Do("flush", ref spool, Flush);
                    Do("deliver live", ref spool, s => Live(s!) is { } batch ? Acknowledged(s!, Taker(s!).Delivered(batch)) : s);
                    break;
                case 11:
                    Do("bookmark", ref spool, s => Acknowledged(s!, s!.SetBookmark(RingState.Bookmarks[random.Next(2)], s.LastAlertSequence)));
                    break;
                case 12:
                    Do("engine alerts", ref spool, s => Acknowledged(s!,
                        s!.StoreEngineAlerts([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Traffic.Alert(++_number))], $"f{_number}")));
                    break;
                case 13:
                    Do("text", ref spool, s => Acknowledged(s!, s!.SetState("mark", $"{++_number}")));
                    break;
                case 14 when random.Next(3) == 0:
                    Do("close", ref spool, Close);
                    Do("open", ref spool, Open);
                    break;
                default:
                    Do("alert", ref spool, s =>
                    {
                        s!.AppendAlert(Traffic.Alert(++_number));
                        return Acknowledged(s, s.Flush());
                    });
                    break;
            }
        }
        Do("close", ref spool, Close);
    }

    void Do(string what, ref Spool? spool, Func<Spool?, Spool?> action)
    {
        int from = disk.Log!.Count;
        RingState? known = Steps.Count > 0 ? Steps[^1].After : null;
        spool = action(spool);
        int to = disk.Log.Count;
        string? fault = null;
        RingState? after = known;
        if (spool is not null)
        {
            using var rows = new RingRows(disk);
            after = RingState.Read(spool, rows, out fault);
        }
        if (after is null || fault is not null) throw new InvalidOperationException($"after {what}: {fault}");
        Steps.Add(new Step(what, from, to, after));
    }

    Spool Open(Spool? _)
    {
        Spool spool = Spool.Open(options, time);
        SensorId = spool.SensorId;
        return spool;
    }

    static Spool? Close(Spool? spool)
    {
        spool!.Dispose();
        return null;
    }

    Spool Flush(Spool? spool)
    {
        int count = random.Next(1, 30);
        for (int i = 0; i < count; i++) spool!.Append((EventType)random.Next(EventTypes.UploadedCount), random.Next(4) == 0 ? 1 : 0, Traffic.Line(random, ++_number));
        if (random.Next(5) == 0) spool!.AppendAlert(Traffic.Alert(++_number));
        return Acknowledged(spool!, spool!.Flush());
    }

    Spool Settle(Spool? spool, SpoolEnd end, bool aside)
    {
        _consumer = random.Next(RingState.Consumers.Length);
        var type = (EventType)random.Next(EventTypes.UploadedCount);
        if (Taker(spool!).Peek(type, random.Next(1, 60), int.MaxValue, end) is not { } batch) return spool!;
        if (aside) return Acknowledged(spool!, Taker(spool!).Quarantine(batch.Slice(0, 1), "refused for ever"));
        if (random.Next(2) == 0) batch = batch.Slice(0, random.Next(1, batch.Count + 1));
        return Acknowledged(spool!, Taker(spool!).Delivered(batch));
    }

    SpoolBatch? Live(Spool spool) => Taker(spool).Peek(_type, 20, int.MaxValue, SpoolEnd.Live);

    SpoolConsumer Taker(Spool spool) => spool.Consumer(RingState.Consumers[_consumer]);

    static Spool Acknowledged(Spool spool, SpoolFault? fault) =>
        fault is null ? spool : throw new InvalidOperationException($"a healthy disk, and yet: {fault}");
}
