using Nfr.Capture;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>
/// One capture worker's counts between two blocks, when no frame is in hand, so that its sums come out exactly while it runs. Made by whoever asks,
/// filled by the worker, which allocates nothing.
/// </summary>
sealed class CaptureShot
{
    volatile bool _filled;

    public bool IsFilled => _filled;
    public CaptureStatistics Kernel { get; private set; }
    public DecodeCounters Decoded { get; } = new();
    public long[] Events { get; } = new long[EventTypes.Count];
    public long[] Dropped { get; } = new long[EventTypes.Count];
    public int ActiveFlows { get; private set; }
    public long Mistakes { get; private set; }
    public long MistakenFrames { get; private set; }

    public void Fill(in CaptureStatistics kernel, DecodeCounters decoded, long[] events, long[] dropped, int activeFlows, long mistakes, long mistakenFrames)
    {
        Kernel = kernel;
        Decoded.Add(decoded, 1);
        events.CopyTo(Events, 0);
        dropped.CopyTo(Dropped, 0);
        ActiveFlows = activeFlows;
        Mistakes = mistakes;
        MistakenFrames = mistakenFrames;
        _filled = true;
    }
}

/// <summary>The pipeline's and the spool's counts between two events.</summary>
sealed class PipelineShot
{
    volatile bool _filled;

    public bool IsFilled => _filled;
    public StageCounters? Stage { get; private set; }
    public SpoolCounters? Spool { get; private set; }
    public long Mistakes { get; private set; }

    public void Fill(StageCounters stage, SpoolCounters? spool, long mistakes)
    {
        Stage = stage.Copy();
        Spool = spool;
        Mistakes = mistakes;
        _filled = true;
    }
}
