using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>Scans as packets: by the decoder's own time-outs, and in captures.</summary>
public sealed class ScanTrafficTests(ITestOutputHelper output)
{
    static byte[] Segment(string source, string destination, int port, byte flags) =>
        Frames.IPv4(source, destination, IPProtocol.Tcp, Frames.Tcp(40_000 + (port & 0xFFF), port, 1000, 0, flags, []));

    [Theory]
    [InlineData(true, 6.5)]
    [InlineData(false, 11.5)]
    public void The_simulators_scan_is_told_within_its_own_thirty_seconds(bool refused, double seconds)
    {
        using var run = new ScoredTraffic();
        ushort[] ports = [21, 22, 23, 25, 80, 88, 111, 135, 139, 143, 389, 443, 445, 1433, 1521, 3306, 3389, 5432, 5900, 6000, 8443];
        long start = run.Tick;
        for (int host = 0; host < 10 && run.Alerts.Count == 0; host++)
        {
            foreach (ushort port in ports)
            {
                run.Ip(Segment("10.0.0.5", $"192.0.2.{host * 20}", port, TcpFlags.Syn), 0.143);
                if (refused) run.Ip(Frames.IPv4($"192.0.2.{host * 20}", "10.0.0.5", IPProtocol.Tcp, Frames.Tcp(port, 40_000 + (port & 0xFFF), 0, 1001, TcpFlags.Rst | TcpFlags.Ack, [])), 0.001);
                if (run.Alerts.Count > 0) break;
            }
        }
        double took = (run.Tick - start) / 1e9;
        output.WriteLine($"told after {took:0.0} s");
        Assert.Equal(["outbound_port_scan"], run.ThreatIds);
        Assert.True(took < seconds, $"{took} s");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(0x29)]
    public void Fin_null_and_xmas_probes_of_ten_ports_are_a_scan(int flags)
    {
        using var run = new ScoredTraffic();
        for (int port = 2000; port < 2010; port++) run.Ip(Segment("10.0.0.5", "10.0.0.9", port, (byte)flags), 0.5);
        run.Wait(15);
        Assert.Equal(["internal_port_scan"], run.ThreatIds);
    }

    [Fact]
    public void Pings_through_a_network_where_few_answer_are_a_sweep()
    {
        using var run = new ScoredTraffic();
        OldAttacks.PingSweep(run);
        run.Wait(90);
        Assert.Equal(["ping_sweep"], run.ThreatIds);
    }

    [Fact]
    public void A_monitor_that_pings_its_hosts_is_no_sweep()
    {
        using var run = new ScoredTraffic();
        for (int round = 0; round < 10; round++)
        {
            for (int host = 1; host < 100; host++)
            {
                run.Ip(Frames.IPv4("10.0.0.5", $"10.0.7.{host}", IPProtocol.Icmp, Frames.Icmp(8, 0)));
                if (host % 20 != 0) run.Ip(Frames.IPv4($"10.0.7.{host}", "10.0.0.5", IPProtocol.Icmp, Frames.Icmp(0, 0)));
            }
            run.Wait(90);
        }
        Assert.Empty(run.Alerts);
    }

    [Theory]
    [InlineData("scan/tcp_scan.pcapng", "internal_port_scan")]
    [InlineData("maltrail/infection_scan.pcap", "internal_port_scan")]
    [InlineData("maltrail/stealth_scan_fin.pcap", "inbound_port_scan")]
    [InlineData("maltrail/udp_scan.pcap", "inbound_port_scan")]
    public void Every_capture_of_a_scan_is_found(string capture, string threat)
    {
        if (!ScoringCorpus.TryPath("pcap/" + capture, output, out string path)) return;
        using ScoredTraffic run = new ScoredTraffic().Capture(path);
        output.WriteLine(string.Join("; ", run.Alerts.Select(a => a.Evidence!.Summary)));
        Assert.Contains(threat, run.ThreatIds);
    }

    [Fact]
    public void A_capture_of_a_half_open_scan_is_found()
    {
        if (!Corpus.TryFind("4-ndpi/pcaps/synscan.pcap", out string path)) return;
        using ScoredTraffic run = new ScoredTraffic().Capture(path);
        Assert.Contains("outbound_port_scan", run.ThreatIds);
    }

    [Fact]
    public void Bare_acknowledgments_are_no_scan()
    {
        if (!ScoringCorpus.TryPath("pcap/maltrail/ack_sweep_no_fp.pcap", output, out string path)) return;
        using ScoredTraffic run = new ScoredTraffic(Detectors.PortScan).Capture(path);
        Assert.Empty(run.Alerts);
    }
}
