using Nfr.Events;

namespace Nfr.Storage;

/// <summary>Where the spool lives and how much it may hold.</summary>
public sealed record SpoolOptions
{
    /// <summary>The spool's own directory; it is made when it does not exist.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Bytes that database, write-ahead log and reserve file may take together, at least <see cref="LeastBytes"/>. When full: unscored events
    /// go first, then scored ones, then alerts, each oldest first, counted. Beyond three quarters of the disk it counts as that.
    /// </summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>Events pending that make a flush due.</summary>
    public int FlushEvents { get; init; } = 500;

    /// <summary>Age of the oldest pending event that makes a flush due.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Events kept in memory while nothing can be written. When full: the least valuable is dropped and counted as lost before the spool.</summary>
    public int MaxPendingEvents { get; init; } = 20_000;

    /// <summary>Bytes of those events. When full: as <see cref="MaxPendingEvents"/>.</summary>
    public int MaxPendingBytes { get; init; } = 6 << 20;

    /// <summary>Alerts kept in memory while nothing can be written. When full: the oldest is dropped and counted.</summary>
    public int MaxPendingAlerts { get; init; } = 1_000;

    /// <summary>Alerts kept on disk, and no more than one for each 16 KB of <see cref="MaxBytes"/>. When full: the oldest goes, counted.</summary>
    public int MaxAlerts { get; init; } = 100_000;

    /// <summary>The smallest ring that still works.</summary>
    public const long LeastBytes = 256 << 10;

    /// <summary>Quotas of classes; a class without one has the whole ring.</summary>
    public IReadOnlyDictionary<SpoolClass, SpoolQuota> Quotas { get; init; } = new Dictionary<SpoolClass, SpoolQuota>();

    /// <summary>Running time of the spool after which anything goes; null = never. A class's own goes first.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Bytes of the card that the spool lies on, for <see cref="SpoolOutlook.CardYears"/>.</summary>
    public long CardBytes { get; init; } = 32_000_000_000;

    /// <summary>
    /// Who takes events out of the ring: names that last, at most <see cref="MaxConsumers"/>. None: nobody does, and the ring keeps what its limits allow. Whom
    /// an earlier run named and this one does not, nothing waits for any more.
    /// </summary>
    public IReadOnlyList<string> Consumers { get; init; } = ["engine"];

    /// <summary>What a consumer takes, where that is not every type. A row does not wait for who does not take its type; with nobody who does, it waits for one as without consumers.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<EventType>> ConsumerTypes { get; init; } = new Dictionary<string, IReadOnlyList<EventType>>();

    /// <summary>The names, and what they take, are those that the file has, whatever <see cref="Consumers"/> says: for a visitor.</summary>
    public bool KeepConsumers { get; init; }

    public const int MaxConsumers = 32;

    /// <summary>Name of the SQLite VFS: the seam at which tests cut the power. Null = the platform's.</summary>
    internal string? Vfs { get; init; }

    /// <summary>The same seam for the files beside the ring.</summary>
    internal StorageFiles Files { get; init; } = StorageFiles.Platform;

    /// <summary>SQLite's setting of that name; anything but FULL is for tests that must see it fail.</summary>
    internal string Synchronous { get; init; } = "FULL";
}
