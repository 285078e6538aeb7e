using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class HttpChunkReaderTests
{
    const string Whole = "5\r\nhello\r\n00A ; name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

    [Fact]
    public void A_body_is_consumed_to_its_end_and_no_further()
    {
        var reader = new HttpChunkReader();
        Assert.Equal(Whole.Length, reader.Read(Bytes.Ascii(Whole + "GET / HTTP/1.1\r\n")));
        Assert.True(reader.IsComplete);
        Assert.Equal(15, reader.DataLength);
        Assert.Equal(0, reader.Read(Bytes.Ascii("more")));
    }

    [Fact]
    public void A_body_may_come_in_any_two_pieces()
    {
        byte[] bytes = Bytes.Ascii(Whole);
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            var reader = new HttpChunkReader();
            Assert.Equal(cut, reader.Read(bytes.AsSpan(0, cut)));
            Assert.False(reader.IsComplete);
            Assert.Equal(DecodeFault.None, reader.Fault);
            Assert.Equal(bytes.Length - cut, reader.Read(bytes.AsSpan(cut)));
            Assert.True(reader.IsComplete);
        }
    }

    [Fact]
    public void Data_may_be_skipped_unseen()
    {
        var reader = new HttpChunkReader();
        Assert.Equal(8, reader.Read("100000\r\n"u8));
        Assert.Equal(0x100000, reader.SkipLength);
        Assert.Equal(0x100000, reader.Skip(long.MaxValue));
        Assert.Equal(0, reader.SkipLength);
        Assert.Equal(0, reader.Skip(1));
        Assert.Equal(7, reader.Read("\r\n0\r\n\r\n"u8));
        Assert.True(reader.IsComplete);
        Assert.Equal(0x100000, reader.DataLength);
    }

    [Theory]
    [InlineData("3\nabc\n0\n\n")]
    [InlineData("3  \r\nabc\r\n0\r\n\r\n")]
    [InlineData("3;a=\"b;c\"\r\nabc\r\n000\r\n\r\n")]
    [InlineData("3\r\nabc\r\n0\r\nA: b\nC: d\n\n")]
    public void A_lenient_coding_is_read(string text)
    {
        var reader = new HttpChunkReader();
        Assert.Equal(text.Length, reader.Read(Bytes.Ascii(text)));
        Assert.True(reader.IsComplete);
        Assert.Equal(3, reader.DataLength);
    }

    [Theory]
    [InlineData("\r\n", 0)]
    [InlineData("g\r\n", 0)]
    [InlineData("-1\r\n", 0)]
    [InlineData("3 4\r\n", 2)]
    [InlineData("3\r\nabcd\r\n", 6)]
    [InlineData("3\r\nabc\rx", 7)]
    [InlineData("0\r\n\rx", 4)]
    [InlineData("123456789abcdef\r\n", 14)]
    public void A_broken_coding_is_a_fault_where_it_broke(string text, int consumed)
    {
        var reader = new HttpChunkReader();
        Assert.Equal(consumed, reader.Read(Bytes.Ascii(text)));
        Assert.Equal(DecodeFault.HttpChunkInvalid, reader.Fault);
        Assert.False(reader.IsComplete);
        Assert.Equal(0, reader.Read("0\r\n\r\n"u8));
    }

    [Fact]
    public void Lines_without_end_are_a_fault()
    {
        foreach (string start in (string[])["1;", "1 ", "0", "0\r\nX: "])
        {
            var reader = new HttpChunkReader();
            reader.Read(Bytes.Ascii(start));
            char more = start[^1] is ' ' ? ' ' : start == "0" ? '0' : 'x';
            reader.Read(Bytes.Ascii(new string(more, 20_000)));
            Assert.Equal(DecodeFault.HttpChunkInvalid, reader.Fault);
        }
    }

    [Fact]
    public void Mutated_bodies_never_throw_and_count_what_they_consume()
    {
        var random = new Random(5);
        byte[] whole = Bytes.Ascii(Whole);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] bytes = Bytes.Mutate(whole, random);
            var atOnce = new HttpChunkReader();
            int consumed = atOnce.Read(bytes);
            Assert.InRange(consumed, 0, bytes.Length);
            var byByte = new HttpChunkReader();
            int sum = 0;
            foreach (byte b in bytes) sum += byByte.Read([b]);
            Assert.Equal((consumed, atOnce.IsComplete, atOnce.Fault, atOnce.DataLength), (sum, byByte.IsComplete, byByte.Fault, byByte.DataLength));
        }
    }

    [Fact]
    public void Reading_a_body_allocates_nothing()
    {
        byte[] bytes = Bytes.Ascii(Whole);
        Assert.Equal(0, Allocation.Of(() =>
        {
            var reader = new HttpChunkReader();
            reader.Read(bytes);
        }));
    }
}
