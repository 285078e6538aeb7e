using System.IO.Compression;
using System.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// Reads log files once, from the beginning to the end, for <c>nfr read</c>: also compressed ones, and standard input. What is whole is given, then a
/// fault says what stopped it. One thread; <see cref="Position"/> is for any.
/// </summary>
public sealed class FileRead
{
    /// <summary>Enough of a log to tell a certificate log of Zeek by.</summary>
    const int GlimpseLength = 4096;

    readonly LogOutlet _outlet;
    readonly LogCounters _counters;
    readonly Func<LineParser> _parser;
    readonly Action<LogNotice> _tell;
    readonly TimeProvider _time;
    readonly LineReader _reader = new();
    JsonRecords? _records;
    readonly List<string> _faults = [];
    long _done;
    long _position;
    /// <summary>What the last read gave: 0 at the end, less where it failed.</summary>
    int _filled;

    /// <param name="outlet">Gets the events.</param>
    /// <param name="counters">Of this input, opened at the outlet.</param>
    /// <param name="parser">Makes one for each file.</param>
    /// <param name="tell">Gets the first skipped line of each reason and file.</param>
    /// <param name="time">For the rate of those sentences.</param>
    public FileRead(LogOutlet outlet, LogCounters counters, Func<LineParser> parser, Action<LogNotice> tell, TimeProvider? time = null)
    {
        (_outlet, _counters, _parser, _tell, _time) = (outlet, counters, parser, tell, time ?? TimeProvider.System);
    }

    /// <summary>What the files are; what <see cref="LogFormat.Auto"/> is told by each file's first bytes.</summary>
    public LogFormat Format { get; init; }

    /// <summary>
    /// Makes the parser of files of BlueCat Edge: read record by record, since an array of any length may stand in one line. Null = they are read by lines too.
    /// </summary>
    public Func<LineParser>? RecordParser { get; init; }

    /// <summary>What went wrong so far: a sentence a file.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Bytes of the files that are read (of compressed ones, as they lie on the disk), for a progress bar.</summary>
    public long Position => Interlocked.Read(ref _position);

    /// <summary>
    /// The order to read files in: Zeek's logs of certificates (x509, files) first, told by name or content, since connections speak of them; else as given.
    /// </summary>
    public static IReadOnlyList<string> InOrder(IReadOnlyList<string> files) => [.. files.OrderBy(f => HasCertificates(f) ? 0 : 1)];

    /// <summary>Reads one file, "-" = standard input. False when it was not read to its end; then a fault says why, or it was stopped.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <param name="input">Standard input, where somebody has looked into it before.</param>
    public bool Read(string path, CancellationToken stop, Stream? input = null)
    {
        string name = path == "-" ? "standard input" : path;
        int faults = _faults.Count;
        FileStream? file = null;
        Stream? stream = null;
        try
        {
            stream = path == "-" ? input ?? Console.OpenStandardInput() : file = Open(path);
            if (file is not null && IsGzip(file)) stream = new GZipStream(file, CompressionMode.Decompress);
            return ReadLines(name, stream, file, stop) && _faults.Count == faults;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            _faults.Add($"{name}: no such file");
        }
        catch (UnauthorizedAccessException)
        {
            _faults.Add(Directory.Exists(path) ? $"{name}: a folder, not a log file" : $"{name}: no permission to read it");
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            _faults.Add($"{name}: {e.Message}");
        }
        finally
        {
            stream?.Dispose();
            if (file is not null && !ReferenceEquals(file, stream)) file.Dispose();
            if (file is not null) _done += LengthOf(path);
            Interlocked.Exchange(ref _position, _done);
        }
        return false;
    }

    bool ReadLines(string name, Stream stream, FileStream? file, CancellationToken stop)
    {
        var feed = new LineFeed(_outlet, _counters, _tell, _time) { File = name };
        _reader.Begin(0);
        _filled = Fill(name, stream);
        if (!IsWhole(name, stream, file)) return false;
        if (HasRecords(name, stream)) return ReadRecords(name, stream, file, RecordParser!(), feed, stop);
        LineParser parser = _parser();
        bool taken = true;
        while (taken && !stop.IsCancellationRequested)
        {
            taken = Give(parser, feed);
            Tell(file);
            if (_filled <= 0 || !taken || stop.IsCancellationRequested || (_filled = Fill(name, stream)) <= 0) break;
        }
        if (taken && !stop.IsCancellationRequested && _reader.TryLast(out ReadOnlySpan<byte> last) is var found and not LineFound.None)
            taken = feed.Give(parser, found, last, _reader.At, _reader.Length);
        return (taken && feed.Release(parser, _reader.Offset)) & !stop.IsCancellationRequested;
    }

    void Tell(FileStream? file)
    {
        if (file is not null) Interlocked.Exchange(ref _position, _done + file.Position);
        _outlet.Between();
    }

    // Of an array in one line the first bytes tell; a pipe may give them one by one.
    bool HasRecords(string name, Stream stream)
    {
        if (RecordParser is null || Format != LogFormat.Auto) return RecordParser is not null && Format == LogFormat.Edge;
        while (true)
        {
            ReadOnlySpan<byte> begin = _reader.Waiting;
            if (begin.TrimStart("\uFEFF \t\r\n"u8) is [not ((byte)'[' or (byte)'{'), ..]) return false;
            if (FormatDetector.Detect(begin).Format is { } told) return told == LogFormat.Edge;
            if (begin.Length >= FormatDetector.MaximumLength || _filled <= 0 || (_filled = Fill(name, stream)) <= 0) return false;
        }
    }

    bool ReadRecords(string name, Stream stream, FileStream? file, LineParser parser, LineFeed feed, CancellationToken stop)
    {
        JsonRecords records = _records ??= new JsonRecords();
        records.Begin(0);
        // Records are no lines that an editor would count.
        feed.Number = null;
        bool taken = true;
        for (ReadOnlySpan<byte> begin = _reader.Waiting; taken && !begin.IsEmpty;)
        {
            Span<byte> room = records.Room();
            int length = Math.Min(begin.Length, room.Length);
            begin[..length].CopyTo(room);
            begin = begin[length..];
            records.Filled(length);
            taken = Give(records, parser, feed);
        }
        while (_filled > 0 && taken && !stop.IsCancellationRequested)
        {
            if ((_filled = Fill(name, stream, records.Room(), records.ReadAt)) <= 0) break;
            records.Filled(_filled);
            taken = Give(records, parser, feed);
            Tell(file);
        }
        bool half = records.IsWithin;
        if (taken && !stop.IsCancellationRequested && records.TryLast(out ReadOnlySpan<byte> last) is var found and not LineFound.None)
        {
            taken = half ? feed.CutOff(parser, last, records.At, records.Length, InputMark.None, 0) : feed.Give(parser, found, last, records.At, records.Length);
        }
        return (taken && feed.Release(parser, records.Offset)) & !stop.IsCancellationRequested;
    }

    static bool Give(JsonRecords records, LineParser parser, LineFeed feed)
    {
        LineFound found;
        while ((found = records.TryNext(out ReadOnlySpan<byte> record)) != LineFound.None)
        {
            if (!feed.Give(parser, found, record, records.At, records.Length)) return false;
        }
        return true;
    }

    bool Give(LineParser parser, LineFeed feed)
    {
        LineFound found;
        while ((found = _reader.TryNext(out ReadOnlySpan<byte> line)) != LineFound.None)
        {
            if (!feed.Give(parser, found, line, _reader.At, _reader.Length)) return false;
        }
        return true;
    }

    // Not more than one read at a time, so that a slow pipe shows what it has; damage ends the file, and what came before it counts.
    int Fill(string name, Stream stream)
    {
        int read = Fill(name, stream, _reader.Room(), _reader.ReadAt);
        if (read > 0) _reader.Filled(read);
        return read;
    }

    int Fill(string name, Stream stream, Span<byte> room, long at)
    {
        try
        {
            return stream.Read(room);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            string what = e is InvalidDataException ? "the compressed data is damaged or ends in the middle" : e.Message;
            _faults.Add($"{name}: reading stopped at byte {at}: {what}; the lines before it were read");
            return -1;
        }
    }

    // The first bytes say whether this is text at all that can be read; a pipe may give them one by one.
    bool IsWhole(string name, Stream stream, FileStream? file)
    {
        while (_reader.Waiting.Length < 2 && _filled > 0) _filled = Fill(name, stream);
        ReadOnlySpan<byte> begin = _reader.Waiting;
        if (IsUtf16(begin))
        {
            _faults.Add($"{name}: it is UTF-16, and logs are read as UTF-8; change it, as by: iconv -f UTF-16 -t UTF-8 FILE");
            return false;
        }
        if (file is null && begin is [0x1F, 0x8B, ..])
        {
            _faults.Add($"{name}: compressed; from a pipe it must come unpacked, as from: gunzip -c FILE");
            return false;
        }
        return true;
    }

    /// <summary>A byte order mark of UTF-16.</summary>
    internal static bool IsUtf16(ReadOnlySpan<byte> begin) => begin is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..];

    static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.SequentialScan);

    static bool IsGzip(FileStream file)
    {
        if (!file.CanSeek) return false;
        Span<byte> magic = stackalloc byte[2];
        bool gzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1F, 0x8B];
        file.Position = 0;
        return gzip;
    }

    static bool HasCertificates(string path)
    {
        if (FollowedLog.IsOfCertificates(path)) return true;
        if (path == "-" || !File.Exists(path)) return false;
        try
        {
            using FileStream file = Open(path);
            if (!file.CanSeek) return false;
            using Stream stream = IsGzip(file) ? new GZipStream(file, CompressionMode.Decompress) : file;
            byte[] begin = new byte[GlimpseLength];
            int length = stream.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false);
            string text = Encoding.Latin1.GetString(begin, 0, length);
            return text.Contains("#path\tx509", StringComparison.Ordinal) || text.Contains("#path\tfiles", StringComparison.Ordinal)
                || text.Contains("\"_path\":\"files\"", StringComparison.Ordinal) || text.Contains("\"_path\":\"x509\"", StringComparison.Ordinal)
                || text.Contains("\"certificate.version\":", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or NotSupportedException)
        {
            // Reading it will say what is wrong.
            return false;
        }
    }

    static long LengthOf(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true } file ? file.Length : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
