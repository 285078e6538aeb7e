using Nfr.Scoring;

namespace Nfr.Tests.Scoring;

public sealed class ThreatsTests
{
    [Fact]
    public void Every_detector_has_a_flag_of_its_own()
    {
        ulong seen = 0;
        foreach (Detectors flag in Enum.GetNames<Detectors>().Select(Enum.Parse<Detectors>))
        {
            if (flag is Detectors.None or Detectors.All) continue;
            Assert.True(System.Numerics.BitOperations.IsPow2((ulong)flag), flag.ToString());
            Assert.Equal(0UL, seen & (ulong)flag);
            seen |= (ulong)flag;
        }
    }

    [Fact]
    public void Every_threat_has_an_id_of_its_own_a_title_and_a_severity()
    {
        Assert.True(Threats.All.Count > 30);
        Assert.Equal(Threats.All.Count, Threats.All.Select(t => t.Id).Distinct().Count());
        Assert.All(Threats.All, t =>
        {
            Assert.Matches("^[a-z][a-z0-9_]*$", t.Id);
            Assert.NotEqual("", t.Title);
            Assert.InRange(t.Severity, 1, 5);
        });
        Assert.Contains(Threats.Cryptomining, Threats.Local);
        Assert.DoesNotContain(Threats.C2Communication, Threats.Local);
    }
}
