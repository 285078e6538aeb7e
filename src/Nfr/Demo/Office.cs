using System.Net;
using System.Net.Sockets;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>The office, in a namespace of its own: people at work, hosts that misbehave, and the switch with its mirror port.</summary>
static class Office
{
    /// <summary>Speaks in lines: ready, up → connected, go → "begin" and the name of each module, and a line when it has ended, stop → mirrored …; then stays until its input ends.</summary>
    public static async Task<int> RunAsync(TextReader input, TextWriter output, TextWriter error, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await output.WriteLineAsync("ready").ConfigureAwait(false);
        if (await ChildProcess.ReadLineAsync(input).ConfigureAwait(false) != "up") return 1;
        if (await ConfigureAsync().ConfigureAwait(false) is { } failure)
        {
            await error.WriteLineAsync($"nfr demo: {failure}").ConfigureAwait(false);
            return 1;
        }
        await output.WriteLineAsync("connected").ConfigureAwait(false);
        if (await ChildProcess.ReadLineAsync(input).ConfigureAwait(false) != "go") return 1;

        // Only now: what interfaces say by themselves when they come up is sent before the sensor listens.
        using var mirror = new SoftwareSwitch(OfficePlan.OfficeInterface, OfficePlan.SpanInterface);
        var work = new OfficeWork(new Random());
        Task people = work.RunAsync(ending.Token);
        Task[] suspects = [.. Suspect.All.Select(suspect => MisbehaveAsync(suspect, output, error, ending.Token))];
        while (await ChildProcess.ReadLineAsync(input).ConfigureAwait(false) is not (null or "stop")) { }
        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll([people, .. suspects]).WaitAsync(TimeSpan.FromSeconds(2), CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What the last closed connections still say.
        await Task.Delay(200, CancellationToken.None).ConfigureAwait(false);
        mirror.Dispose();
        await output.WriteLineAsync($"mirrored {mirror.Frames} {mirror.Bytes} {mirror.Lost} {mirror.LongestFrame} {work.Pages} {work.Failures} {work.LastFailure}").ConfigureAwait(false);
        await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        // With this process the mirror port would go, under the sensor that still reads from it.
        while (await ChildProcess.ReadLineAsync(input).ConfigureAwait(false) is not null) { }
        return 0;
    }

    static async Task<string?> ConfigureAsync()
    {
        var commands = new List<string>
        {
            "link set lo up",
            $"link set {OfficePlan.SpanInterface} addrgenmode none",
        };
        foreach (IPAddress client in (IPAddress[])[.. OfficePlan.Clients, .. Suspect.All.Select(suspect => suspect.Address), .. OfficePlan.ClientsV6])
            commands.Add(client.AddressFamily == AddressFamily.InterNetworkV6
                ? $"address add {client}/64 dev {OfficePlan.OfficeInterface} nodad"
                : $"address add {client}/24 dev {OfficePlan.OfficeInterface}");
        string? failure = await NetworkTools.IpAsync([.. commands]).ConfigureAwait(false)
            ?? NetworkTools.MakePlain(OfficePlan.SpanInterface, silent: true)
            ?? NetworkTools.MakePlain(OfficePlan.OfficeInterface, silent: false);
        return failure ?? await NetworkTools.IpAsync(
            $"link set {OfficePlan.SpanInterface} up",
            $"link set {OfficePlan.OfficeInterface} up",
            $"route add default via {OfficePlan.Gateway}",
            $"route add ::/0 via {OfficePlan.GatewayV6}").ConfigureAwait(false);
    }

    static async Task MisbehaveAsync(Suspect suspect, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var options = new SimulateOptions
        {
            Modules = [suspect.Module],
            Size = suspect.Hosts,
            Source = suspect.Address,
            Destinations = OfficePlan.Destinations(new Random()),
            PrivateNamespace = true,
        };
        TextWriter lines = TextWriter.Synchronized(output);
        await lines.WriteLineAsync($"begin {suspect.Name}").ConfigureAwait(false);
        await lines.FlushAsync(stop).ConfigureAwait(false);
        await SimulateCommand.RunAsync(options, lines, error, stop).ConfigureAwait(false);
        await lines.FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
