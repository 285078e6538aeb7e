using System.Net.Sockets;
using Nfr.Config;
using Serilog;

namespace Nfr.Panel;

/// <summary>
/// The sensor's end: listens on a local socket and tells every panel how things are, once a second. One timer on the thread pool does it all and never waits: nothing is
/// made while no panel is there, a panel that does not read is let go, and the sensor's work knows nothing of it.
/// </summary>
sealed class PanelSocket : IDisposable
{
    /// <summary>A panel, and somebody who looks at what it gets. Further ones are closed at once.</summary>
    public const int MostPanels = 4;

    /// <summary>Messages in a row that a panel had no room for; then it is let go.</summary>
    const int MostMissed = 30;
    /// <summary>Requests of one panel in one turn; a button makes one a second.</summary>
    const int MostRequests = 8;
    /// <summary>What fits sockaddr_un, its zero byte included.</summary>
    const int LongestPath = 108;

    static readonly TimeSpan s_turn = TimeSpan.FromSeconds(1);

    readonly string _path;
    readonly Socket _listener;
    readonly Func<PanelState> _make;
    readonly Action<PanelRequest> _take;
    readonly ILogger _log;
    readonly List<Peer> _peers = [];
    readonly byte[] _message = new byte[PanelMessage.Length];
    readonly byte[] _request = new byte[PanelRequest.Length + 1];
    readonly object _turning = new();
    readonly ITimer _timer;
    bool _isClosed;
    bool _saidMistake;
    long _refused;
    int _panels;

    sealed class Peer(Socket socket)
    {
        public Socket Socket { get; } = socket;
        public int Missed;
    }

    PanelSocket(string path, Socket listener, Func<PanelState> make, Action<PanelRequest> take, ILogger log, TimeProvider time)
    {
        (_path, _listener, _make, _take, _log) = (path, listener, make, take, log);
        _timer = time.CreateTimer(_ => Turn(), null, s_turn, s_turn);
    }

    /// <summary>Panels that listen, as of the last turn.</summary>
    public int Panels => Volatile.Read(ref _panels);

    /// <summary>Connections closed since all places were taken.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Null where there is to be none: switched off, no folder for it (a machine that is no appliance), or it cannot be made, which is said where somebody asked for it.</summary>
    /// <param name="config">panel: the section.</param>
    /// <param name="make">What is told; called on the thread pool, only while a panel is there.</param>
    /// <param name="take">A request came.</param>
    /// <param name="log">For what stands in the way.</param>
    /// <param name="time">Turns.</param>
    public static PanelSocket? Open(PanelConfig config, Func<PanelState> make, Action<PanelRequest> take, ILogger log, TimeProvider time)
    {
        if (!config.Enabled) return null;
        string folder = Path.GetDirectoryName(config.Socket)!;
        if (!Directory.Exists(folder))
        {
            if (!config.IsDefaultSocket) log.Warning("panel: there is no folder {Folder} for its socket; no panel can ask this sensor", folder);
            return null;
        }
        if (TryListen(config.Socket, out string? why) is { } listener) return new PanelSocket(config.Socket, listener, make, take, log, time);
        // Without the right to /run/nfr this machine is no appliance of ours: nobody misses a panel.
        if (!config.IsDefaultSocket || why is not null) log.Warning("panel: no socket can be made ({Trouble}); set panel.socket, or panel.enabled: false", why ?? $"{config.Socket}: permission denied");
        return null;
    }

    static Socket? TryListen(string path, out string? why)
    {
        why = null;
        if (System.Text.Encoding.UTF8.GetByteCount(path) >= LongestPath)
        {
            why = $"{path} is longer than a socket's name may be";
            return null;
        }
        Socket? listener = null;
        try
        {
            if (Path.Exists(path))
            {
                if (Answers(path))
                {
                    why = $"another sensor answers at {path}";
                    return null;
                }
                // Left behind by a sensor that was killed.
                File.Delete(path);
            }
            listener = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { Blocking = false };
            listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
            listener.Listen(MostPanels);
            return listener;
        }
        catch (Exception fault) when (fault is SocketException or IOException or UnauthorizedAccessException)
        {
            listener?.Dispose();
            if (fault is not (UnauthorizedAccessException or SocketException { SocketErrorCode: SocketError.AccessDenied })) why = $"{path}: {Reason.Of(fault)}";
            return null;
        }
    }

    static bool Answers(string path)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException fault)
        {
            // Somebody is there who has no place left.
            return fault.SocketErrorCode == SocketError.WouldBlock;
        }
    }

    void Turn()
    {
        // The one before is still at it: this second is left out.
        if (!Monitor.TryEnter(_turning)) return;
        try
        {
            if (_isClosed) return;
            Accept();
            _peers.RemoveAll(peer => !Hear(peer));
            Volatile.Write(ref _panels, _peers.Count);
            if (_peers.Count == 0) return;
            PanelMessage.Write(_make(), _message);
            _peers.RemoveAll(peer => !Tell(peer));
            _saidMistake = false;
        }
        catch (Exception mistake)
        {
            if (!_saidMistake) _log.Error(mistake, "panel: a mistake in nfr itself; the sensor goes on");
            _saidMistake = true;
        }
        finally
        {
            Monitor.Exit(_turning);
        }
    }

    void Accept()
    {
        // As many as can have come: the rest of the queue is the next turn's.
        for (int i = 0; i <= MostPanels; i++)
        {
            Socket peer;
            try
            {
                if (!_listener.Poll(0, SelectMode.SelectRead)) return;
                peer = _listener.Accept();
            }
            catch (SocketException)
            {
                // It has left again, or there are no descriptors: the next turn.
                return;
            }
            if (_peers.Count >= MostPanels)
            {
                Interlocked.Increment(ref _refused);
                peer.Dispose();
                continue;
            }
            peer.Blocking = false;
            _peers.Add(new Peer(peer));
        }
    }

    /// <summary>False when it has gone.</summary>
    bool Hear(Peer peer)
    {
        for (int i = 0; i < MostRequests; i++)
        {
            int length = peer.Socket.Receive(_request, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock) return true;
            bool isRequest = PanelRequest.TryRead(_request.AsSpan(0, Math.Max(0, length)), out PanelRequest request) == PanelFault.None;
            // The end, a fault, or somebody who does not speak as a panel does.
            if (error != SocketError.Success || !isRequest)
            {
                peer.Socket.Dispose();
                return false;
            }
            _take(request);
        }
        return true;
    }

    /// <summary>False when it was let go.</summary>
    bool Tell(Peer peer)
    {
        // A packet goes whole or not at all.
        peer.Socket.Send(_message, SocketFlags.None, out SocketError error);
        peer.Missed = error == SocketError.WouldBlock ? peer.Missed + 1 : 0;
        if (error == SocketError.Success || (error == SocketError.WouldBlock && peer.Missed < MostMissed)) return true;
        peer.Socket.Dispose();
        return false;
    }

    public void Dispose()
    {
        _timer.Dispose();
        // A turn that is under way is short; what comes after it finds that we are closed.
        bool mine = Monitor.TryEnter(_turning, TimeSpan.FromSeconds(2));
        try
        {
            _isClosed = true;
            _listener.Dispose();
            if (mine) foreach (Peer peer in _peers) peer.Socket.Dispose();
        }
        finally
        {
            if (mine) Monitor.Exit(_turning);
        }
        try
        {
            File.Delete(_path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The next start finds that nobody answers there.
        }
    }
}
