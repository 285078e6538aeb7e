using System.Text;
using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using static Nfr.Tests.Storage.SpoolTestBed;

namespace Nfr.Tests.Storage;

public sealed class SpoolConsumerTests
{
    static Spool Open(SpoolTestBed bed, params string[] consumers) => bed.Open(with: o => o with { Consumers = consumers });

    static void Fill(Spool spool, int from, int count, EventType type = EventType.Dns)
    {
        for (int i = from; i < from + count; i++) spool.Append(type, 0, Line($"{i}"));
        Assert.Null(spool.Flush());
    }

    static List<string> Names(SpoolBatch? batch) => [.. Texts(batch).Select(t => t[6..^2])];

    static IEnumerable<string> Numbers(int from, int count) => Enumerable.Range(from, count).Select(i => $"{i}");

    [Fact]
    public void Each_consumer_has_its_own_place_and_a_row_leaves_with_the_last()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = Open(bed, "engine", "elastic");
        SpoolConsumer engine = spool.Consumer("engine"), elastic = spool.Consumer("elastic");
        Fill(spool, 1, 20);
        Assert.Null(engine.Settle(EventType.Dns, 12, null));
        Assert.Equal(Numbers(13, 8), Names(engine.Peek(EventType.Dns, 100, 100_000)));
        Assert.Equal(Numbers(1, 20), Names(elastic.Peek(EventType.Dns, 100, 100_000)));
        Assert.Equal((20, 0), (spool.Counters.Total.InSpool, spool.Counters.Total.Delivered));
        Assert.Null(elastic.Settle(EventType.Dns, 5, "refused for ever"));
        // Elastic is the last for 1 to 5, and engine has had them: as elastic left them.
        Assert.Equal((15, 0, 5), (spool.Counters.Total.InSpool, spool.Counters.Total.Delivered, spool.Counters.Total.Quarantined));
        Assert.Null(elastic.Settle(EventType.Dns, 20, null));
        Assert.Equal((8, 7), (spool.Counters.Total.InSpool, spool.Counters.Total.Delivered));
        Assert.Equal(new ConsumerTally(20, 15, 5, 0, 0), elastic.Tally(EventType.Dns));
        Assert.Equal(new ConsumerTally(20, 12, 0, 0, 8, bed.Time.Utc), engine.Tally(EventType.Dns));
        Assert.Null(engine.Settle(EventType.Dns, 20, null));
        Assert.Equal(0, spool.Counters.Total.InSpool);
        AssertCloses(spool);
    }

    [Fact]
    public void A_row_does_not_wait_for_who_does_not_take_its_type_and_who_takes_it_later_begins_with_what_is_there()
    {
        using var bed = new SpoolTestBed();
        Spool Only(params EventType[] types) => bed.Open(with: o => o with
        {
            Consumers = ["engine", "elastic"], ConsumerTypes = new Dictionary<string, IReadOnlyList<EventType>> { ["elastic"] = types },
        });
        using (Spool spool = Only(EventType.Tls))
        {
            Fill(spool, 1, 20);
            Fill(spool, 1, 5, EventType.Tls);
            Assert.Null(spool.Consumer("elastic").Peek(EventType.Dns, 100, 100_000));
            Assert.Null(spool.Consumer("elastic").Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live));
            Assert.Null(spool.Consumer("elastic").BeginLive(EventType.Dns, spool.NextSequence(EventType.Dns)));
            Assert.Equal(default, spool.Consumer("elastic").Tally(EventType.Dns));
            Assert.Equal(5, spool.Consumer("elastic").Tally(EventType.Tls).Waiting);
            Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, 8, null));
            Assert.Equal((12, 8), (spool.Counters.Of(EventType.Dns).InSpool, spool.Counters.Of(EventType.Dns).Delivered));
        }
        using (Spool spool = Only(EventType.Tls, EventType.Dns))
        {
            Assert.Equal(Numbers(9, 12), Names(spool.Consumer("elastic").Peek(EventType.Dns, 100, 100_000)));
            Assert.Equal(12, spool.Consumer("elastic").Tally(EventType.Dns).Since);
            Assert.Null(spool.Consumer("engine").Settle(EventType.Dns, 20, null));
            Assert.Equal(12, spool.Counters.Of(EventType.Dns).InSpool);
            AssertCloses(spool);
        }
        // Taken no more: what waited for it alone leaves.
        using (Spool spool = Only(EventType.Tls))
        {
            Assert.Equal((0, 20), (spool.Counters.Of(EventType.Dns).InSpool, spool.Counters.Of(EventType.Dns).Delivered));
            Assert.Equal(default, spool.Consumer("elastic").Tally(EventType.Dns));
            AssertCloses(spool);
        }
    }

    [Fact]
    public void A_type_that_nobody_takes_stays_in_the_ring_as_without_consumers()
    {
        using var bed = new SpoolTestBed();
        Spool Only(params EventType[] types) => bed.Open(with: o => o with
        {
            Consumers = ["elastic"], ConsumerTypes = new Dictionary<string, IReadOnlyList<EventType>> { ["elastic"] = types },
        });
        using (Spool spool = Only(EventType.Dns, EventType.Ip)) Fill(spool, 1, 20);
        using (Spool spool = Only(EventType.Ip))
        {
            Fill(spool, 21, 20);
            Assert.Equal((40, 0), (spool.Counters.Of(EventType.Dns).InSpool, spool.Counters.Of(EventType.Dns).Delivered));
        }
        using (Spool spool = bed.Open(with: o => o with { KeepConsumers = true })) Assert.Equal(default, spool.Consumer("elastic").Tally(EventType.Dns));
        using (Spool spool = Only(EventType.Dns)) Assert.Equal(Numbers(1, 40), Names(spool.Consumer("elastic").Peek(EventType.Dns, 100, 100_000)));
    }

    [Fact]
    public void With_one_consumer_both_accounts_are_the_same_numbers()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(512 << 10);
        var random = new Random(4);
        for (int i = 0; i < 1500; i++)
        {
            spool.Append(EventType.Http, i % 2, Encoding.UTF8.GetBytes($"{{\"n\":\"{Convert.ToBase64String(RandomBytes(random, 600))}\"}}"));
            if (i % 10 == 9) Assert.Null(spool.Flush());
            if (i % 250 == 249) Assert.Null(spool.Delivered(EventType.Http, spool.Peek(EventType.Http, 1, 1)!.FirstSequence + 3));
            if (i % 400 == 399) Assert.Null(spool.Quarantine(EventType.Http, spool.Peek(EventType.Http, 1, 1)!.FirstSequence + 2, "no"));
        }
        SpoolTally ring = spool.Counters.Of(EventType.Http);
        ConsumerTally engine = spool.Consumer("engine").Tally(EventType.Http);
        Assert.Equal((ring.Spooled, ring.Delivered, ring.Quarantined, ring.Evicted, ring.InSpool), (engine.Since, engine.Delivered, engine.Quarantined, engine.Missed, engine.Waiting));
        Assert.True(ring.Evicted > 100 && ring.Delivered > 0 && ring.Quarantined > 0);
    }

    [Fact]
    public void After_an_outage_backlog_and_live_events_go_by_turns_until_they_meet()
    {
        using var bed = new SpoolTestBed();
        Spool spool = Open(bed, "engine");
        SpoolConsumer engine = spool.Consumer("engine");
        // Nothing waits: there is no backlog to part from.
        Assert.Null(engine.Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live));
        Fill(spool, 1, 10);
        Fill(spool, 11, 10);
        Assert.Null(engine.Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live));
        Fill(spool, 21, 5);
        SpoolBatch live = engine.Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live)!;
        Assert.Equal(Numbers(21, 5), Names(live));
        Assert.Equal(Numbers(1, 20), Names(engine.Peek(EventType.Dns, 100, 100_000)));
        Assert.Null(engine.Delivered(live.Slice(0, 3)));
        Assert.Equal((5 + 20 - 3, 3), (engine.Tally(EventType.Dns).Waiting, engine.Tally(EventType.Dns).Delivered));
        spool.Dispose();
        spool = Open(bed, "engine");
        engine = spool.Consumer("engine");
        Assert.Equal(0, spool.OpenReport.Corrected);
        Fill(spool, 26, 5);
        Assert.Equal(Numbers(24, 7), Names(engine.Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live)));
        SpoolBatch old = engine.Peek(EventType.Dns, 10, 100_000)!;
        Assert.Equal(Numbers(1, 10), Names(old));
        Assert.Null(engine.Delivered(old));
        live = engine.Peek(EventType.Dns, 5, 100_000, SpoolEnd.Live)!;
        Assert.Null(engine.Delivered(live));
        Assert.Equal(Numbers(11, 10), Names(engine.Peek(EventType.Dns, 100, 100_000)));
        Assert.Null(engine.Delivered(engine.Peek(EventType.Dns, 100, 100_000)!));
        // The hole is closed: the oldest is what is left of the live end.
        SpoolBatch rest = engine.Peek(EventType.Dns, 100, 100_000)!;
        Assert.Equal("30", Names(rest)[^1]);
        Assert.Null(engine.Delivered(rest));
        Assert.Equal(new ConsumerTally(30, 30, 0, 0, 0), engine.Tally(EventType.Dns));
        Assert.Equal((30, 0), (spool.Counters.Total.Delivered, spool.Counters.Total.InSpool));
        AssertCloses(spool);
        spool.Dispose();
    }

    [Fact]
    public void The_live_end_moves_forward_until_something_of_it_is_delivered()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = Open(bed, "engine");
        SpoolConsumer engine = spool.Consumer("engine");
        // Nothing waits, or nothing before it.
        Assert.Null(engine.BeginLive(EventType.Dns, spool.NextSequence(EventType.Dns)));
        Fill(spool, 1, 10);
        Assert.Null(engine.BeginLive(EventType.Dns, 1));
        long noted = spool.NextSequence(EventType.Dns);
        Fill(spool, 11, 10);
        Assert.Null(engine.BeginLive(EventType.Dns, noted));
        Assert.Equal(Numbers(11, 10), Names(engine.Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live)));
        noted = spool.NextSequence(EventType.Dns);
        Fill(spool, 21, 10);
        Assert.Null(engine.BeginLive(EventType.Dns, noted));
        // Never back.
        Assert.Null(engine.BeginLive(EventType.Dns, 11));
        SpoolBatch live = engine.Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live)!;
        Assert.Equal(Numbers(21, 10), Names(live));
        Assert.Equal(Numbers(1, 20), Names(engine.Peek(EventType.Dns, 100, 100_000)));
        Assert.Null(engine.Delivered(live.Slice(0, 4)));
        Fill(spool, 31, 10);
        Assert.Null(engine.BeginLive(EventType.Dns, spool.NextSequence(EventType.Dns)));
        Assert.Equal(Numbers(25, 16), Names(engine.Peek(EventType.Dns, 100, 100_000, SpoolEnd.Live)));
        Assert.Null(engine.Delivered(engine.Peek(EventType.Dns, 100, 100_000)!));
        Assert.Equal(Numbers(25, 16), Names(engine.Peek(EventType.Dns, 100, 100_000)));
        AssertCloses(spool);
    }

    [Fact]
    public void A_new_consumer_begins_with_the_oldest_row_and_nobody_waits_for_one_that_is_named_no_more()
    {
        using var bed = new SpoolTestBed();
        using (Spool spool = Open(bed, "engine"))
        {
            Fill(spool, 1, 10);
            Fill(spool, 11, 10);
            Assert.Null(spool.Delivered(EventType.Dns, 4));
        }
        using (Spool spool = Open(bed, "engine", "elastic"))
        {
            Assert.Equal(16, spool.Consumer("elastic").Tally(EventType.Dns).Since);
            Fill(spool, 21, 5);
            Assert.Equal(Numbers(5, 21), Names(spool.Consumer("elastic").Peek(EventType.Dns, 100, 100_000)));
            Assert.Null(spool.Consumer("elastic").Settle(EventType.Dns, 15, null));
            Assert.Equal((25, 4, 21), (spool.Counters.Total.Spooled, spool.Counters.Total.Delivered, spool.Counters.Total.InSpool));
        }
        using (Spool spool = Open(bed, "elastic"))
        {
            Assert.Equal((15, 10), (spool.Counters.Total.Delivered, spool.Counters.Total.InSpool));
            Assert.Equal(Numbers(16, 10), Names(spool.Consumer("elastic").Peek(EventType.Dns, 100, 100_000)));
            Assert.Throws<ArgumentException>(() => spool.Consumer("engine"));
            AssertCloses(spool);
        }
        // Nobody takes: nothing leaves, and whoever comes later has it all.
        using (Spool spool = Open(bed))
        {
            Assert.Equal(10, spool.Counters.Total.InSpool);
            Fill(spool, 26, 1);
        }
        using (Spool spool = Open(bed, "engine"))
        {
            Assert.Equal(Numbers(16, 11), Names(spool.Peek(EventType.Dns, 100, 100_000)));
            Assert.Equal(11, spool.Consumer("engine").Tally(EventType.Dns).Since);
            AssertCloses(spool);
        }
    }

    [Fact]
    public void A_ring_of_the_first_version_is_taken_over_for_the_engine()
    {
        using var bed = new SpoolTestBed();
        using (Spool spool = bed.Open())
        {
            Fill(spool, 1, 30);
            Assert.Null(spool.Delivered(EventType.Dns, 7));
            Assert.Null(spool.Quarantine(EventType.Dns, 9, "no"));
        }
        Assert.False(SqliteConnection.Open(System.IO.Path.Combine(bed.Path, "spool.db"), null, out SqliteConnection? db).IsError);
        using (db)
        {
            db!.Execute("DROP TABLE consumer");
            db.Execute("ALTER TABLE quarantined DROP COLUMN consumer");
            // As it was before ages and bytes.
            db.Execute("DROP INDEX batch_order");
            db.Execute("CREATE UNIQUE INDEX batch_order ON batch(class, type, first, last)");
            foreach (string column in (string[])["batch DROP COLUMN owner", "batch DROP COLUMN born", "alert DROP COLUMN born", "ledger DROP COLUMN bytes", "ledger DROP COLUMN aged"]) db.Execute($"ALTER TABLE {column}");
            for (int line = 0; line < SpoolLedger.Lines; line++)
            {
                long[] numbers = [.. db.Scalar($"SELECT next||' '||spooled||' '||delivered||' '||evicted||' '||quarantined||' '||lost FROM ledger WHERE line={line}")!.Split(' ').Select(long.Parse)];
                db.Execute($"UPDATE ledger SET digest={SpoolLedger.DigestOf(numbers)} WHERE line={line}");
            }
            db.Execute("PRAGMA user_version=1");
            Assert.False(db.Failed);
        }
        for (int round = 0; round < 2; round++)
        {
            using Spool spool = Open(bed, "engine", "second");
            Assert.Empty(spool.OpenReport.Quarantined);
            Assert.Equal((false, 0), (spool.OpenReport.Created, spool.OpenReport.Corrected));
            Assert.Equal(new ConsumerTally(30, 7, 2, 0, 21, bed.Time.Utc), spool.Consumer("engine").Tally(EventType.Dns));
            Assert.Equal(new ConsumerTally(21, 0, 0, 0, 21, bed.Time.Utc), spool.Consumer("second").Tally(EventType.Dns));
            Assert.Equal(Numbers(10, 21), Names(spool.Peek(EventType.Dns, 100, 100_000)));
            Assert.True(spool.Counters.BytesOf(SpoolClass.Dns) > 0);
            AssertCloses(spool);
        }
    }

    [Fact]
    public void A_damaged_account_begins_anew_with_what_is_there()
    {
        using var bed = new SpoolTestBed();
        using (Spool spool = Open(bed, "a", "b"))
        {
            Fill(spool, 1, 20);
            Assert.Null(spool.Consumer("a").Settle(EventType.Dns, 15, null));
            Assert.Null(spool.Consumer("b").Settle(EventType.Dns, 10, null));
        }
        Assert.False(SqliteConnection.Open(System.IO.Path.Combine(bed.Path, "spool.db"), null, out SqliteConnection? db).IsError);
        using (db) db!.Execute("UPDATE consumer SET through=900 WHERE name='a' AND type=0");
        using Spool after = Open(bed, "a", "b");
        Assert.True(after.OpenReport.Corrected > 0);
        Assert.Equal(Numbers(11, 10), Names(after.Consumer("a").Peek(EventType.Dns, 100, 100_000)));
        AssertCloses(after);
    }

    [Fact]
    public void What_is_settled_before_older_events_that_wait_is_our_own_mistake()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        Fill(spool, 1, 10);
        SpoolBatch batch = spool.Peek(EventType.Dns, 100, 100_000)!;
        Assert.Throws<InvalidOperationException>(() => spool.Consumer("engine").Delivered(batch.Slice(5, 5)));
        Assert.Equal(10, spool.Consumer("engine").Tally(EventType.Dns).Waiting);
        Assert.Null(spool.Consumer("engine").Delivered(batch.Slice(0, 5)));
        Assert.Null(spool.Consumer("engine").Delivered(batch.Slice(0, 5)));
        Assert.Null(spool.Consumer("engine").Delivered(batch.Slice(5, 5)));
        AssertCloses(spool);
    }

    [Fact]
    public void The_accounts_close_through_holes_evictions_kills_and_changing_names()
    {
        string root = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        long evictions = 0, holes = 0, requeued = 0;
        for (int seed = 0; seed < 150; seed++)
        {
            var model = new Model(new SpoolTestBed(System.IO.Path.Combine(root, $"nfr-consumers-{Guid.NewGuid():n}")), seed, seed % 3 == 0 ? 32 << 20 : SpoolOptions.LeastBytes);
            try
            {
                model.Run(40);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}\n{e.StackTrace}", e);
            }
            finally
            {
                model.Bed.Dispose();
            }
            evictions += model.Evictions;
            holes += model.Holes;
            requeued += model.Requeued;
        }
        Assert.True(evictions > 5_000 && holes > 100 && requeued > 500, $"{evictions} evictions, {holes} holes, {requeued} requeued: too few to mean anything");
    }

    /// <summary>What ring and consumers are, in sets.</summary>
    sealed class Model(SpoolTestBed bed, int seed, long ringBytes)
    {
        static readonly string[] s_all = ["engine", "elastic", "third"];

        readonly Random _random = new(seed);
        readonly List<Item> _ring = [], _pending = [];
        readonly List<(string Consumer, Item Item)> _aside = [];
        readonly SpoolTally[] _tallies = new SpoolTally[8];
        Dictionary<string, Account> _accounts = [];
        int _name;

        public SpoolTestBed Bed { get; private set; } = bed;
        public long Evictions { get; private set; }
        public long Holes { get; private set; }
        public long Requeued { get; private set; }

        sealed class Item(string name, int lane)
        {
            public string Name { get; } = name;
            public int Lane { get; } = lane;
            public EventType Type => (EventType)(Lane / 2);
            public HashSet<string> Waits { get; init; } = [];
            public string? Owner { get; init; }
        }

        sealed class Account
        {
            public ConsumerTally[] Types { get; } = new ConsumerTally[4];
        }

        public void Run(int actions)
        {
            Spool spool = Reopen(s_all[..1]);
            for (int i = 0; i < actions; i++)
            {
                switch (_random.Next(ringBytes > SpoolOptions.LeastBytes ? 13 : 12))
                {
                    case < 2: Append(spool); break;
                    case < 5: Append(spool); Flush(spool); break;
                    case < 8: Settle(spool, SpoolEnd.Oldest); break;
                    case < 10: Settle(spool, SpoolEnd.Live); break;
                    case 10:
                        // Closing flushes.
                        Flush(spool);
                        Compare(spool);
                        spool.Dispose();
                        spool = Reopen(_random.Next(2) == 0 ? null : Some());
                        break;
                    case 12: Requeue(spool); break;
                    default:
                        SpoolTestBed killed = Killed(Bed);
                        spool.Dispose();
                        Bed.Dispose();
                        Bed = killed;
                        _pending.Clear();
                        spool = Reopen(null);
                        break;
                }
                Compare(spool);
            }
            spool.Dispose();
        }

        string[] Some()
        {
            // Who comes back is given all that is there once more, and could be requeued what it refused before: twice the same name, which sets cannot tell.
            string[] may = [.. s_all.Where(name => _accounts.ContainsKey(name) || !_aside.Exists(entry => entry.Consumer == name))];
            string[] names = [.. may.Where(_ => _random.Next(2) == 0)];
            return names.Length == 0 ? [may[_random.Next(may.Length)]] : names;
        }

        Spool Reopen(string[]? names)
        {
            names ??= [.. _accounts.Keys];
            var before = _accounts;
            _accounts = names.ToDictionary(name => name, name => before.GetValueOrDefault(name) ?? Fresh(name));
            foreach (Item item in _ring) item.Waits.IntersectWith(names);
            Leave(_ring.Where(item => item.Waits.Count == 0 && item.Owner is null), quarantined: false);
            Leave(_ring.Where(item => item.Waits.Count == 0), quarantined: true);
            Spool spool = Bed.Open(ringBytes, o => o with { Consumers = names });
            Assert.Empty(spool.OpenReport.Quarantined);
            Assert.Equal(0, spool.OpenReport.Corrected);
            return spool;
        }

        Account Fresh(string name)
        {
            var account = new Account();
            foreach (Item item in _ring.Where(item => item.Owner is null || item.Owner == name))
            {
                item.Waits.Add(name);
                account.Types[(int)item.Type] += new ConsumerTally(1, 0, 0, 0, 1);
            }
            return account;
        }

        void Append(Spool spool)
        {
            int count = _random.Next(1, 30);
            for (int i = 0; i < count; i++)
            {
                int lane = _random.Next(8);
                string name = $"{_name++}";
                spool.Append((EventType)(lane / 2), lane % 2, Encoding.UTF8.GetBytes($"{{\"n\":\"{name}\",\"x\":\"{Convert.ToBase64String(RandomBytes(_random, _random.Next(10, 900)))}\"}}"));
                _pending.Add(new Item(name, lane) { Waits = [.. _accounts.Keys] });
            }
        }

        void Flush(Spool spool)
        {
            Assert.Null(spool.Flush());
            foreach (Item item in _pending)
            {
                _tallies[item.Lane] += new SpoolTally(0, 1, 1, 0, 0, 0, 0);
                foreach (Account account in _accounts.Values) account.Types[(int)item.Type] += new ConsumerTally(1, 0, 0, 0, 1);
            }
            _ring.AddRange(_pending);
            _pending.Clear();
        }

        void Settle(Spool spool, SpoolEnd end)
        {
            var type = (EventType)_random.Next(4);
            SpoolConsumer consumer = spool.Consumers[_random.Next(spool.Consumers.Count)];
            SpoolBatch? batch = consumer.Peek(type, _random.Next(1, 200), _random.Next(1, 100_000), end);
            if (batch is null) return;
            if (end == SpoolEnd.Live) Holes++;
            if (_random.Next(3) == 0) batch = batch.Slice(0, _random.Next(1, batch.Count + 1));
            if (_random.Next(4) == 0)
            {
                // Evicted while it is on its way.
                Append(spool);
                Flush(spool);
                Compare(spool);
            }
            bool quarantine = _random.Next(4) == 0;
            HashSet<string> names = [.. Texts(batch).Select(NameOf)];
            List<Item> settled = _ring.FindAll(item => names.Contains(item.Name) && item.Waits.Remove(consumer.Name));
            Assert.Null(quarantine ? consumer.Quarantine(batch, "test") : consumer.Delivered(batch));
            _accounts[consumer.Name].Types[(int)type] += new ConsumerTally(0, quarantine ? 0 : settled.Count, quarantine ? settled.Count : 0, 0, -settled.Count);
            if (quarantine) _aside.AddRange(settled.Select(item => (consumer.Name, item)));
            Leave(settled.Where(item => item.Waits.Count == 0), quarantine);
        }

        // Only in a ring so large that nothing is evicted, neither from it nor from the quarantine: then all comes back whose consumer is there.
        void Requeue(Spool spool)
        {
            var back = _aside.FindAll(entry => _accounts.ContainsKey(entry.Consumer));
            _aside.RemoveAll(back.Contains);
            RequeueReport report = spool.Requeue([]);
            Assert.Null(report.Fault);
            Assert.Equal(back.Count, report.Events);
            Assert.Equal(_aside.Count > 0, report.Left.Count > 0);
            foreach ((string consumer, Item item) in back)
            {
                _ring.Add(new Item(item.Name, item.Lane) { Waits = [consumer], Owner = _accounts.Count == 1 ? null : consumer });
                _tallies[item.Lane] += new SpoolTally(0, 1, 1, 0, 0, 0, 0);
                _accounts[consumer].Types[(int)item.Type] += new ConsumerTally(1, 0, 0, 0, 1);
            }
            Requeued += back.Count;
        }

        void Leave(IEnumerable<Item> items, bool quarantined)
        {
            foreach (Item item in items.ToList())
            {
                _ring.Remove(item);
                _tallies[item.Lane] += new SpoolTally(0, 0, -1, quarantined ? 0 : 1, 0, quarantined ? 1 : 0, 0);
            }
        }

        static string NameOf(string text) => text[6..text.IndexOf('"', 6)];

        // Which rows are evicted depends on pages, which the model does not know: it takes what is missing from everybody.
        void Compare(Spool spool)
        {
            var seen = spool.Consumers.ToDictionary(c => c.Name, c => EventTypes.Uploaded.SelectMany(type => Waiting(c, type).Values.Select(NameOf)).ToHashSet());
            foreach (Item item in _ring.ToList())
            {
                int there = item.Waits.Count(name => seen[name].Remove(item.Name));
                if (there == item.Waits.Count) continue;
                Assert.True(there == 0, $"{item.Name} is gone for one and there for another");
                _ring.Remove(item);
                Evictions++;
                _tallies[item.Lane] += new SpoolTally(0, 0, -1, 0, 1, 0, 0);
                foreach (string name in item.Waits) _accounts[name].Types[(int)item.Type] += new ConsumerTally(0, 0, 0, 1, -1);
            }
            Assert.All(seen.Values, Assert.Empty);
            for (int lane = 0; lane < 8; lane++)
            {
                SpoolTally tally = spool.Counters.OfLane(lane);
                Assert.Equal(_tallies[lane], tally with { Accepted = 0, LostBeforeSpool = 0, Pending = 0, Bytes = 0 });
            }
            foreach (SpoolConsumer consumer in spool.Consumers)
            {
                foreach (EventType type in EventTypes.Uploaded)
                {
                    Assert.Equal(_accounts[consumer.Name].Types[(int)type], consumer.Tally(type) with { OldestWaiting = null });
                }
            }
            Assert.True(spool.Counters.BytesOnDisk <= ringBytes, $"{spool.Counters.BytesOnDisk} bytes on disk");
        }
    }
}
