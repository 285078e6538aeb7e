using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Nfr.Demo;
using Nfr.Simulate;

namespace Nfr.Tests;

/// <summary>What the simulated modules put on the wire.</summary>
public class DemoModulesTests
{
    static readonly IPEndPoint s_nobody = new(IPAddress.Loopback, 9);

    static DestinationList Servers(params IPEndPoint[] servers) => new([.. servers.Select(server => new Destination(null, server))]);

    static SimulateDestinations Loopback(params IPEndPoint[] pools) => new()
    {
        Resolver = new IPEndPoint(IPAddress.Loopback, 53),
        HijackResolver = s_nobody,
        ScanHosts = [IPAddress.Loopback],
        C2 = new DestinationList([new Destination("c2.example", null)]),
        Sinkholes = DestinationList.Empty,
        Irc = DestinationList.Empty,
        Pools = Servers(pools),
        TorRelays = DestinationList.Empty,
        OastDomains = ["oast.example"],
        ImposterDomains = ["paypa1.example"],
        MailDomains = ["mail.example"],
        MailServers = [IPAddress.Loopback],
        CleartextHost = IPAddress.Loopback,
        SshHost = IPAddress.Loopback,
        EchoHost = IPAddress.Loopback,
        BotApi = s_nobody,
    };

    static ModuleRun RunOf(SimulateDestinations destinations, int? size = null, string scope = "") =>
        new() { Destinations = destinations, Random = new Random(1), Size = size, Scope = scope, Last = true };

    static IPEndPoint Listen(out TcpListener listener)
    {
        listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    static string[] Dry(SimulateOptions options)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        Assert.Equal(0, SimulateCommand.Run(options with { Dry = true }, output, error, CancellationToken.None));
        Assert.Equal("", error.ToString());
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public void A_generated_name_is_letters_with_exactly_one_digit_and_all_have_one_length()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            IReadOnlyList<string> names = DgaModule.Names(new Random(seed), DgaModule.NameCount);
            Assert.Equal(15, names.Count);
            Assert.All(names, name => Assert.Matches(new Regex(@"\A[a-z]*[0-9][a-z]*\.(com|net|biz|top|info|xyz|space)\z"), name));
            int length = names[0].IndexOf('.');
            Assert.InRange(length, 7, 10);
            Assert.All(names, name => Assert.Equal(length, name.IndexOf('.')));
            Assert.InRange(names.Select(name => name[name.IndexOf('.')..]).Distinct().Count(), 1, 3);
        }
    }

    [Fact]
    public void A_tunnel_name_carries_thirty_letters()
    {
        var random = new Random(7);
        var names = Enumerable.Range(0, 50).Select(_ => TunnelDnsModule.Name(random)).ToList();
        Assert.All(names, name => Assert.Matches(new Regex(@"\A[a-z]{30}\.sandbox\.alphasoc\.xyz\z"), name));
        Assert.Equal(50, names.Distinct().Count());
    }

    [Fact]
    public void The_scan_tries_its_ports_in_the_simulators_order() => Assert.Equal(
        [21, 22, 23, 25, 80, 88, 111, 135, 139, 143, 389, 443, 445, 1433, 1521, 3306, 3389, 5432, 5900, 6000, 8443], ScanModule.Ports);

    [Fact]
    public void The_hosts_of_a_scan_are_ten_of_one_network_ascending_and_distinct()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var last = ScanModule.ChooseHosts(new Random(seed), IPAddress.Parse("203.0.113.0"), ScanModule.HostCount).Select(host =>
            {
                byte[] bytes = host.GetAddressBytes();
                Assert.Equal([203, 0, 113], bytes[..3]);
                return bytes[3];
            }).ToList();
            Assert.Equal(10, last.Count);
            Assert.Equal(last.Distinct().Order(), last);
        }
    }

    [Fact]
    public void The_miner_says_72_bytes()
    {
        byte[] line = MinerModule.SubscribeLine();
        Assert.Equal(72, line.Length);
        Assert.Equal("{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}\n", Encoding.ASCII.GetString(line));
    }

    [Fact]
    public async Task The_miner_reads_the_pools_first_line_and_leaves()
    {
        using var pool = new TcpListener(IPAddress.Loopback, 0);
        pool.Start();
        Task<string> heard = Task.Run(async () =>
        {
            using TcpClient client = await pool.AcceptTcpClientAsync();
            byte[] buffer = new byte[72];
            await client.GetStream().ReadExactlyAsync(buffer);
            await client.GetStream().WriteAsync("{\"id\":1}\n"u8.ToArray());
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]));
            return Encoding.ASCII.GetString(buffer);
        });
        string said = await MinerModule.RunAsync(RunOf(Loopback((IPEndPoint)pool.LocalEndpoint)), CancellationToken.None);
        Assert.Contains("mining.subscribe", await heard.WaitAsync(TimeSpan.FromSeconds(5)), StringComparison.Ordinal);
        Assert.Equal("mining.subscribe to 1 pools, 1 answered", said);
    }

    [Fact]
    public async Task A_host_that_is_done_early_waits_out_its_time_except_the_very_last()
    {
        Assert.InRange(await RoundAsync(RunOf(Loopback())), 290, 10_000);
        Assert.InRange(await RoundAsync(RunOf(Loopback()), follows: true), 440, 10_000);
    }

    [Fact]
    public async Task What_one_slot_is_late_the_next_make_good()
    {
        // Without that the last would begin 2,600 ms behind the first. A busy machine may be late by itself, hence three tries.
        var last = new List<double>();
        for (int attempt = 0; attempt < 3 && !last.Exists(start => start < 2_500); attempt++)
        {
            long begin = TimeProvider.System.GetTimestamp();
            int visits = 0;
            await ModuleRun.SlotsAsync(6, TimeSpan.FromMilliseconds(400), async (i, stop) =>
            {
                visits++;
                if (i == 1) Thread.Sleep(1_000);
                if (i == 5) last.Add(TimeProvider.System.GetElapsedTime(begin).TotalMilliseconds);
                await Task.Delay(Timeout.Infinite, stop);
            }, CancellationToken.None);
            Assert.Equal(6, visits);
        }
        Assert.Contains(last, start => start is >= 1_900 and < 2_500);
    }

    [Fact]
    public async Task Fast_waits_for_no_host()
    {
        var run = new ModuleRun { Destinations = Loopback(), Random = new Random(1), Fast = true };
        Assert.InRange(await RoundAsync(run, TimeSpan.FromSeconds(10)), 0, 9_000);
    }

    static async Task<double> RoundAsync(ModuleRun run, TimeSpan? each = null, bool follows = false)
    {
        long begin = TimeProvider.System.GetTimestamp();
        int visits = 0;
        await run.EachHostAsync(["a", "b", "c"], each ?? TimeSpan.FromMilliseconds(150), (_, _) => { visits++; return Task.CompletedTask; }, CancellationToken.None, follows);
        Assert.Equal(3, visits);
        return TimeProvider.System.GetElapsedTime(begin).TotalMilliseconds;
    }

    [Fact]
    public async Task An_irc_bot_logs_in_and_leaves_at_the_welcome()
    {
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener irc = listener;
        Task<string[]> heard = Task.Run(async () =>
        {
            using TcpClient client = await irc.AcceptTcpClientAsync();
            NetworkStream stream = client.GetStream();
            var lines = new List<string>();
            for (int i = 0; i < 4; i++) lines.Add(await ModuleRun.ReadLineAsync(stream, CancellationToken.None) ?? "");
            await stream.WriteAsync(":irc CAP * LS :sasl\r\nPING :17\r\n"u8.ToArray());
            for (int i = 0; i < 2; i++) lines.Add(await ModuleRun.ReadLineAsync(stream, CancellationToken.None) ?? "");
            await stream.WriteAsync(":irc 001 nick :Welcome\r\n"u8.ToArray());
            Assert.Null(await ModuleRun.ReadLineAsync(stream, CancellationToken.None));
            return lines.ToArray();
        });
        string said = await IrcModule.RunAsync(RunOf(Loopback() with { Irc = Servers(server) }), CancellationToken.None);
        string[] lines = await heard.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Matches(@"\APASS password[0-9a-f]{8}\z", lines[0]);
        Assert.Equal("CAP LS 302", lines[1]);
        Assert.Matches(@"\ANICK nick[0-9a-f]{5}\z", lines[2]);
        Assert.Matches(@"\AUSER (user[0-9a-f]{5}) \* \* \1\z", lines[3]);
        Assert.Equal(["CAP END", "PONG :17"], lines[4..]);
        Assert.Equal("log-ins to 0 IRC servers by name and 1 by address, 1 welcomed", said);
    }

    [Fact]
    public async Task The_demos_irc_server_welcomes_the_bot()
    {
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener irc = listener;
        Task serving = Task.Run(async () =>
        {
            using TcpClient client = await irc.AcceptTcpClientAsync();
            await IrcServer.ServeAsync(client.GetStream(), CancellationToken.None);
        });
        string said = await IrcModule.RunAsync(RunOf(Loopback() with { Irc = Servers(server) }), CancellationToken.None);
        await serving.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.EndsWith("1 welcomed", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clear_text_port_gets_a_thousand_bytes_and_no_more()
    {
        // The module's ports are fixed and low: what it says to one is seen through its own connection.
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener sink = listener;
        Task<long> heard = Task.Run(async () =>
        {
            using TcpClient client = await sink.AcceptTcpClientAsync();
            using var all = new MemoryStream();
            await client.GetStream().CopyToAsync(all);
            return all.Length;
        });
        byte[] block = new byte[CleartextModule.BlockLength];
        await RunOf(Loopback()).ConnectAsync(server, (stream, stop) => stream.WriteAsync(block, stop).AsTask(), CancellationToken.None);
        Assert.Equal(1000, await heard.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal([21, 23, 110, 143, 873], CleartextModule.Ports);
    }

    [Fact]
    public async Task A_listed_server_is_connected_to_without_a_byte()
    {
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener sink = listener;
        Task<int> heard = Task.Run(async () =>
        {
            using TcpClient client = await sink.AcceptTcpClientAsync();
            return await client.GetStream().ReadAsync(new byte[1]);
        });
        Assert.Equal("0 DNS queries for 0 listed domains, 1 TCP connects to listed addresses",
            await ListedModule.RunSinkAsync(RunOf(Loopback() with { Sinkholes = Servers(server) }), CancellationToken.None));
        Assert.Equal(0, await heard.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_family_takes_its_own_from_the_list()
    {
        var list = new DestinationList([.. DestinationLists.Parse(["a.example\temotet", "b.example\tqakbot", "192.0.2.1:8080\temotet"], 0)]);
        Assert.Equal(["a.example"], list.Domains("Emotet"));
        Assert.Equal([new IPEndPoint(IPAddress.Parse("192.0.2.1"), 8080)], list.Servers("emotet"));
        Assert.Equal(2, list.Domains().Length);
    }

    [Fact]
    public void An_echo_is_1427_bytes_with_a_checksum_that_holds_and_differs_each_time()
    {
        var random = new Random(1);
        byte[] payload = TunnelIcmpModule.Payload(random);
        Assert.Equal(1419, payload.Length);
        Assert.StartsWith("alphasoc-flightsim:", Encoding.ASCII.GetString(payload), StringComparison.Ordinal);
        byte[] echo = IcmpEcho.Request(0x1234, 79, payload);
        Assert.Equal(1427, echo.Length);
        Assert.Equal(new byte[] { 8, 0 }, echo[..2]);
        Assert.Equal(new byte[] { 0x12, 0x34, 0, 79 }, echo[4..8]);
        Assert.Equal(0, IcmpEcho.Checksum(echo));
        Assert.NotEqual(payload, TunnelIcmpModule.Payload(random));
    }

    [Fact]
    public void A_reply_is_known_by_its_numbers()
    {
        byte[] reply = [0x45, .. new byte[19], .. IcmpEcho.Request(7, 8, "x"u8)];
        Assert.False(IcmpEcho.IsReply(reply, 7, 8));
        reply[20] = 0;
        Assert.True(IcmpEcho.IsReply(reply, 7, 8));
        Assert.False(IcmpEcho.IsReply(reply, 7, 9));
        Assert.False(IcmpEcho.IsReply(reply, 6, 8));
        for (int length = 0; length < 28; length++) Assert.False(IcmpEcho.IsReply(reply.AsSpan(0, length), 7, 8));
    }

    [Fact]
    public void A_testing_name_carries_33_letters() =>
        Assert.Matches(new Regex(@"\A[a-z]{33}\.oast\.fun\z"), OastModule.Name(new Random(1), "oast.fun"));

    [Fact]
    public void A_relays_name_is_made_up_of_base32() =>
        Assert.All(Enumerable.Range(0, 100), seed => Assert.Matches(new Regex(@"\Awww\.[a-z2-7]{8,20}\.com\z"), TorModule.ServerName(new Random(seed))));

    [Theory]
    [InlineData("200MB", 209_715_200)]
    [InlineData("1gb", 1_073_741_824)]
    [InlineData("512", 512)]
    [InlineData("", -1)]
    [InlineData("MB", -1)]
    [InlineData("0MB", -1)]
    [InlineData("5TB", -1)]
    [InlineData("99999999GB", -1)]
    [InlineData("1.5GB", -1)]
    public void A_volume_is_a_number_with_a_unit(string text, long bytes)
    {
        Assert.Equal(bytes >= 0, SshModule.TryReadSize(text, out long read));
        if (bytes >= 0) Assert.Equal(bytes, read);
    }

    [Fact]
    public async Task An_upload_says_its_banner_and_what_it_offers_and_then_sends_its_volume()
    {
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener sink = listener;
        using var copy = new MemoryStream();
        Task serving = Task.Run(async () =>
        {
            using TcpClient client = await sink.AcceptTcpClientAsync();
            await SshSink.ServeAsync(new RecordingStream(client.GetStream(), copy), CancellationToken.None);
        });
        const int Volume = (3 << 20) + 5;
        long sent = 0;
        await RunOf(Loopback()).ConnectAsync(server, (stream, stop) => SshModule.TalkAsync(stream, Volume, new Random(1), count => sent += count, stop), CancellationToken.None)
            .WaitAsync(TimeSpan.FromSeconds(30));
        await serving.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(Volume, sent);
        byte[] said = copy.ToArray();
        Assert.InRange(said.Length, Volume, Volume + (64 * 1024));
        Assert.StartsWith("SSH-2.0-Go\r\n", Encoding.ASCII.GetString(said, 0, 12), StringComparison.Ordinal);
        byte[] offer = (await SshWire.ReadAsync(new MemoryStream(said[12..]), @sealed: false, CancellationToken.None))!;
        Assert.Equal(SshWire.KexInit, offer[0]);
        Assert.StartsWith("curve25519-sha256,", Encoding.ASCII.GetString(offer, 21, 60), StringComparison.Ordinal);
        // Cookie, ten lists with their lengths, no guess, four reserved bytes.
        Assert.Equal(1 + 16 + SshWire.GoAlgorithms.Sum(list => 4 + list.Length) + 5, offer.Length);
    }

    [Fact]
    public async Task An_upload_does_not_wait_for_a_sink_that_keeps_silent()
    {
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener sink = listener;
        Task<long> serving = Task.Run(async () =>
        {
            using TcpClient client = await sink.AcceptTcpClientAsync();
            byte[] buffer = new byte[1 << 16];
            long all = 0;
            for (int read; (read = await client.GetStream().ReadAsync(buffer)) > 0; all += read) { }
            return all;
        });
        await RunOf(Loopback()).ConnectAsync(server, (stream, stop) => SshModule.TalkAsync(stream, 4 << 20, new Random(1), _ => { }, stop), CancellationToken.None)
            .WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(await serving.WaitAsync(TimeSpan.FromSeconds(10)), 4 << 20, (4 << 20) + (64 * 1024));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(500)]
    public async Task A_packet_in_the_clear_is_a_multiple_of_eight_and_comes_back_whole(int length)
    {
        byte[] payload = new byte[length];
        new Random(1).NextBytes(payload);
        byte[] packet = SshWire.Packet(payload);
        Assert.Equal(0, packet.Length % 8);
        Assert.InRange(packet[4], 4, 11);
        Assert.Equal(payload, await SshWire.ReadAsync(new MemoryStream(packet), @sealed: false, CancellationToken.None));
    }

    [Fact]
    public async Task A_telegram_bot_names_the_api_in_its_hello_and_asks_three_things()
    {
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener api = listener;
        var site = new Site(TelegramBotModule.Host, IPAddress.Loopback, null, OnlyTls12: false);
        using var certificate = WebServer.MakeCertificate(site, TimeProvider.System);
        Task serving = Task.Run(async () =>
        {
            using TcpClient client = await api.AcceptTcpClientAsync();
            await WebServer.ServeTlsAsync(client.GetStream(), site, certificate, CancellationToken.None);
        });
        string said = await TelegramBotModule.RunAsync(RunOf(Loopback() with { BotApi = server }), CancellationToken.None);
        await serving.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        Assert.Equal($"3 requests to api.telegram.org at {server}", said);
    }

    [Fact]
    public void A_dry_run_of_everything_says_it_host_by_host()
    {
        string[] lines = Dry(new SimulateOptions { Seed = 1 });
        string[] named = [.. lines.Where(line => line[0] != ' ').Select(line => line.Split(':')[0])];
        Assert.Equal(SimulateModules.All.Where(module => !module.Experimental).Select(module => module.Name), named);
        Assert.Contains("  look up panel.cobalt-sample.example (A, AAAA)", lines);
        Assert.Contains("  connect to 127.0.0.1:4444, send nothing", lines);
        Assert.Contains("  send mining.subscribe to 127.0.0.1:3333", lines);
        Assert.Contains("  look up icmp.sandbox-services.alphasoc.xyz and send an echo of 1419 bytes to 127.0.0.1, 80 times", lines);
        Assert.Contains(lines, line => line.StartsWith("  look up ssh.sandbox-services.alphasoc.xyz (A, AAAA), send 209715200 bytes in 2 SSH connections to 127.0.0.1:", StringComparison.Ordinal));
        Assert.Equal(10, lines.Count(line => line.StartsWith("  connect to 21 TCP ports", StringComparison.Ordinal)));
        Assert.Equal(10, lines.Count(line => line.Contains("ask for the MX", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_dry_run_sends_nothing()
    {
        IPEndPoint server = Listen(out TcpListener listener);
        using TcpListener sink = listener;
        using var resolver = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var destinations = Loopback(server) with
        {
            Resolver = (IPEndPoint)resolver.Client.LocalEndPoint!, HijackResolver = (IPEndPoint)resolver.Client.LocalEndPoint!, BotApi = server,
            C2 = Servers(server), Sinkholes = Servers(server), Irc = Servers(server), TorRelays = Servers(server),
        };
        Dry(new SimulateOptions { Modules = [.. SimulateModules.All.Select(module => module.Name)], Destinations = destinations });
        Assert.False(listener.Pending());
        Assert.Equal(0, resolver.Available);
    }

    [Fact]
    public void A_size_is_the_number_of_hosts() => Assert.Equal(3, Dry(new SimulateOptions { Modules = ["dga"], Size = 3 }).Count(line => line[0] == ' '));

    [Fact]
    public void More_listed_hosts_than_asked_for_are_sampled()
    {
        int[] all = [.. Enumerable.Range(0, 100)];
        int[] chosen = RunOf(Loopback()).Choose(all, 10);
        Assert.Equal(10, chosen.Distinct().Count());
        Assert.NotEqual(all[..10], chosen);
        Assert.Equal(all, RunOf(Loopback()).Choose(all, 100));
    }

    [Theory]
    [InlineData("tunnel", "tunnel-dns tunnel-icmp")]
    [InlineData("ssh", "ssh-exfil ssh-transfer")]
    [InlineData("ssh-exfil:50MB", "ssh-exfil")]
    [InlineData("c2", "c2")]
    [InlineData("t", "telegram-bot tunnel-dns tunnel-icmp")]
    [InlineData("tor", "tor")]
    public void The_beginning_of_a_name_runs_its_family_and_experiments_only_by_name(string word, string modules) =>
        Assert.Equal(modules, string.Join(' ', SimulateModules.Find([word], out _)!.Select(found => found.Module.Name)));

    [Theory]
    [InlineData("dga:7", "dga takes no scope, so nothing may stand behind its colon")]
    [InlineData("ssh-exfil:lots", "ssh-exfil:lots: behind the colon stands a size such as 50MB or 1GB")]
    [InlineData("c2:", "c2: behind the colon stands a family that the lists name")]
    public void A_wrong_scope_is_wrong_usage(string word, string complaint)
    {
        var error = new StringWriter();
        Assert.Equal(2, SimulateCommand.Run(new SimulateOptions { Modules = [word] }, TextWriter.Null, error, CancellationToken.None));
        Assert.Equal($"nfr simulate: {complaint}", error.ToString().TrimEnd());
    }

    [Fact]
    public void With_a_yes_and_no_lists_connections_go_to_documentation_addresses_alone()
    {
        SimulateDestinations? chosen = SimulateDestinations.Choose(
            new SimulateOptions { Consent = true, Resolver = new IPEndPoint(IPAddress.Parse("192.0.2.53"), 53), Size = 60 }, new Random(1), out string refusal);
        Assert.NotNull(chosen);
        Assert.Equal("", refusal);
        Assert.All(chosen.Addresses, address => Assert.Matches(@"\A(192\.0\.2|198\.51\.100|203\.0\.113)\.", address.ToString()));
    }

    [Fact]
    public void Lists_of_a_folder_are_known_by_their_names_and_need_a_target_or_a_yes()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-lists-").FullName;
        try
        {
            File.WriteAllLines(Path.Combine(folder, "c2_indicators.tsv"), ["# comment", "198.51.100.9:8080\temotet", "evil.example/path/\temotet", "!!! broken", "", "0.0.0.0 hosts.example"]);
            File.WriteAllLines(Path.Combine(folder, "feodo.csv"), ["\"2024-01-01 00:00:00\",\"198.51.100.10\",\"447\",\"online\""]);
            File.WriteAllLines(Path.Combine(folder, "notes.txt"), ["not.a.list.example"]);
            var options = new SimulateOptions { Feeds = folder };
            Assert.NotNull(SimulateDestinations.Choose(options, new Random(1), out _));
            SimulateDestinations listed = SimulateDestinations.Choose(options with { Consent = true }, new Random(1), out _)!;
            Assert.Equal(["198.51.100.9:8080", "198.51.100.10:447"], listed.C2.Servers().Select(server => server.ToString()));
            Assert.Equal(["evil.example", "hosts.example"], listed.C2.Domains());
            Assert.Equal(SampleFeeds.Sinkholes, listed.Sinkholes);
            SimulateDestinations mine = SimulateDestinations.Choose(options with { Targets = [IPAddress.Parse("192.0.2.7")], Resolver = s_nobody }, new Random(1), out _)!;
            Assert.Equal(["192.0.2.7:8080", "192.0.2.7:447"], mine.C2.Servers().Select(server => server.ToString()));
            Assert.Null(SimulateDestinations.Choose(options with { Feeds = Path.Combine(folder, "notes.txt") }, new Random(1), out string nothing));
            Assert.Contains("notes.txt: no list in it", nothing, StringComparison.Ordinal);
            Assert.Null(SimulateDestinations.Choose(options with { Feeds = Path.Combine(folder, "absent") }, new Random(1), out string absent));
            Assert.Contains("absent", absent, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("10.0.0.1")]
    [InlineData("2001:db8::1")]
    public void Without_a_target_nothing_leaves_loopback(string resolver)
    {
        var error = new StringWriter();
        var output = new StringWriter();
        var options = new SimulateOptions { Modules = ["dga"], Resolver = new IPEndPoint(IPAddress.Parse(resolver), 53) };
        Assert.Equal(1, SimulateCommand.Run(options, output, error, CancellationToken.None));
        Assert.Equal($"nfr simulate: refusing to send to {resolver}: name the addresses you own with --target, or run 'nfr demo' for a network of its own",
            error.ToString().TrimEnd());
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public void Every_default_destination_is_loopback()
    {
        SimulateDestinations? chosen = SimulateDestinations.Choose(new SimulateOptions(), new Random(1), out string refusal);
        Assert.NotNull(chosen);
        Assert.Equal("", refusal);
        Assert.All(chosen.Addresses, address => Assert.True(IPAddress.IsLoopback(address)));
    }

    [Fact]
    public void Without_a_word_names_are_asked_of_no_resolver_that_could_ask_others()
    {
        SimulateDestinations chosen = SimulateDestinations.Choose(new SimulateOptions(), new Random(1), out _)!;
        Assert.Equal((LoopbackResolver.Usual, LoopbackResolver.Other), (chosen.Resolver, chosen.HijackResolver));
        Assert.All(new[] { chosen.Resolver, chosen.HijackResolver }, server => Assert.True(IPAddress.IsLoopback(server.Address) && !server.Address.Equals(IPAddress.Loopback)));
    }

    [Fact]
    public async Task The_resolver_on_loopback_knows_no_name_and_shares_its_address_with_nobody()
    {
        var address = new IPEndPoint(LoopbackResolver.Usual.Address, Listen(out TcpListener free).Port);
        free.Stop();
        Assert.False(LoopbackResolver.IsServed(address));
        using (LoopbackResolver? resolver = LoopbackResolver.Start([address], out string refusal))
        {
            Assert.Equal("", refusal);
            Assert.True(LoopbackResolver.IsServed(address));
            var stub = new StubResolver(address, null, new Random(1));
            DnsReply? reply = await stub.QueryAsync("evil.example", DnsWire.TypeA, TimeSpan.FromSeconds(10), default);
            Assert.Equal((3, 0), (reply!.ResponseCode, reply.Addresses.Count));
            Assert.Null(LoopbackResolver.Start([address], out refusal));
        }
        // A forwarder that listens everywhere.
        using var forwarder = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        forwarder.Bind(new IPEndPoint(IPAddress.Any, address.Port));
        Assert.True(LoopbackResolver.IsServed(address));
        Assert.Null(LoopbackResolver.Start([address], out string why));
        Assert.Contains("--resolver", why, StringComparison.Ordinal);
        forwarder.Dispose();
        using var six = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        six.Bind(new IPEndPoint(IPAddress.IPv6Any, address.Port));
        Assert.True(LoopbackResolver.IsServed(address));
        Assert.Null(LoopbackResolver.Start([address], out _));
    }

    [Fact]
    public void A_target_takes_every_connection()
    {
        IPAddress target = IPAddress.Parse("192.0.2.7");
        var options = new SimulateOptions { Targets = [target], Resolver = new IPEndPoint(target, 53) };
        SimulateDestinations? chosen = SimulateDestinations.Choose(options, new Random(1), out _);
        Assert.NotNull(chosen);
        Assert.All(chosen.Addresses, address => Assert.Equal(target, address));
    }

    [Fact]
    public void An_unknown_module_is_wrong_usage()
    {
        var error = new StringWriter();
        Assert.Equal(2, SimulateCommand.Run(new SimulateOptions { Modules = ["nothing"] }, TextWriter.Null, error, CancellationToken.None));
        Assert.Equal("nfr simulate: no module 'nothing'; there are c2, cleartext, dga, imposter, irc, miner, oast, scan, sink, spambot, ssh-exfil, ssh-transfer, "
            + "telegram-bot, tunnel-dns, tunnel-icmp, hijack, tor", error.ToString().TrimEnd());
    }

    /// <summary>Keeps a copy of what is read.</summary>
    sealed class RecordingStream(Stream inner, MemoryStream copy) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() => inner.Flush();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await inner.ReadAsync(buffer, cancellationToken);
            copy.Write(buffer.Span[..read]);
            return read;
        }
    }
}
