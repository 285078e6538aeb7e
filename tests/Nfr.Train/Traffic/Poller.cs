using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>How a contact shows: a handshake and its flow, a request, a flow alone, a query alone.</summary>
public enum ContactKind
{
    Tls,
    Http,
    Flow,
    Query,
}

/// <summary>A day of contacts by one scorer, without a real one: times are seconds from the start, and events come in their order.</summary>
sealed class Poller(Detectors enabled = Detectors.All, Thresholds? thresholds = null) : IDisposable
{
    readonly Simulated _run = new(thresholds, enabled);
    readonly List<(double Second, Action Event)> _events = [];

    public const double Day = 86_400;

    public List<Alert> Alerts => _run.Alerts;
    public Scorer Scorer => _run.Scorer;
    /// <summary>When each alert was raised, seconds from the start.</summary>
    public List<double> RaisedAt { get; } = [];

    public void At(double second, Action<Scorer, List<Alert>, long> what) => _events.Add((second, () => what(_run.Scorer, _run.Alerts, (long)((1000 + second) * 1e9))));

    /// <summary>Contacts of a client at the given times.</summary>
    public void Contacts(IEnumerable<double> seconds, ContactKind kind, string host, Address client, Address server, Func<int>? bytes = null, ushort port = 443, App app = App.Tls,
        uint timeToLive = 30, byte protocol = 6)
    {
        ushort sourcePort = 40_000;
        foreach (double second in seconds)
        {
            EventContext context = new() { Source = client, Destination = server, SourcePort = ++sourcePort, DestinationPort = port, Protocol = protocol };
            int size = bytes?.Invoke() ?? 300;
            switch (kind)
            {
                case ContactKind.Tls:
                    At(second + 0.05, (scorer, alerts, tick) => scorer.Score(new TlsEvent { Context = context with { Tick = tick }, Sni = Encoding.ASCII.GetBytes(host) }, alerts));
                    Flow(second, context, size, app);
                    break;
                case ContactKind.Http:
                    At(second + 0.05, (scorer, alerts, tick) => scorer.Score(
                        new HttpEvent { Context = context with { Tick = tick }, Host = Encoding.ASCII.GetBytes(host), Url = Encoding.ASCII.GetBytes($"http://{host}/in"), Method = "POST"u8, BytesOut = size }, alerts));
                    Flow(second, context, size, App.Http);
                    break;
                case ContactKind.Flow:
                    Flow(second, context, size, app == App.Tls ? App.Unknown : app);
                    break;
                default:
                    At(second, (scorer, alerts, tick) => Query(scorer, alerts, tick, host, client, server, timeToLive));
                    break;
            }
        }
    }

    /// <summary>Its end is seen two seconds after its start.</summary>
    public void Flow(double second, EventContext context, int bytes, App app) => At(second + 2, (scorer, alerts, tick) => scorer.Score(
        new IpEvent
        {
            Context = context with { Tick = tick - (2 * Simulated.Second) }, Duration = 2 * Simulated.Second, State = ConnectionState.SF, App = app, PacketsIn = 4, PacketsOut = 4,
            BytesIn = 900, BytesOut = bytes + 160, PayloadIn = 700, PayloadOut = bytes, TcpFlags = 0x1B,
        }, alerts));

    static void Query(Scorer scorer, List<Alert> alerts, long tick, string host, Address client, Address server, uint timeToLive)
    {
        Span<byte> buffer = stackalloc byte[64];
        var writer = new DnsAnswerWriter(buffer);
        writer.Commit(server.IsV4 ? (ushort)1 : (ushort)28, timeToLive, server.Format(writer.TextSpace));
        scorer.Score(new DnsEvent
        {
            Context = new EventContext { Tick = tick, Source = client, Destination = Simulated.Resolver, SourcePort = 5000, DestinationPort = 53, Protocol = 17 },
            Query = Encoding.ASCII.GetBytes(host), QueryType = 1, Answers = writer.Written, QueryLength = 50, ResponseLength = 80, Service = App.Dns,
        }, alerts);
    }

    /// <summary>Contacts until the end: each sleeps anew for the interval, more or less by the jitter.</summary>
    public static IEnumerable<double> Timer(Random random, double interval, double jitter, double start = 0, double end = Day)
    {
        for (double second = start; second < end; second += interval * (1 + (jitter * ((2 * random.NextDouble()) - 1)))) yield return second;
    }

    /// <summary>Contacts at random, so many seconds apart on average.</summary>
    public static IEnumerable<double> Chance(Random random, double mean, double end = Day)
    {
        for (double second = -mean * Math.Log(1 - random.NextDouble()); second < end; second -= mean * Math.Log(1 - random.NextDouble())) yield return second;
    }

    /// <summary>Visits at random, each with a few pages that are read for a while.</summary>
    public static IEnumerable<double> Browsing(Random random, double visits, double end = Day)
    {
        foreach (double visit in Chance(random, visits, end))
        {
            double second = visit;
            for (int pages = 1 + random.Next(12); pages > 0; pages--)
            {
                yield return second;
                second += 4 + (60 * -Math.Log(1 - random.NextDouble()) * (0.5 + random.NextDouble()));
            }
        }
    }

    public void Run()
    {
        foreach ((double second, Action what) in _events.OrderBy(e => e.Second))
        {
            what();
            while (RaisedAt.Count < Alerts.Count) RaisedAt.Add(second);
        }
        _events.Clear();
    }

    public void Dispose() => _run.Dispose();
}
