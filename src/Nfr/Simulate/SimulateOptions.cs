using System.Net;

namespace Nfr.Simulate;

/// <summary>How the modules follow each other; each module's own rates are the same in both.</summary>
public enum SimulatePace
{
    /// <summary>One after the other, every host waiting out its time: the flight simulator's own order.</summary>
    Real,
    /// <summary>All side by side, the scan over half as many hosts: everything is on the wire within 15 s.</summary>
    Fast,
}

/// <summary>What <c>nfr simulate</c> is asked to do.</summary>
public sealed record SimulateOptions
{
    /// <summary>Names of modules; none = all.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];
    /// <summary>DNS server to ask; none = 127.0.0.1:53, or with targets the system's first.</summary>
    public IPEndPoint? Resolver { get; init; }
    /// <summary>Where connections go. Naming one is the consent to leave loopback.</summary>
    public IReadOnlyList<IPAddress> Targets { get; init; } = [];
    /// <summary>Address to send from; none = the kernel chooses.</summary>
    public IPAddress? Source { get; init; }
    public SimulatePace Pace { get; init; }
    /// <summary>Destinations chosen by the caller; none = chosen from the above.</summary>
    public SimulateDestinations? Destinations { get; init; }
    /// <summary>The caller is alone in a network namespace that leads nowhere: only the demo may say so.</summary>
    public bool PrivateNamespace { get; init; }
    /// <summary>Fixes what is random, for tests.</summary>
    public int? Seed { get; init; }
}
