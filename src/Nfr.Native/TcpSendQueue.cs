using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>tcp(7), SIOCOUTQ: what was written to a connection and is not acknowledged by the other side's kernel. For any thread.</summary>
public static unsafe partial class TcpSendQueue
{
    const nuint SIOCOUTQ = 0x5411;

    /// <summary>Bytes, those not yet sent among them; null when the kernel refuses, as for a socket that is closed.</summary>
    public static int? Unacknowledged(SafeSocketHandle socket)
    {
        int bytes = 0;
        try
        {
            // SAFETY: the kernel writes one int.
            return ioctl(socket, SIOCOUTQ, &bytes) == 0 ? bytes : null;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeSocketHandle socket, nuint request, int* argument);
}
