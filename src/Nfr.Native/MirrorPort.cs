using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>if_nametoindex(3), which asks the kernel about this thread's network namespace (what /sys shows belongs to another).</summary>
public static partial class MirrorPort
{
    /// <summary>The interface's index, or 0 when there is none of that name.</summary>
    public static int IndexOf(string interfaceName) => (int)if_nametoindex(interfaceName);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint if_nametoindex(string name);
}
