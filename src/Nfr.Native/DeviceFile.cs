using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>open(2) of a device: .NET's own would ask it for a length and a lock, which a device need not know.</summary>
static partial class DeviceFile
{
    const int O_RDONLY = 0;
    const int O_RDWR = 2;
    const int O_NONBLOCK = 0x800;
    const int O_CLOEXEC = 0x80000;

    /// <summary>Null and the errno when it cannot be opened. Never waits.</summary>
    internal static unsafe SafeFileHandle? Open(string path, bool write, out int errno)
    {
        errno = 0;
        byte[] name = new byte[Encoding.UTF8.GetMaxByteCount(path.Length) + 1];
        Encoding.UTF8.GetBytes(path, name);
        SafeFileHandle file;
        // SAFETY: the name ends with a zero within the array.
        fixed (byte* bytes = name) file = new SafeFileHandle(open(bytes, (write ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC, 0), ownsHandle: true);
        if (!file.IsInvalid) return file;
        errno = Marshal.GetLastPInvokeError();
        file.Dispose();
        return null;
    }

    /// <summary>Variadic in C; the mode is there for architectures that pass such arguments elsewhere, and is not used without O_CREAT.</summary>
    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int open(byte* path, int flags, uint mode);
}
