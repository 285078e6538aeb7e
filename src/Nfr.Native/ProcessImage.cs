using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>execve(2): this process becomes another program and keeps its id, its terminal and its parent.</summary>
public static partial class ProcessImage
{
    /// <summary>Replaces this process by <paramref name="file"/> (found by PATH). Returns only on failure, with the reason.</summary>
    public static string Replace(string file, IReadOnlyList<string> arguments)
    {
        // argv holds the program's own name first and ends with a null pointer.
        string?[] argv = [file, .. arguments, null];
        _ = execvp(file, argv);
        return $"{file}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}";
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execvp(string file, string?[] argv);
}
