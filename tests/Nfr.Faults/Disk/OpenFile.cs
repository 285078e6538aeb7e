namespace Nfr.Faults.Disk;

/// <summary>One of SQLite's open files. Answers are SQLite's result codes (sqlite.org/rescode.html).</summary>
sealed class OpenFile(FaultDisk disk, string name, DiskFile file, bool syncsItsName)
{
    public const int Ok = 0, Busy = 5, CantOpen = 14, NotFound = 12, Full = 13;
    public const int ReadError = 266, ShortRead = 522, WriteError = 778, SyncError = 1034, TruncateError = 1546, SizeError = 1802, DeleteError = 2570,
        LockError = 3850, AccessError = 3338, IndexMapError = 5386, NothingToDelete = 5898;
    const int Shared = 1, Reserved = 2, Exclusive = 4;

    bool _nameUnsynced = syncsItsName;
    bool _hasIndex;

    /// <summary>The lock state that this connection holds, 0 none to 4 exclusive.</summary>
    public int LockState { get; private set; }

    /// <summary>Which of the log index's locks it shares, a bit each.</summary>
    public int SharedIndexLocks { get; set; }

    public string Name => name;

    public int Read(Span<byte> target, long offset)
    {
        lock (disk.Gate)
        {
            if (disk.Refuses(DiskCall.Read) is not null) return ReadError;
            int there = (int)Math.Clamp(file.Length - offset, 0, target.Length);
            if (there > 0) file.Bytes.Slice((int)offset, there).CopyTo(target);
            target[there..].Clear();
            return there < target.Length ? ShortRead : Ok;
        }
    }

    public int Write(ReadOnlySpan<byte> data, long offset)
    {
        lock (disk.Gate)
        {
            DiskFailure? failure = disk.Refuses(DiskCall.Write);
            if (failure is null)
            {
                disk.Write(file, offset, data);
                return Ok;
            }
            // A write that found room for a part of it leaves that part.
            if (failure is DiskFailure.Short or DiskFailure.Full) disk.Write(file, offset, data[..(data.Length / 2)]);
            return failure is DiskFailure.Full ? Full : WriteError;
        }
    }

    public int Truncate(long length)
    {
        lock (disk.Gate)
        {
            if (disk.Refuses(DiskCall.Truncate) is not null) return TruncateError;
            disk.Truncate(file, length);
            return Ok;
        }
    }

    public int Sync()
    {
        lock (disk.Gate)
        {
            if (disk.Refuses(DiskCall.Sync) is { } failure) return failure is DiskFailure.Full ? Full : SyncError;
            disk.Sync(file, name);
            // As the platform's VFS does it: the first sync of a new journal or log is one of its name, too.
            if (_nameUnsynced) disk.SyncNames();
            _nameUnsynced = false;
            return Ok;
        }
    }

    public int Size(out long size)
    {
        lock (disk.Gate)
        {
            size = file.Length;
            return disk.Refuses(DiskCall.Look) is null ? Ok : SizeError;
        }
    }

    public int Lock(int wanted)
    {
        lock (disk.Gate)
        {
            if (LockState >= wanted) return Ok;
            if (disk.Refuses(DiskCall.Lock) is { } failure) return failure is DiskFailure.Interrupted ? Busy : LockError;
            if (wanted == Shared)
            {
                if (file.Pending is not null && file.Pending != this) return Busy;
                file.SharedHolders++;
            }
            else
            {
                if (file.Reserved is not null && file.Reserved != this) return Busy;
                if (wanted == Reserved)
                {
                    file.Reserved = this;
                }
                else
                {
                    file.Reserved = file.Pending = this;
                    if (wanted == Exclusive && file.SharedHolders > 1) return Busy;
                }
            }
            LockState = wanted;
            return Ok;
        }
    }

    public int Unlock(int wanted)
    {
        lock (disk.Gate)
        {
            if (file.Pending == this) file.Pending = null;
            if (file.Reserved == this) file.Reserved = null;
            if (wanted == 0 && LockState >= Shared) file.SharedHolders--;
            LockState = Math.Min(LockState, wanted);
            return Ok;
        }
    }

    public bool IsReserved()
    {
        lock (disk.Gate) return file.Reserved is not null;
    }

    public int MapIndex(int region, int bytes, bool extend, out nint address)
    {
        lock (disk.Gate)
        {
            address = 0;
            if (disk.Refuses(DiskCall.Index) is not null) return IndexMapError;
            if (!_hasIndex) file.Index.Enter();
            _hasIndex = true;
            address = file.Index.Map(region, bytes, extend);
            return Ok;
        }
    }

    public int LockIndex(int first, int count, bool take, bool exclusive)
    {
        lock (disk.Gate)
        {
            if (take) return file.Index.TryLock(this, first, count, exclusive) ? Ok : Busy;
            file.Index.Unlock(this, first, count);
            return Ok;
        }
    }

    public void UnmapIndex()
    {
        lock (disk.Gate)
        {
            if (_hasIndex) file.Index.Leave(this);
            _hasIndex = false;
        }
    }

    public void Close()
    {
        UnmapIndex();
        Unlock(0);
    }
}
