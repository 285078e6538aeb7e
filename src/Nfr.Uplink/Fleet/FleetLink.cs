using System.Net;
using Nfr.Native;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// The sensor's side of MQTT: one thread that connects, says who and how the sensor is, carries alerts and takes commands; when the broker goes it comes back with jittered waits.
/// Nothing of the sensor waits for it. libmosquitto is given nothing while it is not connected.
/// </summary>
public sealed partial class FleetLink : IDisposable
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
    /// <summary>A page of alerts, answers, the retained ones and a few more.</summary>
    const int MaxInFlight = AlertOutput.PageSize + 48;

    /// <summary>Lines of the log about single alerts that never arrive.</summary>
    const int MostLosses = 10;
    static readonly TimeSpan s_lossesEach = TimeSpan.FromMinutes(1);

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
    readonly FleetAnswers _answers = new();
    readonly FleetVersion _version;
    readonly FleetSuspect _suspect = new();
    readonly Thread _thread;
    FleetFlight? _flight;
    FleetState _state;
    int _tooLarge;
    /// <summary>The broker closes the connection whichever alert comes.</summary>
    bool _takesNone;
    bool _toldBlind;
    int _losses;
    long _lossesFrom;
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
        _version = new FleetVersion(options.Version);
        _sequences = FleetSequences.Open(options.Folder);
        _desk = new FleetDesk(options, _sequences, act, time, notice);
        _assistant = new FleetAssistant(options, random ?? Random.Shared, time);
        _state = new FleetState { Broker = options.Where };
        if (_sequences.Fault is { } fault) notice(new UplinkNotice(NoticeLevel.Warning, "fleet: " + fault));
        // It calls into C and TLS, but nothing deep.
        _thread = new Thread(Loop, 512 << 10) { Name = "fleet", IsBackground = true };
    }

    public FleetOptions Options => _options;

    public FleetState State => Volatile.Read(ref _state) with { Remark = Remarks(), CommandsTaken = _desk.Taken, Refused = _desk.Refused, AnswersLost = _answers.Lost };

    /// <summary>Why the broker refused an alert for good, the last time; null = it never did.</summary>
    internal string? LastAlertRefusal { get; private set; }

    string? Remarks()
    {
        string? known = Volatile.Read(ref _state).Remark;
        return _sequences.Fault is { } fault ? known is null ? fault : $"{fault}; {known}" : known;
    }

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
        if (FleetReach.Try(_options.Host, _options.Port, _stopped.Token, out IPAddress? answers, out TimeSpan each) is { } absent) return Failed(absent, failedConnect: true);
        string? password = null;
        if (_options.Password is { } secret && !secret.TryRead(out password, out string unread)) return Failed(new FleetFault(unread, "check fleet.password_file"), failedConnect: true);
        FleetCall call = new(this);
        MqttVersion version = _version.Current;
        var options = new MqttOptions
        {
            Host = _options.Host,
            Port = _options.Port,
            ClientId = _options.Topics.ClientId,
            Version = version,
            // A message that is too long comes again with each connection unless the broker forgets it.
            CleanSession = _tooLarge > 0 || _options.Keys.Count == 0,
            User = _options.User,
            Password = password,
            Tls = _options.UseTls ? new MqttTls(_options.Tls.Roots, _options.Tls.Certificate, _options.Tls.Key) : null,
            Will = new MqttWill(_options.Topics.Of(FleetTopic.Status), "offline"u8.ToArray()),
            MaxInFlight = MaxInFlight,
            ConnectLimit = each,
        };
        using MqttConnection connection = MqttConnection.Open(options, call, _stopped.Token);
        call.Connection = connection;
        while (!connection.HasEnded && !_stop.IsSet)
        {
            connection.Run(_wake, call.Milliseconds);
            if (!connection.HasEnded) call.Work();
        }
        if (_stop.IsSet)
        {
            call.Obey();
            if (connection.IsConnected) call.SayGoodbye();
            return TimeSpan.Zero;
        }
        // The broker knows that they came and does not send them again.
        call.Obey();
        MqttEnd end = connection.End;
        if (end.Kind == MqttEndKind.TooLarge) _tooLarge++;
        if (call.WasConnected)
        {
            _connected = false;
            // Quick, or others would wait for the look after it.
            FleetFlight? flight = Interlocked.Exchange(ref _flight, null);
            if (IsAboutMessage(end)) Blame(flight);
            else
            {
                _suspect.Forget();
                _takesNone = false;
            }
            flight?.Break(null, $"waiting for {_options.Where}");
        }
        else if (_version.Ended(end))
        {
            _notice(new UplinkNotice(NoticeLevel.Information, $"fleet: {_options.Where} {(end.Kind == MqttEndKind.Refused ? $"does not speak MQTT {FleetVersion.Name(version)}" : "closes the connection without an answer")}; {FleetVersion.Name(_version.Current)} is tried"));
            return TimeSpan.Zero;
        }
        FleetFault fault = _takesNone && call.WasConnected
            ? new FleetFault($"{_options.Where} closes the connection whenever an alert comes", $"let the user write to {_options.Topics.Of(FleetTopic.Alert)} in the broker's ACL, and look into its log")
            : FleetWords.Of(_options, version, _tls, end, call.WasConnected, answers!, _stopped.Token);
        return Failed(fault, !call.WasConnected, end.Kind is MqttEndKind.Refused or MqttEndKind.Tls);
    }

    void Blame(FleetFlight? flight)
    {
        long? first = flight?.FirstGiven;
        _takesNone &= first is not null;
        switch (_suspect.Broke(first, flight?.InFlight == 1))
        {
            case FleetVerdict.Guilty:
                Lose(flight!.Page.Alerts.First(a => a.Sequence == first), "the broker closed the connection whenever it came, three times in a row, and takes others");
                flight.Refuse(first!.Value);
                break;
            case FleetVerdict.Whichever:
                _takesNone = true;
                break;
            default:
                break;
        }
    }

    /// <summary>The broker closed the connection, and did not say that it was for another reason than what it was sent (MQTT 5, 3.14.2.1).</summary>
    static bool IsAboutMessage(in MqttEnd end) => end.Kind is MqttEndKind.Lost or MqttEndKind.Protocol && (end.Code < 128 || end.Code is 0x81 or 0x82 or 0x90 or 0x95 or 0x99);

    /// <summary>An alert that never arrives, for a reason that is the same whenever it comes: counted with those of the output, which goes past it.</summary>
    void Lose(StoredAlert alert, string why)
    {
        LastAlertRefusal = why;
        if (_losses == 0 || _time.GetElapsedTime(_lossesFrom) > s_lossesEach) (_losses, _lossesFrom) = (0, _time.GetTimestamp());
        // The output's own line counts the rest.
        if (++_losses > MostLosses) return;
        string id = alert.Alert.Evidence?.Id is { Length: > 0 } own ? $" ({own})" : "";
        _notice(new UplinkNotice(NoticeLevel.Warning, $"fleet: alert {alert.Sequence}{id}, {(alert.Alert.Threats is [var worst, ..] ? worst.Id : "without a threat")} of {alert.Alert.Event.SrcIP ?? alert.Alert.Event.SrcMac ?? "nobody"}, does not reach {_options.Where}: {why}"));
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
        _answers.Add(answer);
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
}
