using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Fuzz;

/// <summary>
/// Datagrams of one protocol between a client and a server's port, as a script: control (1 byte: direction), length (2 bytes), bytes, again and again. Each
/// goes to the protocol's own view too, whatever the decoder takes it for.
/// </summary>
abstract class DialogueTarget(ushort clientPort, ushort serverPort) : DecoderTarget
{
    protected byte[] Text { get; } = new byte[4096];

    /// <summary>Reads all that the view gives.</summary>
    protected abstract void Read(ReadOnlySpan<byte> message);

    /// <summary>These in turn, the client first.</summary>
    protected static byte[] Script(params byte[][] messages) =>
        [.. messages.SelectMany((m, i) => (byte[])[(byte)(i & 1), (byte)(m.Length >> 8), (byte)m.Length, .. m])];

    /// <summary>Each captured datagram alone, and each two that follow each other.</summary>
    protected static IEnumerable<byte[]> Scripts(IEnumerable<byte[]> datagrams)
    {
        byte[]? before = null;
        foreach (byte[] datagram in datagrams)
        {
            yield return Script(datagram);
            if (before is not null) yield return Script(before, datagram);
            before = datagram;
        }
    }

    public override void Run(ReadOnlySpan<byte> input)
    {
        Span<byte> header = stackalloc byte[8];
        while (input.Length >= 3)
        {
            bool fromClient = (input[0] & 1) == 0;
            int length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(input[1..]), input.Length - 3);
            ReadOnlySpan<byte> message = input.Slice(3, length);
            input = input[(3 + length)..];
            Read(message);
            BinaryPrimitives.WriteUInt16BigEndian(header, fromClient ? clientPort : serverPort);
            BinaryPrimitives.WriteUInt16BigEndian(header[2..], fromClient ? serverPort : clientPort);
            BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(8 + length));
            header[6] = header[7] = 0;
            Ip(IPProtocol.Udp, fromClient, header, message);
        }
        Finish();
    }
}

/// <summary>DHCP: a request, and what the server says to it.</summary>
sealed class DhcpTarget() : DialogueTarget(68, 67)
{
    public override string Name => "dhcp";
    public override int Runs => 300_000;
    public override IReadOnlyList<byte[]> Words { get; } = [[0x63, 0x82, 0x53, 0x63], [53, 1, 1], [53, 1, 3], [53, 1, 5], [53, 1, 8], [12, 4], [81, 7, 0, 0, 0], [81, 7, 4, 0, 0], [255], [0], [52, 1, 3]];

    static byte[] Message(byte type, params byte[] options)
    {
        byte[] message = new byte[240];
        message[0] = (byte)(type == 5 ? 2 : 1);
        message[1] = 1;
        message[2] = 6;
        message[16] = 10;
        message[19] = 4;
        message[33] = 7;
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(236), 0x63825363);
        return [.. message, 53, 1, type, .. options, 255];
    }

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => Scripts(seeds.DatagramsOf(67, 68)).Prepend(
        Script(Message(3, 12, 3, (byte)'n', (byte)'a', (byte)'s'), Message(5), Message(8, 81, 8, 4, 0, 0, 3, (byte)'n', (byte)'a', (byte)'s', 0), Message(5, 12, 1, (byte)'b')));

    protected override void Read(ReadOnlySpan<byte> message)
    {
        if (DhcpMessage.TryRead(message, out DhcpMessage dhcp) != DecodeFault.None) return;
        dhcp.ReadName(Text);
        _ = (dhcp.ClientAddress, dhcp.YourAddress, dhcp.ClientHardware, dhcp.Transaction);
    }
}

/// <summary>DHCPv6, with relays' messages around.</summary>
sealed class DhcpV6Target() : DialogueTarget(546, 547)
{
    static readonly byte[] s_options =
    [
        0, 1, 0, 10, 0, 3, 0, 1, 0, 0x11, 0x32, 0x17, 0x49, 0xF0, 0, 39, 0, 6, 1, 3, (byte)'n', (byte)'a', (byte)'s', 0,
    ];

    static readonly byte[] s_lease = [0, 3, 0, 40, .. new byte[12], 0, 5, 0, 24, 0x20, 1, 0x0D, 0xB8, .. new byte[11], 4, 0, 0, 0, 9, 0, 0, 0, 9];

    public override string Name => "dhcp6";
    public override int Runs => 500_000;
    public override IReadOnlyList<byte[]> Words { get; } =
        [[0, 1, 0, 10, 0, 3, 0, 1], [0, 1, 0, 14, 0, 1, 0, 1], [0, 3], [0, 4], [0, 5, 0, 24], [0, 9], [0, 13, 0, 2], [0, 39], [0, 79, 0, 8, 0, 1], [12, 0], [13, 0], [7], [0xFF, 0xFF]];

    static byte[] Relayed(byte[] message) => [13, 0, .. new byte[32], 0, 79, 0, 8, 0, 1, 2, 0, 0, 0, 0, 7, 0, 9, (byte)(message.Length >> 8), (byte)message.Length, .. message];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        byte[] request = [3, 1, 2, 3, .. s_options], reply = [7, 1, 2, 3, .. s_options[..14], .. s_lease];
        return Scripts(seeds.DatagramsOf(546, 547)).Prepend(Script(request, reply)).Prepend(Script(Relayed(Relayed(request)), Relayed(Relayed(reply))));
    }

    protected override void Read(ReadOnlySpan<byte> message)
    {
        if (Dhcpv6Message.TryRead(message, out Dhcpv6Message dhcp) != DecodeFault.None) return;
        dhcp.ReadName(Text);
        _ = (dhcp.ClientHardware, dhcp.Transaction, dhcp.Type);
        if (dhcp.Relays > Dhcpv6Message.MaximumRelays) throw new InvalidOperationException("more relays than are followed");
        Dhcpv6AddressReader addresses = dhcp.Addresses;
        for (int rounds = 0; addresses.MoveNext(); rounds++)
        {
            if (rounds > message.Length) throw new InvalidOperationException("addresses without end in one message");
        }
    }
}

/// <summary>NetBIOS names: queries, registrations, node status.</summary>
sealed class NbnsTarget() : DialogueTarget(137, 137)
{
    static readonly byte[] s_name = [32, .. "EOEBFDCACACACACACACACACACACACACA"u8, 0];

    public override string Name => "nbns";
    public override int Runs => 400_000;
    public override IReadOnlyList<byte[]> Words { get; } = [[0xC0, 0x0C], [0, 0x20, 0, 1], [0, 0x21, 0, 1], [0x85, 0], [0x01, 0x10], [0x29, 0x10], [0x84, 0], [32, (byte)'C', (byte)'K'], [0x80, 0], s_name];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        byte[] query = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. s_name, 0, 0x20, 0, 1];
        byte[] answer = [0, 7, 0x85, 0, 0, 0, 0, 1, 0, 0, 0, 0, .. s_name, 0, 0x20, 0, 1, 0, 0, 0, 9, 0, 6, 0x60, 0, 10, 0, 0, 5];
        byte[] register = [0, 8, 0x29, 0x10, 0, 1, 0, 0, 0, 0, 0, 1, .. s_name, 0, 0x20, 0, 1, 0xC0, 0x0C, 0, 0x20, 0, 1, 0, 0, 0, 9, 0, 6, 0, 0, 10, 0, 0, 5];
        byte[] status = [0, 9, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, .. s_name, 0, 0x21, 0, 1, 0, 0, 0, 0, 0, 25, 1, .. "NAS            "u8, 0, 4, 0, 0, 0x11, 0x32, 0x17, 0x49, 0xF0];
        return Scripts(seeds.DatagramsOf(137)).Prepend(Script(query, answer)).Prepend(Script(register, status));
    }

    protected override void Read(ReadOnlySpan<byte> message)
    {
        if (NbnsMessage.TryRead(message, out NbnsMessage nbns) != DecodeFault.None) return;
        NbnsMessage.ReadSubject(nbns.Dns, Text, out _, out _);
        DnsRecordReader records = nbns.Dns.Records;
        Span<byte> name = stackalloc byte[NbnsMessage.NameLength];
        while (records.MoveNext())
        {
            NbnsMessage.FormatData(records, Text, out _);
            NbnsMessage.TryFormatName(message, records.OwnerOffset, Text, out _);
            NbnsMessage.TryReadUnique(records, out _);
            NbnsMessage.TryReadStatus(records, name, out _);
        }
    }
}

/// <summary>DTLS: hellos whole and in fragments, cookies, retries, encrypted records.</summary>
sealed class DtlsTarget() : DialogueTarget(45_000, 4433)
{
    public override string Name => "dtls";
    public override int Runs => 300_000;
    public override IReadOnlyList<byte[]> Words { get; } =
        [[22, 0xFE, 0xFD, 0, 0], [22, 0xFE, 0xFF, 0, 0], [20, 0xFE, 0xFD], [26, 0xFE, 0xFD], [0x2E], [1, 0, 0], [2, 0, 0], [3, 0, 0], [11, 0, 0], [14, 0, 0], [0, 43, 0, 3, 2, 0xFE, 0xFC], [0xCF, 0x21, 0xAD, 0x74], [0, 0, 0]];

    static byte[] Record(byte type, byte[] fragment) => [type, 0xFE, 0xFD, .. new byte[8], (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];

    static byte[] Part(byte type, byte[] body, int from, int to) => Record(22, [type, 0, 0, (byte)body.Length, 0, 0, 0, 0, (byte)from, 0, 0, (byte)(to - from), .. body[from..to]]);

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        byte[] client =
        [
            0xFE, 0xFD, .. new byte[32], 0, 0, 0, 2, 0x13, 1, 1, 0, 0, 27, 0, 0, 0, 8, 0, 6, 0, 0, 3, (byte)'a', (byte)'.', (byte)'b', 0, 43, 0, 3, 2, 0xFE, 0xFC, 0, 13, 0, 4, 0, 2, 4, 3,
        ];
        byte[] server = [0xFE, 0xFD, .. new byte[32], 0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 0xFE, 0xFC], verify = [0xFE, 0xFF, 2, 1, 2];
        byte[] hello = Part(1, client, 0, client.Length);
        return Scripts(seeds.Datagrams.Where(d => DtlsRecord.LooksLikeHandshake(d.Payload)).Select(d => d.Payload))
            .Prepend(Script(hello, Part(3, verify, 0, verify.Length), hello, [.. Part(2, server, 0, server.Length), 0x2E, 0, 1, 0, 4, 1, 2, 3, 4]))
            .Prepend(Script(Part(1, client, 30, client.Length), [], Part(1, client, 0, 40), [.. Part(2, server, 20, server.Length), .. Part(2, server, 0, 20), .. Record(20, [1])]));
    }

    protected override void Read(ReadOnlySpan<byte> message)
    {
        DtlsRecord.LooksLikeHandshake(message);
        while (DtlsRecord.TryNext(ref message, out DtlsRecord record))
        {
            ReadOnlySpan<byte> content = record.Fragment;
            while (DtlsHandshake.TryNext(ref content, out DtlsHandshake part))
            {
                if (part.FragmentOffset + part.Fragment.Length > part.Length) throw new InvalidOperationException("a fragment beyond its message");
                if (part.Type != TlsHandshakeType.ClientHello || TlsClientHello.TryRead(part.Fragment, out TlsClientHello hello, datagram: true) != DecodeFault.None) continue;
                Ja3.TryWrite(hello, Text);
                Ja4.TryWrite(hello, Ja4Transport.Dtls, Text);
            }
        }
    }
}
