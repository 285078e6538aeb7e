using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Faults.Ring;

/// <summary>The one that takes events out of the ring in these tests.</summary>
static class Consumer
{
    public static SpoolBatch? Peek(Spool spool, EventType type, int maxEvents = int.MaxValue) => spool.Peek(type, maxEvents, int.MaxValue);

    public static SpoolFault? Delivered(Spool spool, SpoolBatch batch) => spool.Delivered(batch.Type, batch.LastSequence);

    public static SpoolFault? Quarantine(Spool spool, SpoolBatch batch) => spool.Quarantine(batch.Type, batch.LastSequence, "refused for ever");
}
