using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

public sealed class BeaconTests(ITestOutputHelper output)
{
    const int Seeds = 200;
    const string Odd = "xk7qwz9vbt.com", Plain = "little-garden-shop.com";

    static Address Host(int number) => BeaconRuns.Host(number);

    [Fact]
    public void Beacons_are_found_in_time_whatever_shows_them()
    {
        output.WriteLine($"share of {Seeds} seeds found within max(1 h, 12 intervals), or 24 h of one an hour; within 30 min; minutes to the alert");
        output.WriteLine($"{"shown by",-8} {"interval",8} {"jitter",6} {"found",6} {"30 min",6} {"median",7} {"last",7}");
        double worst = 1;
        foreach (ContactKind kind in Enum.GetValues<ContactKind>())
        {
            foreach (double interval in new double[] { 30, 60, 120, 300, 600, 3600 })
            {
                foreach (double jitter in new[] { 0, 0.1, 0.3, 0.5 })
                {
                    (double found, double soon, double median, double last) = BeaconRuns.Measure(Seeds, interval, jitter, kind);
                    output.WriteLine($"{kind,-8} {interval,8} {jitter,6:0.0} {found,6:0.000} {soon,6:0.00} {median,7:0.0} {last,7:0.0}");
                    if (jitter <= 0.3) worst = Math.Min(worst, found);
                }
            }
        }
        Assert.True(worst >= 0.95, $"the worst case was found in {worst:0.000}");
    }

    [Theory]
    [InlineData(30)]
    [InlineData(120)]
    [InlineData(600)]
    public void Irregular_contacts_are_no_beacon(double mean)
    {
        (int chance, int browsing) = BeaconRuns.Irregular(Seeds, mean);
        output.WriteLine($"{Seeds} days each: contacts at random every {mean} s on average raise {chance} alerts, visits every {mean * 10} s {browsing}");
        Assert.True(chance + browsing <= 1);
    }

    [Fact]
    public void A_beacon_is_one_alert_a_week_that_says_why()
    {
        using var poller = new Poller(Detectors.Beaconing);
        var random = new Random(1);
        poller.Contacts(Poller.Timer(random, 300, 0.2, end: 9 * Poller.Day), ContactKind.Tls, "cdn." + Odd, Simulated.Client, Simulated.Outside);
        poller.Run();
        Assert.Equal(2, poller.Alerts.Count);
        Alert alert = poller.Alerts[0];
        Assert.Equal("suspicious_domain_beacon", alert.Threats[0].Id);
        Assert.Equal(3, alert.Severity);
        Assert.Contains("beacon", alert.Flags);
        Assert.Equal($"{Simulated.Client} {Odd}", alert.Evidence!.Key);
        Assert.True(alert.Evidence.Score >= alert.Evidence.ScoreLimit);
        Assert.Equal(1, alert.Evidence.Features.Sum(f => f.Weight), 1e-9);
        Assert.InRange(alert.Evidence.Facts.Single(f => f.Name == "medianSeconds").Number, 240, 360);
        Assert.True(alert.Evidence.Samples.Count > 1);
    }

    [Fact]
    public void A_beacon_that_is_irregular_for_a_while_is_still_one_alert_a_week()
    {
        using var poller = new Poller(Detectors.Beaconing);
        var random = new Random(5);
        for (int part = 0; part < 8; part++)
        {
            double start = part * 4 * 3600;
            poller.Contacts(Poller.Timer(random, 120, 0.1, start, start + (3 * 3600)), ContactKind.Tls, Plain, Simulated.Client, Simulated.Outside);
            poller.Contacts(Poller.Chance(random, 120, 3000).Select(s => start + (3 * 3600) + s), ContactKind.Tls, Plain, Simulated.Client, Simulated.Outside);
        }
        poller.Run();
        Assert.Single(poller.Alerts);
    }

    [Fact]
    public void A_beacon_to_an_ordinary_name_is_low_and_to_a_bare_address_medium()
    {
        using var poller = new Poller(Detectors.Beaconing);
        poller.Contacts(Poller.Timer(new Random(1), 60, 0.1, end: 7200), ContactKind.Tls, Plain, Simulated.Client, Simulated.Outside);
        poller.Contacts(Poller.Timer(new Random(1), 60, 0.1, end: 7200), ContactKind.Flow, "", Simulated.Client, Simulated.Parse("198.51.100.77"), port: 8081);
        poller.Run();
        Assert.Equal([2, 3], poller.Alerts.Select(a => a.Severity).Order());
    }

    [Fact]
    public void What_query_handshake_and_flow_show_is_one_beacon()
    {
        using var poller = new Poller(Detectors.Beaconing);
        double[] times = [.. Poller.Timer(new Random(2), 60, 0.2, end: 7200)];
        poller.Contacts(times.Select(t => t - 0.2), ContactKind.Query, "a." + Plain, Simulated.Client, Simulated.Outside);
        poller.Contacts(times, ContactKind.Tls, "b." + Plain, Simulated.Client, Simulated.Outside);
        poller.Contacts(times.Select(t => t + 0.4), ContactKind.Flow, "", Simulated.Client, Simulated.Outside, port: 8081);
        poller.Run();
        Assert.Single(poller.Alerts);
    }

    [Fact]
    public void A_beacon_that_misses_a_few_calls_is_found()
    {
        using var poller = new Poller(Detectors.Beaconing);
        var random = new Random(3);
        poller.Contacts(Poller.Timer(random, 60, 0.2, end: 3600).Where(_ => random.Next(12) > 0), ContactKind.Tls, Plain, Simulated.Client, Simulated.Outside);
        poller.Run();
        Assert.Single(poller.Alerts);
    }

    [Fact]
    public void What_is_polled_by_its_nature_is_no_beacon()
    {
        using var poller = new Poller(Detectors.Beaconing);
        BeaconRuns.Pollers(poller, Plain);
        poller.Run();
        Assert.Empty(poller.Alerts);
    }

    [Theory]
    [InlineData(993, 6, App.Tls)]
    [InlineData(143, 6, App.Unknown)]
    [InlineData(123, 17, App.Ntp)]
    public void A_few_flows_to_a_port_that_is_polled_hide_no_beacon(int port, byte protocol, App app)
    {
        using var poller = new Poller(Detectors.Beaconing);
        poller.Contacts(Poller.Timer(new Random(1), 60, 0.1, end: 7200), ContactKind.Tls, "cdn." + Odd, Simulated.Client, Simulated.Outside);
        double[] excuses = [30.5, 700.5, 1500.5, 3000.5];
        poller.Contacts(excuses, app == App.Tls ? ContactKind.Tls : ContactKind.Flow, "mail." + Odd, Simulated.Client, Simulated.Outside, port: (ushort)port, app: app, protocol: protocol);
        poller.Run();
        Assert.Equal([3], poller.Alerts.Select(a => a.Severity));
    }

    [Theory]
    [InlineData(51_820, 17, App.WireGuard, 300)]
    [InlineData(5060, 17, App.Sip, 200)]
    [InlineData(993, 6, App.Tls, 900)]
    public void A_flow_that_lasts_and_is_polled_excuses_those_who_ask_for_its_name_meanwhile(int port, byte protocol, App app, double interval)
    {
        using var poller = new Poller(Detectors.Beaconing);
        poller.Contacts(Poller.Timer(new Random(3), interval, 0.01), ContactKind.Query, "home." + Plain, Simulated.Client, Simulated.Outside);
        // The second is another one: the first machine slept for an hour at noon.
        Slices(poller, 0, 11 * 3600, 40_001, port, protocol, app);
        Slices(poller, 12 * 3600, Poller.Day, 40_002, port, protocol, app);
        poller.Run();
        Assert.Empty(poller.Alerts);
    }

    [Fact]
    public void A_flow_that_lasts_and_is_polled_excuses_no_connections_and_nothing_after_its_end()
    {
        using var poller = new Poller(Detectors.Beaconing);
        poller.Contacts(Poller.Timer(new Random(3), 300, 0.05), ContactKind.Tls, "cdn." + Odd, Simulated.Client, Simulated.Outside);
        Slices(poller, 0, Poller.Day, 40_001, 51_820, 17, App.WireGuard);
        poller.Contacts(Poller.Timer(new Random(4), 300, 0.05), ContactKind.Query, Plain, Host(1), Simulated.Outside);
        Slices(poller, 0, 4 * 3600, 40_002, 51_820, 17, App.WireGuard, Host(1));
        poller.Run();
        Assert.Equal([Simulated.Client.ToString(), Host(1).ToString()], poller.Alerts.Select(a => a.Event.SrcIP));
        Assert.True(poller.RaisedAt[1] > 4 * 3600);
    }

    static void Slices(Poller poller, double start, double end, ushort sourcePort, int port, byte protocol, App app, Address? client = null)
    {
        const double Length = 1800;
        for (double slice = start; slice < end; slice += Length)
        {
            bool goesOn = slice + Length < end;
            poller.At(slice + Length, (scorer, alerts, tick) => scorer.Score(
                new IpEvent
                {
                    Context = new EventContext
                    {
                        Tick = tick - (long)(Length * 1e9), Source = client ?? Simulated.Client, Destination = Simulated.Outside, SourcePort = sourcePort, DestinationPort = (ushort)port, Protocol = protocol,
                    },
                    Duration = (long)(Length * 1e9), State = ConnectionState.S1, App = app, PacketsIn = 72, PacketsOut = 72, BytesIn = 9000, BytesOut = 9000, PayloadIn = 7000, PayloadOut = 7000,
                    Notes = goesOn ? FlowNotes.ActiveTimeout : FlowNotes.None,
                }, alerts));
        }
    }

    [Fact]
    public void A_resolver_of_one_site_is_a_client_at_another_and_stays_one_at_its_own()
    {
        using var run = new Simulated(enabled: Detectors.Beaconing);
        ScorerPartition own = new("own"), other = new("other");
        void In(ScorerPartition site, Action what)
        {
            run.Scorer.Enter(site);
            what();
            run.Scorer.Leave(site);
        }
        In(own, () => run.Dns("www.example.org", Simulated.Parse("10.5.0.1"), Simulated.Resolver));
        // More resolvers than one site has.
        for (uint i = 0; i < 40; i++) In(new ScorerPartition($"site {i}"), () => run.Dns("www.example.org", Simulated.Parse("10.5.0.1"), Address.FromV4(0x0A06_0000 + i)));
        foreach (ScorerPartition site in new[] { own, other })
        {
            run.Tick = 100 * Simulated.Second;
            In(site, () =>
            {
                for (int i = 0; i < 120; i++)
                {
                    run.Dns(Plain, Simulated.Resolver, Simulated.Parse("9.9.9.9"), answers: (1, "198.51.100.4"));
                    run.Wait(300 * Simulated.Second);
                }
            });
            Assert.Equal(site == own ? 0 : 1, run.Alerts.Count);
        }
    }

    [Fact]
    public void A_cache_that_asks_again_is_no_beacon()
    {
        using var poller = new Poller(Detectors.Beaconing);
        // A busy client asks when the time to live of 300 s is over; a resolver does so for all.
        poller.Contacts(Poller.Timer(new Random(5), 310, 0.03), ContactKind.Query, Plain, Simulated.Client, Simulated.Outside, timeToLive: 300);
        poller.Contacts(Poller.Timer(new Random(6), 120, 0.03), ContactKind.Query, "other-" + Plain, Simulated.Resolver, Simulated.Outside, timeToLive: 60);
        poller.Run();
        Assert.Empty(poller.Alerts);
    }

    [Fact]
    public void The_slices_of_a_long_flow_are_one_contact()
    {
        using var poller = new Poller(Detectors.Beaconing);
        for (int flow = 0; flow < 3; flow++)
        {
            ushort port = (ushort)(40_000 + flow);
            for (int slice = 0; slice < 40; slice++)
            {
                int number = slice;
                poller.At((slice * 1800) + (flow * 200), (scorer, alerts, tick) => scorer.Score(
                    new IpEvent
                    {
                        Context = new EventContext { Tick = tick, Source = Simulated.Client, Destination = Simulated.Outside, SourcePort = port, DestinationPort = 8080, Protocol = 6 }, Duration = 1800 * Simulated.Second,
                        State = ConnectionState.S1, PacketsIn = 9, PacketsOut = 9, BytesIn = 900, BytesOut = 900, PayloadIn = 400, PayloadOut = 400,
                        Notes = number < 39 ? FlowNotes.ActiveTimeout : FlowNotes.None,
                    }, alerts));
            }
        }
        poller.Run();
        Assert.Empty(poller.Alerts);
    }

    [Fact]
    public void A_flood_of_destinations_pushes_out_no_beacon_in_progress()
    {
        using var poller = new Poller(Detectors.Beaconing);
        poller.Contacts(Poller.Timer(new Random(7), 300, 0.1, end: 4200), ContactKind.Tls, Plain, Simulated.Client, Simulated.Outside);
        for (int i = 0; i < 60_000; i++)
        {
            uint server = 0x2E00_0000 + ((uint)i / 3);
            poller.Flow(1600 + (i * 0.01), new EventContext { Source = Host(i % 50), Destination = Address.FromV4(server), DestinationPort = 8000, SourcePort = 9, Protocol = 6 }, 100, App.Unknown);
            poller.Flow(1606 + (i * 0.01), new EventContext { Source = Host(i % 50), Destination = Address.FromV4(server), DestinationPort = 8000, SourcePort = 9, Protocol = 6 }, 100, App.Unknown);
        }
        poller.Run();
        Assert.True(poller.Scorer.Stats.TrackedEvicted > 1000);
        Assert.Equal([Simulated.Client.ToString()], poller.Alerts.Select(a => a.Event.SrcIP));
    }

    [Fact]
    public void Pollers_that_many_of_the_site_share_raise_at_most_one_alert_a_day()
    {
        using var poller = new Poller(Detectors.Beaconing | Detectors.FirstSeen);
        const int Clients = 60;
        BeaconRuns.Office(poller, Clients);
        poller.Contacts(Poller.Timer(new Random(1), 120, 0.3, 7200), ContactKind.Tls, "c." + Odd, Host(5), Simulated.Outside);
        poller.Run();
        Alert[] beacons = [.. poller.Alerts.Where(a => a.Evidence!.Detector == "beacon")];
        foreach (Alert alert in beacons) output.WriteLine(alert.Evidence!.Summary);
        Alert[] good = [.. beacons.Where(a => !a.Evidence!.Key.EndsWith(Odd, StringComparison.Ordinal))];
        output.WriteLine($"{Clients} clients for a day: {good.Length} alerts on pollers, {beacons.Length - good.Length} on the beacon among them");
        Assert.Single(beacons, a => a.Evidence!.Key.EndsWith(Odd, StringComparison.Ordinal));
        Assert.True(good.Length <= 1);
    }
}
