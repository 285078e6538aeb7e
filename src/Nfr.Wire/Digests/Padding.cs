namespace Nfr.Wire.Digests;

/// <summary>The end of a message as all three digests want it: a one bit, zeros, and room for the length in bits.</summary>
static class Padding
{
    /// <summary>Lays the last bytes (fewer than 64) into <paramref name="end"/>, which is zero; returns 64 or 128, how much of it counts.</summary>
    public static int Write(ReadOnlySpan<byte> rest, Span<byte> end)
    {
        rest.CopyTo(end);
        end[rest.Length] = 0x80;
        return rest.Length + 1 + sizeof(ulong) <= 64 ? 64 : 128;
    }
}
