using System.Text;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

public sealed class PrevalenceTests : IDisposable
{
    const long Second = 1_000_000_000, Hour = 3600 * Second, Day = 24 * Hour;
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-prevalence").FullName;

    string File => Path.Combine(_folder, "first-seen.bin");
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static Address Client(int number) => Address.FromV4(0x0A00_0000 + (uint)number);
    static ulong Key(Prevalence p, string name) => p.KeyOf(Encoding.ASCII.GetBytes(name));

    sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    [Fact]
    public void The_first_sighting_is_new_and_the_next_is_not()
    {
        var p = new Prevalence(7 * Day) { Now = 5 * Second };
        ulong key = Key(p, "example.org");
        Assert.True(p.Of(key).IsNew);
        Assert.True(p.See(key, Client(1)).IsNew);
        Sighting second = p.See(Key(p, "EXAMPLE.org"), Client(1));
        Assert.False(second.IsNew);
        Assert.Equal(1, second.Clients);
        Assert.True(second.IsYoung);
        Assert.True(p.Of(Key(p, "example.com")).IsNew);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(5, 1)]
    [InlineData(10, 2)]
    [InlineData(60, 15)]
    public void Clients_are_counted_about_right(int clients, int off)
    {
        // The seed is random otherwise; estimates wander with it.
        var p = new Prevalence(0) { Now = 1, Seed = 0x1234_5678_9ABC_DEF1 };
        Sighting s = default;
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < clients; i++) s = p.See(Key(p, "example.org"), Client(i));
        }
        Assert.InRange(s.Clients, clients - off, clients + off);
        Assert.InRange(p.SiteClients, clients - 2, clients + 2);
    }

    [Fact]
    public void Addresses_of_one_network_of_IPv6_are_one_client()
    {
        var p = new Prevalence(0) { Now = 1, Seed = 0x1234_5678_9ABC_DEF1 };
        Sighting s = default;
        for (ulong host = 1; host <= 40; host++) s = p.See(Key(p, "example.org"), new Address(0x2001_0DB8_0000_0001, host * 0x9E37_79B9_7F4A_7C15));
        Assert.Equal((1, 1), (s.Clients, p.SiteClients));
        s = p.See(Key(p, "example.org"), new Address(0x2001_0DB8_0000_0002, 1));
        Assert.Equal((2, 2), (s.Clients, p.SiteClients));
    }

    [Fact]
    public void Days_and_age_follow_the_tick()
    {
        var p = new Prevalence(2 * Day) { Now = Hour };
        ulong key = Key(p, "example.org");
        p.See(key, Client(1));
        Assert.True(p.IsLearning);
        for (int i = 1; i <= 12; i++)
        {
            p.Now = Hour + (i * 12 * Hour);
            p.See(key, Client(1));
        }
        Assert.False(p.IsLearning);
        Sighting s = p.Of(key);
        Assert.Equal(7, s.Days);
        Assert.Equal(144, s.AgeHours);
        Assert.False(s.IsYoung);
    }

    [Fact]
    public void Time_that_passes_without_traffic_teaches_nothing()
    {
        var p = new Prevalence(7 * Day) { Now = 1 };
        for (int day = 0; day < 60; day += 3)
        {
            p.Now = day * Day;
            p.See(Key(p, "example.org"), Client(1));
        }
        Assert.True(p.IsLearning);
    }

    [Fact]
    public void A_domain_whose_row_was_lost_is_still_known_and_few_new_ones_are_taken_for_known()
    {
        var p = new Prevalence(0) { Now = 1 };
        const int Domains = 90_000;
        int taken = 0;
        for (int i = 0; i < Domains; i++) taken += p.See(Key(p, $"n{i}.example"), Client(1)).IsNew ? 0 : 1;
        int lost = 0;
        for (int i = 0; i < Domains; i++) lost += p.Of(Key(p, $"n{i}.example")).IsNew ? 1 : 0;
        Assert.Equal(0, lost);
        Assert.InRange(taken, 0, Domains / 130);
        Assert.True(p.Evicted > 0);
    }

    [Fact]
    public void Addresses_do_not_push_out_domains()
    {
        var p = new Prevalence(0) { Now = 1 };
        p.See(Key(p, "example.org"), Client(1));
        for (uint i = 0; i < 200_000; i++) p.See(p.KeyOf(Address.FromV4(0x2000_0000 + i)), Client(1));
        Assert.False(p.Of(Key(p, "example.org")).IsNew);
        Assert.Equal(0, p.Of(Key(p, "example.org")).AgeHours);
    }

    [Fact]
    public void What_was_learned_survives_a_restart_and_the_time_between_counts()
    {
        DateTimeOffset start = DateTimeOffset.UnixEpoch.AddYears(50);
        var first = new Prevalence(7 * Day) { Now = 1 };
        using (var file = new PrevalenceFile(File, first, new Clock(start)))
        {
            Assert.False(file.Load());
            Assert.Null(file.Fault);
            first.See(Key(first, "example.org"), Client(1));
            first.Now = 3 * Day;
        }
        var second = new Prevalence(7 * Day);
        using var again = new PrevalenceFile(File, second, new Clock(start.AddDays(5)));
        Assert.True(again.Load());
        second.Now = 77 * Day;
        Assert.InRange(second.Age, 8 * Day - Second, 8 * Day);
        Assert.False(second.Of(Key(second, "example.org")).IsNew);
        Assert.Equal(8 * 24, second.Of(Key(second, "example.org")).AgeHours + 1);
        Assert.Equal(1, second.SiteClients);
    }

    [Fact]
    public void Clients_of_a_month_ago_are_forgotten_and_the_days_are_not()
    {
        var p = new Prevalence(0) { Now = 1, Seed = 0x1234_5678_9ABC_DEF1 };
        ulong key = Key(p, "example.org"), quiet = Key(p, "quiet.example");
        for (int day = 0; day < 90; day++)
        {
            p.Now = (day * Day) + Hour;
            // Ten clients in the first days, one that stays; the other domain is nobody's afterwards.
            for (int i = 0; i < (day < 5 ? 10 : 1); i++) p.See(key, Client(i));
            for (int i = 0; i < (day < 5 ? 10 : 0); i++) p.See(quiet, Client(i));
            int clients = p.Of(key).Clients;
            if (day < 15) Assert.InRange(clients, 9, 11);
            if (day >= 30) Assert.Equal(1, clients);
            Assert.InRange(p.SiteClients, clients - 1, clients + 1);
            Assert.InRange(p.Of(quiet).Clients, day < 15 ? 9 : 0, day < 30 ? 11 : 0);
        }
        Assert.Equal(90, p.Of(key).Days);
        Assert.Equal((false, 5), (p.Of(quiet).IsNew, p.Of(quiet).Days));
    }

    [Fact]
    public void What_is_recent_is_so_across_a_restart()
    {
        DateTimeOffset start = DateTimeOffset.UnixEpoch.AddYears(50);
        var first = new Prevalence(0) { Now = 1, Seed = 0x1234_5678_9ABC_DEF1 };
        using (var file = new PrevalenceFile(File, first, new Clock(start)))
        {
            for (int i = 0; i < 10; i++) first.See(Key(first, "example.org"), Client(i));
            Partition.Current = 77;
            var life = file.LifeOf(77, new SiteLife());
            SiteLife own = first.Life;
            first.Life = life;
            first.Now = 1;
            for (int i = 0; i < 10; i++) first.See(Key(first, "site.example"), Client(i));
            first.Life = own;
            Partition.Current = 0;
        }
        foreach ((int days, int least, int most) in new[] { (10, 9, 11), (20, 9, 11), (31, 0, 0) })
        {
            var again = new Prevalence(0);
            // Loaded and not disposed of: the file stays as it was.
            var file = new PrevalenceFile(File, again, new Clock(start.AddDays(days)));
            Assert.True(file.Load());
            again.Now = 5;
            Assert.InRange(again.Of(Key(again, "example.org")).Clients, least, most);
            Assert.InRange(again.SiteClients, least, most);
            Partition.Current = 77;
            again.Life = file.LifeOf(77, new SiteLife());
            again.Now = 5;
            Assert.InRange(again.Of(Key(again, "site.example")).Clients, least, most);
            Assert.InRange(again.SiteClients, least, most);
            Partition.Current = 0;
        }
    }

    [Fact]
    public void A_damaged_or_cut_or_foreign_file_is_refused_and_replaced()
    {
        var p = new Prevalence(0) { Now = 1 };
        new PrevalenceFile(File, p, TimeProvider.System).Dispose();
        byte[] good = System.IO.File.ReadAllBytes(File);
        var random = new Random(4);
        byte[] damaged = [.. good];
        damaged[good.Length / 2] ^= 1;
        byte[] garbage = new byte[good.Length];
        random.NextBytes(garbage);
        foreach (byte[] bytes in new[] { damaged, garbage, good[..^8], [], good.Concat(new byte[8]).ToArray() })
        {
            System.IO.File.WriteAllBytes(File, bytes);
            var q = new Prevalence(0) { Now = 1 };
            using var file = new PrevalenceFile(File, q, TimeProvider.System);
            Assert.False(file.Load());
            Assert.Contains(File, file.Fault, StringComparison.Ordinal);
            Assert.True(q.Of(Key(q, "example.org")).IsNew);
        }
        Assert.Equal(good.Length, new FileInfo(File).Length);
    }

    [Fact]
    public void It_is_saved_every_hour_of_tick()
    {
        var p = new Prevalence(0) { Now = 1 };
        using var file = new PrevalenceFile(File, p, TimeProvider.System);
        file.SaveDue(Second);
        file.SaveDue(Hour);
        Assert.False(System.IO.File.Exists(File));
        file.SaveDue(Hour + Second);
        Assert.True(SpinWait.SpinUntil(() => System.IO.File.Exists(File), 10_000));
    }

    [Fact]
    public void A_sighting_allocates_nothing()
    {
        var p = new Prevalence(0) { Now = 1 };
        p.See(Key(p, "warm.example"), Client(1));
        Assert.Equal(0, Allocation.Least(() =>
        {
            for (int i = 0; i < 1000; i++) p.See(p.KeyOf("example.org"u8), Client(i));
        }));
    }
}
