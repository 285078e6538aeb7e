using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>Ends the wait of a thread that runs connections: an eventfd(2). Any thread sets it; set before the wait, it ends the next one.</summary>
public sealed unsafe class MqttWake : IDisposable
{
    public MqttWake()
    {
        Handle = new SafeFileHandle(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), ownsHandle: true);
        if (Handle.IsInvalid) throw new IOException("no eventfd can be had: too many files are open");
    }

    internal SafeFileHandle Handle { get; }

    public void Set()
    {
        ulong one = 1;
        try
        {
            // SAFETY: an eventfd takes exactly 8 bytes.
            _ = Libc.write(Handle, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // Nobody runs connections any more.
        }
    }

    internal void Clear()
    {
        ulong count;
        // SAFETY: an eventfd gives exactly 8 bytes; without any it says EAGAIN.
        _ = Libc.read(Handle, &count, sizeof(ulong));
    }

    public void Dispose() => Handle.Dispose();
}
