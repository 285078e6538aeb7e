using System.Text;

namespace Nfr.Panel.Screens;

/// <summary>How much of a code may be unreadable: 7 % or 15 %.</summary>
enum QrLevel : byte
{
    Low,
    Medium,
}

/// <summary>ISO/IEC 18004: a QR code of bytes, versions 1 to 10, levels L and M, the mask with the least penalty.</summary>
sealed class QrCode
{
    public const int MostVersion = 10;

    // ISO/IEC 18004 table 9, by version; index 0 is not used.
    static readonly int[] s_codewords = [0, 26, 44, 70, 100, 134, 172, 196, 242, 292, 346];
    static readonly int[][] s_checkPerBlock = [[0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18], [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26]];
    static readonly int[][] s_blocks = [[0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4], [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5]];
    // Annex E: where alignment patterns have their centres.
    static readonly int[][] s_alignment = [[], [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];

    readonly bool[] _dark;
    readonly bool[] _isFunction;

    QrCode(int version)
    {
        Version = version;
        Size = 17 + (4 * version);
        _dark = new bool[Size * Size];
        _isFunction = new bool[Size * Size];
    }

    public int Version { get; }
    /// <summary>Modules along an edge, without the quiet zone.</summary>
    public int Size { get; }
    public int Mask { get; private set; }

    /// <summary>A dark module.</summary>
    public bool this[int x, int y] => _dark[(y * Size) + x];

    /// <summary>Bytes that fit.</summary>
    public static int Capacity(int version, QrLevel level) => DataCodewords(version, level) - (version < 10 ? 2 : 3);

    /// <summary>The smallest code that holds a text as UTF-8; null where it is longer than version 10 holds.</summary>
    public static QrCode? Of(string text, QrLevel level, int mask = -1)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int version = 1; version <= MostVersion; version++)
        {
            if (bytes.Length > Capacity(version, level)) continue;
            var code = new QrCode(version);
            code.DrawFunctionPatterns();
            code.DrawData(Interleaved(bytes, version, level));
            code.Choose(level, mask);
            return code;
        }
        return null;
    }

    static int DataCodewords(int version, QrLevel level) => s_codewords[version] - (s_checkPerBlock[(int)level][version] * s_blocks[(int)level][version]);

    /// <summary>7.4 and 7.6: mode, length, bytes, padding; cut into blocks, each with its check words.</summary>
    static byte[] Interleaved(byte[] bytes, int version, QrLevel level)
    {
        var data = new byte[DataCodewords(version, level)];
        int bit = 0;
        void Append(int value, int length)
        {
            for (int i = length - 1; i >= 0; i--, bit++) data[bit >> 3] |= (byte)(((value >> i) & 1) << (7 - (bit & 7)));
        }
        Append(0b0100, 4);
        Append(bytes.Length, version < 10 ? 8 : 16);
        foreach (byte b in bytes) Append(b, 8);
        bit += Math.Min(4, (data.Length * 8) - bit);
        int used = (bit + 7) / 8;
        for (int i = used; i < data.Length; i++) data[i] = (byte)((i - used) % 2 == 0 ? 0xEC : 0x11);

        int blocks = s_blocks[(int)level][version], check = s_checkPerBlock[(int)level][version];
        int shortLength = data.Length / blocks, longBlocks = data.Length % blocks;
        byte[] generator = Generator(check);
        var parts = new byte[blocks][];
        var checks = new byte[blocks][];
        for (int i = 0, at = 0; i < blocks; i++)
        {
            int length = shortLength + (i >= blocks - longBlocks ? 1 : 0);
            parts[i] = data[at..(at + length)];
            checks[i] = Remainder(parts[i], generator);
            at += length;
        }
        var all = new List<byte>(s_codewords[version]);
        for (int i = 0; i <= shortLength; i++) all.AddRange(parts.Where(p => i < p.Length).Select(p => p[i]));
        for (int i = 0; i < check; i++) all.AddRange(checks.Select(c => c[i]));
        return [.. all];
    }

    /// <summary>In GF(256) with x^8 + x^4 + x^3 + x^2 + 1.</summary>
    static byte Multiply(int a, int b)
    {
        int product = 0;
        for (; b > 0; b >>= 1)
        {
            if ((b & 1) != 0) product ^= a;
            a = (a << 1) ^ ((a & 0x80) != 0 ? 0x11D : 0);
        }
        return (byte)product;
    }

    /// <summary>(x - 1)(x - 2)(x - 4)…, its leading 1 left out, highest power first.</summary>
    static byte[] Generator(int degree)
    {
        var result = new byte[degree];
        result[^1] = 1;
        byte root = 1;
        for (int i = 0; i < degree; i++, root = Multiply(root, 2))
        {
            for (int j = 0; j < degree; j++) result[j] = (byte)(Multiply(result[j], root) ^ (j + 1 < degree ? result[j + 1] : 0));
        }
        return result;
    }

    static byte[] Remainder(byte[] data, byte[] generator)
    {
        var result = new byte[generator.Length];
        foreach (byte b in data)
        {
            byte factor = (byte)(b ^ result[0]);
            result.AsSpan(1).CopyTo(result);
            result[^1] = 0;
            for (int i = 0; i < result.Length; i++) result[i] ^= Multiply(generator[i], factor);
        }
        return result;
    }

    void Function(int x, int y, bool dark)
    {
        if ((uint)x >= (uint)Size || (uint)y >= (uint)Size) return;
        _dark[(y * Size) + x] = dark;
        _isFunction[(y * Size) + x] = true;
    }

    void DrawFunctionPatterns()
    {
        for (int i = 0; i < Size; i++)
        {
            Function(6, i, i % 2 == 0);
            Function(i, 6, i % 2 == 0);
        }
        foreach ((int x, int y) in new[] { (3, 3), (Size - 4, 3), (3, Size - 4) })
        {
            for (int dy = -4; dy <= 4; dy++)
            {
                for (int dx = -4; dx <= 4; dx++) Function(x + dx, y + dy, Math.Max(Math.Abs(dx), Math.Abs(dy)) is not (2 or 4));
            }
        }
        int[] centres = s_alignment[Version];
        foreach (int y in centres)
        {
            foreach (int x in centres)
            {
                bool onFinder = (x == 6 && y == 6) || (x == 6 && y == Size - 7) || (x == Size - 7 && y == 6);
                if (onFinder) continue;
                for (int dy = -2; dy <= 2; dy++)
                {
                    for (int dx = -2; dx <= 2; dx++) Function(x + dx, y + dy, Math.Max(Math.Abs(dx), Math.Abs(dy)) != 1);
                }
            }
        }
        DrawFormat(QrLevel.Low, 0);
        if (Version < 7) return;
        // 7.10: six bits and twelve of a BCH code.
        int rest = Version;
        for (int i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1F25);
        int bits = (Version << 12) | rest;
        for (int i = 0; i < 18; i++)
        {
            bool dark = ((bits >> i) & 1) != 0;
            Function(Size - 11 + (i % 3), i / 3, dark);
            Function(i / 3, Size - 11 + (i % 3), dark);
        }
    }

    /// <summary>7.9: level and mask, fifteen bits, twice.</summary>
    void DrawFormat(QrLevel level, int mask)
    {
        int data = ((level == QrLevel.Low ? 1 : 0) << 3) | mask;
        int rest = data;
        for (int i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
        int bits = ((data << 10) | rest) ^ 0x5412;
        bool Bit(int i) => ((bits >> i) & 1) != 0;
        for (int i = 0; i <= 5; i++) Function(8, i, Bit(i));
        Function(8, 7, Bit(6));
        Function(8, 8, Bit(7));
        Function(7, 8, Bit(8));
        for (int i = 9; i < 15; i++) Function(14 - i, 8, Bit(i));
        for (int i = 0; i < 8; i++) Function(Size - 1 - i, 8, Bit(i));
        for (int i = 8; i < 15; i++) Function(8, Size - 15 + i, Bit(i));
        Function(8, Size - 8, true);
    }

    /// <summary>7.7.3: two columns at a time from the right, up and down in turn.</summary>
    void DrawData(byte[] codewords)
    {
        int bit = 0;
        for (int right = Size - 1; right >= 1; right -= 2)
        {
            if (right == 6) right = 5;
            bool up = ((right + 1) & 2) == 0;
            for (int step = 0; step < Size; step++)
            {
                int y = up ? Size - 1 - step : step;
                for (int x = right; x > right - 2; x--)
                {
                    if (_isFunction[(y * Size) + x] || bit >= codewords.Length * 8) continue;
                    _dark[(y * Size) + x] = ((codewords[bit >> 3] >> (7 - (bit & 7))) & 1) != 0;
                    bit++;
                }
            }
        }
    }

    void Choose(QrLevel level, int asked)
    {
        int best = asked, least = int.MaxValue;
        for (int mask = 0; mask < 8 && asked < 0; mask++)
        {
            Apply(mask);
            DrawFormat(level, mask);
            int penalty = Penalty();
            if (penalty < least) (best, least) = (mask, penalty);
            // Twice the same mask is none.
            Apply(mask);
        }
        Mask = best;
        Apply(best);
        DrawFormat(level, best);
    }

    void Apply(int mask)
    {
        for (int y = 0; y < Size; y++)
        {
            for (int x = 0; x < Size; x++)
            {
                bool flip = mask switch
                {
                    0 => (x + y) % 2 == 0,
                    1 => y % 2 == 0,
                    2 => x % 3 == 0,
                    3 => (x + y) % 3 == 0,
                    4 => ((x / 3) + (y / 2)) % 2 == 0,
                    5 => (x * y % 2) + (x * y % 3) == 0,
                    6 => ((x * y % 2) + (x * y % 3)) % 2 == 0,
                    _ => (((x + y) % 2) + (x * y % 3)) % 2 == 0,
                };
                if (flip && !_isFunction[(y * Size) + x]) _dark[(y * Size) + x] ^= true;
            }
        }
    }

    /// <summary>7.8.3.1: runs of one colour, blocks, what looks like a finder, and how far from half is dark.</summary>
    int Penalty()
    {
        int penalty = 0, dark = 0;
        for (int line = 0; line < Size; line++)
        {
            penalty += LinePenalty(line, Size, isRow: true) + LinePenalty(line, Size, isRow: false);
            for (int x = 0; x < Size; x++)
            {
                dark += this[x, line] ? 1 : 0;
                if (x + 1 < Size && line + 1 < Size && this[x, line] == this[x + 1, line] && this[x, line] == this[x, line + 1] && this[x, line] == this[x + 1, line + 1]) penalty += 3;
            }
        }
        return penalty + (Math.Abs((dark * 20) - (Size * Size * 10)) / (Size * Size) * 10);
    }

    int LinePenalty(int line, int size, bool isRow)
    {
        int penalty = 0, run = 0, window = 0;
        bool last = false;
        for (int i = 0; i < size; i++)
        {
            bool dark = isRow ? this[i, line] : this[line, i];
            run = i > 0 && dark == last ? run + 1 : 1;
            last = dark;
            if (run == 5) penalty += 3;
            else if (run > 5) penalty++;
            window = ((window << 1) | (dark ? 1 : 0)) & 0x7FF;
            if (i >= 10 && window is 0b00001011101 or 0b10111010000) penalty += 40;
        }
        return penalty;
    }
}
