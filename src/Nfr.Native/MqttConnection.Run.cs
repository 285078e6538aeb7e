using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Nfr.Native;

public sealed unsafe partial class MqttConnection
{
    const int SolTcp = 6, TcpInfo = 11;
    /// <summary>tcpi_bytes_received in struct tcp_info (linux/tcp.h), 8 bytes; there since Linux 4.1.</summary>
    const int BytesReceivedOffset = 128, TcpInfoLength = 136;
    /// <summary>Around a message: headers, TLS records, other packets between two that are told.</summary>
    const int Slack = 64 << 10;

    /// <summary>
    /// Waits until one of the connections has something to do, the wake is set or the time is over; then lets each do it, and tells their listeners. To be called again and
    /// again, at least every few seconds: it is what keeps them alive.
    /// </summary>
    /// <param name="connections">Those that have ended are passed by.</param>
    /// <param name="wake">Ends the wait early; null = nobody does.</param>
    /// <param name="milliseconds">At most so long; above 0.</param>
    public static void Run(ReadOnlySpan<MqttConnection> connections, MqttWake? wake, int milliseconds)
    {
        int most = connections.Length + 1;
        pollfd[]? rented = most > 16 ? new pollfd[most] : null;
        Span<pollfd> files = rented ?? stackalloc pollfd[16];
        for (int i = 0; i < connections.Length; i++)
        {
            MqttConnection c = connections[i];
            int socket = c.HasEnded ? -1 : MosquittoNative.mosquitto_socket(c._handle);
            // A negative descriptor is passed by (poll(2)).
            files[i] = new pollfd { fd = socket, events = (short)(Libc.POLLIN | (socket >= 0 && MosquittoNative.mosquitto_want_write(c._handle) != 0 ? PollOut : 0)) };
        }
        bool wakes = false;
        try
        {
            wake?.Handle.DangerousAddRef(ref wakes);
            files[connections.Length] = new pollfd { fd = wakes ? (int)wake!.Handle.DangerousGetHandle() : -1, events = Libc.POLLIN };
            // SAFETY: `most` entries are in the span; an interrupted wait is a short one.
            fixed (pollfd* first = files)
            {
                if (Libc.poll(first, (nuint)most, milliseconds) < 0) files.Slice(0, most).Clear();
            }
            if (files[connections.Length].revents != 0) wake?.Clear();
        }
        finally
        {
            if (wakes) wake!.Handle.DangerousRelease();
        }
        for (int i = 0; i < connections.Length; i++) connections[i].Step(files[i].revents);
    }

    /// <summary>The same for one.</summary>
    public void Run(MqttWake? wake, int milliseconds) => Run([this], wake, milliseconds);

    const int PollOut = 4;

    void Step(short ready)
    {
        if (HasEnded) return;
        if (_open && MosquittoNative.mosquitto_socket(_handle) < 0)
        {
            // Closed by the library in a call of ours, such as the end of DISCONNECT.
            Close(_asked ? MqttEndKind.Asked : MqttEndKind.Lost, MosquittoNative.Success);
            return;
        }
        if ((ready & ~PollOut) != 0)
        {
            Meter();
            if (!HasEnded) Judge(MosquittoNative.mosquitto_loop_read(_handle, PacketsAtOnce));
            Throw();
        }
        if (!HasEnded && MosquittoNative.mosquitto_want_write(_handle) != 0) Judge(MosquittoNative.mosquitto_loop_write(_handle, PacketsAtOnce));
        if (!HasEnded) Judge(MosquittoNative.mosquitto_loop_misc(_handle));
        Throw();
        if (!HasEnded && _goodbye == 0) Close(_asked ? MqttEndKind.Asked : MqttEndKind.Lost, MosquittoNative.Success);
    }

    /// <summary>MQTT 3.1.1 cannot forbid a long message, and the library takes 256 MiB for one: what has come since the last packet that was told of is held against the limit.</summary>
    void Meter()
    {
        byte* info = stackalloc byte[TcpInfoLength];
        int length = TcpInfoLength;
        // SAFETY: the kernel writes at most `length` bytes and says how many.
        if (MosquittoNative.getsockopt(MosquittoNative.mosquitto_socket(_handle), SolTcp, TcpInfo, info, &length) != 0 || length < TcpInfoLength) return;
        // SAFETY: eight bytes within those that were written.
        _received = Unsafe.ReadUnaligned<long>(info + BytesReceivedOffset);
        if (_received - _receivedAtEvent > _options.MaxInbound + Slack + ReceiveRoom) Close(MqttEndKind.TooLarge, 0, $"a message of more than {_options.MaxInbound:N0} bytes");
    }

    /// <summary>What the kernel may have taken in since the last look, before anything of it was read: many small packets are no long one.</summary>
    const int ReceiveRoom = 6 << 20;

    void Throw()
    {
        if (_mistake is not { } mistake) return;
        _mistake = null;
        Close(MqttEndKind.Lost, 0, "a mistake in nfr itself");
        ExceptionDispatchInfo.Throw(mistake);
    }

    static MqttConnection? Of(nint user) => GCHandle.FromIntPtr(user).Target as MqttConnection;

    /// <summary>No exception may leave a callback: it would end the process.</summary>
    void Guard(Exception mistake) => _mistake ??= mistake;

    [UnmanagedCallersOnly]
    static void OnConnect(nint mosq, nint user, int reason, int flags, nint properties)
    {
        if (Of(user) is not { } c) return;
        c._connack = reason;
        c._receivedAtEvent = c._received;
        try
        {
            if (reason == 0) c._listener.Connected((flags & 1) != 0);
        }
        catch (Exception mistake)
        {
            c.Guard(mistake);
        }
    }

    [UnmanagedCallersOnly]
    static void OnDisconnect(nint mosq, nint user, int reason, nint properties)
    {
        // From 128 on it is the broker's own DISCONNECT (MQTT 5); below are the library's codes, which the running call returns too. 0 = we asked for it.
        if (Of(user) is { } c && (reason == 0 || reason >= 128)) c._goodbye = reason;
    }

    [UnmanagedCallersOnly]
    static void OnPublish(nint mosq, nint user, int id, int reason, nint properties)
    {
        if (Of(user) is not { } c) return;
        c._receivedAtEvent = c._received;
        try
        {
            c._unacknowledged.Remove(id);
            c._listener.Published(id, reason);
        }
        catch (Exception mistake)
        {
            c.Guard(mistake);
        }
    }

    [UnmanagedCallersOnly]
    static void OnSubscribe(nint mosq, nint user, int id, int count, int* granted, nint properties)
    {
        if (Of(user) is not { } c) return;
        c._receivedAtEvent = c._received;
        try
        {
            // SAFETY: the library gives `count` of them.
            c._listener.Subscribed(id, count > 0 ? granted[0] : 128);
        }
        catch (Exception mistake)
        {
            c.Guard(mistake);
        }
    }

    [UnmanagedCallersOnly]
    static void OnMessage(nint mosq, nint user, mosquitto_message* message, nint properties)
    {
        if (Of(user) is not { } c) return;
        c._receivedAtEvent = c._received;
        try
        {
            // SAFETY: the library's message has payloadlen bytes and a topic that ends in a zero; both live until we return.
            var payload = new ReadOnlySpan<byte>(message->payload, message->payload == null ? 0 : message->payloadlen);
            if (payload.Length <= c._options.MaxInbound)
                c._listener.Received(new MqttMessage { Topic = Marshal.PtrToStringUTF8((nint)message->topic) ?? "", Payload = payload, IsRetained = message->retain != 0 });
            else c.Close(MqttEndKind.TooLarge, 0, $"a message of {payload.Length:N0} bytes");
        }
        catch (Exception mistake)
        {
            c.Guard(mistake);
        }
    }

    [UnmanagedCallersOnly]
    static void OnLog(nint mosq, nint user, int level, byte* text)
    {
        if (level < MosquittoNative.LogWarning || level > MosquittoNative.LogError || Of(user) is not { } c) return;
        string said = Marshal.PtrToStringUTF8((nint)text) ?? "";
        if (c._said.Length + said.Length < MostSaid) c._said += c._said.Length == 0 ? said : "; " + said;
    }
}
