using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace Nfr.Update;

/// <summary>How far an update is: to whoever looks at the terminal, and to the panel by a small file that is replaced whole (decision 009 has its form).</summary>
sealed class UpdateProgress
{
    public const string DefaultPath = "/run/nfr/update.json";
    static readonly TimeSpan s_often = TimeSpan.FromSeconds(1);

    readonly string? _file;
    readonly Action<UpdateMoment> _show;
    readonly TimeProvider _time;
    long _told;
    UpdateMoment _last;

    /// <param name="file">For the panel; null = none.</param>
    /// <param name="show">Called at each change of phase or percent; never more often than a person can read.</param>
    /// <param name="time">Intervals.</param>
    public UpdateProgress(string? file, Action<UpdateMoment> show, TimeProvider time) => (_file, _show, _time) = (file, show, time);

    /// <param name="moment">What to tell.</param>
    public void Tell(UpdateMoment moment)
    {
        bool edge = moment.Phase != _last.Phase || moment.Part != _last.Part;
        if (!edge && (moment.Percent == _last.Percent || _time.GetElapsedTime(_told) < s_often)) return;
        (_last, _told) = (moment, _time.GetTimestamp());
        _show(moment);
        if (_file is null) return;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
            WholeFile.Write(_file, Json(moment), lasting: false);
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
        try
        {
            if (_file is not null) File.Delete(_file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Trace.WriteLine(e.Message);
        }
    }

    internal static byte[] Json(in UpdateMoment moment)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("phase", moment.Phase);
            json.WriteString("version", moment.Version);
            json.WriteNumber("percent", moment.Percent);
            json.WriteString("text", moment.Text);
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
