using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Nfr.Simulate;

/// <summary>
/// Files leave by SFTP: two connections in parallel, 200 MB together, to the SSH port (transfer) or to one that belongs to TLS (exfil).
/// What a sensor reads of it is as it would be: banner, KEXINIT, key exchange, a log-in's few small packets, then writes of 1 MiB with an
/// answer each. The rest is random bytes in SSH's framing (<see cref="SshWire"/>), since no SSH library is at hand: the peer must be a sink
/// that does not mind, such as the demo's; a real server hangs up behind the key exchange.
/// </summary>
public static class SshModule
{
    public const string Host = "ssh.sandbox-services.alphasoc.xyz";
    public const string Banner = "SSH-2.0-Go\r\n";
    public const int SshPort = 22;
    public const int Connections = 2;
    public const long UsualBytes = 200L << 20;
    public const int WriteSize = 1 << 20;
    public static readonly int[] ExfilPorts = [443, 465, 993, 995];
    public static readonly TimeSpan HostTime = TimeSpan.FromMinutes(5);

    /// <summary>SFTP data goes in channel packets of 32 KiB.</summary>
    const int ChunkSize = 32 * 1024;
    /// <summary>Sizes of what a log-in by key and the opening of a file say.</summary>
    static readonly int[] s_login = [24, 64, 280, 400, 40, 48, 32, 80];
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    public static Task<string> RunTransferAsync(ModuleRun run, CancellationToken stop) => RunAsync(run, SshPort, stop);

    public static Task<string> RunExfilAsync(ModuleRun run, CancellationToken stop) => RunAsync(run, ExfilPorts[run.Random.Next(ExfilPorts.Length)], stop);

    /// <summary>Reads a size such as 50MB or 1GB (powers of 1024); false when it is none.</summary>
    public static bool TryReadSize(string text, out long bytes)
    {
        int digits = text.TakeWhile(char.IsAsciiDigit).Count();
        int shift = text[digits..].ToUpperInvariant() switch { "" or "B" => 0, "KB" => 10, "MB" => 20, "GB" => 30, _ => -1 };
        bytes = 0;
        if (shift < 0 || !long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number <= 0 || number > (1L << 40) >> shift) return false;
        bytes = number << shift;
        return true;
    }

    static async Task<string> RunAsync(ModuleRun run, int port, CancellationToken stop)
    {
        long bytes = TryReadSize(run.Scope, out long wanted) ? wanted : UsualBytes;
        var server = new IPEndPoint(run.Destinations.SshHost, port);
        long sent = 0;
        string? failure = null;
        await run.EachHostAsync([$"look up {Host} (A, AAAA), send {bytes} bytes in {Connections} SSH connections to {server}"], HostTime, async (_, token) =>
        {
            await run.Resolver().LookupHostAsync(Host, TimeSpan.FromSeconds(1), token).ConfigureAwait(false);
            await Task.WhenAll(Enumerable.Range(0, Connections).Select(i =>
                UploadAsync((bytes / Connections) + (i == 0 ? bytes % Connections : 0), new Random(run.Random.Next()), token))).ConfigureAwait(false);
        }, stop, waits: false).ConfigureAwait(false);
        return string.Create(CultureInfo.InvariantCulture, $"{sent} of {bytes} bytes in {Connections} SSH connections to {server}{failure}");

        async Task UploadAsync(long share, Random random, CancellationToken token)
        {
            try
            {
                await run.ConnectAsync(server, (stream, inner) => TalkAsync(stream, share, random, count => Interlocked.Add(ref sent, count), inner), token).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is SocketException or IOException)
            {
                failure = "; the server ended it: " + fault.Message;
            }
        }
    }

    /// <summary>One connection: the dialogue, then <paramref name="bytes"/> of file.</summary>
    internal static async Task TalkAsync(Stream stream, long bytes, Random random, Action<int> sent, CancellationToken stop)
    {
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(Banner), stop).ConfigureAwait(false);
        bool answers = await WithinAsync(async token => await ModuleRun.ReadLineAsync(stream, token).ConfigureAwait(false) is not null).ConfigureAwait(false);
        await stream.WriteAsync(SshWire.Packet(SshWire.KexInitPayload(random, SshWire.GoAlgorithms)), stop).ConfigureAwait(false);
        await HearAsync(@sealed: false).ConfigureAwait(false);
        await stream.WriteAsync(SshWire.Packet(SshWire.EcdhInitPayload(random)), stop).ConfigureAwait(false);
        await HearAsync(@sealed: false).ConfigureAwait(false);
        await stream.WriteAsync(SshWire.Packet([SshWire.NewKeys]), stop).ConfigureAwait(false);
        await HearAsync(@sealed: false).ConfigureAwait(false);

        byte[] buffer = new byte[ChunkSize + 128];
        foreach (int size in s_login)
        {
            random.NextBytes(buffer.AsSpan(0, size + 64));
            await stream.WriteAsync(buffer.AsMemory(0, SshWire.Opaque(buffer, size)), stop).ConfigureAwait(false);
            await HearAsync(@sealed: true).ConfigureAwait(false);
        }
        random.NextBytes(buffer);
        for (long left = bytes; left > 0;)
        {
            for (int block = (int)Math.Min(left, WriteSize); block > 0;)
            {
                int chunk = Math.Min(block, ChunkSize);
                // Fresh bytes all through would cost more than the sending; the first of each packet differ.
                random.NextBytes(buffer.AsSpan(0, 256));
                await stream.WriteAsync(buffer.AsMemory(0, SshWire.Opaque(buffer, chunk)), stop).ConfigureAwait(false);
                sent(chunk);
                block -= chunk;
                left -= chunk;
            }
            await HearAsync(@sealed: true).ConfigureAwait(false);
        }

        // A peer that keeps silent is a plain sink: it is not waited for again.
        async Task HearAsync(bool @sealed)
        {
            if (answers) answers = await WithinAsync(async token => await SshWire.ReadAsync(stream, @sealed, token).ConfigureAwait(false) is not null).ConfigureAwait(false);
        }

        async Task<bool> WithinAsync(Func<CancellationToken, Task<bool>> hear)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(s_patience);
            try
            {
                return await hear(limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                return false;
            }
        }
    }
}
