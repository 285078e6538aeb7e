namespace Nfr.Wire;

/// <summary>Lower-case hex, as fingerprints are written.</summary>
internal static class Hex
{
    public static byte Digit(int nibble) => (byte)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);

    /// <summary>Writes as many bytes as <paramref name="destination"/> has pairs of digits.</summary>
    public static void Write(ReadOnlySpan<byte> bytes, Span<byte> destination)
    {
        int count = Math.Min(bytes.Length, destination.Length / 2);
        for (int i = 0; i < count; i++)
        {
            destination[2 * i] = Digit(bytes[i] >> 4);
            destination[(2 * i) + 1] = Digit(bytes[i] & 15);
        }
    }
}
