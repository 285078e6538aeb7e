using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>
/// Searches before a pipeline that is played: a ring, events that are pending, and a spool that commits them together with the positions. A kill forgets what
/// was not committed.
/// </summary>
sealed class SearchRig
{
    readonly EventJson _json = new();
    readonly IReadOnlyList<SearchOptions> _options;
    readonly ISearchCluster _cluster;
    readonly ManualTime _time;
    readonly Dictionary<string, string> _positions = [];
    readonly Dictionary<string, string> _moved = [];
    readonly List<string> _pending = [];
    EventRing _ring = null!;
    CancellationTokenSource _stop = null!;

    public SearchRig(ISearchCluster cluster, ManualTime time, params SearchOptions[] options)
    {
        (_options, _cluster, _time) = (options, cluster, time);
        Start();
    }

    public ElasticSearches Searches { get; private set; } = null!;
    public LogOutlet Outlet { get; private set; } = null!;
    public LogCounters Counters => Shot()[0];
    public IReadOnlyList<LogCounters> AllCounters => Shot();
    /// <summary>Event lines that are with the spool, in their order.</summary>
    public List<string> Spooled { get; } = [];
    public List<LogNotice> Notices { get; } = [];
    public IReadOnlyDictionary<string, string> Positions => _positions;

    /// <summary>The sensor starts, also behind <see cref="Kill"/>.</summary>
    public void Start()
    {
        _stop = new CancellationTokenSource();
        _ring = new EventRing(grouped: true);
        Outlet = new LogOutlet(_ring, TimeSpan.FromSeconds(1), _stop.Token);
        Searches = new ElasticSearches(_options, _cluster, key => _positions.GetValueOrDefault(key), Notices.Add, _time, () => new LogClock(null));
        Searches.Open(Outlet);
    }

    /// <summary>What is not committed is gone.</summary>
    public void Kill()
    {
        _pending.Clear();
        _moved.Clear();
        Start();
    }

    /// <summary>Turns until nothing is due; false after so many.</summary>
    public bool Look(int turns = 1000)
    {
        for (int i = 0; i < turns; i++)
        {
            if (!Searches.Turn(_stop.Token)) return true;
        }
        return false;
    }

    /// <summary>The pipeline takes some groups out of the ring.</summary>
    public void Take(int groups = int.MaxValue)
    {
        var sink = new Sink(this);
        for (int i = 0; i < groups && _ring.Read(ref sink, 1) > 0; i++)
        {
        }
        foreach (IMarkedInput input in Searches.Inputs)
        {
            if (input.Position() is { } position) _moved[input.Key] = position;
        }
    }

    /// <summary>The spool commits what the pipeline took.</summary>
    public void Commit()
    {
        Spooled.AddRange(_pending);
        _pending.Clear();
        foreach ((string key, string position) in _moved)
        {
            Assert.True(position.Length <= 64 << 10, $"{key} has {position.Length:N0} bytes");
            _positions[key] = position;
        }
        _moved.Clear();
    }

    /// <summary>A look, and all of it committed; then the clock goes on to the next one.</summary>
    public void LookAndCommit(TimeSpan? then = null)
    {
        Assert.True(Look());
        Take();
        Commit();
        _time.Advance(then ?? TimeSpan.FromSeconds(30));
    }

    IReadOnlyList<LogCounters> Shot()
    {
        var shot = new LogShot();
        Outlet.Ask(shot);
        Outlet.Between();
        return shot.Counters;
    }

    readonly struct Sink(SearchRig rig) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) => rig._pending.Add(rig._json.ToText(e));
        public void OnIp(scoped in IpEvent e) => rig._pending.Add(rig._json.ToText(e));
        public void OnHttp(scoped in HttpEvent e) => rig._pending.Add(rig._json.ToText(e));
        public void OnTls(scoped in TlsEvent e) => rig._pending.Add(rig._json.ToText(e));

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }

        public void OnMark(in InputMark mark) => rig.Searches.Inputs[mark.Input].Accept(mark);
    }
}
