using System.Text;
using Nfr.Events;

namespace Nfr.Tests.Events;

/// <summary>The walk by blocks of 64 bytes against the same walk told byte by byte.</summary>
public sealed class JsonLineReaderTests
{
    const int MaxDepth = 32;

    /// <summary>Where the object or array at the beginning ends; -1 when it does not, or is none.</summary>
    static int End(ReadOnlySpan<byte> text)
    {
        var open = new Stack<byte>();
        bool within = false;
        for (int i = 0; i < text.Length; i++)
        {
            byte c = text[i];
            if (within)
            {
                if (c == '\\' && ++i == text.Length) return -1;
                if (c == '\\') continue;
                if (c < ' ') return -1;
                if (c == '"') within = false;
            }
            else if (c == '"') within = true;
            else if (c is (byte)'{' or (byte)'[')
            {
                open.Push(c);
                if (open.Count > MaxDepth) return -1;
            }
            else if (c is (byte)'}' or (byte)']')
            {
                if (open.Pop() != (c == '}' ? '{' : '[')) return -1;
                if (open.Count == 0) return i + 1;
            }
        }
        return -1;
    }

    [Fact]
    public void Objects_within_end_where_their_brackets_say_whatever_stands_in_them()
    {
        var random = new Random(7);
        byte[][] pieces =
        [
            .. new[]
            {
                "\"", "\\", "\\\\", "\\\"", "{", "}", "[", "]", ",", ":", " ", "a", "\u0001", "\t", "é", "{\"a\":1}", "[1,2]", "\"a b\"", "\"a\\\"b\"", "\"{\"", "\"\\\\\"", "\"]\"",
                "abcdefghijklmnopqrstuvwxyz", "\"abcdefghijklmnopqrstuvwxyz0123456789\"",
            }.Select(Encoding.UTF8.GetBytes),
        ];
        int good = 0;
        for (int round = 0; round < 60_000; round++)
        {
            var text = new List<byte>("[{"u8.ToArray());
            // Half of them of pieces that leave all closed.
            int from = round % 2 == 0 ? 0 : 15;
            for (int n = random.Next(40); n > 0; n--) text.AddRange(pieces[random.Next(from, pieces.Length)]);
            text.AddRange("}"u8);
            byte[] bytes = [.. text, .. "]"u8, .. new string(' ', random.Next(3)).Select(c => (byte)c)];

            int end = End(bytes.AsSpan(1));
            JsonLineReader reader = JsonLineReader.Array(bytes);
            bool read = reader.Next(out JsonRaw value);
            if (read != end >= 0 || (read && (value.Bytes.Length != end || value.Start != 1 || value.Kind != JsonKind.Object))) Assert.Fail(Encoding.UTF8.GetString(bytes));
            if (read) good++;
        }
        Assert.InRange(good, 10_000, 50_000);
    }

    [Fact]
    public void Depth_is_counted_across_blocks()
    {
        foreach (int depth in (int[])[1, MaxDepth, MaxDepth + 1, 100])
        {
            string text = "[" + string.Concat(Enumerable.Repeat("{\"abc\":", depth)) + "1" + new string('}', depth) + "]";
            JsonLineReader reader = JsonLineReader.Array(Encoding.UTF8.GetBytes(text));
            Assert.Equal(depth <= MaxDepth, reader.Next(out JsonRaw _));
        }
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("007", 7L)]
    [InlineData("-12", -12L)]
    [InlineData("+12", 12L)]
    [InlineData("12.9", 12L)]
    [InlineData("1e3", 1000L)]
    [InlineData("999999999999999999", 999999999999999999L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("9223372036854775808", null)]
    [InlineData("12a", null)]
    [InlineData("NOERROR", null)]
    [InlineData("Infinity", null)]
    [InlineData("", null)]
    public void A_number_is_whole_however_it_is_written(string text, long? number)
    {
        bool read = new JsonRaw(JsonKind.String, Encoding.ASCII.GetBytes(text), false).TryNumber(out long value);
        Assert.Equal(number, read ? value : null);
    }
}
