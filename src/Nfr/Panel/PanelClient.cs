using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Nfr.Panel;

/// <summary>
/// The panel's end of the sensor's socket. Never waits: <see cref="Poll"/> connects when it is time, takes all messages that have come and keeps the newest.
/// </summary>
/// <param name="path">Of the socket.</param>
/// <param name="say">A sentence for the log.</param>
/// <param name="time">Intervals.</param>
sealed class PanelClient(string path, Action<string> say, TimeProvider time) : IDisposable
{
    /// <summary>A sensor tells once a second; one that has not for so long is taken for gone, whatever its socket does.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    static readonly TimeSpan s_again = TimeSpan.FromSeconds(1);

    readonly byte[] _buffer = new byte[PanelMessage.Length + 1];
    Socket? _socket;
    PanelState _last = PanelState.Nothing;
    long _lastAt;
    long _tried;
    bool _hasTried;
    bool _hasSensor;
    PanelFault _said;

    /// <summary>To wait on; null while there is no connection.</summary>
    public SafeHandle? Handle => _socket?.SafeHandle;

    /// <summary>What the sensor said last; <see cref="PanelState.HasSensor"/> says whether that is still so.</summary>
    /// <param name="shows">Somebody could see it. Who has neither light nor display is no panel to a sensor, which would count on somebody who looks.</param>
    public PanelState Poll(bool shows = true)
    {
        if (!shows)
        {
            Close();
            (_last, _hasSensor) = (PanelState.Nothing, false);
            return _last;
        }
        if (_socket is null) Connect();
        if (_socket is not null) Receive();
        bool has = _last.HasSensor && time.GetElapsedTime(_lastAt) < Silence;
        if (has != _hasSensor) say(has ? $"the sensor {_last.Name} answers at {path}" : "the sensor does not answer any more");
        _hasSensor = has;
        return has ? _last : _last with { HasSensor = false };
    }

    void Connect()
    {
        if (_hasTried && time.GetElapsedTime(_tried) < s_again) return;
        (_hasTried, _tried) = (true, time.GetTimestamp());
        if (!Path.Exists(path)) return;
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            _socket = socket;
        }
        catch (Exception fault) when (fault is SocketException or ArgumentException)
        {
            // Nobody behind it, or it does not let us in now: the next try is a second away.
            socket?.Dispose();
        }
    }

    void Receive()
    {
        while (_socket is { } socket)
        {
            int length = socket.Receive(_buffer, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock) return;
            if (error != SocketError.Success || length == 0)
            {
                Close();
                return;
            }
            PanelFault fault = PanelMessage.TryRead(_buffer.AsSpan(0, length), out PanelState state);
            if (fault == PanelFault.None) (_last, _lastAt) = (state, time.GetTimestamp());
            if (fault != _said && fault != PanelFault.None) say(fault == PanelFault.OtherVersion ? "sensor and panel are of different versions: restart the older one" : $"the sensor's message cannot be read ({fault})");
            _said = fault;
        }
    }

    /// <summary>False when it did not go: there is no sensor, or it does not listen.</summary>
    public bool Send(PanelRequest request)
    {
        if (_socket is not { } socket) return false;
        Span<byte> message = stackalloc byte[PanelRequest.Length];
        request.Write(message);
        return socket.Send(message, SocketFlags.None, out SocketError error) == message.Length && error == SocketError.Success;
    }

    void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    public void Dispose() => Close();
}
