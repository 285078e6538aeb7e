using System.Net;

namespace Nfr.Simulate;

/// <summary>The ports of the old clear-text protocols: 1000 random bytes to each of five.</summary>
public static class CleartextModule
{
    public const int BlockLength = 1000;
    public static readonly int[] Ports = [21, 23, 110, 143, 873];
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(3);

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        byte[] block = new byte[BlockLength];
        run.Random.NextBytes(block);
        int[] ports = run.Choose(Ports, run.Hosts(Ports.Length));
        IPEndPoint[] servers = [.. ports.Select(port => new IPEndPoint(run.Destinations.CleartextHost, port))];
        await run.EachHostAsync([.. servers.Select(server => $"send {BlockLength} random bytes to {server}")], HostTime,
            (i, token) => run.ConnectAsync(servers[i], (stream, inner) => stream.WriteAsync(block, inner).AsTask(), token), stop).ConfigureAwait(false);
        return $"{BlockLength} random bytes to each of the TCP ports {string.Join(", ", ports)}";
    }
}
