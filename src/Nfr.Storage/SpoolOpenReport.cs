namespace Nfr.Storage;

/// <summary>What opening the spool found.</summary>
public sealed record SpoolOpenReport
{
    /// <summary>No spool was there before.</summary>
    public bool Created { get; init; }

    /// <summary>The last run did not close it: a kill or a power cut.</summary>
    public bool AfterUncleanStop { get; init; }

    /// <summary>What could not be read and lies in <c>quarantine/</c> now: one sentence each.</summary>
    public IReadOnlyList<string> Quarantined { get; init; } = [];

    /// <summary>Events by which the ledger had to be corrected, because the file was damaged but readable.</summary>
    public long Corrected { get; init; }

    /// <summary>The whole file was checked; false when the check ran out of time, which it may on a large one.</summary>
    public bool CheckedWhole { get; init; }
}
