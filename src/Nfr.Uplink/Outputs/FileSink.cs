namespace Nfr.Uplink;

/// <summary>
/// Appends to a file and rotates it by size: PATH, PATH.1 … PATH.N. The file is opened for each page, so that one moved away by logrotate
/// or deleted by hand is simply made anew, and the page is on the disk (fsync) before the bookmark moves. A page that could not be written
/// whole is cut off again, so that its repetition doubles nothing.
/// </summary>
public sealed class FileSink(FileSinkOptions options) : AlertSink
{
    readonly string _path = options.Path;

    const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    public override string Target => _path;

    public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(page);
        return await Task.Run(() => Write(page.Lines), cancel) is { } fault ? SinkAnswer.None(fault) : SinkAnswer.All(page);
    }

    string? Write(ReadOnlyMemory<byte> lines)
    {
        try
        {
            FileInfo file = new(_path);
            if (file.Exists && file.Length > 0 && file.Length + lines.Length > options.MaxBytes) Rotate();
            Append(lines);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    void Append(ReadOnlyMemory<byte> lines)
    {
        FileStreamOptions how = new()
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            // Others may read, move and delete; a tail must not make us fail.
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) how.UnixCreateMode = Mode;
        using FileStream stream = new(_path, how);
        long end = stream.Length;
        try
        {
            end = EndOfLastWholeLine(stream, end);
            stream.Position = end;
            if (end > 0 && !EndsLine(stream, end)) stream.WriteByte((byte)'\n');
            stream.Write(lines.Span);
            stream.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            CutBack(stream, end);
            throw;
        }
    }

    /// <summary>A power cut may have left half a line; what was not written whole was not bookmarked and comes again.</summary>
    static long EndOfLastWholeLine(FileStream stream, long end)
    {
        Span<byte> tail = stackalloc byte[4096];
        long at = end;
        while (at > 0)
        {
            int length = (int)Math.Min(tail.Length, at);
            stream.Position = at - length;
            stream.ReadExactly(tail[..length]);
            int newline = tail[..length].LastIndexOf((byte)'\n');
            if (newline >= 0)
            {
                long whole = at - length + newline + 1;
                if (whole < end) stream.SetLength(whole);
                return whole;
            }
            at -= length;
        }
        // No line end at all: a broken first line, or no file of ours. Begin a new line behind it.
        return end;
    }

    static bool EndsLine(FileStream stream, long end)
    {
        stream.Position = end - 1;
        return stream.ReadByte() == '\n'; // the position is at the end again
    }

    static void CutBack(FileStream stream, long end)
    {
        try
        {
            stream.SetLength(end);
        }
        catch (IOException)
        {
            // The disk refuses that too; the next append cuts at the last whole line.
        }
    }

    void Rotate()
    {
        if (options.Keep <= 0)
        {
            File.Delete(_path);
            return;
        }
        for (int i = options.Keep - 1; i >= 1; i--)
        {
            if (File.Exists($"{_path}.{i}")) File.Move($"{_path}.{i}", $"{_path}.{i + 1}", overwrite: true);
        }
        File.Move(_path, $"{_path}.1", overwrite: true);
    }
}
