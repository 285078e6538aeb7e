using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>From frames to alerts: what is in echoes, and what is only a ping.</summary>
public sealed class IcmpTunnelTests(ITestOutputHelper output)
{
    static byte[] Random(Random random, int length) => EchoTalk.Random(random, length);

    static byte[] Ping(int number, int size) => EchoTalk.Ping(number, size);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_simulators_echoes_are_found_at_the_tenth_and_in_one_early_event(bool six)
    {
        using var talk = new EchoTalk();
        var random = new Random(1);
        for (int i = 0; i < 80; i++)
        {
            byte[] payload = [.. "alphasoc-flightsim:"u8, .. Random(random, 1400)];
            talk.Say(false, payload, six);
            talk.Say(true, payload, six);
            if (i == 9) Assert.Single(talk.Alerts);
        }
        talk.End();
        Alert alert = Assert.Single(talk.Alerts);
        Assert.Equal("icmp_tunneling", alert.Threats[0].Id);
        Assert.Equal(six ? "fd00::1" : EchoTalk.Client, alert.Event.SrcIP);
        Assert.Equal(1, talk.Counters.FlowSlices);
        Assert.Equal(1, alert.Evidence!.Score);
        Assert.Equal(EchoStatistics.TellingData, alert.Evidence.Features[0].Value);
    }

    [Fact]
    public void Replies_that_bring_something_else_are_found_within_ten_echoes()
    {
        using var talk = new EchoTalk();
        var random = new Random(2);
        while (talk.Alerts.Count == 0 && talk.Echoes < 10)
        {
            talk.Say(false, Random(random, 60));
            talk.Say(true, Random(random, 200));
        }
        Assert.Single(talk.Alerts);
    }

    [Fact]
    public void A_slow_tunnel_of_64_bytes_an_echo_is_found_by_its_seventh()
    {
        using var talk = new EchoTalk();
        var random = new Random(3);
        for (int i = 0; i < 7; i++) talk.Say(false, Random(random, 64));
        Assert.Single(talk.Alerts);
    }

    [Fact]
    public void Polls_without_content_hide_no_shell()
    {
        using var talk = new EchoTalk();
        foreach (byte[] line in EchoTalk.ShellLines)
        {
            for (int poll = 0; poll < 20; poll++)
            {
                talk.Say(false, []);
                talk.Say(true, []);
            }
            talk.Say(false, line);
            talk.Say(true, []);
        }
        Assert.Single(talk.Alerts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(28)]
    public void An_ip_packet_in_a_payload_is_found_at_the_third_behind_any_short_header(int header)
    {
        using var talk = new EchoTalk();
        for (int i = 0; i < 3; i++) talk.Say(false, [.. new byte[header], .. Frames.IPv4("10.9.0.1", "10.9.0.2", IPProtocol.Icmp, Frames.Icmp(8, 0))]);
        Alert alert = Assert.Single(talk.Alerts);
        Assert.Equal("ipPackets", Assert.Single(alert.Evidence!.Features).Name);
        Assert.Contains("hold IP packets", alert.Evidence.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(32)]
    [InlineData(56)]
    [InlineData(1472)]
    [InlineData(8000)]
    public void Plain_pings_of_any_size_are_no_tunnel(int size)
    {
        using var talk = new EchoTalk();
        for (int i = 0; i < 500; i++)
        {
            talk.Say(false, Ping(i, size));
            talk.Say(true, Ping(i, size));
        }
        talk.End();
        Assert.Empty(talk.Alerts);
        Assert.Equal(0, talk.Counters.FlowSlices);
    }

    [Fact]
    public void A_probe_for_the_mtu_is_no_tunnel()
    {
        using var talk = new EchoTalk();
        for (int size = 100; size <= 1472; size += 7)
        {
            talk.Say(false, Ping(size, size));
            if (size < 1400) talk.Say(true, Ping(size, size));
        }
        talk.End();
        Assert.Empty(talk.Alerts);
    }

    [Fact]
    public void Two_pings_at_once_with_fillings_of_their_own_are_no_tunnel()
    {
        using var talk = new EchoTalk();
        byte[] windows = [.. "abcdefghijklmnopqrstuvwabcdefghi"u8];
        for (int i = 0; i < 200; i++)
        {
            talk.Say(false, Ping(i, 56));
            talk.Say(false, windows);
            talk.Say(true, Ping(i, 56));
            talk.Say(true, windows);
        }
        talk.End();
        Assert.Empty(talk.Alerts);
    }

    [Fact]
    public void A_monitor_that_numbers_its_pings_or_marks_each_with_an_identifier_is_no_tunnel()
    {
        using var talk = new EchoTalk();
        var random = new Random(4);
        byte[] phrase = [.. "a phrase that a monitoring system sends to see whether it comes back "u8];
        for (int i = 0; i < 200; i++)
        {
            // Time, then a mark of 16 bytes, then nothing; and a phrase with a number.
            byte[] marked = [.. new byte[8], .. Random(random, 16), .. new byte[40]], numbered = [.. phrase, .. Encoding.ASCII.GetBytes($"{i:0000}")];
            foreach (byte[] payload in new[] { marked, marked, numbered, numbered }.Skip(i % 2 * 2).Take(2)) talk.Say(payload == marked && i % 4 == 3, payload);
        }
        talk.End();
        Assert.Empty(talk.Alerts);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("00 00 00 00 00 00 00 00 00", true)]
    [InlineData("41 42 43 44 41 42 43 44 41 42 43 44 41 42 43 44", true)]
    [InlineData("aa 55 aa 55 aa 55 aa 55 aa 55", true)]
    [InlineData("ff fe fd fc fb fa f9 f8", true)]
    [InlineData("00 03 01 04 01 05 09 02 06 05 03 05 08 09 07 09", false)]
    public void A_pattern_is_told_from_data(string hex, bool expected) =>
        Assert.Equal(expected, EchoPayloads.IsPattern(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

    [Fact]
    public void Every_capture_of_a_tunnel_is_found_within_ten_echoes_and_no_other_one()
    {
        if (!ScoringCorpus.TryPath("pcap/icmp_tunnel/icmp-tunnel.pcap", output, out string path)) return;
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(path)!))
        {
            using ScoredCapture scored = ScoredCapture.Of(file, Detectors.IcmpTunnel);
            (long tick, Alert alert) = Assert.Single(scored.Alerts);
            double echoes = alert.Evidence!.Facts.First(f => f.Name == "requests").Number + alert.Evidence.Facts.First(f => f.Name == "replies").Number;
            output.WriteLine($"{Path.GetFileName(file)}: after {echoes} echoes, {(tick - scored.FirstTick) / 1e9:0.0} s: {alert.Evidence.Summary}");
            Assert.InRange(echoes, 1, 10);
        }
    }

    [Fact]
    public void No_other_capture_holds_an_icmp_tunnel()
    {
        if (!Corpus.TryFind(".", out string corpus))
        {
            output.WriteLine("left out: no corpus");
            return;
        }
        int files = 0;
        string[] folders = [corpus, Path.Combine(corpus, "..", "scoring", "pcap")];
        foreach (string file in folders.SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories)))
        {
            if (Path.GetExtension(file) is not (".pcap" or ".pcapng" or ".cap") || file.Contains("icmp_tunnel", StringComparison.Ordinal)) continue;
            using CaptureFile? capture = CaptureFile.Open(file, out _);
            if (capture is null) continue;
            files++;
            using ScoredCapture scored = ScoredCapture.Of(file, Detectors.IcmpTunnel | Detectors.DnsTunnel);
            foreach ((_, Alert alert) in scored.Alerts) output.WriteLine($"{Path.GetFileName(file)}: {alert.Evidence!.Summary[..Math.Min(300, alert.Evidence.Summary.Length)]}");
        }
        output.WriteLine($"{files} captures");
    }
}
