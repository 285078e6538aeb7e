using Nfr.Native;

namespace Nfr.Logs;

// Who is who: names that are followed against files that are known.
public sealed partial class FollowedLog
{
    /// <summary>Nanoseconds for which a packed file that is short and not whole is taken for one in the making.</summary>
    const long PackingTime = 60_000_000_000;

    /// <summary>Empty files that are held open; of further ones the bytes are seen with the next look at the names.</summary>
    const int MaximumEmpty = 16;

    /// <summary>Before a path: what was said is that its format is none to follow.</summary>
    const string RefusedMark = "refused ";

    readonly HashSet<LogFile> _named = [];
    readonly List<(string Path, LogSource Source)> _empty = [];

    /// <summary>Looks at the names: what is new, gone, or another file than before.</summary>
    internal void Scan(long now)
    {
        _now = now;
        MeetThoseBegun(now);
        List<(string Path, FileStatus Status)> found = _pattern.Expand();
        found.Sort((a, b) => ByAge(a.Path, a.Status, b.Path, b.Status));
        List<(string Path, FileStatus Status)> strangers = [];
        _named.Clear();
        foreach ((string path, FileStatus status) in found)
        {
            if (!IsKnown(path, status, now)) strangers.Add((path, status));
        }
        foreach (LogFile file in _files)
        {
            if (file.Source is null || !file.IsLive || _named.Contains(file)) continue;
            MoveAway(file, now);
        }
        if (!_isResolved)
        {
            _isResolved = true;
            foreach (LogFile file in _files.ToArray())
            {
                if (file.Source is not null || file.IsDone || file.IsCopy || _named.Contains(file) || Search(file, strangers, now)) continue;
                // Names may be in motion: looked for again for a while.
                if (now < SearchTime) _isResolved = false;
                else Miss(file);
            }
            if (_isResolved) LookBehindRestart(now);
        }
        foreach ((string path, FileStatus status) in strangers) Meet(path, status, now);
        if (_isResolved)
        {
            CatchUp(now);
            FindMissed(now);
        }
        if (_isFirst)
        {
            // From now on there is a position, if only an empty one.
            lock (_lock) _changed = true;
        }
        _isFirst = false;
        TellWhetherThere(found.Count);
        TellOfPlaces();
        ForgetTroubles(found, now);
    }

    void TellOfPlaces()
    {
        if (_unwritten is var left and > 0)
            Trouble("places", $"{_options.Path}: how far {left} of its files are read does not fit into the spool, so long are their names: they would be read again after a restart. Items with a part of the files each help");
        else
            Well("places", $"{_options.Path}: the places of all files are written down again");
    }

    // Of a file that is gone nothing would say that it is well.
    void ForgetTroubles(List<(string Path, FileStatus Status)> found, long now)
    {
        if (_troubles.Count == 0) return;
        HashSet<string> paths = [.. found.Select(f => f.Path)];
        foreach ((string about, (_, long at)) in _troubles.ToArray())
        {
            if (about.Length == 0 || now - at < TroubleTime) continue;
            string path = about.StartsWith(RefusedMark, StringComparison.Ordinal) ? about[RefusedMark.Length..] : about;
            if (paths.Contains(path) || _files.Exists(f => f.Source is not null && f.Path == path)) continue;
            Well(about, about == "room" ? $"{_options.Path}: there is room for all files again" : $"{path}: is not there any more");
        }
    }

    // Zeek's certificates before the connections that speak of them, then by the last write.
    static int ByAge(string a, FileStatus itsA, string b, FileStatus itsB)
    {
        bool first = IsOfCertificates(a), second = IsOfCertificates(b);
        if (first != second) return first ? -1 : 1;
        return itsA.Modified != itsB.Modified ? itsA.Modified.CompareTo(itsB.Modified) : string.CompareOrdinal(a, b);
    }

    /// <summary>A log of Zeek's that tells of certificates: x509, and files, which says the SHA-1 of older versions.</summary>
    internal static bool IsOfCertificates(string path)
    {
        ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan());
        return name.StartsWith("x509", StringComparison.OrdinalIgnoreCase) || name.StartsWith("files.", StringComparison.OrdinalIgnoreCase);
    }

    static bool IsOfHandshakes(string path) => Path.GetFileName(path.AsSpan()).StartsWith("ssl", StringComparison.OrdinalIgnoreCase);

    void TellWhetherThere(int count)
    {
        if (count > 0)
        {
            _isMet = true;
            Well("", $"{_options.Path}: there is a file now; it is read");
        }
        else if (!_isMet || _files.TrueForAll(f => f.Source is null))
        {
            string what = _pattern.IsMany ? "no file is there" : "it is not there";
            Trouble("", $"{_options.Path}: {what}, or there is no permission to look; it is read as soon as it is there");
        }
    }

    // A file with this identity: open, or closed and still what it was.
    bool IsKnown(string path, FileStatus looked, long now)
    {
        FileStatus status = looked;
        if (_files.Find(f => f.Source is not null && f.Status.Inode == looked.Inode && f.Status.Device == looked.Device) is { } open)
        {
            // A second name of it is nothing new.
            if (!_named.Add(open)) return true;
            if (open.Path != path) Rename(open, path);
            if (open.Successor is null && !open.IsLive) (open.IsLive, open.WasMoved, open.MovedAt) = (true, false, 0);
            return true;
        }
        for (int i = 0; i < _files.Count; i++)
        {
            LogFile file = _files[i];
            if (file.Source is not null || file.Status.Inode != status.Inode) continue;
            bool unchanged = status.Length == file.Status.Length && status.Modified == file.Status.Modified && status.Device == file.Status.Device;
            if (unchanged && (file.IsDone || file.IsCopy || file.Parser is null && file.Offset == status.Length && file.Marks.Facts.Path == path && file.IsLive))
            {
                _named.Add(file);
                if (file.Path != path) Rename(file, path);
                return true;
            }
            if (file.IsCopy)
            {
                // It grew: looked at anew.
                Forget(file);
                i--;
                continue;
            }
            if (LogSource.Open(path, out string? reason, ref status) is not { } source)
            {
                Trouble(path, $"{path}: {reason}; it is tried again every second");
                _named.Add(file);
                return true;
            }
            Well(path, $"{path}: can be read again");
            bool asked = Guard(path, () => file.IsIn(source) || (file.Offset == 0 && file.Head.Length == 0), out bool same);
            if (asked && same)
            {
                Attach(file, path, source, status, isLive: true, now);
                _named.Add(file);
                return true;
            }
            source.Dispose();
            // The same file with other bytes. One that was made since has the number alone.
            if (asked && !file.IsDone && IsSameFile(status, file.Status)) CountCut(file, now);
        }
        return false;
    }

    /// <summary>For sure: a number is used again by what is made later, and where nobody knows when that was nothing is said.</summary>
    internal static bool IsSameFile(FileStatus status, FileStatus before) =>
        status.Inode == before.Inode && status.Device == before.Device && status.Born > 0 && status.Born <= before.Modified;

    void Rename(LogFile file, string path)
    {
        file.Path = path;
        file.Feed.File = path;
        Publish(file);
    }

    /// <summary>Goes on with a file in these bytes; its parser comes with its first turn.</summary>
    void Attach(LogFile file, string path, LogSource source, FileStatus status, bool isLive, long now)
    {
        file.IsLive = isLive;
        file.MovedAt = isLive ? 0 : now;
        file.Path = path;
        file.Feed.File = path;
        Guard(path, () =>
        {
            file.TakeUp(source, status, now);
            return true;
        }, out _);
        Publish(file);
    }

    /// <summary>A name with a file behind it that is not known: a copy of a known one, a known one packed, or a new one.</summary>
    void Meet(string path, FileStatus looked, long now)
    {
        FileStatus status = looked;
        if (status.Length == 0 && _empty.Count >= MaximumEmpty) return;
        if (_empty.Exists(e => e.Path == path && e.Source.Status is { } its && its.Inode == looked.Inode && its.Device == looked.Device)) return;
        if (LogSource.Open(path, out string? reason, ref status) is not { } source)
        {
            // It was moved on since the names were looked at, or soon may be read.
            if (FileStatus.Of(path, out int errno) is null && FileStatus.IsMissing(errno)) return;
            Trouble(path, $"{path}: {reason}; it is tried again every second");
            return;
        }
        Well(path, $"{path}: can be read now");
        // Nothing can be said of it, and nothing read: it is met when it has bytes.
        if (status.Length > 0) Meet(path, source, status, now);
        else if (_empty.Count < MaximumEmpty) _empty.Add((path, source));
        else source.Dispose();
    }

    /// <summary>Files that were empty until now.</summary>
    void MeetThoseBegun(long now)
    {
        for (int i = 0; i < _empty.Count; i++)
        {
            (string path, LogSource source) = _empty[i];
            if (source.Status is { Length: 0, Links: > 0 }) continue;
            _empty.RemoveAt(i--);
            // A packed one is opened as such.
            if (source.Status is not { Length: > 0 } status || !Guard(path, () => LogSource.IsPackedBegin(source), out bool packed) || packed) source.Dispose();
            else Meet(path, source, status, now);
        }
    }

    void Meet(string path, LogSource source, FileStatus status, long now)
    {
        if (IsTaken(status))
        {
            source.Dispose();
            return;
        }
        if (!Guard(path, () => IsOwned(path, source, status, isLive: true, now), out bool owned) || owned)
        {
            if (_files.TrueForAll(f => f.Source != source)) source.Dispose();
            return;
        }
        if (!HasRoom())
        {
            source.Dispose();
            return;
        }
        LogFile? before = _files.LastOrDefault(f => f.Log == path && !f.IsCopy && f.Successor is null);
        LogFile file = New(path, path, source, status, now);
        file.IsLive = true;
        _named.Add(file);
        if (_isFirst && _options.From == FollowFrom.End && !source.IsPacked) Guard(path, () => GoToEnd(file, source, status), out _);
        if (before is not null) Follow(before, file, now);
        Publish(file);
    }

    LogFile New(string path, string log, LogSource source, FileStatus status, long now)
    {
        LogFile file = Make(path, log, status, null);
        file.Known = source.IsPacked ? 0 : status.Length;
        Guard(path, () =>
        {
            file.TakeUp(source, status, now);
            return true;
        }, out _);
        Publish(file);
        return file;
    }

    // Behind the last whole line; what the file's header says holds there too.
    bool GoToEnd(LogFile file, LogSource source, FileStatus status)
    {
        Span<byte> last = stackalloc byte[LineReader.ChunkLength / 8];
        long from = Math.Max(0, status.Length - last.Length);
        int length = source.ReadFull(last[..(int)Math.Min(last.Length, status.Length - from)], from);
        int end = last[..length].LastIndexOf((byte)'\n') + 1;
        long offset = end == 0 ? status.Length : from + end;
        int before = Math.Min(end, Fingerprint.TailLength);
        var point = new Waypoint(offset, before == 0 ? default : Fingerprint.Of(last[(end - before)..end]));
        file.Restore(offset, file.Head, point, status.Length);
        file.TakeUp(source, status, file.GrewAt);
        lock (_lock) file.Marks.Begin(offset, offset, offset > 0 ? 0 : -1, point);
        return true;
    }

    /// <summary>Whether these bytes are those of a file that is known; if it is closed and they are more than was read of it, it goes on in them.</summary>
    bool IsOwned(string path, LogSource source, FileStatus status, bool isLive, long now)
    {
        Span<byte> head = stackalloc byte[Fingerprint.HeadLength];
        Fingerprint print = Fingerprint.Of(head[..source.ReadFull(head, 0)]);
        // Packed just now: nothing can be said of it yet.
        if (source.IsPacked && (print.Length == 0 || (print.Length < Fingerprint.HeadLength && UnpackedLength(path) != print.Length && IsJustWritten(status)))) return true;
        foreach (LogFile file in _files.ToArray())
        {
            // Most are told apart by what is known of them; one that is written may have been cut just now, and is looked at.
            if (file.IsCopy || (!file.IsLive && file.Head.Length == print.Length && file.Head != print)) continue;
            if (file.Source is not null)
            {
                if (file.Contains(source, status.Length) || (source.IsPacked && file.IsIn(source)))
                {
                    Make(path, file.Log, status, null, isCopy: true);
                    return true;
                }
                // It was cut, and this is what it was: the file's next turn finds that out and goes on here, or was behind it already.
                if (file.IsIn(source) || file.IsBefore(source, status.Length)) return true;
                continue;
            }
            if (file.IsBefore(source, status.Length))
            {
                Make(path, file.Log, status, null, isCopy: true);
                return true;
            }
            if (!file.IsIn(source)) continue;
            if (source.IsPacked ? UnpackedLength(path) == (uint)file.Offset : status.Length == file.Offset)
            {
                file.Status = status;
                Rename(file, path);
                _named.Add(file);
                return true;
            }
            Attach(file, path, source, status, isLive, now);
            _named.Add(file);
            return true;
        }
        return false;
    }

    bool IsJustWritten(FileStatus status) => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100 - status.Modified < PackingTime;

    // RFC 1952: the last four bytes of a member. Of several members it is the last one's, and then the file is read once more up to where it was.
    // Null when it cannot be: too short, or moved on meanwhile.
    static uint? UnpackedLength(string path)
    {
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> size = stackalloc byte[sizeof(uint)];
            long length = RandomAccess.GetLength(handle);
            if (length < 18 || RandomAccess.Read(handle, size, length - size.Length) != size.Length) return null;
            return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(size);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    bool HasRoom()
    {
        if (IsFull(out LogFile? old))
        {
            TellThatItIsFull();
            return false;
        }
        if (old is not null) Forget(old);
        else if (_refused.Count == 0) Well("room", $"{_options.Path}: all files are read again");
        return true;
    }

    /// <summary>There is no room for a further file, and none that may be forgotten for it.</summary>
    bool IsFull(out LogFile? old)
    {
        old = null;
        if (_files.Count < MaximumFiles) return false;
        old = _files.Find(f => f.IsCopy) ?? _files.Find(f => f.IsDone && f.Source is null && !_named.Contains(f) && IsAccepted(f) && MayForget(f));
        return old is null;
    }

    // Behind what is forgotten nothing is looked for: not while an older one waits for room.
    bool MayForget(LogFile file) => !_refused.TryGetValue(file.Log, out long modified) || file.Status.Modified < modified;

    void TellThatItIsFull() =>
        Trouble("room", $"{_options.Path}: more than {MaximumFiles} files; those beyond are not read before others are done. A narrower pattern helps, or further items with a part of the files each");

    // What the disk says of one file must not keep the others from being read.
    bool Guard(string path, Func<bool> act, out bool result)
    {
        result = false;
        try
        {
            result = act();
            return true;
        }
        catch (InvalidDataException)
        {
            // Packed, and not whole: it is in the making, or a fault that its reading will tell.
            return false;
        }
        catch (Exception e) when (LogSource.IsFault(e))
        {
            Trouble(path, $"{path}: {e.Message}; it is tried again every second");
            return false;
        }
    }
}
