using System.Text;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Wire;

namespace Nfr.Tests.Logs;

/// <summary>Queries that wait for the lines of their answers; above all that nothing is lost or doubled wherever a reader is killed.</summary>
public sealed class DnsPairsTests
{
    const long Second = 1_000_000_000;

    /// <summary>A query, an answer or another line, as a log might hold it.</summary>
    record struct Line(char Kind, string Name, ushort Id, long Stamp, int Padding = 0);

    /// <summary>What went out: "query's line > answer's line", each -1 when there was none.</summary>
    sealed class Taken : IEventSink
    {
        public List<string> Events { get; } = [];
        public List<string> Names { get; } = [];

        public void OnDns(scoped in DnsEvent e)
        {
            Events.Add($"{(e.QueryLength == 0 ? -1 : e.QueryLength - 1)} > {(e.ResponseCode < 0 ? -1 : e.ResponseLength - 1)}");
            Names.Add(Encoding.ASCII.GetString(e.Query));
        }

        public void OnIp(scoped in IpEvent e) => throw new InvalidOperationException();
        public void OnHttp(scoped in HttpEvent e) => throw new InvalidOperationException();
        public void OnTls(scoped in TlsEvent e) => throw new InvalidOperationException();
        public void OnHost(scoped in HostEvent e) => throw new InvalidOperationException();
        public void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException();
    }

    static void Read(DnsPairs pairs, IReadOnlyList<Line> lines, int from, int to, IEventSink sink)
    {
        for (int i = from; i < to; i++)
        {
            Line line = lines[i];
            if (line.Kind == 'O') continue;
            var e = new DnsEvent { Query = Encoding.ASCII.GetBytes(line.Name + new string('x', line.Padding)), QueryType = 1, ResponseCode = -1, Id = line.Id };
            e.Context.Timestamp = line.Stamp;
            e.Context.Source = Address.FromV4(1);
            if (line.Kind == 'Q')
            {
                e.QueryLength = (ushort)(i + 1);
                pairs.Hold(e, i, sink);
                continue;
            }
            e.ResponseCode = 3;
            e.ResponseLength = (ushort)(i + 1);
            pairs.Answer(e, sink);
        }
    }

    static List<string> Whole(IReadOnlyList<Line> lines)
    {
        var taken = new Taken();
        var pairs = new DnsPairs();
        Read(pairs, lines, 0, lines.Count, taken);
        pairs.Release(taken);
        return taken.Events;
    }

    /// <summary>Read up to a line, killed there, and read on by another from the place that was kept.</summary>
    static List<string> Cut(IReadOnlyList<Line> lines, int cut)
    {
        var taken = new Taken();
        var first = new DnsPairs();
        Read(first, lines, 0, cut, taken);
        int held = (int)Math.Min(cut, first.OldestHeld);
        var second = new DnsPairs();
        Read(second, lines, held, cut, new Taken());
        Assert.Equal((first.Count, first.OldestHeld), (second.Count, second.OldestHeld));
        Read(second, lines, cut, lines.Count, taken);
        second.Release(taken);
        return taken.Events;
    }

    static List<Line> Random(Random random, int count, int names, int jump)
    {
        var lines = new List<Line>();
        long stamp = 1000 * Second;
        for (int i = 0; i < count; i++)
        {
            stamp += random.Next(0, 3) * Second / 2;
            if (random.Next(40) == 0) stamp += random.Next(-jump, jump + 1) * Second;
            long own = stamp - (random.Next(4) == 0 ? random.Next(0, 4) * Second : 0);
            lines.Add(new Line("QQQAAO"[random.Next(6)], $"n{random.Next(names)}", (ushort)random.Next(2), own));
        }
        return lines;
    }

    /// <summary>The rules in the plainest way: a list, and every rule gone through for every line.</summary>
    static List<string> ByTheRules(IReadOnlyList<Line> lines)
    {
        var taken = new List<string>();
        var waiting = new List<(int Line, bool Answered, long Latest, long Earliest)>();
        for (int i = 0; i < lines.Count; i++)
        {
            Line line = lines[i];
            if (line.Kind == 'O') continue;
            for (int w = 0; w < waiting.Count; w++)
            {
                waiting[w] = waiting[w] with { Latest = Math.Max(waiting[w].Latest, line.Stamp), Earliest = Math.Min(waiting[w].Earliest, line.Stamp) };
            }
            Settle();
            if (line.Kind == 'Q')
            {
                waiting.Add((i, false, line.Stamp, line.Stamp));
                continue;
            }
            int found = waiting.FindLastIndex(w => !w.Answered && (lines[w.Line].Name, lines[w.Line].Id) == (line.Name, line.Id));
            taken.Add($"{(found < 0 ? -1 : waiting[found].Line)} > {i}");
            if (found >= 0) waiting[found] = waiting[found] with { Answered = true };
            Settle();
        }
        taken.AddRange(waiting.Where(w => !w.Answered).Select(w => $"{w.Line} > -1"));
        return taken;

        void Settle()
        {
            while (waiting.Count > 0)
            {
                (int query, bool answered, long latest, long earliest) = waiting[0];
                long own = lines[query].Stamp;
                if (!answered && latest - own <= DnsPairs.Patience && own - earliest <= DnsPairs.Patience) break;
                if (!answered) taken.Add($"{query} > -1");
                waiting.RemoveAt(0);
            }
        }
    }

    [Theory]
    [InlineData(1, 1, 8)]
    [InlineData(2, 2, 0)]
    [InlineData(3, 4, 8)]
    [InlineData(4, 12, 3600)]
    [InlineData(5, 40, 20)]
    public void Whatever_is_read_goes_by_the_rules(int seed, int names, int jump)
    {
        var random = new Random(seed);
        for (int run = 0; run < 30; run++)
        {
            List<Line> lines = Random(random, 400, names, jump);
            Assert.Equal(ByTheRules(lines), Whole(lines));
        }
    }

    [Theory]
    [InlineData(11, 1, 8)]
    [InlineData(12, 2, 0)]
    [InlineData(13, 4, 8)]
    [InlineData(14, 12, 3600)]
    [InlineData(15, 40, 20)]
    public void A_kill_after_any_line_neither_loses_nor_doubles(int seed, int names, int jump)
    {
        var random = new Random(seed);
        for (int run = 0; run < 6; run++)
        {
            List<Line> lines = Random(random, 150, names, jump);
            List<string> whole = Whole(lines);
            for (int cut = 0; cut <= lines.Count; cut++) Assert.Equal(whole, Cut(lines, cut));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(700)]
    public void A_full_table_is_cut_as_well(int padding)
    {
        // All within the same second, most of them never answered: they go because there is no room, for queries or for names.
        var random = new Random(21);
        var lines = new List<Line>();
        for (int i = 0; i < 14_000; i++)
        {
            string name = $"n{random.Next(6000)}";
            lines.Add(new Line(random.Next(5) == 0 ? 'A' : 'Q', name, 0, 1000 * Second, padding == 0 ? 0 : int.Parse(name[1..]) % 512));
        }
        List<string> whole = Whole(lines);
        Assert.Contains(whole, e => !e.EndsWith("-1", StringComparison.Ordinal) && !e.StartsWith("-1", StringComparison.Ordinal));
        foreach (int cut in (int[])[100, 4095, 4096, 4097, 6000, 9_999, 13_999]) Assert.Equal(whole, Cut(lines, cut));
    }

    [Fact]
    public void An_answer_goes_into_its_query_whatever_the_case_of_its_letters()
    {
        var pairs = new DnsPairs();
        var taken = new Taken();
        Read(pairs, [new('Q', "wWw.Example.com", 7, Second), new('A', "www.example.COM", 7, 2 * Second)], 0, 2, taken);
        Assert.Equal(["0 > 1"], taken.Events);
        Assert.Equal(["wWw.Example.com"], taken.Names);
        Assert.Equal((0, long.MaxValue), (pairs.Count, pairs.OldestHeld));
    }

    [Theory]
    [InlineData("n", 8, 1)]
    [InlineData("m", 7, 1)]
    public void Another_key_s_answer_is_an_event_of_its_own(string name, int id, int held)
    {
        var pairs = new DnsPairs();
        var taken = new Taken();
        Read(pairs, [new('Q', "n", 7, Second), new('A', name, (ushort)id, Second)], 0, 2, taken);
        Assert.Equal(["-1 > 1"], taken.Events);
        Assert.Equal(held, pairs.Count);
    }

    [Fact]
    public void An_answer_that_is_not_to_stand_alone_makes_nothing()
    {
        var pairs = new DnsPairs();
        var taken = new Taken();
        Assert.False(pairs.Answer(new DnsEvent { Query = "n"u8, ResponseCode = 0 }, taken, alone: false));
        Assert.Empty(taken.Events);
    }

    [Fact]
    public void A_query_waits_for_five_seconds_of_the_log_s_time_and_no_longer()
    {
        var pairs = new DnsPairs();
        var taken = new Taken();
        List<Line> lines = [new('Q', "a", 0, 10 * Second), new('Q', "b", 0, 15 * Second), new('Q', "c", 0, (15 * Second) + 1)];
        Read(pairs, lines, 0, 2, taken);
        Assert.Empty(taken.Events);
        Read(pairs, lines, 2, 3, taken);
        Assert.Equal(["0 > -1"], taken.Events);
        Assert.Equal(1, pairs.OldestHeld);
    }

    [Fact]
    public void A_log_whose_clock_is_set_back_holds_nothing_up()
    {
        var pairs = new DnsPairs();
        var taken = new Taken();
        Read(pairs, [new('Q', "a", 0, 7200 * Second), new('Q', "b", 0, 3600 * Second)], 0, 2, taken);
        Assert.Equal(["0 > -1"], taken.Events);
    }

    [Fact]
    public void A_log_may_know_both_lines_by_a_number_of_its_own()
    {
        var pairs = new DnsPairs();
        var taken = new Taken();
        pairs.Hold(new DnsEvent { Query = "a.example"u8, QueryLength = 1, ResponseCode = -1 }, new DnsPairKey { Id = 70_001 }, 0, taken);
        Assert.True(pairs.Answer(new DnsEvent { Query = "cname.example"u8, ResponseCode = 0, ResponseLength = 2 }, new DnsPairKey { Id = 70_001 }, taken));
        Assert.Equal(["0 > 1"], taken.Events);
        Assert.Equal(["a.example"], taken.Names);
    }

    [Fact]
    public void What_the_query_s_line_did_not_say_is_taken_from_the_answer_s()
    {
        var kept = new Kept();
        var pairs = new DnsPairs();
        var query = new DnsEvent { Query = "a"u8, QueryType = 1, ResponseCode = -1, Flags = 0x100 };
        query.Context.Source = Address.FromV4(1);
        query.Context.Timestamp = 5;
        query.Context.Tick = 6;
        var answer = new DnsEvent { Query = "A"u8, QueryType = 1, ResponseCode = 3, Flags = 0x8183, Id = 9, ResponseLength = 99, Notes = DnsNotes.Edns };
        answer.Context.Source = Address.FromV4(1);
        answer.Context.Destination = Address.FromV4(2);
        answer.Context.DestinationPort = 53;
        answer.Context.Timestamp = 7;
        pairs.Hold(query, DnsPairKey.Of(query, query.Query), 0, kept);
        var key = new DnsPairKey { Client = Address.FromV4(1), QueryType = 1, Name = "A"u8 };
        Assert.True(pairs.Answer(answer, key, kept));
        Assert.Equal((5L, 6L, (short)3, 0x8183, 9, 99, DnsNotes.Edns, 2u, 53), kept.Fields);
    }

    sealed class Kept : IEventSink
    {
        public (long, long, short, int, int, int, DnsNotes, uint, int) Fields { get; private set; }

        public void OnDns(scoped in DnsEvent e) => Fields = (e.Context.Timestamp, e.Context.Tick, e.ResponseCode, e.Flags, e.Id, e.ResponseLength, e.Notes,
            e.Context.Destination.V4, e.Context.DestinationPort);

        public void OnIp(scoped in IpEvent e) => throw new InvalidOperationException();
        public void OnHttp(scoped in HttpEvent e) => throw new InvalidOperationException();
        public void OnTls(scoped in TlsEvent e) => throw new InvalidOperationException();
        public void OnHost(scoped in HostEvent e) => throw new InvalidOperationException();
        public void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException();
    }

    [Fact]
    public void A_thousand_queries_and_answers_allocate_nothing()
    {
        var pairs = new DnsPairs();
        var sink = new Kept();
        int n = 0;
        long bytes = Allocation.Of(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                n++;
                var e = new DnsEvent { Query = "www.example.com"u8, QueryType = 1, ResponseCode = -1, Id = (ushort)n };
                e.Context.Timestamp = n;
                pairs.Hold(e, n, sink);
                if (i % 3 == 0) pairs.Answer(e, sink);
            }
        });
        Assert.Equal(0, bytes);
        // Of every three one is answered: an empty place, until it is the oldest.
        Assert.InRange(pairs.Count, DnsPairs.Capacity / 2, DnsPairs.Capacity - 1);
    }

    [Fact]
    public void Any_order_of_keys_costs_the_same()
    {
        // One key over and over, never answered: what a client that is answered by nobody does.
        var pairs = new DnsPairs();
        var taken = new Taken();
        var lines = Enumerable.Range(0, 60_000).Select(i => new Line('Q', "n", 1, 1000 * Second)).ToList();
        Read(pairs, lines, 0, lines.Count, taken);
        Assert.Equal(DnsPairs.Capacity, pairs.Count);
        Assert.Equal(60_000 - DnsPairs.Capacity, taken.Events.Count);
    }
}
