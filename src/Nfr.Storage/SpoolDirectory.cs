using System.Buffers;
using System.Globalization;
using System.Text.Json;

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

    /// <summary>Waits at the start for a disk that refuses, 3.1 s in all. A disk that still refuses then is taken for one that always will.</summary>
    public const int MaxWaits = 5;

    /// <summary>
    /// Sequence numbers reserved at a time. After an unclean stop, numbering goes on above the reserved ones: rot may have cut commits off the
    /// log's end without a trace, and (sensor, sequence) must never repeat.
    /// </summary>
    public const long ReserveStep = 1 << 16;

    readonly string _path;
    readonly StorageFiles _files;
    readonly TimeProvider _time;
    readonly IDisposable _lock;
    readonly List<string> _quarantined = [];

    SpoolDirectory(string path, StorageFiles files, TimeProvider time, IDisposable heldLock)
    {
        _path = path;
        _files = files;
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

    public static SpoolDirectory Open(string path, StorageFiles files, TimeProvider time)
    {
        string lockPath = Path.Combine(path, "spool.lock");
        try
        {
            files.CreateDirectory(path);
            if (files.IsLink(lockPath)) files.Delete(lockPath);
            if (files.IsDirectory(lockPath)) files.Move(lockPath, FreeName(files, Path.Combine(path, "spool.lock.moved")));
            return new SpoolDirectory(path, files, time, files.Hold(lockPath));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SpoolException($"The spool directory {path} cannot be written: give it to the user that runs the sensor.", e);
        }
        catch (IOException e)
        {
            throw new SpoolException(files.IsDirectory(path)
                ? $"The spool directory {path} is in use by another sensor or cannot be written: {e.Message}"
                : $"The spool directory {path} cannot be made: {e.Message}", e);
        }
    }

    /// <summary>Reads <c>sensor.json</c>; what is no such file goes to quarantine.</summary>
    public void ReadSensor()
    {
        if (!_files.Exists(SensorPath)) return;
        try
        {
            if (_files.Length(SensorPath) <= 4096)
            {
                using JsonDocument json = JsonDocument.Parse(ReadPatiently(SensorPath));
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

    byte[] ReadPatiently(string path)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                return _files.Read(path);
            }
            catch (IOException) when (i < MaxWaits && !IsTaken(path))
            {
                Wait(i);
            }
        }
    }

    /// <summary>Something that is no file has the name.</summary>
    bool IsTaken(string path) => _files.IsDirectory(path) || _files.IsLink(path);

    /// <summary>Something that is no file has one of the database's names: no waiting will help.</summary>
    public bool IsDatabaseTaken => IsTaken(DatabasePath) || IsTaken(DatabasePath + "-wal") || IsTaken(DatabasePath + "-journal");

    /// <summary>The wait after the try of that number, from 0; each is twice the one before.</summary>
    public void Wait(int attempt) => _files.Wait(TimeSpan.FromMilliseconds(100 << attempt));

    /// <summary>Writes <c>sensor.json</c> so that after a power cut either the old or the new one is there, whole.</summary>
    public SpoolFault? WriteSensor(string id, long reserved, bool clean)
    {
        SensorId = id;
        string temporary = SensorPath + ".new";
        try
        {
            if (_files.IsDirectory(temporary)) Quarantine("sensor.json.new was a directory", temporary);
            var bytes = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(bytes))
            {
                json.WriteStartObject();
                json.WriteString("sensor", id);
                json.WriteNumber("reserved", reserved);
                json.WriteBoolean("clean", clean);
                json.WriteEndObject();
            }
            _files.WriteThrough(temporary, bytes.WrittenSpan);
            _files.Move(temporary, SensorPath);
            _files.FlushDirectory(_path);
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
            if (_files.Exists(QuarantinePath) && !_files.IsDirectory(QuarantinePath))
            {
                _files.Move(QuarantinePath, FreeName(_files, QuarantinePath + ".moved"));
            }
            folder = FreeName(_files, Path.Combine(QuarantinePath, stamp));
            _files.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            folder = null;
        }
        foreach (string path in paths)
        {
            if (!_files.Exists(path)) continue;
            try
            {
                if (folder is null) Delete(path);
                else _files.Move(path, Path.Combine(folder, Path.GetFileName(path)));
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
                return _files.Entries(QuarantinePath).Count;
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
            if (_files.IsDirectory(ReservePath)) Quarantine("reserve was a directory", ReservePath);
            if (_files.Length(ReservePath) == bytes) return true;
            _files.Delete(ReservePath);
            _files.Preallocate(ReservePath, bytes);
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
        if (_files.IsDirectory(path) || _files.IsLink(path)) Delete(path);
    }

    /// <summary>Bytes of database, log and reserve.</summary>
    public long BytesOnDisk => _files.Length(DatabasePath) + WalBytes + _files.Length(ReservePath);

    public long WalBytes => _files.Length(DatabasePath + "-wal");

    public void Dispose() => _lock.Dispose();

    void Delete(string path)
    {
        try
        {
            _files.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever needs the place finds it taken and reports that.
        }
    }

    static string FreeName(StorageFiles files, string path)
    {
        for (int n = 1; ; n++)
        {
            string name = $"{path}-{n}";
            if (!files.Exists(name)) return name;
        }
    }

    void Trim()
    {
        try
        {
            IReadOnlyList<string> items = _files.Entries(QuarantinePath);
            for (int i = 0; i < items.Count - MaxQuarantined; i++) Delete(items[i]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
