using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Engine;

/// <summary>One network with its own hosts: the unit of what is known, and of who may see an alert.</summary>
sealed class Site(string name, ScoringLane lane)
{
    static readonly IpPrefix[] s_private = [.. new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7" }.Select(t => IpPrefix.Parse(t))];

    public string Name => name;
    public ScoringLane Lane => lane;
    public ScorerPartition Partition { get; } = new(name);

    /// <summary>Of all its keys; replaced whole.</summary>
    public IReadOnlyList<IpPrefix> Homes { get; set; } = [];

    /// <summary>Private addresses, as the scope's default has them, and what its keys say.</summary>
    public bool IsHome(Address address)
    {
        foreach (IpPrefix prefix in s_private)
        {
            if (prefix.Contains(address)) return true;
        }
        IReadOnlyList<IpPrefix> homes = Homes;
        for (int i = 0; i < homes.Count; i++)
        {
            if (homes[i].Contains(address)) return true;
        }
        return false;
    }
}
