using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Tests.Capture;
using Nfr.Tests.Logs.Elastic;
using Xunit.Abstractions;

namespace Nfr.Tests.Sensor;

/// <summary>What the sensor takes of a small box: processor and memory.</summary>
[Collection(AloneCollection.Name)]
public sealed class FootprintTests(ITestOutputHelper output)
{
    const double MostMemory = 160;

    [CableFact]
    public void On_a_quiet_port_it_takes_less_than_two_percent_of_a_core_for_ten_seconds()
    {
        using var bench = new SensorBench();
        NfrProcess sensor = bench.Listen();
        // The start and its compilation are over.
        Thread.Sleep(2000);
        double share = double.MaxValue;
        // What it takes while it is idle it takes in each of them; on a busy machine the first has the end of the start.
        for (int i = 0; i < 3 && share >= 0.02; i++)
        {
            TimeSpan before = sensor.ProcessorTime;
            var clock = Stopwatch.StartNew();
            Thread.Sleep(10_000);
            share = Math.Min(share, (sensor.ProcessorTime - before) / clock.Elapsed);
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"idle: {share:P2} of a core, {sensor.Memory():0} MiB resident"));
        Assert.True(share < 0.02, $"{share:P2} of a core");
        Assert.True(sensor.Memory() < MostMemory);
    }

    [CableFact]
    public void Under_load_its_memory_stays_below_160_MiB()
    {
        using var bench = new SensorBench();
        NfrProcess sensor = bench.Listen();
        double before = sensor.Memory();
        TimeSpan time = sensor.ProcessorTime;
        using (var load = new DnsLoad(bench.Network, 3000))
        {
            // 24,000 flows and names, all alive: ten times the demo's.
            sensor.Until(() => load.Sent > 24_000, "24,000 questions");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"at its start {before:0} MiB, under load {sensor.Memory():0} MiB resident (peak {sensor.Memory("VmHWM"):0}, anonymous {sensor.Memory("RssAnon"):0}, files {sensor.Memory("RssFile"):0}, shared {sensor.Memory("RssShmem"):0}), {(sensor.ProcessorTime - time).TotalSeconds:0.0} s of processor for {2 * load.Sent} packets"));
        }
        Assert.True(sensor.Memory("VmHWM") <= MostMemory, $"{sensor.Memory("VmHWM"):0} MiB at its peak");
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
    }

    [CableFact]
    public async Task With_packets_eight_logs_syslog_and_searches_at_once_its_memory_stays_below_160_MiB()
    {
        const int Lines = 20_000, Documents = 1000, Datagrams = 2000, Questions = 4000;
        using var bench = new SensorBench();
        await using SearchServer cluster = await new SearchServer(TimeProvider.System) { ChecksApi = false }.ListenAsync(listener: bench.Listener());
        string[] logs = [.. Enumerable.Range(0, 8).Select(i => bench.In($"{i}.log"))];
        string[] formats = ["suricata", "bind", "zeek"];
        bench.Configure(sniffer: $"""
                interface: near
              monitor:
            {string.Join('\n', logs.Select((l, i) => $"  - {{file: {l}, format: {formats[i % 3]}}}"))}
              syslog:
              - {"{"}listen: "127.0.0.1:5514", protocol: udp{"}"}
              elastic:
                enabled: true
                hosts: [{cluster.Host}]
                username: elastic
                password: changeme
                searches:
                - {"{"}event_type: dns, indices: [packetbeat-*], index_schema: ecs, poll_interval: 1{"}"}
                - {"{"}event_type: ip, indices: [packetbeat-*], index_schema: ecs, poll_interval: 1{"}"}
            """);
        for (int i = 0; i < logs.Length; i++) File.WriteAllText(logs[i], i % 3 == 2 ? FollowedSensorTests.ConnHeader : "");
        NfrProcess sensor = bench.Start();
        sensor.Expect("events wait in it");
        double before = sensor.Memory();
        using var sender = bench.Network.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        var port = new IPEndPoint(IPAddress.Loopback, 5514);
        long sent;
        using (var load = new DnsLoad(bench.Network, 1000))
        {
            for (int line = 0, document = 0; line < Lines || load.Sent < Questions; line += 200)
            {
                for (int i = 0; i < logs.Length && line < Lines; i++)
                    File.AppendAllText(logs[i], string.Concat(Enumerable.Range(line, 200).Select(n => (i % 3) switch { 0 => ReadLogTests.Flow(n), 1 => ReadLogTests.Query(n), _ => FollowedSensorTests.Conn(n) })));
                for (int n = 0; n < Datagrams / (Lines / 200); n++) sender.SendTo(Encoding.UTF8.GetBytes("<134>Nov 21 12:00:00 ns1 named[7]: " + ReadLogTests.Query(line + n)["21-Nov-2026 12:00:00.123 ".Length..].TrimEnd()), port);
                for (int n = 0; n < Documents / (Lines / 200); n++) SearchedSensorTests.Add(cluster, document++, visible: true);
                Thread.Sleep(20);
            }
            sent = load.Sent;
        }
        // What is sent after this would only make a slow machine's sensor larger.
        JsonElement[] inputs = [];
        sensor.Until(() =>
        {
            Ended asked = NfrProcess.Run(["status", "--json", "-c", bench.ConfigPath]);
            if (asked.Output.Length == 0) return false;
            using JsonDocument status = JsonDocument.Parse(asked.Output);
            inputs = [.. status.RootElement.GetProperty("inputs").EnumerateArray().Select(i => i.Clone())];
            // Datagrams may be dropped where the machine is slow; what lies in files and in a cluster waits.
            return inputs.Count(i => i.GetProperty("lines").GetInt64() >= Lines) == logs.Length && inputs.Count(i => i.GetProperty("lines").GetInt64() > 0) == logs.Length + 3;
        }, () => $"every line: {string.Join(' ', inputs.Select(i => i.GetProperty("lines").GetInt64()))}", NfrProcess.Patience * 3);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"at its start {before:0} MiB; {logs.Length} logs, syslog, two searches and {sent} questions: {sensor.Memory():0} MiB resident (peak {sensor.Memory("VmHWM"):0}, anonymous {sensor.Memory("RssAnon"):0}, files {sensor.Memory("RssFile"):0}, shared {sensor.Memory("RssShmem"):0}), {sensor.ProcessorTime.TotalSeconds:0.0} s of processor"));
        Assert.True(sensor.Memory("VmHWM") <= MostMemory, $"{sensor.Memory("VmHWM"):0} MiB at its peak");
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
    }

    [CableFact]
    public void A_flood_of_more_flows_than_the_table_holds_stays_below_160_MiB_and_is_accounted_for()
    {
        const int flows = 200_000;
        using var bench = new SensorBench();
        // The export is followed by a few hundred commits; how fast a disk syncs is not what is tested.
        bench.Mount(megabytes: 128);
        NfrProcess sensor = bench.Listen();
        using (Socket far = bench.Network.Sender("far"))
        {
            byte[] request = [.. "GET / HTTP/1.1\r\nHost: unfinished.example\r\nCookie: "u8, .. Enumerable.Repeat((byte)'a', 900)];
            for (int i = 0; i < flows; i++)
            {
                string client = $"10.{i / 50_000}.{i / 200 % 250}.{1 + i % 200}";
                far.Send(Frames.Tcp(client, 1024 + i % 60_000, "192.0.2.1", 80, Frames.Syn));
                far.Send(Frames.Tcp(client, 1024 + i % 60_000, "192.0.2.1", 80, Frames.Ack | Frames.Push, 2, request));
                // As fast as an office line, not as fast as memory.
                if (i % 200 == 0) Thread.Sleep(5);
            }
        }
        Thread.Sleep(500);
        double peak = sensor.Memory("VmHWM");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{flows} flows: peak {peak:0} MiB (anonymous {sensor.Memory("RssAnon"):0}, files {sensor.Memory("RssFile"):0}, shared {sensor.Memory("RssShmem"):0}), {sensor.ProcessorTime.TotalSeconds:0.0} s of processor"));
        var clock = Stopwatch.StartNew();
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"drained in {clock.Elapsed.TotalSeconds:0.0} s"));
        output.WriteLine(end.Output);
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        // A full table is exported and spooled, every flow of it.
        Assert.DoesNotContain("dropped, pipeline behind", end.Output, StringComparison.Ordinal);
        using (Spool spool = bench.OpenSpool()) Assert.Equal(flows, spool.Counters.Of(EventType.Ip).InSpool);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5.5), $"the drain took {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.True(peak <= MostMemory, $"{peak:0} MiB");
    }
}
