using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Nfr.Tests.Uplink;

namespace Nfr.Faults.Servers;

/// <summary>What a kernel does with who knocks.</summary>
enum Door : byte
{
    Open,
    /// <summary>Nobody listens: refused.</summary>
    Shut,
    /// <summary>The queue of who waits is full: SYNs are dropped without a word.</summary>
    Full,
}

/// <summary>A server of messages that end in a zero or a line feed, on loopback, well until it is told to be otherwise. What it has read counts, in whatever mood.</summary>
sealed class BadStream : IAsyncDisposable
{
    readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    readonly CancellationTokenSource _stop = new();
    readonly List<Socket> _waiting = [];
    readonly TestCertificates? _certificates;
    readonly List<int> _came = [];
    Task? _accepting;
    volatile StreamMood? _mood;
    int _tries;
    static long s_swallowed;

    public BadStream(TestCertificates? certificates, StreamMood mood)
    {
        (_certificates, _mood) = (certificates, mood);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        if (mood.Door == Door.Open) Accept();
        if (mood.Door != Door.Full) return;
        _listener.Listen(0);
        // Two at most are let in where none may wait; the third already gets no answer.
        for (int i = 0; i < 3; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _waiting.Add(socket);
            try
            {
                socket.Connect(_listener.LocalEndPoint!);
            }
            catch (SocketException)
            {
                // It goes on by itself.
            }
        }
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;
    /// <summary>Connections that the mood got.</summary>
    public int Tries => Volatile.Read(ref _tries);
    /// <summary>Bytes that endless garbage got rid of, of all tests together.</summary>
    public static long Swallowed => Interlocked.Read(ref s_swallowed);

    /// <summary>A mistake of the server's own, or a message that no alert can have made.</summary>
    public string? Fault { get; private set; }

    /// <summary>From now on all is well.</summary>
    public void Recover()
    {
        StreamMood? mood = _mood;
        _mood = null;
        foreach (Socket socket in _waiting) socket.Dispose();
        if (mood!.Door != Door.Open) Accept();
    }

    /// <summary>Numbers of the alerts whose messages were read whole, in the order in which they came.</summary>
    public int[] Came
    {
        get
        {
            lock (_came) return [.. _came];
        }
    }

    void Accept()
    {
        _listener.Listen(128);
        _accepting = AcceptAsync();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                _ = Task.Run(() => ServeAsync(socket, _stop.Token));
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    async Task ServeAsync(Socket socket, CancellationToken stop)
    {
        StreamMood? mood = _mood;
        if (mood is not null) Interlocked.Increment(ref _tries);
        try
        {
            // What is not read shall not all fit the kernel's buffers.
            if (mood is not null) socket.ReceiveBufferSize = 4096;
            await using var plain = new NetworkStream(socket, ownsSocket: true);
            Stream stream = plain;
            if (_certificates is not null)
            {
                if (mood is { Certificate: null })
                {
                    await mood.Shake!(socket, stop);
                    return;
                }
                var tls = new SslStream(plain);
                stream = tls;
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = mood?.Certificate!(_certificates) ?? _certificates.Good }, stop);
            }
            var connection = new Connection(this, socket, stream, stop);
            if (mood is null)
            {
                await connection.ReadAsync(int.MaxValue);
                return;
            }
            Task served = mood.ServeAsync(connection);
            // Whoever hangs comes to himself when all is well again, and reads on.
            while (!served.IsCompleted && _mood is not null) await Task.WhenAny(served, Task.Delay(20, stop));
            if (served.IsCompleted)
            {
                await served;
                return;
            }
            await connection.ReadAsync(int.MaxValue);
        }
        catch (Exception e) when (e is IOException or AuthenticationException or InvalidOperationException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client had enough, or the test is over.
        }
        catch (Exception e)
        {
            Fault ??= e.Message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (Socket socket in _waiting) socket.Dispose();
        if (_accepting is not null) await _accepting;
        _stop.Dispose();
    }

    public sealed class Connection(BadStream server, Socket socket, Stream stream, CancellationToken stop)
    {
        readonly SemaphoreSlim _reading = new(1, 1);
        readonly List<byte> _message = [];

        public Socket Socket => socket;
        public CancellationToken Stop => stop;

        /// <summary>Reads so many bytes, or to the end; how many it were.</summary>
        public async Task<int> ReadAsync(int most)
        {
            byte[] buffer = new byte[16 << 10];
            int total = 0;
            while (total < most)
            {
                await _reading.WaitAsync(stop);
                try
                {
                    int read = await stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, most - total)), stop);
                    if (read == 0) break;
                    total += read;
                    foreach (byte b in buffer.AsSpan(0, read))
                    {
                        if (b is not (0 or (byte)'\n')) _message.Add(b);
                        else Keep();
                    }
                }
                finally
                {
                    _reading.Release();
                }
            }
            return total;
        }

        void Keep()
        {
            int number = EachMood.Number(Encoding.UTF8.GetString([.. _message]));
            _message.Clear();
            lock (server._came) server._came.Add(number);
        }

        public async Task SendAsync(byte[] bytes)
        {
            await stream.WriteAsync(bytes, stop);
            Interlocked.Add(ref s_swallowed, bytes.Length);
        }

        public Task HangAsync() => Task.Delay(Timeout.Infinite, stop);

        public void Reset() => RawServer.Reset(socket);
    }
}
