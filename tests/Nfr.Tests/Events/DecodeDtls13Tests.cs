using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>DTLS 1.3 (RFC 9147): hellos in the clear, then records with a header of their own.</summary>
public sealed class DecodeDtls13Tests
{
    static readonly byte[] s_random = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    static readonly byte[] s_client = Client("");

    /// <summary>What the JA4 of <see cref="s_client"/> is made of: 1301,1302,1303 and 000a,000d,002b,0033_0403,0804.</summary>
    const string Ja4 = "dd3d030500_55b375c5d22e_e12c865f31a5";
    const string Ja3 = "c5ae1949419b709ce44cfa5749d34a11", Ja3s = "4e9d42d7a7375b969cb8f3fdb679f53c";
    const string Event = $"example.com fefc ja3={Ja3} ja3s={Ja3s} ja4={Ja4} cert= / True alpn=";

    static readonly byte[] s_server = [0xFE, 0xFD, .. s_random, .. Bytes.Of("00 1301 00 0030 002b 0002 fefc 0033 0026 001d 0022 0020" + new string('b', 60) + "0000")];

    /// <summary>RFC 8446 4.1.3's random, and a cookie.</summary>
    static readonly byte[] s_retry = Bytes.Of("""
        fefd cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c
        00 1301 00 000e 002b 0002 fefc 002c 0004 0002 aabb
        """);

    static byte[] Client(string more)
    {
        byte[] extensions = Bytes.Of("""
            0000 0010 000e 00 000b 6578616d706c652e636f6d
            000a 0004 0002 001d
            000d 0006 0004 0403 0804
            002b 0003 02 fefc
            """ + "\n0033 0026 0024 001d 0020" + new string('a', 64) + more);
        // Neither session id nor cookie (5.3).
        return [0xFE, 0xFD, .. s_random, 0, 0, .. Bytes.Of("0006 1301 1302 1303 01 00"), (byte)(extensions.Length >> 8), (byte)extensions.Length, .. extensions];
    }

    static byte[] Record(byte type, byte[] fragment) => [type, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];

    static byte[] Part(byte type, byte sequence, byte[] body, int from, int to) =>
        [type, 0, (byte)(body.Length >> 8), (byte)body.Length, 0, sequence, 0, (byte)(from >> 8), (byte)from, 0, (byte)((to - from) >> 8), (byte)(to - from), .. body[from..to]];

    static byte[] Message(byte type, byte sequence, byte[] body) => Record(22, Part(type, sequence, body, 0, body.Length));

    /// <summary>4: 001, no connection id, 16 bits of number, a length, epoch 2.</summary>
    static byte[] Encrypted(int length) => [0x2E, 0x12, 0x34, (byte)(length >> 8), (byte)length, .. new byte[length]];

    static void ToServer(DecodeBed bed, byte[] datagram) => bed.Udp("10.0.0.1", 40_000, "10.0.0.2", 4433, datagram);

    static void ToClient(DecodeBed bed, byte[] datagram) => bed.Udp("10.0.0.2", 4433, "10.0.0.1", 40_000, datagram);

    [Fact]
    public void A_hello_gives_names_version_and_fingerprints()
    {
        using var bed = new DecodeBed();
        ToServer(bed, Message(1, 0, s_client));
        ToClient(bed, Contents.Join(Message(2, 0, s_server), Encrypted(40), Encrypted(900)));
        Assert.Equal([Event], bed.Seen.Tls);
        ToServer(bed, Encrypted(60));
        ToClient(bed, Encrypted(60));
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal((App.Dtls, Ja3, 4), (flow.App, flow.Ja3, flow.PacketsIn + flow.PacketsOut));
        Assert.Equal(TlsNotes.None, Assert.Single(bed.Seen.TlsMore).Notes);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_retry_with_a_cookie_is_noted_and_the_first_hello_is_the_clients()
    {
        using var bed = new DecodeBed();
        ToServer(bed, Message(1, 0, s_client));
        ToClient(bed, Message(2, 0, s_retry));
        ToServer(bed, Message(1, 1, Client("002c 0004 0002 aabb")));
        ToClient(bed, Contents.Join(Message(2, 1, s_server), Encrypted(40)));
        Assert.Equal([Event], bed.Seen.Tls);
        Assert.Equal(TlsNotes.Retried, Assert.Single(bed.Seen.TlsMore).Notes);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void The_hello_after_a_retry_counts_when_the_first_was_not_seen()
    {
        using var bed = new DecodeBed();
        ToClient(bed, Message(2, 0, s_retry));
        ToServer(bed, Message(1, 1, Client("002c 0004 0002 aabb")));
        ToClient(bed, Message(2, 1, s_server));
        Assert.Contains("ja4=dd3d030600_", Assert.Single(bed.Seen.Tls), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_falls_back_asks_by_the_old_cookie()
    {
        using var bed = new DecodeBed();
        byte[] again = [.. s_client[..35], 2, 0xAA, 0xBB, .. s_client[36..]];
        ToServer(bed, Message(1, 0, s_client));
        ToClient(bed, Message(3, 0, Bytes.Of("feff 02 aabb")));
        ToServer(bed, Message(1, 1, again));
        ToClient(bed, Contents.Join(Message(2, 1, Bytes.Of("fefd" + new string('1', 64) + "00 c02b 00")), Message(14, 2, [])));
        string e = Assert.Single(bed.Seen.Tls);
        Assert.Contains("example.com fefd ", e, StringComparison.Ordinal);
        Assert.Contains($"ja4={Ja4} ", e, StringComparison.Ordinal);
        Assert.Equal(TlsNotes.Retried, Assert.Single(bed.Seen.TlsMore).Notes);
        Assert.Empty(bed.Faults);
    }

    public static TheoryData<int, int[]> Orders => new()
    {
        { 34, [0, 1, 2, 3] }, { 34, [3, 2, 1, 0] }, { 34, [2, 0, 3, 1] }, { 100, [1, 0] }, { 1, [] },
    };

    [Theory]
    [MemberData(nameof(Orders))]
    public void A_hello_in_fragments_is_put_together_in_any_order(int size, int[] order)
    {
        byte[][] parts = [.. Enumerable.Range(0, (s_client.Length + size - 1) / size).Select(i => Record(22, Part(1, 0, s_client, i * size, Math.Min((i + 1) * size, s_client.Length))))];
        // Fragments of one byte: all odd ones first.
        if (order.Length == 0) order = [.. Enumerable.Range(0, parts.Length).OrderBy(i => 1 - (i & 1))];
        Assert.Equal(parts.Length, order.Length);
        using var bed = new DecodeBed();
        if (size > 1)
        {
            foreach (int i in order) ToServer(bed, parts[i]);
            ToClient(bed, Message(2, 0, s_server));
            Assert.Equal([Event], bed.Seen.Tls);
            Assert.Empty(bed.Faults);
            return;
        }
        // More holes than are kept: counted, and what is missing comes again.
        ToServer(bed, Contents.Join([.. order.Select(i => parts[i])]));
        ToServer(bed, Message(1, 0, s_client));
        ToClient(bed, Message(2, 0, s_server));
        Assert.Single(bed.Seen.Tls);
        Assert.All(bed.Faults, f => Assert.Equal(DecodeFault.StreamSegmentsTooMany, f));
    }

    [Fact]
    public void A_servers_hello_in_fragments_and_an_acknowledgment_between_are_read()
    {
        using var bed = new DecodeBed();
        ToServer(bed, Message(1, 0, s_client));
        ToClient(bed, Record(22, Part(2, 0, s_server, 30, s_server.Length)));
        ToServer(bed, Record(26, new byte[2]));
        ToClient(bed, Contents.Join(Record(26, new byte[2]), Record(22, Part(2, 0, s_server, 0, 30)), Encrypted(40)));
        Assert.Equal([Event], bed.Seen.Tls);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_hello_alone_is_told_when_its_flow_ends()
    {
        using var bed = new DecodeBed();
        ToServer(bed, Message(1, 0, s_client));
        ToServer(bed, Message(1, 0, s_client));
        bed.Drain();
        Assert.Equal($"example.com fefc ja3={Ja3} ja3s= ja4={Ja4} cert= / True alpn=", Assert.Single(bed.Seen.Tls));
    }

    [Fact]
    public void Every_cut_datagram_is_read_as_far_as_it_is_whole()
    {
        byte[] hello = Message(1, 0, s_client), flight = Contents.Join(Message(2, 0, s_server), Encrypted(40));
        using var bed = new DecodeBed();
        for (int length = 1; length < hello.Length; length++)
        {
            bed.Seen.Clear();
            ToServer(bed, hello[..length]);
            bed.Drain();
            Assert.Empty(bed.Seen.Tls);
        }
        for (int length = 1; length < flight.Length; length++)
        {
            bed.Seen.Clear();
            ToServer(bed, hello);
            ToClient(bed, flight[..length]);
            bed.Drain();
            bool whole = length >= flight.Length - 45;
            Assert.Equal(whole ? Event : Event.Replace(Ja3s, "", StringComparison.Ordinal), Assert.Single(bed.Seen.Tls));
        }
        // A lie within a hello that is whole as a message.
        byte[] lie = [.. s_client];
        lie[^39]++;
        ToServer(bed, Message(1, 0, lie));
        bed.Drain();
        Assert.Equal([DecodeFault.TlsExtensionTruncated], bed.Faults);
    }
}
