using System.Net;

namespace Nfr.Simulate;

/// <param name="Domain">A name; or null when it is an address.</param>
/// <param name="Server">An address with its port; or null when it is a name.</param>
/// <param name="Family">What the list says behind it, such as a family of malware; empty when nothing.</param>
public readonly record struct Destination(string? Domain, IPEndPoint? Server, string Family = "");

/// <summary>What a list names, in its order.</summary>
public sealed record DestinationList(IReadOnlyList<Destination> All)
{
    public static readonly DestinationList Empty = new([]);

    /// <summary>Names, of one family unless <paramref name="family"/> is empty.</summary>
    public string[] Domains(string family = "") => [.. Of(family).Where(each => each.Domain is not null).Select(each => each.Domain!)];

    /// <summary>Addresses with ports, as <see cref="Domains"/>.</summary>
    public IPEndPoint[] Servers(string family = "") => [.. Of(family).Where(each => each.Server is not null).Select(each => each.Server!)];

    /// <summary>The same with the servers at other addresses; their ports stay.</summary>
    public DestinationList At(Func<int, IPAddress> address)
    {
        int servers = 0;
        return new DestinationList([.. All.Select(each => each.Server is { } server ? each with { Server = new IPEndPoint(address(servers++), server.Port) } : each)]);
    }

    IEnumerable<Destination> Of(string family) => family.Length == 0 ? All : All.Where(each => each.Family.Contains(family, StringComparison.OrdinalIgnoreCase));
}
