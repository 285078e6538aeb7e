using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>fsync of a directory, without which a rename is not sure to survive a power cut; the platform's file API cannot open one.</summary>
public static partial class DirectorySync
{
    const string Library = "libc";
    const int CloseOnExec = 0x80000;
    const int InterruptedCall = 4;

    /// <summary>False when it could not be done (errno stays in <see cref="Marshal.GetLastPInvokeError"/>).</summary>
    public static bool Flush(string directory)
    {
        // O_DIRECTORY differs between architectures and is only a safeguard: O_RDONLY (0) opens a directory everywhere.
        int descriptor = open(directory, CloseOnExec);
        if (descriptor < 0) return false;
        int result;
        do
        {
            result = fsync(descriptor);
        }
        while (result != 0 && Marshal.GetLastPInvokeError() == InterruptedCall);
        _ = close(descriptor);
        return result == 0;
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int open(string path, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int close(int descriptor);
}
