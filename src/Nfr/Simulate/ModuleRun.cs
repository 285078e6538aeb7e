using System.Net;
using System.Net.Sockets;

namespace Nfr.Simulate;

/// <summary>What a module gets: where to send, from where, and the flight simulator's way through a list of hosts.</summary>
public sealed class ModuleRun
{
    public required SimulateDestinations Destinations { get; init; }
    public required Random Random { get; init; }
    public IPAddress? Source { get; init; }
    /// <summary>How many hosts; null = what the module is used to.</summary>
    public int? Size { get; init; }
    /// <summary>What stands behind the module's colon; empty = nothing.</summary>
    public string Scope { get; init; } = "";
    /// <summary>A host that is done early is not waited for.</summary>
    public bool Fast { get; init; }
    /// <summary>When set, what would be sent is written here, a line a host, and nothing is sent.</summary>
    public TextWriter? Dry { get; init; }
    /// <summary>Nothing follows this module: its last host need not wait out its time.</summary>
    public bool Last { get; init; }

    public int Hosts(int usual) => Size ?? usual;

    /// <summary>All of <paramref name="list"/> in its order, or when there are more than <paramref name="count"/>, so many of them at random.</summary>
    public T[] Choose<T>(IReadOnlyList<T> list, int count)
    {
        T[] chosen = [.. list];
        if (chosen.Length <= count) return chosen;
        Random.Shuffle(chosen);
        return chosen[..count];
    }

    /// <summary>
    /// One host after the other, each with <paramref name="each"/> of time; what a host leaves of it is waited out, except by the very last.
    /// A dry run writes the hosts' lines instead.
    /// </summary>
    /// <param name="hosts">What is done with each, in words.</param>
    /// <param name="each">The host's time.</param>
    /// <param name="visit">Does it; gets the host's number.</param>
    /// <param name="stop">Ends the round.</param>
    /// <param name="follows">More of the same module follows: the last host waits too.</param>
    /// <param name="waits">false for a module that never waits.</param>
    public async Task EachHostAsync(
        IReadOnlyList<string> hosts, TimeSpan each, Func<int, CancellationToken, Task> visit, CancellationToken stop, bool follows = false, bool waits = true)
    {
        if (Dry is not null)
        {
            foreach (string host in hosts) await Dry.WriteLineAsync("  " + host).ConfigureAwait(false);
            return;
        }
        for (int host = 0; host < hosts.Count && !stop.IsCancellationRequested; host++)
        {
            bool wait = waits && !Fast && !(Last && !follows && host == hosts.Count - 1);
            await SlotAsync(each, wait, token => visit(host, token), stop).ConfigureAwait(false);
        }
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

    /// <summary>
    /// <paramref name="count"/> visits, one each <paramref name="slot"/>, by a clock that begins with the first: what one is late the next
    /// makes good, though each has half its slot at least.
    /// </summary>
    public static async Task SlotsAsync(int count, TimeSpan slot, Func<int, CancellationToken, Task> visit, CancellationToken stop)
    {
        long begin = TimeProvider.System.GetTimestamp();
        for (int i = 0; i < count && !stop.IsCancellationRequested; i++)
        {
            TimeSpan left = (slot * (i + 1)) - TimeProvider.System.GetElapsedTime(begin);
            await SlotAsync(left < slot / 2 ? slot / 2 : left, wait: true, token => visit(i, token), stop).ConfigureAwait(false);
        }
    }

    public StubResolver Resolver() => ResolverAt(Destinations.Resolver);

    public StubResolver ResolverAt(IPEndPoint server)
    {
        RefuseWhenDry();
        return new StubResolver(server, Source, Random);
    }

    /// <summary>Connects, lets <paramref name="talk"/> use the stream, closes.</summary>
    public async Task ConnectAsync(IPEndPoint server, Func<NetworkStream, CancellationToken, Task>? talk, CancellationToken stop)
    {
        RefuseWhenDry();
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (Source is not null) socket.Bind(new IPEndPoint(Source, 0));
        await socket.ConnectAsync(server, stop).ConfigureAwait(false);
        if (talk is null) return;
        using var stream = new NetworkStream(socket);
        await talk(stream, stop).ConfigureAwait(false);
    }

    /// <summary>A raw ICMP socket, which only root may open.</summary>
    public Socket OpenIcmp()
    {
        RefuseWhenDry();
        Socket socket;
        try
        {
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new InvalidOperationException("raw ICMP needs root or CAP_NET_RAW", failure);
        }
        if (Source is not null) socket.Bind(new IPEndPoint(Source, 0));
        return socket;
    }

    /// <summary>Up to the next line feed, without it and a carriage return before it; null at the end, or when no line ends within 4 KiB.</summary>
    public static async Task<string?> ReadLineAsync(Stream stream, CancellationToken stop)
    {
        const int MaxLine = 4096;
        var line = new List<byte>();
        byte[] one = new byte[1];
        while (line.Count < MaxLine && await stream.ReadAsync(one, stop).ConfigureAwait(false) == 1)
        {
            if (one[0] == '\n') return System.Text.Encoding.ASCII.GetString([.. line]).TrimEnd('\r');
            line.Add(one[0]);
        }
        return null;
    }

    /// <summary>Letters, each uniform over a to z.</summary>
    public static string Letters(Random random, int count) => Text(random, "abcdefghijklmnopqrstuvwxyz", count);

    /// <summary>Hexadecimal digits, small.</summary>
    public static string Hex(Random random, int count) => Text(random, "0123456789abcdef", count);

    /// <summary>Characters, each uniform over <paramref name="alphabet"/>.</summary>
    public static string Text(Random random, string alphabet, int count) => new([.. Enumerable.Range(0, count).Select(_ => alphabet[random.Next(alphabet.Length)])]);

    void RefuseWhenDry()
    {
        if (Dry is not null) throw new InvalidOperationException("a dry run sends nothing");
    }
}
