using System.Globalization;

namespace Nfr.Logs;

// What a path means at this moment, for who checks a config.
public sealed partial class FollowedLog
{
    /// <summary>"3 files, 12,345 bytes", or what keeps it from being read by whoever asks. Opens nothing that would wait.</summary>
    public static string Look(string path)
    {
        var pattern = new PathPattern(path);
        long bytes = 0;
        int files = 0;
        foreach ((string file, Native.FileStatus found) in pattern.Expand())
        {
            Native.FileStatus status = found;
            using LogSource? source = LogSource.Open(file, out string? reason, ref status);
            if (source is null) return $"{(pattern.IsMany ? file + ": " : "")}{reason}";
            files++;
            bytes += status.Length;
        }
        return files == 0 ? pattern.IsMany ? "no file yet" : "it is not there yet"
            : string.Create(CultureInfo.InvariantCulture, $"{(pattern.IsMany ? $"{files:N0} file{(files == 1 ? "" : "s")}, " : "")}{bytes:N0} bytes, can be read");
    }
}
