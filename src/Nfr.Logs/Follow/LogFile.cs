using Nfr.Events;
using Nfr.Native;

namespace Nfr.Logs;

/// <summary>
/// One file as it is read: whatever it is called by now, and wherever its bytes lie since (a copy, a packed one). The lines thread's.
/// </summary>
/// <remarks>
/// Before <see cref="Offset"/> everything went to the outlet. The last bytes before it are remembered and compared after each read: a file that was cut
/// and has grown again behind our back is told by them, and what was read of it is thrown away before a line of it is used.
/// </remarks>
sealed class LogFile(int part, LineFeed feed, FileMarks marks) : IDisposable
{
    /// <summary>Reads of one turn: 256 KiB, then the next file has its own.</summary>
    const int ChunksPerTurn = 4;

    readonly byte[] _tail = new byte[Fingerprint.TailLength];
    int _tailLength;
    LineReader? _own;
    /// <summary>The file is zeros up to here, from its beginning.</summary>
    long _hole;
    FileStatus _lookedAt;
    long _seen;

    /// <summary>The bytes that <see cref="Head"/> is of, where they were read since the start.</summary>
    byte[] _head = [];

    const string EdgeReason = "it is a log of BlueCat Edge, an array that has no lines to follow: give it to nfr read when it is whole";

    public int Part => part;
    /// <summary>Why it is not read.</summary>
    public string Refusal { get; private set; } = "";
    public FileMarks Marks => marks;
    public LineFeed Feed => feed;
    /// <summary>Where it lies.</summary>
    public required string Path { get; set; }
    /// <summary>The name under which it was met.</summary>
    public required string Log { get; init; }
    public FileStatus Status { get; set; }
    public LogSource? Source { get; private set; }
    public LineParser? Parser { get; set; }
    public long Offset { get; private set; }
    /// <summary>Bytes that it had at most.</summary>
    public long Known { get; set; }
    public Fingerprint Head { get; private set; }
    public Waypoint Point { get; private set; }
    /// <summary>Its name is one that is followed; else it was moved away and is read to its end.</summary>
    public bool IsLive { get; set; }
    public bool IsDone { get; set; }
    /// <summary>Its bytes are read elsewhere already: a copy.</summary>
    public bool IsCopy { get; init; }
    /// <summary>It was looked whether something came and went before its first line.</summary>
    public bool IsBegun { get; set; }
    /// <summary>Read after this one, as it was written.</summary>
    public LogFile? Behind { get; set; }
    public LogFile? Successor { get; set; }
    /// <summary>It was cut where it stood (copytruncate): what came since it was copied may never have been seen.</summary>
    public bool WasCut { get; set; }
    /// <summary>It lost its name while it was open: how long it was then is known.</summary>
    public bool WasMoved { get; set; }
    /// <summary>It was never met under its log's name.</summary>
    public bool CameBetween { get; set; }
    /// <summary>It was moved away two files ago: nobody writes to it.</summary>
    public bool IsLeft { get; set; }
    /// <summary>Of the item's clock.</summary>
    public long MovedAt { get; set; }
    public long GrewAt { get; set; }
    /// <summary>Something was read since what is held back went out.</summary>
    public bool IsFresh { get; set; }
    /// <summary>All that there was at the last look was read.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>As it was when it was committed; the source comes with <see cref="TakeUp"/>.</summary>
    public void Restore(long offset, Fingerprint head, Waypoint point, long known)
    {
        (Offset, Head, Point, Known, _seen) = (offset, head, point, known, offset);
        feed.Number = offset == 0 ? 0 : null;
    }

    /// <summary>These bytes are this file's: they begin alike, and the place where reading stands has the same before it.</summary>
    public bool IsIn(LogSource source)
    {
        Span<byte> head = stackalloc byte[Fingerprint.HeadLength];
        if (Head.Length == 0) return false;
        if (source.ReadFull(head[..Head.Length], 0) != Head.Length || !Head.IsOf(head[..Head.Length])) return false;
        // A packed file would have to be unpacked up to there: its beginning has to do.
        if (source.IsPacked) return true;
        if (_tailLength > 0) return source.Status is { } status && status.Length >= Offset && HasTail(source);
        return source.Confirms(Point) && source.Status is { } its && its.Length >= Offset;
    }

    /// <summary>These bytes are some that were read of this file, and no more: a copy that was made before reading came to where it stands.</summary>
    public bool IsBefore(LogSource source, long length)
    {
        if (Head.Length == 0 || source.IsPacked || length == 0 || length >= Offset) return false;
        Span<byte> begin = stackalloc byte[Fingerprint.HeadLength];
        begin = begin[..source.ReadFull(begin[..(int)Math.Min(length, Head.Length)], 0)];
        return begin.Length >= Head.Length ? Head.IsOf(begin) : begin.Length > 0 && begin.Length <= _head.Length && begin.SequenceEqual(_head.AsSpan(0, begin.Length));
    }

    /// <summary>The source is a copy of this one, made while it was or is written: it has nothing that this one has not.</summary>
    public bool Contains(LogSource source, long length)
    {
        if (Source is not { IsPacked: false } own || source.IsPacked || length == 0) return false;
        Span<byte> its = stackalloc byte[Fingerprint.HeadLength], mine = stackalloc byte[Fingerprint.HeadLength];
        int begin = source.ReadFull(its, 0);
        if (begin == 0 || own.ReadFull(mine[..begin], 0) != begin || !its[..begin].SequenceEqual(mine[..begin])) return false;
        int end = (int)Math.Min(length, Fingerprint.TailLength);
        return source.ReadFull(its[..end], length - end) == end && own.ReadFull(mine[..end], length - end) == end && its[..end].SequenceEqual(mine[..end]);
    }

    /// <summary>Goes on in these bytes where reading stands.</summary>
    public void TakeUp(LogSource source, FileStatus status, long now)
    {
        if (!ReferenceEquals(Source, source)) Source?.Dispose();
        Source = source;
        Status = status;
        _lookedAt = default;
        _own = source.IsPacked ? new LineReader() : null;
        _own?.Begin(Offset);
        _seen = Offset;
        IsDone = IsAtEnd = false;
        Refusal = "";
        GrewAt = now;
        if (Offset > 0 && !source.IsPacked)
        {
            _tailLength = (int)Math.Min(Offset, Fingerprint.TailLength);
            _tailLength = source.ReadFull(_tail.AsSpan(0, _tailLength), Offset - _tailLength);
        }
        TakeHead();
    }

    /// <summary>The handle, for the file that begins where this one was cut.</summary>
    public LogSource? GiveUp()
    {
        LogSource? source = Source;
        Source = null;
        _own = null;
        return source;
    }

    /// <summary>
    /// What the parser knew at this place: the header's lines, then those whose events were held back. What they make is on its way or spooled.
    /// </summary>
    public void Recall(LineParser parser, long header, long held, LineReader reader, Action meanwhile)
    {
        Parser = parser;
        if (header >= 0) Replay(parser, header, long.MaxValue, reader, meanwhile, v => v == LineVerdict.Header);
        if (held < Offset) Replay(parser, held, Offset, reader, meanwhile, static _ => true);
        _own?.Begin(Offset);
    }

    /// <summary>Lines before this place once more, through a parser that keeps nothing of them but what they say of the whole log, or of others' lines.</summary>
    public void Review(LineParser parser, long from, LineReader reader, Action meanwhile)
    {
        Replay(parser, from, Offset, reader, meanwhile, static _ => true);
        parser.Release(new NoSink());
    }

    void Replay(LineParser parser, long from, long to, LineReader reader, Action meanwhile, Func<LineVerdict, bool> goesOn)
    {
        var nowhere = new NoSink();
        LineReader own = _own ?? reader;
        own.Begin(from);
        while (own.Offset < to)
        {
            LineFound found = own.TryNext(out ReadOnlySpan<byte> line);
            if (found == LineFound.None)
            {
                int read = Source!.Read(own.Room(), own.ReadAt, meanwhile);
                if (read == 0) return;
                own.Filled(read);
                meanwhile();
                continue;
            }
            if (own.At >= to) return;
            parser.At = own.At;
            if (found == LineFound.Line && !goesOn(parser.Read(line, nowhere))) return;
        }
    }

    /// <summary>Reads what there is, at most a turn's share. Throws what the disk says.</summary>
    public FileTurn Turn(LineReader shared, int input, long now, Action meanwhile, out bool read)
    {
        read = false;
        LineReader reader = _own ?? shared;
        FileStatus status = Source!.Status ?? throw new IOException("its state cannot be asked");
        if (!Source.IsPacked)
        {
            if (status.Length < _seen) return FileTurn.Cut;
            if (status.Length == _seen && status.Modified == _lookedAt.Modified)
            {
                IsAtEnd = true;
                return FileTurn.Done;
            }
            reader.Begin(Offset, _seen > Offset + LineReader.MaximumLength + 1 ? _seen - Offset : 0);
        }
        IsAtEnd = false;
        // A whole line at least, or one that is passed over.
        long begin = Offset;
        for (int i = 0; i < ChunksPerTurn || (Offset == begin && reader.Skipped == 0); i++)
        {
            int count = Source.Read(reader.Room(), reader.ReadAt, meanwhile);
            if (!Source.IsPacked && !IsStill(Source)) return FileTurn.Cut;
            // Not before: what was cut has the state that it had.
            if (i == 0) Status = _lookedAt = status;
            if (!Source.IsPacked) Known = Math.Max(Known, status.Length);
            if (count == 0)
            {
                IsAtEnd = true;
                if (Source.IsPacked) Known = Math.Max(Known, reader.ReadAt);
                return Source.IsPacked ? FileTurn.Ended : FileTurn.Done;
            }
            read = true;
            reader.Filled(count);
            // Of the very bytes that are read: the file may be cut before it is looked at again.
            if (reader is { Offset: 0, Skipped: 0 } && Head.Length < Fingerprint.HeadLength) SetHead(reader.Waiting);
            if (Offset == _hole && reader.Skipped == 0 && !Enter(reader)) return FileTurn.Refused;
            if (!Lines(reader, input)) return FileTurn.GaveUp;
            if (Refusal.Length > 0) return FileTurn.Refused;
            _seen = reader.ReadAt;
            GrewAt = now;
            if (Head.Length < Fingerprint.HeadLength) TakeHead();
        }
        return FileTurn.Done;
    }

    // A writer that goes on at its old place after a cut leaves a hole: it is no line.
    bool Enter(LineReader reader)
    {
        ReadOnlySpan<byte> begin = reader.Waiting;
        if (FileRead.IsUtf16(begin)) return Refuse("it is UTF-16, and logs are read as UTF-8");
        if (Offset == 0 && Parser is AutoParser { TakesRecords: false } && FormatDetector.Detect(begin).Format == LogFormat.Edge) return Refuse(EdgeReason);
        if (begin.Length > 0 && begin[0] == 0)
        {
            int hole = begin.IndexOfAnyExcept((byte)0);
            reader.Pass(hole < 0 ? begin.Length : hole);
            _hole = reader.Offset;
        }
        return true;
    }

    bool Refuse(string reason)
    {
        Refusal = reason;
        return false;
    }

    bool Lines(LineReader reader, int input)
    {
        ReadOnlySpan<byte> chunk = reader.Waiting;
        // Of a line that is too long only the end is here; of a hole nothing.
        bool joins = reader.Skipped == 0 && reader.Offset == Offset;
        LineFound found;
        while ((found = reader.TryNext(out ReadOnlySpan<byte> line)) != LineFound.None)
        {
            if (!feed.Give(Parser!, found, line, reader.At, reader.Length, input, part)) return false;
        }
        if (Parser is AutoParser { IsRefused: true }) Refusal = EdgeReason;
        if (reader.Offset == Offset) return true;
        Offset = reader.Offset;
        IsFresh = true;
        if (!joins) _tailLength = 0;
        Remember(chunk[..^reader.Waiting.Length]);
        return true;
    }

    // The last bytes before the offset: of what was consumed now, and before that of what was remembered.
    void Remember(ReadOnlySpan<byte> consumed)
    {
        if (consumed.Length >= _tail.Length)
        {
            _tailLength = Math.Min(consumed.Length, _tail.Length);
            consumed[^_tailLength..].CopyTo(_tail);
        }
        else
        {
            int keep = Math.Min(_tailLength, _tail.Length - consumed.Length);
            _tail.AsSpan(_tailLength - keep, keep).CopyTo(_tail);
            consumed.CopyTo(_tail.AsSpan(keep));
            _tailLength = keep + consumed.Length;
        }
        Point = new Waypoint(Offset, Fingerprint.Of(_tail.AsSpan(0, _tailLength)));
    }

    /// <summary>The half line at the end of a file that is written no more. False when the outlet takes nothing more.</summary>
    public bool CutOff(LineReader shared, int input)
    {
        LineReader reader = _own ?? shared;
        if (_own is null) reader.Begin(Offset);
        long half = Math.Max(_seen, reader.ReadAt) - Offset;
        if (half <= 0 || Source is null) return true;
        if (_own is null)
        {
            Span<byte> room = reader.Room();
            reader.Filled(Source.Read(room[..(int)Math.Min(room.Length, half)], Offset));
        }
        ReadOnlySpan<byte> line = reader.Waiting;
        if (!feed.CutOff(Parser!, line[..Math.Min(line.Length, 256)], Offset, half, input, part)) return false;
        Offset += half;
        _seen = Offset;
        return true;
    }

    // Of a file with not a whole line yet, its beginning.
    bool IsStill(LogSource source)
    {
        if (_tailLength > 0 || Head.Length == 0) return HasTail(source);
        Span<byte> head = stackalloc byte[Fingerprint.HeadLength];
        return source.ReadFull(head[..Head.Length], 0) == Head.Length && Head.IsOf(head[..Head.Length]);
    }

    bool HasTail(LogSource source)
    {
        Span<byte> bytes = stackalloc byte[Fingerprint.TailLength];
        bytes = bytes[.._tailLength];
        return source.ReadFull(bytes, Offset - _tailLength) == _tailLength && bytes.SequenceEqual(_tail.AsSpan(0, _tailLength));
    }

    void TakeHead()
    {
        if (Source!.IsPacked && (Offset > 0 || Head.Length > 0)) return;
        Span<byte> head = stackalloc byte[Fingerprint.HeadLength];
        int length = Source.ReadFull(head, 0);
        // It may have been cut since.
        if (length > 0 && HasTail(Source)) SetHead(head[..length]);
    }

    void SetHead(ReadOnlySpan<byte> begin)
    {
        begin = begin[..Math.Min(begin.Length, Fingerprint.HeadLength)];
        if (begin.Length <= _head.Length && Head.Length > 0) return;
        _head = begin.ToArray();
        Head = Fingerprint.Of(begin);
    }

    public void Dispose()
    {
        Source?.Dispose();
        GiveUp();
    }

    sealed class NoSink : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
        }

        public void OnIp(scoped in IpEvent e)
        {
        }

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e)
        {
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }
}

/// <summary>How a turn ended.</summary>
enum FileTurn : byte
{
    /// <summary>All of it, or its share, is read.</summary>
    Done,
    /// <summary>The file was cut, or another is in its place.</summary>
    Cut,
    /// <summary>A packed file is read to its end.</summary>
    Ended,
    /// <summary>No text that can be read.</summary>
    Refused,
    /// <summary>The outlet takes nothing more.</summary>
    GaveUp,
}
