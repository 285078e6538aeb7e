using System.Globalization;
using System.Text.Json;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>
/// The spool's directory:
/// <code>
/// spool.db spool.db-wal spool.db-shm   the ring
/// sensor.json                          what outlives a lost ring: the sensor's id, and a number above every sequence given so far
/// reserve                              blocks kept for the moment when the disk is full
/// spool.lock                           held while a process has the spool open
/// quarantine/UTC-N/                    what could not be read
/// </code>
/// </summary>
sealed class SpoolDirectory : IDisposable
{
    /// <summary>Items kept in quarantine; the oldest is removed. A rotten ring may be as large as the quota, so this is few.</summary>
    public const int MaxQuarantined = 3;

    /// <summary>
    /// Sequence numbers reserved at a time. After an unclean stop, numbering goes on above the reserved ones: rot may have cut commits off the
    /// log's end without a trace, and (sensor, sequence) must never repeat.
    /// </summary>
    public const long ReserveStep = 1 << 16;

    readonly string _path;
    readonly TimeProvider _time;
    readonly FileStream _lock;
    readonly List<string> _quarantined = [];

    SpoolDirectory(string path, TimeProvider time, FileStream heldLock)
    {
        _path = path;
        _time = time;
        _lock = heldLock;
    }

    public string DatabasePath => Path.Combine(_path, "spool.db");
    string SensorPath => Path.Combine(_path, "sensor.json");
    string ReservePath => Path.Combine(_path, "reserve");
    string QuarantinePath => Path.Combine(_path, "quarantine");

    /// <summary>Empty until known.</summary>
    public string SensorId { get; private set; } = "";
    public long Reserved { get; private set; }
    public bool WasClean { get; private set; }
    public bool HadSensorFile { get; private set; }
    public IReadOnlyList<string> Quarantined => _quarantined;

    public static SpoolDirectory Open(string path, TimeProvider time)
    {
        string lockPath = Path.Combine(path, "spool.lock");
        try
        {
            Directory.CreateDirectory(path);
            if (new FileInfo(lockPath).LinkTarget is not null) File.Delete(lockPath);
            if (Directory.Exists(lockPath)) Directory.Move(lockPath, FreeName(Path.Combine(path, "spool.lock.moved")));
            var held = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            return new SpoolDirectory(path, time, held);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SpoolException($"The spool directory {path} cannot be written: give it to the user that runs the sensor.", e);
        }
        catch (IOException e)
        {
            throw new SpoolException(Directory.Exists(path)
                ? $"The spool directory {path} is in use by another sensor or cannot be written: {e.Message}"
                : $"The spool directory {path} cannot be made: {e.Message}", e);
        }
    }

    /// <summary>Reads <c>sensor.json</c>; what is no such file goes to quarantine.</summary>
    public void ReadSensor()
    {
        if (!Exists(SensorPath)) return;
        try
        {
            var file = new FileInfo(SensorPath);
            if (file.Length <= 4096)
            {
                using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(SensorPath));
                string? id = json.RootElement.GetProperty("sensor").GetString();
                long reserved = json.RootElement.GetProperty("reserved").GetInt64();
                bool clean = json.RootElement.GetProperty("clean").GetBoolean();
                if (id is { Length: > 0 and <= 64 } && reserved is >= 0 and < long.MaxValue / 2)
                {
                    (SensorId, Reserved, WasClean, HadSensorFile) = (id, reserved, clean, true);
                    return;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IOException
            or UnauthorizedAccessException)
        {
        }
        Quarantine("sensor.json could not be read", SensorPath);
    }

    /// <summary>Writes <c>sensor.json</c> so that after a power cut either the old or the new one is there, whole.</summary>
    public SpoolFault? WriteSensor(string id, long reserved, bool clean)
    {
        SensorId = id;
        string temporary = SensorPath + ".new";
        try
        {
            if (Directory.Exists(temporary)) Quarantine("sensor.json.new was a directory", temporary);
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1))
            {
                using (var json = new Utf8JsonWriter(file))
                {
                    json.WriteStartObject();
                    json.WriteString("sensor", id);
                    json.WriteNumber("reserved", reserved);
                    json.WriteBoolean("clean", clean);
                    json.WriteEndObject();
                }
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, SensorPath, overwrite: true);
            DirectorySync.Flush(_path);
            Reserved = reserved;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new SpoolFault(SpoolFaultKind.Io, $"sensor.json cannot be written: {e.Message}");
        }
    }

    /// <summary>Moves what lies at the paths into one new folder of <c>quarantine/</c>; what cannot be moved is deleted, so that a start always succeeds.</summary>
    public void Quarantine(string reason, params ReadOnlySpan<string> paths)
    {
        string stamp = _time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        string? folder = null;
        try
        {
            if (Exists(QuarantinePath) && !Directory.Exists(QuarantinePath)) File.Move(QuarantinePath, FreeName(QuarantinePath + ".moved"));
            folder = FreeName(Path.Combine(QuarantinePath, stamp));
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            folder = null;
        }
        foreach (string path in paths)
        {
            if (!Exists(path)) continue;
            try
            {
                if (folder is null) Delete(path);
                else if (Directory.Exists(path)) Directory.Move(path, Path.Combine(folder, Path.GetFileName(path)));
                else File.Move(path, Path.Combine(folder, Path.GetFileName(path)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Delete(path);
            }
        }
        _quarantined.Add(folder is null ? $"{reason}; deleted, because quarantine/ cannot be written" : $"{reason}; moved to {folder}");
        Trim();
    }

    public int QuarantinedItems
    {
        get
        {
            try
            {
                return Directory.Exists(QuarantinePath) ? Directory.GetFileSystemEntries(QuarantinePath).Length : 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return 0;
            }
        }
    }

    /// <summary>
    /// Takes blocks from the disk ahead of need (fallocate: nothing is written to the card). A full disk then still has room for the log
    /// and its checkpoint, which eviction itself needs.
    /// </summary>
    public bool TakeReserve(long bytes)
    {
        try
        {
            if (Directory.Exists(ReservePath)) Quarantine("reserve was a directory", ReservePath);
            var file = new FileInfo(ReservePath);
            if (file.Exists && file.Length == bytes) return true;
            file.Delete();
            using var handle = File.OpenHandle(ReservePath, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, bytes);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Delete(ReservePath);
            return false;
        }
    }

    public void ReleaseReserve() => Delete(ReservePath);

    /// <summary>The log's index is made anew by whoever opens the database first; what is no file in its place is in the way.</summary>
    public void ClearIndexFile()
    {
        string path = DatabasePath + "-shm";
        if (Directory.Exists(path) || new FileInfo(path).LinkTarget is not null) Delete(path);
    }

    /// <summary>Bytes of the whole disk, used or not; all there are when the system does not say.</summary>
    public static long DiskBytes(string path)
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

    /// <summary>Bytes of database, log and reserve.</summary>
    public long BytesOnDisk => Length(DatabasePath) + WalBytes + Length(ReservePath);

    public long WalBytes => Length(DatabasePath + "-wal");

    public void Dispose() => _lock.Dispose();

    static bool Exists(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    // Never opened: closing any descriptor of the database would drop SQLite's POSIX locks on it.
    static long Length(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : 0;
    }

    static void Delete(string path)
    {
        try
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever needs the place finds it taken and reports that.
        }
    }

    static string FreeName(string path)
    {
        for (int n = 1; ; n++)
        {
            string name = $"{path}-{n}";
            if (!Exists(name)) return name;
        }
    }

    void Trim()
    {
        try
        {
            if (!Directory.Exists(QuarantinePath)) return;
            FileSystemInfo[] items = new DirectoryInfo(QuarantinePath).GetFileSystemInfos();
            // A wrong clock may misorder these; then another of the few is removed, never the limit exceeded.
            Array.Sort(items, (a, b) => a.LastWriteTimeUtc.CompareTo(b.LastWriteTimeUtc));
            for (int i = 0; i < items.Length - MaxQuarantined; i++) Delete(items[i].FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
