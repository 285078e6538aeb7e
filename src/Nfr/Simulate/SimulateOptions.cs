using System.Net;

namespace Nfr.Simulate;

/// <summary>What <c>nfr simulate</c> is asked to do.</summary>
public sealed record SimulateOptions
{
    /// <summary>Names of modules, whole or how a family begins (<c>tunnel</c>, <c>ssh</c>), each with a scope behind a colon where it has one; none = all but the experimental.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];
    /// <summary>DNS server to ask; none = one of our own on loopback that knows no name, or with targets or consent the system's first.</summary>
    public IPEndPoint? Resolver { get; init; }
    /// <summary>Where connections go. Naming one is the consent to leave loopback.</summary>
    public IReadOnlyList<IPAddress> Targets { get; init; } = [];
    /// <summary>Without targets: connections go to the addresses that the lists name, questions to the system's resolver.</summary>
    public bool Consent { get; init; }
    /// <summary>A folder of lists, or one list; none = those that the program brings along.</summary>
    public string? Feeds { get; init; }
    /// <summary>Address to send from; none = the kernel chooses.</summary>
    public IPAddress? Source { get; init; }
    /// <summary>A host that is done early is not waited for.</summary>
    public bool Fast { get; init; }
    /// <summary>Nothing is sent; what would be is said.</summary>
    public bool Dry { get; init; }
    /// <summary>Hosts of each module; none = each its own number.</summary>
    public int? Size { get; init; }
    /// <summary>Destinations chosen by the caller; none = chosen from the above.</summary>
    public SimulateDestinations? Destinations { get; init; }
    /// <summary>The caller is alone in a network namespace that leads nowhere: only the demo may say so.</summary>
    public bool PrivateNamespace { get; init; }
    /// <summary>Fixes what is random, for tests.</summary>
    public int? Seed { get; init; }
}
