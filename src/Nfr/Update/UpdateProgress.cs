using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace Nfr.Update;

/// <summary>
/// How far an update is: to whoever looks at the terminal, and to the panel by a small file that is replaced whole (decision 009 has its form). Its "at" is the monotonic clock of the
/// machine when it was written, which is done again every few seconds while an update works, also when nothing moves: so who reads it sees when the writer is gone, whatever ended it.
/// </summary>
sealed class UpdateProgress : IDisposable
{
    public const string DefaultPath = "/run/nfr/update.json";
    static readonly TimeSpan s_often = TimeSpan.FromSeconds(1);

    /// <summary>Written again at least so often.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);
    /// <summary>Older words of a writer are those of one that is gone; a busy box with a slow card is late, but not by this.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);
    /// <summary>A reboot that was asked for has come by then: services have 90 s each to end.</summary>
    public static readonly TimeSpan LongestReboot = TimeSpan.FromMinutes(5);

    readonly string? _file;
    readonly Action<UpdateMoment> _show;
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    readonly ITimer? _beat;
    long _told;
    UpdateMoment _last;
    bool _isWorking;

    /// <param name="file">For the panel; null = none.</param>
    /// <param name="show">Called at each change of phase or percent; never more often than a person can read.</param>
    /// <param name="time">Intervals.</param>
    public UpdateProgress(string? file, Action<UpdateMoment> show, TimeProvider time)
    {
        (_file, _show, _time) = (file, show, time);
        if (file is not null) _beat = time.CreateTimer(_ => Again(), null, Beat, Beat);
    }

    /// <param name="moment">What to tell.</param>
    public void Tell(UpdateMoment moment)
    {
        bool edge = moment.Phase != _last.Phase || moment.Part != _last.Part;
        if (!edge && (moment.Percent == _last.Percent || _time.GetElapsedTime(_told) < s_often)) return;
        _told = _time.GetTimestamp();
        _show(moment);
        lock (_lock)
        {
            _last = moment;
            // Behind these nothing is worked on any more, and their words stay.
            _isWorking = moment.Phase is not ("rebooting" or "failed");
            Write();
        }
    }

    void Again()
    {
        lock (_lock)
        {
            if (_isWorking) Write();
        }
    }

    void Write()
    {
        if (_file is null) return;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
            WholeFile.Write(_file, Json(_last, Now(_time)), lasting: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The panel goes without; the update is what matters.
            Trace.WriteLine(e.Message);
        }
    }

    /// <summary>There is no update any more.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _isWorking = false;
            if (_file is not null) Delete(_file);
        }
    }

    /// <summary>Takes away what a writer left that was killed. Only for who has the lock of updates.</summary>
    public static void ClearStale(string file)
    {
        try
        {
            if (!File.Exists(file) || new FileInfo(file).Length > 4096) return;
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { MaxDepth = 4 });
            // "failed" is to be read until the next reboot, "rebooting" until it comes.
            if (document.RootElement.GetProperty("phase").GetString() is "reading" or "writing" or "checking") Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            Trace.WriteLine(e.Message);
        }
    }

    static void Delete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Trace.WriteLine(e.Message);
        }
    }

    /// <summary>Seconds of the machine's monotonic clock, which all its programs share.</summary>
    static double Now(TimeProvider time) => time.GetElapsedTime(0).TotalSeconds;

    /// <summary>Whether words about an update that works are of a writer that still does.</summary>
    /// <param name="phase">Of the file.</param>
    /// <param name="at">Of the file; not a number = it has none.</param>
    /// <param name="time">The reader's.</param>
    public static bool IsAlive(string phase, double at, TimeProvider time) =>
        Math.Abs(Now(time) - at) < (phase == "rebooting" ? LongestReboot : Silence).TotalSeconds;

    public void Dispose() => _beat?.Dispose();

    internal static byte[] Json(in UpdateMoment moment, double at)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("phase", moment.Phase);
            json.WriteString("version", moment.Version);
            json.WriteNumber("percent", moment.Percent);
            json.WriteString("text", moment.Text);
            json.WriteNumber("at", Math.Round(at, 1));
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }
}

/// <param name="Phase">reading, writing, checking, rebooting or failed.</param>
/// <param name="Version">Of the update; "" while it is not known.</param>
/// <param name="Percent">Of this phase, 0 to 100.</param>
/// <param name="Text">One sentence without its end.</param>
/// <param name="Done">Bytes of this phase.</param>
/// <param name="Total">Bytes of this phase; 0 = it is not counted in bytes.</param>
/// <param name="Part">Which part; "" = none.</param>
readonly record struct UpdateMoment(string Phase, string Version, int Percent, string Text, long Done = 0, long Total = 0, string Part = "");
