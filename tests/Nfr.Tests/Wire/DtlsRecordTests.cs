using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class DtlsRecordTests
{
    const string Header = "16 fefd 0000 000000000001";

    [Fact]
    public void Records_of_a_datagram_are_walked()
    {
        ReadOnlySpan<byte> rest = Bytes.Of($"{Header} 0002 aabb 17 feff 0001 000000000000 0001 cc");
        Assert.True(DtlsRecord.TryNext(ref rest, out DtlsRecord record));
        Assert.Equal((TlsContentType.Handshake, 0xFEFD, 0, 2), (record.ContentType, record.Version, record.Epoch, record.Fragment.Length));
        Assert.True(DtlsRecord.TryNext(ref rest, out record));
        Assert.Equal((TlsContentType.ApplicationData, 0xFEFF, 1, 1), (record.ContentType, record.Version, record.Epoch, record.Fragment.Length));
        Assert.False(DtlsRecord.TryNext(ref rest, out _));
    }

    [Fact]
    public void Every_truncation_of_a_record_is_refused()
    {
        byte[] bytes = Bytes.Of($"{Header} 0002 aabb");
        for (int length = 0; length < bytes.Length; length++)
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(0, length);
            Assert.False(DtlsRecord.TryNext(ref rest, out _));
            Assert.Equal(length, rest.Length);
        }
    }

    [Theory]
    [InlineData("13 fefd 0000 000000000001 0000")]
    [InlineData("19 fefd 0000 000000000001 0000")]
    [InlineData("16 0303 0000 000000000001 0000")]
    [InlineData("16 fefc 0000 000000000001 0000")]
    public void What_is_no_record_is_refused(string hex)
    {
        ReadOnlySpan<byte> rest = Bytes.Of(hex);
        Assert.False(DtlsRecord.TryNext(ref rest, out _));
    }

    [Fact]
    public void Fragments_of_a_message_are_walked_and_every_truncation_refused()
    {
        byte[] bytes = Bytes.Of("0b 000005 0003 000002 000003 aabbcc");
        ReadOnlySpan<byte> rest = bytes;
        Assert.True(DtlsHandshake.TryNext(ref rest, out DtlsHandshake part));
        Assert.Equal((TlsHandshakeType.Certificate, 5, 3, 2, 3, false), (part.Type, part.Length, part.Sequence, part.FragmentOffset, part.Fragment.Length, part.IsWhole));
        Assert.True(rest.IsEmpty);
        for (int length = 0; length < bytes.Length; length++)
        {
            rest = bytes.AsSpan(0, length);
            Assert.False(DtlsHandshake.TryNext(ref rest, out _));
        }
        // Past the end of its message.
        rest = Bytes.Of("0b 000005 0003 000003 000003 aabbcc");
        Assert.False(DtlsHandshake.TryNext(ref rest, out _));
    }

    [Theory]
    [InlineData("000c 01 000000 0000 000000 000000", true)]
    [InlineData("000c 03 000000 0000 000000 000000", true)]
    [InlineData("000c 0b 000000 0000 000000 000000", false)]
    [InlineData("000d 01 000000 0000 000000 000000", false)]
    public void A_handshake_is_known_by_its_hello(string fragment, bool expected) => Assert.Equal(expected, DtlsRecord.LooksLikeHandshake(Bytes.Of($"{Header} {fragment}")));
}
