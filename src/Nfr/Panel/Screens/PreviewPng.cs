using System.Buffers.Binary;
using System.IO.Compression;

namespace Nfr.Panel.Screens;

/// <summary>
/// Pictures of the display as PNG (RFC 2083, ISO/IEC 15948): each dot is <see cref="Scale"/> pixels wide with a dark gap, blue-white as an OLED is. The same pictures give the same
/// bytes, as long as the runtime's zlib is the same.
/// </summary>
static class PreviewPng
{
    public const int Scale = 4;
    const int Border = 10;
    const int TitleHeight = 14;

    // Colours of the palette: the glass, a dark dot, a lit dot, the sheet, its letters.
    static ReadOnlySpan<byte> Palette => [4, 5, 9, 11, 14, 22, 190, 228, 255, 28, 30, 36, 255, 178, 64];

    /// <summary>One picture.</summary>
    public static byte[] Of(ScreenBuffer screen) => Sheet([("", screen)], 1);

    /// <summary>Several with their names, in rows.</summary>
    public static byte[] Sheet(IReadOnlyList<(string Name, ScreenBuffer Screen)> pictures, int columns)
    {
        bool named = pictures.Any(p => p.Name.Length > 0);
        columns = Math.Clamp(pictures.Count, 1, columns);
        int cellWidth = (ScreenBuffer.Width * Scale) + (2 * Border), cellHeight = (ScreenBuffer.Height * Scale) + (2 * Border) + (named ? 2 * TitleHeight : 0);
        int width = cellWidth * columns, height = cellHeight * ((pictures.Count + columns - 1) / columns);
        var pixels = new byte[width * height];
        pixels.AsSpan().Fill(3);
        for (int i = 0; i < pictures.Count; i++)
        {
            int left = i % columns * cellWidth, top = i / columns * cellHeight;
            if (named) Name(pixels, width, left + Border, top + 8, pictures[i].Name);
            Picture(pixels, width, left + Border, top + cellHeight - Border - (ScreenBuffer.Height * Scale), pictures[i].Screen);
        }
        return Encode(pixels, width, height);
    }

    static void Picture(byte[] pixels, int stride, int left, int top, ScreenBuffer screen)
    {
        for (int y = -4; y < (ScreenBuffer.Height * Scale) + 4; y++) pixels.AsSpan(((top + y) * stride) + left - 4, (ScreenBuffer.Width * Scale) + 8).Clear();
        for (int y = 0; y < ScreenBuffer.Height * Scale; y++)
        {
            for (int x = 0; x < ScreenBuffer.Width * Scale; x++)
            {
                bool gap = x % Scale == Scale - 1 || y % Scale == Scale - 1;
                pixels[((top + y) * stride) + left + x] = gap ? (byte)0 : screen[x / Scale, y / Scale] ? (byte)2 : (byte)1;
            }
        }
    }

    static void Name(byte[] pixels, int stride, int left, int top, string name)
    {
        var line = new ScreenBuffer();
        new Canvas(line).Text(name, 0, 0);
        for (int y = 0; y < 8 * 2; y++)
        {
            for (int x = 0; x < ScreenBuffer.Width * 2; x++)
            {
                if (line[x / 2, y / 2]) pixels[((top + y) * stride) + left + x] = 4;
            }
        }
    }

    /// <summary>Eight bits a pixel by palette, no filter.</summary>
    static byte[] Encode(byte[] pixels, int width, int height)
    {
        using var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8;
        header[9] = 3;
        header[10..].Clear();
        Chunk(png, "IHDR"u8, header);
        Chunk(png, "PLTE"u8, Palette);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (int y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(pixels, y * width, width);
            }
        }
        Chunk(png, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    static void Chunk(MemoryStream png, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        png.Write(type);
        png.Write(data);
        uint crc = Crc(Crc(uint.MaxValue, type), data) ^ uint.MaxValue;
        BinaryPrimitives.WriteUInt32BigEndian(number, crc);
        png.Write(number);
    }

    /// <summary>RFC 2083 annex 15, bit by bit: pictures are few.</summary>
    static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }
        return crc;
    }
}
