using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Commands;
using Nfr.Panel;

namespace Nfr.Health;

/// <summary>Where other parts of the appliance leave their words.</summary>
/// <param name="Notes">Folder of small texts: setup, pairing, identify.</param>
/// <param name="Boot">Folder that the first program of the box leaves: faults (of nfr.txt), notes, data-lost.</param>
/// <param name="Progress">An update that runs, as "nfr update" tells it.</param>
/// <param name="Record">The last update and how it ended.</param>
sealed record BoxNotePlaces(string Notes, string Boot, string Progress, string Record)
{
    public static readonly BoxNotePlaces Default = new("/run/nfr/notes", "/run/nfr-boot", "/run/nfr/update.json", "/data/nfr-update/record.json");
}

/// <summary>
/// What first boot, updates and pairing have to say: small files of other programs of the box (decision 009), read by sensor and panel alike. What is not there or cannot be read
/// is empty; a file of more than <see cref="MostBytes"/> is read up to there; texts are made fit for a screen.
/// </summary>
sealed record BoxNotes
{
    public const int MostBytes = 4096;
    /// <summary>A new version is news for so long.</summary>
    static readonly TimeSpan s_news = TimeSpan.FromDays(1);

    public static readonly BoxNotes None = new();

    public PanelUpdate Update { get; init; } = PanelUpdate.None;
    /// <summary>Why nothing of this run outlives it (the data partition could not be used); null when all is well.</summary>
    public string? DataLost { get; init; }
    /// <summary>What of nfr.txt could not be taken, and what the boot had to do without; one sentence each, with its remedy.</summary>
    public IReadOnlyList<string> Setup { get; init; } = [];
    public string PairingCode { get; init; } = "";
    public string PairingUrl { get; init; } = "";
    public TimeSpan IdentifyFor { get; init; }

    /// <param name="places">Where to look.</param>
    /// <param name="now">The wall clock: files have stamps of it.</param>
    public static BoxNotes Read(BoxNotePlaces places, DateTimeOffset now)
    {
        // On a machine that is no appliance two folders are asked for and nothing else.
        bool notes = Directory.Exists(places.Notes), boot = Directory.Exists(places.Boot);
        string[] pairing = notes ? Lines(Path.Combine(places.Notes, "pairing")) : [];
        List<string> setup = [];
        if (boot)
        {
            setup.AddRange(Lines(Path.Combine(places.Boot, "faults")));
            setup.AddRange(Lines(Path.Combine(places.Boot, "notes")));
        }
        if (notes) setup.AddRange(Lines(Path.Combine(places.Notes, "setup")));
        return new BoxNotes
        {
            DataLost = boot && Lines(Path.Combine(places.Boot, "data-lost")) is [var lost, ..] ? lost : null,
            Update = UpdateOf(places, now),
            Setup = setup,
            PairingCode = pairing.Length > 0 ? pairing[0] : "",
            PairingUrl = pairing.Length > 1 ? pairing[1] : "",
            IdentifyFor = notes ? IdentifyOf(Path.Combine(places.Notes, "identify"), now) : TimeSpan.Zero,
        };
    }

    /// <summary>The file holds seconds, counted from its own time; no longer than an hour, so that a clock that was set back keeps no box blinking.</summary>
    static TimeSpan IdentifyOf(string file, DateTimeOffset now)
    {
        if (Lines(file) is not [var text, ..] || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) || seconds > 3600) return TimeSpan.Zero;
        TimeSpan left = File.GetLastWriteTimeUtc(file).AddSeconds(seconds) - now.UtcDateTime;
        return left > TimeSpan.Zero && left <= TimeSpan.FromHours(1) ? left : TimeSpan.Zero;
    }

    static PanelUpdate UpdateOf(BoxNotePlaces places, DateTimeOffset now)
    {
        if (Fields(places.Progress) is { } going)
        {
            PanelUpdatePhase phase = going.Phase switch { "reading" or "writing" or "checking" or "rebooting" => PanelUpdatePhase.Writing, "failed" => PanelUpdatePhase.Failed, _ => PanelUpdatePhase.Idle };
            return new PanelUpdate(phase, going.Percent, going.Version, going.Words);
        }
        if (Fields(places.Record) is not { } last) return PanelUpdate.None;
        bool isNews = (now.UtcDateTime - File.GetLastWriteTimeUtc(places.Record)).Duration() < s_news;
        return last.Phase switch
        {
            "trying" => new PanelUpdate(PanelUpdatePhase.Trial, 100, last.Version, ""),
            "good" when isNews => new PanelUpdate(PanelUpdatePhase.Confirmed, 100, last.Version, ""),
            // It stays until the next update: somebody has to know.
            "failed" => new PanelUpdate(PanelUpdatePhase.RolledBack, 0, last.Version, last.Words),
            _ => PanelUpdate.None,
        };
    }

    static (string Phase, string Version, int Percent, string Words)? Fields(string file)
    {
        if (Bytes(file) is not { Length: > 0 } bytes) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 4 });
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            int percent = root.TryGetProperty("percent", out JsonElement p) && p.ValueKind == JsonValueKind.Number && p.TryGetInt32(out int n) ? Math.Clamp(n, 0, 100) : 0;
            string words = Text(root, "text");
            return (Text(root, "phase"), Text(root, "version"), percent, words.Length > 0 ? words : Text(root, "why"));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    static string Text(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? Printable.Of(value.GetString() ?? "") : "";

    /// <summary>Lines that say something, at most sixteen.</summary>
    static string[] Lines(string file) => Bytes(file) is not { } bytes ? []
        : [.. Encoding.UTF8.GetString(bytes).Split('\n').Select(l => Printable.Of(l.Trim())).Where(l => l.Length > 0).Take(16)];

    static byte[]? Bytes(string file)
    {
        try
        {
            // A file name first: what is not there costs no exception every second.
            if (!File.Exists(file)) return null;
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var buffer = new byte[MostBytes];
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return buffer[..length];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
