namespace Nfr.Logs;

// A turn of reading for each file.
public sealed partial class FollowedLog
{
    /// <summary>A file waits until another has not grown for a moment.</summary>
    internal bool HasWaiting { get; private set; }

    /// <summary>Of certificates more is known to stand in a file than was read: handshakes, which take what is known of theirs, wait for it.</summary>
    internal bool TellsOfCertificates => _files.Exists(f => f.Source is not null && !f.IsAtEnd && IsOfCertificates(f.Log) && !_retryAt.ContainsKey(f));

    /// <summary>Each file that has something gives its share of lines. True when there may be more at once.</summary>
    /// <param name="now">Of the item's clock.</param>
    /// <param name="tells">Another item <see cref="TellsOfCertificates"/>.</param>
    internal bool Turn(long now, bool tells = false)
    {
        bool busy = false;
        HasWaiting = false;
        MeetThoseBegun(now);
        // Files that a cut adds have their turn with the next.
        for (int i = 0, count = _files.Count; i < count && i < _files.Count && !_outlet!.GaveUp; i++)
        {
            LogFile file = _files[i];
            if (file.Source is null) continue;
            if (Waits(file, now))
            {
                HasWaiting = true;
                continue;
            }
            if (_retryAt.TryGetValue(file, out long at) && now < at) continue;
            if (IsOfHandshakes(file.Log) && (tells || TellsOfCertificates))
            {
                HasWaiting = true;
                continue;
            }
            busy |= Turn(file, now);
        }
        return busy;
    }

    bool Turn(LogFile file, long now)
    {
        FileTurn turn;
        bool read;
        long before = file.Offset;
        try
        {
            if (!file.IsBegun && !Begin(file, now))
            {
                read = false;
                return true;
            }
            if (file.Parser is null) Recall(file);
            turn = file.Turn(_reader, _options.Number, now, _meanwhile, out read);
        }
        catch (Exception e) when (LogSource.IsFault(e))
        {
            Fail(file, e, now);
            return false;
        }
        if (_retryAt.Remove(file)) Well(file.Path, $"{file.Path}: is read again");
        if (read) _lastLine = _time.GetUtcNow();
        if (read && turn != FileTurn.Refused && _troubles.Count > 0) Well(RefusedMark + file.Path, $"{file.Path}: it is a log that can be followed now");
        if (file.Offset != before) Publish(file, passed: true);
        switch (turn)
        {
            case FileTurn.Cut:
                Cut(file, now);
                return true;
            case FileTurn.Ended:
                End(file);
                return true;
            case FileTurn.Refused:
                Trouble(RefusedMark + file.Path, $"{file.Path}: {file.Refusal}; it is left out");
                file.Known = file.Offset;
                GiveBack(file);
                file.Dispose();
                file.IsDone = true;
                Publish(file);
                return false;
            case FileTurn.GaveUp:
                return false;
            default:
                if (file.IsAtEnd && file.IsFresh && now - file.GrewAt >= Silence) ReleaseHeld(file);
                return read && !file.IsAtEnd;
        }
    }

    // A file that was empty until now may have been written, copied and cut since the last look: nothing in it tells, but the copy is there.
    bool Begin(LogFile file, long now)
    {
        if (file.Offset > 0 || !file.IsLive)
        {
            file.IsBegun = true;
            return true;
        }
        if (file.Source!.Status is not { Length: > 0 }) return true;
        file.IsBegun = true;
        LogFile? before = _files.Where(f => f != file && f.Log == file.Log && !f.IsCopy).MaxBy(f => f.Status.Modified);
        List<LogFile> between = before is null ? [] : Between(before.Log, LastWrite(before), now);
        foreach (LogFile one in between)
        {
            CountBetween(one, now);
            if (file.Behind is { } last) (one.Behind, last.Successor) = (last, one);
            (one.IsLeft, one.Successor, file.Behind) = (true, file, one);
        }
        return between.Count == 0;
    }

    void Recall(LogFile file)
    {
        long header, held;
        // Only what is with the spool's side for sure has its place noted; of what is on its way the parser is alive.
        lock (_lock) (header, held) = (file.Marks.Header, file.Marks.Offset == file.Offset ? file.Marks.Held : file.Offset);
        LineParser parser = TakeParser();
        try
        {
            file.Recall(parser, header, held, _reader, _meanwhile);
            Learn(file, parser);
        }
        catch
        {
            file.Parser = parser;
            GiveBack(file);
            throw;
        }
    }

    // What no line behind this place says again: of the log, from the file before it or its own last lines; of certificates, all that was told of them.
    void Learn(LogFile file, LineParser parser)
    {
        if (_files.FindLast(f => f != file && f.Log == file.Log && f.Parser is not null) is { Parser: { } before }) parser.Inherit(before);
        if (file.Offset == 0 || file.Source is not { IsPacked: false }) return;
        LineParser review = TakeParser();
        try
        {
            file.Review(review, IsOfCertificates(file.Log) ? 0 : Math.Max(0, file.Offset - Reviewed), _reader, _meanwhile);
            parser.Inherit(review);
        }
        finally
        {
            review.Restart();
            review.ForgetTime();
            _parsers.Push(review);
        }
    }

    // What waits for its other half is not kept for ever.
    void ReleaseHeld(LogFile file)
    {
        file.IsFresh = false;
        if (file.Parser is { } parser && parser.OldestHeld != long.MaxValue) file.Feed.Release(parser, file.Offset, _options.Number, file.Part);
    }

    void Fail(LogFile file, Exception fault, long now)
    {
        if (file.Source is { IsPacked: true } && fault is InvalidDataException)
        {
            // It may be in the making still.
            if (now - file.GrewAt < DrainTime)
            {
                _retryAt[file] = now + (5 * RetryTime);
                return;
            }
            _counters!.Lost++;
            Trouble(file.Path, $"{file.Path}: the compressed data is damaged or ends in the middle: what lies behind byte {file.Offset} is lost");
            file.Known = file.Offset;
            file.GiveUp()?.Dispose();
            End(file);
            return;
        }
        Trouble(file.Path, $"{file.Path}: {fault.Message}; it is tried again every second");
        _retryAt[file] = now + RetryTime;
    }
}
