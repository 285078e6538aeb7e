using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>What a name can carry, who asks for it, and how slowly.</summary>
public sealed class DnsTunnelTests
{
    const int A = 1, Cname = 5, Null = 10, Mx = 15, Txt = 16, Key = 25, Aaaa = 28, Https = 65;

    const string Base32 = "abcdefghijklmnopqrstuvwxyz234567", Base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", Hex = "0123456789abcdef";

    static string Text(Random random, string alphabet, int length) => string.Create(length, (random, alphabet), static (span, s) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = s.alphabet[s.random.Next(s.alphabet.Length)];
    });

    /// <summary>Bytes as DNS writes those that are not printable.</summary>
    static string Raw(Random random, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => $"\\{random.Next(128, 256):000}"));

    static Simulated Bed() => new(enabled: Detectors.DnsTunnel);

    static double NewBytes(Alert alert) => alert.Evidence!.Features.Single(f => f.Name == "newBytes").Value;

    [Theory]
    [InlineData(Base32, 63, 3, Txt)]
    [InlineData(Base32, 63, 1, A)]
    [InlineData(Base32, 20, 1, Null)]
    [InlineData(Base64, 57, 4, Cname)]
    [InlineData(Base64, 11, 1, Key)]
    [InlineData(Hex, 60, 3, Mx)]
    [InlineData(Hex, 34, 1, Txt)]
    [InlineData(Hex, 62, 2, A)]
    public void Any_encoding_and_type_is_found_before_two_kilobytes(string alphabet, int length, int labels, int type)
    {
        using Simulated run = Bed();
        var random = new Random(length);
        int asked = 0;
        while (run.Alerts.Count == 0 && asked < 2000)
        {
            string data = string.Join('.', Enumerable.Range(0, labels).Select(_ => Text(random, alphabet, length)));
            asked += length * labels;
            run.Dns($"{data}.t.example.com", (ushort)type);
            run.Wait(300 * Simulated.Millisecond);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("10.1.2.3 example.com", alert.Evidence!.Key);
        Assert.True(asked <= 2000);
        Assert.Equal(asked, NewBytes(alert));
        Assert.Equal(1, alert.Evidence.Score);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_found()
    {
        using Simulated run = Bed();
        var random = new Random(1);
        for (int i = 0; i < 12; i++) run.Dns($"0a{Raw(random, 45)}.{Raw(random, 20)}.t.example.com", Null);
        Assert.Single(run.Alerts);
        Assert.Equal("NULL", run.Alerts[0].Evidence!.Facts.Single(f => f.Name == "types").Text);
    }

    [Fact]
    public void Bytes_cut_into_short_labels_are_found_all_the_same()
    {
        using Simulated run = Bed();
        var random = new Random(2);
        for (int i = 0; i < 60; i++) run.Dns(string.Join('.', Enumerable.Range(0, 8).Select(_ => Text(random, Base32, 5))) + ".t.example.com");
        Assert.Single(run.Alerts);
    }

    [Fact]
    public void Names_that_end_in_no_domain_are_put_to_the_server_that_is_asked()
    {
        using Simulated run = Bed();
        var random = new Random(3);
        for (int i = 0; i < 20; i++) run.Dns($"start.{Text(random, Hex, 60)}.{Text(random, Hex, 30)}0", Mx);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal($"10.1.2.3 server {Simulated.Resolver}", alert.Evidence!.Key);
    }

    /// <summary>What is asked in how many hours, spread evenly, 25 characters at a time: bytes an hour, hours, and the hours after which it has to be found.</summary>
    [Theory]
    [InlineData(1000, 2.0)]
    [InlineData(2520, 0.5)]
    [InlineData(167, 24.0)]
    public void A_slow_tunnel_is_found_within(int bytesPerHour, double hours)
    {
        foreach (ushort type in new ushort[] { A, Txt })
        {
            using Simulated run = Bed();
            var random = new Random(bytesPerHour);
            long start = run.Tick, gap = (long)(25.0 / bytesPerHour * 3600 * Simulated.Second);
            while (run.Alerts.Count == 0 && run.Tick - start < 25 * 3600 * Simulated.Second)
            {
                run.Dns($"{Text(random, Base32, 25)}.t.example.com", type);
                run.Wait(gap);
                // The rest of the house goes on asking.
                for (int i = 0; i < 20; i++) run.Dns($"h{random.Next(40)}.{Simulated.Letters(random, 12)}.com", client: Address.FromV4(0x0A03_0000 + (uint)random.Next(500)));
            }
            Assert.Single(run.Alerts);
            Assert.True(run.Tick - start - gap <= hours * 3600 * Simulated.Second, $"{(run.Tick - start) / 3600.0 / Simulated.Second} h");
        }
    }

    [Fact]
    public void A_download_by_answers_to_counted_names_is_found()
    {
        using Simulated run = Bed();
        for (int i = 0; i < 60 && run.Alerts.Count == 0; i++)
        {
            run.Dns($"p{i}.update.example.com", Txt, responseLength: 300);
            run.Wait(Simulated.Second);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("answerBytes", alert.Evidence!.Features[0].Name);
        Assert.Contains("was sent", alert.Evidence.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Long_answers_that_are_asked_for_again_or_are_policies_of_many_domains_are_no_download()
    {
        using Simulated run = Bed();
        var random = new Random(5);
        for (int i = 0; i < 500; i++)
        {
            run.Dns("current.engine.example.com", Txt, responseLength: 400);
            run.Dns($"s{i}._domainkey.example.org", Txt, responseLength: 600);
            run.Dns($"{Simulated.Letters(random, 9)}.com", Txt, responseLength: 900);
            run.Dns("example.net", 48, responseLength: 1200);
            run.Dns($"w{i}.example.edu", A, responseLength: 500);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Block_lists_asked_by_address_are_no_tunnel()
    {
        using Simulated run = Bed();
        var random = new Random(6);
        for (int i = 0; i < 3000; i++)
        {
            run.Dns($"{random.Next(256)}.{random.Next(256)}.{random.Next(256)}.{random.Next(256)}.bl.example.com", Txt);
            run.Dns(string.Join('.', Enumerable.Range(0, 32).Select(_ => Hex[random.Next(16)])) + ".bl.example.com");
            run.Dns($"{Text(random, Hex, 40)}.hashes.spamhaus.org", Txt);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_scanners_few_digests_and_a_products_identifiers_are_no_tunnel()
    {
        using Simulated run = Bed();
        var random = new Random(7);
        for (int hour = 0; hour < 24; hour++)
        {
            for (int i = 0; i < 8; i++) run.Dns($"{Text(random, Hex, 32)}.files.example.com");
            for (int i = 0; i < 8; i++) run.Dns($"{new Guid(Enumerable.Range(0, 16).Select(_ => (byte)random.Next(256)).ToArray())}.devices.example.net");
            run.Wait(3600 * Simulated.Second);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_content_networks_names_that_are_asked_for_again_are_no_tunnel()
    {
        using Simulated run = Bed();
        var random = new Random(8);
        string[] hosts = [.. Enumerable.Range(0, 300).Select(_ => $"rr{random.Next(1, 9)}---sn-{Text(random, Base32, 8)}.video.example.com")];
        for (int i = 0; i < 5000; i++)
        {
            string host = hosts[Math.Min(random.Next(hosts.Length), i / 15)];
            run.Dns(host);
            run.Dns(host, Aaaa);
            run.Dns(host, Https);
            run.Wait(17 * Simulated.Second);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Machines_of_a_cloud_and_of_the_house_are_no_tunnel()
    {
        using Simulated run = Bed();
        var random = new Random(9);
        string[] places = ["useast", "uswest", "weu", "neu", "frankfurt", "tokyo", "sydney"], jobs = ["collector", "ingest", "gateway", "relay", "frontend"];
        for (int i = 0; i < 800; i++)
        {
            run.Dns($"{jobs[random.Next(5)]}-{places[random.Next(7)]}-{random.Next(40):00}.prod.example.com");
            run.Dns($"desktop-{random.Next(900):000}.office.corp");
            run.Wait(60 * Simulated.Second);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Names_of_other_name_services_are_no_tunnel()
    {
        using Simulated run = Bed();
        var random = new Random(10);
        for (int i = 0; i < 200; i++)
        {
            run.Dns($"{Text(random, Hex, 60)}.example.local", Txt, service: App.Mdns);
            run.Dns($"{Text(random, Hex, 60)}.example.com", Txt, service: App.Nbns);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_tunnel_through_dynamic_dns_is_put_to_its_own_name()
    {
        using Simulated run = Bed();
        var random = new Random(11);
        for (int i = 0; i < 40; i++) run.Dns($"{Text(random, Base32, 50)}.somebody.duckdns.org", Txt);
        Assert.Equal("10.1.2.3 somebody.duckdns.org", Assert.Single(run.Alerts).Evidence!.Key);
    }

    [Fact]
    public void A_flood_of_names_pushes_out_no_tunnel_in_progress_and_costs_no_more_memory()
    {
        using Simulated run = Bed();
        var random = new Random(12);
        void Ask(int times)
        {
            for (int i = 0; i < times; i++) run.Dns($"{Text(random, Base32, 50)}.t.example.com");
        }
        Ask(6);
        for (int i = 0; i < 150_000; i++) run.Dns($"{Text(random, Base32, 30)}.{Simulated.Letters(random, 14)}.com", client: Address.FromV4(0x0A40_0000 + (uint)i));
        Assert.Equal(1 << 14, run.Scorer.Stats.Tracked);
        Assert.True(run.Scorer.Stats.TrackedEvicted > 100_000);
        Assert.Empty(run.Alerts);
        Ask(16);
        Assert.Single(run.Alerts);
    }

    [Fact]
    public void Hostile_names_are_read_and_shown_without_harm()
    {
        using Simulated run = Bed();
        var random = new Random(13);
        string[] hostile =
        [
            ".", "..", "...com", "com", "\\", "\\.", "\\0", "\\00", "\\256", "\\\\", "a..b.example.com", new string('.', 255), new string('a', 1000), "xn--.example.com",
            "\\000\\000.example.com", "\"}{<script>.example.com", "%00%0a.example.com", string.Join('.', Enumerable.Repeat("9", 120)), "-.-.-.-", "xn--" + new string('9', 59) + ".com",
        ];
        foreach (string name in hostile)
        {
            for (int i = 0; i < 50; i++) run.Dns(name, (ushort)random.Next(65_536));
        }
        for (int i = 0; i < 20_000; i++)
        {
            byte[] name = new byte[random.Next(1, 256)];
            for (int k = 0; k < name.Length; k++) name[k] = (byte)(random.Next(6) == 0 ? '.' : random.Next(33, 127));
            run.Dns(Encoding.ASCII.GetString(name), (ushort)random.Next(70), client: Address.FromV4(0x0A50_0000 + (uint)(i & 63)), responseLength: random.Next(0, 5000));
        }
        foreach (Alert alert in run.Alerts) Assert.All(alert.Evidence!.Features, f => Assert.True(double.IsFinite(f.Value) && f.Limit > 0));
    }

    [Fact]
    public void What_is_not_dns_on_its_port_is_found()
    {
        using Simulated run = Bed();
        Assert.Equal(0, run.Ip(Simulated.Outside, 53, ConnectionState.SF, 100, 100, notes: FlowNotes.NotDns, protocol: 17));
        Assert.Equal(3, run.Ip(Simulated.Outside, 53, ConnectionState.SF, 4000, 9000, notes: FlowNotes.NotDns, protocol: 17));
        Assert.Equal(["not_dns"], run.ThreatIds);
    }

    [Fact]
    public void An_event_in_which_nothing_is_found_allocates_nothing()
    {
        using Simulated run = Bed();
        var random = new Random(14);
        byte[][] names = [.. Enumerable.Range(0, 4096).Select(_ => Encoding.ASCII.GetBytes($"{Text(random, Base32, 12)}.{Simulated.Letters(random, 9)}.com"))];
        void Ask()
        {
            foreach (byte[] name in names)
            {
                var e = new DnsEvent { Context = new EventContext { Tick = run.Tick, Source = Simulated.Client, Destination = Simulated.Resolver, DestinationPort = 53 }, Query = name, QueryType = A };
                run.Scorer.Score(in e, run.Alerts);
            }
        }
        Ask();
        Assert.Equal(0, Allocation.Least(Ask));
    }
}
