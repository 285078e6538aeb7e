using System.Net;
using System.Text;

namespace Nfr.Simulate;

/// <summary>A bot logs in to IRC servers, five by name and five by address, and leaves at the welcome.</summary>
public static class IrcModule
{
    public const int HostCount = 5;
    public const int IrcPort = 6667;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(5);

    /// <summary>The log-in in the order it is sent; the user's name is the nickname's like.</summary>
    public static IReadOnlyList<string> Login(Random random)
    {
        string user = "user" + ModuleRun.Hex(random, 5);
        return [$"PASS password{ModuleRun.Hex(random, 8)}", "CAP LS 302", $"NICK nick{ModuleRun.Hex(random, 5)}", $"USER {user} * * {user}"];
    }

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        int hosts = run.Hosts(HostCount);
        DestinationList list = run.Destinations.Irc;
        string[] domains = run.Choose(list.Domains(run.Scope), hosts);
        IPEndPoint[] servers = run.Choose(list.Servers(run.Scope), hosts);
        int welcomed = 0;
        async Task TalkAsync(IPEndPoint server, CancellationToken token) => await run.ConnectAsync(server, async (stream, inner) =>
        {
            foreach (string line in Login(run.Random)) await SayAsync(line).ConfigureAwait(false);
            while (await ModuleRun.ReadLineAsync(stream, inner).ConfigureAwait(false) is { } line)
            {
                string[] words = line.Split(' ');
                if (words is ["PING", var token, ..]) await SayAsync("PONG " + token).ConfigureAwait(false);
                else if (words is [_, "CAP", _, "LS", ..]) await SayAsync("CAP END").ConfigureAwait(false);
                else if (words is [_, "001", ..])
                {
                    welcomed++;
                    return;
                }
            }

            async Task SayAsync(string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes(text + "\r\n"), inner).ConfigureAwait(false);
        }, token).ConfigureAwait(false);

        // A name's answer has no say in where we connect; the i-th name stands for the i-th server.
        IPEndPoint ServerOf(int i) => servers[i % servers.Length];
        if (servers.Length == 0) throw new InvalidOperationException($"the lists name no IRC server of the family '{run.Scope}'");
        await run.EachHostAsync([.. domains.Select((domain, i) => $"look up {domain} (A, AAAA), log in to {ServerOf(i)}")], HostTime, async (i, token) =>
        {
            await run.Resolver().LookupHostAsync(domains[i], HostTime, token).ConfigureAwait(false);
            await TalkAsync(ServerOf(i), token).ConfigureAwait(false);
        }, stop, waits: false).ConfigureAwait(false);
        await run.EachHostAsync([.. servers.Select(server => $"log in to {server}")], HostTime, (i, token) => TalkAsync(servers[i], token), stop, waits: false).ConfigureAwait(false);
        return $"log-ins to {domains.Length} IRC servers by name and {servers.Length} by address, {welcomed} welcomed";
    }
}
