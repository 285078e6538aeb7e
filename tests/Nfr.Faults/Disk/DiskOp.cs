namespace Nfr.Faults.Disk;

enum DiskOpKind
{
    /// <summary>A name for a new, empty file.</summary>
    Create,
    Rename,
    Delete,
    /// <summary>Names made, changed and removed so far are durable.</summary>
    SyncNames,
    Write,
    Truncate,
    /// <summary>The file's bytes so far are durable; its name is another matter.</summary>
    Sync,
}

/// <summary>One thing that reached the disk, in the order of arrival.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="File">Number of the file; 0 for a rename, a removal and a sync of names.</param>
/// <param name="Name">The name that it made, changed or removed.</param>
/// <param name="To">The new name of a rename.</param>
/// <param name="Offset">Where a write begins, or the length that a truncation leaves.</param>
/// <param name="Data">What was written.</param>
readonly record struct DiskOp(DiskOpKind Kind, int File = 0, string Name = "", string To = "", long Offset = 0, byte[]? Data = null)
{
    public bool IsName => Kind is DiskOpKind.Create or DiskOpKind.Rename or DiskOpKind.Delete;
}
