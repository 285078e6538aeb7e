using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>One listener of <see cref="SyslogListener"/>: its sockets, its connections, its counts. Its thread's alone, but for what a report reads.</summary>
sealed class SyslogPort(SyslogListenerOptions options, LineOptions lines) : IDisposable
{
    /// <summary>Connections at a time; one more takes the place of the one that was quiet for longest, if that is a minute, else it is closed.</summary>
    public const int MaximumConnections = 64;
    /// <summary>A message that takes longer to come than this costs its sender the connection.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromSeconds(30);
    static readonly TimeSpan s_quiet = TimeSpan.FromMinutes(1);
    /// <summary>So many messages of one socket at most before the others have their turn.</summary>
    const int Turn = 256;
    /// <summary>Asked of the kernel for datagrams that wait; it gives what net.core.rmem_max allows.</summary>
    const int ReceiveBuffer = 4 << 20;
    /// <summary>asm-generic/socket.h and linux/sock_diag.h: nine numbers, the last of which counts what was dropped.</summary>
    const int SOL_SOCKET = 1, SO_MEMINFO = 55, SK_MEMINFO_DROPS = 8, MemInfoLength = 36;

    sealed class Connection(Socket socket, Address sender, long now)
    {
        public Socket Socket { get; } = socket;
        public Address Sender { get; } = sender;
        public SyslogFrames Frames { get; } = new();
        /// <summary>When bytes came last, and since when a message is half there.</summary>
        public long Heard { get; set; } = now;
        public long HalfSince { get; set; } = now;
    }

    readonly SyslogLines _lines = new(options.Format, lines with { Types = options.Types });
    readonly TimeProvider _time = lines.Time;
    readonly List<Connection> _connections = [];
    readonly byte[] _datagram = new byte[SyslogFrames.MaximumLength];
    readonly SocketAddress _from = new(AddressFamily.InterNetworkV6);
    Socket? _udp, _tcp;
    LogCounters? _counters;
    uint _dropped;
    long _heard;
    bool _released = true;
    volatile string? _trouble;
    long _refused, _lastLine;

    public SyslogListenerOptions Options => options;
    public string? Trouble => _trouble;
    /// <summary>Datagrams and connections of those who may not send, and connections beyond <see cref="MaximumConnections"/>.</summary>
    public long Refused => Interlocked.Read(ref _refused);
    public DateTimeOffset? LastLine => Interlocked.Read(ref _lastLine) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
    public int? UdpPort => (_udp?.LocalEndPoint as IPEndPoint)?.Port;
    public int? TcpPort => (_tcp?.LocalEndPoint as IPEndPoint)?.Port;

    public void Open(LogOutlet outlet) => _counters = outlet.Open(options.Name);

    /// <summary>Binds what is not bound yet; what keeps it from that is its trouble.</summary>
    public void Bind()
    {
        try
        {
            if (options.Udp) _udp ??= Bound(SocketType.Dgram, ProtocolType.Udp);
            if (options.Tcp) _tcp ??= Bound(SocketType.Stream, ProtocolType.Tcp);
            _trouble = null;
        }
        catch (SocketException e)
        {
            _trouble = e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"{options.Listen} is in use by another program; stop that, or listen on another port",
                SocketError.AccessDenied => $"{options.Listen} may not be opened; use a port above 1023, or give the sensor CAP_NET_BIND_SERVICE",
                SocketError.AddressNotAvailable => $"this machine has no address {options.Listen.Address}; listen on one that it has, or on 0.0.0.0",
                _ => $"{options.Listen} cannot be listened on: {e.Message}",
            };
        }
    }

    Socket Bound(SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(options.Listen.AddressFamily, type, protocol);
        try
        {
            if (options.Listen.AddressFamily == AddressFamily.InterNetworkV6 && options.Listen.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            if (type == SocketType.Dgram) socket.ReceiveBufferSize = ReceiveBuffer;
            else socket.ExclusiveAddressUse = true;
            socket.Bind(options.Listen);
            // What a look says is there may be gone when it is taken: a connection that was reset, a datagram whose sum is wrong.
            socket.Blocking = false;
            if (type == SocketType.Stream) socket.Listen(MaximumConnections);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Its sockets, to be looked at.</summary>
    public void AddTo(List<Socket> sockets)
    {
        if (_udp is not null) sockets.Add(_udp);
        if (_tcp is not null) sockets.Add(_tcp);
        foreach (Connection connection in _connections) sockets.Add(connection.Socket);
    }

    /// <summary>Reads from one that has something; false when it is none of this port's.</summary>
    public bool TryRead(Socket socket, LogOutlet outlet)
    {
        if (socket == _udp) Datagrams(outlet);
        else if (socket == _tcp) Accept();
        else if (_connections.Find(c => c.Socket == socket) is { } connection) Receive(connection, outlet);
        else return false;
        return true;
    }

    /// <summary>Ten times a second: who is too slow, what the kernel dropped, whether nothing has come for a while.</summary>
    public void Between(LogOutlet outlet)
    {
        long now = _time.GetTimestamp();
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            Connection c = _connections[i];
            if (c.Frames.IsHalf && _time.GetElapsedTime(c.HalfSince, now) > Slow) Close(c, outlet);
        }
        CountDropped();
        if (_released || _time.GetElapsedTime(_heard, now).TotalMilliseconds * 1_000_000 < DnsPairs.Patience) return;
        Release(outlet);
    }

    public void Release(LogOutlet outlet)
    {
        _released = true;
        _lines.Release(outlet);
        outlet.Commit(_counters!, new InputMark(InputMark.None, 0, 0, 0), null, 0);
    }

    void Datagrams(LogOutlet outlet)
    {
        try
        {
            for (int i = 0; i < Turn && (i == 0 || _udp!.Available > 0); i++)
            {
                int length = _udp!.ReceiveFrom(_datagram, SocketFlags.None, _from);
                Address sender = SenderOf(_from);
                if (!MaySend(sender)) continue;
                ReadOnlySpan<byte> rest = _datagram.AsSpan(0, length).TrimEnd("\r\n\0"u8);
                do
                {
                    int end = rest.IndexOf((byte)'\n');
                    Line(sender, end < 0 ? rest : rest[..end].TrimEnd((byte)'\r'), outlet, end < 0 ? rest.Length : end + 1);
                    rest = end < 0 ? default : rest[(end + 1)..];
                } while (!rest.IsEmpty);
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
        }
        catch (SocketException)
        {
            // One datagram; the socket goes on.
            _counters!.Lost++;
        }
    }

    void Accept()
    {
        Socket socket;
        try
        {
            socket = _tcp!.Accept();
        }
        catch (SocketException)
        {
            return;
        }
        Address sender = socket.RemoteEndPoint is IPEndPoint point ? Address.FromIPAddress(point.Address.IsIPv4MappedToIPv6 ? point.Address.MapToIPv4() : point.Address) : default;
        long now = _time.GetTimestamp();
        bool may = MaySend(sender);
        if (may && _connections.Count >= MaximumConnections)
        {
            Connection quietest = _connections.MinBy(c => c.Heard)!;
            if (_time.GetElapsedTime(quietest.Heard, now) > s_quiet) Remove(quietest);
            else
            {
                Refuse();
                may = false;
            }
        }
        if (!may)
        {
            socket.Dispose();
            return;
        }
        socket.Blocking = false;
        _connections.Add(new Connection(socket, sender, now));
    }

    void Receive(Connection c, LogOutlet outlet)
    {
        int length;
        try
        {
            length = c.Socket.Receive(c.Frames.Room(), SocketFlags.None);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return;
        }
        catch (SocketException)
        {
            length = 0;
        }
        if (length == 0)
        {
            Close(c, outlet);
            return;
        }
        c.Heard = _time.GetTimestamp();
        if (!c.Frames.IsHalf) c.HalfSince = c.Heard;
        c.Frames.Filled(length);
        bool ended = false;
        while (c.Frames.Next(out ReadOnlySpan<byte> message, out int bytes) is var result and not SyslogFrames.Result.None)
        {
            ended = true;
            if (result == SyslogFrames.Result.TooLong) Count(LineVerdict.TooLong, outlet, bytes);
            else Line(c.Sender, message, outlet, bytes);
        }
        if (ended) c.HalfSince = c.Heard;
    }

    /// <summary>Its last message may have no end.</summary>
    void Close(Connection c, LogOutlet outlet)
    {
        bool half = c.Frames.IsHalf;
        if (c.Frames.End(out ReadOnlySpan<byte> rest) == SyslogFrames.Result.Message) Line(c.Sender, rest.TrimEnd("\r\n\0"u8), outlet, rest.Length);
        else if (half) Count(LineVerdict.CutOff, outlet, rest.Length);
        Remove(c);
    }

    void Remove(Connection c)
    {
        _connections.Remove(c);
        c.Socket.Dispose();
    }

    void Line(Address sender, ReadOnlySpan<byte> message, LogOutlet outlet, int bytes)
    {
        _heard = _time.GetTimestamp();
        _released = false;
        Interlocked.Exchange(ref _lastLine, _time.GetUtcNow().UtcTicks);
        Count(_lines.Read(sender, message, outlet), outlet, bytes);
    }

    void Count(LineVerdict verdict, LogOutlet outlet, int bytes) => outlet.Commit(_counters!, new InputMark(InputMark.None, 0, 0, 0), verdict, bytes);

    bool MaySend(Address sender)
    {
        foreach (IpPrefix prefix in options.From)
        {
            if (prefix.Contains(sender)) return true;
        }
        Refuse();
        return false;
    }

    void Refuse()
    {
        Interlocked.Increment(ref _refused);
        _counters!.Refused++;
    }

    /// <summary>A datagram that found no room in the socket's buffer is gone, and counted.</summary>
    void CountDropped()
    {
        if (_udp is null || !OperatingSystem.IsLinux()) return;
        Span<byte> numbers = stackalloc byte[MemInfoLength];
        try
        {
            if (_udp.GetRawSocketOption(SOL_SOCKET, SO_MEMINFO, numbers) < MemInfoLength) return;
        }
        catch (SocketException)
        {
            return;
        }
        uint dropped = BitConverter.ToUInt32(numbers[(SK_MEMINFO_DROPS * sizeof(uint))..]);
        // It may pass 32 bits.
        _counters!.Lost += unchecked(dropped - _dropped);
        _dropped = dropped;
    }

    /// <summary>Of struct sockaddr_in or sockaddr_in6; an IPv4 address in an IPv6 one is that.</summary>
    static Address SenderOf(SocketAddress from)
    {
        ReadOnlySpan<byte> bytes = from.Buffer.Span;
        return from.Family == AddressFamily.InterNetwork ? Address.FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..])) : Address.ReadV6(bytes[8..]);
    }

    public void Dispose()
    {
        foreach (Connection connection in _connections) connection.Socket.Dispose();
        _connections.Clear();
        _udp?.Dispose();
        _tcp?.Dispose();
    }
}
