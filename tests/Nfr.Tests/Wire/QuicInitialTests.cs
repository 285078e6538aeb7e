using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class QuicInitialTests
{
    static readonly byte[] ClientsChoice = Convert.FromHexString("8394c8f03e515708");

    // RFC 9001 A.3.
    internal static readonly byte[] ServerInitial = Bytes.Of("""
        cf                      # Initial, packet number length still protected
        00000001                # version 1
        00                      # destination connection ID: none
        08 f067a5502a4262b5
        00                      # no token
        4075                    # 117 bytes
        c0d9 5a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9
        c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee
        """);

    [Fact]
    public void The_server_Initial_of_the_standard_opens_to_its_frames()
    {
        ReadOnlySpan<byte> datagram = ServerInitial;
        Assert.True(QuicInitial.TryNext(ref datagram, out QuicInitial packet));
        Assert.Equal(QuicVersion.Version1, packet.Version);
        Assert.True(packet.DestinationConnectionId.IsEmpty);
        Assert.True(datagram.IsEmpty);
        var payload = new byte[2048];
        int length = QuicKeys.Derive(packet.Version, ClientsChoice, server: true).Open(packet, payload);
        Assert.StartsWith("02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf7", Convert.ToHexStringLower(payload.AsSpan(0, length)), StringComparison.Ordinal);
        var frames = new QuicFrames(payload.AsSpan(0, length));
        Assert.True(frames.MoveNext());
        Assert.Equal(0UL, frames.Offset);
        Assert.Equal(0x5A, frames.Data.Length);
        Assert.False(frames.MoveNext());
        Assert.True(frames.IsWhole);
    }

    [Fact]
    public void Opening_an_Initial_allocates_nothing()
    {
        var payload = new byte[2048];
        Assert.Equal(0, Allocation.Of(() =>
        {
            ReadOnlySpan<byte> datagram = ServerInitial;
            _ = QuicInitial.TryNext(ref datagram, out QuicInitial packet);
            _ = QuicKeys.Derive(packet.Version, ClientsChoice, server: true).Open(packet, payload);
        }));
    }

    [Fact]
    public void Wrong_keys_give_no_frames()
    {
        ReadOnlySpan<byte> datagram = ServerInitial;
        Assert.True(QuicInitial.TryNext(ref datagram, out QuicInitial packet));
        var payload = new byte[2048];
        int length = QuicKeys.Derive(packet.Version, ClientsChoice, server: false).Open(packet, payload);
        var frames = new QuicFrames(payload.AsSpan(0, length));
        while (frames.MoveNext()) { }
        Assert.False(frames.IsWhole);
    }

    [Fact]
    public void Every_truncation_of_an_Initial_is_refused()
    {
        for (int length = 0; length < ServerInitial.Length; length++)
        {
            ReadOnlySpan<byte> datagram = ServerInitial.AsSpan(0, length);
            Assert.False(QuicInitial.TryNext(ref datagram, out _));
        }
    }

    [Theory]
    [InlineData("c2197c5eff14e88c", 151288809941952652UL)] // RFC 9000 A.1
    [InlineData("9d7f3e7d", 494878333UL)]
    [InlineData("7bbd", 15293UL)]
    [InlineData("25", 37UL)]
    public void Integers_of_the_standard_are_read(string hex, ulong value)
    {
        ReadOnlySpan<byte> bytes = Convert.FromHexString(hex);
        Assert.True(QuicInitial.TryInteger(ref bytes, out ulong read));
        Assert.Equal(value, read);
        Assert.True(bytes.IsEmpty);
    }

    [Theory]
    [InlineData("0201")]            // an ACK that breaks off
    [InlineData("060040")]          // a CRYPTO frame whose length breaks off
    [InlineData("06000501020304")]  // and one whose data do
    [InlineData("02010080ffffffff")] // an ACK of a billion ranges
    [InlineData("08")]              // STREAM has no place in an Initial
    public void What_is_no_frame_ends_the_walk(string hex)
    {
        var frames = new QuicFrames(Convert.FromHexString(hex));
        while (frames.MoveNext()) { }
        Assert.False(frames.IsWhole);
    }
}
