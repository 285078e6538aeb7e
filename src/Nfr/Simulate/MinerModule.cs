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
        IPEndPoint[] pools = [.. run.Destinations.Pools.Take(PoolCount)];
        byte[] line = SubscribeLine();
        int answered = 0;
        await run.EachHostAsync(pools.Length, HostTime, run.Last, (i, token) => run.ConnectAsync(pools[i], async (stream, inner) =>
        {
            await stream.WriteAsync(line, inner).ConfigureAwait(false);
            byte[] one = new byte[1];
            while (await stream.ReadAsync(one, inner).ConfigureAwait(false) == 1)
            {
                if (one[0] != '\n') continue;
                answered++;
                break;
            }
        }, token), stop).ConfigureAwait(false);
        return $"mining.subscribe to {pools.Length} pools, {answered} answered";
    }
}
