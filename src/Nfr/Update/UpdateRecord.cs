using System.Buffers;
using System.Text.Json;

namespace Nfr.Update;

enum UpdatePhase : byte
{
    /// <summary>The idle slot was being overwritten, and is not whole, or is not asked for: with the reason where there was time to note it, without where the power went.</summary>
    Writing,
    /// <summary>It is whole and is, or will be, booted once.</summary>
    Trying,
    /// <summary>It was well and is lasting.</summary>
    Good,
    /// <summary>It ran and was not well, or did not come up; see why. What runs is the one before.</summary>
    Failed,
    /// <summary>The bundle was not taken (a stranger's, an older one, one for another board), and nothing was touched. Of a file of its own: the record of what was tried stays.</summary>
    Refused,
}

/// <summary>The last update of this box, as the data partition keeps it. Told to people; what is booted never hangs on it.</summary>
/// <param name="Phase">How far it came.</param>
/// <param name="Slot">Where it was written.</param>
/// <param name="Version">Of the update; "" of a bundle whose word on it was not to be believed.</param>
/// <param name="Counter">Of the update.</param>
/// <param name="Boot">The kernel's boot id when this was noted: whether the box was started since, without asking any clock.</param>
/// <param name="Why">Of a failure.</param>
sealed record UpdateRecord(UpdatePhase Phase, char Slot, string Version, long Counter, string Boot, string Why = "")
{
    const int MostBytes = 16 << 10;
    const int MostWhy = 1000;
    const int MostBoot = 64;

    public string Title => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Version} ({Counter})");

    public byte[] Write()
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes)) Write(json);
        return bytes.WrittenSpan.ToArray();
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("phase", Word);
        json.WriteString("slot", Slot.ToString());
        json.WriteString("version", Version);
        json.WriteNumber("counter", Counter);
        json.WriteString("boot", Boot);
        json.WriteString("why", Why.Length > MostWhy ? Why[..MostWhy] : Why);
        json.WriteEndObject();
    }

    public string Word => Phase switch { UpdatePhase.Writing => "writing", UpdatePhase.Trying => "trying", UpdatePhase.Good => "good", UpdatePhase.Refused => "refused", _ => "failed" };

    /// <summary>Null when the bytes are no record: a card may return anything.</summary>
    public static UpdateRecord? Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MostBytes) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 4 });
            JsonElement root = document.RootElement;
            UpdatePhase? phase = root.GetProperty("phase").GetString() switch { "writing" => UpdatePhase.Writing, "trying" => UpdatePhase.Trying, "good" => UpdatePhase.Good, "failed" => UpdatePhase.Failed, "refused" => UpdatePhase.Refused, _ => null };
            string version = root.GetProperty("version").GetString() ?? "", boot = root.GetProperty("boot").GetString() ?? "", why = root.GetProperty("why").GetString() ?? "";
            return phase is { } known && root.GetProperty("slot").GetString() is ['a' or 'b'] slot && (UpdateManifest.IsWord(version) || (phase == UpdatePhase.Refused && version.Length == 0)) && why.Length <= MostWhy && boot.Length <= MostBoot
                ? new UpdateRecord(known, slot[0], version, root.GetProperty("counter").GetInt64(), boot, why) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }
}
