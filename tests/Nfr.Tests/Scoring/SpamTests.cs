using Nfr.Events;
using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class SpamTests
{
    static readonly Address Server = Simulated.Parse("10.1.0.25");

    static void Send(Simulated run, int peers, ushort port = 25, Address? client = null, int seconds = 1)
    {
        for (uint i = 0; i < peers; i++)
        {
            run.Ip(Address.FromV4(0x08080000 + (i << 8)), port, ConnectionState.SF, 0, 90, client: client);
            run.Wait(seconds * Simulated.Second);
        }
    }

    [Theory]
    [InlineData(25)]
    [InlineData(587)]
    public void A_client_that_turns_to_ten_mail_servers_sends_spam(int port)
    {
        using var run = new Simulated(enabled: Detectors.Spam);
        Send(run, 12, (ushort)port);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("spam_sending", 4), (alert.Threats[0].Id, alert.Severity));
        Assert.Equal(1, alert.Evidence!.Score);
    }

    [Fact]
    public void The_simulators_spambot_is_told_by_its_lookups_and_higher_by_its_connections()
    {
        using var run = new Simulated(enabled: Detectors.Spam);
        for (int i = 0; i < 12; i++) run.Dns($"mail-domain-{i}.example", type: 15);
        Assert.Equal([3], run.Alerts.Select(a => a.Severity));
        Send(run, 10);
        Assert.Equal([3, 4], run.Alerts.Select(a => a.Severity));
    }

    [Fact]
    public void A_host_to_which_mail_comes_may_send_to_many()
    {
        using var run = new Simulated(enabled: Detectors.Spam);
        run.Ip(Server, 25, ConnectionState.SF, 5000, 500, client: Simulated.Outside);
        for (int day = 0; day < 6; day++)
        {
            Send(run, 40, client: Server);
            for (int i = 0; i < 40; i++) run.Dns($"customer-{i}.example", type: 15, client: Server);
            run.Wait(86_400 * Simulated.Second);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_resolver_that_passes_on_the_questions_of_others_is_no_spambot()
    {
        using var run = new Simulated(enabled: Detectors.Spam);
        run.Dns("www.example.org");
        for (int i = 0; i < 40; i++) run.Dns($"customer-{i}.example", type: 15, client: Simulated.Resolver);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_person_with_a_few_providers_is_quiet()
    {
        using var run = new Simulated(enabled: Detectors.Spam);
        for (int i = 0; i < 200; i++)
        {
            Send(run, 4, 587);
            Send(run, 2, 465);
            run.Dns("example.org", type: 15);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Attempts_that_a_firewall_drops_count_too_and_are_told_live_within_half_a_minute()
    {
        using var run = new ScoredTraffic(Detectors.Spam);
        long start = run.Tick;
        for (int i = 1; i <= 10; i++)
        {
            run.Ip(Frames.IPv4("10.0.0.5", $"203.0.{i}.25", IPProtocol.Tcp, Frames.Tcp(40_000 + i, 25, 1, 0, TcpFlags.Syn, [])), 1);
        }
        while (run.Alerts.Count == 0 && run.Tick - start < 60_000_000_000) run.Wait(0.5);
        Assert.InRange((run.Tick - start) / 1e9, 0, 21);
    }
}
