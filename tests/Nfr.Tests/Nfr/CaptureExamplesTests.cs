using System.Text;
using Nfr.Capture;
using Nfr.Config;
using Nfr.Events;
using Nfr.Pipeline;

namespace Nfr.Tests.Nfr;

/// <summary>tests/captures: each capture gives exactly the event lines beside it.</summary>
public sealed class CaptureExamplesTests
{
    static readonly string s_folder = Path.Combine(Path.GetDirectoryName(ConfigTests.Shipped("config.yml"))!, "tests", "captures");

    public static TheoryData<string> Captures => [.. Directory.GetFiles(s_folder, "*.pcap").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_capture_gives_its_events_byte_for_byte(string name)
    {
        using CaptureFile file = CaptureFile.Open(Path.Combine(s_folder, name + ".pcap"), out string? error) ?? throw new InvalidOperationException(error);
        var ring = new EventRing();
        var dropped = new long[EventTypes.Count];
        var scope = SensorParts.ScopeOf(ScopeFile.BuiltIn);
        var decoder = new FrameDecoder<RingSink>(SensorParts.DecoderOf(new FlowsConfig(), scope), new RingSink(ring, dropped, new RingPatience()));
        var inlet = new DecoderInlet<RingSink>(decoder);
        while (file.Read(ref inlet))
        {
        }
        decoder.Drain();
        using var lines = new MemoryStream();
        var sink = new StageSink(new EventStage(null, null, null, lines));
        ring.Read(ref sink, int.MaxValue);

        Assert.Null(file.Fault);
        Assert.Equal(new long[EventTypes.Count], dropped);
        Assert.Equal(File.ReadAllText(Path.Combine(s_folder, name + ".events.jsonl")), Encoding.UTF8.GetString(lines.ToArray()));
    }
}
