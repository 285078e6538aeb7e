using System.Net;
using System.Net.Sockets;

namespace Nfr.Simulate;

/// <summary>
/// An ICMP tunnel: 80 echo requests of 1419 bytes, most of them random and different each time, one as soon as the other is answered. The
/// name is looked up anew before each. A peer that does not answer ends it after 20 seconds.
/// </summary>
public static class TunnelIcmpModule
{
    public const string Host = "icmp.sandbox-services.alphasoc.xyz";
    public const int EchoCount = 80;
    public const int RandomLength = 1400;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(20);

    static ReadOnlySpan<byte> Mark => "alphasoc-flightsim:"u8;

    /// <summary>19 letters that say who it is, and 1400 random bytes.</summary>
    public static byte[] Payload(Random random)
    {
        byte[] payload = new byte[Mark.Length + RandomLength];
        Mark.CopyTo(payload);
        random.NextBytes(payload.AsSpan(Mark.Length));
        return payload;
    }

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        IPAddress peer = run.Destinations.EchoHost;
        int sent = 0, answered = 0;
        await run.EachHostAsync([$"look up {Host} and send an echo of {Mark.Length + RandomLength} bytes to {peer}, {EchoCount} times"], HostTime, async (_, token) =>
        {
            if (peer.AddressFamily != AddressFamily.InterNetwork) throw new InvalidOperationException($"{peer}: the echoes are IPv4 only");
            using Socket socket = run.OpenIcmp();
            StubResolver resolver = run.Resolver();
            ushort identifier = (ushort)Environment.ProcessId;
            byte[] buffer = new byte[1500];
            for (ushort sequence = 0; sequence < EchoCount; sequence++)
            {
                await resolver.LookupHostAsync(Host, TimeSpan.FromSeconds(1), token).ConfigureAwait(false);
                await socket.SendToAsync(IcmpEcho.Request(identifier, sequence, Payload(run.Random)), SocketFlags.None, new IPEndPoint(peer, 0), token).ConfigureAwait(false);
                sent++;
                int length;
                do length = await socket.ReceiveAsync(buffer, token).ConfigureAwait(false);
                while (!IcmpEcho.IsReply(buffer.AsSpan(0, length), identifier, sequence));
                answered++;
            }
        }, stop).ConfigureAwait(false);
        return $"{sent} echo requests to {peer}, {answered} answered";
    }
}
