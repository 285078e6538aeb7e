using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Packets built layer around layer, the innermost first.</summary>
internal static class Layers
{
    public static byte[] Ethernet(ushort type, byte[] payload) => [.. new byte[12], (byte)(type >> 8), (byte)type, .. payload];

    public static byte[] IPv4(byte protocol, byte[] payload, string source = "10.0.0.1", string destination = "10.0.0.2", int fragment = 0)
    {
        byte[] packet = [0x45, .. new byte[8], protocol, 0, 0, .. System.Net.IPAddress.Parse(source).GetAddressBytes(), .. System.Net.IPAddress.Parse(destination).GetAddressBytes(), .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)fragment);
        return packet;
    }

    public static byte[] Udp(ushort sourcePort, ushort destinationPort, byte[] payload)
    {
        byte[] datagram = [.. new byte[8], .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        return datagram;
    }

    public static byte[] Tcp(ushort sourcePort, ushort destinationPort, uint sequence, byte flags, byte[] payload)
    {
        byte[] segment = [.. new byte[12], 0x50, flags, .. new byte[6], .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(segment, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        return segment;
    }

    /// <summary>A query for the name's A record.</summary>
    public static byte[] DnsQuery(string name)
    {
        byte[] labels = [.. name.Split('.').SelectMany(l => Encoding.ASCII.GetBytes(l).Prepend((byte)l.Length))];
        return [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. labels, 0, 0, 1, 0, 1];
    }

    /// <summary>A handshake message in a record of its own.</summary>
    public static byte[] TlsRecord(byte type, byte[] body) => [0x16, 3, 1, (byte)((body.Length + 4) >> 8), (byte)(body.Length + 4), .. Handshake(type, body)];

    public static byte[] Handshake(byte type, byte[] body) => [type, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body];
}

/// <summary>A decode loop whose events are kept as lines.</summary>
internal sealed class Looked
{
    public FrameDecoder<Sink> Decoder { get; }
    public List<string> Events { get; } = [];
    long _tick = 1_000_000_000;

    public Looked() => Decoder = new FrameDecoder<Sink>(new DecoderOptions { MaximumFlows = 64 }, new Sink(Events));

    public long Fault(DecodeFault fault) => Decoder.Counters.Faults[(int)fault];

    public void Frame(byte[] bytes, LinkType link = LinkType.Ethernet)
    {
        _tick += 1_000_000;
        Decoder.OnFrame(new Frame(bytes, bytes.Length, _tick, _tick, link));
    }

    /// <summary>TCP payload between client port 50000 and the server's; sequence numbers are kept.</summary>
    public void Talk(ushort serverPort, params (bool FromServer, byte[] Bytes)[] said)
    {
        uint[] next = [1, 1];
        Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.Tcp, Layers.Tcp(50_000, serverPort, 0, TcpFlags.Syn, []))));
        foreach ((bool fromServer, byte[] bytes) in said)
        {
            byte[] segment = fromServer
                ? Layers.Tcp(serverPort, 50_000, next[1], TcpFlags.Ack, bytes)
                : Layers.Tcp(50_000, serverPort, next[0], TcpFlags.Ack, bytes);
            next[fromServer ? 1 : 0] += (uint)bytes.Length;
            Frame(Layers.Ethernet(EtherType.IPv4, fromServer ? Layers.IPv4(IPProtocol.Tcp, segment, "10.0.0.2", "10.0.0.1") : Layers.IPv4(IPProtocol.Tcp, segment)));
        }
    }

    /// <summary>Ends everything, and checks what always holds.</summary>
    public void End()
    {
        Decoder.Drain();
        Assert.True(Decoder.Counters.Closes);
        Assert.Equal(0, Decoder.BuffersInUse);
    }

    public readonly struct Sink(List<string> events) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) => events.Add($"dns {Encoding.ASCII.GetString(e.Query)} {e.ResponseCode}");
        public void OnIp(scoped in IpEvent e) => events.Add(string.Create(CultureInfo.InvariantCulture, $"ip {e.Context.Source} {e.Context.Destination} {e.Context.Protocol} {e.PacketsOut + e.PacketsIn}"));

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e) => events.Add($"tls {e.Context.Source} {Encoding.ASCII.GetString(e.Sni)} ja3:{e.Ja3.Length} ja3s:{e.Ja3s.Length} {Encoding.ASCII.GetString(e.Ja4).Split('_')[0]}");
        public void OnHost(scoped in HostEvent e) => events.Add($"host {e.Address} {Encoding.ASCII.GetString(e.Name)}");
        public void OnAnomaly(scoped in AnomalyEvent e) => events.Add($"anomaly {e.Fault}");
    }
}
