namespace Nfr.Native;

/// <summary>
/// Bounds libmosquitto's wait for TCP. It connects blocking, one address of the name after the other, each for as long as the kernel tries (two minutes), and has no option for
/// less. What is done here makes that wait short without touching what the library believes: name, server name indication and the check of the certificate stay its own. A socket
/// that has been connecting for too long is shut down by shutdown(2): its connect(2) fails at once, and the library goes on with the next address by itself.
/// </summary>
/// <remarks>
/// Another thread looks at the library's descriptor while the library connects, and may close it at that moment. So nothing is done to a descriptor that is not a TCP socket in
/// SYN_SENT, and none for less than the limit under the same cookie (a number that the kernel never gives twice). Between that look and the call lie nanoseconds in which the number
/// could come to stand for another connection that begins; that one would fail to connect once, and everything that connects here tries again.
/// </remarks>
sealed unsafe class MqttConnectWatch : IDisposable
{
    const int SolSocket = 1, Cookie = 57, SolTcp = 6, TcpInfo = 11;
    /// <summary>tcpi_state, the first byte of struct tcp_info.</summary>
    const byte SynSent = 2;
    const int ShutBoth = 2;
    static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    readonly MosquittoHandle _handle;
    readonly TimeSpan _each, _all;
    readonly CancellationToken _cancel;
    readonly Lock _lock = new();
    readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();
    readonly Timer _timer;
    ulong _cookie;
    TimeSpan _since;
    bool _over;

    /// <param name="handle">Whose connect call runs until this is disposed.</param>
    /// <param name="each">For one address.</param>
    /// <param name="all">For all of them: what comes later is cut at once.</param>
    /// <param name="cancel">Cuts at once too.</param>
    public MqttConnectWatch(MosquittoHandle handle, TimeSpan each, TimeSpan all, CancellationToken cancel)
    {
        (_handle, _each, _all, _cancel) = (handle, each, all, cancel);
        _timer = new Timer(_ => Look(), null, s_look, s_look);
    }

    /// <summary>Addresses that did not answer in time.</summary>
    public int Cut { get; private set; }

    void Look()
    {
        lock (_lock)
        {
            if (_over) return;
            int socket = MosquittoNative.mosquitto_socket(_handle);
            if (socket < 0 || !IsConnecting(socket, out ulong cookie)) return;
            TimeSpan now = _watch.Elapsed;
            if (cookie != _cookie) (_cookie, _since) = (cookie, now);
            if (now - _since < _each && now < _all && !_cancel.IsCancellationRequested) return;
            Cut++;
            _ = MosquittoNative.shutdown(socket, ShutBoth);
        }
    }

    static bool IsConnecting(int socket, out ulong cookie)
    {
        cookie = 0;
        byte state = 0;
        int one = 1, eight = sizeof(ulong);
        ulong number = 0;
        // SAFETY: the kernel writes at most as many bytes as it is told and cuts tcp_info to them.
        if (MosquittoNative.getsockopt(socket, SolTcp, TcpInfo, &state, &one) != 0 || one != 1 || state != SynSent) return false;
        // SAFETY: eight bytes of a local.
        if (MosquittoNative.getsockopt(socket, SolSocket, Cookie, (byte*)&number, &eight) != 0 || eight != sizeof(ulong)) return false;
        cookie = number;
        return true;
    }

    /// <summary>The call has returned: nothing is looked at any more once this has.</summary>
    public void Dispose()
    {
        lock (_lock) _over = true;
        _timer.Dispose();
    }
}
