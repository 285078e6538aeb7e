using Nfr.Native;

namespace Nfr.Logs;

// What becomes of a file: moved away, cut, packed, gone.
public sealed partial class FollowedLog
{
    /// <summary>At names that are in motion.</summary>
    const int MaximumLooks = 5;

    /// <summary>Milliseconds: while names are shifted again and again, a look may miss a file that has had no name for long enough; so it is looked again.</summary>
    const long LookAgain = 10_000;
    const long LookPause = 250;
    /// <summary>Milliseconds between two sentences that a log is cut.</summary>
    const long CutPatience = 3_600_000;

    /// <summary>Rotations of the last seconds: the log, the last write of the file that was moved away, and when that was seen.</summary>
    readonly List<(string Log, long Since, long At)> _recent = [];
    /// <summary>Of each log that a position spoke of, the oldest last write that is known.</summary>
    readonly Dictionary<string, long> _restoredSince = [];
    /// <summary>Of each log of which a file had no room, the oldest one's last write: it is looked for until it has.</summary>
    readonly Dictionary<string, long> _refused = [];
    long _lookedAgain;
    long _tellCutsAt;

    /// <summary>A file stands where another stood: that one is read to its end first, then those that came and went between them.</summary>
    void Follow(LogFile before, LogFile file, long now)
    {
        _counters!.Rotations++;
        if (before.IsLive) MoveAway(before, now);
        _recent.Add((before.Log, LastWrite(before), now));
        Link(FollowBetween(before, now), file);
    }

    // How long it is by now is written down before its successor is: it may be removed, and a kill take it from us before it is read.
    void MoveAway(LogFile file, long now)
    {
        (file.IsLive, file.MovedAt) = (false, now);
        if (file.Source is not { IsPacked: false, Status: { } status }) return;
        (file.WasMoved, file.Known) = (true, Math.Max(file.Known, status.Length));
        Publish(file);
    }

    static long LastWrite(LogFile file) => file.Source?.Status?.Modified ?? file.Status.Modified;

    /// <summary>A kill may have come between a rotation and the look that would have found what was missed by it.</summary>
    void LookBehindRestart(long now)
    {
        foreach ((string log, long since) in _restoredSince) _recent.Add((log, since, now));
    }

    /// <summary>What came and went between two files that are followed, and was missed when they were met.</summary>
    void FindMissed(long now)
    {
        _recent.RemoveAll(r => now - r.At > LookAgain && !_refused.ContainsKey(r.Log));
        if (_recent.Count == 0 || now - _lookedAgain < LookPause) return;
        _lookedAgain = now;
        foreach ((string log, long since) in _recent.GroupBy(r => r.Log).Select(g => (g.Key, g.Min(r => r.Since))).ToArray())
        {
            if (_refused.ContainsKey(log) && IsFull(out _))
            {
                TellThatItIsFull();
                continue;
            }
            foreach (LogFile missed in Between(log, since, now))
            {
                CountBetween(missed, now);
                missed.IsLeft = true;
            }
        }
    }

    /// <summary>
    /// Names behind which nothing stands, or nothing yet that can be told from what is known (no line, a header alone): what was moved away since is read
    /// without waiting for a line in the new file, which may be long in coming.
    /// </summary>
    void CatchUp(long now)
    {
        foreach (LogFile before in _files.ToArray())
        {
            if (!before.IsLive && !before.IsCopy && before.Successor is null && before.Head.Length > 0 && !_named.Contains(before) && IsLast(before)) FollowBetween(before, now);
        }

        bool IsLast(LogFile file) => _files.FindLast(f => f.Log == file.Log && !f.IsCopy && f.Successor is null) == file;
    }

    // The last of those that came and went after it; itself when there is none.
    LogFile FollowBetween(LogFile before, long now)
    {
        LogFile last = before;
        foreach (LogFile between in Between(before.Log, LastWrite(before), now))
        {
            CountBetween(between, now);
            Link(last, between);
            // Two rotations ago: nobody writes to it any more.
            last.IsLeft = true;
            last = between;
        }
        return last;
    }

    static void Link(LogFile earlier, LogFile later)
    {
        earlier.Successor = later;
        later.Behind = earlier;
    }

    List<LogFile> Between(string log, long since, long now)
    {
        List<LogFile> between = [];
        bool moved = true;
        long? refused = null;
        for (int i = 0; moved && refused is null && i < MaximumLooks; i++)
        {
            moved = false;
            foreach ((string path, FileStatus status) in RotatedNames.Of(log, since))
            {
                if (status.Modified < since || status.Length == 0 || IsTaken(status)) continue;
                moved |= !Take(path, status);
                // The younger ones come behind it.
                if (refused is not null) break;
            }
        }
        KeepLooking();
        between.Sort((a, b) => a.Status.Modified.CompareTo(b.Status.Modified));
        return between;

        bool Refuse(FileStatus status)
        {
            refused = status.Modified;
            return false;
        }

        // What had no room is looked for until it has; of older ones that are waiting nothing was learned.
        void KeepLooking()
        {
            if (_refused.TryGetValue(log, out long oldest) && oldest < since) return;
            if (refused is not { } modified)
            {
                _refused.Remove(log);
                return;
            }
            _refused[log] = modified;
            _recent.RemoveAll(r => r.Log == log && r.Since >= since);
            _recent.Add((log, since, now));
        }

        // False when the name stands for another file by now: names are in motion, as when many are shifted by one.
        bool Take(string path, FileStatus looked)
        {
            FileStatus status = looked;
            if (LogSource.Open(path, out _, ref status) is not { } source) return false;
            bool same = status.Inode == looked.Inode && status.Device == looked.Device;
            if (IsTaken(status))
            {
                source.Dispose();
            }
            else if (Guard(path, () => IsOwned(path, source, status, isLive: false, now), out bool owned) && !owned && (HasRoom() || Refuse(status)))
            {
                LogFile one = New(path, log, source, status, now);
                one.MovedAt = now;
                between.Add(one);
            }
            else if (_files.TrueForAll(f => f.Source != source))
            {
                source.Dispose();
            }
            return same;
        }
    }

    // Open, or closed and done and unchanged since.
    bool IsTaken(FileStatus status) => _files.Exists(f => f.Status.Inode == status.Inode && f.Status.Device == status.Device
        && (f.Source is not null || (f.IsDone && f.Status.Length == status.Length && f.Status.Modified == status.Modified)));

    bool IsOpen(FileStatus status) => _files.Exists(f => f.Source is not null && f.Status.Inode == status.Inode && f.Status.Device == status.Device);

    /// <summary>Looks for a file's bytes where they may lie by now: by inode first, then by what they are.</summary>
    bool Search(LogFile file, List<(string Path, FileStatus Status)> strangers, long now)
    {
        List<(string Path, FileStatus Status)> places = RotatedNames.Of(file.Log, file.Status.Modified);
        places.Reverse();
        places.AddRange(strangers);
        foreach ((string path, FileStatus looked) in places.OrderBy(p => p.Status.Inode == file.Status.Inode ? 0 : 1))
        {
            FileStatus status = looked;
            if (status.Length == 0 || IsOpen(status)) continue;
            if (LogSource.Open(path, out _, ref status) is not { } source) continue;
            if (!IsOpen(status) && Guard(path, () => file.IsIn(source), out bool same) && same)
            {
                _files.RemoveAll(f => f.IsCopy && f.Status.Inode == status.Inode);
                Attach(file, path, source, status, isLive: false, now);
                return true;
            }
            source.Dispose();
        }
        return false;
    }

    /// <summary>It was there before the restart and is nowhere now.</summary>
    void Miss(LogFile file)
    {
        long known = Math.Max(0, file.Known - file.Offset);
        // What was moved away or removed before our eyes, and was read to its end, may go.
        bool isRead = known == 0 && (file.Path != file.Log || file.Head.Length == 0 || file.WasMoved);
        if (!isRead)
        {
            _counters!.LostBytes += known;
            if (!file.WasCut) _counters.Lost++;
            _tell(new LogNotice(true, $"{file.Path}: it was removed or cut while it was not read, and its older lines are nowhere to be found: what came behind byte {file.Offset} is lost"));
        }
        file.IsDone = true;
        file.Status = file.Status with { Inode = 0 };
        lock (_lock) file.Marks.Accept(file.Offset, file.Offset);
        Publish(file);
    }

    /// <summary>The file was cut, or written anew from its beginning: its bytes are read on where they were copied to, then the file from its beginning.</summary>
    void Cut(LogFile file, long now)
    {
        LogSource? source = file.GiveUp();
        if (source?.Status is not { } status)
        {
            source?.Dispose();
            End(file);
            return;
        }
        bool wasLive = file.IsLive;
        string path = file.Path;
        // What waits in the parser goes on waiting: the offsets are the same in the copy.
        bool found = Search(file, _pattern.Expand(), now);
        if (!wasLive)
        {
            // Cut after it was moved away: nobody writes to it any more.
            source.Dispose();
            if (!found) Lose(file);
            return;
        }
        LogFile fresh = New(path, file.Log, source, status, now);
        fresh.IsLive = true;
        file.IsLive = false;
        file.MovedAt = now;
        CountCut(file, now);
        Follow(file, fresh, now);
        // Not a line of it was read, and it lies in one of those between.
        if (!found && file.Offset == 0 && fresh.Behind != file) file.Known = 0;
        if (!found) Lose(file);
    }

    // What came between copy and cut is in neither; nobody can know whether it was anything.
    void CountCut(LogFile file, long now)
    {
        if (file.WasCut) return;
        file.WasCut = true;
        _counters!.Lost++;
        Publish(file);
        // Those that were found before anybody knew how they had come there.
        foreach (LogFile between in _files.FindAll(f => f.CameBetween && f.Log == file.Log && MetBefore(f) == file)) CountCut(between, now);
        if (now < _tellCutsAt) return;
        _tellCutsAt = now + CutPatience;
        _tell(new LogNotice(true, $"{file.Log}: it was cut where it stands, as by logrotate's copytruncate: lines written between its copy and the cut are lost, how many nobody can know. "
            + "Each cut is counted; rotation by renaming (create) loses none"));
    }

    // Those between came as the one before them went: cut, and there is only what was copied; or renamed, and whole.
    void CountBetween(LogFile file, long now)
    {
        _counters!.Rotations++;
        file.CameBetween = true;
        if (MetBefore(file) is { } before ? before.WasCut : _files.Exists(f => f.WasCut && f.Log == file.Log)) CountCut(file, now);
        else Publish(file);
    }

    // The last one that was met under the log's name, and written to, before this one. One without a line has not begun by then.
    LogFile? MetBefore(LogFile between) => _files.Where(f => f != between && f.Log == between.Log && !f.IsCopy && !f.CameBetween && (f.Offset > 0 || f.IsDone || f.WasCut)
        && f.Status.Modified <= between.Status.Modified).MaxBy(f => f.Status.Modified);

    void LookNoFurtherBackThan(string log, long modified)
    {
        for (int i = 0; i < _recent.Count; i++)
        {
            if (_recent[i].Log == log && _recent[i].Since < modified) _recent[i] = _recent[i] with { Since = modified };
        }
        if (_restoredSince.TryGetValue(log, out long since) && since < modified) _restoredSince[log] = modified;
    }

    void Lose(LogFile file)
    {
        long lost = Math.Max(0, file.Known - file.Offset);
        // Its inode is the next one's now.
        file.Status = file.Status with { Inode = 0 };
        if (lost > 0) _tell(new LogNotice(true, $"{file.Path}: it was cut before {lost} bytes of it were read, and no copy is there: they are lost"));
        End(file);
    }

    /// <summary>Nothing more comes of it: its half line, what it held back, its place.</summary>
    void End(LogFile file)
    {
        if (file.Parser is { } parser)
        {
            Guard(file.Path, () => file.CutOff(_reader, _options.Number), out _);
            file.Feed.Release(parser, file.Offset, _options.Number, file.Part);
        }
        // Then it is not ended: what is taken back is read again at the next start.
        if (_outlet!.GaveUp) return;
        if (file is { Parser: { } its, Successor: { Parser: null, Offset: 0, Source: not null } next }) (next.Parser = TakeParser()).Inherit(its);
        // Of a file that was cut: more was seen of it than could be read.
        _counters!.LostBytes += Math.Max(0, file.Known - file.Offset);
        GiveBack(file);
        file.Dispose();
        file.IsDone = true;
        file.IsLive = false;
        Publish(file);
    }

    /// <summary>Once a second: files that are read to their end, parsers that are not needed, files that need not be remembered.</summary>
    internal void Tend(long now)
    {
        int open = 0, remembered = 0, copies = 0;
        for (int i = _files.Count - 1; i >= 0; i--)
        {
            LogFile file = _files[i];
            if (file.Source is null)
            {
                // The copies of a file that is cut again and again, and what was done long ago; neither pushes the other out.
                if ((file.IsCopy || file.IsDone) && !_named.Contains(file) && (file.IsCopy ? ++copies : ++remembered) > MaximumRemembered && IsAccepted(file) && MayForget(file)) Forget(file);
                continue;
            }
            if (!file.IsLive && IsDrained(file, now)) End(file);
            else if (++open > MaximumOpen && file.IsLive && file.IsAtEnd && !file.IsFresh && now - file.GrewAt > Idle && file.Known == file.Offset) Close(file);
        }
    }

    // Opened again as soon as it grows.
    void Close(LogFile file)
    {
        if (!IsAccepted(file)) return;
        GiveBack(file);
        file.Dispose();
        Publish(file);
    }

    bool IsDrained(LogFile file, long now)
    {
        if (!file.IsAtEnd || Waits(file, now)) return false;
        long quiet = now - Math.Max(file.GrewAt, file.MovedAt);
        if (file.IsLeft && quiet >= Silence) return true;
        if (quiet < DrainTime) return false;
        return file.Successor is { Known: > 0 } || quiet >= DrainLimit || file.Source?.Status is not { Links: > 0 };
    }

    static bool Waits(LogFile file, long now)
    {
        if (file.Behind is not { } behind) return false;
        if (behind.Source is { } source)
        {
            if (!behind.IsAtEnd || Waits(behind, now)) return true;
            // What was removed lives on in our hands alone: nothing is waited for that a kill would take away.
            if (!behind.IsLeft && now - Math.Max(behind.GrewAt, behind.MovedAt) < Moment && source.Status is { Links: > 0 }) return true;
        }
        file.Behind = null;
        return false;
    }
}
