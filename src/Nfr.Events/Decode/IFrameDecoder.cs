using Nfr.Wire;

namespace Nfr.Events;

/// <summary>A decode loop without its sink's type, for the threads that drive and count it.</summary>
public interface IFrameDecoder
{
    DecodeCounters Counters { get; }
    long[] Events { get; }
    int ActiveFlows { get; }
    void OnFrame(scoped in Frame frame);
    void Advance(long tick);
    void Drain();
}
