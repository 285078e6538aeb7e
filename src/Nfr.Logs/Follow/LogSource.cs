using System.IO.Compression;
using Microsoft.Win32.SafeHandles;
using Nfr.Native;

namespace Nfr.Logs;

/// <summary>The bytes of a file, plain or unpacked as they are asked for. I/O errors are exceptions (<see cref="IsFault"/>): who reads catches them.</summary>
sealed class LogSource : IDisposable
{
    const int DiscardLength = 64 << 10;

    readonly SafeFileHandle _handle;
    readonly FileStream? _file;
    GZipStream? _zip;
    byte[]? _discard;
    /// <summary>Where in the unpacked bytes the stream stands.</summary>
    long _at;

    LogSource(SafeFileHandle handle, FileStream? packed)
    {
        (_handle, _file) = (handle, packed);
        if (packed is not null) _zip = new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true);
    }

    public bool IsPacked => _file is not null;

    /// <summary>Opens a regular file. Null and a reason when there is none or it cannot be read.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="reason">Why not.</param>
    /// <param name="known">Of that name a moment ago; becomes that of the file that was opened, which may be another by now.</param>
    public static LogSource? Open(string path, out string? reason, ref FileStatus known)
    {
        reason = null;
        SafeFileHandle? handle = null;
        try
        {
            // Asked before: opening a pipe would wait for its other end.
            if (FileStatus.Of(path, out int errno) is not { } status)
            {
                reason = FileStatus.IsMissing(errno) ? "it is not there" : FileStatus.IsForbidden(errno) ? "no permission to look at it" : $"error {errno}";
                return null;
            }
            if (!status.IsFile)
            {
                reason = "it is not a file";
                return null;
            }
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> magic = stackalloc byte[2];
            bool packed = RandomAccess.Read(handle, magic, 0) == 2 && magic is [0x1F, 0x8B];
            known = FileStatus.Of(handle, out _) ?? status;
            return new LogSource(handle, packed ? new FileStream(handle, FileAccess.Read, DiscardLength) : null);
        }
        catch (UnauthorizedAccessException)
        {
            reason = "no permission to read it";
        }
        catch (Exception e) when (IsFault(e))
        {
            reason = e.Message;
        }
        handle?.Dispose();
        return null;
    }

    public static bool IsFault(Exception e) => e is IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException or ArgumentException;

    /// <summary>It begins as a packed file does; for one that was empty when it was opened.</summary>
    public static bool IsPackedBegin(LogSource source)
    {
        Span<byte> magic = stackalloc byte[2];
        return source.ReadFull(magic, 0) == magic.Length && magic is [0x1F, 0x8B];
    }

    /// <summary>Null when the kernel cannot say.</summary>
    public FileStatus? Status => FileStatus.Of(_handle, out _);

    /// <summary>Bytes at a place; 0 at the end. Packed files are walked forward; going back begins anew.</summary>
    public int Read(Span<byte> room, long at, Action? meanwhile = null)
    {
        if (_file is null) return RandomAccess.Read(_handle, room, at);
        if (at < _at)
        {
            _zip?.Dispose();
            _file.Position = 0;
            _zip = new GZipStream(_file, CompressionMode.Decompress, leaveOpen: true);
            _at = 0;
        }
        if (at > _at) _discard ??= new byte[DiscardLength];
        while (_at < at)
        {
            int passed = Unpack(_discard.AsSpan(0, (int)Math.Min(DiscardLength, at - _at)));
            if (passed == 0) return 0;
            _at += passed;
            meanwhile?.Invoke();
        }
        int read = Unpack(room);
        _at += read;
        return read;
    }

    // After damage the stream says that it is at its end: the next read begins anew.
    int Unpack(Span<byte> room)
    {
        try
        {
            return _zip!.Read(room);
        }
        catch (InvalidDataException)
        {
            _at = long.MaxValue;
            throw;
        }
    }

    /// <summary>As much of the room as there is.</summary>
    public int ReadFull(Span<byte> room, long at)
    {
        int filled = 0;
        while (filled < room.Length && Read(room[filled..], at + filled) is var n and > 0) filled += n;
        return filled;
    }

    /// <summary>What lies right before a place is still what it was.</summary>
    public bool Confirms(Waypoint point)
    {
        if (point.Before.Length == 0) return true;
        Span<byte> bytes = stackalloc byte[Fingerprint.TailLength];
        bytes = bytes[..point.Before.Length];
        return ReadFull(bytes, point.Offset - bytes.Length) == bytes.Length && point.Before.IsOf(bytes);
    }

    public void Dispose()
    {
        _zip?.Dispose();
        _file?.Dispose();
        _handle.Dispose();
    }
}
