using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Tests.Storage;

/// <summary>The spool as its consumer "engine" has it, settled up to a number.</summary>
public static class EngineShare
{
    public static SpoolBatch? Peek(this Spool spool, EventType type, int maxEvents, int maxBytes) => spool.Consumer("engine").Peek(type, maxEvents, maxBytes);

    public static SpoolFault? Delivered(this Spool spool, EventType type, long through) => Settle(spool.Consumer("engine"), type, through, null);

    public static SpoolFault? Quarantine(this Spool spool, EventType type, long through, string reason) => Settle(spool.Consumer("engine"), type, through, reason);

    public static SpoolFault? Settle(this SpoolConsumer consumer, EventType type, long through, string? reason)
    {
        while (consumer.Peek(type, int.MaxValue, int.MaxValue) is { } batch)
        {
            int count = Enumerable.Range(0, batch.Count).TakeWhile(i => batch.SequenceOf(i) <= through).Count();
            if (count == 0) break;
            SpoolBatch part = count == batch.Count ? batch : batch.Slice(0, count);
            if ((reason is null ? consumer.Delivered(part) : consumer.Quarantine(part, reason)) is { } fault) return fault;
        }
        return null;
    }
}
