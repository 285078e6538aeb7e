using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Scoring.Names;

namespace Nfr.Tests.Scoring;

public sealed class ImposterTests
{
    static Simulated Bed() => new(enabled: Detectors.Imposter);

    [Theory]
    [InlineData("paypa1.com", "paypal.com", 3)]
    [InlineData("rnicrosoft.com", "microsoft.com", 3)]
    [InlineData("xn--pypal-4ve.com", "paypal.com", 3)]
    [InlineData("xn--80ak6aa92e.com", "apple.com", 3)]
    [InlineData("papyal.com", "paypal.com", 2)]
    [InlineData("micosoft.com", "microsoft.com", 2)]
    [InlineData("faceboook.com", "facebook.com", 2)]
    [InlineData("face-book.com", "facebook.com", 2)]
    [InlineData("netflux.com", "netflix.com", 2)]
    [InlineData("gooogke.com", null, 0)]
    [InlineData("wwwpaypal.com", "paypal.com", 2)]
    [InlineData("paypalcom.net", "paypal.com", 2)]
    [InlineData("paypal-login.com", "paypal.com", 2)]
    [InlineData("secure-paypal-verify.net", "paypal.com", 2)]
    [InlineData("what.sapp.com", "whatsapp.com", 2)]
    [InlineData("paypal.com.account-verify.top", "paypal.com", 3)]
    [InlineData("www.micosoft.icu", "microsoft.com", 3)]
    [InlineData("paypal.top", "paypal.com", 3)]
    public void An_imitation_is_found_with_its_brand(string name, string? brand, int severity)
    {
        using Simulated run = Bed();
        Assert.Equal(severity, run.Dns(name));
        if (brand is null)
        {
            Assert.Empty(run.Alerts);
            return;
        }
        AlertEvidence evidence = Assert.Single(run.Alerts).Evidence!;
        Assert.Equal(brand, evidence.Facts.Single(f => f.Name == "brand").Text);
        Assert.Contains(name, evidence.Summary, StringComparison.Ordinal);
        Assert.Equal(EvidenceScore.Of(evidence.Features), evidence.Score);
        Assert.True(evidence.Score >= evidence.ScoreLimit);
        Assert.Equal(1, evidence.Features.Sum(f => f.Weight), 12);
        Assert.Contains(run.Alerts[0].Flags, f => f == "imposter");
    }

    [Theory]
    [InlineData("www.paypal.com")]
    [InlineData("paypal.de")]
    [InlineData("paypal.co.uk")]
    [InlineData("amazon.com.br")]
    [InlineData("google.ad")]
    [InlineData("www.paypalobjects.com")]
    [InlineData("cooking.com")]
    [InlineData("verno.com")]
    [InlineData("aida64.com")]
    [InlineData("stack.com")]
    [InlineData("bücher.de")]
    [InlineData("xn--bcher-kva.de")]
    [InlineData("google.bluekai.com")]
    [InlineData("facebook.github.io")]
    [InlineData("printer.corp")]
    [InlineData("paypal")]
    [InlineData("paypal-login.com.")]
    public void What_is_the_brands_own_or_a_word_or_common_is_not(string name)
    {
        using Simulated run = Bed();
        if (name.EndsWith('.')) return;
        Assert.Equal(0, run.Dns(name));
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Case_of_letters_does_not_matter()
    {
        using Simulated run = Bed();
        Assert.Equal(2, run.Dns("WwW.PaPyAl.CoM"));
        Assert.Equal(0, run.Dns("WwW.PaYpAl.CoM"));
    }

    [Fact]
    public void One_finding_for_a_client_and_a_domain()
    {
        using Simulated run = Bed();
        for (int i = 0; i < 50; i++) Assert.Equal(2, run.Dns($"host{i}.papyal.com"));
        Assert.Single(run.Alerts);
        run.Dns("papyal.com", client: Simulated.Parse("10.1.2.4"));
        run.Dns("payypal.com");
        Assert.Equal(3, run.Alerts.Count);
    }

    [Fact]
    public void What_many_clients_have_used_for_a_week_is_the_sites_habit()
    {
        using var run = new Simulated(enabled: Detectors.Imposter | Detectors.FirstSeen);
        int Imposters() => run.Alerts.Count(a => a.Evidence!.Detector == "imposter");
        int first = 0;
        for (int day = 0; day < 7; day++)
        {
            for (int i = 0; i < 30; i++) run.Dns("papyal.com", client: Simulated.Parse($"10.2.0.{i + 1}"));
            if (day == 0)
            {
                // One each while they are few, then one for all.
                first = Imposters();
                Assert.InRange(first, 5, 12);
            }
            run.Wait(86_400 * Simulated.Second);
        }
        int before = Imposters();
        Assert.InRange(before, first, first + 7);
        for (int i = 0; i < 60; i++) Assert.Equal(0, run.Dns("papyal.com", client: Simulated.Parse($"10.3.0.{i + 1}")));
        Assert.Equal(before, Imposters());
        // Another one is none.
        Assert.NotEqual(0, run.Dns("payypal.com"));
        Assert.Equal(before + 1, Imposters());
    }

    [Fact]
    public void What_few_clients_have_used_for_weeks_is_an_imposter_still()
    {
        using var run = new Simulated(enabled: Detectors.Imposter | Detectors.FirstSeen);
        for (int day = 0; day < 20; day++)
        {
            for (int i = 0; i < 3; i++) Assert.NotEqual(0, run.Dns("papyal.com", client: Simulated.Parse($"10.2.0.{i + 1}")));
            run.Wait(86_400 * Simulated.Second);
        }
    }

    [Fact]
    public void Http_hosts_and_server_names_are_looked_at_too()
    {
        using Simulated run = Bed();
        Assert.Equal(2, run.Http("http://papyal.com:8080/x", "papyal.com:8080"));
        Assert.Equal(2, run.Tls("login.payypal.com"));
        Assert.Equal(0, run.Tls("203.0.113.9"));
        Assert.Equal(0, run.Http("http://[2001:db8::1]/", "[2001:db8::1]:80"));
        Assert.Equal(2, run.Alerts.Count);
    }

    [Fact]
    public void A_name_that_does_not_exist_is_a_slip_of_the_finger_and_a_search_list_is_nothing()
    {
        using Simulated run = Bed();
        Assert.Equal(2, run.Dns("paypa1.com", rcode: 3));
        Assert.Equal(0, run.Dns("www.paypal.com.account-verify.top", rcode: 3));
    }

    [Fact]
    public void Brands_of_the_site_are_added_by_a_file_and_its_broken_lines_are_named()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "# ours\nacmeworks.de acmeworks.com\n~garden.org\n!!!\nsub.acmeworks.de\nab.com\n= acmework.de\n");
        var suffixes = PublicSuffixList.Shipped;
        BrandTable table = BrandTable.Load(suffixes, file);
        File.Delete(file);
        var matcher = new BrandMatcher(table);
        Assert.Equal(BrandLikeness.Omission, Match("acmewoks.de").Kind);
        Assert.Equal(BrandLikeness.Homoglyph, Match("acrnew0rks.com").Kind);
        Assert.True(Match("acmeworks.com").IsNone);
        Assert.True(Match("acmework.de").IsNone);
        Assert.Equal([$"{file}:4", $"{file}:5", $"{file}:6"], table.Faults.Select(f => f[..f.IndexOf(": ", StringComparison.Ordinal)]));

        BrandMatch Match(string name)
        {
            byte[] bytes = Encoding.ASCII.GetBytes(name);
            int start = suffixes.RegisteredStart(bytes, out _, out int suffix);
            return matcher.Match(bytes, start, suffix);
        }
    }

    [Fact]
    public void No_name_stops_it_and_none_that_is_innocent_makes_it_allocate()
    {
        using Simulated run = Bed();
        var random = new Random(7);
        byte[] name = new byte[300];
        for (int i = 0; i < 20_000; i++)
        {
            int length = random.Next(256);
            for (int j = 0; j < length; j++) name[j] = (byte)(random.Next(3) == 0 ? random.Next(256) : "abcdexn-.0"[random.Next(10)]);
            if (i % 3 == 0) "xn--"u8.CopyTo(name);
            if (length > 5) ".com"u8.CopyTo(name.AsSpan(length - 4));
            var e = new DnsEvent { Context = new() { Tick = i, Source = Simulated.Client, Destination = Simulated.Resolver, DestinationPort = 53 }, Query = name.AsSpan(0, length) };
            run.Scorer.Score(in e, run.Alerts);
        }
        byte[][] innocent = [.. Enumerable.Range(0, 2000).Select(i => Encoding.ASCII.GetBytes($"h{i}.goodnamewithmanyletters{i % 7}.example-of-length.org"))];
        Score(innocent);
        Assert.Equal(0, Allocation.Least(() => Score(innocent)));

        void Score(byte[][] names)
        {
            foreach (byte[] query in names)
            {
                var e = new DnsEvent { Context = new() { Tick = 1, Source = Simulated.Client, Destination = Simulated.Resolver, DestinationPort = 53 }, Query = query };
                run.Scorer.Score(in e, run.Alerts);
            }
        }
    }
}
