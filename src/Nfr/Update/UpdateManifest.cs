using System.Buffers;
using System.Text.Json;

namespace Nfr.Update;

/// <summary>One partition's content.</summary>
/// <param name="Name">root, boot (either slot), boot-a or boot-b (that slot alone).</param>
/// <param name="Bytes">Unpacked.</param>
/// <param name="PackedBytes">As it lies in the bundle.</param>
/// <param name="Sha256">Of the unpacked bytes, 64 lower-case hexadecimal digits.</param>
sealed record UpdatePart(string Name, long Bytes, long PackedBytes, string Sha256)
{
    /// <summary>Whether it belongs into slot <paramref name="slot"/> (a or b).</summary>
    public bool IsFor(char slot) => Name is "root" or "boot" || (Name.Length == 6 && Name[5] == slot);

    /// <summary>Which of a slot's partitions: root or boot.</summary>
    public string Partition => Name.StartsWith("boot", StringComparison.Ordinal) ? "boot" : "root";
}

/// <summary>
/// What is signed: what a bundle holds and for whom. It has one form in bytes (<see cref="Write"/>); whatever does not read back to itself is refused, so that no two readers can
/// understand one signature in two ways.
/// </summary>
sealed record UpdateManifest
{
    public const int Format = 1;
    public const int MostBytes = 16 << 10;
    public const int MostParts = 4;
    /// <summary>Of a part, packed or not: more than any card's slot.</summary>
    public const long MostPartBytes = 64L << 30;
    public const int MostNotes = 2000;
    const int MostWord = 64;
    static readonly string[] s_partNames = ["boot", "boot-a", "boot-b", "root"];
    static readonly JsonWriterOptions s_plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.Default };

    public required string Version { get; init; }
    /// <summary>Grows with each release; a box takes only what is above its own.</summary>
    public required long Counter { get; init; }
    /// <summary>The same word as in the box's image.json.</summary>
    public required string Hardware { get; init; }
    /// <summary>The bundle's own file name, found beside its head.</summary>
    public required string File { get; init; }
    /// <summary>What is new, for people; may be empty.</summary>
    public string Notes { get; init; } = "";
    /// <summary>In the order in which they lie in the bundle.</summary>
    public required IReadOnlyList<UpdatePart> Parts { get; init; }

    /// <summary>"2.1.0 (12)".</summary>
    public string Title => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Version} ({Counter})");

    public byte[] Write()
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(bytes, s_plain))
        {
            json.WriteStartObject();
            json.WriteNumber("format", Format);
            json.WriteString("version", Version);
            json.WriteNumber("counter", Counter);
            json.WriteString("hardware", Hardware);
            json.WriteString("file", File);
            json.WriteString("notes", Notes);
            json.WriteStartArray("parts");
            foreach (UpdatePart part in Parts)
            {
                json.WriteStartObject();
                json.WriteString("name", part.Name);
                json.WriteNumber("bytes", part.Bytes);
                json.WriteNumber("packed", part.PackedBytes);
                json.WriteString("sha256", part.Sha256);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Null, and a part of a sentence, when the bytes are no manifest of this format.</summary>
    public static UpdateManifest? Read(ReadOnlyMemory<byte> bytes, out string? why)
    {
        UpdateManifest? manifest;
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 4 });
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("format", out JsonElement format) && format.TryGetInt32(out int number) && number > Format)
            {
                why = $"it is of format {number}, newer than this nfr understands ({Format}); update to a release between first";
                return null;
            }
            manifest = new UpdateManifest
            {
                Version = root.GetProperty("version").GetString()!,
                Counter = root.GetProperty("counter").GetInt64(),
                Hardware = root.GetProperty("hardware").GetString()!,
                File = root.GetProperty("file").GetString()!,
                Notes = root.GetProperty("notes").GetString()!,
                Parts = [.. root.GetProperty("parts").EnumerateArray().Take(MostParts + 1).Select(p => new UpdatePart(
                    p.GetProperty("name").GetString()!, p.GetProperty("bytes").GetInt64(), p.GetProperty("packed").GetInt64(), p.GetProperty("sha256").GetString()!))],
            };
        }
        // What the reader says to bytes that are no JSON, not an object, a number out of range, half a surrogate, a key that is not there.
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            why = "its manifest cannot be read";
            return null;
        }
        why = manifest.Fault();
        if (why is null && !bytes.Span.SequenceEqual(manifest.Write())) why = "its manifest is not in its one form";
        return why is null ? manifest : null;
    }

    /// <summary>What is wrong with it, part of a sentence; null = nothing.</summary>
    public string? Fault()
    {
        if (!IsWord(Version)) return "its version is no version";
        if (Counter is < 1 or > int.MaxValue) return "its counter is out of range";
        if (!IsWord(Hardware)) return "its hardware is no word";
        if (!IsWord(File)) return "its file is no file name";
        if (Notes is null || Notes.Length > MostNotes || Notes.Any(c => char.IsControl(c) && c != '\n')) return $"its notes are longer than {MostNotes} characters, or no plain text";
        if (Parts.Count is 0 or > MostParts) return $"it has {(Parts.Count == 0 ? "no part" : $"more than {MostParts} parts")}";
        foreach (UpdatePart part in Parts)
        {
            if (!s_partNames.Contains(part.Name)) return "a part has an unknown name";
            if (part.Bytes is < 1 or > MostPartBytes || part.PackedBytes is < 1 or > MostPartBytes) return $"the size of {part.Name} is out of range";
            if (part.Sha256 is not { Length: 64 } || !part.Sha256.All(char.IsAsciiHexDigitLower)) return $"the hash of {part.Name} is none";
        }
        string[] names = [.. Parts.Select(p => p.Name)];
        if (names.Distinct().Count() != names.Length) return "a part comes twice";
        // Each slot gets exactly one boot partition, or neither does; and a root in any case.
        if (!names.Contains("root")) return "the part root is missing";
        if (names.Contains("boot-a") != names.Contains("boot-b")) return "of boot-a and boot-b one is missing";
        return names.Contains("boot") && names.Contains("boot-a") ? "it has boot beside boot-a" : null;
    }

    /// <summary>Fit for a file name, a shell and a screen.</summary>
    internal static bool IsWord(string? text) =>
        text is { Length: > 0 and <= MostWord } && text[0] is not ('.' or '-') && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+' or '~');
}
