using System.Net.Security;
using System.Net.Sockets;
using Nfr.Native;

namespace Nfr.Uplink;

enum StreamEnd : byte
{
    Open,
    /// <summary>The server closed in order (a FIN, and no reset behind it): its program had read all that its kernel had acknowledged.</summary>
    Closed,
    /// <summary>The connection broke; what the server's kernel acknowledged last may never have been read.</summary>
    Reset,
}

/// <summary>
/// A TCP or TLS connection on which only we speak. What the server says is dropped; a read that always waits learns at once when the connection ends, and how (within a second where
/// the server talks more than 64 KiB). Time-outs: 10 s to
/// connect, as long for the handshake, 30 s for a write, and 30 s in which nothing more is acknowledged.
/// </summary>
sealed class OneWayStream : IDisposable
{
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);
    /// <summary>How long what was written may still be acknowledged after the server closed its side.</summary>
    static readonly TimeSpan s_afterClose = TimeSpan.FromSeconds(2);
    const byte Established = 1, Gone = 7;
    /// <summary>How long after a FIN a reset is waited for, which takes back what the FIN seemed to say. Some servers shut down first and close later.</summary>
    static readonly TimeSpan s_linger = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_longestLook = TimeSpan.FromMilliseconds(50);
    /// <summary>A server that talks without end is listened to so slowly that it costs nothing: so many bytes, then a rest.</summary>
    const int HeardAtOnce = 64 << 10;
    static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1);

    readonly LinkOptions _link;
    readonly Socket _socket;
    readonly CountingStream _wire;
    readonly Stream _stream;
    readonly ClientTls? _tls;
    readonly TimeProvider _time;
    readonly Task _reading;
    /// <summary>A write failed: it may have taken the reset's error away from the read that waits.</summary>
    volatile bool _torn;
    bool _lingered;
    volatile string? _said;
    long _ended;

    OneWayStream(LinkOptions link, Socket socket, CountingStream wire, Stream stream, ClientTls? tls, TimeProvider time)
    {
        (_link, _socket, _wire, _stream, _tls, _time) = (link, socket, wire, stream, tls, time);
        _reading = ReadAsync();
    }

    /// <summary>Bytes that went into the socket so far, those of TLS among them.</summary>
    public long Written => _wire.Written;

    /// <summary>Of these, what the server's kernel has acknowledged.</summary>
    public long Acknowledged
    {
        get
        {
            // In this order: what is written between the two would count as acknowledged.
            long written = _wire.Written;
            return written - (TcpSendQueue.Unacknowledged(_socket.SafeHandle) ?? 0);
        }
    }

    /// <summary>Time stamp of the end, when there is one.</summary>
    public long EndedAt => Volatile.Read(ref _ended);

    /// <summary>Why it ended, in a few words.</summary>
    public string EndText => _said ?? "the server closed the connection: look into its log";

    /// <summary>Only the caller's own cancellation throws.</summary>
    public static async Task<(OneWayStream? Stream, string? Fault)> OpenAsync(LinkOptions link, ClientTls? tls, TimeProvider time, CancellationToken cancel)
    {
        Socket? socket = null;
        bool isOpen = false;
        try
        {
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using (CancellationTokenSource late = new(ConnectTimeout, time))
            using (CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel))
            {
                await socket.ConnectAsync(link.Host, link.Port, either.Token);
            }
            isOpen = true;
            // A server that is gone without a word is found within two minutes, also while there are no alerts.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
            CountingStream wire = new(new NetworkStream(socket, ownsSocket: true));
            if (tls is null) return (new OneWayStream(link, socket, wire, wire, null, time), null);
            using CancellationTokenSource slow = new(ConnectTimeout, time);
            using CancellationTokenSource shake = CancellationTokenSource.CreateLinkedTokenSource(slow.Token, cancel);
            (SslStream? stream, TlsFault? fault) = await tls.OpenAsync(wire, link.Host, shake.Token);
            return stream is null ? (null, fault!.Sentence) : (new OneWayStream(link, socket, wire, stream, tls, time), null);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            socket?.Dispose();
            return (null, isOpen
                ? $"no end of the TLS handshake within {ConnectTimeout.TotalSeconds:0} s: check that TLS is spoken on that port"
                : $"no connection within {ConnectTimeout.TotalSeconds:0} s: check host and port, and firewalls between");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            socket?.Dispose();
            return (null, LinkFault.Describe(e, link));
        }
        catch (OperationCanceledException)
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <summary>Null when the bytes are in the kernel's hands.</summary>
    public async Task<string?> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        using CancellationTokenSource late = new(SendTimeout, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        try
        {
            await _stream.WriteAsync(bytes, either.Token);
            await _stream.FlushAsync(either.Token);
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"the server has read nothing for {SendTimeout.TotalSeconds:0} s: see whether it hangs";
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            _torn = true;
            // What the server said of it (a TLS alert) tells more than that the pipe is broken.
            await Task.WhenAny(_reading, Task.Delay(s_longestLook, _time, cancel));
            return _said ?? LinkFault.Describe(e, _link);
        }
    }

    /// <summary>How the connection stands now, by what the kernel says: the read that waits may be told of it late on a busy machine.</summary>
    public async ValueTask<StreamEnd> LookAsync()
    {
        byte state = State();
        if (state == Established && !_reading.IsCompleted) return StreamEnd.Open;
        // For its words.
        if (!_reading.IsCompleted) await Task.WhenAny(_reading, Task.Delay(s_longestLook, _time, CancellationToken.None));
        // A kernel that has to throw away what was not read says so behind the FIN, when the program gets to close what it has shut down.
        for (long since = _time.GetTimestamp(); !_lingered && State() != Gone && _time.GetElapsedTime(since) < s_linger;) await Task.Delay(s_longestLook, _time, CancellationToken.None);
        _lingered = true;
        return _torn || _said is not null || State() == Gone ? StreamEnd.Reset : StreamEnd.Closed;
    }

    /// <summary>Waits until everything written is acknowledged; else says why not, after <see cref="SendTimeout"/> without progress or at the connection's end.</summary>
    public async Task<(StreamEnd End, string? Fault)> SettledAsync(CancellationToken cancel)
    {
        TimeSpan look = TimeSpan.FromMilliseconds(1);
        long since = _time.GetTimestamp();
        int least = int.MaxValue;
        while (true)
        {
            int queued = TcpSendQueue.Unacknowledged(_socket.SafeHandle) ?? 0;
            StreamEnd end = await LookAsync();
            if (end == StreamEnd.Reset) return (end, EndText);
            if (queued == 0) return (end, end == StreamEnd.Open ? null : EndText);
            if (queued < least) (least, since) = (queued, _time.GetTimestamp());
            TimeSpan waited = _time.GetElapsedTime(since);
            if (end == StreamEnd.Closed && waited > s_afterClose) return (end, EndText);
            if (waited > SendTimeout) return (StreamEnd.Reset, $"the server has acknowledged nothing for {SendTimeout.TotalSeconds:0} s: see whether it hangs");
            await Task.Delay(look, _time, cancel);
            look = look * 2 < s_longestLook ? look * 2 : s_longestLook;
        }
    }

    public void Dispose()
    {
        try
        {
            // A word of farewell where it takes no waiting.
            if (_stream is SslStream tls && !_reading.IsCompleted) _ = tls.ShutdownAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException)
        {
            // It is gone already.
        }
        _stream.Dispose();
        _wire.Dispose();
        _socket.Dispose();
    }

    /// <summary>tcp(7), TCP_INFO: its first byte. A connection that was reset or has timed out is <see cref="Gone"/>, one whose other side sent its FIN is neither.</summary>
    byte State()
    {
        const int IPPROTO_TCP = 6, TCP_INFO = 11;
        Span<byte> info = stackalloc byte[8];
        try
        {
            return _socket.GetRawSocketOption(IPPROTO_TCP, TCP_INFO, info) > 0 ? info[0] : Gone;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Gone;
        }
    }

    async Task ReadAsync()
    {
        byte[] dropped = new byte[4096];
        int heard = 0;
        try
        {
            while (await _stream.ReadAsync(dropped) is > 0 and int read)
            {
                // What it says is not our business.
                if ((heard += read) < HeardAtOnce) continue;
                heard = 0;
                await Task.Delay(s_rest, _time, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            _said = _tls is null || e.GetBaseException() is SocketException ? LinkFault.Describe(e, _link) : ClientTls.Describe(e, _link.Host);
        }
        Volatile.Write(ref _ended, _time.GetTimestamp());
    }

    /// <summary>Counts what goes into a stream.</summary>
    sealed class CountingStream(Stream inner) : Stream
    {
        long _written;

        public long Written => Interlocked.Read(ref _written);
        public override bool CanRead => true;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);
        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await inner.WriteAsync(buffer, cancellationToken);
            Interlocked.Add(ref _written, buffer.Length);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count)
        {
            inner.Write(buffer, offset, count);
            Interlocked.Add(ref _written, count);
        }

        public override void Flush() => inner.Flush();
        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
