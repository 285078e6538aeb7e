using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>What is known of the copy on disk, kept beside it as <c>.NAME.mark</c>; without it, or when it cannot be read, the list is fetched anew.</summary>
/// <remarks>Url = <see cref="FeedAddress.Digest"/> of the address that it came from.</remarks>
sealed record FeedMark(string Url, string? ETag, string? LastModified, DateTimeOffset Success, DateTimeOffset Change, long Indicators)
{
    const int MaxBytes = 16 << 10;

    public static string PathOf(string folder, string name) => Path.Combine(folder, "." + name + ".mark");

    public static FeedMark? Read(string path)
    {
        try
        {
            if (new FileInfo(path) is not { Exists: true, Length: <= MaxBytes }) return null;
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement json = document.RootElement;
            return new FeedMark(
                json.GetProperty("url").GetString() ?? "", Text(json, "etag"), Text(json, "lastModified"), json.GetProperty("success").GetDateTimeOffset(),
                json.GetProperty("change").GetDateTimeOffset(), json.GetProperty("indicators").GetInt64());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }

        static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
    }

    public void Write(string path)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("url", Url);
            if (ETag is not null) json.WriteString("etag", ETag);
            if (LastModified is not null) json.WriteString("lastModified", LastModified);
            json.WriteString("success", Success);
            json.WriteString("change", Change);
            json.WriteNumber("indicators", Indicators);
            json.WriteEndObject();
        }
        string part = path + ".tmp";
        File.WriteAllBytes(part, stream.ToArray());
        File.Move(part, path, overwrite: true);
    }
}
