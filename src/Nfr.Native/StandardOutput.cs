using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>
/// stdout by write(2), so that what stands there before and comes after keeps its place: the platform's file stream writes at places of its own, and
/// the next program in a shell's group would write over it. The console's stream hides that the reader has gone.
/// </summary>
public static partial class StandardOutput
{
    const string Library = "libc";
    const int Descriptor = 1, InterruptedCall = 4, WouldBlock = 11;

    /// <summary>errno: the reader has gone.</summary>
    public const int BrokenPipe = 32;

    /// <summary>Writes all of it; 0, or the errno that stopped it.</summary>
    public static unsafe int Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint written;
            // SAFETY: the pointer lives as long as the call, which reads no more than the span's length.
            fixed (byte* start = bytes) written = write(Descriptor, start, (nuint)bytes.Length);
            if (written >= 0)
            {
                bytes = bytes[(int)written..];
                continue;
            }
            int error = Marshal.GetLastPInvokeError();
            // Whoever shares the terminal or pipe has made it one that does not wait.
            if (error == WouldBlock) Thread.Sleep(1);
            else if (error != InterruptedCall) return error;
        }
        return 0;
    }

    [LibraryImport(Library, SetLastError = true)]
    private static unsafe partial nint write(int file, byte* buffer, nuint count);
}
