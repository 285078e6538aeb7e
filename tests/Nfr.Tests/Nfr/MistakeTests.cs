using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Tests.Sensor;
using Nfr.Wire;
using Serilog;
using Ledger = Nfr.Pipeline.Ledger;
using Frames = Nfr.Tests.Sensor.Frames;

namespace Nfr.Tests.Nfr;

/// <summary>A mistake of ours costs what met it, and that is counted in the sum of its stage.</summary>
public sealed class MistakeTests
{
    sealed class Broken : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new NotSupportedException("a mistake");
    }

    [Fact]
    public void An_event_that_met_a_mistake_is_counted_where_it_ended()
    {
        var ring = new EventRing();
        var dropped = new long[EventTypes.Count];
        var decoder = new FrameDecoder<RingSink>(new DecoderOptions(), new RingSink(ring, dropped, RingPatience.Endless));
        using var broken = new Broken();
        var stage = new EventStage(null, null, null, broken);
        var pipeline = new PipelineThread([ring], stage, null, Log.Logger);
        for (int i = 0; i < 3; i++) decoder.OnFrame(new Frame(Frames.Udp("10.0.0.1", 1000 + i, "192.0.2.1", 9, "x"u8), 52, 1, 1, LinkType.Ethernet, 0, 0));
        decoder.Drain();
        pipeline.Start();
        Assert.True(pipeline.Finish(TimeSpan.FromSeconds(20)));
        var ledger = new Ledger
        {
            Captures = [new CaptureEntry("files", null, null, decoder.Counters, decoder.Events, dropped, decoder.ActiveFlows, 0)],
            Stage = stage.Counters, PipelineMistakes = pipeline.Mistakes, IsClosing = true,
        };
        Assert.Equal((3, 3), (stage.Counters.Unkept.Sum(), pipeline.Mistakes));
        // The sums come out with them; that there was a mistake is said all the same.
        Assert.Equal(["pipeline: 3 mistakes in nfr itself, see the log"], ledger.Gaps);
        Assert.Contains("lost to a mistake in nfr itself", LedgerText.Write(ledger), StringComparison.Ordinal);
    }

    [Fact]
    public void Flows_that_find_a_table_full_are_counted()
    {
        var details = new FlowDetails();
        for (int i = 0; i <= FlowDetails.Capacity; i++)
        {
            Flow flow = default;
            Assert.Equal(i < FlowDetails.Capacity, details.TryRent(ref flow));
        }
        Assert.Equal(1, details.Refused);
        var tunnels = new TunnelTable();
        for (uint i = 0; i <= TunnelTable.Capacity; i++) tunnels.Take(new Tunnel { Kind = TunnelKind.Gre, Identifier = i });
        Assert.Equal((TunnelTable.Capacity, 1), (tunnels.InUse, tunnels.Shared));
    }
}
