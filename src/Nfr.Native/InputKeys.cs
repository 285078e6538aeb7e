using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>What a key did.</summary>
/// <param name="Code">KEY_ of linux/input-event-codes.h.</param>
/// <param name="IsDown">Pressed, else released.</param>
public readonly record struct KeyChange(ushort Code, bool IsDown);

/// <summary>Keys of an input device, /dev/input/event* (linux/input.h). One thread.</summary>
public sealed unsafe class InputKeys : IDisposable
{
    const int EV_SYN = 0;
    const int EV_KEY = 1;
    const int SYN_DROPPED = 3;
    const int EINTR = 4;
    const int EAGAIN = 11;
    // struct input_event: two longs of time, then type, code, value.
    static readonly int s_length = (2 * sizeof(nint)) + 8;

    readonly SafeFileHandle _file;
    readonly byte[] _buffer = new byte[64 * s_length];

    InputKeys(SafeFileHandle file) => _file = file;

    /// <summary>Null and the errno when there is no such device or it may not be read.</summary>
    public static InputKeys? Open(string path, out int errno) => DeviceFile.Open(path, write: false, out errno) is { } file ? new InputKeys(file) : null;

    /// <summary>To wait on with <see cref="Readiness"/>.</summary>
    public SafeHandle Handle => _file;

    /// <summary>
    /// What the keys did since the last call, at most 64 events at a time; never waits. Where the kernel had no room for all, every key counts as released: who still holds one
    /// has to press anew, and nobody has shut a box down without meaning it.
    /// </summary>
    /// <param name="changes">Filled from its beginning; those that do not fit are lost.</param>
    /// <param name="errno">Not 0: the device is gone (19) or broken; close it.</param>
    /// <param name="lost">The kernel lost events.</param>
    /// <returns>How many.</returns>
    public int Read(Span<KeyChange> changes, out int errno, out bool lost)
    {
        errno = 0;
        lost = false;
        nint read;
        // SAFETY: the kernel writes whole events into the buffer's bytes, no more than are said.
        fixed (byte* bytes = _buffer) read = Libc.read(_file, bytes, (nuint)_buffer.Length);
        if (read < 0)
        {
            int fault = Marshal.GetLastPInvokeError();
            errno = fault is EAGAIN or EINTR ? 0 : fault;
            return 0;
        }
        return Parse(_buffer.AsSpan(0, (int)read), changes, out lost);
    }

    /// <summary>Events as the kernel writes them; half an event at the end is left out.</summary>
    internal static int Parse(ReadOnlySpan<byte> events, Span<KeyChange> changes, out bool lost)
    {
        lost = false;
        int count = 0;
        for (; events.Length >= s_length; events = events[s_length..])
        {
            ReadOnlySpan<byte> body = events[(2 * sizeof(nint))..];
            ushort type = MemoryMarshal.Read<ushort>(body), code = MemoryMarshal.Read<ushort>(body[2..]);
            int value = MemoryMarshal.Read<int>(body[4..]);
            if (type == EV_SYN && code == SYN_DROPPED) lost = true;
            // 2 is the kernel's repetition of a key that is held.
            if (type == EV_KEY && value is 0 or 1 && count < changes.Length) changes[count++] = new KeyChange(code, value == 1);
        }
        return count;
    }

    public void Dispose() => _file.Dispose();
}
