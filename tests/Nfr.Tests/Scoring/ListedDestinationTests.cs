using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class ListedDestinationTests
{
    static readonly Address s_upstream = Simulated.Parse("198.51.100.53");

    static Simulated With(params (string, string)[] lists) => new(enabled: Detectors.ListedDestination, lists: lists);

    static string? Fact(Alert alert, string name) => alert.Evidence!.Facts.FirstOrDefault(f => f.Name == name).Text;

    [Fact]
    public void An_answer_that_lies_in_a_sinkhole_names_its_operator_even_when_the_name_is_listed_too()
    {
        using Simulated run = With(("c2.txt", "bad.example\n"), ("sinkholes.tsv", "198.51.100.4\tShadow Holders\nns1.sink.example\tOthers\n"));
        Assert.Equal(5, run.Dns("bad.example", answers: (1, "198.51.100.4")));
        Assert.Equal(["c2_communication", "sinkholed_destination"], run.ThreatIds);
        Assert.Equal("Shadow Holders", Fact(run.Alerts[1], "operator"));
        Assert.Equal(4, run.Dns("other.example", 2, answers: (2, "ns1.sink.example")));
        Assert.Equal("Others", Fact(run.Alerts[2], "operator"));
    }

    [Fact]
    public void A_client_and_an_indicator_are_one_finding_whatever_shows_it()
    {
        using Simulated run = With(("c2.txt", "bad.example\n203.0.113.9\n"));
        run.Dns("bad.example");
        run.Dns("www.bad.example", 28);
        run.Http("http://bad.example/", "bad.example", destination: Simulated.Parse("203.0.113.1"));
        Assert.Single(run.Alerts);
        run.Tls("good.example");
        run.Ip(Simulated.Outside, 443, ConnectionState.SF, 1, 1);
        Assert.Equal(2, run.Alerts.Count);
        run.Dns("bad.example", client: Simulated.Parse("10.1.2.4"));
        Assert.Equal(3, run.Alerts.Count);
    }

    [Fact]
    public void A_tls_connection_to_a_listed_address_is_told_before_its_flow_ends()
    {
        using Simulated run = With(("tor_relays.lst", "203.0.113.9\n"));
        Assert.Equal(4, run.Tls("www.innocent.example"));
        Assert.True(Assert.Single(run.Alerts).Threats[0].Policy);
        Assert.Equal(4, run.Ip(Simulated.Outside, 443, ConnectionState.SF, 1, 1));
        Assert.Single(run.Alerts);
    }

    [Theory]
    [InlineData("vpn.txt", "vpn_activity", 3, "anon")]
    [InlineData("bittorrent.txt", "p2p_activity", 3, "p2p")]
    [InlineData("dynamic_dns.txt", "bad_dynamic_dns", 2, "freedns")]
    [InlineData("tor_exits.txt", "anon_circuit", 4, "anon")]
    [InlineData("interactsh.txt", "oast_traffic", 4, "oast")]
    [InlineData("doh.txt", "encrypted_dns", 1, "doh")]
    [InlineData("onion_gateways.txt", "tor_dns", 3, "tor_dns")]
    public void Services_are_matters_of_policy(string file, string threat, int severity, string flag)
    {
        using Simulated run = With((file, "service.example\n"));
        Assert.Equal(severity, run.Dns("a.service.example"));
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal((threat, true), (alert.Threats[0].Id, alert.Threats[0].Policy));
        Assert.Equal([flag], alert.Flags);
    }

    [Fact]
    public void Of_equal_gravity_the_narrower_indicator_is_named_and_other_lists_are_told()
    {
        using Simulated run = With(("c2_a.txt", "203.0.113.0/24\n203.0.113.9\n203.0.113.9:4444\nbad.example\n"), ("c2_b.txt", "203.0.113.9:4444\nx.bad.example\nfiles.example\nfiles.example/a/\n"));
        run.Ip(Simulated.Outside, 4444, ConnectionState.SF, 1, 1);
        run.Dns("www.x.bad.example");
        run.Http("http://files.example/a/b", "files.example", destination: Simulated.Parse("192.0.2.1"));
        Assert.Equal(["203.0.113.9:4444", "x.bad.example", "files.example/a/"], run.Alerts.Select(a => Fact(a, "indicator")));
        Assert.Equal("c2_b.txt", Fact(run.Alerts[0], "alsoIn"));
    }

    [Fact]
    public void A_certificates_names_count_where_the_client_named_no_server()
    {
        using Simulated run = With(("c2.txt", "bad.example\n"));
        Assert.Equal(0, run.Tls("good.example", names: "good.example,bad.example"));
        Assert.Equal(0, run.Tls(names: string.Join(',', Enumerable.Range(0, 20).Select(i => $"s{i}.example")) + ",bad.example"));
        Assert.Equal(5, run.Tls(names: "good.example,*.bad.example"));
    }

    [Fact]
    public void A_request_from_outside_to_our_own_server_is_low()
    {
        using Simulated run = With(("c2.txt", "/wp-gate/post.php\n"));
        Assert.Equal(2, run.Http("http://www.ours.example/wp-gate/post.php", "www.ours.example", destination: Simulated.Client, client: Simulated.Outside));
    }

    [Fact]
    public void A_resolver_in_the_mirror_does_not_double_its_clients_finding()
    {
        using Simulated run = With(("c2.txt", "bad.example\n"));
        run.Dns("good.example");
        // The upstream answer comes first, then the client's.
        Assert.Equal(5, run.Dns("bad.example", client: Simulated.Resolver, resolver: s_upstream));
        Assert.Empty(run.Alerts);
        run.Wait(20 * Simulated.Millisecond);
        Assert.Equal(5, run.Dns("bad.example"));
        run.Wait(60 * Simulated.Second);
        run.Dns("good.example");
        Assert.Equal("10.1.2.3", Assert.Single(run.Alerts).Event.SrcIP);
    }

    [Fact]
    public void A_resolver_is_known_by_its_first_query_that_wants_no_recursion()
    {
        using Simulated run = With(("c2.txt", "bad.example\n"));
        run.Dns("bad.example", client: Simulated.Resolver, resolver: s_upstream, flags: 0x8400);
        run.Dns("bad.example", Simulated.Client, Simulated.Resolver, flags: 0x8580);
        run.Wait(60 * Simulated.Second);
        run.Dns("good.example");
        Assert.Equal("10.1.2.3", Assert.Single(run.Alerts).Event.SrcIP);
    }

    [Fact]
    public void A_resolvers_query_after_its_clients_is_the_same_matter()
    {
        using Simulated run = With(("c2.txt", "bad.example\n"));
        run.Dns("bad.example", rcode: 2);
        run.Wait(3 * Simulated.Second);
        run.Dns("bad.example", client: Simulated.Resolver, resolver: s_upstream);
        run.Wait(60 * Simulated.Second);
        run.Dns("good.example");
        Assert.Equal("10.1.2.3", Assert.Single(run.Alerts).Event.SrcIP);
    }

    [Fact]
    public void What_no_client_asked_for_is_the_resolvers_own()
    {
        using Simulated run = With(("c2.txt", "bad.example\n"));
        run.Dns("good.example");
        run.Dns("bad.example", client: Simulated.Resolver, resolver: s_upstream);
        run.Wait(11 * Simulated.Second);
        Assert.Equal(0, run.Ip(Simulated.Outside, 443, ConnectionState.SF, 1, 1));
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("10.1.0.1", "bad.example"), (alert.Event.SrcIP, alert.Event.Query));
        Assert.Single(alert.Evidence!.Samples);
    }

    [Fact]
    public void A_storm_of_a_resolvers_listed_names_is_held_in_bounds()
    {
        using Simulated run = With(("c2.txt", "bad.example\n"));
        run.Dns("good.example");
        for (int i = 0; i < 1000; i++) run.Dns($"n{i}.bad.example", client: Simulated.Parse($"10.3.{i / 250}.{i % 250}"), resolver: s_upstream, flags: 0x8400);
        Assert.InRange(run.Alerts.Count, 900, 1000);
    }
}
