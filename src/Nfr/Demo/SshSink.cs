using System.Text;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>
/// The other end of <see cref="SshModule"/>: banner, KEXINIT, a key exchange of random numbers, then a short packet for each short packet and
/// one for each MiB. It takes its time, so that the mirror port of a small machine keeps up.
/// </summary>
static class SshSink
{
    const int Short = 1024;
    /// <summary>For each MiB: about 4 MB/s a connection.</summary>
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);

    public static async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        var random = new Random();
        await stream.WriteAsync(Encoding.ASCII.GetBytes("SSH-2.0-OpenSSH_9.2p1\r\n"), stop).ConfigureAwait(false);
        if (await ModuleRun.ReadLineAsync(stream, stop).ConfigureAwait(false) is null) return;
        await stream.WriteAsync(SshWire.Packet(SshWire.KexInitPayload(random, SshWire.ServerAlgorithms)), stop).ConfigureAwait(false);
        for (byte message = 0; message != SshWire.NewKeys;)
        {
            if (await SshWire.ReadAsync(stream, @sealed: false, stop).ConfigureAwait(false) is not { } payload) return;
            message = payload[0];
            if (message != SshWire.KexEcdhInit) continue;
            await stream.WriteAsync(SshWire.Packet(SshWire.EcdhReplyPayload(random)), stop).ConfigureAwait(false);
            await stream.WriteAsync(SshWire.Packet([SshWire.NewKeys]), stop).ConfigureAwait(false);
        }
        byte[] answer = new byte[128];
        long unanswered = 0;
        while (await SshWire.ReadAsync(stream, @sealed: true, stop).ConfigureAwait(false) is { } packet)
        {
            unanswered += packet.Length;
            bool written = unanswered >= SshModule.WriteSize;
            if (packet.Length >= Short && !written) continue;
            unanswered = 0;
            if (written) await Task.Delay(s_pause, stop).ConfigureAwait(false);
            random.NextBytes(answer);
            await stream.WriteAsync(answer.AsMemory(0, SshWire.Opaque(answer, 28)), stop).ConfigureAwait(false);
        }
    }
}
