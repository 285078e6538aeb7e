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

    [Fact]
    public void The_sample_list_names_what_the_c2_module_visits()
    {
        Assert.Equal(C2Module.HostCount, SampleFeeds.C2Domains.Count);
        Assert.Equal(C2Module.HostCount, SampleFeeds.C2Endpoints.Count);
        Assert.Contains("# threat: c2_communication", SampleFeeds.C2, StringComparison.Ordinal);
        Assert.Contains("# flags: c2", SampleFeeds.C2, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_module_has_one_suspect_of_its_own()
    {
        Assert.Equal(SimulateCommand.Modules.Select(module => module.Name), OfficePlan.Suspects.Select(suspect => suspect.Module));
        Assert.Equal(OfficePlan.Suspects.Length, OfficePlan.Suspects.Select(suspect => suspect.Address).Except(OfficePlan.Clients).Distinct().Count());
    }

    [Fact]
    public void No_server_stands_in_the_dark_network() =>
        Assert.DoesNotContain(OfficePlan.ServerAddresses, address => address.ToString().StartsWith("203.0.113.", StringComparison.Ordinal));

    [Fact]
    public void A_module_counts_as_found_only_by_an_acceptable_threat_of_its_own_host()
    {
        static SensorAlert Alert(string source, string threat) => new("{}", source, [threat], threat);
        IReadOnlyList<Finding> findings = Finding.Match(OfficePlan.Suspects,
        [
            Alert("10.77.0.21", "outbound_port_scan"),
            Alert("10.77.0.11", "dga_volume"),                         // somebody else
            Alert("10.77.0.25", "unusual_network_port"),               // something else
            Alert("10.77.0.26", "cleartext_protocol"),
            Alert("10.77.0.26", "cleartext_protocol"),
        ]);
        Assert.Equal(["scan", "cleartext"], findings.Where(finding => finding.Detected).Select(finding => finding.Suspect.Module));
        Assert.Equal(["cleartext_protocol"], findings[5].ThreatIds);
        Assert.Equal(["unusual_network_port"], findings[4].ThreatIds);
    }

    [Fact]
    public void A_certificate_names_its_site()
    {
        using var certificate = WebServer.MakeCertificate(OfficePlan.Sites[0], TimeProvider.System);
        Assert.True(certificate.MatchesHostname("www.bakery.example"));
        Assert.True(certificate.HasPrivateKey);
    }
}
