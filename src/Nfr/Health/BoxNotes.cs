using System.Text;
using System.Text.Json;
using Nfr.Commands;
using Nfr.Panel;
using Nfr.Update;

namespace Nfr.Health;

/// <summary>Where other parts of the appliance leave their words.</summary>
/// <param name="Boot">Folder that the start of the box leaves: faults (of nfr.txt), notes, data-lost, slot, boot-id, ssh (what sshd's host key is known by).</param>
/// <param name="Progress">An update that runs, as "nfr update" tells it.</param>
/// <param name="Record">The last update and how it ended.</param>
sealed record BoxNotePlaces(string Boot, string Progress, string Record)
{
    public static readonly BoxNotePlaces Default = new("/run/nfr-boot", UpdateProgress.DefaultPath, AppliancePaths.DefaultRecord);

    /// <summary>The kernel's, where the start of the box left none: another one at each start of the machine. The panel's fences hide it.</summary>
    public string BootId { get; init; } = "/proc/sys/kernel/random/boot_id";

    /// <summary>The last bundle that was not taken.</summary>
    public string Refusal { get; } = RefusalBeside(Record);

    public static string RefusalBeside(string record) => Path.Combine(Path.GetDirectoryName(record)!, "refused.json");
}

/// <summary>
/// What the start of the box, updates and sshd have to say: small files of other programs of the box (decision 009), read by sensor and panel alike. What is not there or cannot be read
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
    /// <summary>"SHA256:…": what "ssh" asks about at the first connection; empty where no sshd was started.</summary>
    public string SshKey { get; init; } = "";

    /// <param name="places">Where to look.</param>
    /// <param name="time">The wall clock of the files, and the monotonic one of an update's words.</param>
    public static BoxNotes Read(BoxNotePlaces places, TimeProvider time)
    {
        // On a machine that is no appliance two files and a folder are asked for and nothing else.
        bool boot = Directory.Exists(places.Boot);
        return new BoxNotes
        {
            DataLost = boot && Lines(Path.Combine(places.Boot, "data-lost")) is [var lost, ..] ? lost : null,
            Update = UpdateOf(places, time),
            Setup = boot ? [.. Lines(Path.Combine(places.Boot, "faults")), .. Lines(Path.Combine(places.Boot, "notes"))] : [],
            SshKey = boot && Lines(Path.Combine(places.Boot, "ssh")) is [var ssh, ..] ? SshKeyOf(ssh) : "",
        };
    }

    /// <summary>Of a line as "ssh-keygen -l" prints it: bits, fingerprint, comment, kind.</summary>
    static string SshKeyOf(string line) => line.Split(' ') is [_, var print, ..] && print.StartsWith("SHA256:", StringComparison.Ordinal) ? print : "";

    static PanelUpdate UpdateOf(BoxNotePlaces places, TimeProvider time)
    {
        if (Going(places.Progress, time) is { } going) return going;
        Words last = Fields(places.Record) ?? default;
        PanelUpdate update = last.Phase switch
        {
            "trying" => Tried(last, places),
            "good" when IsNews(places.Record, time) => new PanelUpdate(PanelUpdatePhase.Confirmed, 100, last.Version, ""),
            // These stay until the next update: somebody has to know.
            "failed" => new PanelUpdate(PanelUpdatePhase.RolledBack, 0, last.Version, last.Text),
            // It began between the two looks; else nobody writes any more.
            "writing" => Going(places.Progress, time) ?? new PanelUpdate(PanelUpdatePhase.Failed, 0, last.Version, last.Text.Length > 0 ? last.Text : "it was cut off; begin it again"),
            _ => PanelUpdate.None,
        };
        // One on trial, or that did not stay, is the graver. A bundle that was not taken changed nothing: who brings another every day must not have the light on for ever.
        return update.Phase is not (PanelUpdatePhase.Writing or PanelUpdatePhase.Trial or PanelUpdatePhase.RolledBack) && IsNews(places.Refusal, time) && Fields(places.Refusal) is { Phase: "refused" } refused
            ? new PanelUpdate(PanelUpdatePhase.Refused, 0, refused.Version, refused.Text) : update;
    }

    /// <summary>What an update says of itself; null where there is none.</summary>
    static PanelUpdate? Going(string progress, TimeProvider time)
    {
        if (Fields(progress) is not { } going) return null;
        if (going.Phase is not ("reading" or "writing" or "checking" or "rebooting")) return new PanelUpdate(going.Phase == "failed" ? PanelUpdatePhase.Failed : PanelUpdatePhase.Idle, going.Percent, going.Version, going.Text);
        return UpdateProgress.IsAlive(going.Phase, going.At, time)
            ? new PanelUpdate(PanelUpdatePhase.Writing, going.Percent, going.Version, going.Text)
            : new PanelUpdate(PanelUpdatePhase.Failed, 0, going.Version, going.Phase == "rebooting" ? "the reboot into it does not come; reboot by hand, or begin the update again" : "nfr update ended in the middle of it; begin it again");
    }

    /// <summary>Whether an update works now.</summary>
    /// <param name="progress">Its words.</param>
    /// <param name="time">The machine's monotonic clock.</param>
    public static bool IsUnderWay(string progress, TimeProvider time) => Going(progress, time) is { Phase: PanelUpdatePhase.Writing };

    /// <summary>Written whole: it waits for the reboot that tries it, runs on trial, or ran and is gone again. Whether the box was started since, the kernel's boot id says; what runs, the start of the box.</summary>
    static PanelUpdate Tried(in Words last, BoxNotePlaces places)
    {
        string boot = First(Path.Combine(places.Boot, "boot-id")) ?? First(places.BootId) ?? "", slot = First(Path.Combine(places.Boot, "slot")) ?? "";
        bool elsewhere = slot.Length > 0 && last.Slot.Length > 0 && slot != last.Slot;
        if (boot.Length > 0 && last.Boot.Length > 0 ? boot == last.Boot : elsewhere) return new PanelUpdate(PanelUpdatePhase.Waiting, 100, last.Version, "");
        // So it is until the confirmation of this start has settled it.
        return elsewhere ? new PanelUpdate(PanelUpdatePhase.RolledBack, 0, last.Version, "it was tried and did not confirm itself") : new PanelUpdate(PanelUpdatePhase.Trial, 100, last.Version, "");
    }

    static string? First(string file) => Lines(file) is [var line, ..] ? line : null;

    static bool IsNews(string file, TimeProvider time) => (time.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(file)).Duration() < s_news;

    /// <summary>Of an update: what its words, its record or a refusal say, as far as they do.</summary>
    /// <param name="Phase">"" = none that can be read.</param>
    /// <param name="Version">Of the update.</param>
    /// <param name="Percent">Of the phase.</param>
    /// <param name="Text">What is done, or why it was not.</param>
    /// <param name="At">Seconds of the monotonic clock; not a number = none.</param>
    /// <param name="Slot">Where it was written.</param>
    /// <param name="Boot">In which run of the machine.</param>
    readonly record struct Words(string Phase, string Version, int Percent, string Text, double At, string Slot, string Boot);

    static Words? Fields(string file)
    {
        if (Bytes(file) is not { Length: > 0 } bytes) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 4 });
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            int percent = root.TryGetProperty("percent", out JsonElement p) && p.ValueKind == JsonValueKind.Number && p.TryGetInt32(out int n) ? Math.Clamp(n, 0, 100) : 0;
            string words = Text(root, "text");
            double at = root.TryGetProperty("at", out JsonElement a) && a.ValueKind == JsonValueKind.Number && a.TryGetDouble(out double seconds) ? seconds : double.NaN;
            return new Words(Text(root, "phase"), Text(root, "version"), percent, words.Length > 0 ? words : Text(root, "why"), at, Text(root, "slot"), Text(root, "boot"));
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
