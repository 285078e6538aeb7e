using System.Globalization;
using System.Net;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Faults.Clock;

/// <summary>
/// An hour of a sensor in virtual time, with an outage, a ring that is too small for it, an output that fails for a while, polls and a restart; and what it did, each at its
/// second since the start. Of two runs that differ in nothing but the wall clock these notes must be the same.
/// </summary>
sealed class ClockRun : HttpMessageHandler
{
    const int Restart = 1800, EventsPerSecond = 12;
    static readonly DateTimeOffset s_truth = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Never at the same moment as an upload.</summary>
    static readonly TimeSpan s_poll = TimeSpan.FromSeconds(301.7);

    /// <summary>Of what is not evicted for want of room: scored events grow too old in the outage, alerts always and across the restart.</summary>
    static readonly Dictionary<SpoolClass, SpoolQuota> s_ages = new() { [SpoolClass.Scored] = new(MaxAge: TimeSpan.FromSeconds(200)), [SpoolClass.Alerts] = new(MaxAge: TimeSpan.FromSeconds(100)) };

    readonly SettledTime _time = new(loops: 3);
    readonly ClockScript _script;
    readonly List<string> _notes = [];
    readonly List<long> _sink = [];
    (long Events, long Alerts) _aged;
    bool _sinkDown;
    int _pages;
    int _second;

    public ClockRun(ClockScript script) => _script = script;

    /// <summary>What was done when; at the same moment in no order.</summary>
    public IReadOnlyList<string> Notes => [.. _notes.OrderBy(note => double.Parse(note[..note.IndexOf(' ', StringComparison.Ordinal)], CultureInfo.InvariantCulture)).ThenBy(note => note, StringComparer.Ordinal)];
    /// <summary>Events evicted since the beginning, at the end of each life.</summary>
    public List<long> Evicted { get; } = [];
    /// <summary>Of these and of the alerts: gone for their age, by the quotas of running time.</summary>
    public (long Events, long Alerts) Aged => _aged;
    /// <summary>Stamps that an upload carried although the clock said otherwise, or the other way round.</summary>
    public int WrongDates { get; private set; }
    /// <summary>Different minutes of the wall clock that uploads carried.</summary>
    public HashSet<long> Dates { get; } = [];

    public void Run()
    {
        using var folder = new RamFolder();
        if (_script.DaylightSaving)
        {
            var rule = TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
                new DateTime(2026, 1, 1), new DateTime(2026, 12, 31), TimeSpan.FromHours(1),
                TimeZoneInfo.TransitionTime.CreateFixedDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 29), TimeZoneInfo.TransitionTime.CreateFixedDateRule(new DateTime(1, 1, 1, 14, 0, 0), 11, 21));
            _time.Zone = TimeZoneInfo.CreateCustomTimeZone("Test", TimeSpan.FromHours(1), "Test", "Test", "Test summer", [rule]);
        }
        Set(_script.Boot);
        int n = 0, alert = 0;
        for (int life = 0; life < 2; life++)
        {
            using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path, MaxBytes = 400 << 10, Quotas = s_ages }, _time);
            using var client = new EngineClient(new EngineOptions { Host = "http://engine.example", ApiKey = "KEY1", Version = "2.0.0", TotalTimeout = SettledTime.Deadline }, _time, this);
            var off = new UploadTypeOptions { Enabled = false };
            var pacer = new RequestPacer(_time);
            var uploader = new Uploader(client, spool, new UploadOptions { Ip = off, Http = off, Tls = off }, pacer, _time, _ => { }, new Random(1));
            var poller = new AlertPoller(client, spool, new AlertPollerOptions { PollInterval = s_poll }, _ => [], pacer, _time, _ => { }, new Random(2));
            bool flushing = false;
            AlertOutput? hears = null;
            // An output that is well is woken by alerts that were stored, by the pipeline or by the poller, which then rests anew itself. Said before the output hears of it.
            spool.AlertsStored += () =>
            {
                if (hears!.State.Trouble is null) _time.Expect(flushing ? 1 : 2);
            };
            using AlertOutput output = hears = new AlertOutput(
                spool, new OutputOptions { Name = "sink", Sink = new StreamSinkOptions() }, new SensorIdentity("2.0.0", spool.SensorId, "box"), _time, _ => { }, new Sink(this), new Random(3));
            using var stop = new CancellationTokenSource();
            Task[] running = [uploader.RunAsync(stop.Token), poller.RunAsync(stop.Token), output.RunAsync(stop.Token)];
            for (int end = _second + Restart; _second < end; _second++)
            {
                if (_script.Steps.TryGetValue(_second, out TimeSpan to)) Set(to);
                _sinkDown = _second is >= 720 and < 1200;
                for (int i = 0; i < EventsPerSecond; i++)
                    spool.Append(EventType.Dns, n % 50 == 0 ? 3 : 0, Encoding.UTF8.GetBytes($"{{\"n\":{n++},\"query\":\"{(uint)n * 2654435761:x}.cdn{n % 97}.example\",\"srcIP\":\"10.0.{n % 200}.{n % 77}\"}}"));
                if (_second % 10 == 0) spool.AppendAlert(Alert(alert++));
                // What grew too old while no spool was open goes at once.
                bool opened = _second == end - Restart;
                if (spool.FlushDue && !opened) Note("flush too early");
                _time.Advance(TimeSpan.FromMilliseconds(999));
                if (spool.FlushDue && !opened) Note("flush too early");
                if (_script.WithinFlush is { } within) Set(within(_second));
                _time.Advance(TimeSpan.FromMilliseconds(1));
                if (!spool.FlushDue) Note("no flush after a second");
                flushing = true;
                if (spool.Flush() is { } fault) Note(fault.Message);
                flushing = false;
                NoteAged(spool);
                _time.Settle();
            }
            stop.Cancel();
            Task.WaitAll(running, TimeSpan.FromMinutes(1));
            SpoolCounters counters = spool.CountRows()!;
            SpoolTally events = counters.Total;
            Evicted.Add(events.Evicted);
            Note($"{events.Spooled} spooled, {events.Quarantined} quarantined, {events.LostBeforeSpool} lost; alerts {counters.Alerts.Spooled}, {counters.Alerts.InSpool}, {spool.LastAlertSequence}, bookmark {spool.GetBookmark("output:sink")}");
        }
        Note("sink " + string.Join(',', _sink));
    }

    void NoteAged(Spool spool)
    {
        SpoolCounters counters = spool.Counters;
        if ((counters.Total.EvictedForAge, counters.Alerts.EvictedForAge) == _aged) return;
        _aged = (counters.Total.EvictedForAge, counters.Alerts.EvictedForAge);
        Note($"too old: {_aged.Events} events, {_aged.Alerts} alerts");
    }

    void Set(TimeSpan fromTruth) => _time.Utc = s_truth + _time.Elapsed + fromTruth;

    void Note(string what)
    {
        lock (_notes) _notes.Add(string.Create(CultureInfo.InvariantCulture, $"{_time.Elapsed.TotalSeconds:0.000} {what}"));
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        bool down = _second is >= 600 and < 1500;
        if (request.Method == HttpMethod.Get)
        {
            Note($"poll {request.RequestUri!.Query}");
            if (down) return Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));
            int page = Interlocked.Increment(ref _pages);
            return Task.FromResult(Json($$"""{"follow":"{{page}}","more":false,"alerts":[{"eventType":"dns","event":{"ts":"2026-11-21T12:00:00Z","srcIP":"10.0.0.9","query":"p{{page}}.example","qtype":"A"},"threats":["c2_comm"],"wisdom":{"flags":["c2"]} }],"threats":{"c2_comm":{"title":"C2","severity":5} } }"""));
        }
        if (request.Headers.Date is { } date)
        {
            Dates.Add(date.ToUnixTimeSeconds() / 60);
            if ((date - _time.Utc).Duration() > TimeSpan.FromSeconds(1)) WrongDates++;
        }
        Note($"upload {request.Headers.GetValues("X-NFR-Sequence").Single()}");
        return Task.FromResult(down ? new HttpResponseMessage(HttpStatusCode.BadGateway) : Json("{}"));
    }

    static HttpResponseMessage Json(string text) => new(HttpStatusCode.OK) { Content = new StringContent(text) };

    static Alert Alert(int number) => new()
    {
        Threats = [new AlertThreat("c2_communication", "C2 communication", 5)],
        Flags = ["c2"],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T12:00:00.000000Z", SrcIP = "10.0.0.1", Query = $"a{number}.example", QType = "A" },
    };

    sealed class Sink(ClockRun run) : AlertSink
    {
        public override string Target => "a list";

        public override Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
        {
            if (run._sinkDown)
            {
                run.Note("sink fails");
                return Task.FromResult(SinkAnswer.None("down"));
            }
            run._sink.AddRange(page.Alerts.Select(a => a.Sequence));
            return Task.FromResult(SinkAnswer.All(page));
        }
    }
}
