using System.IO.Compression;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Servers;

/// <summary>
/// The outputs that speak HTTP before every kind of bad server: counted tries a second apart, or alerts that are refused and counted; and when the server is well again everything
/// arrives, in order. Real sockets, time ten times as fast.
/// </summary>
public sealed class BadOutputServerTests(ITestOutputHelper output) : IDisposable
{
    const int Speed = 10, First = 30, Then = 10;

    /// <summary>A whole answer of 200, whatever it says, is a webhook's yes; of two lengths the platform's client takes the first, and one below zero for none.</summary>
    static readonly string[] s_fooling = ["a portal's page", "garbage JSON", "JSON of 200,000 brackets", "more than it said", "two lengths", "a negative length"];

    readonly TestCertificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    /// <summary>What a cluster can do besides: answers that are a cluster's, but not good ones.</summary>
    static IReadOnlyList<Misbehaviour> OfClusters { get; } =
    [
        Bulk("every item put off", n => Items(n, 429)),
        Bulk("every item fails with 503", n => Items(n, 503)),
        Bulk("fewer items than documents", n => Items(n - 1, 201)),
        Bulk("more items than documents", n => Items(n + 1, 201)),
        Bulk("no items", _ => """{"errors":false}"""),
        Bulk("items that are none", n => $$"""{"errors":false,"items":[{{string.Join(',', Enumerable.Repeat("{}", n))}}]}"""),
        Bulk("statuses that are words", n => Items(n, 201).Replace("201", "\"created\"", StringComparison.Ordinal)),
    ];

    [Fact]
    public async Task Alerts_for_a_webhook_outlast_every_bad_server() =>
        await EachMood.RunAsync(output, "webhook", [.. Misbehaviour.Plain, .. Misbehaviour.Tls], mood => WebhookAsync(mood, failures: Tier.Of(2, 6)));

    [Fact]
    public async Task Alerts_for_a_cluster_outlast_every_bad_server() =>
        // Between giving up one alert and the next it waits for minutes: too long for every run.
        await EachMood.RunAsync(output, "alerts for a cluster", [.. Misbehaviour.Plain.Where(mood => Tier.IsLong || mood.Name != "413"), .. OfClusters, .. Misbehaviour.Tls], mood => ClusterAsync(mood, failures: Tier.Of(2, 6)));

    [Fact]
    public async Task Events_for_a_cluster_outlast_every_bad_server() =>
        await EachMood.RunAsync(output, "events for a cluster", [.. Misbehaviour.Plain, .. OfClusters, .. Misbehaviour.Tls], mood => EventsAsync(mood, failures: Tier.Of(2, 6)));

    async Task<EachMood.Course> WebhookAsync(Misbehaviour mood, int failures)
    {
        var came = new List<int>();
        var ids = new HashSet<string>();
        int requests = 0;
        await using BadServer server = new(async exchange =>
        {
            int[] numbers = EachMood.Numbers(Encoding.UTF8.GetString(await exchange.BodyAsync()));
            // What a receiver does by Standard Webhooks: an id that it has had is no news.
            lock (came)
            {
                requests += numbers.Length;
                if (ids.Add(exchange.Header("webhook-id")!)) came.AddRange(numbers);
            }
            await exchange.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }, mood.IsTls ? _certificates : null) { Mood = mood };
        var time = new FastTime(Speed);
        bool fooled = s_fooling.Contains(mood.Name);
        EachMood.Course course = await AlertsAsync(
            server, mood, time, failures, new WebhookSinkOptions { Url = new Uri(server.Host + "/hook"), Tls = new TlsSettings { Roots = _certificates.RootFile } },
            state => fooled && state.Alerts == First);
        lock (came)
        {
            // Who refuses everything is believed to be set up wrongly: nothing is passed by.
            Assert.Equal(Enumerable.Range(fooled ? First : 0, fooled ? Then : First + Then), came);
            return course with { Doubled = requests - came.Count };
        }
    }

    async Task<EachMood.Course> ClusterAsync(Misbehaviour mood, int failures)
    {
        var index = new Documents();
        await using BadServer server = new(index.AnswerAsync, mood.IsTls ? _certificates : null) { Mood = mood };
        var time = new FastTime(Speed);
        long refused = 0;
        EachMood.Course course = await AlertsAsync(server, mood, time, failures, new ElasticSinkOptions { Cluster = Cluster(server) }, _ => false, count => refused = count);
        // Some are given up one by one where nothing else is taken, then it waits.
        Assert.InRange(refused, 0, mood.Name == "413" ? First - 1 : 0);
        Assert.Equal(Enumerable.Range((int)refused, First + Then - (int)refused), index.Numbers);
        return course with { Doubled = index.Conflicts };
    }

    async Task<EachMood.Course> AlertsAsync(BadServer server, Misbehaviour mood, FastTime time, int failures, SinkOptions sink, Func<AlertOutputState, bool> passed, Action<long>? refused = null)
    {
        using var folder = new RamFolder();
        using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path }, TimeProvider.System);
        EachMood.Append(spool, 0, First);
        using var out1 = new AlertOutput(spool, new OutputOptions { Name = "out", Sink = sink }, new SensorIdentity("2.0.0", spool.SensorId, "box"), time, _ => { });
        using var stop = new CancellationTokenSource();
        long begin = time.GetTimestamp();
        Task running = out1.RunAsync(stop.Token);
        await EachMood.UntilAsync(() => out1.State.FailedWrites >= failures || passed(out1.State), running, () => $"tries are counted: {out1.State}");
        var course = new EachMood.Course(server.Tries, time.GetElapsedTime(begin));
        // Halves of what is refused follow each other at once: they are answers of a server that is there.
        if (!mood.Refuses) EachMood.AssertSpaced(course);
        using var again = new CancellationTokenSource();
        running = await GetWellAsync(server, mood, running, stop, () => out1.RunAsync(again.Token));
        EachMood.Append(spool, First, First + Then);
        await EachMood.UntilAsync(() => out1.State.Alerts + out1.State.Refused >= First + Then, running, () => $"all alerts are taken once the server is well: {out1.State}");
        Assert.Equal(First + Then, out1.State.Alerts + out1.State.Refused);
        if (!mood.Refuses) Assert.Equal(0, out1.State.Refused);
        refused?.Invoke(out1.State.Refused);
        await stop.CancelAsync();
        await again.CancelAsync();
        await running.WaitAsync(EachMood.Limit);
        return course;
    }

    async Task<EachMood.Course> EventsAsync(Misbehaviour mood, int failures)
    {
        const int events = 240;
        var index = new Documents();
        await using BadServer server = new(index.AnswerAsync, mood.IsTls ? _certificates : null) { Mood = mood };
        var time = new FastTime(Speed);
        using var folder = new RamFolder();
        using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path, Consumers = [ElasticEventOptions.Consumer] }, TimeProvider.System);
        for (int i = 0; i < events; i++)
        {
            spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes($$"""{"ts":"2026-11-21T12:00:00Z","srcIP":"10.0.0.1","query":"a{{i}}.example","qtype":"A"}"""));
            if (i % 60 == 59) Assert.Null(spool.Flush());
        }
        var each = new UploadTypeOptions { FlushInterval = TimeSpan.FromMilliseconds(200), BufferSize = 120 };
        var off = each with { Enabled = false };
        var options = new UploadOptions
        {
            Consumer = ElasticEventOptions.Consumer, Dns = each, Ip = off, Http = off, Tls = off, KeyRecheck = TimeSpan.FromSeconds(3), BackoffCap = TimeSpan.FromSeconds(10),
        };
        using var cluster = new ElasticEvents(new ElasticEventOptions { Cluster = Cluster(server) }, new SensorIdentity("2.0.0", spool.SensorId, "box"), time);
        var uploader = new Uploader(cluster, spool, options, time, _ => { });
        using var stop = new CancellationTokenSource();
        long begin = time.GetTimestamp();
        Task running = uploader.RunAsync(stop.Token);
        bool refuses = mood.Name == "413";
        await EachMood.UntilAsync(() => Failures() >= failures && (!refuses || spool.Counters.Total.Quarantined > 0), running, () => $"retries are counted: {Failures()}, {spool.Counters.Total}");
        var course = new EachMood.Course(server.Tries, time.GetElapsedTime(begin));
        if (!mood.Refuses) EachMood.AssertSpaced(course);
        using var again = new CancellationTokenSource();
        running = await GetWellAsync(server, mood, running, stop, () => uploader.RunAsync(again.Token));
        await EachMood.UntilAsync(() => spool.Counters.Total.InSpool == 0, running, () => $"all is delivered once the server is well: {spool.Counters.Total}");
        await stop.CancelAsync();
        await again.CancelAsync();
        await running.WaitAsync(EachMood.Limit);
        SpoolTally total = spool.Counters.Total;
        Assert.Equal(events, total.Delivered + total.Quarantined);
        if (refuses) Assert.True(total.Quarantined > 0);
        else Assert.Equal(0, total.Quarantined);
        Assert.Equal(total.Delivered, index.Numbers.Count);
        Assert.Equal(index.Numbers.Order(), index.Numbers);
        return course with { Doubled = index.Conflicts };

        long Failures() => uploader.State.Types.Sum(t => t.FailedRequests);
    }

    /// <summary>
    /// A batch that is refused whole goes again by halves. Where the server got well between two of them, what was alone in the last refused one would rightly be taken for the reason, and be passed by:
    /// so it gets well while none is on its way.
    /// </summary>
    static async Task<Task> GetWellAsync(BadServer server, Misbehaviour mood, Task running, CancellationTokenSource stop, Func<Task> begin)
    {
        if (mood.Refuses)
        {
            await stop.CancelAsync();
            await running.WaitAsync(EachMood.Limit);
        }
        server.Mood = null;
        return mood.Refuses ? begin() : running;
    }

    ElasticOptions Cluster(BadServer server) => new() { Hosts = [new Uri(server.Host + "/")], Tls = new TlsSettings { Roots = _certificates.RootFile } };

    static Misbehaviour Bulk(string name, Func<int, string> answer) => new(name, async exchange =>
    {
        string body = answer(Lines(await exchange.BodyAsync()).Count / 2);
        await exchange.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    });

    static string Items(int count, int status) =>
        $$"""{"errors":{{(status < 300 ? "false" : "true")}},"items":[{{string.Join(',', Enumerable.Repeat($$$"""{"create":{"status":{{{status}}}}}""", count))}}]}""";

    static List<string> Lines(byte[] body)
    {
        using var reader = new StreamReader(new GZipStream(new MemoryStream(body), CompressionMode.Decompress));
        var lines = new List<string>();
        while (reader.ReadLine() is { } line) lines.Add(line);
        return lines;
    }

    /// <summary>An index of a cluster that is well: an id that it has is a conflict.</summary>
    sealed class Documents
    {
        readonly Lock _lock = new();
        readonly HashSet<string> _ids = [];
        readonly List<int> _numbers = [];

        public int Conflicts { get; private set; }

        public IReadOnlyList<int> Numbers
        {
            get
            {
                lock (_lock) return [.. _numbers];
            }
        }

        public async Task AnswerAsync(Exchange exchange)
        {
            List<string> lines = Lines(await exchange.BodyAsync());
            var items = new List<string>();
            lock (_lock)
            {
                for (int i = 0; i + 1 < lines.Count; i += 2)
                {
                    bool isNew = _ids.Add(lines[i]);
                    if (isNew) _numbers.Add(EachMood.Number(lines[i + 1]));
                    else Conflicts++;
                    items.Add($$$"""{"create":{"status":{{{(isNew ? 201 : 409)}}}}}""");
                }
            }
            string answer = $$"""{"errors":false,"items":[{{string.Join(',', items)}}]}""";
            await exchange.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {answer.Length}\r\n\r\n{answer}");
        }
    }
}
