namespace Nfr.Events;

/// <summary>One group of <c>scope.yml</c>: who is watched, and what of theirs is not worth a look.</summary>
public sealed record ScopeGroup
{
    public required string Name { get; init; }
    /// <summary>For people; shown on alerts.</summary>
    public string Label { get; init; } = "";
    /// <summary>Sources in the group; empty = every source.</summary>
    public IReadOnlyList<IpPrefix> InScope { get; init; } = [];
    /// <summary>Sources whose events are refused, whatever other groups say.</summary>
    public IReadOnlyList<IpPrefix> OutScope { get; init; } = [];
    /// <summary>Names that dns and http events are refused for.</summary>
    public IReadOnlyList<DomainPattern> TrustedDomains { get; init; } = [];
    /// <summary>Destinations that ip and tls events are refused for.</summary>
    public IReadOnlyList<IpPrefix> TrustedIps { get; init; } = [];

    /// <summary>The group of a sensor without a scope file, as the original has it.</summary>
    public static ScopeGroup Default { get; } = new()
    {
        Name = "default",
        Label = "Default",
        InScope = Prefixes("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "fc00::/7"),
        TrustedDomains = [.. new[] { "*.arpa", "*.lan", "*.local", "*.internal" }.Select(d => DomainPattern.Parse(d))],
        TrustedIps = Prefixes(
            "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/8", "255.255.255.255/32",
            "fc00::/7", "fe80::/10", "ff00::/8"),
    };

    static IpPrefix[] Prefixes(params string[] texts) => [.. texts.Select(t => IpPrefix.Parse(t))];
}
