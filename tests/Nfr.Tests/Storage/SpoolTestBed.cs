using System.Text;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Tests.Storage;

/// <summary>A directory of its own, a clock that only the test moves, and events that say which they are.</summary>
public sealed class SpoolTestBed : IDisposable
{
    public SpoolTestBed(string? directory = null) =>
        Path = directory ?? System.IO.Path.Combine(System.IO.Path.GetTempPath(), "nfr-spool-" + Guid.NewGuid().ToString("n")[..12]);

    public string Path { get; }
    public ManualTime Time { get; } = new();

    public Spool Open(long maxBytes = 64 << 20, Func<SpoolOptions, SpoolOptions>? with = null)
    {
        var options = new SpoolOptions { Directory = Path, MaxBytes = maxBytes };
        return Spool.Open(with is null ? options : with(options), Time);
    }

    public static byte[] Line(string text) => Encoding.UTF8.GetBytes($"{{\"n\":\"{text}\"}}");

    /// <summary>About 200 bytes, as a DNS event is.</summary>
    public static byte[] DnsLine(Random random, int n) => Encoding.UTF8.GetBytes(
        $"{{\"ts\":\"2026-11-21T09:{n / 60 % 60:00}:{n % 60:00}.{random.Next(1_000_000):000000}Z\",\"srcIP\":\"10.14.{random.Next(8)}.{random.Next(256)}\","
        + $"\"query\":\"{Convert.ToHexStringLower(RandomBytes(random, random.Next(3, 12)))}.cdn{random.Next(400)}.example-{random.Next(60)}.net\","
        + $"\"qtype\":\"{(random.Next(3) == 0 ? "AAAA" : "A")}\",\"srcHost\":\"desk-{random.Next(200)}.office.example\",\"srcMac\":\"02:42:0a:0e:{random.Next(256):x2}:{random.Next(256):x2}\"}}");

    public static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    public static Alert Alert(string id, int samples = 1) => new()
    {
        Threats = [new AlertThreat(id, "A title with \"quotes\"", 4), new AlertThreat("second", "Zweitens", 2, Policy: true)],
        Flags = ["c2", "young_domain"],
        Labels = ["l"],
        Groups = [new AlertGroup("boston", "Boston office")],
        Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T09:00:00.123456Z", SrcIP = "10.0.0.1", SrcPort = 53, Query = "evil.example", QType = "A", BytesIn = 5_000_000_000 },
        Evidence = new AlertEvidence
        {
            Detector = "listed", Key = "10.0.0.1|evil.example", Summary = "A listed name.",
            Features = [new EvidenceFeature("names", 3, 1.5)],
            Facts = [new EvidenceValue("list", 0, "urlhaus")],
            Score = 1,
            Samples = [.. Enumerable.Range(0, samples).Select(i => $"{{\"type\":\"dns\",\"n\":{i}}}")],
            Count = 7,
        },
    };

    /// <summary>Promise 1, and that the counters agree with what can be read.</summary>
    public static void AssertCloses(Spool spool, long pending = 0)
    {
        SpoolCounters counters = spool.Counters;
        foreach (EventType type in EventTypes.Uploaded)
        {
            for (int scored = 0; scored < 2; scored++)
            {
                SpoolTally t = counters.Of(type, scored == 1);
                Assert.Equal(t.Spooled, t.InSpool + t.Delivered + t.Evicted + t.Quarantined);
                Assert.True(t.InSpool >= 0);
            }
            long most = 0;
            foreach (SpoolConsumer consumer in spool.Consumers)
            {
                ConsumerTally t = consumer.Tally(type);
                Assert.Equal(t.Since, t.Delivered + t.Quarantined + t.Missed + t.Waiting);
                Assert.Equal(t.Waiting, Waiting(consumer, type).Count);
                Assert.Equal(t.Waiting == 0, t.OldestWaiting is null);
                most = Math.Max(most, t.Waiting);
            }
            if (spool.Consumers.Count == 1) Assert.Equal(counters.Of(type).InSpool, most);
            else Assert.True(counters.Of(type).InSpool >= most);
        }
        Assert.Equal(counters.Total.Accepted, counters.Total.Spooled + counters.Total.LostBeforeSpool + pending);
        Assert.Equal(counters.Alerts.InSpool, spool.ReadAlerts(0, int.MaxValue).Count);
    }

    /// <summary>All that waits for a consumer, by sequence; on both sides of its hole.</summary>
    public static SortedDictionary<long, string> Waiting(SpoolConsumer consumer, EventType type)
    {
        var waiting = new SortedDictionary<long, string>();
        SpoolBatch? oldest = consumer.Peek(type, int.MaxValue, int.MaxValue);
        Add(oldest);
        // Only with a hole is there more than the oldest; without one this would make it.
        if ((oldest?.Count ?? 0) < consumer.Tally(type).Waiting) Add(consumer.Peek(type, int.MaxValue, int.MaxValue, SpoolEnd.Live));
        return waiting;

        void Add(SpoolBatch? batch)
        {
            List<string> texts = Texts(batch);
            for (int i = 0; i < texts.Count; i++) waiting.Add(batch!.SequenceOf(i), texts[i]);
        }
    }

    public static List<string> Texts(SpoolBatch? batch) =>
        batch is null ? [] : [.. batch.Lines().Select(l => Encoding.UTF8.GetString(l.Span))];

    /// <summary>What a kill leaves of a spool that is open and at rest.</summary>
    public static SpoolTestBed Killed(SpoolTestBed bed)
    {
        var image = new SpoolTestBed(bed.Path + "-k");
        Directory.CreateDirectory(image.Path);
        foreach (string name in (string[])["spool.db", "spool.db-wal", "sensor.json"]) File.Copy(System.IO.Path.Combine(bed.Path, name), System.IO.Path.Combine(image.Path, name));
        return image;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
        }
    }
}
