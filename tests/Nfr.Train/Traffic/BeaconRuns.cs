using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>How many of the beacons of one kind were found in time, and when.</summary>
/// <param name="Found">Share within max(1 h, 12 intervals), or a day for one an hour, counted from each client's first contact.</param>
/// <param name="InHalfAnHour">Share within 30 minutes.</param>
/// <param name="Median">Minutes to the alert; infinite when half were not found.</param>
/// <param name="Last">Minutes to the last alert that came.</param>
readonly record struct BeaconFound(double Found, double InHalfAnHour, double Median, double Last);

/// <summary>Beacons by interval and jitter, and what polls without being one.</summary>
static class BeaconRuns
{
    public static Address Host(int number) => Address.FromV4(0x0A14_0000 + (uint)number);

    /// <summary>So many clients, each calling a name of its own.</summary>
    public static BeaconFound Measure(int seeds, double interval, double jitter, ContactKind kind)
    {
        double limit = interval == 3600 ? Poller.Day : Math.Max(3600, 12 * interval);
        using var poller = new Poller(Detectors.Beaconing);
        var starts = new Dictionary<string, double>();
        for (int seed = 0; seed < seeds; seed++)
        {
            var random = new Random(seed);
            double start = random.NextDouble() * interval;
            starts[Host(seed).ToString()] = start;
            poller.Contacts(Poller.Timer(random, interval, jitter, start, limit + (2 * interval)), kind, $"shop-number-{seed}.com", Host(seed), Address.FromV4(0xCB00_7100 + (uint)seed),
                () => 280 + random.Next(60), timeToLive: (uint)(interval / 4));
        }
        poller.Run();
        var after = new double[seeds];
        after.AsSpan().Fill(double.PositiveInfinity);
        for (int i = 0; i < poller.Alerts.Count; i++) after[i] = poller.RaisedAt[i] - starts[poller.Alerts[i].Event.SrcIP!];
        Array.Sort(after);
        return new BeaconFound(after.Count(a => a <= limit) / (double)seeds, after.Count(a => a <= 1800) / (double)seeds, after[seeds / 2] / 60, after.Where(double.IsFinite).DefaultIfEmpty().Max() / 60);
    }

    /// <summary>Alerts of so many days of one client each that comes at random, and of as many with visits of a few pages.</summary>
    public static (int Chance, int Browsing) Irregular(int seeds, double mean)
    {
        return (Days(random => Poller.Chance(random, mean)), Days(random => Poller.Browsing(random, mean * 10)));

        int Days(Func<Random, IEnumerable<double>> contacts)
        {
            using var poller = new Poller(Detectors.Beaconing);
            for (int seed = 0; seed < seeds; seed++)
            {
                var random = new Random(seed);
                poller.Contacts(contacts(random), ContactKind.Tls, $"shop-number-{seed}.com", Host(seed), Address.FromV4(0xCB00_7100 + (uint)seed), () => 200 + random.Next(3000));
            }
            poller.Run();
            return poller.Alerts.Count;
        }
    }

    /// <summary>What is polled by its nature, for a day: clocks, mail, an update check, a connectivity check, a server of the site.</summary>
    public static void Pollers(Poller poller, string plain)
    {
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
        poller.Contacts(Poller.Timer(random, 60, 0), ContactKind.Tls, plain, Simulated.Client, Simulated.Parse("10.9.9.9"));
    }

    /// <summary>An office day: time, mail, an update check, a chat, an agent that all have, one that a third has, a telemetry that every tenth has.</summary>
    public static void Office(Poller poller, int clients)
    {
        for (int i = 0; i < clients; i++)
        {
            int client = i;
            var random = new Random(100 + i);
            double boot = random.NextDouble() * 3600;
            Poll(1024, 0.02, ContactKind.Flow, "", 1, 123, App.Ntp);
            Poll(300, 0.02, ContactKind.Tls, "imap.mail-of-the-office.com", 2, 993);
            Poll(300, 0.02, ContactKind.Query, "imap.mail-of-the-office.com", 2);
            Poll(4 * 3600, 0.1, ContactKind.Http, "updates.some-linux.org", 3, 80);
            Poll(60, 0.05, ContactKind.Tls, "edge.chat-of-the-office.com", 4);
            Poll(600, 0.05, ContactKind.Tls, "agent.endpoint-vendor.com", 5);
            if (i % 3 == 0) Poll(300, 0.05, ContactKind.Tls, "sync.files-vendor.com", 6);
            if (i % 10 == 0) Poll(900, 0.05, ContactKind.Flow, "", 7, 8000);
            poller.Contacts(Poller.Browsing(random, 1800), ContactKind.Tls, $"paper-{i % 7}.com", Host(i), Address.FromV4(0xC612_0100 + ((uint)i % 7)), () => 300 + random.Next(5000));

            void Poll(double interval, double jitter, ContactKind kind, string host, uint server, ushort port = 443, App app = App.Tls) =>
                poller.Contacts(Poller.Timer(random, interval, jitter, boot + (random.NextDouble() * interval)), kind, host, Host(client), Address.FromV4(0xC612_0000 + server), () => 300 + random.Next(50), port, app, protocol: (byte)(port == 123 ? 17 : 6));
        }
    }
}
