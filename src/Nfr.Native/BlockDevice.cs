using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>A partition, opened to be overwritten whole. Regular files are taken too (a slot that is a file).</summary>
public static partial class BlockDevice
{
    const string Library = "libc";
    const int O_RDWR = 2;
    const int O_EXCL = 0x80;
    const int O_CLOEXEC = 0x80000;
    const int SEEK_END = 2;
    const int POSIX_FADV_DONTNEED = 4;

    /// <summary>EBUSY: it is mounted, or another program has it to itself.</summary>
    public const int Busy = 16;

    /// <summary>
    /// Opens it for this process alone: without O_CREAT, O_EXCL makes the kernel refuse a device that is mounted (open(2)), which is the last guard between an updater's mistake and the running system.
    /// </summary>
    /// <returns>Null, and <paramref name="errno"/>, when it cannot be had.</returns>
    public static SafeFileHandle? Open(string path, out int errno)
    {
        int descriptor = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
        errno = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Bytes; -1 when it cannot be told. fstat says 0 for devices, so its end is sought.</summary>
    public static long Length(SafeFileHandle device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return lseek(device, 0, SEEK_END);
    }

    /// <summary>Lets go of pages in memory that are on the device already, so that the next read asks the card itself. Only advice: what is not synced stays.</summary>
    public static void Forget(SafeFileHandle device, long offset, long length)
    {
        ArgumentNullException.ThrowIfNull(device);
        _ = posix_fadvise(device, offset, length, POSIX_FADV_DONTNEED);
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags);

    // off_t has 64 bits wherever .NET runs this (x64, arm64).
    [LibraryImport(Library, SetLastError = true)]
    private static partial long lseek(SafeFileHandle descriptor, long offset, int whence);

    [LibraryImport(Library)]
    private static partial int posix_fadvise(SafeFileHandle descriptor, long offset, long length, int advice);
}
