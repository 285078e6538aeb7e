using System.Buffers.Binary;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Fuzz;

/// <summary>The whole decode loop: every input is a few packets; afterwards the ledger closes and nothing stays rented.</summary>
abstract class DecoderTarget : Target
{
    readonly FrameDecoder<ReadEverything> _decoder = new(new DecoderOptions { MaximumFlows = 256 }, default);
    readonly byte[] _packet = new byte[70_000];
    long _tick = 1;

    protected void Decode(ReadOnlySpan<byte> bytes, LinkType link, int originalLength = 0, bool ahead = false)
    {
        _tick += 1_000_000;
        if (ahead) _decoder.OnAhead(bytes, link, 0);
        _decoder.OnFrame(new Frame(bytes, Math.Max(bytes.Length, originalLength), _tick, _tick, link, ahead: ahead ? 1 : 0));
    }

    /// <summary>What has been counted so far, in one number that tells nearly all differences.</summary>
    protected long Counted()
    {
        DecodeCounters counters = _decoder.Counters;
        long sum = counters.Parsed + (3 * counters.NonIp) + (5 * counters.FlowsOpened) + (7 * counters.FragmentsHeld) + (11 * counters.GroupAddressed) + (13 * counters.VlanTagged);
        for (int i = 0; i < counters.Faults.Length; i++) sum += (17 + (2 * i)) * counters.Faults[i];
        return sum;
    }

    /// <summary>An IPv4 packet with this head, then what <paramref name="payload"/> has.</summary>
    protected void Ip(byte protocol, bool fromClient, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ushort fragment = 0, ushort identification = 1)
    {
        int length = 20 + header.Length + payload.Length;
        Span<byte> packet = _packet.AsSpan(0, length);
        packet[..20].Clear();
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], identification);
        BinaryPrimitives.WriteUInt16BigEndian(packet[6..], fragment);
        packet[8] = 64;
        packet[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], fromClient ? 0x0A000001u : 0xC0000201u);
        BinaryPrimitives.WriteUInt32BigEndian(packet[16..], fromClient ? 0xC0000201u : 0x0A000001u);
        header.CopyTo(packet[20..]);
        payload.CopyTo(packet[(20 + header.Length)..]);
        Decode(packet, LinkType.Raw);
    }

    protected void Finish()
    {
        _tick += 60_000_000_000;
        _decoder.Advance(_tick);
        _decoder.Drain();
        if (!_decoder.Counters.Closes) throw new InvalidOperationException("the ledger does not close");
        if (_decoder.BuffersInUse != 0) throw new InvalidOperationException($"{_decoder.BuffersInUse} buffers stay rented");
        if (_decoder.ConversationsInUse != 0) throw new InvalidOperationException($"{_decoder.ConversationsInUse} conversations stay rented");
        if (_decoder.DetailsInUse != 0) throw new InvalidOperationException($"{_decoder.DetailsInUse} details stay rented");
        if (_decoder.ActiveFlows != 0) throw new InvalidOperationException($"{_decoder.ActiveFlows} flows stay open");
    }

    /// <summary>Touches every byte of every text, so that a span that reaches too far shows.</summary>
    readonly struct ReadEverything : IEventSink
    {
        static int s_sum;

        static void Read(ReadOnlySpan<byte> text)
        {
            foreach (byte b in text) s_sum += b;
        }

        public void OnDns(scoped in DnsEvent e)
        {
            Read(e.Query);
            var answers = new DnsAnswerReader(e.Answers);
            while (answers.MoveNext()) Read(answers.Text);
        }

        public void OnIp(scoped in IpEvent e)
        {
            Read(e.Ja3);
            Read(e.User);
            Read(e.ClientSoftware);
            Read(e.ServerSoftware);
            if (e.PacketsIn < 0 || e.PacketsOut < 0 || e.BytesIn < 0 || e.BytesOut < 0 || e.Duration < 0 || e.MissedIn < 0 || e.MissedOut < 0)
                throw new InvalidOperationException("an ip event counts below zero");
        }

        public void OnHttp(scoped in HttpEvent e)
        {
            Read(e.Url);
            Read(e.Host);
            Read(e.Method);
            Read(e.ContentType);
            Read(e.Referrer);
            Read(e.UserAgent);
            if (e.BytesIn < 0 || e.BytesOut < 0) throw new InvalidOperationException("an http event counts below zero");
        }

        public void OnTls(scoped in TlsEvent e)
        {
            Read(e.Sni);
            Read(e.Ja4);
            Read(e.Issuer);
            Read(e.Subject);
            Read(e.Alpn);
            Read(e.ServerAlpn);
            Read(e.SubjectAltNames);
        }

        public void OnHost(scoped in HostEvent e) => Read(e.Name);

        public void OnAnomaly(scoped in AnomalyEvent e) => s_sum += (int)e.Fault;
    }
}

/// <summary>One frame of any link type: the first byte chooses it.</summary>
sealed class FrameTarget : DecoderTarget
{
    static readonly LinkType[] s_links = [LinkType.Ethernet, LinkType.Ethernet, LinkType.Ethernet, LinkType.LinuxSll, LinkType.LinuxSll2, LinkType.Null, LinkType.Loop, LinkType.Ppp, LinkType.Raw, LinkType.IPv6];

    public override string Name => "frame";
    public override int Runs => 250_000;
    public override IReadOnlyList<byte[]> Words { get; } =
    [
        [0x81, 0], [0x88, 0xA8], [0x88, 0x64], [0x08, 0], [0x86, 0xDD], [0x08, 0x06], [0x88, 0x47], [0x45, 0], [0x60, 0, 0, 0], [47], [4], [41], [44], [0x2F, 0], [6], [17], [1], [58],
        [0x12, 0xB5], [0x17, 0xC1], [0x65, 0x58], [0x88, 0xBE], [0x22, 0xEB], [0x08, 0x68], [0x0D, 0xD8], [0, 53], [0, 67], [0, 137], [0x14, 0xE9],
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
        seeds.Frames.Where(f => Array.IndexOf(s_links, f.Link) >= 0).Select(f => (byte[])[(byte)Array.IndexOf(s_links, f.Link), .. f.Bytes]);

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        // Headers that are read ahead and those that are read in their turn say the same.
        long before = Counted();
        One(input, ahead: false);
        long plain = Counted() - before;
        before = Counted();
        One(input, ahead: true);
        if (Counted() - before != plain) throw new InvalidOperationException($"looking ahead counts {Counted() - before}, not looking ahead {plain}");
    }

    void One(ReadOnlySpan<byte> input, bool ahead)
    {
        Decode(input[1..], s_links[input[0] % s_links.Length], originalLength: (input[0] & 0x80) != 0 ? input.Length + 1000 : 0, ahead);
        Finish();
    }
}

/// <summary>Fragments: flags and offset (2 bytes), length (1), bytes, again and again; the first byte's top bit makes them IPv6.</summary>
sealed class FragmentTarget : DecoderTarget
{
    readonly byte[] _packet = new byte[2048];

    public override string Name => "fragments";
    public override int Runs => 300_000;
    public override IReadOnlyList<byte[]> Words { get; } = [[0x20, 0], [0x3F, 0xFF], [0x1F, 0xFF], [0x20, 1], [0, 1], [0, 3], [255], [8]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
    [
        [0, 17, 0x20, 0, 16, .. new byte[16], 0x00, 2, 16, .. new byte[16]],
        [0, 6, 0x20, 0, 24, .. new byte[24], 0x20, 2, 24, .. new byte[24], 0x00, 5, 9, .. new byte[9]],
        [0x80, 17, 0x20, 0, 16, .. new byte[16], 0x00, 2, 16, .. new byte[16]],
        [0x80, 58, 0x00, 2, 8, .. new byte[8], 0x20, 0, 16, .. new byte[16]],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2) return;
        bool six = (input[0] & 0x80) != 0;
        byte protocol = input[1];
        input = input[2..];
        while (input.Length >= 3)
        {
            ushort fragment = BinaryPrimitives.ReadUInt16BigEndian(input);
            int length = Math.Min(input[2], input.Length - 3);
            ReadOnlySpan<byte> payload = input.Slice(3, length);
            input = input[(3 + length)..];
            if (six) Six(protocol, fragment, payload);
            else Ip(protocol, true, default, payload, fragment);
        }
        Finish();
    }

    void Six(byte protocol, ushort fragment, ReadOnlySpan<byte> payload)
    {
        Span<byte> packet = _packet.AsSpan(0, 48 + payload.Length);
        packet[..48].Clear();
        packet[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)(8 + payload.Length));
        packet[6] = 44;
        packet[23] = 1;
        packet[39] = 2;
        packet[40] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(packet[42..], (ushort)((fragment << 3) | ((fragment & 0x2000) != 0 ? 1 : 0)));
        packet[47] = 7;
        payload.CopyTo(packet[48..]);
        Decode(packet, LinkType.Raw);
    }
}

/// <summary>A datagram to or from a port that a parser listens on: the first byte chooses.</summary>
sealed class DatagramTarget : DecoderTarget
{
    static readonly ushort[] s_ports = [53, 5353, 5355, 137, 67, 68, 547, 443, 123, 161, 500, 1194, 5060, 4789, 2152, 3544, 6081, 51820, 6881, 88, 1900, 514, 3478, 4433, 40_000];

    public override string Name => "datagram";
    public override int Runs => 300_000;
    public override IReadOnlyList<byte[]> Words { get; } = [[0x63, 0x82, 0x53, 0x63], [0xC0, 0x0C], [0x21, 0x12, 0xA4, 0x42], [22, 0xFE, 0xFD], [0xC3, 0, 0, 0, 1], [53, 1, 5], [12, 5], [81], [1, 0, 0, 0], [0x30, 0x82]];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => seeds.Datagrams.Select(d => (byte[])[(byte)Math.Max(0, Array.IndexOf(s_ports, (ushort)d.Port)), .. d.Payload]);

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        ushort port = s_ports[(input[0] & 0x7F) % s_ports.Length];
        bool reply = (input[0] & 0x80) != 0;
        ReadOnlySpan<byte> payload = input[1..];
        Span<byte> header = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16BigEndian(header, reply ? port : (ushort)45_000);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], reply ? (ushort)45_000 : port);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(8 + payload.Length));
        header[6] = header[7] = 0;
        // Twice: many protocols are believed only when they go on.
        Ip(IPProtocol.Udp, !reply, header, payload);
        Ip(IPProtocol.Udp, !reply, header, payload);
        Finish();
    }
}

/// <summary>
/// A TCP connection as a script: port (1 byte), then segments: control (1 byte: direction, FIN, RST, handshake, keep place), step of the sequence number (1 byte,
/// signed), length (2 bytes), bytes.
/// </summary>
class StreamTarget : DecoderTarget
{
    static readonly ushort[] s_ports = [80, 443, 21, 25, 110, 143, 23, 22, 53, 389, 3306, 5432, 3389, 1080, 3333, 445, 6667, 8333];

    public override string Name => "stream";
    public override int Runs => 200_000;
    public override int MaximumLength => 8192;
    public override IReadOnlyList<byte[]> Words { get; } =
    [
        [0, 0], [1, 0], [0x80, 0], [0, 0xFF], [4, 0],
        .. ((string[])["GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n\r\n", "CONNECT a:443 HTTP/1.1\r\n\r\n", "USER a\r\n", "PASS b\r\n", "230 ok\r\n", "530 no\r\n", "AUTH PLAIN ",
            "EHLO a\r\n", "STARTTLS\r\n", "220 a\r\n", "a LOGIN b c\r\n", "a OK\r\n", "+OK\r\n", "SSH-2.0-x\r\n", "login: ", "Password: ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET /\r\n", "Authorization: Basic dTpw\r\n", "HTTP/1.1 401 No\r\n", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n"]).Select(System.Text.Encoding.ASCII.GetBytes),
        [0x16, 3, 1, 0, 50, 1, 0, 0, 46], [0xFF, 0xFD, 1], [5, 1, 0], [5, 0],
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        foreach ((int port, byte[] payload) in seeds.Segments)
        {
            byte place = (byte)Math.Max(0, Array.IndexOf(s_ports, (ushort)port));
            int half = payload.Length / 2;
            yield return [place, 4, 0, .. Length(payload.Length), .. payload];
            yield return [place, 4, 0, .. Length(half), .. payload[..half], 0, 0, .. Length(payload.Length - half), .. payload[half..]];
            // The second half first, then the first: a hole that is filled.
            yield return [place, 4, (byte)Math.Min(half, 127), .. Length(payload.Length - half), .. payload[half..], 0, (byte)-Math.Min(half, 127), .. Length(half), .. payload[..half]];
            yield return [place, 5, 0, .. Length(payload.Length), .. payload];
        }
    }

    static byte[] Length(int length) => [(byte)(length >> 8), (byte)length];

    /// <summary>A connection to this port whose sides say these in turn, the client first.</summary>
    protected static byte[] Talk(ushort port, bool serverBegins, params byte[][] said)
    {
        List<byte> script = [(byte)Array.IndexOf(s_ports, port)];
        for (int i = 0; i < said.Length; i++)
        {
            int direction = (i & 1) ^ (serverBegins ? 1 : 0);
            script.AddRange([(byte)((i == 0 ? 4 : 0) | direction), 0, .. Length(said[i].Length), .. said[i]]);
        }
        return [.. script];
    }

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        ushort port = s_ports[input[0] % s_ports.Length];
        input = input[1..];
        uint client = 1000, server = 5000;
        while (input.Length >= 4)
        {
            byte control = input[0];
            int step = (sbyte)input[1];
            int length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(input[2..]), Math.Min(input.Length - 4, 1460));
            ReadOnlySpan<byte> payload = input.Slice(4, length);
            input = input[(4 + length)..];
            bool out_ = (control & 1) == 0;
            if ((control & 4) != 0)
            {
                Segment(port, true, client - 1, 0, TcpFlags.Syn, default);
                Segment(port, false, server - 1, client, TcpFlags.Syn | TcpFlags.Ack, default);
            }
            byte flags = TcpFlags.Ack;
            if ((control & 8) != 0) flags |= TcpFlags.Fin;
            if ((control & 16) != 0) flags |= TcpFlags.Rst;
            if (out_) Segment(port, true, (uint)(client + step), server, flags, payload);
            else Segment(port, false, (uint)(server + step), client, flags, payload);
            if ((control & 32) != 0) continue;
            if (out_) client += (uint)(length + step);
            else server += (uint)(length + step);
            if ((control & 64) != 0) Segment(port, !out_, out_ ? server : client, out_ ? client : server, TcpFlags.Ack, default);
        }
        Finish();
    }

    void Segment(ushort port, bool fromClient, uint sequence, uint acknowledgment, byte flags, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[20];
        header.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header, fromClient ? (ushort)45_000 : port);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], fromClient ? port : (ushort)45_000);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(header[8..], acknowledgment);
        header[12] = 0x50;
        header[13] = flags;
        Ip(IPProtocol.Tcp, fromClient, header, payload);
    }
}
