using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>What an ip event says of pings.</summary>
public sealed class EchoTests
{
    static byte[] Echo(bool six, bool reply, byte[] payload) =>
        [(byte)(six ? (reply ? 129 : 128) : (reply ? 0 : 8)), 0, 0, 0, 0, 1, 0, 1, .. payload];

    static EchoStatistics Of(bool six, params (bool Reply, byte[] Payload)[] said)
    {
        using var bed = new DecodeBed();
        (string client, string server) = six ? ("2001:db8::1", "2001:db8::2") : ("10.0.0.1", "10.0.0.2");
        foreach ((bool reply, byte[] payload) in said)
        {
            bed.Ip(Frames.Ip(reply ? server : client, reply ? client : server, six ? IPProtocol.IcmpV6 : IPProtocol.Icmp, Echo(six, reply, payload)));
        }
        bed.OnlyFlow();
        return Assert.Single(bed.Seen.Echoes);
    }

    /// <summary>A time stamp of 16 bytes, then bytes that count up: iputils.</summary>
    static byte[] Linux(byte time) => [.. Enumerable.Repeat(time, 16), .. Enumerable.Range(16, 40).Select(i => (byte)i)];

    static readonly byte[] s_windows = [.. "abcdefghijklmnopqrstuvwabcdefghi"u8];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_ping_of_linux_changes_nothing_but_its_time(bool six)
    {
        EchoStatistics e = Of(six, (false, Linux(1)), (true, Linux(1)), (false, Linux(2)), (true, Linux(2)), (false, Linux(3)));
        Assert.Equal((3u, 2u, (ushort)56, (ushort)56, 0u, 0u), (e.Requests, e.Replies, e.MinimumPayload, e.MaximumPayload, e.Changed, e.Mismatched));
    }

    [Fact]
    public void A_ping_of_windows_is_the_same_each_time()
    {
        EchoStatistics e = Of(false, (false, s_windows), (true, s_windows), (false, s_windows), (true, s_windows));
        Assert.Equal((2u, 2u, (ushort)32, 0u, 0u), (e.Requests, e.Replies, e.MaximumPayload, e.Changed, e.Mismatched));
    }

    [Fact]
    public void A_tunnel_sends_and_brings_back_something_else()
    {
        byte[] a = [.. new byte[16], .. "command one"u8], b = [.. new byte[16], .. "what it said, at length"u8], c = [.. new byte[16], .. "command two"u8];
        EchoStatistics e = Of(false, (false, a), (true, b), (false, c), (true, a));
        Assert.Equal((2u, 2u, (ushort)27, (ushort)39, 2u, 2u), (e.Requests, e.Replies, e.MinimumPayload, e.MaximumPayload, e.Changed, e.Mismatched));
    }

    [Fact]
    public void A_reply_alone_is_no_mismatch()
    {
        EchoStatistics e = Of(false, (true, s_windows), (true, s_windows));
        Assert.Equal((0u, 2u, 0u, 0u), (e.Requests, e.Replies, e.Changed, e.Mismatched));
    }

    [Fact]
    public void Other_types_are_no_echoes()
    {
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv4("10.0.0.1", "10.0.0.2", IPProtocol.Icmp, Frames.Icmp(3, 1)));
        bed.OnlyFlow();
        Assert.Equal(0u, bed.Seen.Echoes[0].Requests + bed.Seen.Echoes[0].Replies);
    }

    [Fact]
    public void A_sweep_leaves_half_of_the_details_to_log_ins()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 8192 });
        for (int i = 0; i < 5000; i++) bed.Ip(Frames.IPv4("10.0.0.1", $"10.1.{i >> 8}.{i & 255}", IPProtocol.Icmp, Echo(false, false, s_windows)));
        Assert.Equal(2048, bed.Decoder.DetailsInUse);
    }
}
