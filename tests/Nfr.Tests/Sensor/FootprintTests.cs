using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Tests.Capture;
using Xunit.Abstractions;

namespace Nfr.Tests.Sensor;

/// <summary>What the sensor takes of a small box: processor and memory.</summary>
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
        TimeSpan before = sensor.ProcessorTime;
        var clock = Stopwatch.StartNew();
        Thread.Sleep(10_000);
        double share = (sensor.ProcessorTime - before) / clock.Elapsed;
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
