using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Tests.Capture;

public sealed class PcapWriterTests
{
    [Fact]
    public void What_is_written_reads_back()
    {
        using var stream = new MemoryStream();
        var writer = new PcapWriter(stream, LinkType.Raw);
        for (int i = 0; i < 2000; i++) Assert.True(writer.Write(CaptureBytes.Bytes(i, i), i + 5, 1_700_000_000_000_000_001 + i));
        Assert.Equal(2000, writer.Frames);
        writer.Dispose();

        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(stream.ToArray());
        Assert.Null(fault);
        Assert.Equal(2000, frames.Count);
        for (int i = 0; i < 2000; i++)
        {
            Assert.Equal(CaptureBytes.Bytes(i, i), frames[i].Bytes);
            Assert.Equal(i + 5, frames[i].OriginalLength);
            Assert.Equal(1_700_000_000_000_000_001 + i, frames[i].Timestamp);
            Assert.Equal(LinkType.Raw, frames[i].LinkType);
        }
    }

    [Fact]
    public void A_tag_that_the_kernel_took_out_is_put_back()
    {
        using var stream = new MemoryStream();
        using (var writer = new PcapWriter(stream, LinkType.Ethernet))
        {
            writer.Write(new Frame(Convert.FromHexString("0102030405060708090A0B0C" + "0800" + "4500"), 16, 5, 5, LinkType.Ethernet, 0x88A8, 0x6007));
        }
        KeptFrame frame = Assert.Single(TemporaryFile.Read(stream.ToArray()).Frames);
        Assert.Equal("0102030405060708090A0B0C" + "88A8" + "6007" + "0800" + "4500", Convert.ToHexString(frame.Bytes));
        Assert.Equal(20, frame.OriginalLength);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_frame_longer_than_the_format_allows_is_cut(bool tagged)
    {
        using var stream = new MemoryStream();
        using (var writer = new PcapWriter(stream, LinkType.Ethernet))
        {
            writer.Write(new Frame(new byte[500_000], 500_000, 5, 5, LinkType.Ethernet, tagged ? (ushort)0x8100 : (ushort)0));
            writer.Write([1], 1, -5);
        }
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(stream.ToArray());
        Assert.Null(fault);
        Assert.Equal([CaptureFile.MaximumFrameLength, 1], frames.Select(f => f.Bytes.Length));
        Assert.Equal(tagged ? 500_004 : 500_000, frames[0].OriginalLength);
        Assert.Equal(0, frames[1].Timestamp);
    }

    [Fact]
    public void A_full_disk_is_a_value()
    {
        using var writer = new PcapWriter(new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0), LinkType.Ethernet);
        byte[] bytes = new byte[1500];
        int taken = 0;
        while (taken < 1000 && writer.Write(bytes, 1500, 0)) taken++;
        Assert.NotNull(writer.Error);
        Assert.False(writer.Flush());
    }
}
