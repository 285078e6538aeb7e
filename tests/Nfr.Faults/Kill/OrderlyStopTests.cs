using Nfr.Tests;
using Xunit.Abstractions;

namespace Nfr.Faults.Kill;

/// <summary>A small sensor under load is told to stop again and again. How long that takes is measured: so by itself.</summary>
[Collection(AloneCollection.Name)]
public sealed class OrderlyStopTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_accepted_is_lost_or_doubled_across_fifty_orderly_stops()
    {
        KillLoopTests.Sums sums = await KillLoopTests.GenerationsAsync(Tier.Of(50, 500) / KillLoopTests.LivesOfOne, orderly: true);
        TimeSpan[] stops = [.. sums.Stops.Order()];
        output.WriteLine($"{sums.Lives} stops by SIGTERM: {sums.Accepted:N0} accepted = {sums.Spooled:N0} spooled = {sums.Delivered:N0} delivered, none twice; a stop took {stops[stops.Length / 2].TotalSeconds:0.00} s (median), {stops[^1].TotalSeconds:0.00} s at most");
        Assert.Equal(sums.Accepted, sums.Spooled);
        Assert.Equal(0, sums.DoubledEvents);
        // On a machine that does more than this, the slowest few may wait for it.
        Assert.True(stops[stops.Length * 8 / 10].TotalSeconds < 2, $"one stop in five took {stops[stops.Length * 8 / 10].TotalSeconds:0.00} s or longer");
    }
}
