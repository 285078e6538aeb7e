using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>What a client says that a server is called is its own word; what a resolver answered is not.</summary>
public sealed class SaidNamesTests
{
    const long Hour = 3600 * Simulated.Second;
    const string Common = "www.service-of-everybody.com";
    static readonly Address s_service = Simulated.Parse("198.51.100.20"), s_other = Simulated.Parse("198.51.100.21");

    static Address Host(uint number) => Address.FromV4(0x0A14_0000 + number);

    /// <summary>Ten clients of a service; then one more has a handshake in its name, and a connection that lasts.</summary>
    static Simulated LongSession(Address server, Address? answered)
    {
        var run = new Simulated(enabled: Detectors.LongSession | Detectors.Beaconing | Detectors.FirstSeen);
        for (uint i = 0; i < 10; i++)
        {
            run.Dns(Common, client: Host(i), answers: (1, s_service.ToString()));
            run.Tls(Common, client: Host(i), server: s_service);
            run.Ip(s_service, 443, ConnectionState.SF, 500, 500, client: Host(i), app: App.Tls);
        }
        if (answered is { } address) run.Dns(Common, answers: (1, address.ToString()));
        run.Tls(Common, server: server);
        var e = new IpEvent
        {
            Context = new EventContext { Tick = run.Tick, Source = Simulated.Client, Destination = server, SourcePort = 40_000, DestinationPort = 443, Protocol = 6 }, Duration = 9 * Hour,
            State = ConnectionState.SF, App = App.Tls, PacketsIn = 9, PacketsOut = 9, BytesIn = 900, BytesOut = 900, PayloadIn = 400, PayloadOut = 400,
        };
        run.Scorer.Score(in e, run.Alerts);
        return run;
    }

    [Fact]
    public void A_long_session_hides_behind_no_name_that_the_client_alone_says()
    {
        using Simulated run = LongSession(s_other, answered: null);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("long_session", alert.Threats[0].Id);
        Assert.Contains(s_other.ToString(), alert.Evidence!.Summary);
    }

    [Fact]
    public void A_long_session_with_what_many_use_is_none_by_an_answered_name_or_a_common_address()
    {
        using Simulated named = LongSession(s_other, answered: s_other);
        Assert.Empty(named.Alerts);
        using Simulated common = LongSession(s_service, answered: null);
        Assert.Empty(common.Alerts);
    }
}
