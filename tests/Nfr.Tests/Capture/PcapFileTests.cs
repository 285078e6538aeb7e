using System.IO.Compression;
using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Tests.Capture;

public sealed class PcapFileTests
{
    [Theory]
    [InlineData(false, 0xA1B2C3D4, 1_600_000_000_123_456_000)]
    [InlineData(true, 0xA1B2C3D4, 1_600_000_000_123_456_000)]
    [InlineData(false, 0xA1B23C4D, 1_600_000_000_000_123_456)]
    [InlineData(true, 0xA1B23C4D, 1_600_000_000_000_123_456)]
    public void Both_byte_orders_and_both_resolutions_give_the_same_frame(bool bigEndian, uint magic, long stamp)
    {
        byte[] bytes = CaptureBytes.Bytes(60);
        (List<KeptFrame> frames, CaptureFileFault? fault) =
            TemporaryFile.Read(new CaptureBytes(bigEndian).PcapHeader(magic).PcapRecord(1_600_000_000, 123_456, bytes, 1514).ToArray());

        Assert.Null(fault);
        KeptFrame frame = Assert.Single(frames);
        Assert.Equal(bytes, frame.Bytes);
        Assert.Equal(1514, frame.OriginalLength);
        Assert.Equal(stamp, frame.Timestamp);
        Assert.Equal(stamp, frame.Tick);
        Assert.Equal(LinkType.Ethernet, frame.LinkType);
        Assert.Equal(0, frame.VlanTpid);
    }

    [Fact]
    public void The_tick_is_the_greatest_stamp_so_far()
    {
        byte[] file = new CaptureBytes(false).PcapHeader().PcapRecord(10, 0, [1]).PcapRecord(8, 0, [2]).PcapRecord(11, 0, [3]).ToArray();
        List<KeptFrame> frames = TemporaryFile.Read(file).Frames;
        Assert.Equal([10_000_000_000, 8_000_000_000, 11_000_000_000], frames.Select(f => f.Timestamp));
        Assert.Equal([10_000_000_000, 10_000_000_000, 11_000_000_000], frames.Select(f => f.Tick));
    }

    [Fact]
    public void The_link_type_is_read_without_the_bits_about_frame_check_sequences() =>
        Assert.Equal(LinkType.LinuxSll2,
            TemporaryFile.Read(new CaptureBytes(true).PcapHeader(linkType: 0x1400_0000 | 276).PcapRecord(1, 0, [1]).ToArray()).Frames[0].LinkType);

    [Fact]
    public void Lengths_that_an_old_writer_swapped_are_swapped_back()
    {
        byte[] record = new CaptureBytes(false).PcapHeader(minor: 3).U32(1).U32(0).U32(90).U32(4).Raw([1, 2, 3, 4]).ToArray();
        KeptFrame frame = Assert.Single(TemporaryFile.Read(record).Frames);
        Assert.Equal(4, frame.Bytes.Length);
        Assert.Equal(90, frame.OriginalLength);
    }

    [Fact]
    public void An_original_length_below_the_captured_one_is_raised_to_it() =>
        Assert.Equal(4, TemporaryFile.Read(new CaptureBytes(false).PcapHeader().PcapRecord(1, 0, [1, 2, 3, 4], 2).ToArray()).Frames[0].OriginalLength);

    [Fact]
    public void A_file_of_its_header_alone_is_whole()
    {
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(new CaptureBytes(false).PcapHeader().ToArray());
        Assert.Empty(frames);
        Assert.Null(fault);
    }

    [Fact]
    public void Frames_across_many_buffers_arrive_whole_and_in_order()
    {
        CaptureBytes file = new CaptureBytes(false).PcapHeader();
        for (int i = 0; i < 60; i++) file.PcapRecord(i, 0, CaptureBytes.Bytes(i * 1111 % 65536 + 20_000, i));
        file.PcapRecord(60, 0, CaptureBytes.Bytes(CaptureFile.MaximumFrameLength, 60));
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(file.ToArray());
        Assert.Null(fault);
        Assert.Equal(61, frames.Count);
        for (int i = 0; i < 60; i++) Assert.Equal(CaptureBytes.Bytes(i * 1111 % 65536 + 20_000, i), frames[i].Bytes);
        Assert.Equal(CaptureFile.MaximumFrameLength, frames[60].Bytes.Length);
    }

    [Fact]
    public void A_frame_longer_than_any_frame_is_damage_at_a_named_place()
    {
        byte[] file = new CaptureBytes(false).PcapHeader().PcapRecord(1, 0, [1, 2]).U32(2).U32(0).U32(262145).U32(262145).Raw(new byte[262145]).ToArray();
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(file);
        Assert.Single(frames);
        Assert.Equal(CaptureFileFaultKind.FrameTooLong, fault!.Kind);
        Assert.Equal(24 + 16 + 2, fault.ByteOffset);
        Assert.EndsWith(": packet 2 at byte 42 claims 262145 bytes, a frame has at most 262144: the file is damaged there; the one whole packet before it was read",
            fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gzipped_file_reads_as_what_it_unpacks_to()
    {
        byte[] plain = new CaptureBytes(false).PcapHeader().PcapRecord(1, 0, CaptureBytes.Bytes(900)).PcapRecord(2, 0, CaptureBytes.Bytes(90)).ToArray();
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(plain);
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(packed.ToArray());
        Assert.Null(fault);
        Assert.Equal([900, 90], frames.Select(f => f.Bytes.Length));

        // Cut off anywhere, it gives a fault or a refusal, never an exception.
        for (int length = 0; length < packed.Length; length++)
        {
            using var cut = new TemporaryFile(packed.ToArray()[..length]);
            using CaptureFile? capture = CaptureFile.Open(cut.Path, out _);
            var sink = new CountFrames();
            while (capture is not null && capture.Read(ref sink))
            {
            }
        }
    }

    [Fact]
    public void The_progress_ends_at_the_length()
    {
        using var file = new TemporaryFile(new CaptureBytes(false).PcapHeader().PcapRecord(1, 0, CaptureBytes.Bytes(100)).ToArray());
        using CaptureFile capture = CaptureFile.Open(file.Path, out _)!;
        Assert.Equal(24, capture.Position);
        var sink = new CountFrames();
        Assert.True(capture.Read(ref sink));
        Assert.False(capture.Read(ref sink));
        Assert.False(capture.Read(ref sink));
        Assert.Equal(140, capture.Position);
        Assert.Equal(140, capture.Length);
        Assert.Equal(1, sink.Frames);
    }

    [Fact]
    public void What_cannot_be_opened_is_said_in_words()
    {
        Assert.EndsWith(": empty", TemporaryFile.OpenError([]), StringComparison.Ordinal);
        Assert.EndsWith(": not a capture: it begins with 25504446, which is neither pcap nor pcapng", TemporaryFile.OpenError("%PDF-1.7 and more text"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("Kuznetsov", TemporaryFile.OpenError(new CaptureBytes(true).PcapHeader(0xA1B2CD34).ToArray()), StringComparison.Ordinal);
        Assert.Contains("version 3.4", TemporaryFile.OpenError(new CaptureBytes(false).U32(0xA1B2C3D4).U16(3).U16(4).Raw(new byte[16]).ToArray()), StringComparison.Ordinal);
        Assert.Contains("cut off inside the pcap file header, after 20 of 24 bytes",
            TemporaryFile.OpenError(new CaptureBytes(false).PcapHeader().ToArray()[..20]), StringComparison.Ordinal);

        Assert.Null(CaptureFile.Open("/nowhere/x.pcap", out string? error));
        Assert.Equal("/nowhere/x.pcap: no such file", error);
        Assert.Null(CaptureFile.Open("/tmp", out error));
        Assert.Equal("/tmp: a folder, not a capture file", error);
        Assert.Null(CaptureFile.Open("", out error));
        Assert.NotNull(error);
    }
}
