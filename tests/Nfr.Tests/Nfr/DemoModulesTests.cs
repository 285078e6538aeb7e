using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Nfr.Simulate;

namespace Nfr.Tests;

/// <summary>What the simulated modules put on the wire.</summary>
public class DemoModulesTests
{
    static SimulateDestinations Loopback(params IPEndPoint[] pools) => new()
    {
        Resolver = new IPEndPoint(IPAddress.Loopback, 53),
        ScanHosts = [IPAddress.Loopback],
        C2Domains = ["c2.example"],
        C2Endpoints = [],
        Pools = pools,
        CleartextHost = IPAddress.Loopback,
    };

    static ModuleRun RunOf(SimulateDestinations destinations) => new() { Destinations = destinations, Random = new Random(1), Last = true };

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
        var run = RunOf(Loopback());
        long begin = TimeProvider.System.GetTimestamp();
        int visits = 0;
        await run.EachHostAsync(3, TimeSpan.FromMilliseconds(150), last: true, (_, _) => { visits++; return Task.CompletedTask; }, CancellationToken.None);
        Assert.Equal(3, visits);
        Assert.InRange(TimeProvider.System.GetElapsedTime(begin).TotalMilliseconds, 290, 10_000);
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
        Assert.Equal("nfr simulate: no module 'nothing'; there are scan, dga, tunnel-dns, c2, miner, cleartext", error.ToString().TrimEnd());
    }
}
