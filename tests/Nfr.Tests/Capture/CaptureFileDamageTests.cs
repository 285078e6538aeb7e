using System.Diagnostics;
using Nfr.Capture;
using Nfr.Wire;

namespace Nfr.Tests.Capture;

public sealed class CaptureFileDamageTests
{
    static byte[] Pcap(bool bigEndian)
    {
        CaptureBytes file = new CaptureBytes(bigEndian).PcapHeader(0xA1B23C4D);
        for (int i = 0; i < 6; i++) file.PcapRecord(1000 + i, i, CaptureBytes.Bytes(10 + i * 3, i));
        return file.ToArray();
    }

    static byte[] Pcapng(bool bigEndian)
    {
        CaptureBytes file = new CaptureBytes(bigEndian).Section().Interface(resolution: 9).Interface(101);
        for (int i = 0; i < 3; i++) file.Enhanced(i & 1, (ulong)i, CaptureBytes.Bytes(10 + i * 3, i)).Obsolete(0, (ulong)i, [1, 2, 3]).Simple([4, 5]);
        return file.ToArray();
    }

    public static TheoryData<bool, bool> Formats => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_truncation_gives_the_whole_packets_and_then_the_fault(bool pcapng, bool bigEndian)
    {
        byte[] whole = pcapng ? Pcapng(bigEndian) : Pcap(bigEndian);
        List<KeptFrame> all = TemporaryFile.Read(whole).Frames;
        int before = 0;
        for (int length = pcapng ? 4 : 24; length < whole.Length; length++)
        {
            (List<KeptFrame> frames, CaptureFileFault? fault) = TemporaryFile.Read(whole[..length]);
            Assert.InRange(frames.Count, before, before + 1);
            before = frames.Count;
            for (int i = 0; i < frames.Count; i++) Assert.Equal(all[i].Bytes, frames[i].Bytes);
            if (fault is null) continue;
            Assert.Equal(CaptureFileFaultKind.CutOff, fault.Kind);
            Assert.Equal(length, fault.ByteOffset);
        }
        Assert.Equal(all.Count - 1, before);
    }

    [Fact]
    public void The_sentence_says_which_packet_and_where()
    {
        byte[] cut = Pcap(false)[..^1];
        CaptureFileFault fault = TemporaryFile.Read(cut).Fault!;
        Assert.EndsWith($".pcap: cut off inside packet 6 at byte {cut.Length}; the 5 whole packets before it were read", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_damage_never_throws_and_always_ends()
    {
        byte[][] seeds = [Pcap(false), Pcap(true), Pcapng(false), Pcapng(true)];
        var random = new Random(20261121);
        var clock = Stopwatch.StartNew();
        using var file = new TemporaryFile([]);
        for (int round = 0; round < 3000 && clock.Elapsed < TimeSpan.FromSeconds(20); round++)
        {
            byte[] bytes = (byte[])seeds[round % seeds.Length].Clone();
            for (int hits = random.Next(1, 6); hits > 0; hits--)
            {
                int at = random.Next(bytes.Length);
                bytes[at] = random.Next(3) switch { 0 => 0xFF, 1 => 0, _ => (byte)random.Next(256) };
            }
            if (random.Next(8) == 0) bytes = bytes[..random.Next(bytes.Length)];
            File.WriteAllBytes(file.Path, bytes);
            using CaptureFile? capture = CaptureFile.Open(file.Path, out string? error);
            Assert.True(capture is null == error is not null);
            var sink = new CountFrames();
            int reads = 0;
            while (capture is not null && capture.Read(ref sink)) Assert.True(++reads < 100);
            Assert.False(sink.TickSteppedBack);
            Assert.True(sink.Bytes <= bytes.Length);
        }
    }

    [Fact]
    public void Nothing_is_allocated_per_packet()
    {
        using var file = new TemporaryFile([]);
        using (var writer = new PcapWriter(File.Create(file.Path), LinkType.Ethernet))
        {
            byte[] bytes = CaptureBytes.Bytes(200);
            for (int i = 0; i < 50_000; i++) writer.Write(bytes, 200, i);
        }
        Measure(file.Path); // The first pass compiles.
        // The least of a few passes, as Allocation has it; a pass needs a file of its own.
        Assert.Equal(0, Enumerable.Range(0, 5).Min(_ => Measure(file.Path)));

        static long Measure(string path)
        {
            using CaptureFile capture = CaptureFile.Open(path, out _)!;
            var sink = new CountFrames();
            capture.Read(ref sink);
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (capture.Read(ref sink))
            {
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(50_000, sink.Frames);
            return allocated;
        }
    }
}
