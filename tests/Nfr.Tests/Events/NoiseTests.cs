using System.Globalization;
using Nfr.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Events;

/// <summary>Cipher text without a header looks like noise, and most of a network's unknown traffic is cipher text: noise must have no name.</summary>
public sealed class NoiseTests(ITestOutputHelper output)
{
    const int Payloads = 200_000;

    /// <summary>Flows with a name among so many of noise, at the most.</summary>
    const double Allowed = 1e-4;

    [Theory]
    [InlineData("one datagram")]
    [InlineData("three datagrams of one direction")]
    [InlineData("both sides of a connection from its SYN")]
    [InlineData("four segments picked up in the middle")]
    public void Noise_of_any_length_at_any_port_has_no_name(string kind)
    {
        var random = new Random(20_260_321);
        var buffer = new byte[1_400];
        using var bed = new DecodeBed();
        int flows = kind.StartsWith("one", StringComparison.Ordinal) ? Payloads : Payloads / 4;
        for (int i = 0; i < flows; i++)
        {
            // Every flow has a client of its own.
            string client = string.Create(CultureInfo.InvariantCulture, $"10.{i >> 16 & 0xFF}.{i >> 8 & 0xFF}.{i & 0xFF}");
            int clientPort = random.Next(1, 65_536), serverPort = random.Next(1, 65_536);
            switch (kind)
            {
                case "one datagram":
                    bed.Udp(client, clientPort, "192.0.2.1", serverPort, Noise());
                    break;
                case "three datagrams of one direction":
                    for (int n = 0; n < 3; n++) bed.Udp(client, clientPort, "192.0.2.1", serverPort, Noise());
                    break;
                case "both sides of a connection from its SYN":
                    new TcpTalk(bed, clientPort, serverPort, client).Open().Client(Noise()).Server(Noise()).Client(Noise());
                    break;
                default:
                    new TcpTalk(bed, clientPort, serverPort, client).Client(Noise()).Client(Noise()).Server(Noise()).Server(Noise());
                    break;
            }
        }
        bed.Drain();
        Assert.Equal(flows, bed.Seen.Ip.Count);
        SeenIp[] named = [.. bed.Seen.Ip.Where(f => f.App != App.Unknown)];
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind}: {named.Length} of {flows} flows named ({1e6 * named.Length / flows:0} in a million): {string.Join(' ', named.GroupBy(f => f.App).Select(g => $"{g.Key} {g.Count()}"))}"));
        Assert.True(named.Length <= flows * Allowed, $"{named.Length} of {flows}");

        // Half of the payloads are short: there a rule has the least to hold on to.
        byte[] Noise()
        {
            Span<byte> payload = buffer.AsSpan(0, random.Next(2) == 0 ? random.Next(1, 65) : random.Next(65, buffer.Length + 1));
            random.NextBytes(payload);
            return payload.ToArray();
        }
    }
}
