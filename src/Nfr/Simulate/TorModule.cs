using System.Net;
using System.Net.Security;

namespace Nfr.Simulate;

/// <summary>
/// What the wire shows of a Tor client: TLS to listed relays, each with a server name of its own that belongs to nobody. The original
/// starts the real program; this one says hello and leaves. Experimental.
/// </summary>
public static class TorModule
{
    public const int HostCount = 5;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(10);

    /// <summary>As Tor makes them up: www., 8 to 20 letters of base32, .com.</summary>
    public static string ServerName(Random random, string end = ".com") => "www." + ModuleRun.Text(random, "abcdefghijklmnopqrstuvwxyz234567", random.Next(8, 21)) + end;

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        IPEndPoint[] relays = run.Choose(run.Destinations.TorRelays.Servers(run.Scope), run.Hosts(HostCount));
        int greeted = 0;
        await run.EachHostAsync([.. relays.Select(relay => $"TLS to {relay} with a made-up server name")], HostTime, (i, token) => run.ConnectAsync(relays[i], async (stream, inner) =>
        {
            using SslStream tls = await TlsHello.SayAsync(stream, ServerName(run.Random), inner).ConfigureAwait(false);
            greeted++;
        }, token), stop).ConfigureAwait(false);
        return $"TLS to {relays.Length} listed relays, {greeted} answered";
    }
}
