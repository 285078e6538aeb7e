using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>What a client says that a server is called is its own word; what a resolver answered is not.</summary>
public sealed class SaidNamesTests
{
    const long Megabyte = 1_000_000, Hour = 3600 * Simulated.Second;
    const string Common = "www.service-of-everybody.com";
    static readonly Address s_service = Simulated.Parse("198.51.100.20"), s_other = Simulated.Parse("198.51.100.21");

    static Address Host(uint number) => Address.FromV4(0x0A14_0000 + number);

    /// <summary>Ten clients of a service; then one more has a handshake in its name, and a connection that lasts.</summary>
    static Simulated LongSession(Address server, Address? answered, Address? answeredAnother = null)
    {
        var run = new Simulated(enabled: Detectors.LongSession | Detectors.Beaconing | Detectors.FirstSeen);
        for (uint i = 0; i < 10; i++)
        {
            run.Dns(Common, client: Host(i), answers: (1, s_service.ToString()));
            run.Tls(Common, client: Host(i), server: s_service);
            run.Ip(s_service, 443, ConnectionState.SF, 500, 500, client: Host(i), app: App.Tls);
        }
        if (answeredAnother is { } another) run.Dns(Common, client: Host(3), answers: (1, another.ToString()));
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
    public void A_name_that_another_client_was_answered_for_that_address_is_no_word_of_the_clients_own()
    {
        using Simulated run = LongSession(s_other, answered: null, s_other);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_long_session_with_what_many_use_is_none_by_an_answered_name_or_a_common_address()
    {
        using Simulated named = LongSession(s_other, answered: s_other);
        Assert.Empty(named.Alerts);
        using Simulated common = LongSession(s_service, answered: null);
        Assert.Empty(common.Alerts);
    }

    [Fact]
    public void An_upload_to_one_address_under_many_names_is_one_upload()
    {
        using var run = new Simulated(enabled: Detectors.UploadVolume | Detectors.Beaconing);
        for (int i = 0; i < 50; i++)
        {
            run.Tls($"www.said-number-{i}.com");
            run.Ip(Simulated.Outside, 443, ConnectionState.SF, 100 * Megabyte, Megabyte, app: App.Tls);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("upload_volume", alert.Threats[0].Id);
        Assert.Equal($"{Simulated.Client} {Simulated.Outside}", alert.Evidence!.Key);
    }

    [Fact]
    public void An_upload_to_many_addresses_under_one_name_is_one_upload_whoever_says_the_name()
    {
        using var run = new Simulated(enabled: Detectors.UploadVolume | Detectors.Beaconing);
        for (uint part = 0; part < 24; part++)
        {
            Address server = Address.FromV4(0x2E00_0000 + part);
            run.Tls($"store{part}.backup-of-everything.com", server: server);
            run.Ip(server, 443, ConnectionState.SF, 100 * Megabyte, Megabyte, app: App.Tls);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal($"{Simulated.Client} backup-of-everything.com", alert.Evidence!.Key);
    }

    [Fact]
    public void Uploads_to_two_services_behind_one_address_whose_names_were_answered_are_two()
    {
        using var run = new Simulated(enabled: Detectors.UploadVolume | Detectors.Beaconing);
        foreach (string name in new[] { "files.store-of-one.com", "files.store-of-two.com" }) run.Dns(name, answers: (1, Simulated.Outside.ToString()));
        for (int i = 0; i < 14; i++)
        {
            run.Tls(i % 2 == 0 ? "files.store-of-one.com" : "files.store-of-two.com");
            run.Ip(Simulated.Outside, 443, ConnectionState.SF, 100 * Megabyte, Megabyte, app: App.Tls);
        }
        Assert.Empty(run.Alerts);
    }
}
