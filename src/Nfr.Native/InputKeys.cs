using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>What a key did.</summary>
/// <param name="Code">KEY_ of linux/input-event-codes.h.</param>
/// <param name="IsDown">Pressed, else released.</param>
/// <param name="Nanoseconds">When, by the kernel: CLOCK_MONOTONIC, which on Linux is also what <see cref="TimeProvider.System"/> stamps with.</param>
public readonly record struct KeyChange(ushort Code, bool IsDown, long Nanoseconds);

/// <summary>Keys of an input device, /dev/input/event* (linux/input.h). One thread.</summary>
public sealed unsafe class InputKeys : IDisposable
{
    const int EV_SYN = 0;
    const int EV_KEY = 1;
    const int SYN_DROPPED = 3;
    const int EINTR = 4;
    const int EAGAIN = 11;
    const int CLOCK_MONOTONIC = 1;
    /// <summary>_IOW('E', 0xa0, int): by which clock events are stamped; without it by the wall clock, which may be set while a key is held.</summary>
    const nuint EVIOCSCLOCKID = 0x4004_45a0;
    /// <summary>Bits of all keys, KEY_MAX 0x2ff.</summary>
    const int KeyBytes = 0x300 / 8;
    /// <summary>_IOC(_IOC_READ, 'E', 0x18, KeyBytes): which keys are down now.</summary>
    const nuint EVIOCGKEY = 0x8000_4518 | (KeyBytes << 16);
    // struct input_event: two longs of time, then type, code, value.
    static readonly int s_length = (2 * sizeof(nint)) + 8;

    readonly SafeFileHandle _file;
    /// <summary>Read at once.</summary>
    public const int MostEvents = 64;

    readonly byte[] _buffer = new byte[MostEvents * s_length];

    InputKeys(SafeFileHandle file) => _file = file;

    /// <summary>Null and the errno when there is no such device, it may not be read, or is none of the kernel's input devices.</summary>
    public static InputKeys? Open(string path, out int errno)
    {
        if (DeviceFile.Open(path, write: false, out errno) is not { } file) return null;
        int clock = CLOCK_MONOTONIC;
        // SAFETY: the kernel reads one int.
        if (Libc.ioctl(file, EVIOCSCLOCKID, &clock) >= 0) return new InputKeys(file);
        errno = Marshal.GetLastPInvokeError();
        file.Dispose();
        return null;
    }

    /// <summary>To wait on with <see cref="Readiness"/>.</summary>
    public SafeHandle Handle => _file;

    /// <summary>
    /// What the keys did since the last call, at most <see cref="MostEvents"/> events at a time; never waits. Where the kernel had no room for all (SYN_DROPPED), nothing of this reading
    /// counts, and no more of what waits from before: the state is asked anew, as Documentation/input/event-codes.rst wants it.
    /// </summary>
    /// <param name="changes">Filled from its beginning; <see cref="MostEvents"/> always fit.</param>
    /// <param name="errno">Not 0: the device is gone (19) or broken; close it.</param>
    /// <param name="lost">The kernel lost events: what was begun is in doubt.</param>
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
        int count = Parse(_buffer.AsSpan(0, (int)read), changes, out lost);
        if (!lost) return count;
        // Its answer takes the keys' events that still wait out of the queue: what is read next is younger than the state.
        _ = IsAnyHeld(out errno);
        return 0;
    }

    /// <summary>Whether any key is down now.</summary>
    /// <param name="errno">Not 0: the device is gone or broken; close it.</param>
    public bool IsAnyHeld(out int errno)
    {
        errno = 0;
        byte* keys = stackalloc byte[KeyBytes];
        // SAFETY: the kernel writes no more than the length that is part of the request.
        if (Libc.ioctl(_file, EVIOCGKEY, keys) >= 0) return new ReadOnlySpan<byte>(keys, KeyBytes).ContainsAnyExcept((byte)0);
        errno = Marshal.GetLastPInvokeError();
        return false;
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
            if (type == EV_KEY && value is 0 or 1 && count < changes.Length) changes[count++] = new KeyChange(code, value == 1, Stamp(events));
        }
        return count;
    }

    /// <summary>struct timeval at the beginning: seconds and microseconds.</summary>
    static long Stamp(ReadOnlySpan<byte> input) => ((long)MemoryMarshal.Read<nuint>(input) * 1_000_000_000) + ((long)MemoryMarshal.Read<nuint>(input[sizeof(nint)..]) * 1000);

    public void Dispose() => _file.Dispose();
}
