using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Servers;

/// <summary>
/// Every way in which a server can be bad, for uploads, for the polling of alerts and for lists: it ends in counted retries (or in quarantine, where the engine says so)
/// within the time-out, requests keep their distance, and when the server is well again everything arrives, in order. Real sockets, with the times shortened.
/// </summary>
public sealed class BadServerTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Of one request; 30 s in life.</summary>
    static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(2);
    /// <summary>Between requests while they fail; 1 s in life.</summary>
    static readonly TimeSpan s_spacing = TimeSpan.FromMilliseconds(100);
    /// <summary>Whoever is not through within this is stuck, also on a busy machine.</summary>
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    readonly TestCertificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public async Task Events_outlast_every_bad_server() =>
        await EachAsync("events", [.. Misbehaviour.Plain, .. Misbehaviour.Tls], mood => EventsAsync(mood, failures: Tier.Of(2, 12)));

    [Fact]
    public async Task Alerts_are_fetched_once_and_in_order_in_spite_of_every_bad_server() =>
        await EachAsync("alerts", [.. Misbehaviour.Plain, .. Misbehaviour.Tls], mood => AlertsAsync(mood, failures: Tier.Of(2, 12)));

    [Fact]
    public async Task A_list_keeps_its_last_good_copy_in_spite_of_every_bad_server() =>
        await EachAsync("lists", [.. Misbehaviour.Plain, .. Misbehaviour.Tls], ListAsync);

    [Fact]
    public async Task Events_and_alerts_outlast_servers_that_are_bad_in_all_ways_in_turn()
    {
        var random = new Random(5);
        Misbehaviour Mixture(int seed)
        {
            var own = new Random(seed);
            Misbehaviour[] of = [.. Misbehaviour.Plain.Where(m => !m.Refuses)];
            return new Misbehaviour($"mixture {seed}", async exchange =>
            {
                Misbehaviour mood;
                lock (own) mood = of[own.Next(of.Length)];
                await mood.AnswerAsync(exchange);
                if (mood.Closes) exchange.Socket.Close();
            });
        }
        await EachAsync("events, mixed", [.. Enumerable.Range(0, Tier.Of(4, 20)).Select(_ => Mixture(random.Next()))], mood => EventsAsync(mood, failures: Tier.Of(12, 100)));
        await EachAsync("alerts, mixed", [.. Enumerable.Range(0, Tier.Of(4, 20)).Select(_ => Mixture(random.Next()))], mood => AlertsAsync(mood, failures: Tier.Of(12, 100)));
    }

    /// <summary>All of them side by side: most of the time is spent in waiting for time-outs.</summary>
    async Task EachAsync(string what, IReadOnlyList<Misbehaviour> moods, Func<Misbehaviour, Task<(int Tries, TimeSpan Took)>> run)
    {
        var faults = new ConcurrentBag<string>();
        int tries = 0;
        TimeSpan longest = default;
        long begin = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(moods, new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (mood, _) =>
        {
            try
            {
                (int n, TimeSpan took) = await run(mood);
                lock (faults)
                {
                    tries += n;
                    if (took > longest) longest = took;
                }
            }
            catch (Exception e)
            {
                faults.Add($"{mood.Name}: {e.Message.ReplaceLineEndings(" ")} {e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("BadServerTests", StringComparison.Ordinal))?.Trim()}");
            }
        });
        output.WriteLine($"{what}: {moods.Count} kinds of bad server, {tries} tries, {faults.Count} faults; the slowest kind took {longest.TotalSeconds:0.0} s, all of them {Stopwatch.GetElapsedTime(begin).TotalSeconds:0} s; {Misbehaviour.Swallowed >> 20} MiB of endless answers were sent so far");
        Assert.True(faults.IsEmpty, string.Join("\n", faults));
    }

    async Task<(int, TimeSpan)> EventsAsync(Misbehaviour mood, int failures)
    {
        const int events = 1200;
        var came = new List<int>();
        var known = new HashSet<int>();
        int batchesAgain = 0;
        await using BadServer server = new(async exchange =>
        {
            int[] numbers = Numbers(await exchange.BodyAsync());
            lock (came)
            {
                came.AddRange(numbers);
                if (numbers.Count(known.Add) < numbers.Length) batchesAgain++;
            }
            string answer = $"{{\"received\":{numbers.Length},\"accepted\":{numbers.Length}}}";
            await exchange.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {answer.Length}\r\n\r\n{answer}");
        }, mood.IsTls ? _certificates : null) { Mood = mood };
        using var folder = new RamFolder();
        using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path }, TimeProvider.System);
        for (int i = 0; i < events; i++)
        {
            spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes($"{{\"n\":{i},\"query\":\"host-{i}.example\"}}"));
            if (i % 100 == 99) Assert.Null(spool.Flush());
        }
        using var client = Client(server.Host, spool.SensorId);
        var each = new UploadTypeOptions { FlushInterval = TimeSpan.FromMilliseconds(20) };
        var off = each with { Enabled = false };
        var options = new UploadOptions
        {
            Dns = each with { BufferSize = 500 }, Ip = off, Http = off, Tls = off, BackoffBase = TimeSpan.FromMilliseconds(5), BackoffCap = TimeSpan.FromMilliseconds(50), KeyRecheck = TimeSpan.FromMilliseconds(100),
        };
        var uploader = new Uploader(client, spool, options, new RequestPacer(TimeProvider.System, s_spacing), TimeProvider.System, _ => { });
        using var stop = new CancellationTokenSource();
        long begin = Stopwatch.GetTimestamp();
        Task running = uploader.RunAsync(stop.Token);
        await UntilAsync(() => Failures() >= failures, running, "retries are counted");
        long failed = Failures();
        int tries = server.Tries;
        TimeSpan bad = Stopwatch.GetElapsedTime(begin);
        AssertSpaced(tries, bad, repeats: 0);
        server.Mood = null;
        await UntilAsync(() => spool.Counters.Total.InSpool == 0, running, "all is delivered once the server is well");
        await stop.CancelAsync();
        await running.WaitAsync(s_limit);

        SpoolTally total = spool.Counters.Total;
        Assert.Equal(events, total.Delivered + total.Quarantined);
        if (!mood.Refuses) Assert.Equal(0, total.Quarantined);
        lock (came)
        {
            // A batch comes again only where the client was too busy to read a good answer in time, and that is a failure more.
            Assert.InRange(batchesAgain, 0, Failures() - failed);
            int[] distinct = [.. came.Distinct()];
            Assert.Equal(distinct.Order(), distinct);
            Assert.Equal(total.Delivered, distinct.Length);
        }
        return (server.Tries, bad);

        long Failures() => uploader.State.Types.Sum(t => t.FailedRequests);
    }

    async Task<(int, TimeSpan)> AlertsAsync(Misbehaviour mood, int failures)
    {
        const int pages = 12, ofPage = 5;
        int calls = 0;
        BadServer? made = null;
        await using BadServer server = new(async exchange =>
        {
            await exchange.BodyAsync();
            string line = exchange.Line;
            int follow = line.Contains("follow=", StringComparison.Ordinal) ? int.Parse(line[(line.IndexOf("follow=", StringComparison.Ordinal) + 7)..], CultureInfo.InvariantCulture) : 0;
            int next = Math.Min(follow + 1, pages);
            string items = string.Join(',', Enumerable.Range(0, next > follow ? ofPage : 0).Select(i => Item((follow * ofPage) + i)));
            string page = $$"""{"follow":"{{next}}","more":{{(next < pages ? "true" : "false")}},"alerts":[{{items}}],"threats":{"c2_comm":{"title":"C2 communication","severity":5} } }""";
            // Two good pages first, so that the trouble comes in the middle.
            if (Interlocked.Increment(ref calls) == 2) made!.Mood = mood;
            await exchange.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {page.Length}\r\n\r\n{page}");
            if (calls == 2) exchange.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Both);
        }, mood.IsTls ? _certificates : null);
        made = server;
        using var folder = new RamFolder();
        using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path }, TimeProvider.System);
        using var client = Client(server.Host, spool.SensorId);
        var options = new AlertPollerOptions
        {
            PollInterval = TimeSpan.FromMilliseconds(50), BackoffBase = TimeSpan.FromMilliseconds(5), BackoffCap = TimeSpan.FromMilliseconds(50), KeyRecheck = TimeSpan.FromMilliseconds(100),
        };
        var poller = new AlertPoller(client, spool, options, _ => [], new RequestPacer(TimeProvider.System, s_spacing), TimeProvider.System, _ => { });
        using var stop = new CancellationTokenSource();
        long begin = Stopwatch.GetTimestamp();
        Task running = poller.RunAsync(stop.Token);
        await UntilAsync(() => poller.State.FailedRequests + poller.State.BadPages >= failures, running, "retries are counted");
        int tries = server.Tries;
        TimeSpan bad = Stopwatch.GetElapsedTime(begin);
        // The platform's HTTP client repeats a GET up to three times by itself when its connection is closed without a word; a POST never.
        AssertSpaced(tries, bad, repeats: 3 * (int)(poller.State.FailedRequests + poller.State.BadPages + 1));
        server.Mood = null;
        await UntilAsync(() => spool.Counters.Alerts.Spooled >= pages * ofPage, running, "all alerts are fetched once the server is well");
        await stop.CancelAsync();
        await running.WaitAsync(s_limit);
        Assert.Equal(Enumerable.Range(0, pages * ofPage).Select(n => $"a{n}.example"), spool.ReadAlerts(0, 1000).Select(a => a.Alert.Event.Query));
        return (server.Tries, bad);

        static string Item(int n) =>
            $$"""{"eventType":"dns","event":{"ts":"2026-11-21T12:00:00Z","srcIP":"10.0.0.{{n}}","query":"a{{n}}.example","qtype":"A"},"threats":["c2_comm"],"wisdom":{"flags":["c2"]} }""";
    }

    async Task<(int, TimeSpan)> ListAsync(Misbehaviour mood)
    {
        if (mood.FoolsLists) return (0, default);
        string list = string.Join('\n', Enumerable.Range(0, 40).Select(i => $"n{i}.example.net")) + "\n";
        // Roots of one's own are no setting of lists: over TLS there never is a good one here.
        await using BadServer server = new(async exchange => await exchange.AnswerAsync(200, list), mood.IsTls ? _certificates : null);
        using var folder = new RamFolder();
        string copy = folder.In("c2.txt");
        if (mood.IsTls) await File.WriteAllTextAsync(copy, list);
        using var fetcher = new FeedFetcher(
            new FeedOptions { Folder = folder.Path, Version = "1", ConnectTimeout = s_timeout, IdleTimeout = s_timeout, TotalTimeout = s_timeout },
            [new FeedSource { Name = "c2.txt", Url = new Uri(server.Host + "/list"), MaxBytes = 64 << 10 }],
            (_, path) => File.ReadLines(path).All(line => line.Length is 0 || line.EndsWith(".example.net", StringComparison.Ordinal)) ? new FeedVerdict(40, null) : new FeedVerdict(0, "no list"),
            TimeProvider.System, _ => { });
        if (!mood.IsTls)
        {
            // A busy machine may be late once.
            for (int i = 0; i < 10 && fetcher.States[0].Fetched == 0; i++) await fetcher.FetchAsync("c2.txt", default).WaitAsync(s_limit);
            Assert.Equal(1, fetcher.States[0].Fetched);
        }
        Assert.Equal(list, await File.ReadAllTextAsync(copy));
        server.Mood = mood;
        long before = fetcher.States[0].Failed;
        long begin = Stopwatch.GetTimestamp();
        for (int i = 1; i <= 2; i++)
        {
            TimeSpan wait = await fetcher.FetchAsync("c2.txt", default).WaitAsync(s_limit);
            Assert.True(fetcher.States[0].Failed == before + i, $"{fetcher.States[0]}");
            Assert.True(wait >= TimeSpan.FromSeconds(1));
            Assert.Equal(list, await File.ReadAllTextAsync(copy));
            Assert.DoesNotContain(Directory.GetFiles(folder.Path), file => file.EndsWith(".part", StringComparison.Ordinal));
        }
        TimeSpan bad = Stopwatch.GetElapsedTime(begin);
        if (mood.IsTls) return (server.Tries, bad);
        server.Mood = null;
        list += "one-more.example.net\n";
        // The connection of a bad answer may be the first that is tried again.
        for (int i = 0; i < 10 && fetcher.States[0].Fetched == 1; i++) await fetcher.FetchAsync("c2.txt", default).WaitAsync(s_limit);
        Assert.Equal(list, await File.ReadAllTextAsync(copy));
        return (server.Tries, bad);
    }

    EngineClient Client(string host, string sensor) => new(
        new EngineOptions { Host = host, ApiKey = "KEY1", Version = "2.0.0", SensorId = sensor, ConnectTimeout = s_timeout, TotalTimeout = s_timeout, Tls = new TlsSettings { Roots = _certificates.RootFile } },
        TimeProvider.System);

    /// <summary>Tries of one client keep the pacer's distance; the first one and the last need none.</summary>
    static void AssertSpaced(int tries, TimeSpan during, int repeats) =>
        Assert.True(tries <= (during / s_spacing) + 3 + repeats, $"{tries} tries in {during.TotalSeconds:0.0} s");

    static int[] Numbers(byte[] body)
    {
        using var lines = new StreamReader(new GZipStream(new MemoryStream(body), CompressionMode.Decompress));
        var numbers = new List<int>();
        while (lines.ReadLine() is { } line) numbers.Add(int.Parse(line["{\"n\":".Length..line.IndexOf(',', StringComparison.Ordinal)], CultureInfo.InvariantCulture));
        return [.. numbers];
    }

    static async Task UntilAsync(Func<bool> condition, Task running, string what)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (running.IsCompleted) throw new InvalidOperationException("the stage ended: " + running.Exception?.Message);
            if (Stopwatch.GetElapsedTime(begin) > s_limit) throw new TimeoutException($"not within {s_limit.TotalSeconds:0} s: {what}");
            await Task.Delay(10);
        }
    }
}
