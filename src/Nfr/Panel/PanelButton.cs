using System.Runtime.InteropServices;
using Nfr.Native;

namespace Nfr.Panel;

/// <summary>What the keys did: see <see cref="InputKeys.Read"/>.</summary>
delegate int ReadKeys(Span<KeyChange> changes, out int errno, out bool lost);

/// <summary>An input device that is open; a seam of tests, whose devices are lists.</summary>
/// <param name="Read">See <see cref="ReadKeys"/>.</param>
/// <param name="Handle">To wait on; null = nothing to wait on.</param>
/// <param name="Close">Ends it.</param>
sealed record KeyLink(ReadKeys Read, SafeHandle? Handle, Action Close);

/// <summary>Null and an errno when it cannot be opened.</summary>
delegate KeyLink? OpenKeys(string path, out int errno);

/// <summary>
/// The button: the input device of a certain name (gpio-keys of the overlay), found in /sys/class/input, there or not, looked for again when it is gone. Every key of it is the
/// button, since the overlay gives it one.
/// </summary>
/// <param name="name">As the kernel knows it: nfr-button. gpio-keys takes its name from the device tree's node or label.</param>
/// <param name="classes">/sys/class/input; a seam of tests.</param>
/// <param name="devices">/dev/input; a seam of tests.</param>
/// <param name="open">Opens one of them.</param>
/// <param name="say">A sentence for the log.</param>
/// <param name="time">Intervals.</param>
sealed class PanelButton(string name, string classes, string devices, OpenKeys open, Action<string> say, TimeProvider time) : IDisposable
{
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    readonly KeyChange[] _changes = new KeyChange[InputKeys.MostEvents];
    KeyLink? _keys;
    string _path = "";
    long _looked;
    bool _hasLooked;
    string? _said;

    /// <summary>To wait on; null while there is none.</summary>
    public SafeHandle? Handle => _keys?.Handle;

    public static KeyLink? Open(string path, out int errno) => InputKeys.Open(path, out errno) is { } keys ? new KeyLink(keys.Read, keys.Handle, keys.Dispose) : null;

    /// <summary>What it did, with the kernel's stamps; never waits. <paramref name="lost"/>: presses were lost or it is gone, so that nothing that was begun counts.</summary>
    public ReadOnlySpan<KeyChange> Read(out bool lost)
    {
        lost = false;
        if (_keys is null && !TryFind()) return [];
        int count = _keys!.Read(_changes, out int errno, out lost);
        if (errno == 0) return _changes.AsSpan(0, count);
        lost = true;
        _keys.Close();
        _keys = null;
        Say($"the button ({_path}) is gone");
        return [];
    }

    bool TryFind()
    {
        if (_hasLooked && time.GetElapsedTime(_looked) < Look) return false;
        (_hasLooked, _looked) = (true, time.GetTimestamp());
        string? found = null;
        try
        {
            if (Directory.Exists(classes)) found = Directory.GetDirectories(classes, "event*").FirstOrDefault(IsOurs);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // As good as none.
        }
        if (found is null)
        {
            Say($"there is no button (no input device is called {name})");
            return false;
        }
        _path = Path.Combine(devices, Path.GetFileName(found));
        _keys = open(_path, out int errno);
        if (_keys is null) Say($"the button at {_path} cannot be read: {Display.Words(errno)}");
        else
        {
            _said = null;
            say($"button at {_path}");
        }
        return _keys is not null;
    }

    bool IsOurs(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "device", "name")).Trim() == name;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    void Say(string sentence)
    {
        if (sentence == _said) return;
        _said = sentence;
        say($"{sentence}; looked for again every {Look.TotalSeconds:0} s");
    }

    public void Dispose() => _keys?.Close();
}
