using System.IO.Compression;
using System.Text;

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
    readonly List<string> _faults = [];
    long _done;
    long _position;

    /// <param name="outlet">Gets the events.</param>
    /// <param name="counters">Of this input, opened at the outlet.</param>
    /// <param name="parser">Makes one for each file.</param>
    /// <param name="tell">Gets the first skipped line of each reason and file.</param>
    /// <param name="time">For the rate of those sentences.</param>
    public FileRead(LogOutlet outlet, LogCounters counters, Func<LineParser> parser, Action<LogNotice> tell, TimeProvider? time = null)
    {
        (_outlet, _counters, _parser, _tell, _time) = (outlet, counters, parser, tell, time ?? TimeProvider.System);
    }

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
        LineParser parser = _parser();
        var feed = new LineFeed(_outlet, _counters, _tell, _time) { File = name };
        _reader.Begin(0);
        bool taken = true, first = true;
        while (taken && !stop.IsCancellationRequested)
        {
            int read = Fill(name, stream);
            if (first && read > 0 && !IsWhole(name, stream, file, ref read)) return false;
            first = false;
            if (read <= 0) break;
            taken = Give(parser, feed);
            if (file is not null) Interlocked.Exchange(ref _position, _done + file.Position);
            _outlet.Between();
        }
        if (taken && !stop.IsCancellationRequested && _reader.TryLast(out ReadOnlySpan<byte> last) is var found and not LineFound.None)
            taken = feed.Give(parser, found, last, _reader.At, _reader.Length);
        return (taken && feed.Release(parser, _reader.Offset)) & !stop.IsCancellationRequested;
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
        try
        {
            int read = stream.Read(_reader.Room());
            _reader.Filled(read);
            return read;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            string what = e is InvalidDataException ? "the compressed data is damaged or ends in the middle" : e.Message;
            _faults.Add($"{name}: reading stopped at byte {_reader.ReadAt}: {what}; the lines before it were read");
            return -1;
        }
    }

    // The first bytes say whether this is text at all that can be read; a pipe may give them one by one.
    bool IsWhole(string name, Stream stream, FileStream? file, ref int read)
    {
        while (_reader.Waiting.Length < 2 && read > 0) read = Fill(name, stream);
        ReadOnlySpan<byte> begin = _reader.Waiting;
        if (begin.Length > 0) read = Math.Max(read, 1);
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
