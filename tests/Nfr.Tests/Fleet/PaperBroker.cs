using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nfr.Tests;

/// <summary>What a <see cref="PaperBroker"/> does with a message; from 0 on it is the PUBACK's reason.</summary>
static class PaperReply
{
    public const int Taken = 0, Nothing = -1, Close = -2;
}

/// <summary>
/// A broker of a test's that does what real ones cannot be told to: refuses a version, closes the connection at an alert, keeps its PUBACK to itself, sends many commands at once. MQTT
/// 3.1.1 and 5, as little of them as a sensor needs; keeps nothing.
/// </summary>
sealed class PaperBroker : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentDictionary<TcpClient, byte> _clients = new();
    readonly Thread _accepting;
    volatile bool _stop;
    volatile Peer? _last;

    public PaperBroker()
    {
        _listener.Start(16);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = new Thread(Accept) { IsBackground = true };
        _accepting.Start();
    }

    public int Port { get; }

    /// <summary>The CONNACK for a protocol level (4 or 5); null = the connection is closed without one.</summary>
    public Func<int, byte[]?> Connack { get; set; } = level => level == 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0];

    /// <summary>By topic and text: a <see cref="PaperReply"/>.</summary>
    public Func<string, string, int> Reply { get; set; } = (_, _) => PaperReply.Taken;

    /// <summary>Protocol levels of the CONNECTs, and client ids, in order.</summary>
    public ConcurrentQueue<int> Levels { get; } = new();
    public ConcurrentQueue<string> Clients { get; } = new();

    public ConcurrentQueue<(string Topic, string Text)> Heard { get; } = new();

    /// <summary>Bodies of the DISCONNECTs: after one the will is not given out.</summary>
    public ConcurrentQueue<byte[]> Goodbyes { get; } = new();

    /// <summary>Connections that are open.</summary>
    public int Open => _clients.Count;

    public IEnumerable<string> Of(string topic) => Heard.Where(h => h.Topic == topic).Select(h => h.Text);

    /// <summary>To the latest client, all in one piece, with QoS 1.</summary>
    /// <param name="topic">Of all of them.</param>
    /// <param name="payloads">Of each.</param>
    /// <param name="last">And nothing behind: the connection is ended as a server ends it that goes.</param>
    public void Send(string topic, IEnumerable<byte[]> payloads, bool last = false)
    {
        using var bytes = new MemoryStream();
        Peer peer = _last!;
        ushort id = 0;
        foreach (byte[] payload in payloads) bytes.Write(Publish(topic, payload, ++id, peer.Level));
        peer.Write(bytes.ToArray());
        if (last) peer.Client.Client.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends the latest client's connection.</summary>
    public void Cut() => _last?.Client.Close();

    static byte[] Publish(string topic, byte[] payload, ushort id, int level)
    {
        byte[] name = Encoding.UTF8.GetBytes(topic);
        using var body = new MemoryStream();
        body.Write([(byte)(name.Length >> 8), (byte)name.Length]);
        body.Write(name);
        body.Write([(byte)(id >> 8), (byte)id]);
        if (level == 5) body.WriteByte(0);
        body.Write(payload);
        using var packet = new MemoryStream();
        packet.WriteByte(0x32);
        for (int left = (int)body.Length; ; left >>= 7)
        {
            packet.WriteByte((byte)((left & 127) | (left > 127 ? 128 : 0)));
            if (left <= 127) break;
        }
        packet.Write(body.ToArray());
        return packet.ToArray();
    }

    void Accept()
    {
        while (!_stop)
        {
            try
            {
                TcpClient client = _listener.AcceptTcpClient();
                client.NoDelay = true;
                _clients[client] = 0;
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }

    void Serve(TcpClient client)
    {
        try
        {
            using (client)
            {
                var peer = new Peer(client);
                while (peer.Read() is { } packet && Answer(peer, packet.Type, packet.Body))
                {
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or InvalidOperationException)
        {
            // The other side went.
        }
        finally
        {
            _clients.TryRemove(client, out _);
        }
    }

    /// <summary>False = the connection ends.</summary>
    bool Answer(Peer peer, byte type, byte[] body)
    {
        switch (type >> 4)
        {
            case 1:
                // "MQTT", level, flags, keepalive, properties of MQTT 5, client id.
                peer.Level = body[6];
                int at = 10;
                if (peer.Level == 5) at += body[10] + 1;
                Clients.Enqueue(Encoding.UTF8.GetString(body, at + 2, BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(at))));
                _last = peer;
                Levels.Enqueue(peer.Level);
                if (Connack(peer.Level) is not { } connack) return false;
                peer.Write(connack);
                return connack[3] == 0;
            case 3:
                int length = BinaryPrimitives.ReadUInt16BigEndian(body);
                string topic = Encoding.UTF8.GetString(body, 2, length);
                int qos = (type >> 1) & 3, next = 2 + length + (qos > 0 ? 2 : 0);
                string text = Encoding.UTF8.GetString(body.AsSpan(next + (peer.Level == 5 ? body[next] + 1 : 0)));
                Heard.Enqueue((topic, text));
                int reply = Reply(topic, text);
                if (reply == PaperReply.Close) return false;
                if (qos > 0 && reply >= 0) peer.Write(reply == 0 ? [0x40, 2, body[2 + length], body[3 + length]] : [0x40, 3, body[2 + length], body[3 + length], (byte)reply]);
                return true;
            case 8:
                peer.Write(peer.Level == 5 ? [0x90, 4, body[0], body[1], 0, 1] : [0x90, 3, body[0], body[1], 1]);
                return true;
            case 12:
                peer.Write([0xD0, 0]);
                return true;
            case 14:
                Goodbyes.Enqueue(body);
                return false;
            default:
                return true;
        }
    }

    public void Dispose()
    {
        _stop = true;
        _listener.Stop();
        foreach (TcpClient client in _clients.Keys) client.Close();
        _accepting.Join(10_000);
    }

    sealed class Peer(TcpClient client)
    {
        readonly NetworkStream _stream = client.GetStream();

        public TcpClient Client => client;
        public int Level { get; set; }

        public (byte Type, byte[] Body)? Read()
        {
            int type = _stream.ReadByte();
            if (type < 0) return null;
            int length = 0;
            for (int shift = 0; ; shift += 7)
            {
                int one = _stream.ReadByte();
                if (one < 0) return null;
                length |= (one & 127) << shift;
                if (one < 128) break;
            }
            byte[] body = new byte[length];
            _stream.ReadExactly(body);
            return ((byte)type, body);
        }

        public void Write(byte[] bytes)
        {
            lock (client) _stream.Write(bytes);
        }
    }
}
