using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

public sealed class BeaconTests(ITestOutputHelper output)
{
    const int Seeds = 200;
    const string Odd = "xk7qwz9vbt.com", Plain = "little-garden-shop.com";

    static Address Host(int number) => Address.FromV4(0x0A14_0000 + (uint)number);

    /// <summary>The share of clients that come to a name of their own whose alert came within the limit, counted from their first contact.</summary>
    (double Found, double InHalfAnHour, double Median, double Last) Measure(double interval, double jitter, ContactKind kind)
    {
        double limit = interval == 3600 ? Poller.Day : Math.Max(3600, 12 * interval);
        using var poller = new Poller(Detectors.Beaconing);
        var starts = new Dictionary<string, double>();
        for (int seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            double start = random.NextDouble() * interval;
            starts[Host(seed).ToString()] = start;
            poller.Contacts(Poller.Timer(random, interval, jitter, start, limit + (2 * interval)), kind, $"shop-number-{seed}.com", Host(seed), Address.FromV4(0xCB00_7100 + (uint)seed),
                () => 280 + random.Next(60), timeToLive: (uint)(interval / 4));
        }
        poller.Run();
        var after = new double[Seeds];
        after.AsSpan().Fill(double.PositiveInfinity);
        for (int i = 0; i < poller.Alerts.Count; i++) after[i] = poller.RaisedAt[i] - starts[poller.Alerts[i].Event.SrcIP!];
        Array.Sort(after);
        return (after.Count(a => a <= limit) / (double)Seeds, after.Count(a => a <= 1800) / (double)Seeds, after[Seeds / 2] / 60, after.Where(double.IsFinite).DefaultIfEmpty().Max() / 60);
    }

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
                    (double found, double soon, double median, double last) = Measure(interval, jitter, kind);
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
        int Days(Func<Random, IEnumerable<double>> contacts)
        {
            using var poller = new Poller(Detectors.Beaconing);
            for (int seed = 0; seed < Seeds; seed++)
            {
                var random = new Random(seed);
                poller.Contacts(contacts(random), ContactKind.Tls, $"shop-number-{seed}.com", Host(seed), Address.FromV4(0xCB00_7100 + (uint)seed), () => 200 + random.Next(3000));
            }
            poller.Run();
            return poller.Alerts.Count;
        }
        int chance = Days(r => Poller.Chance(r, mean)), browsing = Days(r => Poller.Browsing(r, mean * 10));
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
        var random = new Random(4);
        Address time = Simulated.Parse("198.51.100.1"), mail = Simulated.Parse("198.51.100.2"), update = Simulated.Parse("198.51.100.3");
        poller.Contacts(Poller.Timer(random, 1024, 0.01), ContactKind.Flow, "", Simulated.Client, time, () => 48, 123, App.Ntp, protocol: 17);
        poller.Contacts(Poller.Timer(random, 1024, 0.01), ContactKind.Flow, "", Simulated.Client, time, () => 48, 123, App.Tls, protocol: 17);
        double[] polls = [.. Poller.Timer(random, 300, 0.02)];
        poller.Contacts(polls.Select(t => t - 0.1), ContactKind.Query, "imap.provider-of-mail.net", Simulated.Client, mail);
        poller.Contacts(polls, ContactKind.Tls, "imap.provider-of-mail.net", Simulated.Client, mail, port: 993);
        poller.Contacts(Poller.Timer(random, 600, 0.02), ContactKind.Flow, "", Simulated.Client, mail, port: 110, app: App.Pop3);
        poller.Contacts(Poller.Timer(random, 3600, 0.1), ContactKind.Tls, "fe2.update.microsoft.com", Simulated.Client, update);
        poller.Contacts(Poller.Timer(random, 300, 0), ContactKind.Query, "connectivity-check.ubuntu.com", Simulated.Client, update, timeToLive: 60);
        poller.Contacts(Poller.Timer(random, 60, 0), ContactKind.Tls, Plain, Simulated.Client, Simulated.Parse("10.9.9.9"));
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
        // An office day: 60 clients; time, mail, an operating system's update check, a chat, an agent that all have, one that a third has, a telemetry that every tenth has.
        using var poller = new Poller(Detectors.Beaconing | Detectors.FirstSeen);
        const int Clients = 60;
        for (int i = 0; i < Clients; i++)
        {
            var random = new Random(100 + i);
            double boot = random.NextDouble() * 3600;
            void Poll(double interval, double jitter, ContactKind kind, string host, uint server, ushort port = 443, App app = App.Tls) =>
                poller.Contacts(Poller.Timer(random, interval, jitter, boot + (random.NextDouble() * interval)), kind, host, Host(i), Address.FromV4(0xC612_0000 + server), () => 300 + random.Next(50), port, app, protocol: (byte)(port == 123 ? 17 : 6));
            Poll(1024, 0.02, ContactKind.Flow, "", 1, 123, App.Ntp);
            Poll(300, 0.02, ContactKind.Tls, "imap.mail-of-the-office.com", 2, 993);
            Poll(300, 0.02, ContactKind.Query, "imap.mail-of-the-office.com", 2);
            Poll(4 * 3600, 0.1, ContactKind.Http, "updates.some-linux.org", 3, 80);
            Poll(60, 0.05, ContactKind.Tls, "edge.chat-of-the-office.com", 4);
            Poll(600, 0.05, ContactKind.Tls, "agent.endpoint-vendor.com", 5);
            if (i % 3 == 0) Poll(300, 0.05, ContactKind.Tls, "sync.files-vendor.com", 6);
            if (i % 10 == 0) Poll(900, 0.05, ContactKind.Flow, "", 7, 8000);
            poller.Contacts(Poller.Browsing(random, 1800), ContactKind.Tls, $"paper-{i % 7}.com", Host(i), Address.FromV4(0xC612_0100 + ((uint)i % 7)), () => 300 + random.Next(5000));
        }
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
