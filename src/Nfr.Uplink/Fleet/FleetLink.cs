using System.Collections.Concurrent;
using Nfr.Events;
using Nfr.Native;

namespace Nfr.Uplink;

/// <summary>
/// The sensor's side of MQTT: one thread that connects, says who and how the sensor is, carries alerts and takes commands; when the broker goes it comes back with jittered waits.
/// Nothing of the sensor waits for it. libmosquitto is given nothing while it is not connected.
/// </summary>
public sealed class FleetLink : IDisposable
{
    static readonly TimeSpan s_firstWait = TimeSpan.FromSeconds(1);
    /// <summary>Tries begin at least so far apart.</summary>
    static readonly TimeSpan s_spacing = TimeSpan.FromSeconds(0.5);
    /// <summary>CONNACK comes by then, or never.</summary>
    static readonly TimeSpan s_connack = TimeSpan.FromSeconds(15);
    /// <summary>For the last words at a stop.</summary>
    static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(1);
    /// <summary>One that breaks sooner has not come about for good: the waits go on growing.</summary>
    static readonly TimeSpan s_stable = TimeSpan.FromSeconds(3);
    const int MostAnswers = 16, MostCommands = 16;
    /// <summary>A page of alerts, answers, the retained ones and a few more.</summary>
    const int MaxInFlight = AlertOutput.PageSize + 32;

    readonly FleetOptions _options;
    readonly Func<FleetInfo> _info;
    readonly Func<long, FleetHealth> _health;
    readonly TimeProvider _time;
    readonly Action<UplinkNotice> _notice;
    readonly TroubleReport _report;
    readonly Backoff _backoff;
    readonly ClockWait _clock;
    readonly ClientTls? _tls;
    readonly FleetSequences _sequences;
    readonly FleetDesk _desk;
    readonly FleetAssistant _assistant;
    readonly MqttWake _wake = new();
    readonly ManualResetEventSlim _stop = new();
    readonly CancellationTokenSource _stopped = new();
    readonly ConcurrentQueue<FleetAnswer> _answers = new();
    readonly Thread _thread;
    FleetFlight? _flight;
    FleetState _state;
    int _tooLarge;
    long _connectedAt;
    volatile bool _connected;
    bool _disposed;

    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="info">Who this sensor is; asked at each connection, on the link's thread.</param>
    /// <param name="health">How it is; gets the number of the heartbeat, on the link's thread, which may wait a moment for it.</param>
    /// <param name="act">Does what a command says, at once or later: null = the answer comes by the action. On the link's thread; must not block.</param>
    /// <param name="time">Intervals and stamps.</param>
    /// <param name="notice">Gets few sentences; must not block.</param>
    /// <param name="random">Jitter; a seam of tests.</param>
    public FleetLink(FleetOptions options, Func<FleetInfo> info, Func<long, FleetHealth> health, Func<FleetCommand, Action<FleetAnswer>, FleetAnswer?> act, TimeProvider time, Action<UplinkNotice> notice, Random? random = null)
    {
        (_options, _info, _health, _time, _notice) = (options, info, health, time, notice);
        _report = new TroubleReport(time, notice);
        _backoff = new Backoff(s_firstWait, options.MostWait, random ?? Random.Shared);
        _clock = new ClockWait(time);
        _tls = options.UseTls ? new ClientTls(options.Tls, time) : null;
        _sequences = FleetSequences.Open(options.Folder);
        _desk = new FleetDesk(options, _sequences, act, time, notice);
        _assistant = new FleetAssistant(options, random ?? Random.Shared, time);
        _state = new FleetState { Broker = options.Where, Remark = _sequences.Fault };
        if (_sequences.Fault is { } fault) notice(new UplinkNotice(NoticeLevel.Warning, "fleet: " + fault));
        // It calls into C and TLS, but nothing deep.
        _thread = new Thread(Loop, 512 << 10) { Name = "fleet", IsBackground = true };
    }

    public FleetOptions Options => _options;

    public FleetState State => Volatile.Read(ref _state) with { CommandsTaken = _desk.Taken, Refused = _desk.Refused };

    /// <summary>Why the broker refused an alert for good, the last time; null = it never did.</summary>
    internal string? LastAlertRefusal { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>Alerts go this way; one output.</summary>
    public AlertSink Sink() => new FleetSink(this);

    /// <summary>A page of alerts: answered when each PUBACK came, or with what is missing. Without a connection it is asked for again in a second.</summary>
    internal async Task<SinkAnswer> SendAsync(AlertPage page)
    {
        if (!_connected) return Away();
        var flight = new FleetFlight(page, _time.GetTimestamp());
        while (Interlocked.CompareExchange(ref _flight, flight, null) is { } other)
        {
            if (!other.IsDone) return SinkAnswer.None("a page is on its way already");
            // It was answered a moment ago, and the link's thread has not put it away yet.
            Interlocked.CompareExchange(ref _flight, null, other);
        }
        _wake.Set();
        if (!_connected && Interlocked.CompareExchange(ref _flight, null, flight) == flight) return Away();
        return await flight.Task;

        SinkAnswer Away() => SinkAnswer.Later(TimeSpan.FromSeconds(1), $"waiting for {_options.Where}");
    }

    void Loop()
    {
        while (!_stop.IsSet)
        {
            long began = _time.GetTimestamp();
            TimeSpan wait;
            try
            {
                wait = Once();
            }
            catch (OperationCanceledException) when (_stop.IsSet)
            {
                break;
            }
            catch (Exception mistake)
            {
                // The head of the stage: our own mistake costs the link a wait, nobody else anything.
                wait = Failed(new FleetFault($"a mistake in nfr itself: {mistake.GetType().Name}: {mistake.Message}", "report it with the log"), failedConnect: false);
            }
            finally
            {
                _connected = false;
                Interlocked.Exchange(ref _flight, null)?.Break(null, $"waiting for {_options.Where}");
            }
            TimeSpan spaced = s_spacing - _time.GetElapsedTime(began);
            if (spaced > wait) wait = spaced;
            // The clock being set ends the wait: certificates that were not valid yet may be now.
            _clock.DelayAsync(wait, span => Task.FromResult(_stop.Wait(span))).GetAwaiter().GetResult();
        }
    }

    /// <summary>One connection from its beginning to its end; how long to wait before the next.</summary>
    TimeSpan Once()
    {
        _clock.Mark();
        if (FleetWords.Reach(_options.Host, _options.Port, _stopped.Token) is { } absent) return Failed(absent, failedConnect: true);
        string? password = null;
        if (_options.Password is { } secret && !secret.TryRead(out password, out string unread)) return Failed(new FleetFault(unread, "check fleet.password_file"), failedConnect: true);
        FleetCall call = new(this);
        var options = new MqttOptions
        {
            Host = _options.Host,
            Port = _options.Port,
            ClientId = _options.ClientId,
            Version = _options.Version,
            // A message that is too long comes again with each connection unless the broker forgets it.
            CleanSession = _tooLarge > 0 || _options.Keys.Count == 0,
            User = _options.User,
            Password = password,
            Tls = _options.UseTls ? new MqttTls(_options.Tls.Roots, _options.Tls.Certificate, _options.Tls.Key) : null,
            Will = new MqttWill(_options.Topics.Of(FleetTopic.Status), "offline"u8.ToArray()),
            MaxInFlight = MaxInFlight,
        };
        using MqttConnection connection = MqttConnection.Open(options, call);
        call.Connection = connection;
        while (!connection.HasEnded && !_stop.IsSet)
        {
            connection.Run(_wake, call.Milliseconds);
            if (!connection.HasEnded) call.Work();
        }
        if (_stop.IsSet)
        {
            if (connection.IsConnected) call.SayGoodbye();
            return TimeSpan.Zero;
        }
        if (connection.End.Kind == MqttEndKind.TooLarge) _tooLarge++;
        if (call.WasConnected)
        {
            _connected = false;
            // Quick, or others would wait for the look after it.
            Interlocked.Exchange(ref _flight, null)?.Break(null, $"waiting for {_options.Where}");
        }
        return Failed(FleetWords.Of(_options, _tls, connection.End, call.WasConnected, _stopped.Token), !call.WasConnected, connection.End.Kind is MqttEndKind.Refused or MqttEndKind.Tls);
    }

    TimeSpan Failed(FleetFault fault, bool failedConnect, bool isRefused = false)
    {
        if (_connectedAt != 0 && _time.GetElapsedTime(_connectedAt) >= s_stable) _backoff.Reset();
        _connectedAt = 0;
        TimeSpan wait = _backoff.Next();
        Update(s => s with { IsConnected = false, IsRefused = isRefused, Since = null, Trouble = fault.What, Advice = fault.Do, NextTry = _time.GetUtcNow() + wait, FailedConnects = s.FailedConnects + (failedConnect ? 1 : 0) });
        _report.Failed("fleet", fault.What, NoticeLevel.Warning, $"fleet: {fault.What}; {fault.Do}; next try in {Spoken.Duration(wait)}, alerts wait in the spool", fault.What);
        return wait;
    }

    void Update(Func<FleetState, FleetState> change) => Volatile.Write(ref _state, change(_state));

    void Answer(FleetAnswer answer)
    {
        if (_answers.Count >= MostAnswers && _answers.TryDequeue(out _)) Update(s => s with { AnswersLost = s.AnswersLost + 1 });
        _answers.Enqueue(answer);
        _wake.Set();
    }

    /// <summary>Says "offline" and ends, within two seconds; a link that hangs in the resolver is left behind.</summary>
    public void Stop()
    {
        _stop.Set();
        _stopped.Cancel();
        _wake.Set();
        if (_thread.IsAlive) _thread.Join(s_goodbye + s_goodbye);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Stop();
        if (_thread.IsAlive) return;
        _wake.Dispose();
        _stop.Dispose();
        _stopped.Dispose();
    }

    /// <summary>What one connection does, on the link's thread.</summary>
    sealed class FleetCall(FleetLink link) : MqttListener
    {
        readonly Queue<byte[]> _commands = new();
        readonly long _opened = link._time.GetTimestamp();
        long _nextBeat;
        long _beat;
        int _subscription;

        public MqttConnection Connection { get; set; } = null!;
        public bool WasConnected { get; private set; }

        /// <summary>Until the next thing that is due by the clock.</summary>
        public int Milliseconds => 250;

        FleetTopics Topics => link._options.Topics;

        public override void Connected(bool sessionPresent) => WasConnected = true;

        public override void Received(in MqttMessage message)
        {
            if (link._assistant.IsBirth(message.Topic, message.Payload)) return;
            if (message.Topic != Topics.Of(FleetTopic.Command)) return;
            // What finds no room is cut to nothing and refused as such: a flood costs no memory, and its senders are told once.
            if (_commands.Count < MostCommands) _commands.Enqueue(message.Payload[..Math.Min(message.Payload.Length, FleetCommand.MostBytes + 1)].ToArray());
        }

        public override void Published(int id, int reason)
        {
            if (link._flight is not { } flight) return;
            if (!flight.Has(id)) return;
            flight.Since = link._time.GetTimestamp();
            if (reason < 128) flight.Acknowledged(id);
            // It is not taken: it comes again, for rights are given later as well.
            else flight.Break(reason == 0x87 ? "the broker does not let us publish alerts (not authorised); check the user's rights in its ACL" : $"the broker refuses alerts (reason {reason:X2}); look into its log", "");
        }

        public override void Subscribed(int id, int granted)
        {
            if (id == _subscription && granted >= 128)
                link.Update(s => s with { Remark = $"{link._options.Where} does not let us subscribe {Topics.Of(FleetTopic.Command)}: commands do not arrive; check the user's rights in its ACL" });
        }

        public void Work()
        {
            if (!WasConnected)
            {
                if (link._time.GetElapsedTime(_opened) > s_connack) Connection.Abandon(MqttEndKind.Silent, "no CONNACK");
                return;
            }
            if (_beat == 0) Begin();
            if (Connection.HasEnded) return;
            while (_commands.TryDequeue(out byte[]? message))
            {
                if (link._desk.Take(message, link.Answer) is { } answer) link.Answer(answer);
            }
            link._assistant.Work(Connection);
            Fly();
            while (Connection.InFlight < MaxInFlight - 4 && link._answers.TryDequeue(out FleetAnswer? answer)) Connection.Publish(Topics.Of(FleetTopic.Answer), answer.ToJson(), 1, retain: false, out _);
            if (link._time.GetTimestamp() >= _nextBeat) Beat();
        }

        void Begin()
        {
            FleetOptions options = link._options;
            link._connectedAt = link._time.GetTimestamp();
            if (options.Keys.Count > 0 && link._tooLarge < 2) _subscription = Connection.Subscribe(Topics.Of(FleetTopic.Command), 1);
            Connection.Publish(Topics.Of(FleetTopic.Info), link._info().ToJson(), 1, retain: true, out _);
            Connection.Publish(Topics.Of(FleetTopic.Status), "online"u8, 1, retain: true, out _);
            link._assistant.Begin(Connection, link._info, link._sequences);
            link.Update(s => s with
            {
                IsConnected = true, IsRefused = false, Since = link._time.GetUtcNow(), Trouble = null, Advice = "", NextTry = null, Connects = s.Connects + 1,
                Remark = link._tooLarge < 2 ? link._sequences.Fault : $"commands are not asked for any more, since {options.Where} sends messages of more than {MqttOptionsDefaults.MaxInbound} where they come; restart the sensor once that is over",
            });
            link._report.Succeeded("fleet", lasted => $"fleet: {options.Where} is back after {Spoken.Duration(lasted)}");
            link._connected = true;
            Beat();
        }

        void Beat()
        {
            _nextBeat = link._time.GetTimestamp() + (long)(link._options.Heartbeat.TotalSeconds * link._time.TimestampFrequency);
            // A broker that did not even read the last one would have them pile up in the library.
            bool clogged = Connection.IsClogged;
            if (!clogged && Connection.Publish(Topics.Of(FleetTopic.Health), link._health(++_beat).ToJson(), 0, retain: false, out _) == MqttPublish.Given) link.Update(s => s with { Heartbeats = s.Heartbeats + 1 });
            else link.Update(s => s with { HeartbeatsSkipped = s.HeartbeatsSkipped + 1 });
            if (_beat == 0) _beat = 1;
        }

        void Fly()
        {
            if (link._flight is not { } flight) return;
            while (!flight.IsDone && flight.Next < flight.Page.Count)
            {
                int place = flight.Next;
                byte[] alert = AlertJson.ToBytes(flight.Page.Alerts[place].Alert);
                MqttPublish what = Connection.Publish(Topics.Of(FleetTopic.Alert), alert, 1, retain: false, out int id);
                if (what == MqttPublish.Given) flight.Given(id);
                else if (what == MqttPublish.TooLarge)
                {
                    link.LastAlertRefusal = $"an alert has {alert.Length:N0} bytes, more than the broker takes (max_packet_size)";
                    flight.Refuse(place);
                }
                else break;
            }
            if (flight.IsDone) Interlocked.CompareExchange(ref link._flight, null, flight);
            else if (link._time.GetElapsedTime(flight.Since) > link._options.Patience) Connection.Abandon(MqttEndKind.Silent, "an alert was not acknowledged");
        }

        /// <summary>"offline" by our own word: a will says that something happened.</summary>
        public void SayGoodbye()
        {
            Connection.Publish(Topics.Of(FleetTopic.Status), "offline"u8, 1, retain: true, out _);
            long from = link._time.GetTimestamp();
            while (!Connection.HasEnded && Connection.InFlight > 0 && link._time.GetElapsedTime(from) < s_goodbye) Connection.Run(null, 50);
            if (Connection.HasEnded) return;
            Connection.Disconnect();
            while (!Connection.HasEnded && link._time.GetElapsedTime(from) < s_goodbye) Connection.Run(null, 50);
        }
    }

    static class MqttOptionsDefaults
    {
        public static string MaxInbound => $"{new MqttOptions { Host = "", ClientId = "" }.MaxInbound:N0} bytes";
    }
}
