using System.Text;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>BlueCat DNS Edge's records, however they are broken into lines.</summary>
public sealed class EdgeTests
{
    const string First = """{"time":1529603514134,"source":"10.0.0.1","query":"google.com.","queryType":"A","queryProtocol":"UDP"}""";

    const string Second = """
        {
          "time": 1588863296043,
          "source": "2001:db8::7",
          "siteId": "91d9e73b-c5ce-4f92-a419-5d421e8fef25",
          "query": "a{b}\"c.example.",
          "queryType": "AAAA",
          "actionTaken": "query-response",
          "response": "NXDOMAIN",
          "matchedPolicies": [
          ],
          "answers": [ { "domainName": "VERSION.BIND.", "recordType": "CNAME", "parsed": true, "rData": "x.example." }, {"recordType":"A","rData":"10.0.0.9"} ],
          "queryProtocol": "TCP",
          "threats": [ { "type": "dga", "indicators": ["]}"] } ],
          "queryId": 18157
        }
        """;

    static EdgeParser Parser() => new(new LineOptions { Zone = TimeZoneInfo.Utc });

    static DnsTaken Read(params string[] lines)
    {
        EdgeParser parser = Parser();
        return new DnsTaken().Read(parser, lines).Release(parser);
    }

    [SampleTheory("12-go-nfr-golden/inputs/edge")]
    [InlineData("all-scope")]
    [InlineData("default-scope")]
    public void What_the_original_posts_is_what_is_read_but_for_the_last_dot(string scope)
    {
        string inputs = Corpus.Find("12-go-nfr-golden/inputs/edge");
        foreach (string file in Directory.GetFiles(inputs))
        {
            EdgeParser parser = Parser();
            DnsTaken taken = new DnsTaken().Read(parser, File.ReadAllLines(file)).Release(parser);
            string golden = Path.Combine(inputs, "..", "..", scope, "edge", Path.GetFileName(file) + ".dns.ndjson");
            // A10 20: a name with a last dot never matches; ours has none.
            Assert.Equal(File.Exists(golden) ? File.ReadAllLines(golden).Select(l => l.Replace(".\",\"qtype\"", "\",\"qtype\"", StringComparison.Ordinal)) : [], taken.Uploads);
            Assert.DoesNotContain(taken.Verdicts, v => v.IsSkip());
        }
    }

    public static TheoryData<string> Forms => new()
    {
        "[\n" + First + ",\n" + Second + "\n]\n",
        "[" + First + "," + Second.Replace("\n", "", StringComparison.Ordinal) + "]",
        First + "\n" + Second.Replace("\n", "", StringComparison.Ordinal) + "\n",
        "\uFEFF[\r\n  " + First + ",\r\n" + Second.Replace("\n", "\r\n", StringComparison.Ordinal) + "]\r\n",
        First + Second,
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Records_are_read_in_any_form(string text)
    {
        Check(Read(text.Replace("\r", "", StringComparison.Ordinal).Split('\n')));

        // And as records of a stream that comes in any pieces.
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        foreach (int piece in (int[])[1, 2, 3, 7, 64, bytes.Length])
        {
            EdgeParser parser = Parser();
            var taken = new DnsTaken();
            var records = new JsonRecords();
            long total = 0;
            for (int at = 0; at < bytes.Length; at += piece)
            {
                int n = Math.Min(piece, bytes.Length - at);
                bytes.AsSpan(at, n).CopyTo(records.Room());
                records.Filled(n);
                while (records.TryNext(out ReadOnlySpan<byte> record) != LineFound.None) Take(record);
            }
            if (records.TryLast(out ReadOnlySpan<byte> last) != LineFound.None) Take(last);
            Assert.Equal(bytes.Length, total);
            Check(taken);

            void Take(ReadOnlySpan<byte> record)
            {
                Assert.Equal(total, records.At);
                total += records.Length;
                taken.Read(parser, [record.ToArray()]);
            }
        }
    }

    static void Check(DnsTaken taken)
    {
        Assert.DoesNotContain(taken.Verdicts, v => v.IsSkip());
        Assert.Equal(2, taken.Events.Count);
        DnsTaken.Event e = taken.Events[0];
        Assert.Equal(("10.0.0.1", "google.com", (ushort)1, (byte)17, (short)-1), (e.Source, e.Query, e.QueryType, e.Protocol, e.ResponseCode));
        Assert.Equal(new DateTime(2018, 6, 21, 17, 51, 54, 134), e.Utc);
        e = taken.Events[1];
        Assert.Equal(("2001:db8::7", "a{b}\"c.example", (ushort)28, (byte)6, (short)3, 18157), (e.Source, e.Query, e.QueryType, e.Protocol, e.ResponseCode, e.Id));
    }

    [Fact]
    public void A_record_that_goes_on_in_the_next_line_is_held_back()
    {
        EdgeParser parser = Parser();
        var taken = new DnsTaken();
        taken.Read(parser, "[", First[..22]);
        Assert.Equal(2, parser.OldestHeld);
        taken.Read(parser, First[22..] + ",");
        Assert.Equal(long.MaxValue, parser.OldestHeld);
        Assert.Equal([LineVerdict.Header, LineVerdict.Header, LineVerdict.Event], taken.Verdicts);
    }

    [Theory]
    [InlineData("x", LineVerdict.NotJson)]
    [InlineData("""{"source":"10.0.0.1","query":"a"}""", LineVerdict.Timestamp)]
    [InlineData("""{"time":-5,"source":"10.0.0.1","query":"a"}""", LineVerdict.Timestamp)]
    [InlineData("""{"time":1529603514134,"source":"ten","query":"a"}""", LineVerdict.Source)]
    [InlineData("""{"time":1529603514134,"source":"10.0.0.1"}""", LineVerdict.Query)]
    [InlineData("""{"time":1529603514134,"source":"10.0.0.1","query":""}""", LineVerdict.Query)]
    [InlineData("""{"time":1529603514134,"source":"10.0.0.1","query":"a" "b"}""", LineVerdict.NotJson)]
    [InlineData("""{"time":1529603514134,"source":"10.0.0.1","query":"a""", LineVerdict.NotJson)]
    public void A_record_that_cannot_be_read_says_why_and_costs_none_behind_it(string line, LineVerdict verdict)
    {
        DnsTaken taken = Read(line, First);
        Assert.Equal([verdict, LineVerdict.Event], taken.Verdicts);
    }

    [Fact]
    public void Names_of_other_bytes_are_escaped()
    {
        DnsTaken taken = Read("""{"time":"2018-06-21T17:51:54.134Z","source":"10.0.0.1","query":"m\u00fcde.\u0001x.","queryType":"TYPE65"}""");
        Assert.Equal(("m\\195\\188de.\\001x", (ushort)65), (taken.Events[0].Query, taken.Events[0].QueryType));
    }

    [Theory]
    [InlineData("{\"x\":\"", "\"}", "\n")]
    [InlineData("[{\"x\":\"", "\\\"}{\"}", ",")]
    [InlineData("{\"x\":[{\"", "\n", "")]
    [InlineData("x", "}\n", "")]
    public void An_object_longer_than_a_mebibyte_is_told_and_the_next_one_is_read(string begin, string end, string between)
    {
        var records = new JsonRecords();
        byte[] bytes = Encoding.ASCII.GetBytes(begin + new string('y', 3 << 20) + end + between + First + "\n");
        var found = new List<LineFound>();
        long total = 0;
        for (int at = 0; at < bytes.Length; at += JsonRecords.ChunkLength)
        {
            int n = Math.Min(JsonRecords.ChunkLength, bytes.Length - at);
            bytes.AsSpan(at, n).CopyTo(records.Room());
            records.Filled(n);
            while (records.TryNext(out ReadOnlySpan<byte> record) is not LineFound.None and var one) Add(one, record);
        }
        if (records.TryLast(out ReadOnlySpan<byte> last) is not LineFound.None and var rest) Add(rest, last);
        Assert.Equal([LineFound.TooLong, LineFound.Line, LineFound.Line], found);
        Assert.Equal(bytes.Length, total);

        void Add(LineFound one, ReadOnlySpan<byte> record)
        {
            found.Add(one);
            if (found.Count == 2) Assert.Equal(First, Encoding.ASCII.GetString(record));
            Assert.Equal(total, records.At);
            total += records.Length;
        }
    }

    [Fact]
    public void What_ends_within_an_object_that_is_too_long_adds_up_too()
    {
        var records = new JsonRecords();
        long total = 0;
        for (int i = 0; i < 40; i++)
        {
            Span<byte> room = records.Room();
            room.Fill((byte)'{');
            records.Filled(room.Length);
            while (records.TryNext(out _) != LineFound.None) total += records.Length;
        }
        if (records.TryLast(out ReadOnlySpan<byte> last) != LineFound.None) total += records.Length;
        Assert.True(last.IsEmpty);
        Assert.Equal(40 * JsonRecords.ChunkLength, total);
    }

    [Fact]
    public void Any_bytes_are_borne()
    {
        EdgeParser parser = Parser();
        var taken = new DnsTaken();
        var random = new Random(3);
        byte[] whole = Encoding.ASCII.GetBytes(First);
        for (int run = 0; run < 20_000; run++)
        {
            byte[] line = whole[..random.Next(whole.Length + 1)];
            for (int i = random.Next(1, 4); i > 0 && line.Length > 0; i--) line[random.Next(line.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : "{}[]\",:\\"u8[random.Next(8)]);
            taken.Read(parser, [line]);
        }
        taken.Read(parser, [new byte[1 << 20], Enumerable.Repeat((byte)'{', 1 << 20).ToArray(), Enumerable.Repeat((byte)'[', 1 << 20).ToArray(), whole]);
        parser.Release(taken);
        taken.Read(parser, [whole]);
        Assert.Equal(LineVerdict.Event, taken.Verdicts[^1]);
    }

    [Fact]
    public void Records_allocate_nothing()
    {
        EdgeParser parser = Parser();
        var sink = new NoEvents();
        byte[] first = Encoding.UTF8.GetBytes(First + ","), second = Encoding.UTF8.GetBytes(Second.Replace("\n", "", StringComparison.Ordinal));
        Assert.Equal(0, Allocation.Of(() =>
        {
            parser.Read(first, sink);
            parser.Read(second, sink);
        }));
    }
}
