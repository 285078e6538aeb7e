using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>RFC 791 3.2 and RFC 8200 4.5: datagrams that come in pieces.</summary>
public sealed class DecodeFragmentTests
{
    /// <summary>A DNS query of 112 bytes as a UDP datagram: whole only when every byte is in its place.</summary>
    static readonly byte[] s_datagram = Frames.Udp(4000, 53, [.. Contents.Query(7, "a.fragmented.example"), .. new byte[66]]);

    const string Expected = "a.fragmented.example 1 -1 [] 104/0";

    static byte[] Part(int from, int to, int identification = 1, bool? more = null, byte[]? datagram = null) => Frames.IPv4(
        "10.0.0.1", "192.0.2.1", 17, (datagram ?? s_datagram)[from..to], identification, from, more ?? to < s_datagram.Length);

    static byte[] Part6(int from, int to, uint identification = 1) => Frames.IPv6Fragment(
        "2001:db8::1", "2001:db8::2", 17, s_datagram[from..to], identification, from, to < s_datagram.Length);

    static void AssertWhole(DecodeBed bed)
    {
        bed.Drain();
        Assert.EndsWith(Expected, Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0 1 2 3")]
    [InlineData("3 2 1 0")]
    [InlineData("2 0 3 1")]
    [InlineData("0 0 1 1 2 2 3")]
    public void Fragments_are_put_together_in_any_order(string order)
    {
        foreach (bool v6 in new[] { false, true })
        {
            using var bed = new DecodeBed();
            foreach (int i in order.Split(' ').Select(int.Parse))
            {
                int from = i * 32, to = Math.Min(from + 32, s_datagram.Length);
                bed.Ip(v6 ? Part6(from, to) : Part(from, to));
            }
            int pieces = order.Split(' ').Length;
            Assert.Equal((pieces, 0), (bed.Counters.FragmentsHeld, bed.Counters.Parsed));
            AssertWhole(bed);
            SeenIp flow = Assert.Single(bed.Seen.Ip);
            Assert.Equal((pieces, s_datagram.Length - 8), (flow.PacketsOut, flow.PayloadOut));
            if (pieces == 4) Assert.Equal(s_datagram.Length + (4 * (v6 ? 48 : 20)), flow.BytesOut);
        }
    }

    [Fact]
    public void An_ipv6_datagram_with_headers_behind_the_fragment_header_is_read()
    {
        byte[] whole = [.. Bytes.Of("11 00 010400000000"), .. s_datagram];
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv6Fragment("2001:db8::1", "2001:db8::2", 60, whole[..64], 5, 0, true));
        bed.Ip(Frames.IPv6Fragment("2001:db8::1", "2001:db8::2", 60, whole[64..], 5, 64, false));
        AssertWhole(bed);
    }

    [Fact]
    public void An_atomic_fragment_is_a_whole_packet()
    {
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv6Fragment("2001:db8::1", "2001:db8::2", 17, s_datagram, 5, 0, false));
        Assert.Equal((0, 1), (bed.Counters.FragmentsHeld, bed.Counters.Parsed));
        AssertWhole(bed);
    }

    [Fact]
    public void An_overlap_with_the_same_bytes_is_no_fault()
    {
        using var bed = new DecodeBed();
        bed.Ip(Part(0, 64));
        bed.Ip(Part(32, 96));
        bed.Ip(Part(64, s_datagram.Length));
        Assert.Empty(bed.Faults);
        AssertWhole(bed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_an_overlap_that_differs_the_first_bytes_win(bool reversed)
    {
        byte[] forged = (byte[])s_datagram.Clone();
        for (int i = 32; i < 64; i++) forged[i] ^= 0xFF;
        using var bed = new DecodeBed();
        if (!reversed) bed.Ip(Part(0, 64));
        else bed.Ip(Part(32, 64));
        bed.Ip(Part(32, 80, datagram: forged));
        if (reversed) bed.Ip(Part(0, 32));
        bed.Ip(Part(64, s_datagram.Length));
        Assert.Equal(1, bed.Fault(DecodeFault.FragmentOverlapDiffers));
        AssertWhole(bed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fragments_that_differ_are_told_once_for_two_hosts_and_noted_on_the_flow(bool v6)
    {
        byte[] forged = (byte[])s_datagram.Clone();
        forged[40] ^= 0xFF;
        using var bed = new DecodeBed();
        for (int id = 1; id < 4; id++)
        {
            foreach ((int from, int to, bool forge) in new[] { (0, 64, false), (32, 80, true), (32, 80, true), (64, s_datagram.Length, false) })
            {
                byte[] part = (forge ? forged : s_datagram)[from..to];
                bed.Ip(v6 ? Frames.IPv6Fragment("2001:db8::1", "2001:db8::2", 17, part, (uint)id, from, to < s_datagram.Length)
                    : Part(from, to, id, datagram: forge ? forged : null));
            }
        }
        bed.Drain();
        Assert.Equal(6, bed.Fault(DecodeFault.FragmentOverlapDiffers));
        Assert.Equal((DecodeFault.FragmentOverlapDiffers, v6 ? "2001:db8::1:0" : "10.0.0.1:0", v6 ? "2001:db8::2:0" : "192.0.2.1:0"), Assert.Single(bed.Seen.Anomalies));
        // The same query three times: one event and its repeats.
        Assert.Equal(3, bed.Seen.Dns.Count + bed.Counters.DnsRepeated);
        Assert.Equal(FlowNotes.Ambiguous | FlowNotes.Fragmented, Assert.Single(bed.Seen.Ip).Notes);
    }

    [Fact]
    public void A_second_fragment_that_ends_within_the_first_is_an_anomaly()
    {
        // "teardrop": 36 bytes, then an end at 28.
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, [.. Frames.Udp(4000, 4001, new byte[28])], 242, 0, true));
        bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, new byte[4], 242, 24));
        bed.Drain();
        Assert.Single(bed.Seen.Anomalies);
        Assert.Equal(FlowNotes.Ambiguous | FlowNotes.Fragmented, Assert.Single(bed.Seen.Ip).Notes);
        Assert.Equal([DecodeFault.FragmentOverlapDiffers], bed.Faults);
    }

    [Fact]
    public void Fragments_too_small_for_a_header_are_put_together()
    {
        // RFC 1858: the ports are in one, the rest of the TCP header in others.
        byte[] segment = Frames.Tcp(40_000, 80, 1, 1, TcpFlags.Ack, Bytes.Ascii("GET /tiny HTTP/1.1\r\nHost: h\r\n\r\n"));
        using var bed = new DecodeBed();
        for (int from = 0; from < segment.Length; from += 8)
            bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 6, segment[from..Math.Min(from + 8, segment.Length)], 7, from, from + 8 < segment.Length));
        bed.Drain();
        Assert.StartsWith("GET http://h/tiny 0", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Fragments_leave_buffers_for_streams()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 200; i++) bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, new byte[8], i, 40_000, true));
        Assert.Equal(184, bed.Fault(DecodeFault.FragmentTableFull));
        Assert.Equal(16, bed.Decoder.BuffersInUse);
        // The sixteen youngest stayed.
        for (int i = 184; i < 200; i++) bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, Frames.Udp(1, 2, new byte[39_992]), i, 0, true));
        for (int i = 184; i < 200; i++) bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, [], i, 40_008, false));
        Assert.Equal(0, bed.Decoder.BuffersInUse);
        Assert.Equal(48, bed.OnlyFlow().PacketsOut);
    }

    [Fact]
    public void The_first_claim_of_the_end_stands()
    {
        using var bed = new DecodeBed();
        bed.Ip(Part(32, s_datagram.Length));
        bed.Ip(Part(40, 48, more: false));
        bed.Ip(Part(0, 32));
        AssertWhole(bed);
    }

    [Fact]
    public void A_fragment_beyond_the_largest_datagram_is_refused_and_the_rest_goes_on()
    {
        using var bed = new DecodeBed();
        bed.Ip(Part(0, 64));
        bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, new byte[8], 1, 65_528));
        bed.Ip(Part(64, s_datagram.Length));
        Assert.Equal(1, bed.Fault(DecodeFault.FragmentBeyondDatagram));
        Assert.Equal(DecodeFault.FragmentBeyondDatagram, Assert.Single(bed.Seen.Anomalies).Fault);
        AssertWhole(bed);
    }

    [Fact]
    public void A_ping_that_came_in_fragments_is_noted_on_its_flow()
    {
        using var bed = new DecodeBed();
        byte[] ping = Frames.Icmp(8, 0, payload: 4000);
        for (int at = 0; at < ping.Length; at += 1480)
        {
            int end = Math.Min(at + 1480, ping.Length);
            bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 1, ping[at..end], 7, at, end < ping.Length));
        }
        Assert.Equal(FlowNotes.Fragmented, bed.OnlyFlow().Notes);
    }

    [Fact]
    public void The_largest_datagram_is_put_together()
    {
        using var bed = new DecodeBed();
        byte[] datagram = Frames.Udp(4000, 4001, new byte[65_527 - 20]);
        for (int from = 0; from < datagram.Length; from += 1480)
            bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, datagram[from..Math.Min(from + 1480, datagram.Length)], 1, from, from + 1480 < datagram.Length));
        Assert.Equal(datagram.Length - 8, bed.OnlyFlow().PayloadOut);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_datagram_without_its_first_fragment_times_out()
    {
        using var bed = new DecodeBed();
        bed.Ip(Part(32, 64));
        bed.Ip(Part(64, s_datagram.Length));
        bed.Wait(29);
        Assert.Equal(0, bed.Fault(DecodeFault.FragmentTimedOut));
        bed.Wait(2);
        Assert.Equal((1, 0), (bed.Fault(DecodeFault.FragmentTimedOut), bed.Decoder.BuffersInUse));
        // The missing one is too late, and the start of another datagram.
        bed.Ip(Part(0, 32));
        bed.Drain();
        Assert.Equal(2, bed.Fault(DecodeFault.FragmentTimedOut));
        Assert.Empty(bed.Seen.Ip);
    }

    [Fact]
    public void A_datagram_that_is_no_good_when_whole_is_counted()
    {
        using var bed = new DecodeBed();
        byte[] broken = (byte[])s_datagram.Clone();
        broken[4] = broken[5] = 0;
        broken[5] = 7;
        bed.Ip(Part(0, 64, datagram: broken));
        bed.Ip(Part(64, s_datagram.Length, datagram: broken));
        Assert.Equal([DecodeFault.DatagramInvalid], bed.Faults);
    }

    [Fact]
    public void When_the_table_is_full_the_oldest_datagram_is_given_up()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 256; i++) bed.Ip(Part(0, 64, identification: i));
        Assert.Empty(bed.Faults);
        bed.Ip(Part(0, 64, identification: 256));
        Assert.Equal(1, bed.Fault(DecodeFault.FragmentTableFull));
        for (int i = 256; i >= 0; i--) bed.Ip(Part(64, s_datagram.Length, identification: i));
        bed.Drain();
        // All ask the same: the first is the event, the rest are its repeats.
        Assert.Equal(256, bed.Seen.Dns.Count + bed.Counters.DnsRepeated);
    }

    [Fact]
    public void A_datagram_of_too_many_holes_is_given_up()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 17; i++) bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, new byte[8], 1, 16 * i, true));
        Assert.Equal((1, 0), (bed.Fault(DecodeFault.FragmentTableFull), bed.Decoder.BuffersInUse));
    }

    [Fact]
    public void An_empty_fragment_changes_nothing()
    {
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, [], 1, 0, true));
        bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, [], 1, 40, true));
        bed.Ip(Part(0, 64));
        bed.Ip(Part(64, s_datagram.Length));
        AssertWhole(bed);
    }

    [Fact]
    public void Random_cuts_orders_and_repeats_give_the_datagram()
    {
        var random = new Random(20_260_001);
        using var bed = new DecodeBed();
        for (int round = 0; round < 2000; round++)
        {
            var parts = new List<(int From, int To)>();
            for (int from = 0; from < s_datagram.Length;)
            {
                int to = Math.Min(from + (8 * random.Next(1, 5)), s_datagram.Length);
                parts.Add((from, to));
                if (random.Next(4) == 0) parts.Add((Math.Max(0, from - (8 * random.Next(3))), to));
                from = to;
            }
            (int From, int To)[] shuffled = [.. parts];
            random.Shuffle(shuffled);
            // What comes after the datagram is whole would begin another one.
            foreach ((int from, int to) in shuffled) bed.Ip(Part(from, to, identification: round));
            bed.Wait(31);
        }
        bed.Drain();
        Assert.Equal(2000, bed.Seen.Dns.Count);
        Assert.All(bed.Seen.Dns, e => Assert.EndsWith(Expected, e, StringComparison.Ordinal));
        Assert.Equal(0, bed.Fault(DecodeFault.FragmentOverlapDiffers));
    }
}
