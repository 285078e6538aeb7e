using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Nfr.Tests.Capture;
using Xunit.Abstractions;

namespace Nfr.Tests.Sensor;

/// <summary>
/// Tunnels made by the tools that people use, across a cable between two private networks, with the sensor at the client's end. What a tool carries is the
/// test's own: some kilobytes to a server that sends them back.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class LiveTunnelTests(ITestOutputHelper output)
{
    const string Client = "10.77.0.2", Server = "192.0.2.1", Domain = "t.example.com";
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>The sensor and its network, the network at the other end, and the programs in both; all of it goes with the test.</summary>
    sealed class Bench : IDisposable
    {
        readonly SensorBench _near = new();
        readonly NetworkNamespace _far = new();
        readonly List<Process> _programs = [];
        readonly StringBuilder _said = new();

        public Bench()
        {
            Near.InIp("link", "set", "far", "down");
            Near.InIp("link", "set", "far", "name", "cable");
            Near.InIp("link", "set", "cable", "netns", _far.Name);
            Near.InIp("address", "add", Client + "/24", "dev", "near");
            _far.InIp("address", "add", Server + "/32", "dev", "cable");
            _far.InIp("link", "set", "cable", "up");
            // A server outside: traffic within the house is out of scope.
            Near.InIp("route", "add", Server, "dev", "near");
            _far.InIp("route", "add", Client, "dev", "cable");
            _near.Listen();
            Started = Stopwatch.GetTimestamp();
        }

        public NetworkNamespace Near => _near.Network;
        public NetworkNamespace Far => _far;
        public long Started { get; set; }
        public string In(string name) => _near.In(name);

        public string Said
        {
            get
            {
                lock (_said) return _said.ToString();
            }
        }

        public void Start(NetworkNamespace where, string program, params string[] arguments)
        {
            Process process = Process.Start(new ProcessStartInfo("nsenter", ["--net=/run/netns/" + where.Name, program, .. arguments])
            {
                RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            })!;
            process.OutputDataReceived += (_, e) => Keep(program, e.Data);
            process.ErrorDataReceived += (_, e) => Keep(program, e.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _programs.Add(process);
        }

        void Keep(string program, string? line)
        {
            lock (_said) _said.Append(program).Append(": ").AppendLine(line);
        }

        /// <summary>A service at the far end that sends back what it gets; its port.</summary>
        public int Echo() => _far.Inside(() =>
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            _ = Task.Run(async () =>
            {
                while (true)
                {
                    TcpClient peer = await listener.AcceptTcpClientAsync().ConfigureAwait(false);
                    _ = Task.Run(() => peer.GetStream().CopyToAsync(peer.GetStream()));
                }
            });
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        });

        /// <summary>Sends to a port of the client's own machine, where a tunnel begins, for as long as the test goes on.</summary>
        public void SendThrough(int port)
        {
            var thread = new Thread(() =>
            {
                try
                {
                    Socket socket = Near.Inside(() =>
                    {
                        var s = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                        for (int i = 0; ; i++)
                        {
                            try
                            {
                                s.Connect(IPAddress.Loopback, port);
                                return s;
                            }
                            catch (SocketException) when (i < 50)
                            {
                                Thread.Sleep(200);
                            }
                        }
                    });
                    byte[] data = new byte[512];
                    for (int i = 0; i < 600; i++)
                    {
                        Random.Shared.NextBytes(data);
                        socket.Send(data);
                        Thread.Sleep(200);
                    }
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
                {
                    Keep("sender", e.Message);
                }
            }) { IsBackground = true };
            thread.Start();
        }

        public JsonElement? Alert(string detector)
        {
            foreach (string line in _near.Alerts)
            {
                JsonElement alert = JsonDocument.Parse(line).RootElement;
                if (alert.TryGetProperty("evidence", out JsonElement evidence) && evidence.GetProperty("detector").GetString() == detector) return alert;
            }
            return null;
        }

        public string[] Alerts => _near.Alerts;

        public void Dispose()
        {
            foreach (Process process in _programs)
            {
                if (!process.HasExited) process.Kill(entireProcessTree: true);
                process.WaitForExit(5000);
                process.Dispose();
            }
            _near.Dispose();
            _far.Dispose();
        }
    }

    void Expect(Bench bench, string tool, string detector)
    {
        while (bench.Alert(detector) is null && Stopwatch.GetElapsedTime(bench.Started) < s_limit) Thread.Sleep(100);
        TimeSpan took = Stopwatch.GetElapsedTime(bench.Started);
        JsonElement? alert = bench.Alert(detector);
        if (alert is null) output.WriteLine(bench.Said[..Math.Min(bench.Said.Length, 4000)]);
        Assert.True(alert is not null, $"{tool} was not found within {s_limit.TotalSeconds} s");
        JsonElement evidence = alert.Value.GetProperty("evidence");
        string summary = evidence.GetProperty("summary").GetString()!;
        output.WriteLine($"{tool}: found after {took.TotalSeconds:0.0} s: {summary[..Math.Min(summary.Length, 250)]}");
        Assert.StartsWith(Client + " ", evidence.GetProperty("key").GetString(), StringComparison.Ordinal);
        foreach (JsonElement feature in evidence.GetProperty("features").EnumerateArray())
        {
            if (feature.GetProperty("name").GetString() == "newBytes") Assert.InRange(feature.GetProperty("value").GetDouble(), 1, 2000);
        }
    }

    [ToolTheory("iodine", "iodined")]
    [InlineData("NULL")]
    [InlineData("TXT")]
    [InlineData("CNAME")]
    [InlineData("A")]
    [InlineData("MX")]
    [InlineData("SRV")]
    public void Iodine_is_found(string type)
    {
        using var bench = new Bench();
        bench.Start(bench.Far, "iodined", "-f", "-c", "-P", "secret", "10.99.7.1/24", Domain);
        Thread.Sleep(500);
        bench.Started = Stopwatch.GetTimestamp();
        bench.Start(bench.Near, "iodine", "-f", "-r", "-T", type, "-P", "secret", Server, Domain);
        Expect(bench, $"iodine ({type})", "dns_tunnel");
    }

    [ToolFact("iodine", "iodined", "ping")]
    public void Iodine_that_drops_dns_altogether_is_found()
    {
        using var bench = new Bench();
        bench.Start(bench.Far, "iodined", "-f", "-c", "-P", "secret", "10.99.7.1/24", Domain);
        Thread.Sleep(500);
        bench.Started = Stopwatch.GetTimestamp();
        bench.Start(bench.Near, "iodine", "-f", "-P", "secret", Server, Domain);
        Thread.Sleep(3000);
        bench.Start(bench.Near, "ping", "-i", "0.3", "10.99.7.1");
        Expect(bench, "iodine (raw)", "dns_tunnel");
        if (bench.Said.Contains("directly to", StringComparison.Ordinal)) Assert.Contains(bench.Alerts, a => a.Contains("not_dns", StringComparison.Ordinal));
    }

    [ToolTheory("dns2tcpc", "dns2tcpd")]
    [InlineData("TXT")]
    [InlineData("KEY")]
    public void Dns2tcp_is_found(string type)
    {
        using var bench = new Bench();
        File.WriteAllText(bench.In("dns2tcpd.conf"), $"listen = {Server}\nport = 53\nuser = root\nchroot = /tmp\ndomain = {Domain}\nresources = echo:127.0.0.1:{bench.Echo()}\n");
        bench.Start(bench.Far, "dns2tcpd", "-F", "-f", bench.In("dns2tcpd.conf"));
        Thread.Sleep(500);
        bench.Started = Stopwatch.GetTimestamp();
        bench.Start(bench.Near, "dns2tcpc", "-z", Domain, "-r", "echo", "-l", "2222", "-T", type, Server);
        bench.SendThrough(2222);
        Expect(bench, $"dns2tcp ({type})", "dns_tunnel");
    }

    /// <summary>A command channel that says little: a poll of 17 bytes in hexadecimal a second, and now and then a longer message, in three types; with a domain of its own or without.</summary>
    [ToolTheory("nsenter")]
    [InlineData("c2.example.net")]
    [InlineData("")]
    public void A_command_channel_in_hexadecimal_is_found(string domain)
    {
        using var bench = new Bench();
        using Socket server = bench.Far.Inside(() =>
        {
            var s = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            s.Bind(new IPEndPoint(IPAddress.Parse(Server), 53));
            return s;
        });
        using Socket client = bench.Near.Inside(() =>
        {
            var s = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            s.Connect(IPAddress.Parse(Server), 53);
            return s;
        });
        bench.Started = Stopwatch.GetTimestamp();
        byte[] buffer = new byte[512];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        for (int i = 0; bench.Alert("dns_tunnel") is null && Stopwatch.GetElapsedTime(bench.Started) < s_limit; i++)
        {
            byte[] data = new byte[i % 5 == 4 ? 90 : 17];
            Random.Shared.NextBytes(data);
            IEnumerable<string> labels = Convert.ToHexStringLower(data).Chunk(60).Select(c => new string(c));
            labels = domain.Length == 0 ? ["start", .. labels] : [.. labels, .. domain.Split('.')];
            client.Send(Question(i, string.Join('.', labels), (ushort)(i % 3 == 0 ? 16 : i % 3 == 1 ? 5 : 15)));
            int length = server.ReceiveFrom(buffer, ref from);
            buffer[2] |= 0x80;
            server.SendTo(buffer, length, SocketFlags.None, from);
            client.Receive(buffer);
            Thread.Sleep(500);
        }
        Expect(bench, $"hexadecimal channel ({(domain.Length == 0 ? "no domain" : domain)})", "dns_tunnel");
    }

    static byte[] Question(int id, string name, ushort type)
    {
        var bytes = new List<byte> { (byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (string label in name.Split('.')) bytes.AddRange([(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]);
        bytes.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        return [.. bytes];
    }

    [ToolTheory("ptunnel-ng", "ptunnel")]
    [InlineData("ptunnel-ng")]
    [InlineData("ptunnel")]
    public void Ptunnel_is_found(string tool)
    {
        using var bench = new Bench();
        int port = bench.Echo();
        if (tool == "ptunnel") bench.Start(bench.Far, "ptunnel");
        else bench.Start(bench.Far, "ptunnel-ng", "-r127.0.0.1", $"-R{port}", "-v1", "-o/dev/stdout");
        Thread.Sleep(500);
        bench.Started = Stopwatch.GetTimestamp();
        if (tool == "ptunnel") bench.Start(bench.Near, "ptunnel", "-p", Server, "-lp", "2222", "-da", "127.0.0.1", "-dp", $"{port}");
        else bench.Start(bench.Near, "ptunnel-ng", $"-p{Server}", "-l2222", "-r127.0.0.1", $"-R{port}", "-v1", "-o/dev/stdout");
        bench.SendThrough(2222);
        Expect(bench, tool, "icmp_tunnel");
    }

    [ToolFact("ping")]
    public void Plain_pings_of_any_size_raise_nothing()
    {
        using var bench = new Bench();
        foreach (string size in new[] { "0", "8", "56", "1472", "4000" }) bench.Start(bench.Near, "ping", "-c", "200", "-i", "0.01", "-s", size, Server);
        bench.Start(bench.Near, "ping", "-c", "100", "-i", "0.02", "-p", "deadbeefcafe", "-s", "500", Server);
        Thread.Sleep(8000);
        Assert.Empty(bench.Alerts);
    }

    [ToolFact("fping")]
    public void Pings_of_other_tools_raise_nothing()
    {
        using var bench = new Bench();
        bench.Start(bench.Near, "fping", "-c", "200", "-p", "20", "-b", "200", Server);
        bench.Start(bench.Near, "fping", "-c", "200", "-p", "20", "-b", "1200", Server);
        Thread.Sleep(7000);
        Assert.Empty(bench.Alerts);
    }
}

/// <summary>A test on a real cable with programs of others; skipped with its reason where the one or the other is missing.</summary>
sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] programs)
    {
        Programs = programs;
        Skip = WhyNot(programs);
    }

    public string[] Programs { get; }

    internal static string? WhyNot(string[] programs)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin").Split(':');
        string[] missing = [.. programs.Where(p => !folders.Any(f => File.Exists(Path.Combine(f, p))))];
        return missing.Length > 0 ? $"needs {string.Join(", ", missing)}" : NetworkNamespace.WhyNot;
    }
}

/// <inheritdoc cref="ToolFactAttribute"/>
sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(params string[] programs)
    {
        Programs = programs;
        Skip = ToolFactAttribute.WhyNot(programs);
    }

    public string[] Programs { get; }
}
