using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Scoring.Indicators;
using Nfr.Scoring.Names;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

public sealed class IndicatorTests(ITestOutputHelper output)
{
    const string Ja3 = "8991a387e4cc841740f25d6f5139f92d", Certificate = "27c2d8e9f11c1a83af9e5e01c8476b1e832ab4c8";

    static Simulated With(params string[] lines) => new(enabled: Detectors.ListedDestination, lists: ("c2.txt", string.Join('\n', lines)));

    [Theory]
    [InlineData("bad.example", true)]
    [InlineData("BAD.Example", true)]
    [InlineData("deep.below.bad.example", true)]
    [InlineData("notbad.example", false)]
    [InlineData("example", false)]
    [InlineData("bad.example.org", false)]
    public void A_listed_domain_is_itself_and_every_name_below(string query, bool listed)
    {
        using Simulated run = With("bad.example");
        Assert.Equal(listed ? 5 : 0, run.Dns(query));
        Assert.Equal(listed ? 5 : 0, run.Http($"http://{query}/x", query + ":8080"));
        Assert.Equal(listed ? 5 : 0, run.Tls(query));
        Assert.Equal(listed ? 1 : 0, run.Alerts.Count);
    }

    [Fact]
    public void An_address_is_found_as_the_remote_side_as_an_answer_and_as_an_http_host()
    {
        using Simulated run = With("203.0.113.9", "2001:db8::9");
        Assert.Equal(5, run.Ip(Simulated.Outside, 443, ConnectionState.S0));
        Assert.Equal(5, run.Dns("good.example", answers: (1, "203.0.113.9")));
        Assert.Equal(5, run.Dns("good.example", 28, answers: (28, "2001:db8:0:0::9")));
        Assert.Equal(5, run.Http("http://203.0.113.9/", "203.0.113.9"));
        Assert.Equal(0, run.Dns("good.example", answers: (1, "203.0.113.8")));
        Assert.Equal(2, run.Alerts.Count);
    }

    [Fact]
    public void A_listed_visitor_is_low_when_answered_and_nothing_when_not()
    {
        using Simulated run = With("203.0.113.9");
        Assert.Equal(0, run.Ip(Simulated.Client, 22, ConnectionState.S0, client: Simulated.Outside));
        Assert.Equal(2, run.Ip(Simulated.Client, 22, ConnectionState.SF, 100, 100, client: Simulated.Outside));
        Assert.StartsWith("10.1.2.3 ", run.Alerts[0].Evidence!.Key, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_with_a_port_is_found_on_that_port_only()
    {
        using Simulated run = With("203.0.113.9:4444", "[2001:db8::9]:4444");
        Assert.Equal(0, run.Ip(Simulated.Outside, 443, ConnectionState.SF, 1, 1));
        Assert.Equal(5, run.Ip(Simulated.Outside, 4444, ConnectionState.SF, 1, 1));
        Assert.Equal(5, run.Ip(Simulated.Parse("2001:db8::9"), 4444, ConnectionState.SF, 1, 1));
        Assert.Equal("10.1.2.3 [2001:db8::9]:4444", run.Alerts[1].Evidence!.Key);
    }

    [Theory]
    [InlineData("198.51.100.0/25", "198.51.100.127", true)]
    [InlineData("198.51.100.0/25", "198.51.100.128", false)]
    [InlineData("198.51.100.77/24", "198.51.100.1", true)]
    [InlineData("198.51.100.7/32", "198.51.100.7", true)]
    [InlineData("2001:db8:7::/48", "2001:db8:7:ffff::1", true)]
    [InlineData("2001:db8:7::/48", "2001:db8:8::1", false)]
    [InlineData("2001:db8:7::/96", "2001:db8:7::1:1", true)]
    public void A_network_holds_its_addresses(string network, string address, bool listed)
    {
        using Simulated run = With(network, "203.0.0.0/9");
        Assert.Equal(listed ? 5 : 0, run.Ip(Simulated.Parse(address), 443, ConnectionState.SF, 1, 1));
    }

    [Theory]
    [InlineData("http://files.example/drop/a.exe", "http://files.example/drop/a.exe", true)]
    [InlineData("http://files.example/drop/a.exe", "http://FILES.example/drop/a.exe?id=5", true)]
    [InlineData("http://files.example/drop/a.exe", "http://files.example/drop/b.exe", false)]
    [InlineData("files.example/drop/a.exe", "http://files.example/drop/a.exe", true)]
    [InlineData("http://files.example:8080/i", "http://files.example:8080/i", true)]
    [InlineData("https://files.example:443/i", "https://files.example:443/i", true)]
    [InlineData("https://files.example/i", "https://files.example:443/i", true)]
    [InlineData("http://files.example/", "http://files.example/anything", true)]
    [InlineData("udp://files.example:1337/announce", "http://files.example/", true)]
    [InlineData("/wp-gate/post.php", "http://any.example/wp-gate/post.php?x=1", true)]
    [InlineData("/wp-gate/post.php", "http://any.example/a/wp-gate/post.php", false)]
    public void An_url_is_its_page_and_without_a_path_its_host(string indicator, string url, bool listed)
    {
        using Simulated run = With(indicator);
        Assert.Equal(listed ? 5 : 0, run.Http(url, new Uri(url).Host));
    }

    [Fact]
    public void A_ja3_alone_is_medium_and_a_certificate_is_what_its_list_says()
    {
        using Simulated run = With(Ja3, Certificate.ToUpperInvariant());
        Assert.Equal(3, run.Tls("good.example", Ja3));
        Assert.Equal(3, run.Ip(Simulated.Outside, 443, ConnectionState.SF, 1, 1, ja3: Ja3));
        Assert.Equal(5, run.Tls("good.example", Ja3, Certificate));
        Assert.Equal([3, 5], run.Alerts.Select(a => a.Severity));
    }

    [Fact]
    public void A_hit_names_the_list_its_file_its_date_the_indicator_and_its_label()
    {
        using var run = new Simulated(lists: ("sinkholes.tsv", "# name: Known sinkholes\n198.51.100.4\tShadow Holders\n"));
        Assert.Equal(4, run.Dns("lost.example", answers: (1, "198.51.100.4")));
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("sinkholed_destination", alert.Threats[0].Id);
        Assert.Equal(["sinkholed"], alert.Flags);
        Dictionary<string, string?> values = alert.Evidence!.Facts.ToDictionary(v => v.Name, v => v.Text);
        string file = Path.Combine(run.Folder, "sinkholes.tsv");
        Assert.Equal("198.51.100.4", values["indicator"]);
        Assert.Equal("ip", values["kind"]);
        Assert.Equal("Known sinkholes", values["list"]);
        Assert.Equal(file, values["file"]);
        Assert.Equal(File.GetLastWriteTimeUtc(file).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), values["listDate"]);
        Assert.Equal("Shadow Holders", values["operator"]);
        Assert.Contains("Shadow Holders", alert.Evidence.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("c2_hosts.txt", "c2_communication", "c2")]
    [InlineData("sinkhole.txt", "sinkholed_destination", "sinkholed")]
    [InlineData("phishing-today.csv", "phishing_destination", "phishing")]
    [InlineData("malware.txt", "malware_distribution", "dropper")]
    [InlineData("mining_pools", "cryptomining", "cryptomining")]
    [InlineData("tor_exits.lst", "anon_circuit", "anon")]
    [InlineData("whatever.txt", "c2_communication", "c2")]
    public void A_list_without_a_header_is_what_its_name_begins_with(string file, string threat, string flag)
    {
        using var run = new Simulated(lists: (file, "bad.example\n"));
        run.Dns("bad.example");
        Assert.Equal([threat], run.ThreatIds);
        Assert.Equal([flag], run.Alerts[0].Flags);
    }

    [Fact]
    public void A_header_says_threat_flags_and_name()
    {
        using var run = new Simulated(lists: ("x.txt", "# threat: phishing_destination\n# flags: phishing, young_domain\n# name: Mine\nbad.example\n"));
        run.Dns("bad.example");
        Assert.Equal(["phishing_destination"], run.ThreatIds);
        Assert.Equal(["phishing", "young_domain"], run.Alerts[0].Flags);
    }

    [Fact]
    public void Of_two_lists_with_the_same_indicator_the_graver_counts()
    {
        using var run = new Simulated(lists: [("a_vpn.txt", "# threat: vpn_activity\nbad.example\n"), ("b.txt", "bad.example\n")]);
        Assert.Equal(5, run.Dns("bad.example"));
    }

    [Fact]
    public void Each_broken_line_is_a_fault_with_its_place_and_the_others_count()
    {
        string[] lines =
        [
            "# threat: no_such_thing", "good1.example", "bad_example", "exa mple.com", "", "300.1.2.3", "1.2.3.4:99999", "1.2.3.0/33", "0.0.0.0/0",
            "0.0.0.0", "..", "a..b", "http://", "/x", new string('a', 5000), new string('a', 64) + ".com", "good2.example # why", "good3.example\r",
            "0.0.0.0 good4.example # hosts", "127.0.0.1 localhost", "0.0.0.0 good5.example good6.example", "\uFFFF\u0001", "*.good7.example",
        ];
        using Simulated run = With(lines);
        IndicatorStore store = run.Scorer.Store;
        int[] at = [.. store.Faults.Select(f => f.Line)];
        Assert.Equal([1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 22], at);
        Assert.Equal(15, store.FaultCount);
        Assert.StartsWith(Path.Combine(run.Folder, "c2.txt") + ":3: a single label", store.Faults[1].ToString(), StringComparison.Ordinal);
        for (int i = 1; i <= 7; i++) Assert.Equal(5, run.Dns($"good{i}.example"));
        Assert.Equal(7, store.Count);
    }

    [Fact]
    public void A_file_of_nothing_but_garbage_keeps_a_hundred_faults_and_counts_all()
    {
        var random = new Random(8);
        byte[] garbage = new byte[300_000];
        random.NextBytes(garbage);
        using var run = new Simulated(lists: ("c2.txt", ""));
        File.WriteAllBytes(Path.Combine(run.Folder, "garbage.txt"), garbage);
        run.Scorer.Store.Poll();
        Assert.InRange(run.Scorer.Store.Faults.Count, 1, 100);
        Assert.True(run.Scorer.Store.FaultCount > 500);
    }

    [Fact]
    public void The_public_lists_load_in_their_own_formats()
    {
        if (!ScoringCorpus.TryPath("feeds/c2_indicators.tsv", output, out string path)) return;
        using var store = new IndicatorStore([Path.GetDirectoryName(path)!], TimeSpan.Zero, TimeProvider.System);
        foreach (ListStatus list in store.Lists) output.WriteLine($"{list.Name,-50} {list.ThreatId,-24} {list.Count,7} {list.FaultCount,5} faults {(double)list.Bytes / Math.Max(1, list.Count):0.0} B each");
        output.WriteLine($"{store.Count} indicators in {store.Bytes} bytes: {(double)store.Bytes / store.Count:0.0} each");
        foreach (ListFault fault in store.Faults.Take(30)) output.WriteLine($"{Path.GetFileName(fault.Path)}:{fault.Line}: {fault.Message}");
        Assert.True(store.FaultCount * 200 < store.Count);
        Assert.True(store.Bytes <= 24 * store.Count);
    }

    [Fact]
    public void A_changed_file_is_taken_in_a_lost_one_let_go_and_an_unchanged_one_left_alone()
    {
        using var run = new Simulated(lists: [("a.txt", "one.example\n"), ("b.txt", "two.example\n")]);
        Assert.False(run.Scorer.Store.Poll());
        IndicatorTable untouched = run.Scorer.Store.Current.Tables[1];
        run.WriteList("a.txt", "three.example\n# longer\n");
        Assert.True(run.Scorer.Store.Poll());
        Assert.Same(untouched, run.Scorer.Store.Current.Tables[1]);
        Assert.Equal([0, 5, 5], new[] { run.Dns("one.example"), run.Dns("two.example"), run.Dns("three.example") });
        File.Delete(Path.Combine(run.Folder, "b.txt"));
        Assert.True(run.Scorer.Store.Poll());
        Assert.Equal(0, run.Dns("two.example"));
    }

    [Fact]
    public void A_file_that_cannot_be_read_keeps_its_last_good_copy_and_says_why()
    {
        using var run = new Simulated(lists: ("a.txt", "one.example\n"));
        string path = Path.Combine(run.Folder, "a.txt");
        File.Delete(path);
        File.CreateSymbolicLink(path, Path.Combine(run.Folder, "not-there"));
        run.Scorer.Store.Poll();
        Assert.NotNull(Assert.Single(run.Scorer.Store.Lists).Problem);
        Assert.Equal(5, run.Dns("one.example"));
        File.Delete(path);
        run.WriteList("a.txt", "two.example\n");
        Assert.True(run.Scorer.Store.Poll());
        Assert.Null(Assert.Single(run.Scorer.Store.Lists).Problem);
        Assert.Equal([0, 5], new[] { run.Dns("one.example"), run.Dns("two.example") });
    }

    [Fact]
    public void Lists_are_swapped_while_events_are_scored()
    {
        using var run = new Simulated(lists: ("b.txt", "always.example\n"));
        using var stop = new CancellationTokenSource();
        var writer = new Thread(() =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                run.WriteList("a.txt", string.Join('\n', Enumerable.Range(0, 200 + (i % 50)).Select(n => $"x{i}-{n}.example")));
                run.Scorer.Store.Poll();
            }
        });
        writer.Start();
        try
        {
            for (int i = 0; i < 200_000 || run.Scorer.Store.Generation < 5; i++)
            {
                Assert.Equal(5, run.Dns("always.example"));
                Assert.Equal(0, run.Dns("never.example"));
            }
        }
        finally
        {
            stop.Cancel();
            writer.Join();
        }
        Assert.True(run.Scorer.Store.Generation >= 5);
    }

    [Fact]
    public void A_folder_that_is_absent_is_empty_and_may_come_later()
    {
        string folder = Path.Combine(Path.GetTempPath(), "nfr-" + Guid.NewGuid().ToString("n"));
        using var store = new IndicatorStore([folder], TimeSpan.Zero, TimeProvider.System);
        Assert.Equal(0, store.Count);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "c2.txt"), "bad.example");
        Assert.True(store.Poll());
        Assert.Equal(1, store.Count);
        Directory.Delete(folder, recursive: true);
        Assert.True(store.Poll());
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void A_million_indicators_take_at_most_24_MB_while_they_are_built_too_and_all_are_found()
    {
        const int Count = 1_000_000;
        static IEnumerable<string> Lines()
        {
            var random = new Random(12);
            for (int i = 0; i < Count; i++)
            {
                string name = Simulated.Letters(random, 4 + random.Next(10)) + i.ToString(CultureInfo.InvariantCulture);
                yield return (i % 10) switch
                {
                    < 7 => $"{name}.{(i % 3 == 0 ? "com" : "top")},family{i % 500}",
                    7 => $"{11 + (i >> 16)}.{(i >> 8) & 255}.{i & 255}.7,family{i % 500}",
                    8 => $"{11 + (i >> 16)}.{(i >> 8) & 255}.{i & 255}.8:443,family{i % 500}",
                    _ => $"http://{name}.com/some/longer/path/{name}.exe,family{i % 500}",
                };
            }
        }
        string folder = Directory.CreateTempSubdirectory("nfr-lists").FullName;
        try
        {
            File.WriteAllLines(Path.Combine(folder, "c2.csv"), Lines());
            long before = GC.GetAllocatedBytesForCurrentThread();
            using var store = new IndicatorStore([folder], TimeSpan.Zero, TimeProvider.System);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            output.WriteLine($"{store.Count} indicators in {store.Bytes / 1e6:0.0} MB; {allocated / 1e6:0.0} MB allocated to build them");
            Assert.Equal(Count, store.Count);
            Assert.True(store.Bytes <= 24_000_000);
            // What is allocated and what is kept differ by the buffers and labels: the builder has no peak of its own.
            Assert.True(allocated <= store.Bytes + 2_000_000, $"{allocated} bytes were allocated for {store.Bytes}");
            IndicatorSet set = store.Current;
            int line = 0;
            foreach (string text in Lines())
            {
                line++;
                IndicatorHit hit = default;
                string indicator = text[..text.IndexOf(',', StringComparison.Ordinal)];
                if (indicator.StartsWith("http://", StringComparison.Ordinal)) set.FindUrl(Encoding.ASCII.GetBytes(indicator).AsSpan(7), indicator.IndexOf('/', 7) - 7, indicator.IndexOf('/', 7) - 7, ref hit);
                else if (line % 10 < 8 && line % 10 > 0) set.FindDomain(Encoding.ASCII.GetBytes(indicator), ref hit);
                else if (indicator.EndsWith(":443", StringComparison.Ordinal)) set.FindAddress(Simulated.Parse(indicator[..^4]), 443, ref hit);
                else set.FindAddress(Simulated.Parse(indicator), 0, ref hit);
                Assert.True(!hit.IsNone && hit.Table!.LineOf(hit.Place) == line, text);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Addresses_in_text_are_read_as_the_platform_reads_them()
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            // Many zero groups, so that "::" falls everywhere.
            ulong high = (ulong)random.NextInt64() & Sparse(), low = (ulong)random.NextInt64() & Sparse();
            var address = new Address(high, low);
            Assert.True(AddressText.TryParse(Encoding.ASCII.GetBytes(address.ToString()), out Address read), address.ToString());
            Assert.Equal(address, read);
        }
        string[] wrong = ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "1:2:3:4:5:6:7:8:", "::1.2.3", "1.2.3", "1.2.3.4.", "1..2.3", "256.1.1.1"];
        foreach (string text in wrong) Assert.False(AddressText.TryParse(Encoding.ASCII.GetBytes(text), out _), text);
        foreach (string text in new[] { "::", "::1", "1::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" })
        {
            Assert.True(AddressText.TryParse(Encoding.ASCII.GetBytes(text), out Address read), text);
            Assert.True(Address.TryParse(text, out Address platform));
            Assert.Equal(platform, read);
        }

        ulong Sparse()
        {
            ulong mask = 0;
            for (int g = 0; g < 4; g++) mask = (mask << 16) | (random.Next(2) == 0 ? 0 : 0xFFFFul);
            return mask;
        }
    }

    [Theory]
    [InlineData("www.example.com", "example.com", true)]
    [InlineData("example.com", "example.com", true)]
    [InlineData("com", "com", true)]
    [InlineData("a.b.example.co.uk", "example.co.uk", true)]
    [InlineData("WWW.EXAMPLE.CO.UK", "EXAMPLE.CO.UK", true)]
    [InlineData("a.b.printer.corp", "printer.corp", false)]
    [InlineData("", "", false)]
    public void The_registered_domain_is_the_public_suffix_and_one_label(string name, string registered, bool listed)
    {
        foreach (PublicSuffixList list in new[] { PublicSuffixList.Shipped, PublicSuffixList.Load("/usr/share/publicsuffix/public_suffix_list.dat") })
        {
            byte[] bytes = Encoding.ASCII.GetBytes(name);
            Assert.Equal(registered, Encoding.ASCII.GetString(list.RegisteredDomain(bytes)));
            list.RegisteredStart(bytes, out bool found, out _);
            Assert.Equal(listed, found);
        }
    }

    [Theory]
    [InlineData("b.c.kobe.jp", "b.c.kobe.jp")]
    [InlineData("a.b.c.kobe.jp", "b.c.kobe.jp")]
    [InlineData("a.city.kobe.jp", "city.kobe.jp")]
    [InlineData("www.ck", "www.ck")]
    [InlineData("a.www.ck", "www.ck")]
    [InlineData("a.b.other.ck", "b.other.ck")]
    [InlineData("x.y.github.io", "y.github.io")]
    [InlineData("www.xn--85x722f.com.cn", "xn--85x722f.com.cn")]
    [InlineData("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn")]
    public void Wildcards_exceptions_and_idn_rules_of_the_public_suffix_list_hold(string name, string registered)
    {
        PublicSuffixList list = PublicSuffixList.Shipped;
        Assert.Equal(registered, Encoding.ASCII.GetString(list.RegisteredDomain(Encoding.ASCII.GetBytes(name))));
    }
}
