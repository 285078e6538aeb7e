using System.Net;

namespace Nfr.Simulate;

/// <summary>A connect scan: 21 TCP ports of each of 10 hosts of one network, 7 SYN a second.</summary>
public static class ScanModule
{
    public const int HostCount = 10;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(3);

    /// <summary>In the order they are tried.</summary>
    public static readonly int[] Ports =
        [21, 22, 23, 25, 80, 88, 111, 135, 139, 143, 389, 443, 445, 1433, 1521, 3306, 3389, 5432, 5900, 6000, 8443];

    /// <summary>Distinct hosts of <paramref name="network"/> (a /24), the last byte uniform, ascending; at most its 256.</summary>
    public static IReadOnlyList<IPAddress> ChooseHosts(Random random, IPAddress network, int count)
    {
        var lastBytes = new SortedSet<byte>();
        count = Math.Min(count, 256);
        while (lastBytes.Count < count) lastBytes.Add((byte)random.Next(256));
        byte[] bytes = network.GetAddressBytes();
        return [.. lastBytes.Select(last => new IPAddress([bytes[0], bytes[1], bytes[2], last]))];
    }

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        IPAddress[] chosen = run.Choose(run.Destinations.ScanHosts, run.Hosts(HostCount));
        IPAddress[] hosts = [.. run.Destinations.ScanHosts.Where(chosen.Contains)];
        TimeSpan slot = HostTime / Ports.Length;
        int connects = 0;
        await run.EachHostAsync([.. hosts.Select(host => $"connect to {Ports.Length} TCP ports of {host}")], HostTime, async (i, _) =>
        {
            // The host's time bounds nothing here: its ports' slots add up to it.
            await ModuleRun.SlotsAsync(Ports.Length, slot, (port, token) =>
            {
                connects++;
                return run.ConnectAsync(new IPEndPoint(hosts[i], Ports[port]), talk: null, token);
            }, stop).ConfigureAwait(false);
        }, stop, waits: false).ConfigureAwait(false);
        return $"{connects} TCP connects to {Ports.Length} ports of {hosts.Length} hosts";
    }
}
