using System.Globalization;
using System.Text;
using Nfr.Config;

namespace Nfr.Fleet;

/// <summary>
/// Numbers of commands: milliseconds since 1970, and always above the last one, which a file beside the key remembers: a sensor refuses a number that is not above the last it
/// saw, and clocks go back. Two that send at the same time wait for each other.
/// </summary>
sealed class CommandSequence(string file, TimeProvider time)
{
    const int Digits = 20;
    /// <summary>Another one holds the file for the time of one write.</summary>
    const int Tries = 100;
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    public static CommandSequence Of(CommandKey key, TimeProvider time) => new(key.File + ".sequence", time);

    /// <summary>The next <paramref name="count"/> numbers' first one; it is on disk before it is given. 0 with one sentence where that cannot be.</summary>
    public long Take(int count, out string fault)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
                if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                using var stream = new FileStream(file, options);
                Span<byte> text = stackalloc byte[Digits + 2];
                int length = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
                // Made and not written yet, when the power went.
                long last = 0;
                if (length > 0 && !(long.TryParse(Encoding.ASCII.GetString(text[..length]).TrimEnd('\n'), NumberStyles.None, CultureInfo.InvariantCulture, out last) && last < long.MaxValue - count))
                {
                    fault = $"{file} does not hold the number of the last command; remove it, and the clock alone counts";
                    return 0;
                }
                long first = Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), last + 1);
                stream.Position = 0;
                stream.Write(Encoding.ASCII.GetBytes((first + count - 1).ToString(CultureInfo.InvariantCulture).PadLeft(Digits, '0') + "\n"));
                stream.Flush(flushToDisk: true);
                fault = "";
                return first;
            }
            catch (IOException) when (i < Tries && File.Exists(file))
            {
                Thread.Sleep(s_pause);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                fault = $"cannot write {file}, where the number of the last command is kept: {Reason.Of(e)}";
                return 0;
            }
        }
    }
}
