using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Scoring.Indicators;

namespace Nfr.Tests.Scoring;

/// <summary>The public forms of lists, as small as each can be.</summary>
public sealed class ListFormatTests
{
    const string Ja4 = "t13d1516h2_8daaf6152771_02713d6af862";

    static Simulated With(string name, params string[] lines) => new(enabled: Detectors.ListedDestination, lists: (name, string.Join('\n', lines)));

    static Dictionary<string, string?> Facts(Alert alert) => alert.Evidence!.Facts.ToDictionary<EvidenceValue, string, string?>(v => v.Name, v => v.Text ?? v.Number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    [Fact]
    public void Urlhaus_is_quoted_rows_with_its_header_in_a_comment()
    {
        using Simulated run = With("urlhaus.csv",
            "# Last updated: 2026-02-26 12:05:20 (UTC) #",
            "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter",
            """
            "3786237","2026-02-26 12:05:20","http://203.0.113.9:58801/i","online","2026-02-26 12:05:20","malware_download","32-bit,elf,mips,Mozi","https://urlhaus.example/url/3786237/","somebody"
            """);
        Assert.Equal(4, run.Http("http://203.0.113.9:58801/i", "203.0.113.9:58801"));
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("malware_distribution", alert.Threats[0].Id);
        Dictionary<string, string?> facts = Facts(alert);
        Assert.Equal("203.0.113.9:58801/i", facts["indicator"]);
        Assert.Equal("32-bit,elf,mips,Mozi", facts["family"]);
        Assert.Equal("2026-02-26", facts["firstSeen"]);
        Assert.Equal("2026-02-26T12:05:20Z", facts["listDate"]);
        Assert.Equal("3", facts["line"]);
        Assert.Equal(0, run.Scorer.Store.FaultCount);
    }

    [Theory]
    [InlineData("[\"bad.example\",\"\\ud800\",\"worse.example\"]", 1)]
    [InlineData("{\"name\":\"\\ud800\",\"list\":[\"bad.example\"]}", 0)]
    [InlineData("[\"bad.example\",\"\u00ff\"]", 1)]
    public void A_text_that_is_no_UTF_8_is_a_fault_and_the_other_lists_are_read(string json, int read)
    {
        using var run = new Simulated(enabled: Detectors.ListedDestination);
        File.WriteAllBytes(Path.Combine(run.Folder, "a.json"), Encoding.Latin1.GetBytes(json));
        run.WriteList("b.txt", "other.example\n");
        run.Scorer.Store.Poll();
        Assert.Equal(read + 1, run.Scorer.Store.Count);
        Assert.Contains("UTF-8", Assert.Single(run.Scorer.Store.Faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_grows_in_IDNAs_form_leaves_no_room_for_its_port()
    {
        // 31 labels of one letter that take 8 bytes each: 248, then 5 that end in 253.
        string host = string.Concat(Enumerable.Repeat("\u0431.", 31)) + "abcde";
        using Simulated run = With("urls.txt", $"http://{host}:65535/x", "http://bad.example:81/x");
        Assert.Equal(1, run.Scorer.Store.Count);
        Assert.Contains("longer than 255", Assert.Single(run.Scorer.Store.Faults).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"")]
    [InlineData("# first_seen_utc,dst_ip,dst_port,c2_status,last_online,malware")]
    [InlineData("# no header at all")]
    public void Feodo_joins_address_and_port_with_and_without_its_header(string header)
    {
        using Simulated run = With("feodo.csv", header, "\"2023-05-23 17:51:44\",\"203.0.113.9\",\"1194\",\"online\",\"2024-04-01\",\"Pikabot\"", "# END 1 entries");
        Assert.Equal(0, run.Ip(Simulated.Outside, 443, ConnectionState.SF, 1, 1));
        Assert.Equal(5, run.Ip(Simulated.Outside, 1194, ConnectionState.SF, 1, 1));
        Assert.Equal("Pikabot", Facts(run.Alerts[0])["family"]);
        Assert.Equal("2023-05-23", Facts(run.Alerts[0])["firstSeen"]);
        Assert.Equal(0, run.Scorer.Store.FaultCount);
    }

    [Theory]
    [InlineData("# Listingdate,SHA1,Listingreason")]
    [InlineData("# nothing")]
    public void Sslbl_is_certificates_with_their_reason(string header)
    {
        using Simulated run = With("sslblacklist.csv", header, "2023-12-22 06:57:00,27c2d8e9f11c1a83af9e5e01c8476b1e832ab4c8,AsyncRAT C&C");
        Assert.Equal(5, run.Tls("good.example", certificate: "27C2D8E9F11C1A83AF9E5E01C8476B1E832AB4C8"));
        Assert.Equal("AsyncRAT C&C", Facts(run.Alerts[0])["family"]);
        Assert.Equal("27c2d8e9f11c1a83af9e5e01c8476b1e832ab4c8", Facts(run.Alerts[0])["indicator"]);
    }

    [Fact]
    public void Ja3_rows_and_plain_ja4_are_never_above_medium_alone()
    {
        using Simulated run = With("ja3_fingerprints.csv", "# ja3_md5,Firstseen,Lastseen,Listingreason", "8991a387e4cc841740f25d6f5139f92d,2017-07-14 19:02:03,2019-07-28 00:34:38,Adware", Ja4);
        Assert.Equal(3, run.Tls("good.example", "8991a387e4cc841740f25d6f5139f92d"));
        Assert.Equal(3, run.Tls("good.example", ja4: Ja4));
        Assert.Equal(["ja3", "ja4"], run.Alerts.Select(a => Facts(a)["kind"]));
        Assert.Equal("Adware", Facts(run.Alerts[0])["family"]);
    }

    [Theory]
    [InlineData("first_seen_utc,ioc_id,ioc_value,ioc_type,threat_type,fk_malware,malware_alias,malware_printable,last_seen_utc,confidence_level,is_compromised,reference,tags,anonymous,reporter")]
    [InlineData("# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"")]
    [InlineData("# nothing")]
    public void Threatfox_loads_with_and_without_its_header(string header)
    {
        const string Rest = "\"None\", \"Foo Bot\", \"\", \"100\", \"False\", \"None\", \"Foo,c2\", \"0\", \"somebody\"";
        using Simulated run = With("threatfox.csv", header,
            "\"2024-05-05 12:00:00\", \"1234567\", \"203.0.113.9:4444\", \"ip:port\", \"botnet_cc\", \"win.foo\", " + Rest,
            "\"2024-05-05 12:00:00\", \"1234568\", \"bad.example\", \"domain\", \"botnet_cc\", \"win.foo\", " + Rest,
            "\"2024-05-05 12:00:00\", \"1234569\", \"http://files.example/x/\", \"url\", \"payload_delivery\", \"win.foo\", " + Rest);
        Assert.Equal(5, run.Ip(Simulated.Outside, 4444, ConnectionState.SF, 1, 1));
        Assert.Equal(5, run.Dns("bad.example"));
        Assert.Equal(5, run.Http("http://files.example/x/y/z.exe", "files.example"));
        Assert.All(run.Alerts, a => Assert.Equal("Foo Bot", Facts(a)["family"]));
        Assert.Equal(0, run.Scorer.Store.FaultCount);
    }

    [Fact]
    public void A_digest_of_a_file_is_not_taken_for_a_fingerprint()
    {
        using Simulated run = With("threatfox.csv", "ioc_value,ioc_type,malware", "8991a387e4cc841740f25d6f5139f92d,md5_hash,Foo");
        Assert.Equal(0, run.Scorer.Store.Count);
        Assert.Equal(0, run.Scorer.Store.FaultCount);
    }

    [Theory]
    [InlineData("hostname", 5)]
    [InlineData("string", 0)]
    public void A_misp_warning_list_gives_its_name_and_what_its_type_matches(string type, int below)
    {
        using Simulated run = With("c2.json", $$"""
            {
              "description": "Hosts, one worse than the other",
              "list": [
                "bad.example",
                "203.0.113.0/24",
                "not an indicator"
              ],
              "matching_attributes": ["hostname", "domain"],
              "name": "The warning list",
              "type": "{{type}}",
              "version": 20240101
            }
            """);
        Assert.Equal(below, run.Dns("x.bad.example"));
        Assert.Equal(5, run.Dns("bad.example"));
        Assert.Equal(5, run.Ip(Simulated.Outside, 443, ConnectionState.SF, 1, 1));
        Assert.All(run.Alerts, a => Assert.Equal("The warning list", Facts(a)["list"]));
        Assert.Equal("4", Facts(run.Alerts.First(a => Facts(a)["kind"] is "domain" or "host"))["line"]);
        Assert.Equal(6, Assert.Single(run.Scorer.Store.Faults).Line);
    }

    [Fact]
    public void A_large_warning_list_is_read_piece_by_piece_and_a_broken_one_keeps_what_came_before()
    {
        string names = string.Join(",\n", Enumerable.Range(0, 20_000).Select(i => $"\"n{i}.example.net\""));
        using Simulated run = With("c2.json", "{\"list\": [\n" + names + ",\n oops");
        Assert.Equal(20_000, run.Scorer.Store.Count);
        Assert.Equal(20_002, Assert.Single(run.Scorer.Store.Faults).Line);
        Assert.Equal(5, run.Dns("n19999.example.net"));
        Assert.Equal("20001", Facts(run.Alerts[0])["line"]);
    }

    [Fact]
    public void A_trail_is_a_domain_an_address_an_address_with_port_or_a_path()
    {
        using Simulated run = With("c2_trail.txt", "# Copyright (c) somebody", "# Reference: https://example.org/report, see also there", "", "bad.example # why", "203.0.113.8",
            "203.0.113.9:4444", "/skSsCLJtI24kZvo/", "files.example/box/czr-16786/");
        Assert.Equal(5, run.Dns("bad.example"));
        Assert.Equal(5, run.Ip(Simulated.Parse("203.0.113.8"), 1, ConnectionState.SF, 1, 1));
        Assert.Equal(5, run.Ip(Simulated.Outside, 4444, ConnectionState.SF, 1, 1));
        Assert.Equal(5, run.Http("http://any.example/skSsCLJtI24kZvo/a?b=c", "any.example"));
        Assert.Equal(5, run.Http("http://files.example:80/box/czr-16786/x", "files.example:80"));
        Assert.Equal(0, run.Http("http://files.example/box/", "files.example"));
        Assert.Equal(0, run.Scorer.Store.FaultCount);
    }

    [Fact]
    public void A_tracker_is_its_host_whatever_its_scheme()
    {
        using Simulated run = With("bittorrent_trackers.txt", "udp://tracker.example.org:1337/announce", "", "udp://203.0.113.9:6969/announce", "wss://t.example.net/announce");
        Assert.Equal(3, run.Dns("tracker.example.org"));
        Assert.Equal(3, run.Ip(Simulated.Outside, 6969, ConnectionState.SF, 1, 1, protocol: 17));
        Assert.Equal(3, run.Dns("t.example.net"));
        Assert.All(run.Alerts, a => Assert.True(a.Threats[0].Policy && a.Flags.Contains("p2p")));
    }

    [Theory]
    [InlineData("bad.example\tFoo", "Foo")]
    [InlineData("bad.example,Foo", "Foo")]
    [InlineData("1,bad.example", null)]
    [InlineData("bad[.]example", null)]
    [InlineData("hxxp://bad[.]example/", null)]
    [InlineData("0.0.0.0 bad.example # Foo", null)]
    [InlineData("*.bad.example", null)]
    [InlineData("BAD.example.", null)]
    public void One_domain_is_written_in_many_ways(string line, string? label)
    {
        using Simulated run = With("c2.txt", line);
        Assert.Equal(5, run.Dns("bad.example"));
        Assert.Equal(label, Facts(run.Alerts[0]).GetValueOrDefault("family"));
    }

    [Fact]
    public void Names_outside_ascii_are_found_by_their_idna_form_alone_and_in_urls()
    {
        using Simulated run = With("c2.txt", "bücher.example", "http://Käse.example/a");
        Assert.Equal(5, run.Dns("xn--bcher-kva.example"));
        Assert.Equal(5, run.Http("http://xn--kse-qla.example/a", "xn--kse-qla.example"));
    }

    [Fact]
    public void A_list_that_says_so_means_hosts_and_not_what_is_below_them()
    {
        using Simulated run = With("c2.txt", "# match: exact", "bad.example");
        Assert.Equal(0, run.Dns("x.bad.example"));
        Assert.Equal(5, run.Dns("bad.example"));
        Assert.Equal("host", Facts(run.Alerts[0])["kind"]);
    }

    [Theory]
    [InlineData("google.com", "trusted domain")]
    [InlineData("www.google.com", "trusted domain")]
    [InlineData("http://google.com/", "trusted domain")]
    [InlineData("co.uk", "public suffix")]
    [InlineData("duckdns.org", "public suffix")]
    [InlineData("9.0.0.0/8", "this wide")]
    [InlineData("10.1.2.3", "private or reserved")]
    [InlineData("192.168.0.0/16", "private or reserved")]
    [InlineData("127.0.0.1:80", "private or reserved")]
    [InlineData("100.64.1.1", "private or reserved")]
    [InlineData("224.0.0.1", "private or reserved")]
    [InlineData("fe80::1", "private or reserved")]
    [InlineData("::1", "private or reserved")]
    public void A_line_that_would_alert_for_everything_is_a_fault_and_is_named(string line, string why)
    {
        using Simulated run = With("c2.txt", "bad.example", line);
        ListFault fault = Assert.Single(run.Scorer.Store.Faults);
        Assert.Equal(2, fault.Line);
        Assert.Contains("too broad", fault.Message, StringComparison.Ordinal);
        Assert.Contains(why, fault.Message, StringComparison.Ordinal);
        Assert.Equal(1, run.Scorer.Store.Count);
    }

    [Theory]
    [InlineData("mail.google.com")]
    [InlineData("http://google.com/a/page")]
    [InlineData("bad.co.uk")]
    [InlineData("x.duckdns.org")]
    public void What_is_narrow_enough_stands(string line)
    {
        using Simulated run = With("c2.txt", line);
        Assert.Equal(1, run.Scorer.Store.Count);
    }

    [Fact]
    public void A_list_of_services_may_name_popular_ones_and_private_suffixes_but_no_top_level_domain()
    {
        using Simulated run = With("dynamic_dns.txt", "duckdns.org", "cloudflare.com", "co.uk");
        Assert.Equal(2, run.Scorer.Store.Count);
        Assert.Equal(2, run.Dns("x.duckdns.org"));
    }

    [Fact]
    public void A_trusted_list_keeps_the_others_in_bounds_when_it_comes_changes_and_goes()
    {
        using var run = new Simulated(lists: [("c2.txt", "shop.example\nbad.example\n203.0.113.9\n"), ("trusted.csv", "1,www.shop.example\n2,203.0.113.0/24\n")]);
        Assert.Equal([1, 3], run.Scorer.Store.Faults.Select(f => f.Line));
        Assert.Equal(0, run.Dns("shop.example"));
        Assert.Equal(5, run.Dns("bad.example"));
        run.WriteList("trusted.csv", "1,bad.example\n");
        Assert.True(run.Scorer.Store.Poll());
        Assert.Equal([5, 0], new[] { run.Dns("shop.example"), run.Dns("bad.example") });
        File.Delete(Path.Combine(run.Folder, "trusted.csv"));
        Assert.True(run.Scorer.Store.Poll());
        Assert.Equal([5, 5], new[] { run.Dns("shop.example"), run.Dns("bad.example") });
        Assert.Equal(0, run.Scorer.Store.FaultCount);
    }

    [Fact]
    public void What_the_config_says_of_a_list_goes_before_what_it_says_of_itself()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-lists").FullName;
        try
        {
            string path = Path.Combine(folder, "some.txt");
            File.WriteAllText(path, "# threat: c2_communication\n# name: Its own\nbad.example,1\n");
            var about = new ListAbout { Name = "Ours", Threat = Threats.VpnActivity, Flags = ["anon"], Url = "https://lists.example/some.txt", Format = ListFormat.Csv };
            using var store = new IndicatorStore([folder], TimeSpan.Zero, TimeProvider.System, about: new Dictionary<string, ListAbout> { [path] = about });
            IndicatorTable table = Assert.Single(store.Current.Tables);
            Assert.Equal(("Ours", "vpn_activity", "https://lists.example/some.txt"), (table.Name, table.Threat.Id, table.Url));
            Assert.Equal(new ListCount(1, 0, null), IndicatorStore.Probe(path, about));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Every_prefix_of_a_list_of_each_form_loads_without_an_exception()
    {
        string[] texts =
        [
            "{\"name\":\"x\",\"list\":[\"bad.example\",\"b\\u00fccher.example\"],\"type\":\"string\"}", "[\"a.example\",5,{\"x\":[1]}]",
            "# \"first_seen_utc\",\"ioc_value\"\n\"2024-05-05 12:00:00\",\"203.0.113.9:1\"\n", "0.0.0.0 a.example b.example\n", "udp://[2001:db8::9]:1/announce\n/aaaaaaa/\n",
        ];
        string path = Path.GetTempFileName();
        try
        {
            foreach (byte[] bytes in texts.Select(Encoding.UTF8.GetBytes))
            {
                for (int length = 0; length <= bytes.Length; length++)
                {
                    File.WriteAllBytes(path, bytes[..length]);
                    IndicatorStore.Probe(path, ListAbout.Nothing);
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
    }
}
