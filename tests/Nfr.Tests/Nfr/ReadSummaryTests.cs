using Nfr.Config;
using Nfr.Events;
using Nfr.Pipeline;

namespace Nfr.Tests.Nfr;

public sealed class ReadSummaryTests
{
    static Ledger Read(long alerts)
    {
        var stage = new StageCounters { Alerts = alerts };
        stage.InScope[(int)EventType.Dns] = 1_200;
        long[] events = new long[EventTypes.Count];
        (events[(int)EventType.Dns], events[(int)EventType.Ip]) = (1_250, 34);
        return new Ledger { Captures = [new("files", null, null, new DecodeCounters { Frames = 98_765 }, events, new long[EventTypes.Count], 0, 0)], Stage = stage };
    }

    [Fact]
    public void A_read_says_which_engines_get_nothing_of_it()
    {
        var config = new NfrConfig { File = "config.yml" };
        Assert.Null(ReadSummary.NotUploaded(config));
        config = config with { MoreEngines = [new EngineConfig { Name = "second" }, new EngineConfig { Name = "third" }] };
        Assert.Equal("a read uploads nothing; second, third (engines:) would have it from a running sensor", ReadSummary.NotUploaded(config with { Engine = new EngineConfig() }));
        Assert.Equal("a read uploads to https://engine.example (engine:) alone; second, third (engines:) would have it from a running sensor",
            ReadSummary.NotUploaded(config with { Engine = new EngineConfig { Host = "https://engine.example" } }));
    }

    [Fact]
    public void A_read_ends_with_what_it_came_to()
    {
        var config = new NfrConfig { File = "config.yml" };
        Assert.Equal("98,765 packets made 1,284 events, 1,200 of them in scope; no alert.", ReadSummary.Of(Read(0), null, config));
        Assert.Equal("98,765 packets made 1,284 events, 1,200 of them in scope; 1 alert (on stderr).", ReadSummary.Of(Read(1), null, config));
        Assert.EndsWith("; 1 alert.", ReadSummary.Of(Read(1), null, config, printed: true), StringComparison.Ordinal);
        Ledger foreign = Read(0);
        foreign.Stage!.InScope[(int)EventType.Dns] = 0;
        Assert.Equal("98,765 packets made 1,284 events, 0 of them in scope (name your networks in scope.file); no alert.", ReadSummary.Of(foreign, null, config));
        config = config with { Engine = new EngineConfig { Host = "https://engine.example" }, Outputs = new OutputsConfig { Enabled = false } };
        Assert.Equal("98,765 packets made 1,284 events, 1,200 of them in scope; 1,190 went to https://engine.example; 2 alerts (--print alerts shows them).", ReadSummary.Of(Read(2), 1_190, config));
        config = config with { Outputs = new OutputsConfig { File = "/var/log/alerts.json" } };
        Assert.EndsWith("; 2 alerts (in /var/log/alerts.json).", ReadSummary.Of(Read(2), 1_190, config), StringComparison.Ordinal);
    }
}
