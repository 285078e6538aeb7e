using Nfr.Storage;

namespace Nfr.Faults.Disk;

/// <summary>A kind of call that the disk may refuse.</summary>
enum DiskCall { Read, Write, Truncate, Sync, Look, Lock, Index, Open, Delete, Rename }

/// <summary>How it refuses.</summary>
enum DiskFailure
{
    /// <summary>EIO.</summary>
    Io,
    /// <summary>Half of it was written, then EIO.</summary>
    Short,
    /// <summary>Half of it was written, then ENOSPC.</summary>
    Full,
    /// <summary>EINTR that nobody repeated; a lock is busy.</summary>
    Interrupted,
}

/// <summary>
/// A disk in memory, under SQLite (<see cref="SqliteVfs"/>) and under the files beside the ring (<see cref="StorageFiles"/>). It records whatever
/// reaches it, in order, counts bytes and syncs, and refuses calls when it is told to.
/// </summary>
sealed class FaultDisk : StorageFiles, IDisposable
{
    static int s_count;

    readonly nint _vfs;
    DiskImage _now = new();
    int _files;
    bool _held;

    public FaultDisk()
    {
        Name = $"nfr-faults-{Interlocked.Increment(ref s_count)}";
        _vfs = SqliteVfs.Register(this);
    }

    /// <summary>The name of the VFS.</summary>
    public string Name { get; }

    public Lock Gate { get; } = new();

    /// <summary>What reached the disk since <see cref="Load"/>; null = it is not recorded.</summary>
    public List<DiskOp>? Log { get; private set; }

    /// <summary>Bytes and syncs since <see cref="Load"/>.</summary>
    public long BytesWritten { get; private set; }
    public long Syncs { get; private set; }

    /// <summary>Calls since <see cref="FailFrom"/> that could have been refused.</summary>
    public int Calls { get; private set; }

    /// <summary>Calls that were ever refused.</summary>
    public int RefusedInAll { get; private set; }

    /// <summary>A disk that says it has synced this file and has not.</summary>
    public string? LiesAboutSyncing { get; set; }

    int _failFrom = int.MaxValue, _failUntil = int.MaxValue;
    DiskFailure _failure;
    TimeSpan _waited;

    /// <summary>Puts an image in the place of everything, which it takes over, and begins to count.</summary>
    public void Load(DiskImage image, bool record)
    {
        lock (Gate)
        {
            _now = image;
            _files = image.Files.Count == 0 ? 0 : image.Files.Values.Max(file => file.Id);
            Log = record ? [] : null;
            (BytesWritten, Syncs, _held) = (0, 0, false);
        }
    }

    public DiskImage Image()
    {
        lock (Gate) return _now.Copy();
    }

    /// <summary>From the <paramref name="first"/>-th call on (1 = the next) so many calls are refused.</summary>
    public void FailFrom(int first, int times, DiskFailure failure)
    {
        lock (Gate)
        {
            (Calls, _waited) = (0, TimeSpan.Zero);
            (_failFrom, _failUntil, _failure) = (first, (int)Math.Min(int.MaxValue, (long)first + times), failure);
        }
    }

    public void Heal() => FailFrom(int.MaxValue, 0, DiskFailure.Io);

    /// <summary>Null = the call goes through.</summary>
    public DiskFailure? Refuses(DiskCall call)
    {
        // A full disk refuses only what needs room; only such calls count then.
        if (_failure is DiskFailure.Full && call is not (DiskCall.Write or DiskCall.Sync)) return null;
        if (_failure is DiskFailure.Short && call is not DiskCall.Write) return null;
        Calls++;
        if (Calls < _failFrom || Calls >= _failUntil) return null;
        RefusedInAll++;
        return _failure;
    }

    // --- what reaches the disk

    public void Write(DiskFile file, long offset, ReadOnlySpan<byte> data)
    {
        file.Write(offset, data);
        BytesWritten += data.Length;
        Log?.Add(new DiskOp(DiskOpKind.Write, file.Id, Offset: offset, Data: data.ToArray()));
    }

    public void Truncate(DiskFile file, long length)
    {
        file.Truncate(length);
        Log?.Add(new DiskOp(DiskOpKind.Truncate, file.Id, Offset: length));
    }

    public void Sync(DiskFile file, string name)
    {
        Syncs++;
        if (LiesAboutSyncing is { } liar && name.EndsWith(liar, StringComparison.Ordinal)) return;
        Log?.Add(new DiskOp(DiskOpKind.Sync, file.Id));
    }

    public void SyncNames() => Log?.Add(new DiskOp(DiskOpKind.SyncNames));

    DiskFile Create(string path)
    {
        var file = new DiskFile(++_files);
        _now.Files[path] = file;
        Log?.Add(new DiskOp(DiskOpKind.Create, file.Id, path));
        return file;
    }

    bool Unlink(string path)
    {
        if (!_now.Files.Remove(path)) return false;
        Log?.Add(new DiskOp(DiskOpKind.Delete, Name: path));
        return true;
    }

    // --- SQLite's calls

    public OpenFile? Open(string? path, bool create, bool isJournal)
    {
        lock (Gate)
        {
            if (Refuses(DiskCall.Open) is not null) return null;
            // A nameless file is for sorting and never read after a cut.
            if (path is null) return new OpenFile(this, "", new DiskFile(0), false);
            if (_now.Files.TryGetValue(path, out DiskFile? file)) return new OpenFile(this, path, file, false);
            return create && !_now.Directories.Contains(path) ? new OpenFile(this, path, Create(path), isJournal) : null;
        }
    }

    public int Remove(string path, bool syncNames)
    {
        lock (Gate)
        {
            if (Refuses(DiskCall.Delete) is not null) return OpenFile.DeleteError;
            if (!Unlink(path)) return OpenFile.NothingToDelete;
            if (syncNames) SyncNames();
            return OpenFile.Ok;
        }
    }

    /// <summary>As on Linux: an empty file does not count as being there, unless it is asked whether it can be used.</summary>
    public int Access(string path, bool evenEmpty, out bool there)
    {
        lock (Gate)
        {
            there = _now.Files.TryGetValue(path, out DiskFile? file) && (evenEmpty || file.Length > 0);
            return Refuses(DiskCall.Look) is null ? OpenFile.Ok : OpenFile.AccessError;
        }
    }

    // --- the calls of the files beside the ring

    void Pass(DiskCall call, string path)
    {
        if (Refuses(call) is { } failure) throw new IOException($"{path}: {(failure is DiskFailure.Full ? "No space left on device" : "Input/output error")}");
    }

    public override void CreateDirectory(string path)
    {
        lock (Gate)
        {
            Pass(DiskCall.Open, path);
            _now.Directories.Add(path);
        }
    }

    public override IDisposable Hold(string path)
    {
        lock (Gate)
        {
            if (_held) throw new IOException($"{path} is held");
            if (!_now.Files.ContainsKey(path)) Create(path);
            _held = true;
            return new Holder(this);
        }
    }

    public override bool Exists(string path)
    {
        lock (Gate) return _now.Files.ContainsKey(path) || _now.Directories.Contains(path);
    }

    public override bool IsDirectory(string path)
    {
        lock (Gate) return _now.Directories.Contains(path);
    }

    public override bool IsLink(string path) => false;

    public override long Length(string path)
    {
        lock (Gate) return _now.Files.TryGetValue(path, out DiskFile? file) ? file.Length : 0;
    }

    public override byte[] Read(string path)
    {
        lock (Gate)
        {
            Pass(DiskCall.Read, path);
            return _now.Files.TryGetValue(path, out DiskFile? file) ? file.Bytes.ToArray() : throw new FileNotFoundException(path);
        }
    }

    public override void WriteThrough(string path, ReadOnlySpan<byte> bytes)
    {
        lock (Gate)
        {
            Pass(DiskCall.Open, path);
            if (_now.Files.TryGetValue(path, out DiskFile? file)) Truncate(file, 0);
            else file = Create(path);
            if (Refuses(DiskCall.Write) is { } failure)
            {
                if (failure is DiskFailure.Short or DiskFailure.Full) Write(file, 0, bytes[..(bytes.Length / 2)]);
                throw new IOException($"{path}: {failure}");
            }
            Write(file, 0, bytes);
            Pass(DiskCall.Sync, path);
            Sync(file, path);
        }
    }

    public override void Preallocate(string path, long bytes)
    {
        lock (Gate)
        {
            Pass(DiskCall.Open, path);
            DiskFile file = Create(path);
            // Blocks taken, nothing written: lengths are all that the reserve is asked for.
            Truncate(file, bytes);
        }
    }

    public override void Move(string from, string to)
    {
        lock (Gate)
        {
            Pass(DiskCall.Rename, from);
            if (_now.Directories.Remove(from))
            {
                _now.Directories.Add(to);
                return;
            }
            if (!_now.Files.Remove(from, out DiskFile? file)) throw new FileNotFoundException(from);
            _now.Files[to] = file;
            Log?.Add(new DiskOp(DiskOpKind.Rename, Name: from, To: to));
        }
    }

    // The platform's is not asked either whether it could.
    public override void FlushDirectory(string path)
    {
        lock (Gate)
        {
            if (Refuses(DiskCall.Sync) is null) SyncNames();
        }
    }

    public override void Delete(string path)
    {
        lock (Gate)
        {
            Pass(DiskCall.Delete, path);
            if (!_now.Directories.Remove(path))
            {
                Unlink(path);
                return;
            }
            foreach (string inside in _now.Files.Keys.Where(name => name.StartsWith(path + "/", StringComparison.Ordinal)).ToArray()) Unlink(inside);
        }
    }

    public override IReadOnlyList<string> Entries(string path)
    {
        lock (Gate)
        {
            return [.. _now.Directories.Concat(_now.Files.Keys).Where(name => Path.GetDirectoryName(name) == path).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>A disturbance is over when it was waited for so long.</summary>
    static readonly TimeSpan s_disturbance = TimeSpan.FromSeconds(1);

    public override void Wait(TimeSpan time)
    {
        lock (Gate)
        {
            _waited += time;
            if (_waited >= s_disturbance) _failUntil = 0;
        }
    }

    public override long DiskBytes(string path) => long.MaxValue;

    public void Dispose()
    {
        SqliteVfs.Unregister(_vfs);
        // The table that SQLite was given stays and points here: not at all that was written, too.
        Load(new DiskImage(), record: false);
    }

    sealed class Holder(FaultDisk disk) : IDisposable
    {
        public void Dispose()
        {
            lock (disk.Gate) disk._held = false;
        }
    }
}
