namespace Nfr.Panel;

/// <summary>
/// The picture of an SSD1306: 128 × 64 dots, one bit each, in the display's own order. A page is 8 rows high; byte page × 128 + x holds the column x of these rows, the
/// topmost in bit 0.
/// </summary>
sealed class ScreenBuffer
{
    public const int Width = 128;
    public const int Height = 64;
    public const int Pages = Height / 8;
    public const int Length = Width * Pages;

    readonly byte[] _bits = new byte[Length];

    /// <summary>All of it, as the display takes it.</summary>
    public ReadOnlySpan<byte> Bits => _bits;

    /// <summary>A dot, lit or not; what lies outside is dark, and setting it does nothing.</summary>
    public bool this[int x, int y]
    {
        get => (uint)x < Width && (uint)y < Height && (_bits[((y >> 3) * Width) + x] & (1 << (y & 7))) != 0;
        set
        {
            if ((uint)x >= Width || (uint)y >= Height) return;
            ref byte column = ref _bits[((y >> 3) * Width) + x];
            if (value) column |= (byte)(1 << (y & 7));
            else column &= (byte)~(1 << (y & 7));
        }
    }

    public void Clear() => _bits.AsSpan().Clear();

    public void CopyTo(ScreenBuffer other) => _bits.CopyTo(other._bits.AsSpan());
}
