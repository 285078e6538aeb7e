using System.Net;
using System.Net.Sockets;

namespace Nfr.Tests;

/// <summary>A port of loopback at which a SYN is never answered: its listener accepts nobody and its queue is full.</summary>
sealed class BlackHole : IDisposable
{
    readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    readonly List<Socket> _fill = [];

    /// <param name="address">Null = 127.0.0.1.</param>
    /// <param name="port">0 = any that is free.</param>
    public BlackHole(IPAddress? address = null, int port = 0)
    {
        _listener.Bind(new IPEndPoint(address ?? IPAddress.Loopback, port));
        _listener.Listen(0);
        // Until one is not connected any more: the kernel drops its SYN, and every further one.
        for (int i = 0; i < 16; i++)
        {
            var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _fill.Add(one);
            try
            {
                one.Connect(_listener.LocalEndPoint!);
            }
            catch (SocketException pending) when (pending.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
            }
            // Loopback answers within the call, or not at all.
            if (!one.Poll(200_000, SelectMode.SelectWrite)) return;
        }
        throw new InvalidOperationException("the queue of a listener that accepts nobody is never full here");
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose()
    {
        foreach (Socket one in _fill) one.Dispose();
        _listener.Dispose();
    }
}
