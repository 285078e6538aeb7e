using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Logs;

/// <summary>Log lines of other machines over UDP and TCP, and senders who are not as they should be.</summary>
public sealed partial class SyslogListenerTests(ITestOutputHelper output)
{
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    static string Query(string name) => $"client @0x1 127.0.0.1#5 ({name}): query: {name} IN A + (127.0.0.53)";

    static string Named(string name) => "<30>Nov  2 15:04:05 ns1 named[42]: " + Query(name);

    /// <summary>A listener on its thread, and who empties its ring.</summary>
    sealed class Bed : IDisposable
    {
        readonly CancellationTokenSource _stop = new();
        readonly EventRing _ring = new(1 << 20, grouped: true);
        readonly Thread _thread, _reader;
        volatile bool _done;

        public Bed(params SyslogListenerOptions[] options) : this(TimeProvider.System, options)
        {
        }

        public Bed(TimeProvider time, params SyslogListenerOptions[] options)
        {
            Listener = new SyslogListener(options, new LineOptions { Zone = TimeZoneInfo.Utc, Time = time }, notice => { lock (Notices) Notices.Add(notice); });
            var outlet = new LogOutlet(_ring, TimeSpan.FromSeconds(1), _stop.Token);
            Listener.Open(outlet);
            Outlet = outlet;
            _thread = new Thread(() => Listener.Run(_stop.Token));
            _reader = new Thread(() =>
            {
                var sink = new Sink(this);
                while (!_done)
                {
                    if (_ring.Read(ref sink, 1000) == 0) Thread.Sleep(1);
                }
            });
            _thread.Start();
            _reader.Start();
            Until(() => Listener.Ports.Zip(options).All(p => (!p.Second.Udp || p.First.Udp is not null) && (!p.Second.Tcp || p.First.Tcp is not null)), "the ports are open");
        }

        public SyslogListener Listener { get; }
        public LogOutlet Outlet { get; }
        public List<LogNotice> Notices { get; } = [];
        public List<string> Names { get; } = [];

        public int UdpPort => Listener.Ports[0].Udp!.Value;
        public int TcpPort => Listener.Ports[0].Tcp!.Value;

        public void Names_are(params string[] names)
        {
            Until(() => Count() >= names.Length, $"{names.Length} events");
            lock (Names) Assert.Equal(names.Order(StringComparer.Ordinal), Names.Order(StringComparer.Ordinal));
        }

        public int Count()
        {
            lock (Names) return Names.Count;
        }

        public LogCounters Counters()
        {
            var shot = new LogShot();
            Outlet.Ask(shot);
            Until(() => shot.IsFilled, "the counters");
            return shot.Counters[0];
        }

        public Socket Connect()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(IPAddress.Loopback, TcpPort);
            return socket;
        }

        public void Datagram(string text)
        {
            using var socket = new UdpClient(AddressFamily.InterNetwork);
            socket.Send(Encoding.Latin1.GetBytes(text), new IPEndPoint(IPAddress.Loopback, UdpPort));
        }

        readonly struct Sink(Bed bed) : IEventSink
        {
            public void OnDns(scoped in DnsEvent e)
            {
                lock (bed.Names) bed.Names.Add($"{Encoding.Latin1.GetString(e.Query)} {e.ResponseCode}");
            }

            public void OnIp(scoped in IpEvent e)
            {
            }

            public void OnHttp(scoped in HttpEvent e)
            {
            }

            public void OnTls(scoped in TlsEvent e)
            {
            }

            public void OnHost(scoped in HostEvent e)
            {
            }

            public void OnAnomaly(scoped in AnomalyEvent e)
            {
            }
        }

        public void Dispose()
        {
            _stop.Cancel();
            Assert.True(_thread.Join(s_limit), "the listener did not stop");
            _done = true;
            _reader.Join();
            Listener.Dispose();
            _stop.Dispose();
        }
    }

    static void Until(Func<bool> what, string wanted)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!what())
        {
            Assert.True(waited.Elapsed < s_limit, wanted);
            Thread.Sleep(5);
        }
    }

    static SyslogListenerOptions On(bool udp = true, bool tcp = true, LogFormat format = LogFormat.Auto, IReadOnlyList<IpPrefix>? from = null) => new()
    {
        Name = "syslog test",
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        Udp = udp,
        Tcp = tcp,
        Format = format,
        From = from ?? SyslogListenerOptions.PrivateNetworks,
    };

    [Fact]
    public void Datagrams_of_four_resolvers_are_told_apart_by_their_program()
    {
        using var bed = new Bed(On(tcp: false));
        bed.Datagram(Named("bind.test"));
        bed.Datagram("<30>1 2026-11-02T15:04:05Z gw unbound 12 - - [12:0] info: 10.0.0.1 unbound.test. A IN NXDOMAIN 0.0 0 87\n");
        bed.Datagram("<30>Nov  2 15:04:05 dnsmasq[1]: 7 10.0.0.1/5 query[A] dnsmasq.test from 10.0.0.1\n<30>Nov  2 15:04:05 dnsmasq[1]: 7 10.0.0.1/5 config dnsmasq.test is NXDOMAIN");
        bed.Datagram("<30>1 2026-11-02T15:04:05Z node coredns 1 - - [INFO] 10.0.0.1:5 - 7 \"A IN coredns.test. udp 41 false 512\" NOERROR qr 41 0.1s");
        bed.Datagram("<38>Nov  2 15:04:05 ns1 sshd[7]: Accepted publickey for root");
        bed.Names_are("bind.test -1", "coredns.test 0", "dnsmasq.test 3", "unbound.test 3");
        Until(() => bed.Counters().Lines == 6, "six lines");
        Assert.Equal(1, bed.Counters().Verdicts[(int)LineVerdict.Other]);
        Assert.Equal(0, bed.Counters().Skipped);
    }

    [Fact]
    public void A_connection_may_count_its_bytes_or_end_its_lines_and_change_its_mind()
    {
        using var bed = new Bed(On(udp: false));
        using Socket socket = bed.Connect();
        string first = Named("a.test"), second = Named("b.test");
        byte[] bytes = Encoding.Latin1.GetBytes($"{first.Length} {first}{second}\n{first.Length} {first}{second}\r\n1483228800 Jan 1 00:00:00 h named[1]: {Query("c.test")}\n{second}");
        foreach (byte[] piece in bytes.Chunk(7)) socket.Send(piece);
        // What has no end yet is a line when its sender is done.
        Until(() => bed.Count() == 5, "five events");
        socket.Shutdown(SocketShutdown.Send);
        bed.Names_are("a.test -1", "a.test -1", "b.test -1", "b.test -1", "b.test -1", "c.test -1");
    }

    [Fact]
    public void A_message_that_is_too_long_is_counted_and_the_next_one_is_read()
    {
        using var bed = new Bed(On(udp: false, format: LogFormat.Bind));
        using Socket socket = bed.Connect();
        string huge = new('x', 200_000), last = Named("a.test");
        socket.Send(Encoding.Latin1.GetBytes($"<30>{huge}\n{Named("b.test")}\n{huge.Length + 4} <30>{huge}{last.Length} {last}"));
        bed.Names_are("a.test -1", "b.test -1");
        Assert.Equal(2, bed.Counters().Verdicts[(int)LineVerdict.TooLong]);
    }

    [Fact]
    public void Who_is_not_let_in_is_counted_and_not_read()
    {
        Assert.True(IpPrefix.TryParse("192.0.2.0/24", out IpPrefix elsewhere));
        using var bed = new Bed(On(from: [elsewhere]));
        bed.Datagram(Named("a.test"));
        using Socket socket = bed.Connect();
        Until(() => bed.Listener.Refused[0] == 2, "two refused");
        Assert.Equal(0, socket.Receive(new byte[1]));
        Assert.Equal((0, 2), (bed.Counters().Lines, bed.Counters().Refused));
    }

    [Theory]
    [InlineData("", "10.1.2.3", true)]
    [InlineData("", "192.168.9.9", true)]
    [InlineData("", "fd00::7", true)]
    [InlineData("", "127.0.0.1", true)]
    [InlineData("", "192.0.2.1", false)]
    [InlineData("", "2001:db8::1", false)]
    [InlineData("0.0.0.0/0 ::/0", "192.0.2.1", true)]
    [InlineData("0.0.0.0/0 ::/0", "2001:db8::1", true)]
    [InlineData("192.0.2.0/24", "10.1.2.3", false)]
    public void An_empty_list_lets_private_networks_in_and_everybody_has_to_be_said(string from, string sender, bool may)
    {
        string item = from.Length == 0 ? "" : $", from: [{string.Join(", ", from.Split(' ').Select(p => $"\"{p}\""))}]";
        foreach (string said in from.Length == 0 ? new[] { "", ", from: []" } : [item])
        {
            Config.NfrConfig config = Config.NfrConfig.Parse("config.yml", Encoding.UTF8.GetBytes($"inputs: {{syslog: [{{listen: \"0.0.0.0:5514\"{said}}}]}}"), out IReadOnlyList<Config.ConfigFault> faults)!;
            Assert.Empty(faults);
            SyslogListenerOptions options = On(from: config.Inputs.Syslog[0].From);
            Assert.Equal(may, options.From.Any(p => p.Contains(Address.FromIPAddress(IPAddress.Parse(sender)))));
        }
    }

    [Fact]
    public void A_sender_that_stops_within_a_message_is_cut_off_after_half_a_minute()
    {
        var time = new ManualTime();
        using var bed = new Bed(time, On(udp: false));
        using Socket slow = bed.Connect(), idle = bed.Connect();
        slow.Send("<30>Nov  2 15:04"u8);
        idle.Send(Encoding.Latin1.GetBytes(Named("a.test") + "\n"));
        bed.Names_are("a.test -1");
        Thread.Sleep(300);
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(0, slow.Receive(new byte[1]));
        idle.Send(Encoding.Latin1.GetBytes(Named("b.test") + "\n"));
        bed.Names_are("a.test -1", "b.test -1");
    }

    [Fact]
    public void One_connection_too_many_is_refused_until_another_was_quiet_for_a_minute()
    {
        var time = new ManualTime();
        using var bed = new Bed(time, On(udp: false));
        Socket[] sockets = [.. Enumerable.Range(0, 64).Select(_ => bed.Connect())];
        foreach (Socket socket in sockets) socket.Send(Encoding.Latin1.GetBytes(Named("a.test") + "\n"));
        Until(() => bed.Count() == 64, "all are heard");
        using Socket more = bed.Connect();
        Assert.Equal(0, more.Receive(new byte[1]));
        time.Advance(TimeSpan.FromMinutes(2));
        using Socket again = bed.Connect();
        again.Send(Encoding.Latin1.GetBytes(Named("b.test") + "\n"));
        Until(() => bed.Count() == 65, "it is heard");
        Assert.Equal(1, bed.Listener.Refused[0]);
        foreach (Socket socket in sockets) socket.Dispose();
    }

    [Fact]
    public void A_query_without_an_answer_goes_out_when_nothing_has_come_for_five_seconds()
    {
        var time = new ManualTime();
        using var bed = new Bed(time, On(tcp: false));
        bed.Datagram("<30>Nov  2 15:04:05 dnsmasq[1]: 7 10.0.0.1/5 query[A] a.test from 10.0.0.1");
        Until(() => bed.Counters().Lines == 1, "the line");
        Assert.Equal(0, bed.Count());
        time.Advance(TimeSpan.FromSeconds(6));
        bed.Names_are("a.test -1");
    }

    [Fact]
    public void A_port_in_use_is_a_trouble_with_what_to_do_and_taken_when_it_is_free()
    {
        var time = new ManualTime();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, FreePort.Take()));
        other.Listen();
        using var stop = new CancellationTokenSource();
        List<LogNotice> notices = [];
        using var listener = new SyslogListener([On(udp: false) with { Listen = (IPEndPoint)other.LocalEndPoint! }], new LineOptions { Time = time }, n => { lock (notices) notices.Add(n); });
        listener.Open(new LogOutlet(new EventRing(1 << 20, grouped: true), TimeSpan.Zero, stop.Token));
        var thread = new Thread(() => listener.Run(stop.Token));
        thread.Start();
        Until(() => listener.Reports[0].Trouble is not null, "the trouble");
        Assert.Contains("listen on another port", listener.Reports[0].Trouble, StringComparison.Ordinal);
        other.Close();
        Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(6));
            return listener.Ports[0].Tcp is not null;
        }, "the port");
        Until(() => listener.Reports[0].Trouble is null, "no trouble");
        stop.Cancel();
        Assert.True(thread.Join(s_limit));
        Assert.Equal([true, false], notices.Select(n => n.IsTrouble));
    }

    [Fact]
    public void Datagrams_that_the_kernel_drops_are_counted()
    {
        if (!OperatingSystem.IsLinux()) return;
        const int Sent = 60_000;
        using var bed = new Bed(On(tcp: false, format: LogFormat.Bind));
        byte[] bytes = Encoding.Latin1.GetBytes(Named(new string('a', 200)).PadRight(1000));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(IPAddress.Loopback, bed.UdpPort);
        for (int i = 0; i < Sent; i++) socket.Send(bytes);
        Until(() => bed.Counters() is var c && c.Lines + c.Lost == Sent, "each is read or counted");
        output.WriteLine($"{bed.Counters().Lines} read, {bed.Counters().Lost} dropped by the kernel");
    }

    [InstalledFact("/usr/bin/logger")]
    public void Util_linux_logger_is_understood_in_all_its_forms()
    {
        const string Logger = "/usr/bin/logger";
        using var bed = new Bed(On());
        int n = 0;
        foreach (string[] form in (string[][])[["--rfc3164"], ["--rfc5424"], ["--rfc5424=notime"], ["--rfc5424", "--octet-count"], ["--rfc3164", "--octet-count"]])
        {
            foreach (bool tcp in (bool[])[false, true])
            {
                if (!tcp && form.Contains("--octet-count")) continue;
                using Process logger = Process.Start(Logger, ["--server", "127.0.0.1", "--port", (tcp ? bed.TcpPort : bed.UdpPort).ToString(CultureInfo.InvariantCulture), tcp ? "--tcp" : "--udp",
                    .. form, "--tag", "named", "--id=42", Query($"n{n}.test")]);
                logger.WaitForExit();
                Assert.Equal(0, logger.ExitCode);
                n++;
            }
        }
        bed.Names_are([.. Enumerable.Range(0, n).Select(i => $"n{i}.test -1")]);
        Assert.Equal(0, bed.Counters().Skipped);
    }
}
