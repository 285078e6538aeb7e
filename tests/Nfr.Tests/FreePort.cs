using System.Net;
using System.Net.Sockets;

namespace Nfr.Tests;

/// <summary>
/// A port for a server that cannot be told to take any. One that was free a moment ago among those that the kernel gives to whoever asks for any (32,768 and
/// above) is soon somebody else's, where many tests run at a time; below them nobody comes by chance.
/// </summary>
static class FreePort
{
    static int s_next = Random.Shared.Next(20_000, 30_000);

    /// <summary>Free for UDP and TCP in both families, and given once.</summary>
    public static int Take()
    {
        while (true)
        {
            int port = 20_000 + (Interlocked.Increment(ref s_next) % 10_000);
            if (IsFree(SocketType.Dgram, ProtocolType.Udp, port) && IsFree(SocketType.Stream, ProtocolType.Tcp, port)) return port;
        }
    }

    static bool IsFree(SocketType type, ProtocolType protocol, int port)
    {
        // One that is bound for both families, where there are two.
        using Socket socket = Socket.OSSupportsIPv6 ? new(AddressFamily.InterNetworkV6, type, protocol) { DualMode = true } : new(AddressFamily.InterNetwork, type, protocol);
        try
        {
            socket.Bind(new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
