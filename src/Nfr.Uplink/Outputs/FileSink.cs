namespace Nfr.Uplink;

/// <summary>
/// Appends to a file and rotates it by size: PATH, PATH.1 … PATH.N. The file is opened for each page, so that one moved away by logrotate
/// or deleted by hand is simply made anew, and the page is on the disk (fsync) before the bookmark moves. A page that could not be written
/// whole is cut off again, so that its repetition doubles nothing.
/// </summary>
public sealed class FileSink(string path, long maxBytes, int keep) : AlertSink
{
    const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    public override string Target => path;

    public override Task<string?> WriteAsync(AlertPage page, CancellationToken cancel) => Task.Run(() => Write(page.Lines), cancel);

    string? Write(ReadOnlyMemory<byte> lines)
    {
        try
        {
            FileInfo file = new(path);
            if (file.Exists && file.Length > 0 && file.Length + lines.Length > maxBytes) Rotate();
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
        FileStreamOptions options = new()
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            // Others may read, move and delete; a tail must not make us fail.
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Mode;
        using FileStream stream = new(path, options);
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
        if (keep <= 0)
        {
            File.Delete(path);
            return;
        }
        for (int i = keep - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}")) File.Move($"{path}.{i}", $"{path}.{i + 1}", overwrite: true);
        }
        File.Move(path, $"{path}.1", overwrite: true);
    }
}
