using System.Net;

namespace Nfr.Simulate;

/// <summary>A miner says hello to five pools (stratum): one line, then the first line of the answer is read.</summary>
public static class MinerModule
{
    public const int PoolCount = 5;
    public const int PoolPort = 3333;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(1);

    /// <summary>The subscription, 72 bytes with its line feed.</summary>
    public static ReadOnlySpan<byte> Subscribe => """{"jsonrpc": "2.0", "id": 1, "method": "mining.subscribe", "params": []}"""u8;

    public static byte[] SubscribeLine() => [.. Subscribe, (byte)'\n'];

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        IPEndPoint[] pools = run.Choose(run.Destinations.Pools.Servers(run.Scope), run.Hosts(PoolCount));
        byte[] line = SubscribeLine();
        int answered = 0;
        await run.EachHostAsync([.. pools.Select(pool => $"send mining.subscribe to {pool}")], HostTime, (i, token) => run.ConnectAsync(pools[i], async (stream, inner) =>
        {
            await stream.WriteAsync(line, inner).ConfigureAwait(false);
            if (await ModuleRun.ReadLineAsync(stream, inner).ConfigureAwait(false) is not null) answered++;
        }, token), stop).ConfigureAwait(false);
        return $"mining.subscribe to {pools.Length} pools, {answered} answered";
    }
}
