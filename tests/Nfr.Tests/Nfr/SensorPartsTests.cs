using Nfr.Config;
using Nfr.Events;
using Nfr.Pipeline;

namespace Nfr.Tests.Nfr;

public sealed class SensorPartsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_wanted_is_said_of_every_type_and_what_is_only_scored_always_is(bool analyzed)
    {
        bool[] wanted = SensorParts.Wanted(new AnalyzeConfig { Dns = analyzed, Ip = !analyzed, Http = analyzed, Tls = !analyzed });
        Assert.Equal(EventTypes.Count, wanted.Length);
        Assert.Equal([analyzed, !analyzed, analyzed, !analyzed], wanted[..EventTypes.UploadedCount]);
        Assert.All(wanted[EventTypes.UploadedCount..], Assert.True);
    }
}
