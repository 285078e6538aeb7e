using Nfr.Events;
using Nfr.Tests.Oracles;
using Xunit.Abstractions;

namespace Nfr.Tests.Events;

/// <summary>Headers that are read ahead are read by other code than those of odd frames: both must say the same.</summary>
public sealed class LookAheadTests(ITestOutputHelper output)
{
    /// <summary>Looking ahead is done in pcap files; the larger ones say nothing new.</summary>
    const long MaximumBytes = 1 << 20;

    [Theory]
    [InlineData(FlowSeparation.Networks)]
    [InlineData(FlowSeparation.Vlans)]
    public void Events_are_the_same_whether_frames_are_looked_ahead_or_not(FlowSeparation separation)
    {
        if (!Corpus.TryFind(".", out string folder))
        {
            output.WriteLine("no corpus beside this checkout: skipped");
            return;
        }
        int captures = 0;
        long events = 0;
        foreach (string path in Directory.EnumerateFiles(folder, "*.*cap*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (new FileInfo(path).Length > MaximumBytes) continue;
            DecodedCapture ahead = DecodedCapture.Decode(path, null, separation), behind = DecodedCapture.Decode(path, null, separation, lookAhead: false);
            Assert.Equal(behind.Events.Select(e => e.GetRawText()), ahead.Events.Select(e => e.GetRawText()));
            Assert.Equal(behind.Counters.Faults, ahead.Counters.Faults);
            Assert.Equal(
                (behind.Counters.Parsed, behind.Counters.NonIp, behind.Counters.VlanTagged, behind.Counters.GroupAddressed, behind.Counters.FragmentsHeld),
                (ahead.Counters.Parsed, ahead.Counters.NonIp, ahead.Counters.VlanTagged, ahead.Counters.GroupAddressed, ahead.Counters.FragmentsHeld));
            captures++;
            events += ahead.Events.Count;
        }
        output.WriteLine($"{captures} captures, {events} events");
        Assert.True(captures > 500 && events > 10_000, $"{captures} captures, {events} events");
    }
}
