using System.Globalization;
using Nfr.Config;

namespace Nfr.Panel;

/// <summary>
/// The lights as the kernel shows them, /sys/class/leds/PREFIX:NAME (leds-gpio), driven by its triggers alone: once set, a light goes on by itself. Written to only when
/// something changes, or when somebody else has changed it. A light that is not there, or may not be written, is said once and looked for again.
/// </summary>
/// <param name="folder">/sys/class/leds; a seam of tests.</param>
/// <param name="prefix">Before each name: nfr:.</param>
/// <param name="say">A sentence for the log.</param>
/// <param name="time">Intervals.</param>
sealed class Leds(string folder, string prefix, Action<string> say, TimeProvider time)
{
    /// <summary>Lights that came, went or were changed by somebody else are seen within this.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    /// <summary>A new trigger's files belong to the panel's user a moment after they are there (udev): for so long they are waited for closely.</summary>
    static readonly TimeSpan s_settling = TimeSpan.FromSeconds(3);

    /// <summary>While the box starts, udev has more to do first, and lights of a driver that is loaded late are not there yet: only what lasts longer is a fault, and is said.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    const string Unset = "";

    readonly Lamp[] _lamps = [.. Enum.GetValues<Light>().Select(l => new Lamp(l, Path.Combine(folder, prefix + LightTable.NameOf(l))))];
    readonly long _begin = time.GetTimestamp();
    long _looked = time.GetTimestamp();
    bool _saidNone;

    sealed class Lamp(Light light, string path)
    {
        public Light Light { get; } = light;
        public string Path { get; } = path;
        public (LightPattern Pattern, string Interface)? Wanted;
        public bool IsDone;
        public bool IsThere;
        public long Since;
        /// <summary>Since when it could not be set; null = it could, the last time.</summary>
        public long? Failing;
        /// <summary>What its trigger file said in brackets when we were done.</summary>
        public string Trigger = Unset;
        public string? Said;
    }

    /// <summary>One of them still waits for its files: come again soon.</summary>
    public bool IsSettling => _lamps.Any(l => l is { Wanted: not null, IsDone: false, IsThere: true } && time.GetElapsedTime(l.Since) < s_settling);

    /// <summary>How many there are.</summary>
    public int Found => _lamps.Count(l => Directory.Exists(l.Path));

    /// <summary>Brings every light to the plan; cheap when nothing has changed.</summary>
    public void Show(LightPlan plan)
    {
        bool look = time.GetElapsedTime(_looked) >= Look;
        if (look) _looked = time.GetTimestamp();
        foreach (Lamp lamp in _lamps)
        {
            LightPattern pattern = plan[lamp.Light];
            string followed = pattern is LightPattern.FollowsLink or LightPattern.FollowsPackets ? plan.Interface : "";
            if (lamp.Wanted != (pattern, followed))
            {
                lamp.Wanted = (pattern, followed);
                lamp.IsDone = false;
                lamp.Since = time.GetTimestamp();
            }
            else if (lamp.IsDone && look && Current(lamp) != lamp.Trigger) lamp.IsDone = false;
            // What fails for longer than a start takes is tried again at each look.
            if (!lamp.IsDone && (look || time.GetElapsedTime(lamp.Since) < s_settling || (lamp.Failing is { } since && time.GetElapsedTime(since) <= Patience))) Set(lamp, pattern, followed);
        }
        if (_saidNone || time.GetElapsedTime(_begin) < Patience || Found > 0) return;
        _saidNone = true;
        say($"there are no lights ({folder}/{prefix}*); looked for again every {Look.TotalSeconds:0} s");
    }

    void Set(Lamp lamp, LightPattern pattern, string followed)
    {
        lamp.IsThere = Directory.Exists(lamp.Path);
        if (!lamp.IsThere) return;
        try
        {
            Drive(lamp.Path, pattern, followed);
            lamp.Trigger = Current(lamp);
            (lamp.IsDone, lamp.Failing) = (true, null);
            if (lamp.Said is not null) say($"light {LightTable.NameOf(lamp.Light)} can be set again");
            lamp.Said = null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string why = Reason.Of(fault);
            lamp.Failing ??= time.GetTimestamp();
            if (time.GetElapsedTime(lamp.Failing.Value) < Patience || why == lamp.Said) return;
            lamp.Said = why;
            say($"light {LightTable.NameOf(lamp.Light)} cannot be set: {why}; the panel's user needs the right to write {lamp.Path} (udev rule 60-nfr-panel.rules)");
        }
    }

    static void Drive(string path, LightPattern pattern, string followed)
    {
        switch (pattern)
        {
            case LightPattern.Off:
                Choose(path, "none");
                Write(path, "brightness", "0");
                break;
            case LightPattern.On:
                On(path);
                break;
            case LightPattern.Heartbeat:
                // A kernel without it still has timer.
                if (!Choose(path, "heartbeat")) Blink(path, 100, 900);
                break;
            case LightPattern.Slow:
                Blink(path, 1000, 1000);
                break;
            case LightPattern.Fast:
                Blink(path, 100, 100);
                break;
            case LightPattern.Flash:
                Blink(path, 100, 1900);
                break;
            default:
                Follow(path, followed, packets: pattern == LightPattern.FollowsPackets);
                break;
        }
    }

    static void On(string path)
    {
        Choose(path, "none");
        Write(path, "brightness", ReadText(path, "max_brightness") is { Length: > 0 } most ? most : "1");
    }

    static void Blink(string path, int on, int off)
    {
        // A kernel without any blinking: on is nearest, since all that blinks wants to be seen.
        if (!Choose(path, "timer"))
        {
            On(path);
            return;
        }
        Write(path, "delay_on", on.ToString(CultureInfo.InvariantCulture));
        Write(path, "delay_off", off.ToString(CultureInfo.InvariantCulture));
    }

    static void Follow(string path, string followed, bool packets)
    {
        if (followed.Length == 0 || !Choose(path, "netdev"))
        {
            On(path);
            return;
        }
        if (ReadText(path, "device_name") != followed) Write(path, "device_name", followed);
        Write(path, "link", "1");
        Write(path, "tx", "0");
        Write(path, "rx", packets ? "1" : "0");
    }

    /// <summary>False when this kernel has no such trigger. Setting one anew would begin its blinking anew, and take its files away for a moment.</summary>
    static bool Choose(string path, string trigger)
    {
        string text = ReadText(path, "trigger") ?? "";
        if (text.Contains($"[{trigger}]", StringComparison.Ordinal)) return true;
        if (!text.Split(' ', '\n').Contains(trigger)) return false;
        Write(path, "trigger", trigger);
        return true;
    }

    static string Current(Lamp lamp)
    {
        string text = ReadText(lamp.Path, "trigger") ?? "";
        int begin = text.IndexOf('[', StringComparison.Ordinal), end = text.IndexOf(']', StringComparison.Ordinal);
        return begin >= 0 && end > begin ? text[(begin + 1)..end] : Unset;
    }

    static string? ReadText(string path, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(path, name)).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>One write of the whole value, into a file that is there: sysfs makes none.</summary>
    static void Write(string path, string name, string value)
    {
        using var file = new FileStream(Path.Combine(path, name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(value));
    }
}
