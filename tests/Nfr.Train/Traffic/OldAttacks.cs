using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>What the packages of 1998 looked for, as packets to a line.</summary>
static class OldAttacks
{
    const byte Syn = TcpFlags.Syn, Rst = TcpFlags.Rst, Ack = TcpFlags.Ack;

    /// <summary>One of each: its name there, the threats that may tell it here, and how it is sent.</summary>
    public static readonly IReadOnlyList<(string Name, string[] Threats, Action<ScoredTraffic> Send)> All =
    [
        ("land", ["land_attack"], run => Land(run, "10.0.0.9", 139, 139)),
        ("land from another port", ["land_attack"], run => Land(run, "10.0.0.9", 40_000, 139)),
        ("smurf, the request", ["smurf_attack"], run => Smurf(run, "203.0.113.5", "10.0.7.255")),
        ("smurf, at its victim", ["smurf_attack"], SmurfReplies),
        ("icmpfrag", ["fragmented_icmp"], run => FragmentedPing(run, 8)),
        ("icmpfrag, ping of death", ["fragment_attack"], PingOfDeath),
        ("icmpfrag, teardrop", ["fragment_attack"], Teardrop),
        ("portscan", ["inbound_port_scan"], PortScan),
        ("hostscan", ["inbound_port_scan"], HostScan),
        ("hostscan, by pings", ["ping_sweep"], PingSweep),
        ("manyresets", ["many_resets"], Refused),
        ("manyresets, to one whose packets were forged", ["many_resets"], ForgedResets),
        ("failedlogins, telnet", ["password_guessing"], run => FailedTelnet(run, 4)),
        ("failedlogins, ftp", ["password_guessing"], run =>
        {
            for (int i = 0; i < 12; i++) Ftp(run, 40_000 + i);
        }),
        ("badports, TCP", ["bad_port"], run => BadPort(run, 31_337, answers: true)),
        ("badports, unanswered", ["bad_port"], run => BadPort(run, 12_345, answers: false)),
    ];

    static byte[] Tcp(string source, int sourcePort, string destination, int port, byte flags, uint sequence = 1000) =>
        Frames.IPv4(source, destination, IPProtocol.Tcp, Frames.Tcp(sourcePort, port, sequence, 0, flags, []));

    public static byte[] Ping(string source, string destination, byte type = 8, int payload = 32) => Frames.IPv4(source, destination, IPProtocol.Icmp, Frames.Icmp(type, 0, payload: payload));

    public static void Land(ScoredTraffic run, string address, int from, int to)
    {
        for (uint i = 0; i < 5; i++) run.Ip(Tcp(address, from, address, to, Syn, 1000 + i));
    }

    public static void Smurf(ScoredTraffic run, string victim, string broadcast)
    {
        for (int i = 0; i < 10; i++) run.Ip(Ping(victim, broadcast));
    }

    public static void SmurfReplies(ScoredTraffic run)
    {
        for (int round = 0; round < 5; round++)
        {
            for (int host = 1; host < 30; host++) run.Ip(Ping($"203.0.113.{host}", "10.0.0.5", type: 0));
        }
    }

    public static void FragmentedPing(ScoredTraffic run, byte type)
    {
        byte[] ping = Frames.Icmp(type, 0, payload: 4000);
        for (int at = 0; at < ping.Length; at += 1480)
        {
            int end = Math.Min(at + 1480, ping.Length);
            run.Ip(Frames.IPv4("10.0.0.5", "192.0.2.1", 1, ping[at..end], 7, at, end < ping.Length));
        }
    }

    public static void PingOfDeath(ScoredTraffic run)
    {
        byte[] part = new byte[1480];
        for (int at = 0; at < 65_600; at += 1480) run.Ip(Frames.IPv4("192.0.2.1", "10.0.0.5", 1, part, 7, at, at + 1480 < 65_600));
    }

    public static void Teardrop(ScoredTraffic run)
    {
        run.Ip(Frames.IPv4("192.0.2.1", "10.0.0.5", 17, [.. Frames.Udp(4000, 4001, new byte[28])], 242, 0, true));
        run.Ip(Frames.IPv4("192.0.2.1", "10.0.0.5", 17, new byte[4], 242, 24));
    }

    public static void Refused(ScoredTraffic run)
    {
        for (int port = 1; port < 60; port++)
        {
            run.Ip(Tcp("10.0.0.5", 40_000, "192.0.2.1", port, Syn));
            run.Ip(Tcp("192.0.2.1", port, "10.0.0.5", 40_000, Rst | Ack));
        }
    }

    /// <summary>Nobody here sent anything: answers to packets in 10.0.0.5's name.</summary>
    public static void ForgedResets(ScoredTraffic run)
    {
        for (int port = 1; port < 60; port++) run.Ip(Tcp("192.0.2.1", 139, "10.0.0.5", 1024 + port, Rst | Ack));
    }

    public static void BadPort(ScoredTraffic run, int port, bool answers)
    {
        var talk = new TcpTalk(run, serverPort: port, client: "10.0.0.5");
        if (answers) talk.Open().Client("x").Close();
        else talk.Segment(0, Syn);
    }

    public static void HostScan(ScoredTraffic run)
    {
        for (int i = 1; i < 20; i++) run.Ip(Tcp("203.0.113.5", 40_000, $"10.0.7.{i}", 22, Syn));
    }

    public static void PortScan(ScoredTraffic run)
    {
        for (int i = 1; i < 20; i++) run.Ip(Tcp("203.0.113.6", 40_000, "10.0.7.1", 5000 + i, Syn));
    }

    /// <summary>Through a network where few answer.</summary>
    public static void PingSweep(ScoredTraffic run)
    {
        for (int host = 1; host < 40; host++)
        {
            run.Ip(Ping("10.0.0.5", $"10.0.7.{host}"));
            if (host % 10 == 0) run.Ip(Ping($"10.0.7.{host}", "10.0.0.5", type: 0));
        }
    }

    public static void Ftp(ScoredTraffic run, int port, string client = "10.0.0.5", string server = "10.0.9.9", bool good = false, string user = "bob") =>
        new TcpTalk(run, port, 21, client, server).Open()
            .Server("220 ready\r\n").Client($"USER {user}\r\n").Server("331 password\r\n").Client("PASS guess\r\n")
            .Server(good ? "230 logged in\r\n" : "530 login incorrect\r\n").Client("QUIT\r\n").Server("221 bye\r\n").Close();

    public static void FailedTelnet(ScoredTraffic run, int tries)
    {
        TcpTalk talk = new TcpTalk(run, serverPort: 23, client: "10.0.0.5", server: "10.0.9.9").Open();
        // DO terminal type, WILL terminal type (RFC 1091).
        talk.Server([0xFF, 0xFD, 0x18]).Client([0xFF, 0xFB, 0x18]);
        for (int i = 0; i < tries; i++) talk.Server("login: ").Client("root\r\n").Server("Password: ").Client("guess\r\n").Server("\r\nLogin incorrect\r\n");
        talk.Close();
    }
}
