using System.Buffers.Binary;

namespace Nfr.Scoring.Names;

/// <summary>
/// What characters of all scripts pass for in ASCII letters and digits: the skeleton of UTS 39, marks dropped and a few look-alikes added. The table
/// (20 KB) is made by Models/make-lookalikes.py.
/// </summary>
sealed class Confusables
{
    /// <summary>Stands in a skeleton for a character that passes for nothing in ASCII.</summary>
    public const byte Unknown = (byte)'?';
    const int CodePointBits = 21, CodePointMask = (1 << CodePointBits) - 1;

    readonly uint[] _entries;
    readonly byte[][] _texts;

    Confusables()
    {
        ReadOnlySpan<byte> bytes = Shipped.Read("confusables.bin");
        _entries = new uint[BinaryPrimitives.ReadUInt16LittleEndian(bytes)];
        _texts = new byte[BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..])][];
        bytes = bytes[4..];
        for (int i = 0; i < _texts.Length; i++)
        {
            _texts[i] = bytes.Slice(1, bytes[0]).ToArray();
            bytes = bytes[(1 + bytes[0])..];
        }
        for (int i = 0; i < _entries.Length; i++) _entries[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i * 4)..]);
    }

    /// <summary>The table that ships inside.</summary>
    public static Confusables Table { get; } = new();

    /// <summary>Writes the skeleton in lower case; what does not fit is left out.</summary>
    /// <param name="codePoints">Of one label.</param>
    /// <param name="skeleton">Three bytes a code point are enough.</param>
    /// <returns>Bytes written.</returns>
    public int Skeleton(ReadOnlySpan<int> codePoints, Span<byte> skeleton)
    {
        int length = 0;
        foreach (int codePoint in codePoints)
        {
            ReadOnlySpan<byte> text = codePoint < 0x80 ? [Tables.Mix.Lower((byte)codePoint)] : TextOf(codePoint);
            if (text.Length > skeleton.Length - length) break;
            text.CopyTo(skeleton[length..]);
            length += text.Length;
        }
        return length;
    }

    ReadOnlySpan<byte> TextOf(int codePoint)
    {
        int low = 0, high = _entries.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int found = (int)(_entries[middle] & CodePointMask);
            if (found == codePoint) return _texts[_entries[middle] >> CodePointBits];
            if (found < codePoint) low = middle + 1;
            else high = middle - 1;
        }
        return "?"u8;
    }
}
