using System.Diagnostics;
using System.Globalization;
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
}
