using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>statx(2): who a file is, whatever it is called. Its structure is the same on every architecture, unlike stat's.</summary>
/// <param name="Device">Major and minor number of what it lies on.</param>
/// <param name="Inode">Its number there; used again once the file is gone and closed.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">Nanoseconds since 1970 of the last write.</param>
/// <param name="IsFile">A regular file: no folder, pipe or device.</param>
/// <param name="Links">Names that it has; 0 = it was removed and is held open only.</param>
public readonly partial record struct FileStatus(ulong Device, ulong Inode, long Length, long Modified, bool IsFile, uint Links)
{
    const int AT_FDCWD = -100;
    const int AT_EMPTY_PATH = 0x1000;
    const uint STATX_BASIC_STATS = 0x7FF;
    const uint STATX_BTIME = 0x800;
    const int S_IFMT = 0xF000;
    const int S_IFREG = 0x8000;
    const int StructureLength = 256;

    /// <summary>Nanoseconds since 1970 when it was made; 0 where the file system does not say.</summary>
    public long Born { get; init; }

    /// <summary>Of a name, links followed; null when there is nothing or it cannot be asked (<paramref name="errno"/> says why).</summary>
    public static unsafe FileStatus? Of(string path, out int errno)
    {
        ArgumentNullException.ThrowIfNull(path);
        Span<byte> name = stackalloc byte[512];
        int length = Encoding.UTF8.GetMaxByteCount(path.Length) + 1;
        if (length > name.Length) name = new byte[length];
        name[Encoding.UTF8.GetBytes(path, name)] = 0;
        // SAFETY: the name ends with a zero within the span.
        fixed (byte* bytes = name) return Ask(AT_FDCWD, bytes, 0, out errno);
    }

    /// <summary>Of an open file.</summary>
    public static unsafe FileStatus? Of(SafeFileHandle file, out int errno)
    {
        ArgumentNullException.ThrowIfNull(file);
        byte empty = 0;
        bool held = false;
        try
        {
            file.DangerousAddRef(ref held);
            return Ask((int)file.DangerousGetHandle(), &empty, AT_EMPTY_PATH, out errno);
        }
        finally
        {
            if (held) file.DangerousRelease();
        }
    }

    /// <summary>Nothing has this name: ENOENT or ENOTDIR.</summary>
    public static bool IsMissing(int errno) => errno is 2 or 20;

    /// <summary>EACCES or EPERM.</summary>
    public static bool IsForbidden(int errno) => errno is 13 or 1;

    static unsafe FileStatus? Ask(int folder, byte* path, int flags, out int errno)
    {
        Span<byte> s = stackalloc byte[StructureLength];
        s.Clear();
        errno = 0;
        // SAFETY: struct statx has 256 bytes.
        fixed (byte* structure = s)
        {
            if (statx(folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, structure) != 0)
            {
                errno = Marshal.GetLastPInvokeError();
                return null;
            }
        }
        ushort mode = MemoryMarshal.Read<ushort>(s[28..]);
        long modified = (MemoryMarshal.Read<long>(s[112..]) * 1_000_000_000) + MemoryMarshal.Read<uint>(s[120..]);
        bool saysBorn = (MemoryMarshal.Read<uint>(s) & STATX_BTIME) != 0;
        ulong device = ((ulong)MemoryMarshal.Read<uint>(s[136..]) << 32) | MemoryMarshal.Read<uint>(s[140..]);
        return new FileStatus(device, MemoryMarshal.Read<ulong>(s[32..]), MemoryMarshal.Read<long>(s[40..]), modified,
            (mode & S_IFMT) == S_IFREG, MemoryMarshal.Read<uint>(s[16..]))
        {
            Born = saysBorn ? (MemoryMarshal.Read<long>(s[80..]) * 1_000_000_000) + MemoryMarshal.Read<uint>(s[88..]) : 0,
        };
    }

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int statx(int folder, byte* path, int flags, uint mask, byte* buffer);
}
