using System.Text;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Follow;

public sealed class LineReaderTests
{
    [Theory]
    [InlineData("a\nb\n", "a|b")]
    [InlineData("a\r\nb\r\n", "a|b")]
    [InlineData("a\n\n\nb\n", "a|||b")]
    [InlineData("a\nhalf", "a")]
    [InlineData("\uFEFFa\n\uFEFFb\n", "a|\uFEFFb")]
    [InlineData("a\rb\r\r\n", "a\rb\r")]
    [InlineData("\0a\0\n", "\0a\0")]
    [InlineData("", "")]
    public void Lines_are_cut_at_LF_and_CR_LF_whatever_comes_at_once(string text, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int step = 1; step <= bytes.Length + 1; step++) Assert.Equal(expected, string.Join('|', Lines(bytes, step, last: false)));
    }

    [Fact]
    public void The_last_line_of_a_stream_needs_no_end()
    {
        Assert.Equal(["a", "b"], Lines("a\nb"u8.ToArray(), 1, last: true));
        Assert.Equal(["a"], Lines("a\n"u8.ToArray(), 1, last: true));
        // No LF: the CR may be a byte of the line.
        Assert.Equal(["a\r"], Lines("a\r"u8.ToArray(), 1, last: true));
    }

    [Theory]
    [InlineData(LineReader.MaximumLength, "\n", false)]
    [InlineData(LineReader.MaximumLength, "\r\n", false)]
    [InlineData(LineReader.MaximumLength + 1, "\n", true)]
    [InlineData(LineReader.MaximumLength + 1, "\r\n", true)]
    [InlineData((5 << 20) + 7, "\n", true)]
    public void A_line_longer_than_a_mebibyte_is_passed_over_to_its_end(int length, string end, bool tooLong)
    {
        byte[] bytes = [.. "first\n"u8, .. Enumerable.Repeat((byte)'x', length), .. Encoding.UTF8.GetBytes(end), .. "after\n"u8];
        foreach (int step in new[] { LineReader.ChunkLength, 1000, 65_521 })
        {
            List<string> lines = Lines(bytes, step, last: true);
            Assert.Equal(3, lines.Count);
            Assert.Equal("first", lines[0]);
            Assert.Equal(tooLong ? "TOO LONG x" : "x", lines[1][..(tooLong ? 10 : 1)]);
            if (!tooLong) Assert.Equal(length, lines[1].Length);
            Assert.Equal("after", lines[2]);
        }
    }

    [Fact]
    public void Offsets_say_where_each_line_begins_and_ends()
    {
        var reader = new LineReader();
        reader.Begin(1000);
        "ab\r\n\ncd"u8.CopyTo(reader.Room());
        reader.Filled(7);
        Assert.Equal(LineFound.Line, reader.TryNext(out _));
        Assert.Equal((1000, 1004, 4), (reader.At, reader.Offset, reader.Length));
        Assert.Equal(LineFound.Line, reader.TryNext(out _));
        Assert.Equal((1004, 1005, 1), (reader.At, reader.Offset, reader.Length));
        Assert.Equal(LineFound.None, reader.TryNext(out _));
        Assert.Equal((1005, 1007, 2), (reader.Offset, reader.ReadAt, reader.Half));
    }

    [Fact]
    public void Nothing_is_allocated_per_line()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(i => $"a line of some length, number {i}\n")));
        var reader = new LineReader();
        long lines = 0;
        long bytes = Allocation.Of(() =>
        {
            text.CopyTo(reader.Room());
            reader.Filled(text.Length);
            while (reader.TryNext(out _) != LineFound.None) lines++;
        });
        Assert.Equal(0, bytes);
        Assert.Equal(0, lines % 1000);
    }

    static List<string> Lines(byte[] bytes, int step, bool last)
    {
        var reader = new LineReader();
        List<string> lines = [];
        for (int at = 0; at < bytes.Length;)
        {
            int n = Math.Min(step, bytes.Length - at);
            Assert.Equal(at, reader.ReadAt);
            bytes.AsSpan(at, n).CopyTo(reader.Room());
            reader.Filled(n);
            at += n;
            LineFound found;
            while ((found = reader.TryNext(out ReadOnlySpan<byte> line)) != LineFound.None) Add(found, line);
        }
        if (last && reader.TryLast(out ReadOnlySpan<byte> rest) is var kind and not LineFound.None) Add(kind, rest);
        return lines;

        void Add(LineFound found, ReadOnlySpan<byte> line) => lines.Add((found == LineFound.TooLong ? "TOO LONG " : "") + Encoding.UTF8.GetString(line));
    }
}
