using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Servers;

/// <summary>Events that the engine refuses for ever, wherever they lie: found by halves, put aside and counted, the others delivered.</summary>
public sealed class PoisonTests(ITestOutputHelper output)
{
    const int Events = 3000;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(12)]
    public async Task Exactly_the_events_that_the_engine_refuses_are_put_aside(int poisons)
    {
        int rounds = Tier.Of(6, 200), requests = 0, most = 0;
        for (int round = 0; round < rounds; round++)
        {
            var random = new Random((poisons * 1000) + round);
            // A poisoned batch is refused with any of the three answers that say "these bytes never".
            var refusing = new Refusing(Enumerable.Range(0, Events).OrderBy(_ => random.Next()).Take(poisons).ToHashSet(), (HttpStatusCode)new[] { 400, 413, 422 }[round % 3]);
            using var folder = new RamFolder();
            SpoolTally total = default;
            int appended = 0;
            // In two lives: the second goes on where an orderly stop left the first, at times in the middle of the halves.
            for (int life = 0; life < 2; life++)
            {
                using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path }, TimeProvider.System);
                for (int until = life == 0 ? Events / 2 : Events; appended < until;)
                {
                    int burst = Math.Min(random.Next(1, 400), until - appended);
                    for (int i = 0; i < burst; i++) spool.Append(EventType.Dns, appended % 7 == 0 ? 2 : 0, Encoding.UTF8.GetBytes($"{{\"n\":{appended++},\"query\":\"host.example\"}}"));
                    Assert.Null(spool.Flush());
                }
                using var client = new EngineClient(new EngineOptions { Host = "http://engine.example", ApiKey = "KEY1", Version = "2.0.0" }, TimeProvider.System, refusing);
                var each = new UploadTypeOptions { FlushInterval = TimeSpan.FromMilliseconds(5) };
                var options = new UploadOptions { Dns = each, Ip = each, Http = each, Tls = each, BackoffBase = TimeSpan.FromMilliseconds(1), BackoffCap = TimeSpan.FromMilliseconds(5) };
                var uploader = new Uploader(client, spool, options, new RequestPacer(TimeProvider.System, TimeSpan.FromMilliseconds(1)), TimeProvider.System, _ => { });
                using var stop = new CancellationTokenSource();
                Task running = uploader.RunAsync(stop.Token);
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
                int enough = random.Next(1, 12);
                while (life == 0 ? refusing.Requests < enough && spool.Counters.Total.InSpool > 0 : spool.Counters.Total.InSpool > 0) await Task.Delay(1, limit.Token);
                await stop.CancelAsync();
                await running;
                total = spool.Counters.Total;
            }
            Assert.Equal(new SpoolTally(Events, Events, 0, Events - poisons, 0, poisons, 0), total);
            Assert.Equal(Events - poisons, refusing.Taken.Count);
            Assert.Equal(Enumerable.Range(0, Events).Where(n => !refusing.Poison.Contains(n)), refusing.Taken.Order());
            requests += refusing.Requests;
            most = Math.Max(most, refusing.Requests);
        }
        output.WriteLine($"{poisons} poisoned of {Events:N0} events, {rounds} rounds of two lives: {poisons} put aside, {Events - poisons:N0} delivered once each; {requests / rounds} requests a round, {most} at most");
        // A poison costs the halves of a batch down to it; a row has 500 events, a batch has them all.
        Assert.True(most < 60 + (poisons * 2 * (int)Math.Ceiling(Math.Log2(Events)) * 2), $"{most} requests");
    }

    sealed class Refusing(HashSet<int> poison, HttpStatusCode says) : HttpMessageHandler
    {
        readonly Lock _lock = new();

        public HashSet<int> Poison => poison;
        public List<int> Taken { get; } = [];
        public int Requests { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var lines = new StreamReader(new GZipStream(new MemoryStream(await request.Content!.ReadAsByteArrayAsync(cancellationToken)), CompressionMode.Decompress));
            var numbers = new List<int>();
            while (await lines.ReadLineAsync(cancellationToken) is { } line) numbers.Add(int.Parse(line["{\"n\":".Length..line.IndexOf(',', StringComparison.Ordinal)], CultureInfo.InvariantCulture));
            lock (_lock)
            {
                Requests++;
                if (numbers.Any(poison.Contains)) return new HttpResponseMessage(says) { Content = new StringContent("{\"message\":\"cannot read that\"}") };
                Taken.AddRange(numbers);
                return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("{}") };
            }
        }
    }
}
