using System.IO.Compression;
using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Follow;

public sealed class FileReadTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-read-").FullName;
    readonly EventRing _ring = new(grouped: true);
    readonly List<LogNotice> _notices = [];
    readonly LogOutlet _outlet;
    readonly LogCounters _counters;
    readonly FileRead _read;

    public FileReadTests()
    {
        _outlet = new LogOutlet(_ring, TimeSpan.Zero, CancellationToken.None);
        _counters = _outlet.Open("read");
        _read = new FileRead(_outlet, _counters, () => new TextParser(new LineOptions()), _notices.Add);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_is_read_to_its_last_line_also_without_an_end()
    {
        string path = File("a.log", "#header\none\r\ntwo\n\nthree"u8);
        Assert.True(_read.Read(path, default));
        Assert.Equal(["one", "two", "three"], Names());
        Assert.Equal(5, _counters.Lines);
        Assert.Equal(new FileInfo(path).Length, _counters.Bytes);
        Assert.Equal(new FileInfo(path).Length, _read.Position);
        Assert.Empty(_read.Faults);
    }

    [Fact]
    public void A_compressed_file_is_told_by_its_magic_and_may_have_several_members()
    {
        Assert.True(_read.Read(File("a.log", [.. Zip("one\ntw"), .. Zip("o\n"), .. Zip("three\n")]), default));
        Assert.Equal(["one", "two", "three"], Names());
    }

    [Fact]
    public void Of_a_compressed_file_that_is_cut_the_whole_lines_are_read_and_a_fault_says_so()
    {
        byte[] zipped = Zip(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i * 7919L % 100_003} {i}\n")));
        Assert.False(_read.Read(File("a.gz", zipped.AsSpan(0, zipped.Length / 2)), default));
        Assert.Contains("a.gz: reading stopped at byte ", Assert.Single(_read.Faults), StringComparison.Ordinal);
        Assert.InRange(_counters.Lines, 1000, 19_000);
        int read = Names().Count;
        // The line in which it was cut is one too.
        Assert.Equal(_counters.Lines, read);
    }

    [Fact]
    public void Utf_16_is_refused_with_a_sentence()
    {
        Assert.False(_read.Read(File("a.log", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("one\n")).ToArray()), default));
        Assert.Contains("iconv", Assert.Single(_read.Faults), StringComparison.Ordinal);
        Assert.Equal(0, _counters.Lines);
    }

    [Fact]
    public void Files_that_are_not_there_and_folders_are_faults()
    {
        Assert.False(_read.Read(Path.Combine(_folder, "none"), default));
        Assert.False(_read.Read(_folder, default));
        Assert.Equal(2, _read.Faults.Count);
        Assert.EndsWith("no such file", _read.Faults[0], StringComparison.Ordinal);
        Assert.EndsWith("a folder, not a log file", _read.Faults[1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_read_too()
    {
        Assert.True(_read.Read(File("a", []), default));
        Assert.True(_read.Read(File("b", "x"u8), default));
        Assert.Equal(["x"], Names());
    }

    [Fact]
    public void Zeeks_certificates_are_read_first()
    {
        string ssl = File("ssl.log", "#path\tssl\n"u8);
        string named = File("x509.09.log", ""u8);
        string content = File("certificates", Zip("#separator \\x09\n#path\tx509\n"));
        Assert.Equal([named, content, ssl, "-"], FileRead.InOrder([ssl, named, content, "-"]));
    }

    [Fact]
    public void The_first_skipped_line_of_a_reason_is_told_with_its_file_and_line()
    {
        Assert.True(_read.Read(File("a.log", [.. "one\nbad \u001b[31m\xc3\n"u8, .. "bad again\nthrow\n"u8, .. new byte[(1 << 20) + 9], (byte)'\n', .. "last"u8]), default));
        Assert.Equal(["one", "last"], Names());
        Assert.Equal(3, _counters.Verdicts[(int)LineVerdict.Syntax]);
        Assert.Equal(1, _counters.Verdicts[(int)LineVerdict.TooLong]);
        Assert.Equal(1, _counters.Mistakes);
        Assert.Equal(2, _notices.Count);
        Assert.Contains("a.log:2: the line is left out: it is not how this format writes a line", _notices[0].Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', _notices[0].Sentence);
        Assert.Contains("a.log:5: the line is left out: it is longer than 1 MiB", _notices[1].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_held_at_the_end_of_a_file_goes_out()
    {
        Assert.True(_read.Read(File("a.log", "ask 1\nask 2\nanswer 1\n"u8), default));
        Assert.Equal(["ask 1 answered", "ask 2"], Names());
    }

    static string Edge(int i) => $$"""{"time":1529603514134,"source":"10.0.0.1","query":"n{{i}}.example.","queryType":"A","queryProtocol":"UDP"}""";

    FileRead Records(LogFormat format)
    {
        var lines = new LineOptions();
        return new FileRead(_outlet, _counters, () => LogFormats.Parser(format, lines)!, _notices.Add) { Format = format, RecordParser = () => LogFormats.Parser(LogFormat.Edge, lines)! };
    }

    [Theory]
    [InlineData(LogFormat.Edge)]
    [InlineData(LogFormat.Auto)]
    public void An_array_of_Edge_in_one_line_is_read_however_long_it_is(LogFormat format)
    {
        const int Count = 12_000;
        byte[] array = Encoding.ASCII.GetBytes("[" + string.Join(",", Enumerable.Range(0, Count).Select(Edge)) + "]");
        Assert.True(array.Length > 1 << 20);
        FileRead read = Records(format);
        // As a file, packed, and through a pipe that gives little at a time.
        Assert.True(read.Read(File("a.json", array), default));
        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"n{i}.example"), Names());
        Assert.Equal(Count, _counters.Verdicts[(int)LineVerdict.Event]);
        Assert.Equal(0, _counters.Skipped);
        Assert.Equal(array.Length, _counters.Bytes);
        Assert.True(read.Read(File("a.json.gz", Zip(Encoding.ASCII.GetString(array))), default));
        Assert.Equal(Count, Names().Count);
        Assert.True(read.Read("-", default, new Drops(array)));
        Assert.Equal(Count, Names().Count);
        Assert.Equal(3 * array.Length, _counters.Bytes);
    }

    [Fact]
    public void What_is_wrong_with_one_of_Edges_records_costs_it_alone()
    {
        string text = "[" + Edge(1) + ",{\"time\":5},{\"x\":\"" + new string('y', 2 << 20) + "\"}," + Edge(2) + ", " + Edge(3)[..40];
        Assert.True(Records(LogFormat.Auto).Read(File("a.json", Encoding.ASCII.GetBytes(text)), default));
        Assert.Equal(["n1.example", "n2.example"], Names());
        Assert.Equal((1, 1, 1), (_counters.Verdicts[(int)LineVerdict.TooLong], _counters.Verdicts[(int)LineVerdict.CutOff], _counters.Verdicts[(int)LineVerdict.Source]));
        Assert.Equal(text.Length, _counters.Bytes);
        Assert.Contains(_notices, n => n.Sentence.Contains("a.json, at byte ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{\"timestamp\":\"2023-11-14T22:13:20.230758+0000\",\"event_type\":\"dns\",\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.2\",\"proto\":\"UDP\",\"dns\":{\"type\":\"query\",\"id\":1,\"rrname\":\"a.example\",\"rrtype\":\"A\"}}\n", LineVerdict.Held)]
    [InlineData("{\"what\":\"else\"}\n[\n", LineVerdict.Syntax)]
    public void Other_objects_are_lines_under_auto_also_from_a_slow_pipe(string text, LineVerdict first)
    {
        foreach (Stream stream in (Stream[])[new Drops(Encoding.ASCII.GetBytes(text)), new MemoryStream(Encoding.ASCII.GetBytes(text))])
        {
            Assert.True(Records(LogFormat.Auto).Read("-", default, stream));
            Names();
        }
        Assert.Equal(2, _counters.Verdicts[(int)first]);
        Assert.Equal(2 * text.Length, _counters.Bytes);
    }

    /// <summary>Gives a few bytes at a time.</summary>
    sealed class Drops(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 997)]);
    }

    List<string> Names()
    {
        List<string> names = [];
        var sink = new NamesSink(names);
        while (_ring.Read(ref sink, 1000) > 0)
        {
        }
        return names;
    }

    string File(string name, ReadOnlySpan<byte> bytes)
    {
        string path = Path.Combine(_folder, name);
        System.IO.File.WriteAllBytes(path, bytes.ToArray());
        return path;
    }

    static byte[] Zip(string text)
    {
        var stream = new MemoryStream();
        using (var zip = new GZipStream(stream, CompressionLevel.Optimal)) zip.Write(Encoding.UTF8.GetBytes(text));
        return stream.ToArray();
    }
}
