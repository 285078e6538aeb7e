using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>poll(2) for a program of one thread that waits for two things at most.</summary>
public static unsafe class Readiness
{
    /// <summary>Waits until one of them can be read, has ended or broken, or the time is over. Null handles are left out; which of them it was is seen by reading.</summary>
    public static void Wait(SafeHandle? first, SafeHandle? second, TimeSpan most)
    {
        pollfd* files = stackalloc pollfd[2];
        int count = 0;
        bool heldFirst = false, heldSecond = false;
        try
        {
            if (first is { IsClosed: false })
            {
                first.DangerousAddRef(ref heldFirst);
                files[count++] = new pollfd { fd = (int)first.DangerousGetHandle(), events = Libc.POLLIN };
            }
            if (second is { IsClosed: false })
            {
                second.DangerousAddRef(ref heldSecond);
                files[count++] = new pollfd { fd = (int)second.DangerousGetHandle(), events = Libc.POLLIN };
            }
            // SAFETY: as many entries as are counted, of the two that there are. An interruption is as good as the end of the time.
            _ = Libc.poll(files, (nuint)count, (int)Math.Clamp(Math.Ceiling(most.TotalMilliseconds), 0, 60_000));
        }
        finally
        {
            if (heldFirst) first!.DangerousRelease();
            if (heldSecond) second!.DangerousRelease();
        }
    }
}
