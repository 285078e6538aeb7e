using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class DetectorTests
{
    [Fact]
    public void The_simulators_tunnel_is_one_alert_within_its_ten_seconds()
    {
        using var run = new Simulated();
        run.RunTunnel();
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("multiple_long_hostnames", alert.Threats[0].Id);
        Assert.Equal("10.1.2.3 alphasoc.xyz", alert.Evidence!.Key);
    }

    [Fact]
    public void The_same_long_name_asked_again_carries_nothing_new()
    {
        using var run = new Simulated();
        for (int i = 0; i < 1000; i++) run.Dns("kq3zv9xw7pjh2fdb8mzqkxvjwq.cdn.example.com", 16);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Names_of_multicast_and_reverse_lookups_are_no_tunnel()
    {
        using var run = new Simulated();
        var random = new Random(4);
        for (int i = 0; i < 500; i++) run.Dns($"{random.Next(256)}.{random.Next(256)}.2.10.in-addr.arpa", 12);
        for (int i = 0; i < 500; i++) run.Dns(string.Join('.', Enumerable.Range(0, 32).Select(_ => "0123456789abcdef"[random.Next(16)])) + ".ip6.arpa", 16);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Random_labels_under_the_private_suffixes_of_a_cdn_are_different_domains()
    {
        using var run = new Simulated();
        var random = new Random(4);
        for (int i = 0; i < 200; i++) run.Dns($"d{Simulated.Letters(random, 13)}.cloudfront.net");
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void The_simulators_dga_is_one_alert()
    {
        using var run = new Simulated();
        run.RunDga(1);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("dga_volume", alert.Threats[0].Id);
        Assert.Equal(4, alert.Severity);
        Assert.Equal(["perplexing_domain"], alert.Flags);
    }

    [Fact]
    public void Random_names_that_exist_or_come_slowly_are_no_dga()
    {
        using var run = new Simulated();
        var random = new Random(5);
        for (int i = 0; i < 100; i++) run.Dns(Simulated.DgaLabel(random, 9) + ".com");
        for (int i = 0; i < 100; i++)
        {
            run.Dns(Simulated.DgaLabel(random, 9) + ".net", rcode: 3);
            run.Wait(60 * Simulated.Second);
        }
        // That so many fail is worth a low word, and no more.
        Assert.All(run.Alerts, a => Assert.Equal(("excessive_dns_failures", 2), (a.Threats[0].Id, a.Severity)));
    }

    [Fact]
    public void One_random_name_asked_many_times_and_names_of_the_sites_own_domain_are_no_dga()
    {
        using var run = new Simulated();
        var random = new Random(6);
        for (int i = 0; i < 100; i++) run.Dns("x7kqzvwjph.com", rcode: 3);
        for (int i = 0; i < 100; i++) run.Dns(Simulated.DgaLabel(random, 9) + ".corp", rcode: 3);
        for (int i = 0; i < 100; i++) run.Dns(Simulated.DgaLabel(random, 9), rcode: 3);
        for (int i = 0; i < 100; i++) run.Dns(Simulated.DgaLabel(random, 7) + ".office.example.com", rcode: 3);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void The_simulators_cleartext_is_one_alert_a_protocol()
    {
        using var run = new Simulated();
        foreach (ushort port in new ushort[] { 21, 23, 110, 143, 873 })
        {
            run.Ip(Simulated.Outside, port, ConnectionState.SF, payloadOut: 1000);
            run.Wait(3 * Simulated.Second);
        }
        Assert.Equal(Enumerable.Repeat("cleartext_protocol", 5), run.ThreatIds);
        Assert.All(run.Alerts, a => Assert.True(a.Threats[0].Policy));
    }

    [Fact]
    public void Cleartext_inside_unanswered_empty_or_turned_to_tls_is_no_matter()
    {
        using var run = new Simulated();
        run.Ip(Simulated.Parse("10.9.9.9"), 23, ConnectionState.SF, payloadOut: 1000);
        run.Ip(Simulated.Outside, 23, ConnectionState.S0);
        run.Ip(Simulated.Outside, 23, ConnectionState.SF);
        run.Ip(Simulated.Outside, 110, ConnectionState.SF, payloadOut: 1000, app: App.Tls);
        run.Ip(Simulated.Client, 23, ConnectionState.SF, payloadOut: 1000, client: Simulated.Outside);
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Credentials_in_the_clear_are_one_finding_whether_the_flow_or_the_request_shows_them()
    {
        using var run = new Simulated();
        Assert.Equal(3, run.Http("http://203.0.113.9/login", "203.0.113.9", FlowNotes.CleartextCredentials));
        Assert.Equal(3, run.Ip(Simulated.Outside, 80, ConnectionState.SF, 500, 500, notes: FlowNotes.CleartextCredentials));
        Assert.Equal(["cleartext_credentials"], run.ThreatIds);
    }

    [Fact]
    public void Credentials_in_the_clear_inside_the_home_networks_are_low()
    {
        using var run = new Simulated();
        Assert.Equal(2, run.Ip(Simulated.Parse("10.9.9.9"), 21, ConnectionState.SF, 500, 500, notes: FlowNotes.CleartextCredentials));
        Assert.Equal(2, Assert.Single(run.Alerts).Severity);
    }

    [Theory]
    [InlineData(App.Stratum, FlowNotes.None)]
    [InlineData(App.Unknown, FlowNotes.Mining)]
    public void A_mining_dialogue_is_found(App app, FlowNotes notes)
    {
        using var run = new Simulated();
        Assert.Equal(4, run.Ip(Simulated.Outside, 3333, ConnectionState.SF, 72, app: app, notes: notes));
        Assert.Equal(["cryptomining"], run.ThreatIds);
        Assert.Equal(["cryptomining"], run.Alerts[0].Flags);
    }

    [Fact]
    public void A_connection_to_a_miners_port_alone_is_not_mining()
    {
        using var run = new Simulated();
        Assert.Equal(0, run.Ip(Simulated.Outside, 3333, ConnectionState.SF, 72, 100));
        Assert.Empty(run.Alerts);
    }
}
