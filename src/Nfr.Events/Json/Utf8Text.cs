using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Nfr.Events;

/// <summary>
/// Text off the wire made valid UTF-8: a byte that belongs to no valid sequence becomes the character of the same number (0xE9 becomes é,
/// U+00E9), the reading of ISO 8859-1. So nothing throws, every byte can still be seen, and valid text is untouched.
/// </summary>
public static class Utf8Text
{
    /// <summary>The span itself when it is valid (the rule), else a repaired copy in <paramref name="buffer"/>, which grows as needed.</summary>
    internal static ReadOnlySpan<byte> Valid(ReadOnlySpan<byte> bytes, ref byte[] buffer)
    {
        if (Utf8.IsValid(bytes)) return bytes;
        // Each bad byte becomes two.
        if (buffer.Length < bytes.Length * 2) buffer = new byte[bytes.Length * 2];
        int n = 0;
        while (!bytes.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(bytes, out _, out int length);
            if (status == OperationStatus.Done)
            {
                bytes[..length].CopyTo(buffer.AsSpan(n));
                n += length;
            }
            else
            {
                foreach (byte b in bytes[..length])
                {
                    buffer[n++] = (byte)(0xC0 | (b >> 6));
                    buffer[n++] = (byte)(0x80 | (b & 0x3F));
                }
            }
            bytes = bytes[length..];
        }
        return buffer.AsSpan(0, n);
    }

    /// <summary>The same as a string, for rare paths.</summary>
    public static string ToString(ReadOnlySpan<byte> bytes)
    {
        byte[] buffer = [];
        return Encoding.UTF8.GetString(Valid(bytes, ref buffer));
    }
}
