using Nfr.Events;
using Nfr.Tests.Wire;

namespace Nfr.Tests.Events;

/// <summary>DTLS handshakes out of datagrams.</summary>
public sealed class DecodeDtlsTests
{
    static readonly byte[] s_client = [0xFE, 0xFD, .. TlsHelloTests.Client[2..39], 0, .. TlsHelloTests.Client[39..]];
    static readonly byte[] s_server = Bytes.Of("fefd" + new string('1', 64) + "00 c02b 00");
    static readonly byte[] s_certificate = Contents.CertificateMessage(X509LeafTests.WithNames((0x82, "a.example")))[4..];

    static byte[] Record(byte type, byte[] fragment, byte epoch = 0) =>
        [type, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, 0, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];

    static byte[] Part(byte type, byte sequence, byte[] body, int from, int to) =>
    [
        type, 0, (byte)(body.Length >> 8), (byte)body.Length, 0, sequence, 0, (byte)(from >> 8), (byte)from, 0, (byte)((to - from) >> 8), (byte)(to - from), .. body[from..to],
    ];

    static byte[] Message(byte type, byte sequence, byte[] body) => Record(22, Part(type, sequence, body, 0, body.Length));

    static void Client(DecodeBed bed, byte[] datagram) => bed.Udp("10.0.0.1", 40_000, "10.0.0.2", 4433, datagram);

    static void Server(DecodeBed bed, byte[] datagram) => bed.Udp("10.0.0.2", 4433, "10.0.0.1", 40_000, datagram);

    [Fact]
    public void A_handshake_gives_one_event_and_marks_its_flow()
    {
        using var bed = new DecodeBed();
        Client(bed, Message(1, 0, s_client));
        Server(bed, Message(3, 0, Bytes.Of("feff 02 aabb")));
        Client(bed, Message(1, 1, s_client));
        Server(bed, Contents.Join(Message(2, 1, s_server), Message(11, 2, s_certificate), Message(13, 3, new byte[4]), Message(14, 4, [])));
        string e = Assert.Single(bed.Seen.Tls);
        Assert.Matches("^example.com fefd ja3=[0-9a-f]{32} ja3s=[0-9a-f]{32} ja4=d[0-9a-z]{9}_[0-9a-f]{12}_[0-9a-f]{12} cert=[0-9a-f]{40} / False alpn=h2$", e);
        Assert.Equal((TlsNotes.Retried | TlsNotes.ClientCertificateRequested, "", "a.example"), Assert.Single(bed.Seen.TlsMore));
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal(App.Dtls, flow.App);
        Assert.Equal(32, flow.Ja3.Length);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Fragments_are_put_together_in_any_order_and_repeated()
    {
        using var bed = new DecodeBed();
        Client(bed, Record(22, Part(1, 0, s_client, 60, s_client.Length)));
        Client(bed, Record(22, Part(1, 0, s_client, 0, 70)));
        Server(bed, Message(2, 0, s_server));
        int end = s_certificate.Length;
        Server(bed, Record(22, Part(11, 1, s_certificate, 50, end)));
        Server(bed, Record(22, Part(11, 1, s_certificate, 50, end)));
        Server(bed, Contents.Join(Record(22, Part(11, 1, s_certificate, 0, 20)), Record(22, Part(11, 1, s_certificate, 20, 50))));
        Server(bed, Message(14, 2, []));
        Assert.Contains("example.com fefd ", Assert.Single(bed.Seen.Tls), StringComparison.Ordinal);
        Assert.Equal("a.example", Assert.Single(bed.Seen.TlsMore).Names);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_resumed_session_goes_on_encrypted_at_once()
    {
        using var bed = new DecodeBed();
        Client(bed, Message(1, 0, s_client));
        Server(bed, Contents.Join(Message(2, 0, s_server), Record(20, [1]), Record(22, new byte[40], epoch: 1)));
        Assert.Equal(TlsNotes.Resumed, Assert.Single(bed.Seen.TlsMore).Notes);
    }

    [Fact]
    public void A_handshake_behind_other_datagrams_of_its_flow_is_found()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 9; i++) Client(bed, [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, .. new byte[12]]);
        // The server's side only: whoever sends the ServerHello is the server.
        Server(bed, Message(2, 0, s_server));
        bed.Drain();
        Assert.StartsWith(" fefd ja3= ja3s=", Assert.Single(bed.Seen.Tls), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_claims_too_much_is_counted_and_the_rest_read()
    {
        using var bed = new DecodeBed();
        Client(bed, Message(1, 0, s_client));
        Server(bed, Message(2, 0, s_server));
        Server(bed, Record(22, [11, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]));
        bed.Drain();
        Assert.Single(bed.Seen.Tls);
        Assert.Equal(global::Nfr.Wire.DecodeFault.TlsHandshakeTooLong, Assert.Single(bed.Faults));
    }

    [Fact]
    public void When_all_are_taken_the_flow_keeps_its_flow_event()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 300; i++) bed.Udp("10.0.0.1", 10_000 + i, "10.0.0.2", 4433, Message(1, 0, s_client));
        bed.Drain();
        Assert.Equal(256, bed.Seen.Tls.Count);
    }

    [Fact]
    public void Damage_anywhere_is_survived()
    {
        byte[] flight = Contents.Join(Message(2, 1, s_server), Record(22, Part(11, 2, s_certificate, 0, 40)), Record(22, Part(11, 2, s_certificate, 40, s_certificate.Length)));
        var random = new Random(1);
        using var bed = new DecodeBed();
        for (int i = 0; i < 3000; i++)
        {
            bed.Udp("10.0.0.1", 10_000 + (i / 4), "10.0.0.2", 4433, Bytes.Mutate(Message(1, 0, s_client), random));
            bed.Udp("10.0.0.2", 4433, "10.0.0.1", 10_000 + (i / 4), Bytes.Mutate(flight, random));
        }
    }
}
