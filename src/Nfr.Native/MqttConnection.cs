using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>
/// One connection to an MQTT broker by libmosquitto, from CONNECT to its end; the next try is a new one, so that the library never holds what it could not send: its queue
/// has no bound. The library starts no thread: whoever calls <see cref="Run(ReadOnlySpan{MqttConnection}, MqttWake?, int)"/> drives it, one thread at a time.
/// </summary>
public sealed unsafe partial class MqttConnection : IDisposable
{
    /// <summary>Packets that are read before others have their turn.</summary>
    const int PacketsAtOnce = 32;
    /// <summary>Of what the library says, for <see cref="MqttEnd.Said"/>.</summary>
    const int MostSaid = 500;

    readonly MqttOptions _options;
    readonly MqttListener _listener;
    readonly MosquittoHandle _handle;
    MqttEnd _end;
    string _said = "";
    int _connack = -1;
    int _goodbye = -1;
    readonly HashSet<int> _unacknowledged = [];
    bool _asked;
    long _received;
    long _receivedAtEvent;
    bool _open;
    Exception? _mistake;

    MqttConnection(MqttOptions options, MqttListener listener)
    {
        (_options, _listener) = (options, listener);
        _handle = new MosquittoHandle(options.ClientId, options.CleanSession, this);
    }

    public MqttOptions Options => _options;

    /// <summary>CONNACK has come, and no end yet.</summary>
    public bool IsConnected => _connack == 0 && !HasEnded;

    public bool HasEnded => _end.Kind != MqttEndKind.None;

    public MqttEnd End => _end;

    /// <summary>Messages of QoS 1 without their PUBACK.</summary>
    public int InFlight => _unacknowledged.Count;

    /// <summary>Bytes wait for the socket to take them: the other side does not read.</summary>
    public bool IsClogged => !HasEnded && _open && MosquittoNative.mosquitto_want_write(_handle) != 0;

    /// <summary>
    /// Makes the TCP connection and sends CONNECT, or begins TLS. Waits for TCP within the limits of the options; for the resolver as long as that takes, so ask it before.
    /// </summary>
    /// <param name="options">Checked by the library: what it refuses is the connection's end.</param>
    /// <param name="listener">Told on the thread that runs the connection.</param>
    /// <param name="cancel">Ends the wait for TCP.</param>
    /// <returns>A connection that may have ended already: see <see cref="End"/>.</returns>
    public static MqttConnection Open(MqttOptions options, MqttListener listener, CancellationToken cancel = default)
    {
        if (MosquittoNative.Unusable is { } unusable) return new MqttConnection(unusable, options, listener);
        var connection = new MqttConnection(options, listener);
        if (connection._handle.IsInvalid) connection.Close(MqttEndKind.Unusable, MosquittoNative.NoMemory);
        else connection.Connect(cancel);
        return connection;
    }

    MqttConnection(string unusable, MqttOptions options, MqttListener listener)
    {
        (_options, _listener) = (options, listener);
        _handle = null!;
        _end = new MqttEnd(MqttEndKind.Unusable, 0, unusable);
    }

    void Connect(CancellationToken cancel)
    {
        int code = Configure();
        if (code != MosquittoNative.Success)
        {
            Close(MqttEndKind.Unusable, code);
            return;
        }
        nint properties = 0;
        if (_options.Version == MqttVersion.V5)
        {
            // SAFETY: the list's head is a local; the library copies what it needs and we free the list.
            _ = MosquittoNative.mosquitto_property_add_int32(&properties, MosquittoNative.PropertySessionExpiry, (uint)Math.Clamp(_options.SessionExpiry.TotalSeconds, 0, uint.MaxValue - 1));
            _ = MosquittoNative.mosquitto_property_add_int32(&properties, MosquittoNative.PropertyMaximumPacketSize, (uint)_options.MaxInbound);
        }
        int errno, cut;
        using (var watch = new MqttConnectWatch(_handle, _options.ConnectLimit, _options.ConnectLimitInAll, cancel))
        {
            code = MosquittoNative.mosquitto_connect_bind_v5(_handle, _options.Host, _options.Port, (int)Math.Max(5, _options.Keepalive.TotalSeconds), null, properties);
            errno = Marshal.GetLastPInvokeError();
            watch.Dispose();
            cut = watch.Cut;
        }
        MosquittoNative.mosquitto_property_free_all(&properties);
        if (code == MosquittoNative.Success) _open = true;
        else if (code == MosquittoNative.Errno && cut > 0) Close(MqttEndKind.Unreachable, code, $"no answer within {_options.ConnectLimit.TotalSeconds:0.#} s");
        else if (code is MosquittoNative.Errno or MosquittoNative.Resolve) Close(MqttEndKind.Unreachable, code, code == MosquittoNative.Errno ? Marshal.GetPInvokeErrorMessage(errno) : null);
        else if (code == MosquittoNative.Tls) Close(MqttEndKind.Tls, code);
        else Close(code == MosquittoNative.Lost ? MqttEndKind.Lost : MqttEndKind.Unusable, code);
    }

    int Configure()
    {
        MosquittoNative.mosquitto_connect_v5_callback_set(_handle, &OnConnect);
        MosquittoNative.mosquitto_disconnect_v5_callback_set(_handle, &OnDisconnect);
        MosquittoNative.mosquitto_publish_v5_callback_set(_handle, &OnPublish);
        MosquittoNative.mosquitto_message_v5_callback_set(_handle, &OnMessage);
        MosquittoNative.mosquitto_subscribe_v5_callback_set(_handle, &OnSubscribe);
        MosquittoNative.mosquitto_log_callback_set(_handle, &OnLog);
        int code = MosquittoNative.mosquitto_int_option(_handle, MosquittoNative.OptionProtocolVersion, (int)_options.Version);
        if (code == 0) code = MosquittoNative.mosquitto_int_option(_handle, MosquittoNative.OptionSendMaximum, _options.MaxInFlight);
        if (code == 0) code = MosquittoNative.mosquitto_int_option(_handle, MosquittoNative.OptionNoDelay, 1);
        if (code == 0 && _options.User is { } user) code = MosquittoNative.mosquitto_username_pw_set(_handle, user, _options.Password);
        if (code == 0 && _options.Will is { } will)
        {
            // SAFETY: the length is the pinned span's; the library copies it.
            fixed (byte* payload = will.Payload.Span) code = MosquittoNative.mosquitto_will_set(_handle, will.Topic, will.Payload.Length, payload, 1, 1);
        }
        if (code == 0 && _options.Tls is { } tls)
        {
            code = MosquittoNative.mosquitto_tls_set(_handle, tls.Roots, tls.Roots is null ? "/etc/ssl/certs" : null, tls.Certificate, tls.Key ?? tls.Certificate, 0);
            if (code == 0) code = MosquittoNative.mosquitto_tls_opts_set(_handle, MosquittoNative.SslVerifyPeer, null, null);
        }
        return code;
    }

    /// <summary>What MQTT 5 says of a reason code (2.4).</summary>
    public static string ReasonWords(int reason) => MosquittoNative.Unusable is null ? MosquittoNative.Reason(reason).TrimEnd('.') : "";

    /// <summary>Gives a message to the broker. Only while connected, and no more of QoS 1 than <see cref="MqttOptions.MaxInFlight"/>.</summary>
    /// <param name="topic">Where.</param>
    /// <param name="payload">What; copied.</param>
    /// <param name="qos">0 or 1.</param>
    /// <param name="retain">The broker keeps it for those who come later; empty removes what it keeps.</param>
    /// <param name="id">For <see cref="MqttListener.Published"/>; 0 when it was not given.</param>
    public MqttPublish Publish(string topic, ReadOnlySpan<byte> payload, int qos, bool retain, out int id)
    {
        id = 0;
        if (!IsConnected) return MqttPublish.NotConnected;
        if (qos > 0 && InFlight >= _options.MaxInFlight) return MqttPublish.Busy;
        int mid = 0, code;
        // SAFETY: the length is the pinned span's; the library copies it.
        fixed (byte* bytes = payload) code = MosquittoNative.mosquitto_publish_v5(_handle, &mid, topic, payload.Length, bytes, qos, retain ? (byte)1 : (byte)0, 0);
        id = mid;
        if (code == MosquittoNative.Success)
        {
            // Its PUBACK is read by a later call.
            if (qos > 0) _unacknowledged.Add(mid);
            return MqttPublish.Given;
        }
        if (code is MosquittoNative.PayloadSize or MosquittoNative.Oversize) return MqttPublish.TooLarge;
        // What nobody keeps is better than nothing: who listens now hears it.
        if (code == MosquittoNative.RetainNotSupported && retain) return Publish(topic, payload, qos, retain: false, out id);
        if (code == MosquittoNative.QosNotSupported)
        {
            Close(MqttEndKind.Unusable, code, "the broker takes no messages of QoS 1, by which it would acknowledge them");
            return MqttPublish.NotConnected;
        }
        // Of QoS 1 the library keeps what it could not write; the connection is over and takes it along.
        Judge(code);
        return MqttPublish.NotConnected;
    }

    /// <returns>For <see cref="MqttListener.Subscribed"/>; 0 when it could not be asked.</returns>
    public int Subscribe(string filter, int qos)
    {
        if (!IsConnected) return 0;
        int mid = 0;
        int code = MosquittoNative.mosquitto_subscribe_v5(_handle, &mid, filter, qos, 0, 0);
        if (code == MosquittoNative.Success) return mid;
        Judge(code);
        return 0;
    }

    /// <summary>Says DISCONNECT, so that no will is given out; <see cref="Run(ReadOnlySpan{MqttConnection}, MqttWake?, int)"/> until it has ended.</summary>
    public void Disconnect()
    {
        if (HasEnded) return;
        _asked = true;
        int code = MosquittoNative.mosquitto_disconnect_v5(_handle, 0, 0);
        if (code != MosquittoNative.Success || MosquittoNative.mosquitto_socket(_handle) < 0) Close(MqttEndKind.Asked, code);
    }

    /// <summary>Ends it without a word: the broker gives out the will.</summary>
    public void Abandon(MqttEndKind kind, string why)
    {
        if (!HasEnded) _end = new MqttEnd(kind, 0, why);
        _handle?.Dispose();
    }

    void Close(MqttEndKind kind, int code, string? words = null)
    {
        if (HasEnded) return;
        words ??= MosquittoNative.Words(code);
        _end = new MqttEnd(kind, code, _said.Length == 0 ? words : $"{words}: {_said}");
    }

    /// <summary>The library's verdict on a step; nothing while all is well.</summary>
    void Judge(int code)
    {
        if (code == MosquittoNative.Success || HasEnded) return;
        if (_connack > 0) Close(MqttEndKind.Refused, _connack, _options.Version == MqttVersion.V5 ? MosquittoNative.Reason(_connack) : null);
        else if (_goodbye > 0) Close(MqttEndKind.Lost, _goodbye, MosquittoNative.Reason(_goodbye));
        else if (code == MosquittoNative.Tls || (_connack < 0 && _said.Contains("OpenSSL", StringComparison.Ordinal))) Close(MqttEndKind.Tls, code);
        else if (code == MosquittoNative.Keepalive) Close(MqttEndKind.Silent, code);
        else if (code is MosquittoNative.Protocol or MosquittoNative.MalformedPacket) Close(_said.Contains("OpenSSL", StringComparison.Ordinal) ? MqttEndKind.Tls : MqttEndKind.Protocol, code);
        else Close(MqttEndKind.Lost, code);
    }

    /// <summary>Frees what the library holds; the broker gives out the will unless <see cref="Disconnect"/> went before.</summary>
    public void Dispose()
    {
        if (!HasEnded) _end = new MqttEnd(MqttEndKind.Asked, 0, "");
        _handle?.Dispose();
    }
}

/// <summary>What became of a message that was to be given to a broker.</summary>
public enum MqttPublish : byte
{
    /// <summary>It is the library's; <see cref="MqttListener.Published"/> tells when it arrived.</summary>
    Given,
    /// <summary>Nothing was given.</summary>
    NotConnected,
    /// <summary>Too many wait for their PUBACK.</summary>
    Busy,
    /// <summary>The broker takes none so long, for good.</summary>
    TooLarge,
}
