using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Tests.Capture;

/// <summary>On a veth pair in a namespace of its own: real sockets, the real ring.</summary>
public sealed class LiveCaptureTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    static LiveCapture Open(NetworkNamespace network, LiveCaptureOptions? options = null)
    {
        options ??= new LiveCaptureOptions { Interface = "near" };
        (LiveCapture? capture, CaptureFault? fault) = network.Inside(() => (LiveCapture.Open(options, out CaptureFault? f), f));
        Assert.True(capture is not null, fault?.Message);
        return capture;
    }

    static CaptureFault Refusal(NetworkNamespace network, LiveCaptureOptions options) => network.Inside(() =>
    {
        using LiveCapture? capture = LiveCapture.Open(options, out CaptureFault? fault);
        Assert.Null(capture);
        return fault!;
    });

    /// <summary>Reads until so many frames have come, or patience ends.</summary>
    static List<KeptFrame> ReadFrames(LiveCapture capture, int count)
    {
        var sink = new KeepFrames();
        var clock = Stopwatch.StartNew();
        while (sink.Frames.Count < count && clock.Elapsed < Patience && capture.Fault is null) capture.ReadBlock(ref sink, 100);
        // Whatever else there is gets a moment to show itself: slow senders spread over many blocks.
        for (int quiet = 0; quiet < 3 && clock.Elapsed < Patience && capture.Fault is null;) quiet = capture.ReadBlock(ref sink, 30) > 0 ? 0 : quiet + 1;
        return sink.Frames;
    }

    [CableFact]
    public void Frames_arrive_with_the_tags_that_the_kernel_took_out()
    {
        using var network = new NetworkNamespace();
        using LiveCapture capture = Open(network);
        using Socket sender = network.Sender("far");
        DateTimeOffset before = DateTimeOffset.UtcNow;
        for (int i = 0; i < 50; i++)
        {
            // None of these stations is ours: without promiscuous mode nothing would be seen.
            sender.Send(SocketFilterTests.Udp(1000 + i, 53));
            sender.Send(SocketFilterTests.Udp(1000 + i, 53, (0x8100, 0x6007)));
            sender.Send(SocketFilterTests.Udp(1000 + i, 53, (0x88A8, 9), (0x8100, 7)));
        }
        List<KeptFrame> frames = ReadFrames(capture, 150);

        Assert.Equal(150, frames.Count);
        for (int i = 0; i < 150; i += 3)
        {
            Assert.Equal((0, 0), (frames[i].VlanTpid, frames[i].VlanTci));
            Assert.Equal(SocketFilterTests.Udp(1000 + i / 3, 53), frames[i].Bytes);
            Assert.Equal((0x8100, 0x6007), (frames[i + 1].VlanTpid, frames[i + 1].VlanTci));
            Assert.Equal(SocketFilterTests.Udp(1000 + i / 3, 53), frames[i + 1].Bytes);
            Assert.Equal((0x88A8, 9), (frames[i + 2].VlanTpid, frames[i + 2].VlanTci));
            Assert.Equal(SocketFilterTests.Udp(1000 + i / 3, 53, (0x8100, 7)), frames[i + 2].Bytes);
        }
        Assert.All(frames, f => Assert.Equal(f.Bytes.Length, f.OriginalLength));
        Assert.All(frames, f => Assert.Equal(LinkType.Ethernet, f.LinkType));
        Assert.All(frames, f => Assert.InRange(
            f.Timestamp / 1_000_000, before.ToUnixTimeMilliseconds() - 1000, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 1000));
        Assert.Equal(frames.Select(f => f.Tick).Order(), frames.Select(f => f.Tick));
        Assert.InRange(frames[^1].Tick, 1, Stopwatch.GetElapsedTime(0).Ticks * 100);
        Assert.Equal(new CaptureStatistics(150, 0, 0, 0), capture.Statistics);
    }

    [CableFact]
    public void Both_directions_are_seen_unless_the_outgoing_one_is_not_wanted()
    {
        using var network = new NetworkNamespace();
        using LiveCapture both = Open(network);
        using LiveCapture incoming = Open(network, new LiveCaptureOptions { Interface = "near", IgnoreOutgoing = true });
        using Socket near = network.Sender("near");
        using Socket far = network.Sender("far");
        near.Send(SocketFilterTests.Udp(1, 2));
        far.Send(SocketFilterTests.Udp(2, 1));
        Assert.Equal(2, ReadFrames(both, 2).Count);
        Assert.Equal(SocketFilterTests.Udp(2, 1), Assert.Single(ReadFrames(incoming, 1)).Bytes);
    }

    [CableFact]
    public void Loopback_shows_each_frame_once()
    {
        using var network = new NetworkNamespace();
        using LiveCapture capture = Open(network, new LiveCaptureOptions { Interface = "lo" });
        network.Inside(() =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            socket.SendTo("hello"u8, socket.LocalEndPoint!);
        });
        Assert.Equal("hello"u8.ToArray(), Assert.Single(ReadFrames(capture, 1)).Bytes[^5..]);
    }

    [CableFact]
    public void A_filter_sees_through_tags()
    {
        using var network = new NetworkNamespace();
        using LiveCapture dns = Open(network, new LiveCaptureOptions { Interface = "near", Filter = "udp port 53" });
        using LiveCapture seven = Open(network, new LiveCaptureOptions { Interface = "near", Filter = "vlan 7 and udp port 53" });
        using Socket sender = network.Sender("far");
        foreach (int port in new[] { 53, 80 })
        {
            sender.Send(SocketFilterTests.Udp(1000, port));
            sender.Send(SocketFilterTests.Udp(1000, port, (0x8100, 7)));
            sender.Send(SocketFilterTests.Udp(1000, port, (0x8100, 8)));
            sender.Send(SocketFilterTests.Udp(1000, port, (0x88A8, 9), (0x8100, 7)));
        }
        Assert.Equal([0, 7, 8, 9], ReadFrames(dns, 4).Select(f => (int)f.VlanTci));
        Assert.Equal(7, Assert.Single(ReadFrames(seven, 1)).VlanTci);
        Assert.Equal(4, dns.Statistics.Received);
    }

    [CableFact]
    public void What_a_stalled_reader_loses_is_counted()
    {
        using var network = new NetworkNamespace();
        using LiveCapture capture = Open(network, new LiveCaptureOptions { Interface = "near", BlockSize = 1 << 16, BlockCount = 2 });
        using Socket sender = network.Sender("far");
        byte[] large = new byte[1500];
        SocketFilterTests.Udp(1000, 53).CopyTo(large, 0);
        for (int i = 0; i < 1000; i++) sender.Send(large);
        CaptureStatistics stalled = capture.Statistics;
        Assert.True(stalled.Dropped > 0);
        Assert.True(stalled.FreezeCount > 0);
        int read = ReadFrames(capture, (int)stalled.Delivered).Count;

        CaptureStatistics end = capture.Statistics;
        Assert.Equal(1000, end.Received);
        Assert.Equal(read, end.Delivered);
        Assert.Equal(0, end.BrokenBlocks);
        // And the ring goes on.
        sender.Send(SocketFilterTests.Udp(1, 2));
        Assert.Single(ReadFrames(capture, 1));
    }

    /// <summary>The kernel hands over a block at each time-out, however little is in it: a ring of few large blocks is full of almost nothing within a third of a second.</summary>
    [CableFact]
    public void A_reader_that_stands_still_for_over_a_second_loses_nothing_of_a_quiet_port()
    {
        using var network = new NetworkNamespace();
        using LiveCapture capture = Open(network);
        using Socket sender = network.Sender("far");
        byte[] frame = SocketFilterTests.Udp(1000, 53);
        var clock = Stopwatch.StartNew();
        int sent = 0;
        for (; clock.Elapsed < TimeSpan.FromSeconds(1.2); sent++)
        {
            sender.Send(frame);
            Thread.Sleep(2);
        }
        CaptureStatistics stalled = capture.Statistics;
        Assert.Equal((sent, 0, 0), (stalled.Received, stalled.Dropped, stalled.FreezeCount));
        Assert.Equal(sent, ReadFrames(capture, sent).Count);
    }

    ref struct Thrower : IFrameSink
    {
        public int Frames;

        public readonly void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
        {
        }

        public void OnFrame(scoped in Frame frame)
        {
            if (++Frames == 3) throw new NotSupportedException("a mistake");
        }
    }

    [CableFact]
    public void Frames_behind_one_whose_sink_threw_are_counted()
    {
        using var network = new NetworkNamespace();
        using LiveCapture capture = Open(network);
        using Socket sender = network.Sender("far");
        for (int i = 0; i < 50; i++) sender.Send(SocketFilterTests.Udp(1, 2));
        var sink = new Thrower();
        bool thrown = false;
        var clock = Stopwatch.StartNew();
        while (sink.Frames + capture.Statistics.Abandoned < 50 && clock.Elapsed < Patience)
        {
            try
            {
                capture.ReadBlock(ref sink, 50);
            }
            catch (NotSupportedException)
            {
                thrown = true;
            }
        }
        Assert.True(thrown);
        CaptureStatistics end = capture.Statistics;
        Assert.Equal((50, sink.Frames), (end.Received, end.Delivered));
    }

    [CableFact]
    public void Many_frames_go_round_the_ring_without_an_allocation()
    {
        using var network = new NetworkNamespace();
        using LiveCapture capture = Open(network, new LiveCaptureOptions { Interface = "near", BlockSize = 1 << 16, BlockCount = 64 });
        using Socket sender = network.Sender("far");
        byte[] frame = new byte[600];
        SocketFilterTests.Udp(1000, 53).CopyTo(frame, 0);
        var sink = new CountFrames();
        long allocated = long.MaxValue;
        var clock = Stopwatch.StartNew();
        for (int round = 1; round <= 100; round++)
        {
            for (int i = 0; i < 200; i++) sender.Send(frame);
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (sink.Frames < round * 200 && clock.Elapsed < Patience) capture.ReadBlock(ref sink, 50);
            // The first rounds compile; an allocation of the ring's own would come in each of the others.
            if (round > 20) allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(20_000, sink.Frames);
        Assert.Equal(20_000, capture.Statistics.Received);
        Assert.False(sink.TickSteppedBack);
        Assert.Equal(0, allocated);
    }

    [CableFact]
    public void A_group_shares_the_traffic_and_keeps_both_directions_together()
    {
        using var network = new NetworkNamespace();
        var options = new LiveCaptureOptions { Interface = "near", FanoutGroup = 4711 };
        using LiveCapture one = Open(network, options);
        using LiveCapture two = Open(network, options);
        using Socket sender = network.Sender("far");
        for (int i = 0; i < 64; i++)
        {
            byte[] there = SocketFilterTests.Udp(1000 + i, 53);
            byte[] back = SocketFilterTests.Udp(53, 1000 + i);
            there.AsSpan(26, 4).CopyTo(back.AsSpan(30));
            there.AsSpan(30, 4).CopyTo(back.AsSpan(26));
            sender.Send(there);
            sender.Send(back);
        }
        int[] first = Ports(ReadFrames(one, 1));
        int[] second = Ports(ReadFrames(two, 1));
        Assert.Equal(128, first.Length + second.Length);
        Assert.NotEmpty(first);
        Assert.NotEmpty(second);
        Assert.Empty(first.Intersect(second));

        static int[] Ports(List<KeptFrame> frames) => [.. frames.Select(f => Math.Max(f.Bytes[34] << 8 | f.Bytes[35], f.Bytes[36] << 8 | f.Bytes[37]))];
    }

    [CableFact]
    public void An_interrupt_wakes_the_reader_at_once_or_beforehand()
    {
        using var network = new NetworkNamespace();
        using LiveCapture capture = Open(network);
        var sink = new CountFrames();

        capture.Interrupt();
        var clock = Stopwatch.StartNew();
        Assert.Equal(0, capture.ReadBlock(ref sink, 60_000));
        using var timer = new Timer(_ => capture.Interrupt(), null, 200, Timeout.Infinite);
        Assert.Equal(0, capture.ReadBlock(ref sink, 60_000));
        Assert.True(clock.Elapsed < Patience);
        Assert.Null(capture.Fault);

        capture.Dispose();
        capture.Interrupt();
    }

    [CableFact]
    public void A_port_that_goes_down_or_away_is_a_fault_and_can_be_opened_again()
    {
        using var network = new NetworkNamespace();
        CaptureFault down;
        using (LiveCapture capture = Open(network))
        {
            network.InIp("link", "set", "near", "down");
            down = Lose(capture);
        }
        Assert.Equal(new CaptureFault(CaptureFaultKind.InterfaceLost, "capture: interface near went down"), down);
        Assert.Equal("capture: interface near is down: bring it up with: ip link set near up",
            Refusal(network, new LiveCaptureOptions { Interface = "near" }).Message);

        network.InIp("link", "set", "near", "up");
        using LiveCapture again = Open(network);
        network.InIp("link", "delete", "near");
        Assert.Equal(new CaptureFault(CaptureFaultKind.InterfaceLost, "capture: interface near has been removed"), Lose(again));

        CaptureFault Lose(LiveCapture capture) => network.Inside(() =>
        {
            var sink = new CountFrames();
            var clock = Stopwatch.StartNew();
            while (capture.ReadBlock(ref sink, 100) >= 0) Assert.True(clock.Elapsed < Patience);
            Assert.Equal(-1, capture.ReadBlock(ref sink, 100));
            return capture.Fault!;
        });
    }

    [CableFact]
    public void What_cannot_be_opened_is_said_in_words()
    {
        using var network = new NetworkNamespace();
        Assert.Equal(new CaptureFault(CaptureFaultKind.InterfaceMissing, "capture: interface eth9 does not exist; interfaces here: far, lo, near"),
            Refusal(network, new LiveCaptureOptions { Interface = "eth9" }));
        CaptureFault filter = Refusal(network, new LiveCaptureOptions { Interface = "near", Filter = "udp prot 53" });
        Assert.Equal(CaptureFaultKind.FilterInvalid, filter.Kind);
        Assert.StartsWith("capture: the filter \"udp prot 53\" does not compile: ", filter.Message, StringComparison.Ordinal);
        Assert.Equal(CaptureFaultKind.OptionsInvalid, Refusal(network, new LiveCaptureOptions { Interface = "near", BlockSize = 100_000 }).Kind);
    }

    [CableFact]
    public void A_tunnel_carries_raw_ip()
    {
        using var network = new NetworkNamespace();
        network.InIp("tuntap", "add", "dev", "tun7", "mode", "tun");
        network.InIp("link", "set", "tun7", "up");
        using LiveCapture capture = Open(network, new LiveCaptureOptions { Interface = "tun7", Filter = "udp port 53" });
        Assert.Equal(LinkType.Raw, capture.LinkType);
        Assert.False(network.Inside(CaptureInterfaces.List).Single(i => i.Name == "tun7").HasAddress);
    }
}
