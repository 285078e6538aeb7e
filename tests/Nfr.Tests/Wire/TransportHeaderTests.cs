using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class TransportHeaderTests
{
    static readonly byte[] s_tcp = Bytes.Of("""
        c000 0050               # ports 49152, 80
        01020304 05060708       # sequence, acknowledgment
        6 0 12 4000             # data offset 6, SYN + ACK, window
        0000 0000 020405b4      # checksum, urgent, options
        686921                  # payload
        """);

    [Fact]
    public void A_tcp_header_gives_its_fields()
    {
        Assert.Equal(DecodeFault.None, TcpSegment.TryRead(s_tcp, out TcpSegment tcp));
        Assert.Equal((49152, 80, 0x01020304u, 0x05060708u), (tcp.SourcePort, tcp.DestinationPort, tcp.SequenceNumber, tcp.AcknowledgmentNumber));
        Assert.Equal((24, TcpFlags.Syn | TcpFlags.Ack, 0x4000, "hi!"), (tcp.HeaderLength, tcp.Flags, tcp.Window, Bytes.Text(tcp.Payload)));
    }

    [Fact]
    public void Every_truncation_of_a_tcp_header_is_refused()
    {
        for (int length = 0; length <= s_tcp.Length; length++)
        {
            DecodeFault expected = length < 20 ? DecodeFault.TcpHeaderTooShort : length < 24 ? DecodeFault.TcpDataOffsetBeyondSegment : DecodeFault.None;
            Assert.Equal(expected, TcpSegment.TryRead(s_tcp.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void A_data_offset_below_five_is_refused()
    {
        for (int words = 0; words < 5; words++)
        {
            byte[] broken = (byte[])s_tcp.Clone();
            broken[12] = (byte)(words << 4);
            Assert.Equal(DecodeFault.TcpDataOffsetBelowMinimum, TcpSegment.TryRead(broken, out _));
        }
    }

    [Theory]
    [InlineData("0035 c000 000a 0000 6869", DecodeFault.None, 2)]
    [InlineData("0035 c000 0009 0000 6869", DecodeFault.None, 1)]       // the IP layer held more
    [InlineData("0035 c000 0400 0000 6869", DecodeFault.None, 2)]       // cut off
    [InlineData("0035 c000 0008 0000 6869", DecodeFault.None, 0)]
    [InlineData("0035 c000 0000 0000 6869", DecodeFault.None, 2)]       // jumbogram or offload
    [InlineData("0035 c000 0007 0000 6869", DecodeFault.UdpLengthBelowHeader, 0)]
    public void A_udp_length_bounds_the_payload(string hex, DecodeFault expected, int payload)
    {
        Assert.Equal(expected, UdpDatagram.TryRead(Bytes.Of(hex), out UdpDatagram udp));
        if (expected == DecodeFault.None) Assert.Equal((53, 49152, payload), (udp.SourcePort, udp.DestinationPort, udp.Payload.Length));
    }

    [Fact]
    public void Every_truncation_of_a_udp_and_an_icmp_header_is_refused()
    {
        byte[] bytes = Bytes.Of("0800 0000 1234 0001");
        for (int length = 0; length < 8; length++)
        {
            Assert.Equal(DecodeFault.UdpHeaderTooShort, UdpDatagram.TryRead(bytes.AsSpan(0, length), out _));
            Assert.Equal(DecodeFault.IcmpHeaderTooShort, IcmpMessage.TryRead(bytes.AsSpan(0, length), out _));
        }
        Assert.Equal(DecodeFault.None, IcmpMessage.TryRead(bytes, out IcmpMessage icmp));
        Assert.Equal((8, 0, 0x1234, 0), (icmp.Type, icmp.Code, icmp.Identifier, icmp.Payload.Length));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_answers_an_icmp_type_is_answered_by_it(bool v6)
    {
        int paired = 0;
        for (int type = 0; type < 256; type++)
        {
            int counter = IcmpMessage.CounterType((byte)type, v6);
            if (counter < 0) continue;
            paired++;
            Assert.Equal(type, IcmpMessage.CounterType((byte)counter, v6));
        }
        Assert.Equal(v6 ? 12 : 10, paired);
    }
}
