using System.Text;
using Nfr.Events;
using Nfr.Storage;
using static Nfr.Tests.Storage.SpoolTestBed;

namespace Nfr.Tests.Storage;

public sealed class SpoolEvictionTests
{
    const long Small = 512 << 10;

    // Does not compress, so that a known number of them fills the ring.
    static byte[] Fat(Random random, string name, int bytes = 700) =>
        Encoding.UTF8.GetBytes($"{{\"n\":\"{name}\",\"x\":\"{Convert.ToBase64String(RandomBytes(random, bytes))}\"}}");

    static List<string> Names(Spool spool, EventType type) =>
        [.. Texts(spool.Peek(type, int.MaxValue, int.MaxValue)).Select(t => t[6..t.IndexOf('"', 6)])];

    [Fact]
    public void Unscored_events_go_before_scored_ones_and_the_oldest_first()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(Small);
        var random = new Random(1);
        for (int i = 0; i < 20; i++) spool.Append(EventType.Http, 7, Fat(random, $"s{i}"));
        Assert.Null(spool.Flush());
        for (int i = 0; i < 600; i++)
        {
            spool.Append(i % 2 == 0 ? EventType.Dns : EventType.Tls, 0, Fat(random, $"{i}"));
            if (i % 10 == 9) Assert.Null(spool.Flush());
            Assert.True(spool.Counters.BytesOnDisk <= Small, $"{spool.Counters.BytesOnDisk} bytes on disk");
        }
        SpoolCounters counters = spool.Counters;
        Assert.Equal(20, counters.Of(EventType.Http, true).InSpool);
        Assert.True(counters.Of(EventType.Dns).Evicted > 50);
        List<string> dns = Names(spool, EventType.Dns), tls = Names(spool, EventType.Tls);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i * 2}").Skip(300 - dns.Count), dns);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{(i * 2) + 1}").Skip(300 - tls.Count), tls);
        Assert.True(Math.Abs(dns.Count - tls.Count) <= 5);
        AssertCloses(spool);

        // Only when no unscored one is left do scored ones go; alerts stay to the last.
        spool.AppendAlert(Alert("kept"));
        for (int i = 0; i < 600; i++)
        {
            spool.Append(EventType.Ip, 1, Fat(random, $"{i}"));
            if (i % 10 == 9) Assert.Null(spool.Flush());
        }
        counters = spool.Counters;
        Assert.Equal(0, counters.Of(EventType.Dns).InSpool + counters.Of(EventType.Tls).InSpool);
        Assert.Equal((0, 20), (counters.Of(EventType.Http).InSpool, counters.Of(EventType.Http, true).Evicted));
        Assert.Equal(1, counters.Alerts.InSpool);
        spool.Append(EventType.Dns, 0, Fat(random, "worthless now"));
        Assert.Null(spool.Flush());
        AssertCloses(spool);
    }

    [Fact]
    public void Alerts_have_a_number_of_their_own_and_the_oldest_goes()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(with: o => o with { MaxAlerts = 5 });
        for (int i = 1; i <= 12; i++) spool.AppendAlert(Alert($"{i}"));
        Assert.Null(spool.Flush());
        Assert.Null(spool.StoreEngineAlerts([Alert("13")], "f"));
        Assert.Equal(["9", "10", "11", "12", "13"], spool.ReadAlerts(0, 100).Select(a => a.Alert.Threats[0].Id));
        Assert.Equal((13, 5, 8), (spool.Counters.Alerts.Spooled, spool.Counters.Alerts.InSpool, spool.Counters.Alerts.Evicted));
        AssertCloses(spool);
    }

    [Fact]
    public void The_real_ring_does_what_a_tiny_model_does()
    {
        string root = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        int evictions = 0;
        for (int seed = 0; seed < 500; seed++)
        {
            using var bed = new SpoolTestBed(System.IO.Path.Combine(root, $"nfr-model-{Guid.NewGuid():n}"));
            try
            {
                evictions += new Model(bed, seed).Run(30);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
        Assert.True(evictions > 10_000, $"only {evictions} evictions: the model's ring is too large to mean anything");
    }

    /// <summary>What the spool is, in lists.</summary>
    sealed class Model(SpoolTestBed bed, int seed)
    {
        readonly Random _random = new(seed);
        readonly List<Item>[] _ring = [.. Enumerable.Range(0, 8).Select(_ => new List<Item>())];
        readonly List<Item>[] _pending = [.. Enumerable.Range(0, 8).Select(_ => new List<Item>())];
        readonly long[] _delivered = new long[8], _evicted = new long[8], _quarantined = new long[8], _spooled = new long[8];
        readonly long[] _greatest = new long[4];
        int _name, _flush, _alerts;

        sealed record Item(string Name, int Flush, long Sequence);

        public int Run(int actions)
        {
            Spool spool = bed.Open(SpoolOptions.LeastBytes);
            for (int i = 0; i < actions; i++)
            {
                switch (_random.Next(10))
                {
                    case < 3: Append(spool); break;
                    case < 7: Append(spool); Flush(spool); break;
                    case 7: Settle(spool, quarantine: false); break;
                    case 8: Settle(spool, quarantine: _random.Next(2) == 0); break;
                    default:
                        // Closing flushes.
                        Flush(spool);
                        spool.Dispose();
                        spool = bed.Open(SpoolOptions.LeastBytes);
                        Assert.Empty(spool.OpenReport.Quarantined);
                        Assert.Equal(0, spool.OpenReport.Corrected);
                        break;
                }
                Compare(spool);
            }
            spool.Dispose();
            return (int)_evicted.Sum();
        }

        void Append(Spool spool)
        {
            int count = _random.Next(1, 25);
            for (int i = 0; i < count; i++)
            {
                int lane = _random.Next(8);
                string name = $"{_name++}";
                spool.Append((EventType)(lane / 2), lane % 2, Fat(_random, name, _random.Next(10, 900)));
                _pending[lane].Add(new Item(name, 0, 0));
            }
            if (_random.Next(3) == 0)
            {
                spool.AppendAlert(Alert($"{_alerts++}"));
            }
        }

        void Flush(Spool spool)
        {
            Assert.Null(spool.Flush());
            _flush++;
            for (int lane = 0; lane < 8; lane++)
            {
                _ring[lane].AddRange(_pending[lane].Select(p => p with { Flush = _flush }));
                _spooled[lane] += _pending[lane].Count;
                _pending[lane].Clear();
            }
        }

        void Settle(Spool spool, bool quarantine)
        {
            var type = (EventType)_random.Next(4);
            SpoolBatch? batch = spool.Peek(type, _random.Next(1, 200), _random.Next(1, 100_000));
            if (batch is null) return;
            long through = batch.SequenceOf(_random.Next(batch.Count));
            Assert.Null(quarantine ? spool.Quarantine(type, through, "test") : spool.Delivered(type, through));
            for (int lane = (int)type * 2; lane <= ((int)type * 2) + 1; lane++)
            {
                int gone = _ring[lane].RemoveAll(item => item.Sequence <= through);
                (quarantine ? _quarantined : _delivered)[lane] += gone;
            }
        }

        // Which rows are evicted depends on pages, which the model does not know; so it takes what is missing, and demands the order and the count.
        void Compare(Spool spool)
        {
            SpoolCounters counters = spool.Counters;
            int[] newestEvicted = [0, 0], oldestKept = [int.MaxValue, int.MaxValue];
            foreach (EventType type in EventTypes.Uploaded)
            {
                SpoolBatch? batch = spool.Peek(type, int.MaxValue, int.MaxValue);
                List<string> names = [.. Texts(batch).Select(t => t[6..t.IndexOf('"', 6)])];
                var sequences = new Dictionary<string, long>();
                for (int i = 0; i < names.Count; i++) sequences.Add(names[i], batch!.SequenceOf(i));
                Assert.True(Enumerable.Range(1, Math.Max(0, names.Count - 1)).All(i => batch!.SequenceOf(i) > batch.SequenceOf(i - 1)));
                for (int scored = 0; scored < 2; scored++)
                {
                    int lane = Lane.Of(type, scored == 1);
                    int missing = 0;
                    for (int i = 0; i < _ring[lane].Count; i++)
                    {
                        Item item = _ring[lane][i];
                        if (sequences.Remove(item.Name, out long sequence))
                        {
                            Assert.True(item.Sequence == 0 || item.Sequence == sequence);
                            if (item.Sequence == 0) Assert.True(item.Flush == _flush && sequence > _greatest[(int)type]);
                            _ring[lane][i] = item with { Sequence = sequence };
                            oldestKept[scored] = Math.Min(oldestKept[scored], item.Flush);
                        }
                        else
                        {
                            Assert.Equal(i, missing);
                            missing++;
                            newestEvicted[scored] = Math.Max(newestEvicted[scored], item.Flush);
                        }
                    }
                    _ring[lane].RemoveRange(0, missing);
                    _evicted[lane] += missing;
                    SpoolTally tally = counters.Of(type, scored == 1);
                    Assert.Equal((_spooled[lane], (long)_ring[lane].Count, _delivered[lane], _evicted[lane], _quarantined[lane]),
                        (tally.Spooled, tally.InSpool, tally.Delivered, tally.Evicted, tally.Quarantined));
                    Assert.Equal(_spooled[lane] + _pending[lane].Count, tally.Accepted);
                }
                Assert.Empty(sequences);
                if (batch is not null) _greatest[(int)type] = Math.Max(_greatest[(int)type], batch.LastSequence);
            }
            Assert.True(newestEvicted[0] <= oldestKept[0], "a newer unscored event was evicted before an older one");
            Assert.True(newestEvicted[1] <= oldestKept[1], "a newer scored event was evicted before an older one");
            // A flush of many events takes several transactions; what one made room for, the next may use.
            Assert.True(newestEvicted[1] == 0 || oldestKept[0] >= _flush, "a scored event was evicted while an unscored one was kept");
            Assert.True(counters.BytesOnDisk <= SpoolOptions.LeastBytes, $"{counters.BytesOnDisk} bytes on disk");
        }
    }
}
