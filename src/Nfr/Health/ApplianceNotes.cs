using System.Text;

namespace Nfr.Health;

/// <summary>
/// What the appliance's start found wrong: lines of nfr.txt that were not understood, and a data partition that could not be used. The image's scripts write one
/// sentence a line, with its remedy, into two small files (image/README.md); on a machine that is no appliance there are none.
/// </summary>
/// <param name="Settings">Of nfr.txt; at most <see cref="MostLines"/>, the last then says how many more there are.</param>
/// <param name="DataLost">Why what is recorded now does not last, or null.</param>
sealed record ApplianceNotes(IReadOnlyList<string> Settings, string? DataLost)
{
    public const string DefaultFolder = "/run/nfr-boot";

    /// <summary>Sentences that are shown; a file of nothing but mistakes is told by its first ones.</summary>
    public const int MostLines = 8;

    const int MostBytes = 4096;

    public static ApplianceNotes None { get; } = new([], null);

    /// <summary>Never fails: what cannot be read is not there. Two looks at files in memory.</summary>
    public static ApplianceNotes Read(string folder)
    {
        string[] settings = Lines(Path.Combine(folder, "faults")), lost = Lines(Path.Combine(folder, "data-lost"));
        if (settings.Length == 0 && lost.Length == 0) return None;
        IReadOnlyList<string> shown = settings.Length <= MostLines ? settings : [.. settings[..(MostLines - 1)], $"{settings.Length - MostLines + 1} more are in nfr.txt.report on the card"];
        return new(shown, lost.Length == 0 ? null : lost[0]);
    }

    static string[] Lines(string path)
    {
        try
        {
            if (!File.Exists(path)) return [];
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[MostBytes];
            int length = file.ReadAtLeast(bytes, MostBytes, throwOnEndOfStream: false);
            string text = Encoding.UTF8.GetString(bytes, 0, length);
            // A last line that was cut is no sentence.
            if (length == MostBytes) text = text[..(text.LastIndexOf('\n') + 1)];
            return text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
