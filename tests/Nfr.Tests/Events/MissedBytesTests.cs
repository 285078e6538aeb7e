using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>TCP bytes that the other side acknowledged and that never passed our port: loss before the sensor, and nothing else.</summary>
public sealed class MissedBytesTests
{
    static readonly byte[] s_kilobyte = new byte[1000];

    /// <summary>What nothing recognises, so that no parser holds the flow's bytes.</summary>
    static SeenIp After(Action<TcpTalk> talk, bool open = true)
    {
        using var bed = new DecodeBed();
        var conversation = new TcpTalk(bed, serverPort: 9999);
        if (open) conversation.Open();
        talk(conversation);
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal(flow.MissedOut + flow.MissedIn, bed.Counters.TcpMissedBytes);
        Assert.Equal(flow.PayloadOut + flow.PayloadIn, bed.Counters.TcpPayloadBytes);
        Assert.Equal(flow.MissedOut + flow.MissedIn > 0, (flow.Notes & FlowNotes.MissedBytes) != 0);
        return flow;
    }

    static void AssertMissed(SeenIp flow, long missedOut, long missedIn) => Assert.Equal((missedOut, missedIn), (flow.MissedOut, flow.MissedIn));

    [Fact]
    public void A_whole_connection_misses_nothing() =>
        AssertMissed(After(t => t.Client(s_kilobyte).Server(s_kilobyte).Client(s_kilobyte).Close()), 0, 0);

    [Fact]
    public void Bytes_acknowledged_and_not_seen_are_missed_in_their_direction()
    {
        AssertMissed(After(t => t.Client(s_kilobyte).ClientLost(300).Client(s_kilobyte).Segment(1, TcpTalk.Ack)), 300, 0);
        AssertMissed(After(t => t.Server(s_kilobyte).ServerLost(70).Server(s_kilobyte).Segment(0, TcpTalk.Ack)), 0, 70);
    }

    [Fact]
    public void Several_losses_add_up() => AssertMissed(
        After(t =>
        {
            for (int i = 0; i < 100; i++) t.Server(s_kilobyte).ServerLost(10).Server(s_kilobyte).Segment(0, TcpTalk.Ack);
        }), 0, 1000);

    [Fact]
    public void The_first_bytes_after_the_handshake_count() =>
        AssertMissed(After(t => t.ClientLost(50).Client(s_kilobyte).Segment(1, TcpTalk.Ack)), 50, 0);

    [Fact]
    public void The_last_bytes_count_by_the_number_of_the_fin() =>
        AssertMissed(After(t => t.Client(s_kilobyte).ServerLost(4000).Close()), 0, 4000);

    [Fact]
    public void What_is_never_acknowledged_is_not_missed()
    {
        // Lost behind us too, or on its way when the capture ended.
        AssertMissed(After(t => t.Client(s_kilobyte).Segment(1, TcpTalk.Ack).ClientLost(300).Client(s_kilobyte)), 0, 0);
    }

    [Fact]
    public void What_was_lost_on_the_way_and_sent_again_is_not_missed()
    {
        SeenIp flow = After(t =>
        {
            uint hole = t.Out;
            t.ClientLost(1000).Client(s_kilobyte).Client(s_kilobyte);
            // The receiver waits at the hole, and gets it again.
            t.Raw(1, t.In, hole, TcpTalk.Ack, []);
            t.Raw(1, t.In, hole, TcpTalk.Ack, []);
            t.Raw(0, hole, t.In, TcpTalk.Ack, s_kilobyte);
            t.Segment(1, TcpTalk.Ack);
        });
        AssertMissed(flow, 0, 0);
    }

    [Fact]
    public void Segments_in_another_order_are_not_missed()
    {
        AssertMissed(
            After(t =>
            {
                uint start = t.Out;
                foreach (uint i in new uint[] { 4, 2, 3, 0, 1, 9, 8, 7, 6, 5 }) t.Raw(0, start + (i * 1000), t.In, TcpTalk.Ack, s_kilobyte);
                t.ClientLost(10_000).Segment(1, TcpTalk.Ack);
            }), 0, 0);
    }

    [Fact]
    public void A_retransmission_neither_hides_a_loss_nor_counts_as_one()
    {
        AssertMissed(
            After(t =>
            {
                uint first = t.Out;
                t.Client(s_kilobyte).ClientLost(500).Client(s_kilobyte).Segment(1, TcpTalk.Ack);
                for (int i = 0; i < 5; i++) t.Raw(0, first, t.In, TcpTalk.Ack, s_kilobyte);
                t.Raw(0, t.Out - 1, t.In, TcpTalk.Ack, [0]);   // a keep-alive
                t.Client(s_kilobyte).Segment(1, TcpTalk.Ack);
            }), 500, 0);
    }

    [Fact]
    public void A_segment_that_overlaps_the_highest_byte_fills_only_below_it() => AssertMissed(
        After(t =>
        {
            uint first = t.Out;
            t.Client(s_kilobyte).ClientLost(500).Client(new byte[100]);
            // The last 200 of the lost, the 100 again, and 50 new ones.
            t.Raw(0, first + 1300, t.In, TcpTalk.Ack, new byte[350]);
            t.ClientLost(50).Segment(1, TcpTalk.Ack);
        }), 200, 0);

    [Fact]
    public void A_flow_picked_up_in_the_middle_begins_with_its_first_segment()
    {
        AssertMissed(After(t => t.Client(s_kilobyte).Server(s_kilobyte).Client(s_kilobyte), open: false), 0, 0);
        AssertMissed(After(t => t.Segment(0, TcpTalk.Ack).ServerLost(100).Server(s_kilobyte).ServerLost(100).Server(s_kilobyte).Segment(0, TcpTalk.Ack), open: false), 0, 100);
    }

    [Fact]
    public void A_mirror_of_one_direction_misses_nothing()
    {
        AssertMissed(
            After(t =>
            {
                t.Segment(0, TcpFlags.Syn);
                t.In++;
                for (int i = 0; i < 50; i++) t.ServerLost(100_000).Segment(0, TcpTalk.Ack).Client(s_kilobyte).ClientLost(20);
            }, open: false), 0, 0);
    }

    [Fact]
    public void An_acknowledgment_that_comes_before_its_bytes_is_no_loss() => AssertMissed(
        After(t =>
        {
            for (int i = 0; i < 10; i++)
            {
                t.Raw(1, t.In, t.Out + 1000, TcpTalk.Ack, []);
                t.Client(s_kilobyte);
            }
        }), 0, 0);

    [Fact]
    public void Numbers_wrap()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(p => bed.Ip(p), serverPort: 9999, clientStart: 0xFFFF_FA24, serverStart: 0xFFFF_FFEC).Open();
        talk.Client(s_kilobyte).ClientLost(700).Client(s_kilobyte).Server(s_kilobyte).ServerLost(7).Server(s_kilobyte).Segment(0, TcpTalk.Ack);
        AssertMissed(bed.OnlyFlow(), 700, 7);
    }

    [Fact]
    public void A_number_from_nowhere_opens_no_gap() => AssertMissed(
        After(t =>
        {
            t.Client(s_kilobyte).ClientLost(0x5000_0000).Client(s_kilobyte).Segment(1, TcpTalk.Ack).Segment(0, TcpFlags.Rst | TcpTalk.Ack);
        }), 0, 0);

    [Fact]
    public void Parsed_and_sliced_connections_are_counted_once()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open().Client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").Server("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
        talk.Server(s_kilobyte).ServerLost(1000).Server(s_kilobyte).Segment(0, TcpTalk.Ack);
        for (int i = 0; i < 10; i++)
        {
            bed.Wait(200);
            talk.Segment(1, TcpTalk.Ack).Segment(0, TcpTalk.Ack);
        }
        talk.ServerLost(500).Server(s_kilobyte).Segment(0, TcpTalk.Ack);
        bed.Drain();
        Assert.Equal(1500, bed.Seen.Ip.Sum(f => f.MissedIn));
        Assert.Equal(1500, bed.Counters.TcpMissedBytes);
        Assert.True(bed.Counters.FlowSlices > 0);
        Assert.Equal(2, bed.Seen.Ip.Count(f => (f.Notes & FlowNotes.MissedBytes) != 0));
    }
}
