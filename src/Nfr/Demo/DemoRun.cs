using System.Globalization;
using Spectre.Console;

namespace Nfr.Demo;

/// <summary>
/// The demo inside its namespace: cables up the office and the internet, starts the sensor on the mirror port, watches, and judges.
/// </summary>
sealed class DemoRun(DemoOptions options, DemoSensor? sensor, TextWriter output, TextWriter error, TimeProvider time)
{
    static readonly TimeSpan s_childStart = TimeSpan.FromSeconds(20);
    static readonly TimeSpan s_drain = TimeSpan.FromSeconds(10);

    public async Task<int> RunAsync(CancellationToken stop)
    {
        string folder = Directory.CreateTempSubdirectory("nfr-demo-").FullName;
        using ChildProcess internet = ChildProcess.Start("internet");
        using ChildProcess office = ChildProcess.Start("office");
        try
        {
            await output.WriteLineAsync("Bringing up an office, an internet and a mirror port in a private network").ConfigureAwait(false);
            if (await CableAsync(office, internet, stop).ConfigureAwait(false) is { } failure) return Fail(failure);

            string feeds = Path.Combine(folder, "feeds");
            string data = Path.Combine(folder, "data");
            SampleFeeds.WriteTo(feeds);
            Directory.CreateDirectory(data);
            RunningSensor running = await StartSensorAsync(new DemoSensorOptions(options.ConfigPath, data, feeds, OfficePlan.MirrorInterface), stop).ConfigureAwait(false);

            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"The sensor listens on {OfficePlan.MirrorInterface}; {OfficePlan.Clients.Length + OfficePlan.ClientsV6.Length} clients work, {Suspect.All.Count} hosts misbehave")).ConfigureAwait(false);
            await office.SayAsync("go").ConfigureAwait(false);
            var screen = new DemoScreen(options.Live, output);
            var times = new ModuleTimes(time);
            Task<string?> farewell = ListenAsync(office, screen, times);
            using (var watching = CancellationTokenSource.CreateLinkedTokenSource(stop))
            {
                // An office that ends by itself ends the show.
                Task show = screen.ShowAsync(running.Snapshot, options.Length, time, watching.Token);
                if (await Task.WhenAny(show, farewell).ConfigureAwait(false) != show) await watching.CancelAsync().ConfigureAwait(false);
                await show.ConfigureAwait(false);
            }
            bool early = farewell.IsCompleted;

            // Traffic first, then the sensor: so that both have seen the same frames. The office's process stays, and with it the mirror port.
            await office.SayAsync("stop").ConfigureAwait(false);
            string? mirrored = await farewell.WaitAsync(s_drain, CancellationToken.None).ConfigureAwait(false);
            await Task.Delay(300, CancellationToken.None).ConfigureAwait(false);
            using var limit = new CancellationTokenSource(s_drain);
            SensorOutcome outcome = await running.StopAsync(limit.Token).ConfigureAwait(false);
            if (stop.IsCancellationRequested) return Fail("stopped before its end");
            if (early) return Fail("the demo's office ended by itself; see the lines above");
            return await JudgeAsync(outcome, mirrored, times).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return Fail("stopped before its end");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return Fail(failure.Message);
        }
        finally
        {
            Remove(folder);
        }
    }

    /// <summary>Two cables: one between the office and the internet, one from the switch's mirror port to us. Null, or why not.</summary>
    static async Task<string?> CableAsync(ChildProcess office, ChildProcess internet, CancellationToken stop)
    {
        foreach (ChildProcess child in (ChildProcess[])[internet, office])
            if (!await child.ExpectAsync("ready", s_childStart, stop).ConfigureAwait(false)) return "a namespace for the office did not start; see the lines above";
        string? failure = await NetworkTools.IpAsync(
            "link set lo up",
            $"link add {OfficePlan.OfficeInterface} netns {office.Id} type veth peer name {OfficePlan.InternetInterface} netns {internet.Id}",
            $"link add {OfficePlan.SpanInterface} netns {office.Id} type veth peer name {OfficePlan.MirrorInterface}",
            $"link set {OfficePlan.MirrorInterface} addrgenmode none").ConfigureAwait(false)
            ?? NetworkTools.MakePlain(OfficePlan.MirrorInterface, silent: true)
            ?? await NetworkTools.IpAsync($"link set {OfficePlan.MirrorInterface} up").ConfigureAwait(false);
        if (failure is not null) return failure;
        await internet.SayAsync("up").ConfigureAwait(false);
        if (!await internet.ExpectAsync("serving", s_childStart, stop).ConfigureAwait(false)) return "the demo's internet did not come up; see the lines above";
        await office.SayAsync("up").ConfigureAwait(false);
        return await office.ExpectAsync("connected", s_childStart, stop).ConfigureAwait(false) ? null : "the demo's office did not come up; see the lines above";
    }

    /// <summary>The office's lines until it ends: two for each module, the last says what was mirrored.</summary>
    static async Task<string?> ListenAsync(ChildProcess office, DemoScreen screen, ModuleTimes times)
    {
        while (await office.HearAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
        {
            if (line.StartsWith("mirrored ", StringComparison.Ordinal)) return line;
            if (times.Began(line)) continue;
            times.Ended(line);
            screen.ModuleDone(line);
        }
        return null;
    }

    async Task<RunningSensor> StartSensorAsync(DemoSensorOptions sensorOptions, CancellationToken stop)
    {
        if (sensor is not null) return await sensor.StartAsync(sensorOptions, stop).ConfigureAwait(false);
        var nothing = new SensorSnapshot { Packets = 0, Bytes = 0, KernelDrops = 0, Events = [0, 0, 0, 0], SpoolRows = 0, SpoolBytes = 0, Alerts = 0 };
        return new RunningSensor(() => nothing, _ => Task.FromResult(new SensorOutcome("no sensor is wired in", LedgerCloses: false, [], 0)));
    }

    async Task<int> JudgeAsync(SensorOutcome outcome, string? mirrored, ModuleTimes times)
    {
        await output.WriteLineAsync().ConfigureAwait(false);
        await output.WriteLineAsync($"Alerts ({outcome.Alerts.Count}), one JSON object a line:").ConfigureAwait(false);
        foreach (SensorAlert alert in outcome.Alerts) await output.WriteLineAsync(alert.Json).ConfigureAwait(false);
        await output.WriteLineAsync().ConfigureAwait(false);
        await output.WriteLineAsync(outcome.Ledger).ConfigureAwait(false);
        if (mirrored?.Split(' ', 8) is [_, var frames, var bytes, var lost, var longest, var pages, var failures, ..])
        {
            await output.WriteLineAsync($"The mirror port sent {frames} frames ({bytes} bytes, {lost} lost, longest {longest}); the sensor saw {outcome.Packets}{Compare(frames, outcome)}. "
                + $"The office fetched {pages} pages, {failures} failed.").ConfigureAwait(false);
        }
        await output.WriteLineAsync().ConfigureAwait(false);

        IReadOnlyList<Finding> findings = Finding.Match(Suspect.All, outcome.Alerts, times);
        Write(findings);
        int missed = findings.Count(finding => !finding.Detected);
        string ledger = outcome.LedgerCloses ? "the ledger closes" : "the ledger does NOT close";
        await output.WriteLineAsync($"{findings.Count - missed} of {findings.Count} misbehaving hosts detected, {findings.Count(finding => finding.IsInTime)} of them within their module's own run time; {ledger}.").ConfigureAwait(false);
        return missed == 0 && outcome.LedgerCloses ? 0 : 1;
    }

    /// <summary>The ledger accounts for what came to the port; this for the way there, which on a busy machine the kernel may cut short.</summary>
    static string Compare(string sent, SensorOutcome outcome)
    {
        if (!long.TryParse(sent, NumberStyles.None, CultureInfo.InvariantCulture, out long frames)) return "";
        return frames == outcome.Packets ? ", every one" : string.Create(CultureInfo.InvariantCulture, $", a DIFFERENCE of {outcome.Packets - frames}");
    }

    void Write(IReadOnlyList<Finding> findings)
    {
        if (options.Live)
        {
            Table table = new Table().Border(TableBorder.Rounded).AddColumns("module", "host", "detected", "after", "sent for", "threats");
            foreach (Finding finding in findings)
                table.AddRow(new Text(finding.Suspect.Name), new Text(finding.Suspect.Address.ToString()),
                    new Text(finding.Word, new Style(finding.Detected ? Color.Green : Color.Red)), new Text(finding.After), new Text(finding.Ran), new Text(string.Join(", ", finding.ThreatIds)));
            AnsiConsole.Write(table);
            return;
        }
        foreach (Finding finding in findings)
            output.WriteLine($"  {finding.Suspect.Name,-12}  {finding.Suspect.Address,-12}  {finding.Word,-4}  after {finding.After,7} (sent for {finding.Ran,7}, allowed {finding.Suspect.Within.TotalSeconds,3:0} s)  {string.Join(", ", finding.ThreatIds)}");
    }

    void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"nfr demo: {folder} could not be removed; remove it by hand");
        }
    }

    int Fail(string line)
    {
        error.WriteLine($"nfr demo: {line}");
        return 1;
    }
}
