using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Tests.Capture;
using Nfr.Tests.Uplink;
using Nfr.Tests.Storage;

namespace Nfr.Tests.Sensor;

/// <summary>"nfr start" as its users run it: the real program on a real cable.</summary>
public sealed class LiveSensorTests
{
    static string[] Lines(Spool spool, EventType type)
    {
        List<string> lines = [];
        while (spool.Peek(type, 10_000, 8 << 20) is { } batch)
        {
            lines.AddRange(batch.Lines().Select(l => Encoding.UTF8.GetString(l.Span)));
            Assert.Null(spool.Delivered(type, batch.LastSequence));
        }
        return [.. lines];
    }

    static long OnTheCard(SensorBench bench)
    {
        using JsonDocument status = JsonDocument.Parse(NfrProcess.Run(["status", "--json", "-c", bench.ConfigPath]).Output);
        return status.RootElement.GetProperty("run").GetProperty("interfaces").GetProperty("near").GetProperty("nicPackets").GetInt64();
    }

    [CableFact]
    public void One_direction_of_mirrored_traffic_between_strangers_still_gives_ip_events()
    {
        using var bench = new SensorBench();
        using Socket far = bench.Network.Sender("far");
        NfrProcess sensor = bench.Listen();
        for (int i = 0; i < 30; i++)
        {
            // Only what the clients say; one in three connections began before we listened.
            if (i % 3 != 0) far.Send(Frames.Tcp("10.0.0.5", 40_000 + i, "192.0.2.1", 443, Frames.Syn));
            far.Send(Frames.Tcp("10.0.0.5", 40_000 + i, "192.0.2.1", 443, Frames.Ack | Frames.Push, 2, "hello"u8));
            // Only what a server says.
            far.Send(Frames.Tcp("192.0.2.2", 8080, "10.0.0.6", 50_000 + i, Frames.Ack | Frames.Push, 2, "hello"u8));
        }
        Thread.Sleep(300);
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        using Spool spool = bench.OpenSpool();
        string[] events = Lines(spool, EventType.Ip);
        Assert.Equal(60, events.Length);
        Assert.Equal(30, events.Count(e => e.Contains("\"srcIP\":\"10.0.0.5\"", StringComparison.Ordinal) && e.Contains("\"destIP\":\"192.0.2.1\",\"destPort\":443", StringComparison.Ordinal)));
        Assert.Equal(30, events.Count(e => e.Contains("\"srcIP\":\"10.0.0.6\"", StringComparison.Ordinal) && e.Contains("\"destIP\":\"192.0.2.2\",\"destPort\":8080", StringComparison.Ordinal)));
    }

    [CableTheory]
    [InlineData(NfrProcess.Terminate)]
    [InlineData(NfrProcess.Interrupt)]
    public void A_signal_drains_live_flows_into_the_spool(int signal)
    {
        using var bench = new SensorBench();
        NfrProcess sensor = bench.Listen();
        using var load = new DnsLoad(bench.Network, 800);
        sensor.Until(() => load.Sent > 1000, "a thousand questions");
        load.Stop();
        Thread.Sleep(100);
        var clock = Stopwatch.StartNew();
        sensor.Signal(signal);
        Ended end = sensor.End();
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"the drain took {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        using Spool spool = bench.OpenSpool();
        Assert.False(spool.OpenReport.AfterUncleanStop);
        Assert.Equal(load.Sent, spool.Counters.Of(EventType.Dns).InSpool);
        // A flow for each question, all of them alive when the signal came.
        Assert.Equal(load.Sent, spool.Counters.Of(EventType.Ip).InSpool);
        Assert.Equal(load.Sent, Lines(spool, EventType.Dns).Distinct().Count());
    }

    [CableTheory]
    [InlineData(NfrProcess.Terminate, 143)]
    [InlineData(NfrProcess.Interrupt, 130)]
    public async Task A_second_signal_stops_at_once(int signal, int code)
    {
        using var bench = new SensorBench();
        await using EngineServer engine = await bench.EngineAsync();
        var upload = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Answer = async (context, request) =>
        {
            if (request.Path.EndsWith("/account/status", StringComparison.Ordinal)) await EngineServer.Json(context, 200, """{"registered":true,"expired":false,"messages":[]}""");
            else if (request.Method == "GET") await EngineServer.Json(context, 200, """{"follow":"","more":false,"alerts":[],"threats":{}}""");
            else
            {
                // An engine that takes its time keeps the drain busy.
                upload.TrySetResult();
                await Task.Delay(10_000, context.RequestAborted);
            }
        };
        bench.Configure($"  host: {engine.Host}\n  api_key: KEY1", more: "dns_events:\n  buffer_size: 64\n  flush_interval: 5s");
        NfrProcess sensor = bench.Listen();
        using var load = new DnsLoad(bench.Network, 500);
        sensor.Until(() => upload.Task.IsCompleted, "an upload");
        sensor.Signal(signal);
        sensor.Expect("stop: draining");
        var clock = Stopwatch.StartNew();
        sensor.Signal(signal);
        Ended end = sensor.End();
        Assert.Equal(code, end.Code);
        // The drain would give the upload in flight three seconds (Uploader.Grace); less than that is at once, also on a busy machine.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2.5), $"stopping at once took {clock.Elapsed.TotalSeconds:0.00} s");
        Assert.DoesNotContain("The ledger", end.Output, StringComparison.Ordinal);
    }

    [CableFact]
    public async Task An_upload_that_is_in_flight_at_a_stop_ends_and_is_noted()
    {
        using var bench = new SensorBench();
        await using EngineServer engine = await bench.EngineAsync();
        var upload = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Answer = async (context, request) =>
        {
            if (request.Path.EndsWith("/account/status", StringComparison.Ordinal)) await EngineServer.Json(context, 200, """{"registered":true,"expired":false,"messages":[]}""");
            else if (request.Method == "GET") await EngineServer.Json(context, 200, """{"follow":"","more":false,"alerts":[],"threats":{}}""");
            else
            {
                upload.TrySetResult();
                await answer.Task;
                await EngineServer.Ok(context, request);
            }
        };
        bench.Configure($"  host: {engine.Host}\n  api_key: KEY1", more: "dns_events:\n  buffer_size: 64\n  flush_interval: 5s");
        NfrProcess sensor = bench.Listen();
        using var load = new DnsLoad(bench.Network, 500);
        sensor.Until(() => upload.Task.IsCompleted, "an upload");
        load.Stop();
        sensor.Signal(NfrProcess.Terminate);
        sensor.Expect("stop: draining");
        await Task.Delay(TimeSpan.FromSeconds(1.8));
        answer.SetResult();
        Assert.Equal(0, sensor.End().Code);
        int delivered = engine.Requests.Where(r => r.Method == "POST").SelectMany(r => r.Lines).Count(l => l.Contains("\"qtype\"", StringComparison.Ordinal));
        using Spool spool = bench.OpenSpool();
        Assert.True(delivered > 0);
        Assert.Equal(load.Sent - delivered, spool.Counters.Of(EventType.Dns).InSpool);
    }

    [CableFact]
    public void An_interface_that_goes_away_is_waited_for()
    {
        using var bench = new SensorBench();
        NfrProcess sensor = bench.Listen();
        long before;
        using (var load = new DnsLoad(bench.Network, 500))
        {
            sensor.Until(() => load.Sent > 300, "some questions");
            before = OnTheCard(bench);
            bench.Network.InIp("link", "delete", "near");
            sensor.Expect("capture: interface near has been removed; the sensor waits for it and looks every 5 s");
        }
        bench.Network.InIp("link", "add", "near", "type", "veth", "peer", "name", "far");
        bench.Network.InIp("link", "set", "near", "up");
        bench.Network.InIp("link", "set", "far", "up");
        sensor.Expect("capture: interface near is back");
        using (Socket far = bench.Network.Sender("far"))
        {
            far.Send(Frames.Query("10.0.0.77", 4000, "after.the.gap.example"));
            far.Send(Frames.Reply("10.0.0.77", 4000, "after.the.gap.example"));
        }
        Thread.Sleep(200);
        // The new card began at nothing; what the old one had said is kept.
        Assert.True(before > 300);
        Assert.True(OnTheCard(bench) >= before + 2);
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        // Also what the kernel still held when the interface went is in it, to the frame.
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        using Spool spool = bench.OpenSpool();
        Assert.Single(Lines(spool, EventType.Dns), l => l.Contains("after.the.gap.example", StringComparison.Ordinal));
    }

    [CableFact]
    public void A_full_disk_evicts_and_goes_on()
    {
        using var bench = new SensorBench();
        string disk = bench.Mount(megabytes: 8);
        NfrProcess sensor = bench.Listen();
        using (var load = new DnsLoad(bench.Network, 4000))
        {
            sensor.Until(() => load.Sent > 4000, "the first questions");
            // Somebody else's file takes what is left, and goes again.
            try
            {
                using FileStream hog = File.OpenWrite(Path.Combine(disk, "hog"));
                byte[] some = new byte[16 << 10];
                while (true) hog.Write(some);
            }
            catch (IOException)
            {
                // Not a block is left.
            }
            int before = load.Sent;
            sensor.Until(() => load.Sent > before + 16_000, "load on a full disk");
            File.Delete(Path.Combine(disk, "hog"));
            before = load.Sent;
            sensor.Until(() => load.Sent > before + 4000, "load after it");
        }
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("mistake", end.Output, StringComparison.Ordinal);
        using Spool spool = bench.OpenSpool();
        SpoolTally tally = spool.Counters.Total;
        Assert.True(tally.Evicted > 0, end.Output);
        Assert.True(tally.InSpool > 0, end.Output);
        Assert.Equal(tally.Spooled, tally.InSpool + tally.Delivered + tally.Evicted + tally.Quarantined);
        // What came after the worst is there.
        Assert.Contains(Lines(spool, EventType.Dns), l => l.Contains("load.example", StringComparison.Ordinal));
    }

    [CableFact]
    public void Two_workers_see_each_packet_once_and_keep_flows_whole()
    {
        using var bench = new SensorBench();
        bench.Configure(sniffer: "    interface: near\n    workers: 2\n    filter: udp port 53 or tcp");
        NfrProcess sensor = bench.Listen();
        using (var load = new DnsLoad(bench.Network, 1500)) sensor.Until(() => load.Sent >= 2000, "two thousand questions");
        using Socket far = bench.Network.Sender("far");
        for (int i = 0; i < 50; i++) far.Send(Frames.Udp("10.0.0.5", 5000, "192.0.2.1", 123, "not in the filter"u8));
        Thread.Sleep(200);
        sensor.Signal(NfrProcess.Terminate);
        Ended end = sensor.End();
        Assert.Equal(0, end.Code);
        Assert.Contains("The ledger closes", end.Output, StringComparison.Ordinal);
        string[] came = [.. end.Output.Split('\n').Where(l => l.Contains("read by worker ", StringComparison.Ordinal))];
        Assert.Equal(2, came.Length);
        long[] each = [.. came.Select(l => long.Parse(l.Split(' ')[^1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture))];
        Assert.All(each, frames => Assert.True(frames > 0));
        using Spool spool = bench.OpenSpool();
        long questions = spool.Counters.Of(EventType.Dns).InSpool;
        Assert.Equal(each.Sum(), questions * 2);
        Assert.Equal(questions, spool.Counters.Of(EventType.Ip).InSpool);
        Assert.Equal(questions, Lines(spool, EventType.Dns).Distinct().Count());
    }

    [CableFact]
    public void A_list_of_interfaces_is_captured_together_and_an_empty_one_picks_the_mirror_port()
    {
        using var bench = new SensorBench();
        bench.Network.InIp("address", "add", "10.200.0.1/24", "dev", "far");
        bench.Network.InIp("link", "add", "third", "type", "veth", "peer", "name", "fourth");
        bench.Network.InIp("address", "add", "10.201.0.1/24", "dev", "fourth");
        bench.Network.InIp("link", "set", "third", "up");
        bench.Network.InIp("link", "set", "fourth", "up");
        bench.Configure(sniffer: "    interface: [near, third]");
        NfrProcess sensor = bench.Listen();
        foreach (string port in new[] { "far", "fourth" })
        {
            using Socket sender = bench.Network.Sender(port);
            sender.Send(Frames.Query("10.0.0.5", 5000, port + ".example"));
            sender.Send(Frames.Reply("10.0.0.5", 5000, port + ".example"));
        }
        Thread.Sleep(200);
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
        using (Spool spool = bench.OpenSpool()) Assert.Equal(2, Lines(spool, EventType.Dns).Length);

        bench.Network.InIp("address", "add", "10.202.0.1/24", "dev", "third");
        bench.Configure(sniffer: "    interface:");
        sensor = bench.Start();
        sensor.Expect("capture: listening on near with");
        sensor.Signal(NfrProcess.Terminate);
        Assert.Equal(0, sensor.End().Code);
    }
}

/// <summary>As <see cref="CableFactAttribute"/>, with data.</summary>
sealed class CableTheoryAttribute : TheoryAttribute
{
    public CableTheoryAttribute() => Skip = NetworkNamespace.WhyNot;
}
