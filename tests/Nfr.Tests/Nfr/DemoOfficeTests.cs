using System.Net;
using Nfr.Demo;
using Nfr.Simulate;

namespace Nfr.Tests;

/// <summary>The demo's name server, its plan and its verdict.</summary>
public class DemoOfficeTests
{
    static byte[] Answer(string name, ushort type, bool overTcp = false) =>
        DnsResponder.Answer(DnsWire.Query(0x1234, name, type), overTcp, OfficePlan.Names, new Random(1)) ?? throw new InvalidOperationException("no answer");

    static DnsReply Read(byte[] message) => DnsWire.Read(message) ?? throw new InvalidOperationException("the reply does not parse");

    [Fact]
    public void A_query_has_rd_one_question_and_an_opt_record()
    {
        byte[] query = DnsWire.Query(0x1234, "a.example", DnsWire.TypeAaaa);
        Assert.Equal(Convert.FromHexString(
            "1234" + "0100" + "0001" + "0000" + "0000" + "0001"        // id, RD, QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT
            + "0161" + "076578616d706c65" + "00" + "001c" + "0001"     // a.example AAAA IN
            + "00" + "0029" + "04d0" + "00000000" + "0000"), query);   // root OPT, 1232 bytes, no flags, no options
    }

    [Fact]
    public void A_label_above_63_bytes_is_refused() => Assert.Throws<ArgumentException>(() => DnsWire.Name(new string('a', 64) + ".example"));

    [Fact]
    public void A_known_name_has_its_addresses()
    {
        DnsReply v4 = Read(Answer("www.bakery.example", DnsWire.TypeA)), v6 = Read(Answer("WWW.Bakery.example", DnsWire.TypeAaaa));
        Assert.Equal(0x1234, v4.Id);
        Assert.Equal(0, v4.ResponseCode);
        Assert.Equal([IPAddress.Parse("192.0.2.10")], v4.Addresses);
        Assert.Equal([IPAddress.Parse("2001:db8:80::10")], v6.Addresses);
    }

    [Fact]
    public void A_known_name_without_ipv6_is_answered_empty()
    {
        DnsReply reply = Read(Answer("maps.town.example", DnsWire.TypeAaaa));
        Assert.Equal(0, reply.ResponseCode);
        Assert.Empty(reply.Addresses);
    }

    [Fact]
    public void An_unknown_name_does_not_exist() => Assert.Equal(3, Read(Answer("kqzv8abc.top", DnsWire.TypeA)).ResponseCode);

    [Fact]
    public void The_tunnels_zone_answers_text()
    {
        DnsReply reply = Read(Answer(TunnelDnsModule.Name(new Random(3)), DnsWire.TypeTxt));
        Assert.Equal(0, reply.ResponseCode);
        Assert.Equal(1, reply.Texts);
    }

    [Fact]
    public void A_large_answer_is_truncated_in_a_datagram_and_whole_over_tcp()
    {
        byte[] datagram = Answer(OfficePlan.LargeName, DnsWire.TypeA);
        Assert.True(datagram.Length <= 512);
        Assert.True(Read(datagram).Truncated);
        DnsReply whole = Read(Answer(OfficePlan.LargeName, DnsWire.TypeA, overTcp: true));
        Assert.False(whole.Truncated);
        Assert.Equal(90, whole.Addresses.Count);
    }

    [Fact]
    public void Every_truncation_of_a_query_is_no_query()
    {
        byte[] query = DnsWire.Query(1, "www.bakery.example", DnsWire.TypeA);
        for (int length = 0; length < DnsWire.HeaderLength + 20 + 4; length++)
            Assert.Null(DnsResponder.Answer(query.AsSpan(0, length), overTcp: false, OfficePlan.Names, new Random(1)));
    }

    [Fact]
    public void Every_truncation_of_a_reply_is_no_reply()
    {
        byte[] reply = Answer("www.bakery.example", DnsWire.TypeA);
        for (int length = 0; length < reply.Length; length++) Assert.Null(DnsWire.Read(reply.AsSpan(0, length)));
    }

    [Theory]
    [InlineData("demo-c2.txt", "c2_communication", "c2")]
    [InlineData("demo-sinkholes.txt", "sinkholed_destination", "sinkholed")]
    [InlineData("demo-irc.txt", "bad_irc_traffic", "irc")]
    [InlineData("demo-oast.txt", "oast_traffic", "oast")]
    [InlineData("demo-tor.txt", "anon_circuit", "anon")]
    [InlineData("demo-rogue_dns.txt", "rogue_dns_server", "bad_dns")]
    public void A_sample_list_says_what_it_is_about(string name, string threat, string flag)
    {
        string text = SampleFeeds.Text(name);
        Assert.Contains($"\n# threat: {threat}\n", text, StringComparison.Ordinal);
        Assert.Contains($"\n# flags: {flag}\n", text, StringComparison.Ordinal);
        Assert.Contains(name, SampleFeeds.IndicatorFiles);
    }

    [Fact]
    public void The_sample_lists_name_as_much_as_the_modules_visit()
    {
        foreach (DestinationList list in new[] { SampleFeeds.C2, SampleFeeds.Sinkholes, SampleFeeds.Irc })
        {
            Assert.Equal(ListedModule.HostCount, list.Domains().Length);
            Assert.Equal(ListedModule.HostCount, list.Servers().Length);
        }
        Assert.Equal(TorModule.HostCount, SampleFeeds.TorRelays.Servers().Length);
        Assert.Equal(ImposterModule.HostCount, SampleFeeds.Imposters.Domains().Length);
        Assert.Equal(7, SampleFeeds.Oast.Domains().Length);
        Assert.InRange(SampleFeeds.MailDomains.Domains().Length, SpambotModule.HostCount, int.MaxValue);
    }

    [Fact]
    public void The_sensor_is_not_told_what_it_shall_see_by_itself()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-feeds-").FullName;
        SampleFeeds.WriteTo(folder);
        string lists = string.Concat(Directory.EnumerateFiles(folder).Select(File.ReadAllText));
        Directory.Delete(folder, recursive: true);
        Assert.Contains("panel.cobalt-sample.example", lists, StringComparison.Ordinal);
        Assert.All([.. SampleFeeds.Imposters.Domains(), .. SampleFeeds.MailDomains.Domains()], name => Assert.DoesNotContain(name, lists, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_suspect_runs_a_module_of_its_own_at_an_address_of_its_own()
    {
        Assert.Equal(SimulateModules.All.Select(module => module.Name).Order(), Suspect.All.Select(suspect => suspect.Name).Order());
        Assert.Equal(Suspect.All.Count, Suspect.All.Select(suspect => suspect.Address).Except(OfficePlan.Clients).Distinct().Count());
        Assert.All(Suspect.All, suspect => Assert.NotNull(SimulateModules.Find([suspect.Module], out _)));
        Assert.All(Suspect.All.SelectMany(suspect => suspect.ThreatIds), id => Assert.True(global::Nfr.Scoring.Threats.TryFind(id, out _), id));
    }

    [Fact]
    public void Every_destination_of_the_modules_is_served_or_dark()
    {
        IPAddress[] served = [.. OfficePlan.ServerAddresses];
        Assert.All(OfficePlan.Destinations(new Random(1)).Addresses.Where(address => !address.ToString().StartsWith("203.0.113.", StringComparison.Ordinal)),
            address => Assert.Contains(address, served));
        Assert.Equal(served.Length, served.Distinct().Count());
    }

    [Fact]
    public void A_mail_domain_has_its_exchange()
    {
        string domain = SampleFeeds.MailDomains.Domains()[2];
        DnsReply reply = Read(Answer(domain, DnsWire.TypeMx));
        Assert.Equal(["mx." + domain], reply.Exchanges);
        Assert.Equal([OfficePlan.MailServers[2]], Read(Answer("mx." + domain, DnsWire.TypeA)).Addresses);
        Assert.Empty(Read(Answer("www.bakery.example", DnsWire.TypeMx)).Exchanges);
    }

    [Fact]
    public void Every_truncation_of_an_exchange_is_no_reply()
    {
        byte[] reply = Answer(SampleFeeds.MailDomains.Domains()[0], DnsWire.TypeMx);
        for (int length = 0; length < reply.Length; length++) Assert.Null(DnsWire.Read(reply.AsSpan(0, length)));
    }

    [Fact]
    public void A_name_that_points_at_itself_ends()
    {
        byte[] reply = Answer(SampleFeeds.MailDomains.Domains()[0], DnsWire.TypeMx);
        // The exchange's name: mx and a pointer, now to itself.
        reply[^2] = (byte)(0xc0 | ((reply.Length - 2) >> 8));
        reply[^1] = (byte)(reply.Length - 2);
        Assert.Empty(Read(reply).Exchanges);
    }

    [Fact]
    public void Anything_below_a_testing_service_exists() =>
        Assert.Equal([OfficePlan.Parked], Read(Answer(OastModule.Name(new Random(1), "oast.fun"), DnsWire.TypeA)).Addresses);

    [Fact]
    public void No_server_stands_in_the_dark_network() =>
        Assert.DoesNotContain(OfficePlan.ServerAddresses, address => address.ToString().StartsWith("203.0.113.", StringComparison.Ordinal));

    static SensorAlert Alert(string source, string threat, long raisedAt = 0) => new("{}", source, [threat], threat, raisedAt);

    [Fact]
    public void A_module_counts_as_found_only_by_an_acceptable_threat_of_its_own_host()
    {
        IReadOnlyList<Finding> findings = Finding.Match(Suspect.All,
        [
            Alert("10.77.0.21", "outbound_port_scan"),
            Alert("10.77.0.11", "dga_volume"),                         // somebody else
            Alert("10.77.0.25", "unusual_network_port"),               // something else
            Alert("10.77.0.26", "cleartext_protocol"),
            Alert("10.77.0.26", "cleartext_protocol"),
        ]);
        Assert.Equal(["scan", "cleartext"], findings.Where(finding => finding.Detected).Select(finding => finding.Suspect.Module));
        Assert.Equal(["cleartext_protocol"], findings.Single(finding => finding.Suspect.Name == "cleartext").ThreatIds);
        Assert.Equal(["unusual_network_port"], findings.Single(finding => finding.Suspect.Name == "miner").ThreatIds);
    }

    [Theory]
    [InlineData(4, "yes")]
    [InlineData(29, "yes")]
    [InlineData(35, "soon")]
    [InlineData(60, "LATE")]
    public void An_alert_behind_the_modules_run_time_is_late(int seconds, string word)
    {
        var clock = new ManualTime();
        var times = new ModuleTimes(clock);
        Assert.True(times.Began("begin scan"));
        Assert.False(times.Began("scan 210 TCP connects"));
        clock.Advance(TimeSpan.FromSeconds(30));
        times.Ended("scan         210 TCP connects");
        long begin = clock.GetTimestamp() - (30 * clock.TimestampFrequency);
        Finding finding = Finding.Match(Suspect.All, [Alert("10.77.0.21", "outbound_port_scan", begin + (seconds * clock.TimestampFrequency))], times).Single(found => found.Suspect.Name == "scan");
        Assert.Equal((word, $"{seconds}.0 s", "30.0 s"), (finding.Word, finding.After, finding.Ran));
        Assert.Equal((word == "yes", word != "LATE"), (finding.IsInTime, finding.Detected));
    }

    [Fact]
    public void A_certificate_names_its_site()
    {
        using var certificate = WebServer.MakeCertificate(OfficePlan.Sites[0], TimeProvider.System);
        Assert.True(certificate.MatchesHostname("www.bakery.example"));
        Assert.True(certificate.HasPrivateKey);
    }
}
