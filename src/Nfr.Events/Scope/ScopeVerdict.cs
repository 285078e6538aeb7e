namespace Nfr.Events;

/// <summary>What the scope says of an event, and which group said it.</summary>
/// <param name="Reason">Why it goes on or is refused.</param>
/// <param name="Group">Index of the first group that refused, or that accepted; -1 when no group had a say.</param>
public readonly record struct ScopeVerdict(ScopeReason Reason, int Group)
{
    public bool IsAccepted => Reason == ScopeReason.Accepted;
}

/// <summary>Why an event that does not go on is looked at all the same.</summary>
public enum ScopeWatch : byte
{
    None,
    /// <summary>A stranger comes to a machine of a group, which neither puts the machine out of scope nor trusts the stranger.</summary>
    Inbound,
    /// <summary>Home machines among themselves, where nobody wrote that they are trusted: the built-in group alone says so.</summary>
    Inside,
}

/// <summary>Names of the scope's counters.</summary>
public enum ScopeReason : byte
{
    Accepted,
    /// <summary>The event has no source address.</summary>
    NoSource,
    /// <summary>An ip or tls event without a destination address.</summary>
    NoDestination,
    /// <summary>A dns event without a query or an http event without a URL.</summary>
    NoName,
    /// <summary>No group's in_scope holds the source.</summary>
    OutOfScope,
    /// <summary>out_scope of a group that the source is in.</summary>
    OutScoped,
    TrustedIp,
    TrustedDomain,
}

public static class ScopeReasons
{
    public const int Count = 8;

    /// <summary>The name in the ledger and in metrics.</summary>
    public static string Name(this ScopeReason reason) => reason switch
    {
        ScopeReason.Accepted => "accepted",
        ScopeReason.NoSource => "no_source",
        ScopeReason.NoDestination => "no_destination",
        ScopeReason.NoName => "no_name",
        ScopeReason.OutOfScope => "out_of_scope",
        ScopeReason.OutScoped => "out_scoped",
        ScopeReason.TrustedIp => "trusted_ip",
        _ => "trusted_domain",
    };
}
