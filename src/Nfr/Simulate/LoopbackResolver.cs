using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nfr.Demo;

namespace Nfr.Simulate;

/// <summary>
/// Who is asked while nothing may leave the machine. A name server at 127.0.0.1 is mostly a forwarder, and would ask the Internet for the names of
/// malware; so questions go to addresses of loopback where only this process listens (every name is unknown), or nobody does.
/// </summary>
public sealed class LoopbackResolver : IDisposable
{
    /// <summary>Stands for the system's resolver.</summary>
    public static readonly IPEndPoint Usual = new(new IPAddress([127, 77, 1, 53]), 53);
    /// <summary>Stands for the one that <c>hijack</c> asks.</summary>
    public static readonly IPEndPoint Other = new(new IPAddress([127, 77, 1, 54]), 53);

    static readonly Dictionary<string, IPAddress[]> s_names = [];

    readonly List<Socket> _sockets = [];
    readonly CancellationTokenSource _stop = new();

    LoopbackResolver() { }

    /// <summary>Takes the addresses.</summary>
    /// <param name="addresses">Of loopback, at one port.</param>
    /// <param name="refusal">Why nothing may be asked, in one line: somebody else answers there.</param>
    /// <returns>Null when refused. Ports below 1024 may be denied: then nobody answers, which is as safe.</returns>
    public static LoopbackResolver? Start(IReadOnlyList<IPEndPoint> addresses, out string refusal)
    {
        refusal = "";
        var resolver = new LoopbackResolver();
        foreach (IPEndPoint address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                socket.Bind(address);
            }
            catch (SocketException failure)
            {
                socket.Dispose();
                if (failure.SocketErrorCode == SocketError.AccessDenied && !IsServed(address)) continue;
                resolver.Dispose();
                refusal = $"a name server of this machine answers at {address} too, and may ask others for the names of malware; name one with --resolver, or run 'nfr demo' for a network of its own";
                return null;
            }
            resolver._sockets.Add(socket);
            _ = resolver.ServeAsync(socket);
        }
        return resolver;
    }

    /// <summary>Whether somebody gets datagrams that are sent to an address of IPv4, by it or by all addresses.</summary>
    internal static bool IsServed(IPEndPoint address)
    {
        string port = address.Port.ToString("X4", CultureInfo.InvariantCulture);
        // The kernel's hexadecimal words in the machine's own order of bytes (proc_net_tcp).
        string own = BitConverter.ToUInt32(address.Address.GetAddressBytes()).ToString("X8", CultureInfo.InvariantCulture);
        foreach (string table in new[] { "/proc/net/udp", "/proc/net/udp6" })
        {
            try
            {
                foreach (string line in File.ReadLines(table))
                {
                    string[] words = line.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
                    if (words.Length < 2 || words[1].Split(':') is not [var local, var at] || at != port) continue;
                    if (local.All(c => c == '0') || local.EndsWith(own, StringComparison.Ordinal)) return true;
                }
            }
            catch (IOException) when (table.EndsWith('6'))
            {
                // A machine without IPv6.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not known: then nothing is asked.
                return true;
            }
        }
        return false;
    }

    async Task ServeAsync(Socket socket)
    {
        byte[] buffer = new byte[4096];
        var random = new Random();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token).ConfigureAwait(false);
                byte[]? reply = DnsResponder.Answer(buffer.AsSpan(0, received.ReceivedBytes), overTcp: false, s_names, random);
                if (reply is not null) await socket.SendToAsync(reply, SocketFlags.None, received.RemoteEndPoint, _stop.Token).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // The asker has gone.
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (Socket socket in _sockets) socket.Dispose();
        _stop.Dispose();
    }
}
