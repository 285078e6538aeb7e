using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Tests.Capture;

public sealed class PcapngFileTests
{
    const ulong Micros = 1_600_000_000_123_456;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_kind_of_packet_block_is_read_in_either_byte_order(bool bigEndian)
    {
        byte[] file = new CaptureBytes(bigEndian).Section().Interface()
            .Enhanced(0, Micros, CaptureBytes.Bytes(61), 1514).Obsolete(0, Micros + 1, CaptureBytes.Bytes(33)).Simple(CaptureBytes.Bytes(7)).ToArray();
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(file);

        Assert.Null(fault);
        Assert.Equal([61, 33, 7], frames.Select(f => f.Bytes.Length));
        Assert.Equal(CaptureBytes.Bytes(61), frames[0].Bytes);
        Assert.Equal([1514, 33, 7], frames.Select(f => f.OriginalLength));
        Assert.Equal(1_600_000_000_123_456_000, frames[0].Timestamp);
        Assert.Equal(1_600_000_000_123_457_000, frames[1].Timestamp);
        // A simple packet has no stamp: it takes the one before.
        Assert.Equal(1_600_000_000_123_457_000, frames[2].Timestamp);
    }

    [Theory]
    [InlineData(null, null, Micros, 1_600_000_000_123_456_000)]
    [InlineData(0, null, 1_600_000_000UL, 1_600_000_000_000_000_000)]
    [InlineData(3, null, 1_600_000_000_123UL, 1_600_000_000_123_000_000)]
    [InlineData(9, null, 1_600_000_000_123_456_789UL, 1_600_000_000_123_456_789)]
    [InlineData(10, null, 16_000_000_001_234_567_899UL, 1_600_000_000_123_456_789)]
    [InlineData(0x80, null, 1_600_000_000UL, 1_600_000_000_000_000_000)]
    [InlineData(0x80 | 10, null, (1_600_000_000UL << 10) + 512, 1_600_000_000_500_000_000)]
    [InlineData(0x80 | 32, null, (1_600_000_000UL << 32) + (1UL << 31), 1_600_000_000_500_000_000)]
    [InlineData(6, 3600L, Micros, 1_600_003_600_123_456_000)]
    [InlineData(9, -3600L, 1_600_000_000_000_000_000UL, 1_599_996_400_000_000_000)]
    [InlineData(0, null, ulong.MaxValue, long.MaxValue)]
    [InlineData(9, long.MinValue, 5UL, 0)]
    [InlineData(127, null, ulong.MaxValue, 0)]
    [InlineData(0xFF, null, ulong.MaxValue, 0)]
    public void A_stamp_counts_the_units_of_its_interface(int? resolution, long? offset, ulong units, long nanoseconds)
    {
        byte[] file = new CaptureBytes(false).Section().Interface(resolution: resolution, offset: offset).Enhanced(0, units, [1]).ToArray();
        Assert.Equal(nanoseconds, Assert.Single(TemporaryFile.Read(file).Frames).Timestamp);
    }

    [Fact]
    public void Each_packet_has_the_link_type_of_its_interface()
    {
        byte[] file = new CaptureBytes(false).Section().Interface(1).Interface(113).Interface(101, resolution: 9)
            .Enhanced(2, 5, [1]).Enhanced(0, 5, [2]).Enhanced(1, 5, [3]).ToArray();
        List<KeptFrame> frames = TemporaryFile.Read(file).Frames;
        Assert.Equal([LinkType.Raw, LinkType.Ethernet, LinkType.LinuxSll], frames.Select(f => f.LinkType));
        Assert.Equal([5, 5000, 5000], frames.Select(f => f.Timestamp));
    }

    [Fact]
    public void A_section_of_the_other_byte_order_numbers_its_interfaces_anew()
    {
        byte[] file =
        [
            .. new CaptureBytes(false).Section().Interface(1).Interface(101).Enhanced(1, 1, [1]).ToArray(),
            .. new CaptureBytes(true).Section().Interface(113).Enhanced(0, 2, [2]).ToArray(),
            .. new CaptureBytes(true).Section().Interface(1).Enhanced(0, 3, [3]).ToArray(),
            .. new CaptureBytes(false).Section().Interface(276).Enhanced(0, 4, [4]).Enhanced(1, 5, [5]).ToArray(),
        ];
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(file);
        Assert.Equal([LinkType.Raw, LinkType.LinuxSll, LinkType.Ethernet, LinkType.LinuxSll2], frames.Select(f => f.LinkType));
        Assert.Equal(CaptureFileFaultKind.InterfaceUnknown, fault!.Kind);
    }

    [Fact]
    public void The_snap_length_cuts_a_simple_packet()
    {
        byte[] file = new CaptureBytes(true).Section().Interface(snapLength: 6).Simple(CaptureBytes.Bytes(6), 1500).ToArray();
        KeptFrame frame = Assert.Single(TemporaryFile.Read(file).Frames);
        Assert.Equal(6, frame.Bytes.Length);
        Assert.Equal(1500, frame.OriginalLength);
    }

    [Fact]
    public void Unknown_blocks_are_skipped_however_long_they_are()
    {
        CaptureBytes file = new CaptureBytes(false).Section().Interface();
        file.Block(0x0BAD, file.New().Raw(new byte[5_000_000])).Enhanced(0, 1, [1]).Block(5, file.New().Raw(new byte[40])).Enhanced(0, 2, [2]);
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(file.ToArray());
        Assert.Null(fault);
        Assert.Equal(2, frames.Count);
    }

    [Theory]
    [InlineData(CaptureFileFaultKind.BlockLengthInvalid, "060000000800000008000000FFFFFFFF")] // a length below the block's own overhead
    [InlineData(CaptureFileFaultKind.BlockLengthInvalid, "060000001100000011000000FFFFFFFFFF")] // no multiple of 4
    [InlineData(CaptureFileFaultKind.BlockLengthInvalid, "06000000FCFFFFFF00000000")] // a packet block that fits no memory
    [InlineData(CaptureFileFaultKind.BlockLengthsDiffer, "0B00000010000000AAAAAAAA14000000")]
    [InlineData(CaptureFileFaultKind.PacketBeyondBlock, "06000000200000000000000000000000010000000100000001000000" + "20000000")]
    [InlineData(CaptureFileFaultKind.InterfaceUnknown, "06000000200000000900000000000000010000000000000000000000" + "20000000")]
    [InlineData(CaptureFileFaultKind.FrameTooLong, "06000000200000000000000000000000010000000100080001000800" + "20000000")]
    [InlineData(CaptureFileFaultKind.SectionInvalid, "0A0D0D0A1C0000004D3C2B1A02000000FFFFFFFFFFFFFFFF1C000000")] // version 2
    [InlineData(CaptureFileFaultKind.SectionInvalid, "0A0D0D0A1C000000DEADBEEF01000000FFFFFFFFFFFFFFFF1C000000")] // neither byte order
    [InlineData(CaptureFileFaultKind.CutOff, "0B000000F0000000AAAAAAAA")] // an unknown block that runs past the end
    public void A_damaged_block_ends_the_reading_with_its_place(CaptureFileFaultKind kind, string block)
    {
        byte[] good = new CaptureBytes(false).Section().Interface().Enhanced(0, 1, [1]).ToArray();
        (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read([.. good, .. Convert.FromHexString(block)]);
        Assert.Single(frames);
        Assert.Equal(kind, fault!.Kind);
        Assert.Equal(kind == CaptureFileFaultKind.CutOff ? good.Length + block.Length / 2 : good.Length, fault.ByteOffset);
        Assert.EndsWith("; the one whole packet before it was read", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_number_of_interfaces_is_bounded()
    {
        CaptureBytes file = new CaptureBytes(false).Section();
        byte[] port = new CaptureBytes(false).Interface().ToArray();
        for (int i = 0; i <= CaptureFile.MaximumInterfaces; i++) file.Raw(port);
        Assert.Equal(CaptureFileFaultKind.InterfacesTooMany, TemporaryFile.Read(file.ToArray()).Fault!.Kind);
    }
}
