using System.Net;
using System.Net.Sockets;

namespace Nfr.Simulate;

/// <summary>What a module gets: where to send, from where, and the flight simulator's way through a list of hosts.</summary>
public sealed class ModuleRun
{
    public required SimulateDestinations Destinations { get; init; }
    public required Random Random { get; init; }
    public IPAddress? Source { get; init; }
    public SimulatePace Pace { get; init; }
    /// <summary>Nothing follows this module: its last host need not wait out its time.</summary>
    public bool Last { get; init; }

    /// <summary>
    /// One host after the other, each with <paramref name="each"/> of time; what a host leaves of it is waited out, except by the very last.
    /// </summary>
    public async Task EachHostAsync(int hosts, TimeSpan each, bool last, Func<int, CancellationToken, Task> visit, CancellationToken stop)
    {
        for (int host = 0; host < hosts && !stop.IsCancellationRequested; host++)
            await SlotAsync(each, wait: !(last && host == hosts - 1), token => visit(host, token), stop).ConfigureAwait(false);
    }

    /// <summary>Runs <paramref name="visit"/> for at most <paramref name="length"/>, and with <paramref name="wait"/> for at least that.</summary>
    public static async Task SlotAsync(TimeSpan length, bool wait, Func<CancellationToken, Task> visit, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(length);
        Task rest = wait ? Task.Delay(length, stop) : Task.CompletedTask;
        try
        {
            await visit(limit.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException)
        {
            // Refused, unreachable and unanswered are all fine: what counts is what was sent.
        }
        try
        {
            await rest.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopped while waiting; the caller's loop sees it.
        }
    }

    public StubResolver Resolver() => new(Destinations.Resolver, Source, Random);

    /// <summary>Connects, lets <paramref name="talk"/> use the stream, closes.</summary>
    public async Task ConnectAsync(IPEndPoint server, Func<NetworkStream, CancellationToken, Task>? talk, CancellationToken stop)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (Source is not null) socket.Bind(new IPEndPoint(Source, 0));
        await socket.ConnectAsync(server, stop).ConfigureAwait(false);
        if (talk is null) return;
        using var stream = new NetworkStream(socket);
        await talk(stream, stop).ConfigureAwait(false);
    }

    /// <summary>Letters, each uniform over a to z.</summary>
    public static string Letters(Random random, int count) => new([.. Enumerable.Range(0, count).Select(_ => (char)('a' + random.Next(26)))]);
}
