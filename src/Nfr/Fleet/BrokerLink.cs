using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Fleet;

/// <summary>Takes a message of the broker's on the link's thread; its bytes end with the call.</summary>
delegate void FleetMessage(string topic, ReadOnlySpan<byte> payload, bool retained);

/// <summary>
/// The connection of "nfr fleet" to a broker: kept up on a thread of its own until it is disposed, with a back-off of 1 to 30 s between tries. What it is asked to publish while it
/// is not connected is not taken.
/// </summary>
sealed class BrokerLink : IDisposable
{
    /// <summary>For TCP; and for what follows it until CONNACK.</summary>
    public static TimeSpan ConnectLimit => TimeSpan.FromSeconds(10);

    const int Turn = 1_000;
    /// <summary>Commands that wait for the thread.</summary>
    const int MostPosted = 1_000;
    static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(2);

    readonly BrokerAddress _broker;
    readonly MqttOptions _options;
    readonly IReadOnlyList<string> _topics;
    readonly TimeProvider _time;
    readonly FleetMessage _received;
    readonly MqttWake _wake = new();
    readonly ConcurrentQueue<Action<MqttConnection>> _posted = new();
    readonly Thread _thread;
    readonly Lock _lock = new();
    volatile bool _stop;
    long? _since;
    string? _trouble;
    long? _nextTry;
    int _subscribed;
    TimeSpan _each = ConnectLimit;
    /// <summary>The address that answered the last look.</summary>
    IPAddress? _answers;

    /// <param name="broker">Where.</param>
    /// <param name="tls">Our files; looked at where the address asks for TLS.</param>
    /// <param name="topics">Subscribed at each connection: pattern and QoS 1.</param>
    /// <param name="received">Called on the link's thread.</param>
    /// <param name="time">For waits.</param>
    public BrokerLink(BrokerAddress broker, MqttTls? tls, IReadOnlyList<string> topics, FleetMessage received, TimeProvider time)
    {
        (_broker, _topics, _received, _time) = (broker, topics, received, time);
        // A broker throws out the older one of two with the same name.
        _options = broker.Options("nfr-fleet-" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6)), tls);
        _thread = new Thread(Work) { IsBackground = true, Name = "fleet" };
    }

    /// <summary>Told on the link's thread when the subscriptions stand (true) and when the connection is gone (false).</summary>
    public Action<bool>? Listening { get; init; }

    public void Start() => _thread.Start();

    public BrokerState State
    {
        get
        {
            lock (_lock)
            {
                long now = _time.GetTimestamp();
                return new BrokerState(_broker.ToString(), _since is { } since ? _time.GetElapsedTime(since, now) : null, _trouble,
                    _nextTry is { } next && next > now ? _time.GetElapsedTime(now, next) : null);
            }
        }
    }

    /// <summary>Has something done with the connection on its thread; false while there is none.</summary>
    public bool Post(Action<MqttConnection> work)
    {
        if (State.Since is null || _posted.Count >= MostPosted) return false;
        _posted.Enqueue(work);
        _wake.Set();
        return true;
    }

    void Work()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), Random.Shared);
        while (!_stop)
        {
            string trouble = Probe() is { } error ? BrokerWords.Of(error, _broker) : Once(backoff);
            Listening?.Invoke(false);
            if (_stop) return;
            TimeSpan wait = backoff.Next() + TimeSpan.FromMilliseconds(200);
            lock (_lock) (_since, _trouble, _nextTry) = (null, trouble, _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency));
            for (long until = _nextTry!.Value; !_stop && _time.GetTimestamp() < until;) Thread.Sleep(50);
        }
    }

    /// <summary>Whether anybody is there, at whichever address of the name: libmosquitto says little of it.</summary>
    SocketError? Probe()
    {
        SocketError error = TcpReach.Try(_options.Host, _options.Port, ConnectLimit, CancellationToken.None, out _answers, out _each);
        return error == SocketError.Success ? null : error;
    }

    /// <summary>One connection from its beginning to its end; why it ended.</summary>
    string Once(Backoff backoff)
    {
        var listener = new Listener(this, backoff);
        using MqttConnection connection = MqttConnection.Open(_options with { ConnectLimit = _each }, listener);
        listener.Connection = connection;
        long begun = _time.GetTimestamp();
        while (!connection.HasEnded && !_stop)
        {
            connection.Run(_wake, Turn);
            if (!connection.IsConnected && !connection.HasEnded && _time.GetElapsedTime(begun) > ConnectLimit) connection.Abandon(MqttEndKind.Silent, "no CONNACK");
            while (connection.IsConnected && _posted.TryDequeue(out Action<MqttConnection>? work)) work(connection);
        }
        _posted.Clear();
        if (!connection.HasEnded)
        {
            connection.Disconnect();
            for (begun = _time.GetTimestamp(); !connection.HasEnded && _time.GetElapsedTime(begun) < s_goodbye;) connection.Run(null, 100);
        }
        return listener.Refused ?? BrokerWords.Of(connection.End, _broker, _options.Tls, listener.WasConnected ? null : Why(connection.End));
    }

    /// <summary>What is wrong with the certificates, where that may be it: libmosquitto does not tell. Null = nothing, or nothing that can be known.</summary>
    TlsFault? Why(in MqttEnd end)
    {
        if (_stop || _answers is not { } address || _options.Tls is not { } files || end.Kind is not (MqttEndKind.Tls or MqttEndKind.Unreachable or MqttEndKind.Lost or MqttEndKind.Protocol)) return null;
        return TlsProbe.Look(new ClientTls(new TlsSettings { Roots = files.Roots, Certificate = files.Certificate, Key = files.Key }, _time), _options.Host, new IPEndPoint(address, _options.Port), CancellationToken.None);
    }

    void Stand(MqttConnection connection)
    {
        lock (_lock) (_since, _trouble, _nextTry, _subscribed) = (_time.GetTimestamp(), null, null, 0);
        foreach (string topic in _topics) connection.Subscribe(topic, 1);
    }

    void Subscribed()
    {
        if (++_subscribed == _topics.Count) Listening?.Invoke(true);
    }

    public void Dispose()
    {
        _stop = true;
        _wake.Set();
        // It may be in a system call that nobody can end; the process does.
        if (_thread.IsAlive && _thread.Join(s_goodbye + TimeSpan.FromSeconds(1))) _wake.Dispose();
    }

    sealed class Listener(BrokerLink link, Backoff backoff) : MqttListener
    {
        public MqttConnection? Connection { get; set; }
        public string? Refused { get; private set; }
        public bool WasConnected { get; private set; }

        public override void Connected(bool sessionPresent)
        {
            WasConnected = true;
            backoff.Reset();
            link.Stand(Connection!);
        }

        public override void Subscribed(int id, int granted)
        {
            if (granted < 128) link.Subscribed();
            else
            {
                Refused = $"{link._broker} does not let us read {string.Join(" and ", link._topics)}; its access list must allow it";
                Connection!.Abandon(MqttEndKind.Refused, Refused);
            }
        }

        public override void Published(int id, int reason) => link.Published?.Invoke(id, reason);

        public override void Received(in MqttMessage message) => link._received(message.Topic, message.Payload, message.IsRetained);
    }

    /// <summary>PUBACK came; told on the link's thread.</summary>
    public Action<int, int>? Published { get; init; }
}
