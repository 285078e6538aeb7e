namespace Nfr.Storage;

/// <summary>
/// How the quota is shared out, so that its sum is a promise about the disk:
/// <code>
/// MaxBytes = ring (pages in use: evicted above) + slack (a transaction inserts before it evicts) + log + reserve
/// </code>
/// A quota beyond three quarters of the disk counts as that.
/// </summary>
sealed class SpoolLimits
{
    public SpoolLimits(SpoolOptions options, long diskBytes)
    {
        long bytes = Math.Max(Math.Min(options.MaxBytes, diskBytes / 4 * 3), SpoolOptions.LeastBytes);
        WalBytes = Math.Clamp(bytes / 12, 16 << 10, 4 << 20);
        TransactionBytes = (int)Math.Clamp(bytes / 32, 8 << 10, 1 << 20);
        // On a full disk the whole log must still reach the file, even if all of it made the file grow.
        ReserveBytes = WalBytes + TransactionBytes;
        // Incompressible events, an overflow page each and index pages on top: twice what a transaction takes in.
        long slack = (TransactionBytes * 2L) + (8 * SpoolFile.PageBytes);
        // The log may pass its limit by one transaction before it is checkpointed.
        RingBytes = bytes - WalBytes - ReserveBytes - (slack * 2);
        MostPages = (RingBytes + slack) / SpoolFile.PageBytes;
        Alerts = (int)Math.Min(options.MaxAlerts, Math.Max(4, bytes / (16 << 10)));
        AsideBytes = bytes / 32;
        foreach (SpoolClass of in SpoolClasses.All)
        {
            SpoolQuota quota = options.Quotas.TryGetValue(of, out SpoolQuota set) ? set : default;
            _quotas[(int)of] = Math.Min(quota.Bytes > 0 ? quota.Bytes : long.MaxValue, quota.Percent > 0 ? bytes / 100 * quota.Percent : long.MaxValue);
            _ages[(int)of] = (quota.MaxAge ?? options.MaxAge) is { } age ? (long)age.TotalMilliseconds : long.MaxValue;
        }
        HasAges = Array.Exists(_ages, age => age < long.MaxValue);
    }

    readonly long[] _quotas = new long[SpoolClasses.Count], _ages = new long[SpoolClasses.Count];

    public bool HasAges { get; }

    /// <summary>Most bytes of a class.</summary>
    public long Quota(SpoolClass of) => _quotas[(int)of];

    /// <summary>Milliseconds of running time that a class is kept.</summary>
    public long Age(SpoolClass of) => _ages[(int)of];

    public long RingBytes { get; }
    public long MostPages { get; }
    public long WalBytes { get; }
    public long ReserveBytes { get; }
    public int Alerts { get; }
    public long AsideBytes { get; }

    /// <summary>Uncompressed bytes in one transaction.</summary>
    public int TransactionBytes { get; }

    /// <summary>Events in one row, so that a batch can be cut between rows.</summary>
    public const int RowEvents = 500;
}
