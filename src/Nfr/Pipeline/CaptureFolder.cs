using Nfr.Config;
using Nfr.Native;

namespace Nfr.Pipeline;

/// <summary>How much captures may take of the disk that the spool lives on.</summary>
sealed record CaptureLimits
{
    /// <summary>Of one file, headers included.</summary>
    public long MostBytes { get; init; } = 64L << 20;
    /// <summary>Files that are kept; then the oldest goes.</summary>
    public int MostFiles { get; init; } = 4;
    /// <summary>Bytes that stay free on the disk: for the spool, its write-ahead log and the updates of a system that has one disk.</summary>
    public long LeastFree { get; init; } = 256L << 20;
}

/// <summary>
/// Where the files of "capture-now" lie: DATA/captures. A file that is being written is called .partial and gets its name when it is whole and on the card, so that whatever
/// lies there under .pcap is all that was captured; what a kill or a power cut left half-done goes at the next start.
/// </summary>
sealed class CaptureFolder(string path, CaptureLimits limits)
{
    const string Whole = ".pcap", Partial = ".partial";
    /// <summary>Payloads are in it, passwords too: for the sensor's user and group alone.</summary>
    const UnixFileMode FileMode0640 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    const UnixFileMode FolderMode0750 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    public CaptureLimits Limits => limits;

    /// <summary>Bytes that others may still write to this disk; all there are when the system does not say.</summary>
    public long Free
    {
        get
        {
            try
            {
                return new DriveInfo(path).AvailableFreeSpace;
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
            {
                return long.MaxValue;
            }
        }
    }

    /// <summary>Removes what a capture left that came to no end. Only while none is under way.</summary>
    /// <returns>What could not be removed, and why; null = nothing is left.</returns>
    public string? Sweep()
    {
        try
        {
            foreach (string left in Directory.Exists(path) ? Directory.GetFiles(path, "*" + Partial) : []) File.Delete(left);
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return $"an unfinished capture in {path} cannot be removed: {Reason.Of(fault)}";
        }
    }

    /// <summary>Makes room for one more file; null, or why there is none. Throws what the disk says.</summary>
    public string? MakeRoom()
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, FolderMode0750);
        Sweep();
        // By age, and not by name: the name has the port's in it, and somebody may have renamed one. After a clock that was wrong another of the few goes; never more of them.
        FileInfo[] files = [.. new DirectoryInfo(path).GetFiles("*" + Whole).OrderBy(f => f.LastWriteTimeUtc).ThenBy(f => f.Name, StringComparer.Ordinal)];
        FileInfo[] old = files[..Math.Max(0, files.Length - limits.MostFiles + 1)];
        long free = Free;
        // Nothing is thrown away for a capture that then does not come about.
        if (free < limits.LeastFree - old.Sum(f => f.Length))
            return $"the disk of {path} has {Size(free)} free and {Size(limits.LeastFree)} have to stay for the spool: remove what is not needed{(files.Length > 0 ? $", such as the {files.Length} older captures there" : "")}";
        foreach (FileInfo file in old) file.Delete();
        return null;
    }

    /// <summary>A new file that is not whole yet. Throws what the disk says.</summary>
    /// <param name="name">Without an ending.</param>
    /// <param name="whole">Its name once it is whole.</param>
    public FileStream Create(string name, out string whole)
    {
        whole = Path.Combine(path, name + Whole);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = FileMode0640;
        return new FileStream(whole + Partial, options);
    }

    /// <summary>The file is closed and on the card: gives it its name. Throws what the disk says.</summary>
    public void Finish(string whole)
    {
        File.Move(whole + Partial, whole, overwrite: true);
        DirectorySync.Flush(path);
    }

    /// <summary>In MiB, as a person compares them.</summary>
    static string Size(long bytes) => $"{bytes >> 20:N0} MiB";
}
