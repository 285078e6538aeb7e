using Nfr.Native;

namespace Nfr.Storage;

/// <summary>
/// The file system as the spool's side files meet it: the seam at which tests cut the power, fill the disk and make calls fail. SQLite's files
/// have a seam of their own (<see cref="SpoolOptions.Vfs"/>). What is refused comes as <see cref="IOException"/> or
/// <see cref="UnauthorizedAccessException"/>, as the platform does it.
/// </summary>
class StorageFiles
{
    /// <summary>The machine's own.</summary>
    public static StorageFiles Platform { get; } = new();

    public virtual void CreateDirectory(string path) => Directory.CreateDirectory(path);

    /// <summary>Opens a file for this process alone, and makes it when it is not there.</summary>
    public virtual IDisposable Hold(string path) => new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);

    /// <summary>Something has this name, be it a link that leads nowhere.</summary>
    public virtual bool Exists(string path) => Path.Exists(path) || IsLink(path);

    public virtual bool IsDirectory(string path) => Directory.Exists(path);

    public virtual bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    /// <summary>Bytes of a file, 0 when there is none. Nothing is opened: closing any descriptor of the database would drop SQLite's POSIX locks on it.</summary>
    public virtual long Length(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }

    public virtual byte[] Read(string path) => File.ReadAllBytes(path);

    /// <summary>A new file, or the old one's place, with these bytes; they are on the card when it returns, the name not yet.</summary>
    public virtual void WriteThrough(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Takes blocks for a new file without writing them.</summary>
    public virtual void Preallocate(string path, long bytes)
    {
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, bytes);
    }

    /// <summary>Gives a file or a directory another name; a file there is replaced.</summary>
    public virtual void Move(string from, string to)
    {
        if (Directory.Exists(from)) Directory.Move(from, to);
        else File.Move(from, to, overwrite: true);
    }

    /// <summary>Names made, changed and removed in the directory are on the card when it returns.</summary>
    public virtual void FlushDirectory(string path) => DirectorySync.Flush(path);

    /// <summary>Removes a file, or a directory with all that is in it; what is not there is no fault.</summary>
    public virtual void Delete(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else File.Delete(path);
    }

    /// <summary>What lies in a directory, the longest untouched first; nothing when there is none.</summary>
    public virtual IReadOnlyList<string> Entries(string path)
    {
        if (!Directory.Exists(path)) return [];
        FileSystemInfo[] items = new DirectoryInfo(path).GetFileSystemInfos();
        // A wrong clock may misorder these; then another of the few is removed, never the limit exceeded.
        Array.Sort(items, (a, b) => a.LastWriteTimeUtc.CompareTo(b.LastWriteTimeUtc));
        return [.. items.Select(item => item.FullName)];
    }

    /// <summary>Gives a disk that refused the time to come to itself.</summary>
    public virtual void Wait(TimeSpan time) => Thread.Sleep(time);

    /// <summary>Bytes of the whole disk, used or not; all there are when the system does not say.</summary>
    public virtual long DiskBytes(string path)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(path)).TotalSize is > 0 and long size ? size : long.MaxValue;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return long.MaxValue;
        }
    }
}
