using System.Net.Sockets;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Tests.Capture;
using Serilog;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Sensor;

/// <summary>Counts of the ledger that only a real port has, each driven above zero.</summary>
public sealed class LedgerPortTests
{
    static LiveCapture Open(NetworkNamespace network, int blockTimeout = 10)
    {
        LiveCapture? capture = network.Inside(() => LiveCapture.Open(new LiveCaptureOptions { Interface = "near", BlockCount = 4, BlockTimeoutMilliseconds = blockTimeout }, out _));
        Assert.NotNull(capture);
        return capture;
    }

    static void SendTooLong(Socket far)
    {
        byte[] frame = Frames.Udp("10.0.0.1", 1, "192.0.2.1", 9, new byte[900]);
        Assert.Equal(SocketError.NoBufferSpaceAvailable, Assert.Throws<SocketException>(() => far.Send(frame)).SocketErrorCode);
    }

    static Ledger Closing(CaptureWorker worker)
    {
        worker.RequestStop();
        Assert.True(worker.Join(TimeSpan.FromSeconds(20)));
        return new Ledger
        {
            Captures =
            [
                new CaptureEntry("near", worker.Statistics, worker.Nic, worker.Counters, worker.Events, worker.DroppedEvents, worker.ActiveFlows, worker.Mistakes) { MistakenFrames = worker.MistakenFrames },
            ],
            IsClosing = true,
        };
    }

    [CableFact]
    public void Frames_lost_on_the_card_are_read_in_the_captures_own_namespace()
    {
        using var network = new NetworkNamespace();
        network.InIp("link", "set", "near", "mtu", "576");
        using Socket far = network.Sender("far");
        // Before anybody listens: not ours.
        SendTooLong(far);
        // This thread lies in another namespace, whose /sys does not hold the port.
        Assert.False(Directory.Exists("/sys/class/net/near"));
        var worker = new CaptureWorker(Open(network), new LiveCaptureOptions { Interface = "near" }, new DecoderOptions(), Log.Logger);
        worker.Start();
        for (int i = 0; i < 20; i++) far.Send(Frames.Udp("10.0.0.1", 1, "192.0.2.1", 9, "small"u8));
        // Longer than the port's MTU: its driver drops them.
        for (int i = 0; i < 7; i++) SendTooLong(far);
        Assert.Equal(new NicStatistics(20, 7, 0, 0), worker.Nic);
        Ledger end = Closing(worker);
        Assert.Empty(end.Gaps);
        // Kept when the capture is gone.
        Assert.Equal((20, 20, 7), (end.KernelReceived, end.Captures[0].Nic!.Value.Packets, end.Captures[0].Nic!.Value.Lost));
        Assert.Matches(@"near: frames on the card +20\n +dropped there +7\n", LedgerText.Write(end));
        var nothing = new Ledger { Captures = [end.Captures[0] with { Kernel = default(CaptureStatistics), Nic = default(NicStatistics), Decoded = new DecodeCounters(), Events = new long[EventTypes.Count] }] };
        LedgerInterval run = new LedgerClock(nothing, TimeProvider.System).Turn(end);
        Assert.Equal(7, run.Lost);
        Assert.Contains("lost: 7 packets on the card", run.Sentence(), StringComparison.Ordinal);
    }

    [CableFact]
    public void Frames_that_met_a_mistake_and_those_behind_them_in_their_block_are_counted()
    {
        using var network = new NetworkNamespace();
        using Socket far = network.Sender("far");
        // Asked once for each flow: the place where a mistake can be made from outside.
        var decoding = new DecoderOptions { IsHome = address => address.V4 == 0x0A000007 ? throw new NotSupportedException("a mistake") : true };
        // Long enough for all thirty to be in one block.
        var worker = new CaptureWorker(Open(network, blockTimeout: 1000), new LiveCaptureOptions { Interface = "near" }, decoding, Log.Logger);
        for (int i = 0; i < 30; i++) far.Send(Frames.Udp($"10.0.0.{i}", 1, "192.0.2.1", 9, "x"u8));
        worker.Start();
        Assert.True(SpinWait.SpinUntil(() => worker.Mistakes > 0, 20_000));
        Ledger end = Closing(worker);
        long abandoned = end.Captures[0].Kernel!.Value.Abandoned;
        Assert.Equal(["near: 1 mistakes in nfr itself, see the log"], end.Gaps);
        Assert.Equal((1, 30), (end.MistakenFrames, end.Parsed + end.MistakenFrames + abandoned));
        Assert.True(abandoned > 0);
        string text = LedgerText.Write(end);
        Assert.Matches(@"lost to a mistake in nfr itself +1\n", text);
        Assert.Matches($@"given up in their block +{abandoned}\n", text);
        Assert.NotEmpty((end with { Captures = [end.Captures[0] with { MistakenFrames = 0, Mistakes = 0 }] }).Gaps);
        Assert.NotEmpty((end with { Captures = [end.Captures[0] with { Kernel = end.Captures[0].Kernel!.Value with { Abandoned = 0 }, Mistakes = 0 }] }).Gaps);
    }
}
