using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Nfr.Logs;

/// <summary>
/// How far the files of an item are read, as it lies in the spool: <c>{"v":1,"files":[{"p":path,"l":log,"d":device,"i":inode,"h":[length,digest],
/// "k":known,"m":modified,"c":cut,"w":between,"y":moved,"e":end,"o":offset,"b":held,"a":header,"t":[offset,length,digest]},…]}</c>; where that is too long for the spool (many files, long names), packed by zlib in Base64: <c>{"v":2,"z":text}</c>.
/// </summary>
static class PositionText
{
    /// <summary>The spool takes 64 KiB.</summary>
    const int MaximumLength = 60_000;
    /// <summary>Of what was packed: far above what 256 files can have.</summary>
    const int MaximumPlainLength = 16 << 20;

    /// <param name="files">Those that matter most first.</param>
    /// <param name="left">How many do not fit even when packed: the last ones. They would be read again at the next start.</param>
    public static string Write(IReadOnlyList<FileMarks> files, out int left)
    {
        left = 0;
        ReadOnlySpan<byte> plain = Plain(files);
        if (plain.Length <= MaximumLength) return Encoding.UTF8.GetString(plain);
        int count = files.Count;
        while (true)
        {
            string packed = Pack(plain);
            if (packed.Length <= MaximumLength) return packed;
            // Their share, and a little less: names do not pack alike.
            count = Math.Min(count - 1, (int)(count * (long)MaximumLength / packed.Length));
            left = files.Count - count;
            plain = Plain(files.Take(count));
        }
    }

    static string Pack(ReadOnlySpan<byte> plain)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zip.Write(plain);
        return $$"""{"v":2,"z":"{{Convert.ToBase64String(packed.GetBuffer(), 0, (int)packed.Length)}}"}""";
    }

    static byte[] Unpack(byte[] packed)
    {
        using var zip = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        Span<byte> part = stackalloc byte[4096];
        while (zip.Read(part) is var n and > 0)
        {
            if (plain.Length + n > MaximumPlainLength) throw new FormatException();
            plain.Write(part[..n]);
        }
        return plain.ToArray();
    }

    static ReadOnlySpan<byte> Plain(IEnumerable<FileMarks> files)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        var one = new ArrayBufferWriter<byte>(512);
        buffer.Write("{\"v\":1,\"files\":["u8);
        bool first = true;
        foreach (FileMarks file in files)
        {
            one.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(one)) Write(json, file);
            if (!first) buffer.Write(","u8);
            first = false;
            buffer.Write(one.WrittenSpan);
        }
        buffer.Write("]}"u8);
        return buffer.WrittenSpan;
    }

    static void Write(Utf8JsonWriter json, FileMarks file)
    {
        FileFacts facts = file.Facts;
        json.WriteStartObject();
        json.WriteString("p"u8, facts.Path);
        if (facts.Log != facts.Path) json.WriteString("l"u8, facts.Log);
        json.WriteNumber("d"u8, facts.Device);
        json.WriteNumber("i"u8, facts.Inode);
        Write(json, "h"u8, -1, facts.Head);
        json.WriteNumber("k"u8, facts.Known);
        json.WriteNumber("m"u8, facts.Modified);
        if (facts.WasCut) json.WriteNumber("c"u8, 1);
        if (facts.CameBetween) json.WriteNumber("w"u8, 1);
        if (facts.WasMoved) json.WriteNumber("y"u8, 1);
        if (file.IsDone) json.WriteNumber("e"u8, facts.End);
        json.WriteNumber("o"u8, file.Offset);
        if (file.Held != file.Offset) json.WriteNumber("b"u8, file.Held);
        if (file.Header >= 0) json.WriteNumber("a"u8, file.Header);
        Waypoint point = file.Point;
        if (point.Before.Length > 0) Write(json, "t"u8, point.Offset, point.Before);
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, long offset, Fingerprint print)
    {
        json.WriteStartArray(name);
        if (offset >= 0) json.WriteNumberValue(offset);
        json.WriteNumberValue(print.Length);
        json.WriteStringValue(print.Digest.ToString("x16", CultureInfo.InvariantCulture));
        json.WriteEndArray();
    }

    /// <summary>Null when it is no position: another version's, or damage.</summary>
    public static List<FileMarks>? Read(string text)
    {
        List<FileMarks> files = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            int version = document.RootElement.GetProperty("v").GetInt32();
            if (version is not (1 or 2)) return null;
            using JsonDocument? unpacked = version == 2 ? JsonDocument.Parse(Unpack(document.RootElement.GetProperty("z").GetBytesFromBase64())) : null;
            foreach (JsonElement file in (unpacked ?? document).RootElement.GetProperty("files").EnumerateArray()) files.Add(Read(file));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or IndexOutOfRangeException or OverflowException or InvalidDataException)
        {
            return null;
        }
        return files;
    }

    static FileMarks Read(JsonElement file)
    {
        string path = file.GetProperty("p").GetString() ?? throw new FormatException();
        string log = file.TryGetProperty("l", out JsonElement l) ? l.GetString() ?? path : path;
        long offset = Math.Max(0, file.GetProperty("o").GetInt64());
        long held = file.TryGetProperty("b", out JsonElement b) ? Math.Clamp(b.GetInt64(), 0, offset) : offset;
        long header = file.TryGetProperty("a", out JsonElement a) ? Math.Clamp(a.GetInt64(), -1, offset) : -1;
        Waypoint point = default;
        if (file.TryGetProperty("t", out JsonElement t)) point = new Waypoint(Math.Clamp(t[0].GetInt64(), 0, offset), Print(t, 1, Fingerprint.TailLength));
        if (point.Before.Length > point.Offset) point = default;
        var marks = new FileMarks
        {
            Facts = new FileFacts(path, log, file.GetProperty("d").GetUInt64(), file.GetProperty("i").GetUInt64(), Print(file.GetProperty("h"), 0, Fingerprint.HeadLength),
                file.GetProperty("k").GetInt64(), file.GetProperty("m").GetInt64(), file.TryGetProperty("c"u8, out _), file.TryGetProperty("w"u8, out _), file.TryGetProperty("y"u8, out _),
                file.TryGetProperty("e", out JsonElement e) ? e.GetInt64() : -1),
        };
        marks.Begin(offset, held, header, point);
        return marks;
    }

    static Fingerprint Print(JsonElement array, int at, int maximum) =>
        new(Math.Clamp(array[at].GetInt32(), 0, maximum), ulong.Parse(array[at + 1].GetString() ?? "", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
}
