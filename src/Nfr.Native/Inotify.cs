using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>
/// inotify(7): the kernel wakes who waits when something happens in a folder. It only wakes: what has happened is seen by looking, so that an event
/// that is lost (a full queue, a network file system) costs time and nothing else. One thread.
/// </summary>
public sealed unsafe partial class Inotify : IDisposable
{
    const int IN_CLOEXEC = 0x80000;
    const int IN_NONBLOCK = 0x800;
    const uint IN_MODIFY = 0x2;
    const uint IN_ATTRIB = 0x4;
    const uint IN_MOVED_FROM = 0x40;
    const uint IN_MOVED_TO = 0x80;
    const uint IN_CREATE = 0x100;
    const uint IN_DELETE = 0x200;
    const uint IN_DELETE_SELF = 0x400;
    const uint IN_MOVE_SELF = 0x800;
    const uint IN_Q_OVERFLOW = 0x4000;
    const uint IN_IGNORED = 0x8000;
    const uint IN_ONLYDIR = 0x1000000;
    const uint Growth = IN_MODIFY;
    const uint Names = IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;

    // struct inotify_event: wd, mask, cookie, len, then len bytes of a name.
    const int HeaderLength = 16;
    const int BufferLength = 16 << 10;

    readonly SafeFileHandle _descriptor;
    readonly Dictionary<string, int> _watches = new(StringComparer.Ordinal);

    Inotify(SafeFileHandle descriptor) => _descriptor = descriptor;

    /// <summary>Null when the kernel refuses, as where a user has too many of them.</summary>
    public static Inotify? Open()
    {
        var descriptor = new SafeFileHandle(inotify_init1(IN_CLOEXEC | IN_NONBLOCK), ownsHandle: true);
        if (!descriptor.IsInvalid) return new Inotify(descriptor);
        descriptor.Dispose();
        return null;
    }

    /// <summary>Watches exactly these folders from now on; false when one of them cannot be.</summary>
    public bool Watch(IReadOnlySet<string> folders)
    {
        foreach ((string folder, int watch) in _watches.ToArray())
        {
            if (folders.Contains(folder)) continue;
            _ = inotify_rm_watch(_descriptor, watch);
            _watches.Remove(folder);
        }
        bool all = true;
        foreach (string folder in folders)
        {
            if (_watches.ContainsKey(folder)) continue;
            int watch = inotify_add_watch(_descriptor, folder, Growth | Names | IN_ONLYDIR);
            // Two names of one folder have one watch: it may be removed with the first, and then the looking once a second serves.
            if (watch >= 0) _watches[folder] = watch;
            else all = false;
        }
        return all;
    }

    /// <summary>Waits for something to happen, at most so long, and says what: a file grew, or names in a folder changed.</summary>
    public InotifyNews Wait(int milliseconds)
    {
        pollfd file = default;
        file.fd = (int)_descriptor.DangerousGetHandle();
        file.events = Libc.POLLIN;
        // SAFETY: one pollfd.
        if (Libc.poll(&file, 1, milliseconds) <= 0) return InotifyNews.None;
        InotifyNews news = InotifyNews.None;
        byte* buffer = stackalloc byte[BufferLength];
        while (true)
        {
            // SAFETY: the buffer has BufferLength bytes.
            nint length = Libc.read(_descriptor, buffer, BufferLength);
            if (length < HeaderLength) return news;
            var events = new ReadOnlySpan<byte>(buffer, (int)length);
            while (events.Length >= HeaderLength)
            {
                int watch = MemoryMarshal.Read<int>(events);
                uint mask = MemoryMarshal.Read<uint>(events[4..]);
                uint name = MemoryMarshal.Read<uint>(events[12..]);
                if ((mask & IN_IGNORED) != 0) Forget(watch);
                news |= (mask & ~IN_MODIFY & (Names | IN_Q_OVERFLOW | IN_IGNORED)) != 0 ? InotifyNews.Names : InotifyNews.Growth;
                events = events[(int)Math.Min(events.Length, HeaderLength + (long)name)..];
            }
        }
    }

    // The folder is gone, and its watch with it; when it comes back it is watched anew.
    void Forget(int watch)
    {
        foreach ((string folder, int its) in _watches.ToArray())
        {
            if (its == watch) _watches.Remove(folder);
        }
    }

    public void Dispose() => _descriptor.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int inotify_add_watch(SafeFileHandle descriptor, string path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_rm_watch(SafeFileHandle descriptor, int watch);
}

/// <summary>What has happened in the watched folders.</summary>
[Flags]
public enum InotifyNews : byte
{
    None = 0,
    /// <summary>Something was written.</summary>
    Growth = 1,
    /// <summary>A name came, went or changed its permissions; or events were lost, and everything may have.</summary>
    Names = 2,
}
