using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class TlsRecordTests
{
    static byte[] Record(byte type, params byte[] fragment) => [type, 3, 3, (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];
    static byte[] Message(byte type, params byte[] body) => [type, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

    [Fact]
    public void A_record_gives_its_header_and_what_is_there_of_its_fragment()
    {
        byte[] bytes = Bytes.Of("16 0301 0004 aabb");
        for (int length = 0; length < 5; length++)
        {
            Assert.Equal(ReadState.NeedMore, TlsRecord.TryRead(bytes.AsSpan(0, length), out _, out _));
        }
        Assert.Equal(ReadState.Complete, TlsRecord.TryRead(bytes, out TlsRecord record, out _));
        Assert.Equal((TlsContentType.Handshake, 0x0301, 4, 2, false), (record.ContentType, record.Version, record.Length, record.Fragment.Length, record.IsWhole));
        TlsRecord.TryRead(Bytes.Of("17 0303 0001 aa 17"), out record, out _);
        Assert.True(record.IsWhole);
        Assert.Equal(1, record.Fragment.Length);
    }

    [Theory]
    [InlineData("13", DecodeFault.TlsRecordTypeUnknown)]
    [InlineData("19 0303 0001", DecodeFault.TlsRecordTypeUnknown)]
    [InlineData("16 02", DecodeFault.TlsRecordVersionUnknown)]
    [InlineData("16 0305", DecodeFault.TlsRecordVersionUnknown)]
    [InlineData("16 0303 4801", DecodeFault.TlsRecordTooLong)]
    public void A_header_that_is_none_is_refused_as_soon_as_it_shows(string hex, DecodeFault expected)
    {
        Assert.Equal(ReadState.Invalid, TlsRecord.TryRead(Bytes.Of(hex), out _, out DecodeFault fault));
        Assert.Equal(expected, fault);
    }

    [Theory]
    [InlineData("16 0301 0200 01", true)]
    [InlineData("16 0303 0040 02", true)]
    [InlineData("16 0301 0200", true)]
    [InlineData("16 0301 0200 0b", false)]
    [InlineData("17 0303 0040 01", false)]
    [InlineData("16 0301 0000 01", false)]
    [InlineData("16 03", false)]
    public void A_handshake_is_recognised_by_its_first_bytes(string hex, bool expected) =>
        Assert.Equal(expected, TlsRecord.LooksLikeHandshake(Bytes.Of(hex)));

    [Theory]
    [InlineData("802e 01 0002 0015 0000 0010", true)]
    [InlineData("802e 01 0301 0015 0000 0010", true)]
    [InlineData("802e 01 0401 0015 0000 0010", false)]
    [InlineData("802f 01 0301 0015 0000 0010", false)]
    [InlineData("802e 02 0301 0015 0000 0010", false)]
    [InlineData("802e 01 0301 0015 0000", false)]
    public void An_ssl2_hello_is_recognised(string hex, bool expected) => Assert.Equal(expected, TlsRecord.LooksLikeSslV2Hello(Bytes.Of(hex)));

    [Fact]
    public void Messages_in_one_record_are_handed_out_in_place()
    {
        byte[] stream = [.. Record(22, [.. Message(2, 1, 2, 3), .. Message(11, 4), .. Message(14)]), .. Record(20, 1)];
        var reader = new TlsHandshakeReader(stream, default);
        var seen = new List<(TlsHandshakeType, int)>();
        ReadState state;
        while ((state = reader.MoveNext()) == ReadState.Complete) seen.Add((reader.Type, reader.Body.Length));
        Assert.Equal(ReadState.End, state);
        Assert.Equal([(TlsHandshakeType.ServerHello, 3), (TlsHandshakeType.Certificate, 1), (TlsHandshakeType.ServerHelloDone, 0)], seen);
    }

    [Fact]
    public void A_message_across_records_is_put_together_wherever_it_is_split()
    {
        byte[] messages = [.. Message(1, 1, 2, 3, 4, 5), .. Message(2, 6, 7)];
        Span<byte> scratch = stackalloc byte[9];
        for (int size = 1; size <= messages.Length; size++)
        {
            byte[] stream = [.. messages.Chunk(size).SelectMany(c => Record(22, c))];
            var reader = new TlsHandshakeReader(stream, scratch);
            Assert.Equal(ReadState.Complete, reader.MoveNext());
            Assert.Equal((TlsHandshakeType.ClientHello, "0102030405"), (reader.Type, Convert.ToHexStringLower(reader.Body)));
            Assert.Equal(ReadState.Complete, reader.MoveNext());
            Assert.Equal((TlsHandshakeType.ServerHello, "0607"), (reader.Type, Convert.ToHexStringLower(reader.Body)));
            Assert.Equal(ReadState.NeedMore, reader.MoveNext());
            // Every truncation gives the first message, or asks for more.
            for (int length = 0; length < stream.Length; length++)
            {
                reader = new TlsHandshakeReader(stream.AsSpan(0, length), scratch);
                ReadState state;
                while ((state = reader.MoveNext()) == ReadState.Complete) { }
                Assert.Equal(ReadState.NeedMore, state);
            }
        }
    }

    [Fact]
    public void A_spanning_message_beyond_the_scratch_is_refused()
    {
        byte[] stream = [.. Record(22, 11, 0, 0, 10, 1, 2), .. Record(22, 3, 4, 5, 6, 7, 8, 9, 10)];
        var reader = new TlsHandshakeReader(stream, stackalloc byte[13]);
        Assert.Equal(ReadState.Invalid, reader.MoveNext());
        Assert.Equal(DecodeFault.TlsHandshakeTooLong, reader.Fault);
        reader = new TlsHandshakeReader(stream, stackalloc byte[14]);
        Assert.Equal(ReadState.Complete, reader.MoveNext());
    }

    [Fact]
    public void A_message_broken_off_by_another_record_is_refused()
    {
        byte[] stream = [.. Record(22, 11, 0, 0, 10, 1, 2), .. Record(23, 3)];
        var reader = new TlsHandshakeReader(stream, stackalloc byte[100]);
        Assert.Equal(ReadState.Invalid, reader.MoveNext());
        Assert.Equal(DecodeFault.TlsHelloTruncated, reader.Fault);
    }

    [Fact]
    public void Empty_handshake_records_and_mutations_always_end()
    {
        byte[] empty = [.. Enumerable.Repeat(Record(22), 100).SelectMany(r => r)];
        Assert.Equal(ReadState.NeedMore, new TlsHandshakeReader(empty, default).MoveNext());
        var random = new Random(7);
        byte[] whole = [.. Record(22, [.. Message(2, 1, 2, 3), 11, 0, 0]), .. Record(22, 4, 1, 2, 3, 4), .. Record(22, Message(14)), .. Record(20, 1)];
        byte[] scratch = new byte[64];
        for (int i = 0; i < 50_000; i++)
        {
            var reader = new TlsHandshakeReader(Bytes.Mutate(whole, random), scratch);
            int count = 0;
            while (reader.MoveNext() == ReadState.Complete) Assert.InRange(++count, 1, 100);
        }
    }

    [Fact]
    public void Walking_a_handshake_allocates_nothing()
    {
        byte[] stream = [.. Record(22, [.. Message(2, 1, 2, 3), 11, 0, 0]), .. Record(22, 4, 1, 2, 3, 4)];
        byte[] scratch = new byte[64];
        Assert.Equal(0, Allocation.Of(() =>
        {
            TlsRecord.LooksLikeHandshake(stream);
            var reader = new TlsHandshakeReader(stream, scratch);
            while (reader.MoveNext() == ReadState.Complete) { }
        }));
    }
}
