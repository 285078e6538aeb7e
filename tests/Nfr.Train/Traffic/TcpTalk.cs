using System.Text;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>A TCP conversation that keeps its sequence and acknowledgment numbers; every packet goes to <paramref name="send"/> as an IP packet.</summary>
sealed class TcpTalk(Action<byte[]> send, string client = "10.0.0.1", int clientPort = 40_000, string server = "192.0.2.1", int serverPort = 80, uint clientStart = 1000, uint serverStart = 5000)
{
    public const byte Ack = TcpFlags.Ack;

    /// <summary>Next sequence number of each side.</summary>
    public uint Out { get; set; } = clientStart;
    public uint In { get; set; } = serverStart;

    public TcpTalk(IPacketBed bed, int clientPort = 40_000, int serverPort = 80, string client = "10.0.0.1", string server = "192.0.2.1")
        : this(bed.Ip, client, clientPort, server, serverPort)
    {
    }

    /// <summary>Any segment: direction 0 is the client's.</summary>
    public byte[] Packet(int direction, uint sequence, uint acknowledgment, byte flags, byte[] payload) => direction == 0
        ? Frames.Ip(client, server, IPProtocol.Tcp, Frames.Tcp(clientPort, serverPort, sequence, acknowledgment, flags, payload))
        : Frames.Ip(server, client, IPProtocol.Tcp, Frames.Tcp(serverPort, clientPort, sequence, acknowledgment, flags, payload));

    public void Raw(int direction, uint sequence, uint acknowledgment, byte flags, byte[] payload) => send(Packet(direction, sequence, acknowledgment, flags, payload));

    /// <summary>The bare next segment of a side: its number moves on by the payload and by SYN and FIN.</summary>
    public TcpTalk Segment(int direction, byte flags, byte[]? payload = null)
    {
        payload ??= [];
        uint length = (uint)payload.Length + ((flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0 ? 1u : 0u);
        uint acknowledgment = (flags & Ack) == 0 ? 0 : direction == 0 ? In : Out;
        Raw(direction, direction == 0 ? Out : In, acknowledgment, flags, payload);
        if (direction == 0) Out += length;
        else In += length;
        return this;
    }

    public TcpTalk Open() => Segment(0, TcpFlags.Syn).Segment(1, TcpFlags.Syn | Ack).Segment(0, Ack);

    public TcpTalk Client(byte[] payload) => Segment(0, TcpFlags.Psh | Ack, payload);
    public TcpTalk Client(string text) => Client(Encoding.Latin1.GetBytes(text));
    public TcpTalk Server(byte[] payload) => Segment(1, TcpFlags.Psh | Ack, payload);
    public TcpTalk Server(string text) => Server(Encoding.Latin1.GetBytes(text));

    /// <summary>A segment that our port never saw.</summary>
    public TcpTalk ClientLost(int bytes)
    {
        Out += (uint)bytes;
        return this;
    }

    public TcpTalk ServerLost(int bytes)
    {
        In += (uint)bytes;
        return this;
    }

    public TcpTalk Close() => Segment(0, TcpFlags.Fin | Ack).Segment(1, TcpFlags.Fin | Ack).Segment(0, Ack);
}
