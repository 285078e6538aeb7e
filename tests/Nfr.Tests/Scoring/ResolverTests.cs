using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>Whose matter a query is when a resolver in the mirror repeats it.</summary>
[Collection(AloneCollection.Name)]
public sealed class ResolverTests
{
    const ushort Recursive = 0x8180, Iterative = 0x8400, Txt = 16;
    static readonly Address s_upstream = Simulated.Parse("198.51.100.53");

    static Address Client(int number) => Address.FromV4(0x0A02_0000 + (uint)number);
    static Address Server(int number) => Address.FromV4(0xC633_6400 + (uint)number);

    /// <summary>A query as it passes the mirror twice: the resolver's answer comes first.</summary>
    static void AskThrough(Simulated run, string name, Address client, ushort type = 1, short rcode = 0)
    {
        run.Dns(name, Simulated.Resolver, s_upstream, type, rcode, Recursive);
        run.Wait(Simulated.Millisecond);
        run.Dns(name, client, Simulated.Resolver, type, rcode, Recursive);
    }

    static string Tunnelled(Random random) => Simulated.Letters(random, 30) + ".t.example.com";

    [Fact]
    public void A_tunnel_through_a_resolver_in_the_mirror_is_its_clients()
    {
        using var run = new Simulated();
        var random = new Random(1);
        run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
        for (int i = 0; i < 80; i++, run.Wait(200 * Simulated.Millisecond)) AskThrough(run, Tunnelled(random), Client(1), Txt);
        run.Wait(60 * Simulated.Second);
        run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
        Assert.Equal(["10.2.0.1"], run.Alerts.Select(a => a.Event.SrcIP));
        Assert.DoesNotContain(run.Alerts[0].Evidence!.Facts, f => f.Name == "resolverForClients");
    }

    [Fact]
    public void Made_up_names_asked_through_a_resolver_are_put_to_its_client()
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        var random = new Random(2);
        run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
        for (int i = 0; i < 40; i++, run.Wait(Simulated.Second)) AskThrough(run, Simulated.DgaLabel(random, 11) + ".com", Client(1), rcode: 3);
        run.Wait(60 * Simulated.Second);
        run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
        Assert.Equal("10.2.0.1", Assert.Single(run.Alerts).Event.SrcIP);
    }

    [Fact]
    public void Many_clients_that_each_do_a_little_make_no_finding_of_their_resolver()
    {
        using var run = new Simulated(enabled: Detectors.Dga | Detectors.DnsTunnel);
        var random = new Random(3);
        for (int i = 0; i < 400; i++, run.Wait(300 * Simulated.Millisecond))
        {
            AskThrough(run, $"{Simulated.DgaLabel(random, 9)}.com", Client(i % 100), rcode: 3);
            AskThrough(run, Tunnelled(random), Client(i % 100));
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void What_a_resolver_does_of_its_own_accord_is_its_own()
    {
        using var run = new Simulated(enabled: Detectors.DnsTunnel);
        var random = new Random(4);
        for (int i = 0; i < 20; i++) run.Dns("www.example.org", Client(i), Simulated.Resolver, flags: Recursive);
        for (int i = 0; i < 200; i++, run.Wait(200 * Simulated.Millisecond)) run.Dns(Tunnelled(random), Simulated.Resolver, s_upstream, Txt, 0, Recursive);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("10.1.0.1", alert.Event.SrcIP);
        Assert.Equal(4 * new Thresholds().TunnelDataTypeBytes, alert.Evidence!.Features.Single(f => f.Name == "newBytes").Limit);
        // A sketch of 128 bits under a key of chance: of 20 it makes 18 to 22 in 96 runs of 100, and 14 to 28 in all.
        Assert.InRange(alert.Evidence.Facts.Single(f => f.Name == "resolverForClients").Number, 14, 28);
    }

    [Fact]
    public void Behind_a_resolver_whose_clients_are_out_of_sight_a_tunnel_and_made_up_names_are_found_all_the_same()
    {
        using var run = new Simulated(enabled: Detectors.Dga | Detectors.DnsTunnel);
        var random = new Random(5);
        for (int i = 0; i < 600; i++, run.Wait(200 * Simulated.Millisecond))
        {
            run.Dns($"www.{Simulated.Letters(random, 6)}.com", Simulated.Resolver, Server(i % 50), 1, 0, Iterative);
            if (i % 3 == 0) run.Dns(Tunnelled(random), Simulated.Resolver, Server(200), Txt, 0, Iterative);
            if (i % 3 == 1) run.Dns(Simulated.DgaLabel(random, 12) + ".biz", Simulated.Resolver, Server(i % 50), 1, 3, Iterative);
        }
        Assert.Equal(["dga_volume", "multiple_long_hostnames"], run.ThreatIds.Order());
        Assert.All(run.Alerts, a => Assert.Contains(a.Evidence!.Facts, f => f.Name == "resolverForClients"));
        Assert.All(run.Alerts, a => Assert.Equal("10.1.0.1", a.Event.SrcIP));
    }

    [Fact]
    public void One_name_server_asked_without_recursion_is_no_resolvers_way()
    {
        using var run = new Simulated(enabled: Detectors.DnsTunnel);
        var random = new Random(6);
        for (int i = 0; i < 120; i++, run.Wait(200 * Simulated.Millisecond)) run.Dns(Tunnelled(random), Client(1), s_upstream, Txt, 0, Iterative);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(new Thresholds().TunnelDataTypeBytes, alert.Evidence!.Features.Single(f => f.Name == "newBytes").Limit);
    }

    [Fact]
    public void A_name_of_the_link_answered_by_a_neighbour_makes_no_resolver_of_it()
    {
        using var run = new Simulated(enabled: Detectors.DnsTunnel);
        var random = new Random(7);
        for (int i = 0; i < 20; i++) run.Dns("printer", Client(i), Client(99), service: App.Llmnr);
        // Authoritative only: it does not resolve for others.
        for (int i = 0; i < 20; i++) run.Dns("host.corp.example.com", Client(i), Client(99), flags: 0x8580 & ~0x0080);
        for (int i = 0; i < 30; i++) run.Dns(Tunnelled(random), Client(99), s_upstream, Txt, 0, Recursive);
        Assert.Single(run.Alerts);
    }

    [Fact]
    public void More_than_can_wait_are_judged_and_not_lost()
    {
        using var run = new Simulated(enabled: Detectors.DnsTunnel);
        var random = new Random(8);
        run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
        for (int i = 0; i < 400; i++) run.Dns(Tunnelled(random), Simulated.Resolver, s_upstream, Txt, 0, Recursive);
        Assert.Equal("10.1.0.1", Assert.Single(run.Alerts).Event.SrcIP);
    }

    [Fact]
    public void What_still_waits_at_the_end_is_told()
    {
        using var run = new Simulated(lists: ("c2.txt", "bad.example\n"));
        run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
        run.Dns("bad.example", Simulated.Resolver, s_upstream, flags: Recursive);
        Assert.Empty(run.Alerts);
        run.Scorer.Finish(run.Alerts);
        Assert.Equal("10.1.0.1", Assert.Single(run.Alerts).Event.SrcIP);
    }

    [Fact]
    public void A_silent_networks_matters_take_nobodys_place_and_come_with_its_next_event()
    {
        using var run = new Simulated(enabled: Detectors.ListedDestination, lists: ("c2.txt", "bad.example\n"));
        ScorerPartition[] silent = [.. Enumerable.Range(0, 100).Select(i => new ScorerPartition($"silent{i}"))];
        foreach (ScorerPartition each in silent)
        {
            run.Scorer.Enter(each);
            run.Dns("bad.example", Simulated.Resolver, s_upstream, flags: Iterative);
            run.Scorer.Leave(each);
        }
        // A hundred wait; here there is room all the same.
        var lively = new ScorerPartition("lively");
        run.Scorer.Enter(lively);
        run.Dns("bad.example", Simulated.Resolver, s_upstream, flags: Iterative);
        Assert.Empty(run.Alerts);
        run.Dns("bad.example", Client(1), Simulated.Resolver, flags: Recursive);
        run.Scorer.Leave(lively);
        Assert.Equal("10.2.0.1", Assert.Single(run.Alerts).Event.SrcIP);
        run.Wait(3600 * Simulated.Second);
        foreach (ScorerPartition each in silent)
        {
            run.Scorer.Enter(each);
            run.Dns("good.example", Client(1), Simulated.Resolver, flags: Recursive);
            run.Scorer.Leave(each);
        }
        Assert.Equal(101, run.Alerts.Count);
    }

    [Fact]
    public void A_resolvers_query_for_what_it_was_found_with_has_its_score_at_once()
    {
        using var run = new Simulated(enabled: Detectors.DnsTunnel);
        var random = new Random(9);
        for (int i = 0; i < 20; i++) run.Dns("www.example.org", Client(i), Simulated.Resolver, flags: Recursive);
        for (int i = 0; i < 300; i++, run.Wait(200 * Simulated.Millisecond)) run.Dns(Tunnelled(random), Simulated.Resolver, s_upstream, Txt, 0, Recursive);
        Assert.Equal(Assert.Single(run.Alerts).Severity, run.Dns(Tunnelled(random), Simulated.Resolver, s_upstream, Txt, 0, Recursive));
        Assert.Equal(0, run.Dns("www.example.net", Simulated.Resolver, s_upstream, 1, 0, Recursive));
    }

    [Fact]
    public void What_waits_at_thousands_of_networks_has_room_enough_in_a_few_megabytes()
    {
        using var run = new Simulated(enabled: Detectors.DnsTunnel);
        ScorerPartition[] sites = [.. Enumerable.Range(0, 3000).Select(i => new ScorerPartition($"site {i}"))];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (ScorerPartition site in sites)
        {
            run.Scorer.Enter(site);
            run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
            run.Dns("www.example.net", Simulated.Resolver, s_upstream, flags: Recursive);
            run.Scorer.Leave(site);
        }
        long after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(sites);
        Assert.True(after - before < 8 << 20, $"{after - before} bytes more");
        Assert.True(run.Scorer.Stats.TrackedEvicted > 0);
        // Here a client's query waits and is taken away as ever.
        var random = new Random(10);
        run.Scorer.Enter(sites[0]);
        for (int i = 0; i < 80; i++, run.Wait(200 * Simulated.Millisecond)) AskThrough(run, Tunnelled(random), Client(1), Txt);
        run.Scorer.Finish(run.Alerts);
        run.Scorer.Leave(sites[0]);
        Assert.Equal(["10.2.0.1"], run.Alerts.Select(a => a.Event.SrcIP));
    }

    [Fact]
    public void A_resolvers_query_that_waits_allocates_nothing()
    {
        using var run = new Simulated(enabled: Detectors.DnsTunnel | Detectors.Dga);
        run.Dns("www.example.org", Client(1), Simulated.Resolver, flags: Recursive);
        byte[] name = "www.example.net"u8.ToArray();
        void Ask()
        {
            for (int i = 0; i < 1000; i++)
            {
                for (int pass = 0; pass < 2; pass++)
                {
                    var e = new DnsEvent
                    {
                        Context = new EventContext
                        {
                            Tick = run.Tick + (i * Simulated.Millisecond), Source = pass == 0 ? Simulated.Resolver : Client(1), Destination = pass == 0 ? s_upstream : Simulated.Resolver, DestinationPort = 53,
                        },
                        Query = name, QueryType = 1, Flags = Recursive,
                    };
                    run.Scorer.Score(in e, run.Alerts);
                }
            }
        }
        Ask();
        Assert.Equal(0, Allocation.Least(Ask));
    }
}
