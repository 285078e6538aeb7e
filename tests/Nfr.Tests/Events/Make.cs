using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Short ways to the inputs that the tests of this folder share.</summary>
static class Make
{
    /// <summary>2018-09-03T09:39:47Z.</summary>
    public const long Stamp = 1_535_967_587_000_000_000;

    public static Address Ip(string text) => Address.TryParse(text, out Address a) ? a : throw new FormatException(text);

    public static EventContext Context(
        string source = "10.1.2.3", string destination = "1.1.1.1", byte protocol = 17, ushort sourcePort = 5000, ushort destinationPort = 53) => new()
    {
        Timestamp = Stamp,
        Source = source.Length == 0 ? default : Ip(source),
        Destination = destination.Length == 0 ? default : Ip(destination),
        SourcePort = sourcePort,
        DestinationPort = destinationPort,
        Protocol = protocol,
    };

    public static IpPrefix[] Prefixes(params string[] texts) => [.. texts.Select(t => IpPrefix.Parse(t))];

    public static DomainPattern[] Domains(params string[] texts) => [.. texts.Select(t => DomainPattern.Parse(t))];

    public static string Text(ArrayBufferWriter<byte> output) => Encoding.UTF8.GetString(output.WrittenSpan);
}
