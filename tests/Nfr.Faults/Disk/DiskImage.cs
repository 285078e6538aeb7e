namespace Nfr.Faults.Disk;

/// <summary>What a disk holds at one moment: its names and its bytes. Directories are taken as durable.</summary>
sealed class DiskImage
{
    public Dictionary<string, DiskFile> Files { get; } = new(StringComparer.Ordinal);
    public HashSet<string> Directories { get; } = new(StringComparer.Ordinal);

    public DiskImage Copy()
    {
        var copy = new DiskImage();
        foreach ((string name, DiskFile file) in Files) copy.Files[name] = file.Copy();
        copy.Directories.UnionWith(Directories);
        return copy;
    }
}
